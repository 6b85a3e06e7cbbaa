package roster

import (
	"errors"
	"sync"
	"time"

	"zaseki/web/wire"
)

// commitBounds are the upper bounds of the classes that commits are counted in by how long they took.
var commitBounds = []time.Duration{time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}

// tally counts what has happened since the start.
type tally struct {
	mu      sync.Mutex
	refused map[string]uint64 // sign-ins, by the code of the problem
	took    []uint64          // commits, by class; one more than there are bounds
	commits uint64
	failed  uint64
	total   time.Duration
}

func (c *tally) refuse(err error) {
	var p wire.Problem
	if !errors.As(err, &p) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = map[string]uint64{}
	}
	c.refused[p.Code]++
}

func (c *tally) commit(took time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
		return
	}
	if c.took == nil {
		c.took = make([]uint64, len(commitBounds)+1)
	}
	class := 0
	for class < len(commitBounds) && took > commitBounds[class] {
		class++
	}
	c.took[class]++
	c.commits++
	c.total += took
}

// Figures are what a monitoring asks for. They name nobody.
type Figures struct {
	Phones    int            // connected to this node by websocket
	Signed    map[string]int // people who are signed in, by the status they are shown in
	Ready     int            // agents of this moment to whom a call may go
	Accounts  int
	Waiting   []QueueFigure
	Refused   map[string]uint64 // sign-ins since the start, by the problem's code
	Commits   Classes           // changes that this node has written
	Conflicts uint64            // and those that were refused or lost: somebody was faster, or the log could not be written
}

// QueueFigure is a queue with its callers at this node.
type QueueFigure struct {
	Extension, Name string
	Callers         int
	Longest         time.Duration
}

// Classes are durations by class: Count[i] took at most Bounds[i], the last one longer.
type Classes struct {
	Bounds []time.Duration
	Count  []uint64
	Sum    time.Duration
	All    uint64
}

// Figures of this moment.
func (r *Roster) Figures() Figures {
	now := time.Now()
	r.mu.RLock()
	f := Figures{Phones: len(r.links), Signed: map[string]int{}, Accounts: len(r.view.accounts), Refused: map[string]uint64{}}
	for _, a := range r.view.agents {
		if a.v.Session != nil {
			status, _ := a.v.shown()
			f.Signed[status]++
		}
	}
	for account := range r.view.takers {
		if r.routableLocked(account, now) {
			f.Ready++
		}
	}
	for _, id := range sorted(r.view.queues) {
		q := QueueFigure{Extension: id, Name: r.view.queues[id].v.Name}
		for _, w := range r.waiting {
			if w.queue == id && !w.gone {
				q.Callers++
				q.Longest = max(q.Longest, now.Sub(w.came))
			}
		}
		f.Waiting = append(f.Waiting, q)
	}
	r.mu.RUnlock()
	c := &r.tally
	c.mu.Lock()
	defer c.mu.Unlock()
	for code, n := range c.refused {
		f.Refused[code] = n
	}
	f.Commits = Classes{Bounds: commitBounds, Count: append(make([]uint64, 0, len(commitBounds)+1), c.took...), Sum: c.total, All: c.commits}
	if c.took == nil {
		f.Commits.Count = make([]uint64, len(commitBounds)+1)
	}
	f.Conflicts = c.failed
	return f
}
