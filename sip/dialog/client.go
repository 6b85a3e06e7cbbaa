package dialog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// InviteRequest is an outgoing call.
type InviteRequest struct {
	Target      sip.Uri        // Request-URI
	Network     string         // "udp", "tcp"; "" is udp
	Destination netip.AddrPort // where the INVITE goes; the dialog's requests go there too (symmetric signalling)
	Link        *stack.Link    // over which; nil: Stack.Link chooses
	From, To    Party          // To empty: Target
	ContactUser string         // user part of our Contact; empty: From.User
	Replaces    string         // Replaces value: the new call takes that one's place (RFC 3891); "" none
	Headers     []string       // "Name", "value" pairs; unclean ones are refused
	Route       []string       // Route values of the INVITE, such as a Service-Route (RFC 3608); Destination is the first
	SDP         string         // offer; "" lets the far side offer, which Answered brings
	Patient     bool           // without SDP: the ACK waits for Acknowledge with our answer
	Session     time.Duration  // session timer to ask for (RFC 4028); 0: the user agent's
	Auth        *stack.Auth    // nil: challenges are failures
	Quiet       time.Duration  // until Quiet is told; 0: 16*T1
	CallID      string         // "" makes one
	Tell        func(Event)    // hears the events in order, one at a time; may block and may call the Call
}

func (r *InviteRequest) check() error {
	if !stack.Clean(r.Target.User) || !stack.Clean(r.Target.Host) || r.Target.Host == "" {
		return fmt.Errorf("target: %w", ErrUnclean)
	}
	for _, h := range slices.Concat([]string{r.Replaces}, r.Route, r.Headers) {
		if !stack.Clean(h) {
			return fmt.Errorf("header: %w", ErrUnclean)
		}
	}
	r.Target.User = stack.EscapeUser(stack.UnescapeUser(r.Target.User))
	if r.To == (Party{}) {
		r.To = Party{User: stack.UnescapeUser(r.Target.User), Host: r.Target.Host}
	}
	if r.CallID == "" {
		r.CallID = sip.GenerateTagN(24)
	}
	if r.ContactUser == "" {
		r.ContactUser = r.From.User
	}
	if !stack.Clean(r.CallID) {
		return fmt.Errorf("call-id: %w", ErrUnclean)
	}
	return errors.Join(r.From.clean(), r.To.clean())
}

// Invite sends the INVITE and returns; the rest are events. The context bounds only the sending.
func (ua *UA) Invite(ctx context.Context, r InviteRequest) (*Call, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	link := r.Link
	if link == nil {
		var err error
		if link, err = ua.stack.Link(ctx, r.Network, r.Destination); err != nil {
			return nil, fmt.Errorf("invite: %w", err)
		}
	}
	c := newCall(ua, false)
	c.path.Store(&path{link, r.Destination})
	c.remote, c.auth, c.sdp = r.To, r.Auth, r.SDP
	d := &dialog{callID: r.CallID, localTag: sip.GenerateTagN(16), target: r.Target, seq: 0}
	d.local = &sip.FromHeader{DisplayName: quotable(r.From.Display), Address: r.From.uri(), Params: sip.NewParams()}
	d.local.Params.Add("tag", d.localTag)
	d.remote = &sip.ToHeader{DisplayName: quotable(r.To.Display), Address: r.To.uri(), Params: sip.NewParams()}
	c.user = r.ContactUser
	d.contact = link.ContactFor(c.user, r.Destination)
	d.routes = r.Route
	c.dialog = d
	c.patient, c.session.asked = r.Patient && r.SDP == "", r.Session
	req := d.request(sip.INVITE)
	ua.offerHeaders(req)
	c.askTimer(req)
	if r.Replaces != "" {
		stack.AddHeaders(req, "Replaces", r.Replaces)
	}
	stack.AddHeaders(req, r.Headers...)
	withSDP(req, r.SDP)
	c.first = req.Clone()
	if err := ua.keep(c); err != nil {
		return nil, err
	}
	begun := make(chan error, 1)
	c.begin(func() func(Event) { return r.Tell }, func() {
		c.limitRinging()
		c.after(cmp.Or(r.Quiet, 16*sip.T1), func() {
			if c.phase == calling && !c.heard {
				c.tell(Quiet{})
			}
		})
		err := c.sendInvite(req)
		if err != nil {
			c.settled.Store(true) // Invite itself tells
			c.events.close()
			c.phase = over
		}
		begun <- err
	})
	if err := <-begun; err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	return c, nil
}

