package dialog

import "sync"

// restMax is how many goroutines wait for the next call.
const restMax = 64

// crew are the goroutines of calls. Those that are done take the next call: their stacks have grown already, and growing
// one costs more than all that is said to them.
type crew struct {
	busy, alive sync.WaitGroup

	mu        sync.Mutex
	rest      []chan func()
	dismissed bool
}

// Go runs f on a goroutine of its own.
func (w *crew) Go(f func()) {
	w.busy.Add(1)
	if next := w.rested(); next != nil {
		next <- f
		return
	}
	w.alive.Go(func() { w.serve(f) })
}

// Wait waits for everything that runs and ends the goroutines; nothing may be run afterwards.
func (w *crew) Wait() {
	w.busy.Wait()
	w.mu.Lock()
	w.dismissed = true
	rest := w.rest
	w.rest = nil
	w.mu.Unlock()
	for _, next := range rest {
		close(next)
	}
	w.alive.Wait()
}

func (w *crew) serve(f func()) {
	next := make(chan func(), 1)
	for f != nil {
		f()
		w.busy.Done()
		if !w.waits(next) {
			return
		}
		f = <-next
	}
}

func (w *crew) rested() chan func() {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.rest) - 1
	if last < 0 {
		return nil
	}
	next := w.rest[last]
	w.rest = w.rest[:last]
	return next
}

// waits: who is done may stay.
func (w *crew) waits(next chan func()) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dismissed || len(w.rest) >= restMax {
		return false
	}
	w.rest = append(w.rest, next)
	return true
}
