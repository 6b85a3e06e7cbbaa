package dialog

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

const (
	subscribeTime = 10 * time.Second // for one SUBSCRIBE
	subscribeBase = 30 * time.Second // between two tries, doubled up to subscribeMax
	subscribeMax  = 30 * time.Minute
	noticeMax     = 64 << 10 // bytes of a NOTIFY's body
	hasty         = time.Second
)

// Way is where requests outside dialogs go at present.
type Way struct {
	Link  *stack.Link
	Peer  netip.AddrPort
	Route []string
}

// SubscribeRequest asks to be told of an event (RFC 6665).
type SubscribeRequest struct {
	Event       string // "dialog", "message-summary"
	Accept      string // MIME type of the bodies
	Target      sip.Uri
	From        Party
	ContactUser string
	Auth        *stack.Auth
	Expires     time.Duration       // 0: an hour
	Way         func() (Way, error) // asked before each request; an error ends the subscription
	Tell        func(Notice)        // hears what NOTIFYs bring, one at a time; must not block long
}

// Notice is what a NOTIFY says. Lost: the subscription is not there for now, or, with Final, never again.
type Notice struct {
	Body  []byte
	Lost  bool
	Final bool
}

// Subscription keeps a subscription alive until it is closed or refused for good. One goroutine owns it.
type Subscription struct {
	ua     *UA
	r      SubscribeRequest
	in     *queue[*stack.Inbound]
	renew  chan struct{}
	stop   chan struct{}
	done   chan struct{}
	closed bool // guarded by ua.mu

	dialog   *dialog
	pending  *sip.Request // our SUBSCRIBE that is under way
	answers  chan answered
	failures int
	began    time.Time
	timer    *time.Timer // the next SUBSCRIBE
}

type answered struct {
	req *sip.Request
	res *sip.Response
	err error
}

// Subscribe begins at once and returns; the rest is told.
func (ua *UA) Subscribe(r SubscribeRequest) (*Subscription, error) {
	if !stack.Clean(r.Target.User) || !stack.Clean(r.Target.Host) || r.Target.Host == "" || !stack.Clean(r.Event+r.Accept) {
		return nil, fmt.Errorf("subscribe: %w", ErrUnclean)
	}
	if err := r.From.clean(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	r.Expires = cmp.Or(r.Expires, time.Hour)
	s := &Subscription{
		ua: ua, r: r, in: newQueue[*stack.Inbound](), renew: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		answers: make(chan answered, 1),
	}
	ua.mu.Lock()
	defer ua.mu.Unlock()
	if ua.closed {
		return nil, errFull
	}
	ua.watching[s] = true
	ua.working.Go(s.own)
	return s, nil
}

// Renew asks again at once: our address changed, or the server may have forgotten us.
func (s *Subscription) Renew() {
	select {
	case s.renew <- struct{}{}:
	default:
	}
}

// Close unsubscribes; it does not wait, Done does.
func (s *Subscription) Close() {
	s.ua.mu.Lock()
	defer s.ua.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
}

// Done is closed when the subscription has ended.
func (s *Subscription) Done() <-chan struct{} { return s.done }

func (s *Subscription) own() {
	defer close(s.done)
	defer s.leave()
	s.timer = time.NewTimer(0)
	for {
		select {
		case <-s.stop:
			s.unsubscribe()
			return
		case <-s.renew:
			s.after(0)
		case <-s.timer.C:
			if s.pending == nil && !s.subscribe(s.r.Expires) {
				return
			}
		case a := <-s.answers:
			if a.req == s.pending && !s.answered(a) {
				return
			}
		case <-s.in.wake:
			for _, in := range s.in.take() {
				if !s.notified(in) {
					return
				}
			}
		}
	}
}

func (s *Subscription) after(d time.Duration) {
	s.timer.Stop()
	s.timer = time.NewTimer(d)
}

// leave forgets the subscription; it answers what came too late.
func (s *Subscription) leave() {
	s.timer.Stop()
	s.forget()
	s.in.close()
	for _, in := range s.in.take() {
		_ = in.Answer(481, "Subscription Does Not Exist")
	}
	s.ua.mu.Lock()
	delete(s.ua.watching, s)
	s.ua.mu.Unlock()
}

// forget ends the dialog without a word.
func (s *Subscription) forget() {
	s.pending = nil
	if s.dialog == nil {
		return
	}
	s.ua.mu.Lock()
	delete(s.ua.watchers, s.dialog.name())
	s.ua.mu.Unlock()
	s.dialog = nil
}

// subscribe sends a SUBSCRIBE: a new one, or a refresh within the dialog. Only the first proves who we are: a challenge
// within the dialog comes from the far end as easily as from our proxy. False: there is no way any more.
func (s *Subscription) subscribe(expires time.Duration) bool {
	way, err := s.r.Way()
	if err != nil {
		s.lose(true)
		return false
	}
	auth := s.r.Auth
	if s.dialog == nil {
		s.open()
		s.dialog.routes = way.Route
	} else {
		auth = nil
	}
	s.dialog.contact = way.Link.ContactFor(s.r.ContactUser, way.Peer)
	req := s.dialog.request(sip.SUBSCRIBE)
	stack.AddHeaders(req, "Event", s.r.Event, "Accept", s.r.Accept, "Expires", seconds(expires), "Allow", s.ua.stack.Allow())
	s.pending = req
	s.ua.working.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), subscribeTime)
		defer cancel()
		res, err := s.ua.Request(ctx, req, way.Link, way.Peer, auth)
		select {
		case s.answers <- answered{req, res, err}:
		case <-s.done:
		}
	})
	return true
}

