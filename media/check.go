package media

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// checker finds the way to the far side and watches over it: ICE (RFC 8445), as a full agent for the one address that a line
// has. It keeps no time and starts nothing: the line's readers and the engine's pacer give it datagrams and the time, and
// send what it returns.
//
// pion/ice would want the socket for itself, with goroutines and a queue between it and the line for every packet; with one
// address of ours, no servers and no TCP, what is left of ICE is this file and its messages.
type checker struct {
	at    *sockets
	local netip.Addr
	ufrag string
	pass  secret
	parts int // components: 1, and 2 when RTCP has a port of its own

	mu      sync.Mutex
	leads   bool // we choose: "controlling" (RFC 8445 §6.1.1)
	tie     uint64
	theirs  remote  // no name: their description has not come
	pairs   []*pair // best first
	chosen  [3]*pair
	began   time.Time // the first pair worked
	gate    time.Time // before this no check to an address that never answered
	trials  int       // of all pairs, when none works
	restAt  time.Time // of the next
	changed bool      // since news were asked for last
}

// pair is one of their addresses with our only one.
type pair struct {
	part     int
	to       netip.AddrPort
	priority uint32 // of their candidate
	state    pairState
	hasty    bool      // they checked it: ours goes before others (RFC 8445 §7.3.1.4)
	wanted   bool      // they chose it
	asked    bool      // they proved from there that they know our password
	seen     time.Time // it answered last
	alive    time.Time // it answered or asked last
	sought   time.Time // we asked last whether it is still there
	asks     []ask     // our checks under way, newest last
}

type pairState uint8

const (
	waiting pairState = iota
	asking
	works
	fails
)

// ask is one check of ours that is not answered yet.
type ask struct {
	id    [12]byte
	sent  int       // times
	again time.Time // when it is repeated or given up
	wait  time.Duration
	names bool // it says that this pair is the one (USE-CANDIDATE)
	leads bool // our role in it
}

// shot is a datagram to send.
type shot struct {
	part int
	b    []byte
	to   netip.AddrPort
}

const (
	maxPairs = 24 // with those that show themselves by checks
	maxAsks  = 4  // of a pair
	maxSent  = 7  // RFC 8489 §6.2.1

	pairEvery = 50 * time.Millisecond // Ta, between first checks (RFC 8445 §14.2)
	askEvery  = 20 * time.Millisecond // between any two to addresses that never answered

	// firstWait is how long an answer is waited for before the check is repeated, twice as long each time. RFC 8445 §14.3 would
	// have 500 ms; then one lost packet is half a second of silence at the beginning of a call.
	firstWait = 200 * time.Millisecond
	lastWait  = 1600 * time.Millisecond

	betterWait = 100 * time.Millisecond // for a better pair than the first that works
	restTime   = 5 * time.Second        // before all pairs are tried again
	maxTrials  = 3                      // of pairs that never worked

	// RFC 7675 §5.1: how often the way is checked, and when it counts as lost.
	consentEvery = 5 * time.Second
	consentTime  = 30 * time.Second
	doubtTime    = 11 * time.Second // two checks without answer: look for another way
	quietTime    = 3 * time.Second  // without a sign of life their choice of another pair counts
)

// newChecker has a name and password of its own: one more is an ICE restart (RFC 8445 §9).
func newChecker(at *sockets, local netip.Addr, leads, mux bool) *checker {
	c := &checker{at: at, local: local, leads: leads, tie: rand.Uint64(), parts: 2}
	if mux {
		c.parts = 1
	}
	c.ufrag, c.pass = newNames()
	return c
}

// meet takes their description: the first one, another one after a fork, or the same with more candidates.
func (c *checker) meet(theirs remote, now time.Time) []shot {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.theirs.is(theirs) {
		if c.theirs.ufrag != "" {
			c.pairs, c.chosen, c.changed = nil, [3]*pair{}, true
		}
		c.theirs, c.trials = theirs, 0
	}
	c.leads = c.leads || theirs.lite
	best := slices.Clone(theirs.all)
	slices.SortStableFunc(best, func(a, b candidate) int { return cmp.Compare(b.priority, a.priority) })
	for _, k := range best {
		if k.part <= c.parts && k.worth(c.local) && len(c.pairs) < maxPairs*2/3 {
			c.pairLocked(k.part, k.at, k.priority)
		}
	}
	return c.stepLocked(now)
}

