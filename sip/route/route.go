// Package route tells at once when our addresses or routes changed: another network, a VPN, a cable, a laptop that woke.
package route

import (
	"context"
	"sync"
	"time"
)

const (
	// beat is how often the clocks are compared; a machine that slept is noticed that long after it woke.
	beat = time.Second
	// jump is how much further the wall clock went than the other one when the machine slept.
	jump = 3 * time.Second
	// calm gathers the many notices of one change. It is short, for a call waits for it.
	calm = 20 * time.Millisecond
)

// Watch calls changed, on its own goroutine and never twice at the same time, whenever an address or a route of this machine
// came, went or changed, and when the machine woke from sleep. It blocks until the context ends. Where the system tells
// nothing, what is left is the clock: the caller should look now and then by itself.
func Watch(ctx context.Context, changed func()) {
	news := make(chan struct{}, 1)
	tell := func() {
		select {
		case news <- struct{}{}:
		default:
		}
	}
	var listening sync.WaitGroup
	defer listening.Wait()
	listening.Go(func() { listen(ctx, tell) })
	listening.Go(func() { clocks(ctx, tell) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-news:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(calm):
		}
		select { // what came meanwhile is of the same change
		case <-news:
		default:
		}
		changed()
	}
}

// clocks compares the wall clock with the one that stands still while the machine sleeps.
func clocks(ctx context.Context, tell func()) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := time.Now()
		if slept(now.Round(0).Sub(last.Round(0)), now.Sub(last)) {
			tell()
		}
		last = now
	}
}

// slept: the wall clock went on by so much while the other one, which stands during sleep, went by less. A wall clock that was
// set counts too: it costs a look.
func slept(wall, awake time.Duration) bool { return (wall - awake).Abs() > jump }
