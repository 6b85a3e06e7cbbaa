package media

import (
	"fmt"
	"net"
	"net/netip"
)

// sockets are one pair of ports: RTP and, one above, RTCP.
type sockets struct{ rtp, rtcp *port }

func (s *sockets) close() {
	if s != nil {
		s.rtp.close()
		s.rtcp.close()
	}
}

// MoveOffer opens new ports on another address of this machine and gives the offer that says so. The stream goes on: the
// same source, numbers and keys. Until the answer is set the old ports still hear; what we say leaves from the new
// ones at once when the old address is gone, and from the answer on otherwise, since till then the far side knows only
// the old one.
func (e *Engine) MoveOffer(id string, local netip.Addr) (string, error) {
	local = local.Unmap()
	rtp, rtcp, err := e.openPair(local)
	if err != nil {
		return "", fmt.Errorf("move line: %w", err)
	}
	fresh := &sockets{rtp, rtcp}
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		fresh.close()
		return "", ErrNoLine
	}
	t := &l.talk
	old := t.local.Addr()
	t.local = netip.AddrPortFrom(local.WithZone(""), rtp.local().Port())
	t.wantHold, t.answer = t.hold, ""
	l.readFrom(fresh)
	l.mu.Lock()
	l.next.close() // of a move that was never answered
	l.next = fresh
	if !present(old) {
		l.switchLocked()
	}
	l.mu.Unlock()
	if t.ice != nil {
		t.ice = l.newChecker(t.ice.leading(), t.mux)
		l.watchLocked(t.ice)
	}
	return t.write(l.oursLocked(), holding(t.hold, t.heldBy)), nil
}

// switchLocked sends from the new ports from now on; the old ones are left to hear until the answer.
func (l *line) switchLocked() {
	old := &sockets{l.rtp, l.rtcp}
	l.rtp, l.rtcp = l.next.rtp, l.next.rtcp
	l.at.Store(l.rtp)
	l.next = nil
	l.left.close()
	l.left = old
}

// settleLocked ends a move: both sides know the new address. The engine's mutex is held. With ICE it ends when a way is found.
func (l *line) settleLocked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.restarting() {
		return
	}
	if l.next != nil {
		l.switchLocked()
	}
	l.left.close()
	l.left = nil
}

// present says that an address is still one of this machine's.
func present(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return true // a failing write will tell
	}
	for _, one := range all {
		prefix, err := netip.ParsePrefix(one.String())
		if err == nil && (prefix.Addr().Unmap() == a || a.IsLoopback() && prefix.Addr().IsLoopback()) {
			return true
		}
	}
	return false
}
