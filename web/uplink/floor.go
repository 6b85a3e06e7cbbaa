package uplink

import (
	"context"
	"sync"

	"zaseki/web/wire"
)

// watcher is somebody who looks at the seat view: capacity one, the newest wins.
type watcher struct{ out chan wire.Floor }

// WatchFloor gives the seat view from now on, newest wins, until stop is called or ctx ends; then the channel is closed. The center
// is asked once however many watch.
func (u *Uplink) WatchFloor(ctx context.Context) (floors <-chan wire.Floor, stop func()) {
	w := &watcher{out: make(chan wire.Floor, 1)}
	u.mu.Lock()
	if len(u.watchers) == 0 {
		u.watches++
	}
	u.watchers[w] = struct{}{}
	if u.floor != nil {
		w.out <- *u.floor
	}
	u.mu.Unlock()
	u.signal()
	var once sync.Once
	end := func() {
		once.Do(func() {
			u.mu.Lock()
			defer u.mu.Unlock()
			delete(u.watchers, w)
			if len(u.watchers) == 0 {
				u.floor = nil // it ages from now on
			}
			close(w.out)
			u.signal()
		})
	}
	release := context.AfterFunc(ctx, end)
	return w.out, func() { release(); end() }
}

// floorCame hands the newest seat view to all who watch.
func (u *Uplink) floorCame(f wire.Floor) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.floor = &f
	for w := range u.watchers {
		select {
		case <-w.out:
		default:
		}
		w.out <- f
	}
}
