package roster

import (
	"sync"
	"time"
)

// How the phones of a center that was away come in: no more than a fifth of them in any second (a share at once, and a share each second).
const (
	doorTime   = 20 * time.Second // after the start
	doorLeast  = 100              // phones; fewer may come all together
	doorAtOnce = 0.03
	doorShare  = 0.15
)

// door lets a crowd in one after the other. Whoever finds it shut comes again at a moment of its own.
type door struct {
	until time.Time
	burst float64
	rate  float64 // a second

	mu   sync.Mutex
	room float64
	at   time.Time
}

// newDoor is for so many phones that are expected from now on.
func newDoor(phones int, now time.Time) *door {
	d := &door{at: now, burst: doorAtOnce * float64(phones), rate: doorShare * float64(phones)}
	if phones >= doorLeast {
		d.until = now.Add(doorTime)
	}
	d.room = d.burst
	return d
}

// open lets one in.
func (d *door) open(now time.Time) bool {
	if !now.Before(d.until) {
		return true
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if passed := now.Sub(d.at); passed > 0 {
		d.room = min(d.burst, d.room+d.rate*passed.Seconds())
		d.at = now
	}
	if d.room < 1 {
		return false
	}
	d.room--
	return true
}

// expected is how many phones this node had when it ended.
func (r *Roster) expected() (phones int) {
	for _, a := range r.view.agents {
		if a.v.Session != nil && a.v.Session.Node == r.cfg.Node {
			phones++
		}
	}
	return phones
}

// admits says whether that agent's phone may connect now. Who has signed in or resumed since the start may.
func (r *Roster) admits(account string) bool {
	r.mu.RLock()
	s := r.view.agents[account].v.Session
	r.mu.RUnlock()
	return s == nil || later(s.Began, s.Rotated).After(r.started) || r.door.open(time.Now())
}
