package stack

import (
	"net"
	"net/netip"
)

// Lost is a link that has ended: of a call whose process ended. Who has something to say on it looks for another way, and what the
// far side says brings its own.
func (s *Stack) Lost(network string, local, remote netip.AddrPort) *Link {
	l := &Link{stack: s, network: lower(network), local: local, remote: remote, done: make(chan struct{}), err: net.ErrClosed}
	l.once.Do(func() { close(l.done) })
	return l
}

// Replay takes a request that a process before ours had taken over UDP, as if it came now. Its sender, who has heard provisional
// answers only, takes ours for those of another branch (RFC 3261 §12.1.2).
func (s *Stack) Replay(request string, from netip.AddrPort, l *Link) {
	s.receive([]byte(request), from, l)
}