func (c *Call) sendInvite(req *sip.Request) error {
	c.provisional = false
	var out *stack.Outbound
	out, err := c.ua.stack.Send(req, c.Link(), c.Source(), func(res *sip.Response, err error) {
		if res != nil && res.IsSuccess() && c.late.repeat(c, stack.Tag(res.To().Params)) {
			return
		}
		posted := c.post(func() { c.heardInvite(out, res, err) })
		if !posted && res != nil && res.IsSuccess() { // the call is over: nobody may hang in an answered one
			c.dismiss(req, res)
		}
	})
	c.invite = out // before any answer is handled: they come through our own inbox
	return err
}

// heardInvite handles what comes back for our INVITE.
func (c *Call) heardInvite(out *stack.Outbound, res *sip.Response, err error) {
	if out != c.invite {
		return // an attempt that was challenged
	}
	switch {
	case err != nil:
		c.silence(err)
	case res.IsProvisional():
		c.heard = true
		c.progress(res)
	case res.IsSuccess():
		c.success(res)
	default:
		c.failure(res)
	}
}

// silence: the transaction ended without a final answer.
func (c *Call) silence(err error) {
	switch {
	case c.phase == cancelling:
		c.finish(Failed{Code: c.cancelCode(), Reason: "Request Terminated"})
	case c.phase != calling:
	case errors.Is(err, sip.ErrTransactionTimeout):
		c.finish(Failed{Code: 408, Reason: "Request Timeout"})
	default:
		c.finish(Failed{Code: 503, Reason: "Service Unavailable"})
	}
}

func (c *Call) success(res *sip.Response) {
	tag := stack.Tag(res.To().Params)
	if c.held != nil && c.dialog.remoteTag == tag || c.late.repeat(c, tag) {
		return // repeated: its ACK waits for our answer, or was on its way
	}
	if c.phase != calling && c.phase != cancelling || c.dialog.remoteTag != "" {
		c.dismiss(c.invite.Request(), res) // another branch of a fork answered too
		return
	}
	early := c.chosen(res)
	c.dialog.established(res)
	c.learn(res)
	c.stop(c.limit)
	c.held = nil
	if c.phase == cancelling { // the 200 crossed our CANCEL
		c.late.ack(c, c.dialog.ackFor(c.invite.Request()), tag)
		c.settle(Failed{Code: c.cancelCode(), Reason: "Request Terminated"})
		c.sendBye(nil, c.cancelWith)
		return
	}
	sdp := stack.SDP(res)
	offered := c.patient && sdp != "" && (early == nil || !early.answered)
	if offered {
		c.holdAnswer(func(answer string) { c.ackInvite(tag, answer) })
	} else {
		c.ackInvite(tag, "")
	}
	if sdp == "" && early != nil {
		sdp = early.sdp
	}
	c.phase = talking
	c.remote = c.answerer(res)
	c.agreed(res)
	c.tell(Answered{SDP: sdp, Offer: offered})
}

func (c *Call) ackInvite(tag, sdp string) {
	ack := c.dialog.ackFor(c.invite.Request())
	withSDP(ack, sdp)
	if sdp != "" {
		c.sdp = sdp
	}
	c.late.ack(c, ack, tag)
}

// cancelCode is what a call of ours failed with that we ended ourselves.
func (c *Call) cancelCode() int {
	if c.limited {
		return 408
	}
	return 487
}

