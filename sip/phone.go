// Package sip is the phone: one line at one server, calls on it. It carries session descriptions as strings and knows
// nothing of what is in them.
package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// ringingMax is how many calls may ring at once; further ones hear busy.
const ringingMax = 3

// ringTime is how long a call may ring without a new word.
const ringTime = 3 * time.Minute

// Config is what a phone needs before its first line.
type Config struct {
	UserAgent string
	Log       *slog.Logger
	DNS       []string // servers to ask, host:port; empty: the system's
	// Tell hears the events, one at a time, in order. It must not block long.
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

// Dial calls a number, user@host or a SIP URI; call is the name its events will have. It returns when the INVITE is out.
func (p *Phone) Dial(ctx context.Context, call, number, sdp string) error {
	l, err := p.registered()
	if err != nil {
		return err
	}
	target, err := dialable(number, l.account.Domain)
	if err != nil {
		return err
	}
	if err := p.invite(ctx, l, outgoing{name: call, target: target, sdp: sdp}); err != nil {
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
	watch     func(dialog.Event) // hears every event first
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
			if o.watch != nil {
				o.watch(e)
			}
			p.heard(o.name, e)
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

// timeline says which Call-ID a call had.
type timeline struct{ call, id string }

// Trace is every SIP message of a call, also of one of the last fifty that ended; empty for others.
func (p *Phone) Trace(call string) []Message {
	p.mu.Lock()
	id := ""
	for _, t := range p.timelines {
		if t.call == call {
			id = t.id
		}
	}
	p.mu.Unlock()
	return p.traces.of(id)
}

// rung is an INVITE of our server.
func (p *Phone) rung(c *dialog.Call) func(dialog.Event) {
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
		superseded := p.forget(call)
		p.tell(Failed{Call: call, Code: e.Code, Reason: e.Reason, Cause: e.Cause, Replaced: superseded, RetryAfter: retryAfter(e)})
	case dialog.Ended:
		superseded := p.forget(call)
		p.tell(Ended{Call: call, ByPeer: e.ByPeer, Code: e.Code, Reason: e.Reason, Elsewhere: e.Elsewhere, Cause: e.Cause, Replaced: superseded})
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
