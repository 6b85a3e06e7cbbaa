package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// line is one registration: the way to the server and the binding there. Register owns what is not guarded until its first
// answer, keep afterwards, and Unregister when keep has ended.
type line struct {
	phone     *Phone
	account   Account
	auth      *stack.Auth
	callID    string
	tag       string
	seq       uint32
	asked     time.Duration // raised by 423
	elsewhere string        // host:port that a 301 or 302 named

	target   stack.Target
	second   bool          // a better target failed when this one was chosen
	expires  time.Duration // granted
	at       time.Time     // when it was
	out      bool          // LineLost was told
	outSince time.Time

	before    *stack.Link // a way that we left, for what is under way there
	beforeEnd time.Time

	mu     sync.Mutex
	link   *stack.Link
	server netip.AddrPort // at the other end of link
	route  []string       // Service-Route of the registrar (RFC 3608)
	public string         // our contact as the server sees it; "" is our own address

	now  chan struct{} // Refresh says so
	stop chan struct{} // Unregister says so
	kept chan struct{} // keep has ended
}

// Register opens the way to the server and returns with its first answer; the line is kept registered while Run runs.
// A line that was there before is dropped without a word to its server. Wrong or missing fields and control characters
// are errors; what the server refuses is Refused.
func (p *Phone) Register(ctx context.Context, a Account) error {
	if err := a.check(); err != nil {
		return fmt.Errorf("register: %w", err)
	}
	l := &line{
		phone: p, account: a, asked: a.Expires, callID: sipgo.GenerateTagN(24), tag: sipgo.GenerateTagN(16),
		auth: &stack.Auth{User: a.AuthUser, Password: a.Password}, now: make(chan struct{}, 1), stop: make(chan struct{}), kept: make(chan struct{}),
	}
	targets, err := l.targets(ctx)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	p.drop()
	if err := l.attempt(ctx, targets, registerTime); err != nil {
		l.closeBefore()
		l.close()
		return fmt.Errorf("register: %w", refused(err))
	}
	p.mu.Lock()
	p.line = l
	p.mu.Unlock()
	p.log.Info("registered", "account", a.User, "peer", l.target.Addr, "network", l.target.Network, "expires", l.expires)
	p.tell(Registered{At: time.Now(), Expires: l.expires})
	select {
	case p.lines <- l:
		return nil
	case <-ctx.Done():
	case <-p.ended:
	}
	p.drop()
	l.closeBefore()
	return fmt.Errorf("register: %w", errors.Join(errNotRunning, ctx.Err()))
}

// way is the link to the server.
func (l *line) way() *stack.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.link
}

// peer is where requests outside dialogs go.
func (l *line) peer() netip.AddrPort {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.server
}

// routes are the Route values of requests outside dialogs (RFC 3608 §6.1), none most of the time.
func (l *line) routes() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.route
}

func (l *line) local() netip.Addr { return l.way().LocalFor(l.peer()).Addr() }

// close ends the way there; before is closed by keep, which owns it.
func (l *line) close() {
	if link := l.way(); link != nil {
		_ = link.Close()
	}
}

func (l *line) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

// Refresh registers anew at once, over the way there is: for a server that may have forgotten us. Without a line it does nothing.
func (p *Phone) Refresh() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.line == nil {
		return
	}
	select {
	case p.line.now <- struct{}{}:
	default: // asked already
	}
}

// Unregister takes our own contact off the server and closes the way there.
func (p *Phone) Unregister(ctx context.Context) error {
	p.unwatch(ctx)
	l := p.take()
	if l == nil {
		return ErrNoLine
	}
	close(l.stop)
	select {
	case <-l.kept:
	case <-p.ended: // perhaps nobody ever kept it
		l.close()
		return fmt.Errorf("unregister: %w", errNotRunning)
	case <-ctx.Done():
		l.close()
		return ctx.Err()
	}
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, registerTime)
	defer cancel()
	if err := l.register(ctx, 0); err != nil {
		return fmt.Errorf("unregister: %w", refused(err))
	}
	p.log.Info("unregistered", "account", l.account.User)
	return nil
}

func (p *Phone) take() *line {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.line
	p.line = nil
	return l
}

// drop leaves a line without telling its server.
func (p *Phone) drop() {
	if l := p.take(); l != nil {
		close(l.stop)
		l.close()
	}
}
