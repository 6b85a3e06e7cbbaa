package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

const (
	registerTime = 8 * time.Second  // for one REGISTER, its challenges included
	lookTime     = 5 * time.Second  // between looks whether our address is still ours
	pingTime     = 25 * time.Second // keeps NATs open over UDP
	retryBase    = 2 * time.Second
	retryMax     = time.Minute
)

// line is one registration: the way to the server and the binding there. keep owns it after the first answer.
type line struct {
	phone   *Phone
	account Account
	auth    *stack.Auth
	callID  string
	tag     string
	seq     uint32
	asked   time.Duration // raised by 423

	expires time.Duration // granted
	out     bool          // LineLost was told

	mu     sync.Mutex
	link   *stack.Link
	server netip.AddrPort // at the other end of link
	route  []string       // Service-Route of the registrar (RFC 3608)

	now  chan struct{} // Refresh says so
	stop chan struct{} // Unregister says so
	kept chan struct{} // keep has ended
}

// Register opens the way to the server and returns with its first answer; the line is kept registered while Run runs.
// A line that was there before is dropped without a word to its server. Wrong or missing fields and control characters
// are errors; what the server refuses is Refused.
func (p *Phone) Register(ctx context.Context, a Account) error {
	l, err := p.newLine(ctx, a)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	p.drop()
	expires, err := l.register(ctx, l.asked)
	if err != nil {
		l.close()
		return fmt.Errorf("register: %w", refused(err))
	}
	l.expires = expires
	p.mu.Lock()
	p.line = l
	p.mu.Unlock()
	p.log.Info("registered", "account", a.User, "peer", a.Server, "expires", expires)
	p.tell(Registered{At: time.Now(), Expires: expires})
	select {
	case p.lines <- l:
		return nil
	case <-ctx.Done():
		p.drop()
		return fmt.Errorf("register: phone is not running: %w", ctx.Err())
	}
}

func (p *Phone) newLine(ctx context.Context, a Account) (*line, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	at, err := resolve(ctx, a.Server)
	if err != nil {
		return nil, err
	}
	l := &line{
		phone: p, account: a, server: at, asked: a.Expires, callID: sipgo.GenerateTagN(24), tag: sipgo.GenerateTagN(16),
		auth: &stack.Auth{User: a.AuthUser, Password: a.Password}, now: make(chan struct{}, 1), stop: make(chan struct{}), kept: make(chan struct{}),
	}
	p.servers.admit(at.Addr())
	return l, l.open(ctx)
}

// open makes the way to the server: a socket on the address that the route gives, or a connection.
func (l *line) open(ctx context.Context) error {
	var link *stack.Link
	var err error
	if strings.EqualFold(l.account.Transport, "tcp") {
		link, err = l.phone.stack.DialTCP(ctx, l.peer().String())
	} else {
		var local netip.Addr
		if local, err = stack.LocalAddr(l.peer()); err == nil {
			link, err = l.phone.stack.ListenUDP(netip.AddrPortFrom(local, 0).String())
		}
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.link
	l.link = link
	l.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	return nil
}

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

func (l *line) close() { _ = l.way().Close() }

// register sends one REGISTER, with its challenges, and returns how long the registrar keeps us. 0 asks it to forget our own
// contact, never all (RFC 3261 §10.2.2).
func (l *line) register(ctx context.Context, expires time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, registerTime)
	defer cancel()
	for try := 0; ; try++ {
		req := l.request(expires)
		res, err := l.phone.ua.Request(ctx, req, l.way(), l.peer(), l.auth)
		l.seq = req.CSeq().SeqNo
		switch {
		case err != nil:
			return 0, err
		case res.StatusCode == 423 && try == 0: // RFC 3261 §10.2.8
			seconds, err := strconv.Atoi(strings.TrimSpace(stack.Header(res, "Min-Expires")))
			if err != nil || seconds <= 0 || seconds > 86400 {
				return 0, Refused{Code: 423, Reason: res.Reason}
			}
			l.asked = time.Duration(seconds) * time.Second
			expires = l.asked
		case res.StatusCode >= 300:
			return 0, Refused{Code: res.StatusCode, Reason: res.Reason}
		default:
			if l.auth.Realm == "" {
				l.auth.Realm = l.account.Domain // a registrar that asks nothing may have a proxy that does
			}
			return l.granted(res, expires), nil
		}
	}
}

