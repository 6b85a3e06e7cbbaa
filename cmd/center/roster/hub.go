package roster

import (
	"context"
	"slices"
	"sync"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

const (
	keptFrames = 64                     // of a floor; a phone that is behind by more gets it whole
	keptBytes  = 64 << 10               // of them: beyond it the whole floor is the shorter word
	oldWhole   = 16                     // frames that may have come since a floor was encoded whole
	mostWindow = 250 * time.Millisecond // between two frames of a floor, however many watch
	fewBehind  = 64                     // phones that may wait for a frame while the next one is made

	perWatcher = 25 * time.Microsecond // of window, for each phone that watches that floor
	perAny     = 10 * time.Microsecond // and for each that watches any
)

// hub tells the seat view to the phones that watch it. What has changed on a floor is encoded once for all its watchers; each of them
// goes through the frames at its own pace. Its mutex comes after the roster's.
type hub struct {
	r       *Roster
	wake    chan struct{}
	drawing sync.Mutex // one frame at a time is made: their revs rise

	mu       sync.Mutex
	topics   map[string]*topic // by floor; "" is all of them
	order    map[string][]string
	watching int
	loads    []wire.QueueLoad // as told last
	loadsAt  time.Time        // when they were looked at
	turnout  turnout
	rev      uint64 // of the newest frame: rises strictly, and is not behind the ledger's
}

// topic is a floor that somebody watches.
type topic struct {
	floor    string
	watchers map[*link]struct{}
	frames   [keptFrames]socket.Message
	first, n uint64 // the oldest one kept, and how many there ever were
	bytes    int    // of those kept
	whole    socket.Message
	wholeAt  uint64 // frames there were before whole
	drawn    bool   // there is a whole
	dirty    map[string]struct{}
	redraw   bool
	load     bool                // the queues have changed
	counts   map[string]struct{} // floors whose counts have
	told     time.Time           // when the last frame was made
}

// look is what a link watches, and how far it is. Guarded by the hub.
type look struct {
	topic *topic
	next  uint64
	fresh bool // it has got no Floor yet
}

func newHub(r *Roster) *hub {
	return &hub{r: r, wake: make(chan struct{}, 1), topics: map[string]*topic{}, turnout: turnout{all: true}}
}

// watch lets the link see a floor from now on, or nothing.
func (h *hub) watch(l *link, on bool, floor string) {
	h.mu.Lock()
	h.leaveLocked(l)
	if on {
		t := h.topics[floor]
		if t == nil {
			t = &topic{floor: floor, watchers: map[*link]struct{}{}, dirty: map[string]struct{}{}, counts: map[string]struct{}{}}
			h.topics[floor] = t
		}
		t.watchers[l] = struct{}{}
		h.watching++
		l.look = look{topic: t, fresh: true}
	}
	h.mu.Unlock()
}

func (h *hub) leaveLocked(l *link) {
	t := l.look.topic
	if t == nil {
		return
	}
	l.look = look{}
	h.watching--
	if delete(t.watchers, l); len(t.watchers) == 0 {
		delete(h.topics, t.floor)
	}
}

// next is the next frame for a link.
func (h *hub) next(l *link) (socket.Message, bool) {
	for {
		m, ok, stale := h.take(l)
		if stale == nil {
			return m, ok
		}
		if err := h.draw(stale); err != nil {
			h.r.log.Error("seat view", "err", err)
			return socket.Message{}, false
		}
	}
}

// take is the next frame; or its topic must be drawn first.
func (h *hub) take(l *link) (m socket.Message, ok bool, stale *topic) {
	h.mu.Lock()
	defer h.mu.Unlock()
	k := &l.look
	t := k.topic
	switch {
	case t == nil || !k.fresh && k.next == t.n:
		return m, false, nil
	case !k.fresh && k.next >= t.first:
		k.next++
		return t.frames[(k.next-1)%keptFrames], true, nil
	case t.stale():
		return m, false, t
	}
	k.fresh, k.next = false, t.wholeAt
	return t.whole, true, nil
}

// changed: there is something to tell.
func (t *topic) changed() bool { return len(t.dirty) > 0 || t.redraw || t.load || len(t.counts) > 0 }

// stale: what was encoded whole is too old to go on from.
func (t *topic) stale() bool { return !t.drawn || t.wholeAt < t.first || t.n-t.wholeAt > oldWhole }

// keep adds a frame, and forgets the oldest ones.
func (t *topic) keep(m socket.Message) {
	for t.n > t.first && (t.n-t.first == keptFrames || t.bytes+len(m.Text()) > keptBytes) {
		old := &t.frames[t.first%keptFrames]
		t.bytes -= len(old.Text())
		*old = socket.Message{}
		t.first++
	}
	t.frames[t.n%keptFrames] = m
	t.bytes += len(m.Text())
	t.n++
}

// draw encodes a floor whole.
func (h *hub) draw(t *topic) error {
	h.drawing.Lock()
	defer h.drawing.Unlock()
	h.r.mu.RLock()
	h.mu.Lock()
	if !t.stale() { // somebody else was faster
		h.mu.Unlock()
		h.r.mu.RUnlock()
		return nil
	}
	f, at := h.floorLocked(t.floor), t.n
	f.Rev = h.riseLocked()
	h.mu.Unlock()
	h.r.mu.RUnlock()
	m, err := prepare(f)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t.whole, t.wholeAt, t.drawn = m, at, true
	return nil
}

func (h *hub) riseLocked() uint64 {
	h.rev = max(h.rev+1, uint64(h.r.view.rev))
	return h.rev
}

func prepare(m interface{ Type() string }) (socket.Message, error) {
	e, err := wire.Pack("", m)
	if err != nil {
		return socket.Message{}, err
	}
	return socket.Prepare(e)
}

// changed notes what an event has changed: the spots before and after it. The roster's mutex is held.
func (h *hub) changed(kind string, spots ...spot) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.topics) == 0 {
		h.turnout.missed()
		return
	}
	if everywhere(kind) {
		h.turnout.missed()
		for _, t := range h.topics {
			t.redraw = true
		}
	}
	for _, s := range spots {
		h.turnout.touch(s.seat)
		for _, floor := range []string{s.floor, ""} {
			if t := h.topics[floor]; t != nil {
				t.dirty[s.seat] = struct{}{}
			}
		}
	}
	h.signal()
}

