// Package sip is the phone: one line at one server, calls on it. It carries session descriptions as strings and knows
// nothing of what is in them.
package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

const (
	ringingMax  = 3                      // calls that may ring at once; further ones hear busy
	ringTime    = 3 * time.Minute        // how long a call may ring without a new word
	catchUpTime = 500 * time.Millisecond // how long a call waits for what came before it to be told
)

// Config is what a phone needs before its first line.
type Config struct {
	UserAgent string
	Log       *slog.Logger
	DNS       []string // servers to ask, host:port; empty: the system's
	// Tell hears the events, one at a time, each call's in order; what came before an Incoming is told before it. It must not
	// block long.
	Tell func(Event)
	// Reoffer answers a new offer of the far side within a call (hold, move); "" asks for our offer. An error refuses it with
	// 488 and everything stays as it was.
	Reoffer func(call, sdp string) (answer string, err error)
}

// Phone is one SIP user agent. Its methods may be called from every goroutine.
type Phone struct {
	cfg     Config
	log     *slog.Logger
	stack   *stack.Stack
	ua      *dialog.UA
	servers servers // the only ones we listen to
	names   *stack.Resolver
	traces  traces
	lines   chan *line    // to Run, which keeps them
	ended   chan struct{} // closed when Run ends: it keeps no more

	telling sync.Mutex

	mu    sync.Mutex
	line  *line
	calls map[string]*dialog.Call
	rings map[string]bool

	asked      map[string]dialog.ReferTo // REFERs that wait for Follow or RefuseTransfer, by call
	replacing  map[string]string         // incoming calls and the call that each would replace
	superseded map[string]bool           // calls that were replaced and are on their way out
	timelines  []timeline                // oldest first
	watched    watched
}

// New makes a phone; it opens nothing.
func New(cfg Config) *Phone {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(Event) {}
	}
	p := &Phone{
		cfg: cfg, log: cfg.Log, lines: make(chan *line), ended: make(chan struct{}), names: stack.NewResolver(cfg.DNS...), calls: map[string]*dialog.Call{}, rings: map[string]bool{},
		asked: map[string]dialog.ReferTo{}, replacing: map[string]string{}, superseded: map[string]bool{},
	}
	p.stack = stack.New(stack.Config{Log: cfg.Log, Server: cfg.UserAgent, Allow: methods(), Admit: p.servers.heard, Traced: p.traces.keep})
	p.ua = dialog.New(dialog.Config{Stack: p.stack, Log: cfg.Log, OnCall: p.rung, OnRequest: p.outside, Ring: ringTime})
	return p
}

// methods are those we know.
func methods() []string {
	return []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY"}
}

// Run keeps the line registered and the calls alive, once; it blocks until the context ends. It hangs up what is left, but
// unregisters nothing by itself.
func (p *Phone) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { _ = p.ua.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			close(p.ended)
			running.Wait()
			return nil
		case l := <-p.lines:
			running.Go(func() { l.keep(ctx) })
		}
	}
}

func (p *Phone) tell(e Event) {
	defer p.lineTold(e)
	p.telling.Lock()
	defer p.telling.Unlock()
	p.cfg.Tell(e)
}

// tellLast forgets a call and tells how it ended; nothing is told between the two.
func (p *Phone) tellLast(call string, last func(superseded bool) Event) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.cfg.Tell(last(p.forget(call)))
}

// LocalAddr is our address as the route to the server gives it: media puts it into its SDP. It is not valid without a line.
func (p *Phone) LocalAddr() netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return netip.Addr{}
	}
	return p.line.local()
}

// Secure says that nobody between us and our server can read the signalling: TLS or WSS. SDES keys may stand in an SDP then.
func (p *Phone) Secure() bool {
	l, err := p.registered()
	return err == nil && l.way().Secure()
}

func (p *Phone) registered() (*line, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return nil, ErrNoLine
	}
	return p.line, nil
}