// answerer keeps the name we dialled unless the answer brought a better one.
func (c *Call) answerer(res *sip.Response) Party {
	if c.remote.Display == "" && res.To().DisplayName != "" {
		p := party(res.To().DisplayName, res.To().Address)
		p.User, p.Host = c.remote.User, c.remote.Host
		return p
	}
	return c.remote
}

func (c *Call) failure(res *sip.Response) {
	if c.phase == cancelling {
		c.finish(Failed{Code: c.cancelCode(), Reason: "Request Terminated", Response: res})
		return
	}
	if c.phase != calling {
		return
	}
	c.heard, c.branches = true, map[string]*branch{}
	if c.tryAgain(res) {
		return
	}
	c.finish(Failed{Code: res.StatusCode, Reason: res.Reason, Response: res})
}

// tryAgain sends the INVITE once more as a refusal asks: with our credentials, or with a longer session timer.
func (c *Call) tryAgain(res *sip.Response) bool {
	next := again(c.invite.Request(), c.dialog.seq+1)
	switch {
	case (res.StatusCode == 401 || res.StatusCode == 407) && c.auth != nil && c.tries < 2 && c.auth.Authorize(next, res):
		c.tries++
	case c.raise(res):
		c.askTimer(next)
	default:
		return false
	}
	c.dialog.seq++
	return c.sendInvite(next) == nil
}

// Cancel ends our INVITE before it is answered; Failed with 487 follows, and an answer that crosses is hung up at once.
func (c *Call) Cancel(headers ...string) error {
	return c.do(func() error {
		if c.phase != calling {
			return ErrNotNow
		}
		c.phase, c.cancelWith = cancelling, headers
		if c.provisional {
			c.sendCancel()
		}
		return nil
	})
}

// sendCancel sends it once; RFC 3261 §9.1 gives the far side 64*T1 to answer the INVITE.
func (c *Call) sendCancel() {
	if c.late.cancelled {
		return
	}
	c.late.cancelled = true
	req := cancelFor(c.invite.Request())
	stack.AddHeaders(req, c.cancelWith...)
	if _, err := c.send(req, func(*sip.Response, error) {}); err != nil {
		c.finish(Failed{Code: c.cancelCode(), Reason: "Request Terminated"})
		return
	}
	c.after(64*sip.T1, func() {
		if c.phase == cancelling {
			c.finish(Failed{Code: c.cancelCode(), Reason: "Request Terminated"})
		}
	})
}

// dismiss acknowledges a 2xx that we do not want and hangs it up: a second branch of a fork, or an answer to a call that is
// over. It has a dialog of its own (RFC 3261 §13.2.2.4).
func (c *Call) dismiss(invite *sip.Request, res *sip.Response) {
	other := *c.dialog
	other.seq = invite.CSeq().SeqNo
	other.established(res)
	c.late.ack(c, other.ackFor(invite), other.remoteTag)
	link, err := c.way()
	if err == nil {
		_, err = c.ua.stack.Send(other.request(sip.BYE), link, c.Source(), func(*sip.Response, error) {})
	}
	if err != nil {
		c.ua.log.Warn("unwanted answer not hung up", "call", c.id, "err", err)
	}
}

// late remembers the ACKs we sent, by To-tag: a 2xx that is repeated gets its ACK again, also when the call is over.
type late struct {
	cancelled bool // only the owner

	mu   sync.Mutex
	acks map[string]*sip.Request
}

func (l *late) ack(c *Call, ack *sip.Request, tag string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acks == nil {
		l.acks = map[string]*sip.Request{}
	}
	l.acks[tag] = ack
	l.writeLocked(c, ack)
}

func (l *late) repeat(c *Call, tag string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	ack := l.acks[tag]
	if ack == nil {
		return false
	}
	l.writeLocked(c, ack)
	return true
}

func (l *late) writeLocked(c *Call, ack *sip.Request) {
	link, err := c.way()
	if err == nil {
		err = c.ua.stack.Write(ack, link, c.Source())
	}
	if err != nil {
		c.ua.log.Debug("ack not sent", "call", c.id, "err", err)
	}
}