func (r remote) is(other remote) bool { return r.ufrag == other.ufrag && r.pass.same(other.pass) }

// pairLocked finds or makes a pair. Nil: there are too many.
func (c *checker) pairLocked(part int, to netip.AddrPort, priority uint32) *pair {
	for _, p := range c.pairs {
		if p.part == part && p.to == to {
			return p
		}
	}
	if len(c.pairs) >= maxPairs {
		spare := slices.IndexFunc(c.pairs, func(p *pair) bool { return p.state == fails })
		if spare < 0 {
			return nil
		}
		c.pairs = slices.Delete(c.pairs, spare, spare+1)
	}
	p := &pair{part: part, to: to, priority: priority}
	c.pairs = append(c.pairs, p)
	c.sortLocked()
	return p
}

// sortLocked puts the best first, as both sides reckon it (RFC 8445 §6.1.2.3).
func (c *checker) sortLocked() {
	slices.SortStableFunc(c.pairs, func(a, b *pair) int { return cmp.Compare(c.weight(b), c.weight(a)) })
}

func (c *checker) weight(p *pair) uint64 {
	g, d := uint64(ownPriority(126, p.part)), uint64(p.priority)
	if !c.leads {
		g, d = d, g
	}
	w := min(g, d)<<32 + 2*max(g, d)
	if g > d {
		w++
	}
	return w
}

// step does what is due.
func (c *checker) step(now time.Time) []shot {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stepLocked(now)
}

func (c *checker) stepLocked(now time.Time) []shot {
	if c.theirs.ufrag == "" {
		return nil
	}
	var out []shot
	for _, p := range c.pairs {
		c.expireLocked(p, now)
		out = append(out, c.repeatLocked(p, now)...)
	}
	out = append(out, c.consentLocked(now)...)
	out = append(out, c.nameLocked(now)...)
	if p := c.nextLocked(now); p != nil {
		out = append(out, c.askLocked(p, false, now))
		c.gate = now
	}
	c.againLocked(now)
	return out
}

// expireLocked gives up a pair that has not answered for as long as consent lasts.
func (c *checker) expireLocked(p *pair, now time.Time) {
	if p.state == works && now.Sub(p.seen) > consentTime {
		c.failLocked(p)
	}
}

func (c *checker) failLocked(p *pair) {
	p.state, p.wanted, p.asks = fails, false, nil
	if c.chosen[p.part] == p {
		c.chosen[p.part] = nil
	}
	c.changed = true
}

// repeatLocked sends a check again whose answer is late, and gives it up after the last time.
func (c *checker) repeatLocked(p *pair, now time.Time) []shot {
	if len(p.asks) == 0 {
		return nil
	}
	a := &p.asks[len(p.asks)-1]
	switch {
	case now.Before(a.again):
		return nil
	case p.state == works && !a.names: // about consent: not repeated, the next one is another (RFC 7675 §5.1)
		return nil
	case a.sent >= maxSent:
		c.failLocked(p)
		return nil
	case p.state != works && now.Sub(c.gate) < askEvery:
		return nil
	}
	a.sent++
	a.wait = min(2*a.wait, lastWait)
	a.again = now.Add(a.wait)
	if p.state != works {
		c.gate = now
	}
	return []shot{{p.part, c.request(p, *a), p.to}}
}

// consentLocked asks whether we may go on sending (RFC 7675 §5.1).
func (c *checker) consentLocked(now time.Time) []shot {
	var out []shot
	for _, p := range c.pairs {
		if p.state == works && p == c.wayLocked(p.part) && !p.naming() && now.Sub(p.sought) > jittered(consentEvery, p.sought) {
			p.sought = now
			out = append(out, c.askLocked(p, false, now))
		}
	}
	return out
}

