package dialog

import (
	"sync/atomic"
	"testing"
)

// TestCrewIsUsedAgain: one goroutine after the other serves many jobs, none is lost, and Wait leaves nobody behind (goleak).
func TestCrewIsUsedAgain(t *testing.T) {
	var w crew
	var ran atomic.Int32
	for range 10 {
		gate := make(chan struct{})
		for range 2 * restMax {
			w.Go(func() { <-gate; ran.Add(1) })
		}
		close(gate)
		w.busy.Wait()
	}
	w.mu.Lock()
	resting := len(w.rest)
	w.mu.Unlock()
	if resting > restMax {
		t.Errorf("%d goroutines rest, at most %d should", resting, restMax)
	}
	w.Wait()
	if n := ran.Load(); n != 20*restMax {
		t.Errorf("%d of %d jobs ran", n, 20*restMax)
	}
}

// TestAskWhileNothingRuns: what is asked of an idle call runs on the asker's goroutine, after what was posted before.
func TestAskWhileNothingRuns(t *testing.T) {
	c := newCall(&UA{}, true)
	c.path.Store(&path{})
	var order []string
	c.inbox.put(func() { order = append(order, "posted") })
	if err := c.do(func() error { order = append(order, "asked"); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(order) != 2 || order[0] != "posted" || order[1] != "asked" {
		t.Errorf("ran %q", order)
	}
	if c.owned.Load() {
		t.Error("the owner was started for nothing")
	}
}
