package media

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// errNoWay is told when none of the addresses that the far side named could be reached.
var errNoWay = errors.New("ice: no way to the far side")

// write puts our name, password and address into the section.
func (c *checker) write(b *strings.Builder, at netip.AddrPort) {
	b.WriteString("a=ice-options:ice2\r\na=ice-ufrag:" + c.ufrag + "\r\na=ice-pwd:" + c.pass.reveal() + "\r\n")
	for part := 1; part <= c.parts; part++ {
		b.WriteString(host(part, netip.AddrPortFrom(at.Addr(), at.Port()+uint16(part-1))).written())
	}
}

// offerICELocked lets our offers have ICE from now on.
func (l *line) offerICELocked() {
	l.talk.ice = l.newChecker(true, l.talk.mux)
	l.watchLocked(l.talk.ice)
}

func (l *line) newChecker(leads, mux bool) *checker {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := &sockets{l.rtp, l.rtcp}
	if l.next != nil {
		at = l.next
	}
	return newChecker(at, l.talk.local.Addr(), leads, mux)
}

// meetICELocked settles before an answer of ours whether ICE is used: if they have it; another name of theirs is a restart, for
// which we need another one too (RFC 8445 §9). Roles stay.
func (l *line) meetICELocked(s section) {
	t := &l.talk
	theirs, ok := s.ice()
	t.mismatch = s.ufrag != "" && s.mismatched()
	switch {
	case !ok:
		t.ice = nil
	case t.ice == nil:
		t.ice = l.newChecker(theirs.lite, s.mux)
	case t.ice.restarts(theirs):
		t.ice = l.newChecker(t.ice.leading(), s.mux)
	}
}

// restarts says that they have another name than before.
func (c *checker) restarts(theirs remote) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.theirs.ufrag != "" && !c.theirs.is(theirs)
}

func (c *checker) leading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leads
}

// checkLocked looks for a way to the section from now on, if both sides have ICE. Until a restart has found one the last one is
// used. True: packets wait for it.
func (l *line) checkLocked(s section, now time.Time) bool {
	theirs, ok := s.ice()
	c := l.talk.ice
	if !ok || c == nil {
		l.talk.ice = nil
		l.mu.Lock()
		defer l.mu.Unlock()
		l.checks.Store(nil)
		l.open.Store(false)
		return false
	}
	l.watchLocked(c)
	l.fire(c, c.meet(theirs, now))
	l.found(now)
	return true
}

// watchLocked lets the readers find the checker; an older one that was never answered is forgotten.
func (l *line) watchLocked(c *checker) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []*checker
	for _, old := range l.checkers() {
		if old == c {
			return
		}
		if old.met() {
			list = append(list, old)
		}
	}
	list = append(list[max(len(list)-2, 0):], c)
	l.checks.Store(&list)
}

func (c *checker) met() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.theirs.ufrag != ""
}

// checkers are those under way, newest last.
func (l *line) checkers() []*checker {
	if list := l.checks.Load(); list != nil {
		return *list
	}
	return nil
}

// part is which component comes in on that socket; 0: none.
func (s *sockets) part(at *port) int {
	switch at {
	case s.rtp:
		return 1
	case s.rtcp:
		return 2
	}
	return 0
}

// stunned takes a datagram of STUN from one of the line's sockets.
func (l *line) stunned(at *port, b []byte, from netip.AddrPort, now time.Time) {
	for _, c := range l.checkers() {
		part := c.at.part(at)
		if part == 0 || part > c.parts {
			continue
		}
		if shots, ok := c.take(part, b, from, now); ok {
			l.fire(c, shots)
			if l.found(now) {
				l.begin()
			}
			return
		}
	}
}

// fire sends what a checker wants sent.
func (l *line) fire(c *checker, shots []shot) {
	for _, s := range shots {
		at := c.at.rtp
		if s.part == 2 {
			at = c.at.rtcp
		}
		_ = at.write(s.b, s.to) // what is lost is repeated
	}
}

// findWay does what is due at that time. The pacer calls it.
func (l *line) findWay(now time.Time) {
	list := l.checkers()
	for _, c := range list {
		l.fire(c, c.step(now))
	}
	if len(list) == 0 {
		return
	}
	if l.found(now) {
		l.begin()
	}
	l.leave(now)
	if r := l.route.Load(); !l.lost && r != nil && r.assoc != nil && !l.open.Load() && l.heard.Load() == 0 && now.Sub(r.since) > handshakeTime {
		l.lost = true
		l.e.tell(Secured{Line: l.id, Err: errNoWay})
	}
}

// found sends from now on where the newest checker with a way says. True: something has changed.
func (l *line) found(now time.Time) bool {
	list := l.checkers()
	if !slices.ContainsFunc(list, (*checker).news) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	list = l.checkers()
	var proved []netip.AddrPort
	var rtp, rtcp netip.AddrPort
	for i := len(list) - 1; i >= 0; i-- {
		to, reports, all := list[i].ways()
		proved = append(proved, all...) // of those before too, for what is under way
		if rtp.IsValid() || !to.IsValid() {
			continue
		}
		rtp, rtcp = to, reports
		if i > 0 && l.leaveAt.IsZero() {
			l.leaveAt = now.Add(lateHear)
		}
		if l.next != nil && list[i].at.rtp == l.next.rtp {
			l.switchLocked()
		}
	}
	l.proved.Store(&proved)
	if had := l.open.Swap(rtp.IsValid()); had && !rtp.IsValid() {
		l.e.tell(WayLost{l.id})
	}
	l.to.Store(somewhere(rtp))
	l.reports.Store(somewhere(rtcp))
	return true
}

// somewhere is nil while an address is not valid: then nothing is sent.
func somewhere(at netip.AddrPort) *netip.AddrPort {
	if !at.IsValid() {
		return nil
	}
	return &at
}

// lateHear is how long the way before is still heard once a restart has found another.
const lateHear = 2 * time.Second

// leave forgets it then, and closes the ports it may have had.
func (l *line) leave(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaveAt.IsZero() || now.Before(l.leaveAt) || l.restarting() {
		return
	}
	if list := l.checkers(); len(list) > 1 {
		newest := slices.Clone(list[len(list)-1:])
		l.checks.Store(&newest)
	}
	l.left.close()
	l.left, l.leaveAt = nil, time.Time{}
}

// restarting says that there is a way, and that the newest checker looks for another.
func (l *line) restarting() bool {
	list := l.checkers()
	if len(list) < 2 || !l.open.Load() {
		return false
	}
	to, _, _ := list[len(list)-1].ways()
	return !to.IsValid()
}

// news says, once, that something has changed.
func (c *checker) news() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	news := c.changed
	c.changed = false
	return news
}

// begin starts what waited for a way: DTLS.
func (l *line) begin() {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	if l.e.lines[l.id] == l {
		l.beginLocked()
	}
}

// provedFrom says that an address has answered a check of ours: the far side knows the password, and is there.
func (l *line) provedFrom(from netip.AddrPort) bool {
	list := l.proved.Load()
	return list != nil && slices.Contains(*list, from)
}

// askedFrom says that a check with our password came from there.
func (l *line) askedFrom(from netip.AddrPort) bool {
	return slices.ContainsFunc(l.checkers(), func(c *checker) bool { return c.hasAsked(from) })
}