// Dial calls a number, user@host or a SIP URI; call is the name its events will have. Headers are names and values by turns. It returns
// when the INVITE is out.
func (p *Phone) Dial(ctx context.Context, call, number, sdp string, headers ...string) error {
	l, err := p.registered()
	if err != nil {
		return err
	}
	target, err := dialable(number, l.account.Domain)
	if err != nil {
		return err
	}
	if err := p.invite(ctx, l, outgoing{name: call, target: target, sdp: sdp, headers: headers}); err != nil {
		return fmt.Errorf("dial: %w", refused(err))
	}
	return nil
}

// outgoing is a call of ours: dialled, or one that somebody sends us to.
type outgoing struct {
	name, sdp string
	target    sipgo.Uri
	replaces  string
	headers   []string
	watch     func(dialog.Event) // hears every event, after we have told it
}

func (p *Phone) invite(ctx context.Context, l *line, o outgoing) error {
	link := l.way()
	kept := make(chan struct{}) // no event before the call can be found by its name
	defer close(kept)
	c, err := p.ua.Invite(ctx, dialog.InviteRequest{
		Target: o.target, Network: link.Network(), Destination: l.peer(), Link: link, Auth: l.auth, SDP: o.sdp,
		From:        dialog.Party{Display: l.account.Display, User: cmp.Or(l.account.From, l.account.User), Host: l.account.Domain},
		ContactUser: l.account.User, Route: l.routes(), Session: l.account.Session, Replaces: o.replaces, Headers: o.headers,
		Tell: func(e dialog.Event) {
			<-kept
			p.heard(o.name, e)
			if o.watch != nil {
				o.watch(e)
			}
		},
	})
	if err != nil {
		return err
	}
	p.log.Info("call out", "call", o.name, "peer", stack.Mask(stack.UnescapeUser(o.target.User)))
	p.keep(o.name, c)
	return nil
}

func (p *Phone) keep(name string, c *dialog.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[name] = c
	p.timelines = append(p.timelines, timeline{name, c.CallID()})
	if extra := len(p.timelines) - tracedCalls; extra > 0 {
		p.timelines = append([]timeline(nil), p.timelines[extra:]...)
	}
}

// catchUp waits for the calls there are: who was cancelled is not busy any more when the next one rings.
func (p *Phone) catchUp() {
	p.mu.Lock()
	before := slices.Collect(maps.Values(p.calls))
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), catchUpTime)
	defer cancel()
	for _, c := range before {
		c.CatchUp(ctx)
	}
}

// rung is an INVITE of our server.
func (p *Phone) rung(c *dialog.Call) func(dialog.Event) {
	p.catchUp()
	id := c.ID()
	replaces, code := p.replaced(c)
	p.mu.Lock()
	if code == 0 && replaces == "" && len(p.rings) >= ringingMax {
		code = 486
	}
	if code == 0 {
		p.rings[id] = true
	}
	if replaces != "" && code == 0 {
		p.replacing[id] = replaces
	}
	p.mu.Unlock()
	if code != 0 {
		_ = c.Reject(code, "")
		return func(dialog.Event) {}
	}
	p.keep(id, c)
	from := c.Remote()
	p.log.Info("call in", "call", id, "peer", stack.Mask(from.User))
	p.tell(Incoming{Call: id, User: from.User, Host: from.Host, Display: from.Display, SDP: c.Offer(), Header: c.Header, Replaces: replaces})
	return func(e dialog.Event) { p.heard(id, e) }
}