// naming says that a check is under way which chooses the pair.
func (p *pair) naming() bool { return slices.ContainsFunc(p.asks, func(a ask) bool { return a.names }) }

// jittered is 80 to 120 percent of d, always the same for that time.
func jittered(d time.Duration, by time.Time) time.Duration {
	return d * time.Duration(80+by.UnixNano()/1000%41) / 100
}

// nameLocked chooses, if that is ours to do: the best pair that works, as soon as none better can be hoped for
// (RFC 8445 §8.1.1).
func (c *checker) nameLocked(now time.Time) []shot {
	if !c.leads {
		return nil
	}
	var out []shot
	for part := 1; part <= c.parts; part++ {
		if old := c.chosen[part]; old != nil && now.Sub(old.seen) < doubtTime {
			continue
		}
		for _, p := range c.pairs {
			if p.part != part {
				continue
			}
			if p.state == works && now.Sub(p.seen) < doubtTime {
				if !p.naming() {
					out = append(out, c.askLocked(p, true, now))
				}
				break
			}
			if (p.state == waiting || p.state == asking) && now.Sub(c.began) < betterWait {
				break
			}
		}
	}
	return out
}

// nextLocked is the pair to check next: one that they checked, else the best that waits.
func (c *checker) nextLocked(now time.Time) *pair {
	since := now.Sub(c.gate)
	if since < askEvery {
		return nil
	}
	for _, p := range c.pairs {
		if p.hasty && p.state != works {
			return p
		}
	}
	if since < pairEvery {
		return nil
	}
	for _, p := range c.pairs {
		if p.state == waiting {
			return p
		}
	}
	return nil
}

// askLocked makes a check of a pair.
func (c *checker) askLocked(p *pair, names bool, now time.Time) shot {
	a := ask{id: newID(), sent: 1, wait: firstWait, again: now.Add(firstWait), names: names, leads: c.leads}
	if p.state != works {
		p.state = asking
	}
	p.hasty = false
	p.asks = append(p.asks, a)
	if len(p.asks) > maxAsks {
		p.asks = p.asks[1:]
	}
	return shot{p.part, c.request(p, a), p.to}
}

// againLocked begins anew after a rest when no pair works, and looks for another way when the one we have is in doubt.
func (c *checker) againLocked(now time.Time) {
	idle := true
	for _, p := range c.pairs {
		idle = idle && p.state == fails
	}
	doubt := c.chosen[1] != nil && now.Sub(c.chosen[1].seen) > doubtTime
	switch {
	case !idle && !doubt:
		c.restAt = time.Time{}
		return
	case c.restAt.IsZero():
		c.restAt = now
		if idle {
			c.restAt = now.Add(restTime)
		}
	}
	if now.Before(c.restAt) {
		return
	}
	c.restAt = now.Add(restTime)
	c.trials++
	for _, p := range c.pairs {
		if p.state == fails && (!p.seen.IsZero() || c.trials < maxTrials) {
			p.state = waiting
		}
	}
}

// wayLocked is where that component goes: the chosen pair, or before there is one the best that works (RFC 8445 §12.1).
func (c *checker) wayLocked(part int) *pair {
	if p := c.chosen[part]; p != nil {
		return p
	}
	for _, p := range c.pairs {
		if p.part == part && p.state == works {
			return p
		}
	}
	return nil
}

// ways are where RTP and RTCP go now, zero if nowhere, and all the addresses that have proved to be the far side's.
func (c *checker) ways() (rtp, rtcp netip.AddrPort, proved []netip.AddrPort) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.wayLocked(1); p != nil {
		rtp = p.to
	}
	if p := c.wayLocked(2); p != nil {
		rtcp = p.to
	}
	for _, p := range c.pairs {
		if p.state == works {
			proved = append(proved, p.to)
		}
	}
	return rtp, rtcp, proved
}

// hasAsked says that somebody who knows our password has sent a check from there.
func (c *checker) hasAsked(from netip.AddrPort) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.pairs, func(p *pair) bool { return p.to == from && p.asked })
}