func (l *line) request(expires time.Duration) *sipgo.Request {
	a := l.account
	address := sipgo.Uri{Scheme: "sip", User: stack.EscapeUser(a.User), Host: a.Domain}
	req := sipgo.NewRequest(sipgo.REGISTER, sipgo.Uri{Scheme: "sip", Host: a.Domain})
	from := &sipgo.FromHeader{DisplayName: a.Display, Address: address, Params: sipgo.NewParams()}
	from.Params.Add("tag", l.tag)
	req.AppendHeader(from)
	req.AppendHeader(&sipgo.ToHeader{DisplayName: a.Display, Address: address, Params: sipgo.NewParams()})
	id := sipgo.CallIDHeader(l.callID)
	req.AppendHeader(&id)
	l.seq++
	req.AppendHeader(&sipgo.CSeqHeader{SeqNo: l.seq, MethodName: sipgo.REGISTER})
	contact := l.contact()
	supported := "path"
	if a.Instance != "" {
		contact += `;+sip.instance="<urn:uuid:` + a.Instance + `>"`
		if l.way().Network() == "tcp" {
			contact, supported = contact+";reg-id=1", "path, outbound" // RFC 5626 §4.2.1: our flow is the way to us
		}
	}
	seconds := strconv.Itoa(int(expires / time.Second))
	stack.AddHeaders(req, "Contact", contact, "Expires", seconds, "Supported", supported, "Allow", l.phone.stack.Allow())
	return req
}

func (l *line) contact() string {
	link := l.way()
	uri := "sip:" + stack.EscapeUser(l.account.User) + "@" + link.LocalFor(l.peer()).String()
	if link.Network() == "tcp" {
		uri += ";transport=tcp"
	}
	return "<" + uri + ">"
}

// granted is the time of our own binding in the answer, which lists all of them (RFC 3261 §10.3).
func (l *line) granted(res *sipgo.Response, asked time.Duration) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(stack.Header(res, "Expires"))); err == nil && seconds > 0 {
		asked = time.Duration(seconds) * time.Second
	}
	for _, header := range stack.Headers(res, "Contact") {
		for _, value := range stack.Values(header) {
			head, params := stack.Params(value)
			if !strings.Contains(head, "@"+l.way().LocalFor(l.peer()).String()) {
				continue
			}
			if seconds, err := strconv.Atoi(params["expires"]); err == nil && seconds > 0 {
				return time.Duration(seconds) * time.Second
			}
		}
	}
	return asked
}

// keep renews the line after two thirds of its time, at once when the way is lost or our address changed, and with growing
// pauses when the server does not answer.
func (l *line) keep(ctx context.Context) {
	defer close(l.kept)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-l.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	look := time.NewTicker(lookTime)
	defer look.Stop()
	ping := time.NewTicker(pingTime)
	defer ping.Stop()
	renew := time.NewTimer(l.expires * 2 / 3)
	defer renew.Stop()
	lost, failures := l.way().Done(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ping.C:
			if link := l.way(); link.Network() == "udp" {
				_ = link.Ping(l.peer())
			}
			continue
		case <-look.C:
			if !l.moved() {
				continue
			}
			l.lost()
		case <-lost:
			if ctx.Err() != nil || l.stopped() {
				return
			}
			l.lost()
		case <-l.now:
		case <-renew.C:
		}
		wait, again := l.renew(ctx, &failures)
		if !again {
			return
		}
		lost = l.way().Done()
		if l.way().Err() != nil {
			lost = nil // the next try opens it
		}
		renew.Reset(wait)
	}
}

// moved: the route to the server gives us another address than the one we registered (a network that changed, a laptop
// that woke elsewhere).
func (l *line) moved() bool {
	now, err := stack.LocalAddr(l.peer())
	link := l.way()
	return err == nil && link.Err() == nil && now != link.LocalFor(l.peer()).Addr()
}

func (l *line) lost() {
	if !l.out {
		l.out = true
		l.phone.log.Warn("line lost", "account", l.account.User, "peer", l.account.Server)
		l.phone.tell(LineLost{})
	}
}

// renew registers again and says when to do so next; false: never.
func (l *line) renew(ctx context.Context, failures *int) (time.Duration, bool) {
	var err error
	if l.way().Err() != nil || l.moved() {
		err = l.open(ctx)
	}
	var expires time.Duration
	if err == nil {
		expires, err = l.register(ctx, l.asked)
	}
	if err == nil {
		*failures, l.out = 0, false
		l.phone.tell(Registered{At: time.Now(), Expires: expires})
		return expires * 2 / 3, true
	}
	if ctx.Err() != nil || l.stopped() {
		return 0, false
	}
	failed := RegisterFailed{Reason: "no answer"}
	var refusal Refused
	if errors.As(err, &refusal) {
		failed.Code, failed.Reason = refusal.Code, refusal.Reason
		failed.Fatal = refusal.Code == 401 || refusal.Code == 403 || refusal.Code == 404 || refusal.Code == 407
	}
	l.phone.log.Warn("not registered", "account", l.account.User, "peer", l.account.Server, "err", err)
	l.lost()
	l.phone.tell(failed)
	*failures++
	wait := min(retryBase<<min(*failures-1, 10), retryMax)
	return time.Duration((0.5 + rand.Float64()/2) * float64(wait)), !failed.Fatal
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
	l := p.take()
	if l == nil {
		return ErrNoLine
	}
	close(l.stop)
	select {
	case <-l.kept:
	case <-ctx.Done():
		l.close()
		return ctx.Err()
	}
	defer l.close()
	if _, err := l.register(ctx, 0); err != nil {
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