// heard translates what happened to a call.
func (p *Phone) heard(call string, event dialog.Event) {
	switch e := event.(type) {
	case dialog.Progress:
		p.tell(Progress{Call: call, Code: e.Code, SDP: e.SDP})
	case dialog.Quiet:
		p.tell(Quiet{Call: call})
	case dialog.Answered:
		p.tell(Answered{Call: call, SDP: e.SDP})
	case dialog.Acked:
		p.tell(Answered{Call: call, SDP: e.SDP})
	case dialog.Reoffered:
		p.reoffered(call, e)
	case dialog.Updated:
		p.identified(call, e.Header)
	case dialog.Referred:
		p.askedToTransfer(call, e)
	case dialog.Info:
		if digit := digitOf(e.ContentType, e.Body); digit != "" {
			p.tell(DigitInfo{Call: call, Digit: digit})
		}
	case dialog.Failed:
		p.tellLast(call, func(superseded bool) Event {
			return Failed{Call: call, Code: e.Code, Reason: e.Reason, Cause: e.Cause, Replaced: superseded, RetryAfter: retryAfter(e)}
		})
	case dialog.Ended:
		p.tellLast(call, func(superseded bool) Event {
			return Ended{Call: call, ByPeer: e.ByPeer, Code: e.Code, Reason: e.Reason, Elsewhere: e.Elsewhere, Cause: e.Cause, Replaced: superseded}
		})
	}
}

func retryAfter(e dialog.Failed) time.Duration {
	if e.Response == nil {
		return 0
	}
	d, _ := seconds(stack.Header(e.Response, "Retry-After"))
	return d
}

func (p *Phone) reoffered(call string, e dialog.Reoffered) {
	c, err := p.call(call)
	if err != nil {
		return
	}
	if p.cfg.Reoffer == nil {
		_ = c.RejectReoffer(488)
		return
	}
	answer, err := p.cfg.Reoffer(call, e.SDP)
	if err != nil {
		p.log.Info("offer refused", "call", call, "err", err)
		_ = c.RejectReoffer(488)
		return
	}
	if c.AnswerReoffer(answer) == nil {
		p.identified(call, e.Header)
	}
}

// identified tells who the far side is now, when our server says so: it is the only one we hear, and must know (RFC 3325 §8,
// RFC 5876 §3).
func (p *Phone) identified(call string, header func(string) string) {
	if who, ok := dialog.ParseParty(header("P-Asserted-Identity")); ok {
		p.tell(Identity{Call: call, User: who.User, Host: who.Host, Display: who.Display, Header: header})
	}
}

// forget is true for a call that another one replaced.
func (p *Phone) forget(call string) (superseded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	superseded = p.superseded[call]
	delete(p.calls, call)
	delete(p.rings, call)
	delete(p.asked, call)
	delete(p.replacing, call)
	delete(p.superseded, call)
	return superseded
}

func (p *Phone) call(id string) (*dialog.Call, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.calls[id]; c != nil {
		return c, nil
	}
	return nil, ErrNoCall
}

func (p *Phone) stopRinging(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.rings, call)
}

// Ring tells the caller that we ring (180).
func (p *Phone) Ring(call string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	return refused(c.Ring(180, ""))
}

// Answer takes the call and returns when the caller acknowledged it; without that, after 32 seconds, the call is ended. A
// call that it replaces is hung up then.
func (p *Phone) Answer(ctx context.Context, call, sdp string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	p.stopRinging(call)
	if err := c.Answer(ctx, sdp); err != nil {
		return refused(err)
	}
	p.supersede(call)
	return nil
}

// Reject refuses an incoming call with a final code.
func (p *Phone) Reject(_ context.Context, call string, code int, reason string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	return refused(c.Reject(code, reason))
}

// Hangup ends a call in every state: CANCEL, BYE, or 603.
func (p *Phone) Hangup(ctx context.Context, call string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	return refused(c.Hangup(ctx))
}

// Reinvite offers a new session description and returns the answer.
func (p *Phone) Reinvite(ctx context.Context, call, sdp string) (string, error) {
	c, err := p.call(call)
	if err != nil {
		return "", err
	}
	answer, err := c.Reinvite(ctx, sdp)
	return answer, refused(err)
}

// refused turns the dialog's words into ours.
func refused(err error) error {
	var r *dialog.Refused
	if errors.As(err, &r) {
		return Refused{Code: r.Code, Reason: r.Reason}
	}
	return err
}