// open makes the dialog of a new subscription; NOTIFYs find it before the SUBSCRIBE is answered (RFC 6665 §4.1.2.4).
func (s *Subscription) open() {
	d := &dialog{callID: sip.GenerateTagN(24), localTag: sip.GenerateTagN(16), target: s.r.Target}
	d.local = &sip.FromHeader{DisplayName: quotable(s.r.From.Display), Address: s.r.From.uri(), Params: sip.NewParams()}
	d.local.Params.Add("tag", d.localTag)
	d.remote = &sip.ToHeader{Address: *s.r.Target.Clone(), Params: sip.NewParams()}
	s.dialog, s.began = d, time.Now()
	s.ua.mu.Lock()
	s.ua.watchers[d.name()] = s
	s.ua.mu.Unlock()
}

// answered takes what came of our SUBSCRIBE. False: it is refused for good.
func (s *Subscription) answered(a answered) bool {
	s.pending = nil
	if a.err != nil {
		return s.again(0)
	}
	s.dialog.seq = max(s.dialog.seq, a.req.CSeq().SeqNo)
	res, tag := a.res, stack.Tag(a.res.To().Params)
	switch {
	case res.IsSuccess():
		if s.dialog.remoteTag == "" {
			s.dialog.established(res)
		} else if tag == s.dialog.remoteTag {
			s.dialog.refresh(res.Contact())
		}
		s.failures = 0
		granted := duration(stack.Header(res, "Expires"))
		s.refreshIn(cmp.Or(granted, s.r.Expires))
	case res.StatusCode == 423 && s.dialog.remoteTag == "" && duration(stack.Header(res, "Min-Expires")) > s.r.Expires:
		s.r.Expires = duration(stack.Header(res, "Min-Expires"))
		s.forget()
		s.after(0)
	case s.dialog.remoteTag != "" && (res.StatusCode == 481 || res.StatusCode == 401 || res.StatusCode == 407 || res.StatusCode == 404):
		return s.again(hasty) // the server forgot us, or wants a proof: begin anew
	case final(res.StatusCode):
		s.ua.log.Debug("subscription refused", "event", s.r.Event, "code", res.StatusCode)
		s.lose(true)
		return false
	default:
		return s.again(duration(stack.Header(res, "Retry-After")))
	}
	return true
}

// final: asking again brings nothing (the event is unknown there, or not for us).
func final(code int) bool {
	switch code {
	case 400, 401, 403, 404, 405, 406, 407, 415, 416, 420, 481, 484, 485, 488, 489, 501, 603, 604, 606:
		return true
	}
	return false
}

// refreshIn asks again a little before the time is over.
func (s *Subscription) refreshIn(d time.Duration) {
	s.after(max(d*9/10-time.Duration(rand.N(int64(d/20+1))), hasty))
}

