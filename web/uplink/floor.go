package uplink

import (
	"context"
	"sync"

	"zaseki/web/wire"
)

// watcher is somebody who looks at the seat view: capacity one, the newest wins.
type watcher struct {
	out  chan wire.Floor
	want wire.WatchFloor
}

// sees says whether that seat view has what the watcher looks at.
func (w *watcher) sees(f wire.Floor) bool {
	return f.Only == "" || w.want.Mine || f.Only == w.want.Floor
}

func (w *watcher) show(f wire.Floor) {
	select {
	case <-w.out:
	default:
	}
	w.out <- f
}

// WatchFloor gives the seat view as it is wanted from now on, newest wins. Turn changes what is wanted; it ends, and the channel is closed,
// when that is not On, or with ctx. The center is asked once however many watch: for the one floor that all of them look at, or for all floors.
func (u *Uplink) WatchFloor(ctx context.Context, want wire.WatchFloor) (floors <-chan wire.Floor, turn func(wire.WatchFloor)) {
	w := &watcher{out: make(chan wire.Floor, 1)}
	var once sync.Once
	end := func() { once.Do(func() { u.unwatch(w) }) }
	u.turnTo(w, want, true)
	release := context.AfterFunc(ctx, end)
	return w.out, func(want wire.WatchFloor) {
		if want.On {
			u.turnTo(w, want, false)
			return
		}
		release()
		end()
	}
}

// turnTo has the watcher look at something else, if it still does at anything.
func (u *Uplink) turnTo(w *watcher, want wire.WatchFloor, begins bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, on := u.watchers[w]; !on && !begins {
		return
	}
	w.want = wire.WatchFloor{On: true, Floor: want.Floor, Mine: want.Mine}
	u.watchers[w] = struct{}{}
	if u.floor != nil && w.sees(*u.floor) {
		w.show(*u.floor)
	}
	u.signal()
}

func (u *Uplink) unwatch(w *watcher) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.watchers, w)
	if len(u.watchers) == 0 {
		u.floor, u.aged = nil, true
	}
	close(w.out)
	u.signal()
}

// wantLocked is what all who watch need of the center.
func (u *Uplink) wantLocked() (want wire.WatchFloor) {
	for w := range u.watchers {
		if want.On && want != w.want {
			return wire.WatchFloor{On: true}
		}
		want = w.want
	}
	return want
}

// askLocked is what the center must be asked for now, if it must: something else is wanted, or what it says since is not known here.
func (u *Uplink) askLocked() *wire.WatchFloor {
	want := u.wantLocked()
	if want == u.asked && !(u.aged && want.On) {
		return nil
	}
	u.asked, u.aged = want, false
	return &want
}

// floorCame hands a whole seat view to all who watch, with the own seat marked.
func (u *Uplink) floorCame(f wire.Floor) {
	u.mu.Lock()
	defer u.mu.Unlock()
	f.Mine = u.seat
	u.showLocked(f)
}

// floorChanged puts what has changed into the seat view. A change that is older than what is shown, or of a view that is not asked for
// any more, means nothing.
func (u *Uplink) floorChanged(c wire.FloorChange) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.floor == nil || c.Rev <= u.floor.Rev {
		return
	}
	u.showLocked(c.On(*u.floor))
}

// sitsAt marks the own seat, which may be on another floor than the one before.
func (u *Uplink) sitsAt(seat string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seat == seat {
		return
	}
	u.seat = seat
	if u.asked.Mine && seat != "" {
		u.aged = true
		u.signal()
	}
	if u.floor != nil {
		f := *u.floor
		f.Mine = seat
		u.showLocked(f)
	}
}

func (u *Uplink) showLocked(f wire.Floor) {
	u.floor = &f
	for w := range u.watchers {
		if w.sees(f) {
			w.show(f)
		}
	}
}
