package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"zaseki/sip/stack"
)

const (
	registerTime = 8 * time.Second  // for one REGISTER, its challenges included
	nextTime     = 4 * time.Second  // when there is another server to try
	farMax       = 8                // targets tried in one go
	lingerTime   = 32 * time.Second // for what is under way on a link that we left
)

// targets are the places where our server may be reached, best first; we listen to all of them. While no call needs the way
// there is, a better one than ours is tried again when its penalty is over.
func (l *line) targets(ctx context.Context) ([]stack.Target, error) {
	server, _, err := l.account.at()
	if err != nil {
		return nil, err
	}
	if l.elsewhere != "" {
		server = l.elsewhere
	}
	found, err := l.phone.names.Resolve(ctx, server, l.account.Transport)
	if err != nil {
		if l.target == (stack.Target{}) {
			return nil, err
		}
		found = []stack.Target{l.target} // names that do not answer now did once
	}
	found = found[:min(len(found), farMax)]
	stay := slices.Index(found, l.target)
	back := l.second && len(l.phone.ua.Calls()) == 0 && !l.phone.names.Penalized(found[0])
	if stay > 0 && !back && !l.phone.names.Penalized(l.target) {
		found = slices.Insert(slices.Delete(found, stay, stay+1), 0, l.target)
	}
	var addrs []netip.Addr
	for _, t := range found {
		addrs = append(addrs, t.Addr.Addr())
	}
	if at := l.peer(); at.IsValid() {
		addrs = append(addrs, at.Addr()) // calls may still come from there
	}
	l.phone.servers.admit(addrs...)
	return found, nil
}

// attempt registers with the first target that takes us (RFC 3263 §4.3): who cannot be reached, does not answer or is
// overloaded is passed over.
func (l *line) attempt(ctx context.Context, targets []stack.Target, limit time.Duration) error {
	var failed error
	for i, t := range targets {
		if i < len(targets)-1 {
			limit = min(limit, nextTime)
		}
		was := l.target
		err := l.with(ctx, t, limit)
		if err == nil {
			if i > 0 || t != was { // who stays with a second one has not found a better one by that
				l.second = i > 0
			}
			l.phone.names.Forgive(t)
			return nil
		}
		var no Refused
		if refusal := errors.As(err, &no); refusal && no.Code != 503 {
			return err
		} else if failed == nil || refusal {
			failed = err // what a server said tells more than silence
		}
		if ctx.Err() != nil {
			break
		}
		l.phone.names.Penalize(t)
	}
	return failed
}

// with registers with one target, over the way there is when it leads there.
func (l *line) with(ctx context.Context, t stack.Target, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if !l.leads(t) {
		if err := l.open(ctx, t); err != nil {
			return err
		}
	}
	err := l.register(ctx, l.asked)
	var no Refused
	if link := l.way(); err != nil && !errors.As(err, &no) && link.Network() != "udp" && !l.stopped() {
		_ = link.Close() // a connection on which nobody answers is none
	}
	return err
}

// leads: the way there is goes to that target, from the address that is ours now.
func (l *line) leads(t stack.Target) bool {
	link := l.way()
	if link == nil || link.Err() != nil || l.target != t {
		return false
	}
	now, err := stack.LocalAddr(t.Addr)
	return err == nil && now == link.LocalFor(t.Addr).Addr()
}

// open makes the way to a target: a socket on the address that the route gives, or a connection. Calls go on over it.
func (l *line) open(ctx context.Context, t stack.Target) error {
	link, err := l.dial(ctx, t)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.link
	l.link, l.server, l.route, l.public = link, t.Addr, nil, ""
	l.mu.Unlock()
	l.target = t
	if old == nil {
		return nil
	}
	l.phone.moved(link, t.Addr)
	if old != link {
		l.leave(old)
	}
	return nil
}

// leave closes the way that there was; while its address is still ours (a VPN came, the better server is back) what is under way
// on it may end there.
func (l *line) leave(old *stack.Link) {
	l.closeBefore()
	if old.Err() == nil && ours(old.Local().Addr()) {
		l.before, l.beforeEnd = old, time.Now().Add(lingerTime)
		return
	}
	_ = old.Close()
}

func (l *line) closeBefore() {
	if l.before != nil {
		_ = l.before.Close()
		l.before = nil
	}
}

// ours: an interface has that address.
func ours(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return addr.IsLoopback() || slices.ContainsFunc(all, func(a net.Addr) bool {
		prefix, ok := a.(*net.IPNet)
		return ok && prefix.IP.Equal(net.IP(addr.AsSlice()))
	})
}

func (l *line) dial(ctx context.Context, t stack.Target) (*stack.Link, error) {
	s := l.phone.stack
	switch t.Network {
	case "tcp":
		return s.DialTCP(ctx, t.Addr.String())
	case "tls":
		return s.DialTLS(ctx, t.Addr.String(), l.account.TLS, l.account.names(t.Name)...)
	case "wss":
		_, at, err := l.account.at()
		if err != nil {
			return nil, err
		}
		return s.DialWSS(ctx, t.Addr.String(), at, l.account.TLS, l.account.names(t.Name)...)
	}
	local, err := stack.LocalAddr(t.Addr)
	if err != nil {
		return nil, err
	}
	if old := l.way(); old != nil && old.Network() == "udp" && old.Err() == nil && old.Local().Addr() == local {
		return old, nil // another server, the same socket: our contact stays what it is
	}
	link, err := s.ListenUDP(netip.AddrPortFrom(local, 0).String())
	if err == nil && l.account.Transport == "" {
		link.Large()
	}
	return link, err
}

// moved: the route to the server gives us another address than the one we registered (a network that changed, a laptop
// that woke elsewhere), or none.
func (l *line) moved() bool {
	now, err := stack.LocalAddr(l.peer())
	return err != nil || now != l.way().LocalFor(l.peer()).Addr()
}

// redirect is where a 301 or 302 sends us: within the account's domain, or to the host that the person named. Others could send
// us, and our password's digest, anywhere; a parameter could take our encryption away.
func (l *line) redirect(contacts []string) (string, error) {
	for _, header := range contacts {
		for _, value := range stack.Values(header) {
			uri, ok := uriOf(value)
			if !ok || strings.EqualFold(uri.Scheme, "tel") {
				continue
			}
			host := strings.ToLower(strings.Trim(uri.Host, "[]"))
			domain := strings.ToLower(l.account.Domain)
			named := l.account.Server
			if h, _, err := net.SplitHostPort(named); err == nil {
				named = h
			}
			if host != domain && !strings.HasSuffix(host, "."+domain) && !strings.EqualFold(host, strings.Trim(named, "[]")) {
				continue
			}
			if uri.Port > 0 {
				return net.JoinHostPort(host, fmt.Sprint(uri.Port)), nil
			}
			return host, nil
		}
	}
	return "", errors.New("sent to a stranger")
}