// again begins anew after a pause; 0 is the back-off's. What hardly lived counts as a failure, so that nobody can make us
// hurry in circles.
func (s *Subscription) again(pause time.Duration) bool {
	if s.dialog != nil && time.Since(s.began) < 10*time.Second {
		s.failures++
	}
	s.lose(false)
	if pause == 0 || s.failures > 3 {
		back := min(subscribeBase<<min(s.failures, 10), subscribeMax)
		pause = max(pause, time.Duration((0.5+rand.Float64()/2)*float64(back)))
	}
	s.after(min(pause, subscribeMax))
	return true
}

func (s *Subscription) lose(final bool) {
	s.forget()
	s.r.Tell(Notice{Lost: true, Final: final})
}

// notified takes a NOTIFY of our dialog (RFC 6665 §4.1.3). False: it ended the subscription for good.
func (s *Subscription) notified(in *stack.Inbound) bool {
	if code, reason := s.refusal(in); code != 0 {
		_ = in.Answer(code, reason)
		return true
	}
	d := s.dialog
	d.heard = in.Req.CSeq().SeqNo
	if d.remoteTag == "" { // it overtook the answer to our SUBSCRIBE
		d.remoteTag = stack.Tag(in.Req.From().Params)
		d.remote = &sip.ToHeader{Address: d.remote.Address, Params: in.Req.From().Params.Clone()}
		d.routes = stack.Headers(in.Req, "Record-Route")
	}
	d.refresh(in.Req.Contact())
	_ = in.Answer(200, "OK")
	if body := in.Req.Body(); len(body) > 0 {
		s.r.Tell(Notice{Body: body})
	}
	state, params := stack.Params(stack.Header(in.Req, "Subscription-State"))
	if !strings.EqualFold(state, "terminated") {
		if left := duration(params["expires"]); left > 0 && s.pending == nil {
			s.refreshIn(left)
		}
		return true
	}
	switch strings.ToLower(params["reason"]) {
	case "rejected", "noresource", "invariant":
		s.lose(true)
		return false
	case "deactivated", "timeout":
		return s.again(hasty)
	}
	return s.again(duration(params["retry-after"]))
}

// refusal is what is wrong with a NOTIFY, 0 for nothing.
func (s *Subscription) refusal(in *stack.Inbound) (code int, reason string) {
	event, _ := stack.Params(stack.Header(in.Req, "Event"))
	kind, _ := stack.Params(stack.Header(in.Req, "Content-Type"))
	d := s.dialog
	switch {
	case d == nil || name{in.Req.CallID().Value(), stack.Tag(in.Req.To().Params)} != d.name(),
		d.remoteTag != "" && stack.Tag(in.Req.From().Params) != d.remoteTag:
		return 481, "Subscription Does Not Exist"
	case !strings.EqualFold(event, s.r.Event):
		return 489, "Bad Event"
	case d.heard != 0 && in.Req.CSeq().SeqNo <= d.heard:
		return 500, "Server Internal Error"
	case len(in.Req.Body()) > noticeMax:
		return 413, "Request Entity Too Large"
	case len(in.Req.Body()) > 0 && !strings.EqualFold(kind, s.r.Accept):
		return 415, "Unsupported Media Type"
	}
	return 0, ""
}

// unsubscribe says goodbye and answers the last NOTIFY, two seconds at most.
func (s *Subscription) unsubscribe() {
	if s.dialog == nil || s.dialog.remoteTag == "" || !s.subscribe(0) {
		return
	}
	mine := s.pending
	limit := time.NewTimer(partTime)
	defer limit.Stop()
	for {
		select {
		case a := <-s.answers:
			if a.req == mine && (a.err != nil || !a.res.IsSuccess()) {
				return
			}
		case <-s.in.wake:
			for _, in := range s.in.take() {
				_ = in.Answer(200, "OK")
				if state, _ := stack.Params(stack.Header(in.Req, "Subscription-State")); strings.EqualFold(state, "terminated") {
					return
				}
			}
		case <-limit.C:
			return
		}
	}
}

// duration reads whole seconds, 0 for none.
func duration(text string) time.Duration {
	digits, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	digits, _ = stack.Params(digits)
	n, err := strconv.Atoi(digits)
	if err != nil || n <= 0 || n > 1<<22 {
		return 0
	}
	return time.Duration(n) * time.Second
}