// look looks at the queues anew and counts the floors, if anybody watches; who watches is told what has changed.
func (h *hub) look() {
	h.mu.Lock()
	watched := len(h.topics) > 0
	h.mu.Unlock()
	if !watched {
		return
	}
	h.r.mu.RLock()
	defer h.r.mu.RUnlock()
	loads := h.r.loadsLocked() // of many agents it takes milliseconds
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sawLocked(loads, time.Now())
	h.countLocked()
}

// sawLocked takes over what the queues are like.
func (h *hub) sawLocked(loads []wire.QueueLoad, now time.Time) {
	h.loadsAt = now
	if slices.Equal(loads, h.loads) {
		return
	}
	h.loads = loads
	for _, t := range h.topics {
		t.load = true
	}
	h.signal()
}

// reorder: there is a seat more or less, or one is elsewhere.
func (h *hub) reorder() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.order = nil
}

func (h *hub) signal() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run makes frames of what has changed until ctx ends.
func (h *hub) run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-h.wake:
		case <-timer.C:
		}
		due, next := h.due(time.Now())
		for _, t := range due {
			if err := h.tell(t); err != nil {
				h.r.log.Error("seat view", "floor", t.floor, "err", err)
			}
		}
		if !next.IsZero() {
			timer.Reset(time.Until(next))
		}
	}
}

// due are the topics whose time has come, and when to look again.
func (h *hub) due(now time.Time) (due []*topic, next time.Time) {
	behind := h.r.writers.Behind() > fewBehind
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.topics {
		if !t.changed() {
			continue
		}
		at := t.told.Add(h.windowLocked(t))
		if behind && at.Before(now) && now.Before(at.Add(mostWindow)) {
			at = now.Add(h.r.cfg.Timing.Window / 4) // whoever waits shall have one frame, not two
		}
		if !at.After(now) {
			due = append(due, t)
		} else if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return due, next
}

// windowLocked is how long changes of a floor are gathered: the more phones are to be told, the longer.
func (h *hub) windowLocked(t *topic) time.Duration {
	load := max(time.Duration(len(t.watchers))*perWatcher, time.Duration(h.watching)*perAny)
	return max(h.r.cfg.Timing.Window, min(load, mostWindow))
}

// tell makes a frame of what has changed on a floor and wakes who watches it.
func (h *hub) tell(t *topic) error {
	h.drawing.Lock()
	defer h.drawing.Unlock()
	h.r.mu.RLock()
	h.mu.Lock()
	var m interface{ Type() string }
	if t.redraw {
		h.dismissLocked(t)
		f := h.floorLocked(t.floor)
		f.Rev = h.riseLocked()
		m = f
	} else {
		m = h.changeLocked(t)
	}
	whole := t.redraw
	t.redraw, t.load, t.told = false, false, time.Now()
	clear(t.dirty)
	clear(t.counts)
	h.mu.Unlock()
	h.r.mu.RUnlock()
	frame, err := prepare(m)
	if err != nil {
		return err
	}
	h.mu.Lock()
	t.keep(frame)
	if whole {
		t.whole, t.wholeAt, t.drawn = frame, t.n, true
	}
	wake := make([]*link, 0, len(t.watchers))
	for l := range t.watchers {
		wake = append(wake, l)
	}
	h.mu.Unlock()
	for _, l := range wake {
		l.wake()
	}
	return nil
}

// dismissLocked takes the seat view away from those who may not see it any more. The last that they see is an empty one.
func (h *hub) dismissLocked(t *topic) {
	for l := range t.watchers {
		h.mayLookLocked(l)
	}
}

// mayLook is dismissLocked for one link, which may be nil.
func (h *hub) mayLook(l *link) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if l != nil && l.look.topic != nil {
		h.mayLookLocked(l)
	}
}

func (h *hub) mayLookLocked(l *link) {
	if !h.r.view.viewable(l.account) {
		h.leaveLocked(l)
		l.touch(func() { l.blind = true })
	}
}
