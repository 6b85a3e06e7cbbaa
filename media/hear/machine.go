package hear

import (
	"sync"
	"time"
)

// Machine tells how long a goroutine of this process that wants to run every two milliseconds has to wait for it. A pause in real time
// is held against that: on a busy machine nobody is in time, and what is measured there is the neighbours.
type Machine struct {
	stop chan struct{}
	over sync.WaitGroup

	mu    sync.Mutex
	worst time.Duration
}

// WatchMachine begins. Whoever calls it calls End.
func WatchMachine() *Machine {
	m := &Machine{stop: make(chan struct{})}
	began := time.Now() // that it is let begin late counts too
	m.over.Go(func() { m.watch(began) })
	return m
}

func (m *Machine) watch(last time.Time) {
	const beat = 2 * time.Millisecond
	timer := time.NewTimer(beat)
	defer timer.Stop()
	for {
		select {
		case <-m.stop:
			return
		case <-timer.C:
		}
		now := time.Now()
		m.mu.Lock()
		m.worst = max(m.worst, now.Sub(last)-beat)
		m.mu.Unlock()
		last = now
		timer.Reset(beat)
	}
}

// Late is the longest wait since the beginning, or since it was last asked.
func (m *Machine) Late() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	late := m.worst
	m.worst = 0
	return late
}

// End waits until nothing of it runs.
func (m *Machine) End() {
	close(m.stop)
	m.over.Wait()
}

// inTime is how late a machine may be that keeps time: less than a packet of sound.
const inTime = 20 * time.Millisecond

// Tries lets something real be tried: so often on a machine that keeps time, and up to six times more on one that does not: a
// browser without its processor drops sound, whoever made it.
func Tries(often int, good func() bool) bool {
	machine := WatchMachine()
	defer machine.End()
	for counted, all := 0, 0; counted < often && all < often+6; all++ {
		machine.Late()
		if good() {
			return true
		}
		if machine.Late() < inTime {
			counted++
		}
	}
	return false
}
