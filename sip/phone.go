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
	"strings"
	"sync"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// ringingMax is how many calls may ring at once; further ones hear busy.
const ringingMax = 4

// Config is what a phone needs before its first line.
type Config struct {
	UserAgent string
	Log       *slog.Logger
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
	traces  traces
	lines   chan *line // to Run, which keeps them

	telling sync.Mutex

	mu    sync.Mutex
	line  *line
	calls map[string]*dialog.Call
	rings map[string]bool
}

// New makes a phone; it opens nothing.
func New(cfg Config) *Phone {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(Event) {}
	}
	p := &Phone{cfg: cfg, log: cfg.Log, lines: make(chan *line), calls: map[string]*dialog.Call{}, rings: map[string]bool{}}
	p.stack = stack.New(stack.Config{Log: cfg.Log, Server: cfg.UserAgent, Admit: p.servers.heard, Traced: p.traces.keep})
	p.ua = dialog.New(dialog.Config{Stack: p.stack, Log: cfg.Log, OnCall: p.rung})
	return p
}

// Run keeps the line registered and the calls alive; it blocks until the context ends. It hangs up what is left, but
// unregisters nothing by itself.
func (p *Phone) Run(ctx context.Context) error {
	var running sync.WaitGroup
	running.Go(func() { _ = p.ua.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			running.Wait()
			return nil
		case l := <-p.lines:
			running.Go(func() { l.keep(ctx) })
		}
	}
}

func (p *Phone) tell(e Event) {
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

// Dial calls a number; call is the name its events will have. It returns when the INVITE is out.
func (p *Phone) Dial(ctx context.Context, call, number, sdp string) error {
	user, err := dialable(number)
	if err != nil {
		return err
	}
	p.mu.Lock()
	l := p.line
	p.mu.Unlock()
	if l == nil {
		return ErrNoLine
	}
	link := l.way()
	kept := make(chan struct{}) // no event before the call can be found by its name
	defer close(kept)
	c, err := p.ua.Invite(ctx, dialog.InviteRequest{
		Target:  sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(user), Host: l.account.Domain},
		Network: link.Network(), Destination: l.peer(), Link: link, Auth: l.auth, SDP: sdp,
		From:        dialog.Party{Display: l.account.Display, User: stack.EscapeUser(cmp.Or(l.account.From, l.account.User)), Host: l.account.Domain},
		ContactUser: l.account.User,
		Tell:        func(e dialog.Event) { p.heard(call, e) },
	})
	if err != nil {
		return fmt.Errorf("dial: %w", refused(err))
	}
	p.log.Info("call out", "call", call, "peer", stack.Mask(user))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[call] = c
	return nil
}

// dialable takes the visual separators out of a number (RFC 3966 §5.1.1) and refuses what is none.
func dialable(number string) (string, error) {
	number = strings.TrimSpace(number)
	if number != "" && strings.ContainsRune("+0123456789*#", rune(number[0])) {
		number = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "").Replace(number)
	}
	if number == "" || len(number) > 64 || !stack.Clean(number) || strings.ContainsAny(number, " <>\"@;?:/\\") {
		return "", ErrNumber
	}
	return number, nil
}

// rung is an INVITE of our server.
func (p *Phone) rung(c *dialog.Call) func(dialog.Event) {
	id := c.ID()
	p.mu.Lock()
	full := len(p.rings) >= ringingMax
	if !full {
		p.rings[id] = true
		p.calls[id] = c
	}
	p.mu.Unlock()
	if full {
		_ = c.Reject(486, "Busy Here")
		return func(dialog.Event) {}
	}
	from := c.Remote()
	p.log.Info("call in", "call", id, "peer", stack.Mask(from.User))
	p.tell(Incoming{Call: id, User: from.User, Host: from.Host, Display: from.Display, SDP: c.Offer(), Header: c.Header})
	return func(e dialog.Event) { p.heard(id, e) }
}

// heard translates what happened to a call.
func (p *Phone) heard(call string, event dialog.Event) {
	switch e := event.(type) {
	case dialog.Progress:
		p.tell(Progress{Call: call, Code: e.Code, SDP: e.SDP})
	case dialog.Answered:
		p.tell(Answered{Call: call, SDP: e.SDP})
	case dialog.Acked:
		p.tell(Answered{Call: call, SDP: e.SDP})
	case dialog.Reoffered:
		p.reoffered(call, e.SDP)
	case dialog.Failed:
		p.forget(call)
		p.tell(Failed{Call: call, Code: e.Code, Reason: e.Reason})
	case dialog.Ended:
		p.forget(call)
		p.tell(Ended{Call: call, ByPeer: e.ByPeer, Code: e.Code, Reason: e.Reason, Elsewhere: e.Elsewhere})
	}
}

func (p *Phone) reoffered(call, sdp string) {
	c, err := p.call(call)
	if err != nil {
		return
	}
	if p.cfg.Reoffer == nil {
		_ = c.RejectReoffer(488)
		return
	}
	answer, err := p.cfg.Reoffer(call, sdp)
	if err != nil {
		p.log.Info("offer refused", "call", call, "err", err)
		_ = c.RejectReoffer(488)
		return
	}
	_ = c.AnswerReoffer(answer)
}

func (p *Phone) forget(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, call)
	delete(p.rings, call)
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

// Answer takes the call and returns when the caller acknowledged it; without that, after 32 seconds, the call is ended.
func (p *Phone) Answer(ctx context.Context, call, sdp string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	p.stopRinging(call)
	return refused(c.Answer(ctx, sdp))
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
