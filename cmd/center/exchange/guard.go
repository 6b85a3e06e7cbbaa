package exchange

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How often one address may be wrong before we stop answering it at all.
const (
	maxFailures   = 5
	failureWindow = time.Minute
	maxWatched    = 10000 // addresses remembered; the oldest window makes room
)

// guard counts wrong credentials by address. It is asked by the read filter for each datagram, before anything is parsed.
type guard struct {
	mu  sync.Mutex
	bad map[netip.Addr]*failures
	now func() time.Time
}

type failures struct {
	since time.Time
	count int
}

func newGuard(now func() time.Time) *guard {
	return &guard{bad: map[netip.Addr]*failures{}, now: now}
}

// failed notes one wrong answer from there.
func (g *guard) failed(from netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	f := g.bad[from]
	if f == nil || now.Sub(f.since) > failureWindow {
		g.roomLocked(now)
		f = &failures{since: now}
		g.bad[from] = f
	}
	f.count++
}

// dropped says that nothing from there is answered for now.
func (g *guard) dropped(from netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.bad[from]
	return f != nil && f.count >= maxFailures && g.now().Sub(f.since) <= failureWindow
}

// roomLocked keeps the table bounded against spoofed sources.
func (g *guard) roomLocked(now time.Time) {
	if len(g.bad) < maxWatched {
		return
	}
	for a, f := range g.bad {
		if now.Sub(f.since) > failureWindow {
			delete(g.bad, a)
		}
	}
	for a := range g.bad {
		if len(g.bad) < maxWatched {
			return
		}
		delete(g.bad, a)
	}
}

// Allowance of addresses that are not registered: enough for a floor behind one address to register at once.
const (
	floodRate  = 100 // messages a second
	floodBurst = 400
	maxBuckets = 10000
)

// flood is a token bucket for each unknown source address.
type flood struct {
	mu sync.Mutex
	of map[netip.Addr]*rate.Limiter
}

func newFlood() *flood { return &flood{of: map[netip.Addr]*rate.Limiter{}} }

func (f *flood) allow(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.of[from]
	if l == nil {
		if len(f.of) >= maxBuckets { // spoofed sources by the thousand: begin again, each gets a burst at most
			clear(f.of)
		}
		l = rate.NewLimiter(floodRate, floodBurst)
		f.of[from] = l
	}
	return l.Allow()
}
