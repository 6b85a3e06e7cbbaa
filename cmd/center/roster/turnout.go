package roster

import (
	"maps"

	"zaseki/web/wire"
)

// turnout is how many sit on each floor, for the tabs of those that are not shown. It is kept seat by seat, so that a change costs as
// much as the seats that have changed. Guarded by the hub.
type turnout struct {
	floors map[string]wire.FloorCount
	seats  map[string]wire.FloorCount // what each seat adds, and where
	stale  map[string]struct{}        // seats to be counted anew
	all    bool                       // every one is
}

// missed: nobody watches, and what changes meanwhile is not noted.
func (t *turnout) missed() { t.all, t.stale = true, nil }

func (t *turnout) touch(seat string) {
	if t.all {
		return
	}
	if t.stale == nil {
		t.stale = map[string]struct{}{}
	}
	t.stale[seat] = struct{}{}
}

// move takes away what the seat added and adds what it adds now.
func (t *turnout) move(seat string, now wire.FloorCount) {
	was := t.seats[seat]
	if was == now {
		return
	}
	t.add(was, -1)
	t.add(now, 1)
	if delete(t.seats, seat); now.Floor != "" {
		t.seats[seat] = now
	}
}

func (t *turnout) add(n wire.FloorCount, times int) {
	if n.Floor == "" {
		return
	}
	f := t.floors[n.Floor]
	t.floors[n.Floor] = wire.FloorCount{
		Floor: n.Floor, Seats: f.Seats + times*n.Seats, In: f.In + times*n.In, Free: f.Free + times*n.Free, Hands: f.Hands + times*n.Hands,
	}
}

// countOf is what a seat adds to its floor, as the seat view shows it.
func (v *view) countOf(s wire.SeatState) wire.FloorCount {
	n := wire.FloorCount{Floor: s.Floor, Seats: 1}
	if s.Account == "" {
		return n
	}
	n.In = 1
	if v.available(s.Status) && len(s.Missing) == 0 {
		n.Free = 1
	}
	if !s.Hand.IsZero() {
		n.Hands = 1
	}
	return n
}

// countLocked counts what is to be counted anew and has it told. Where there is one floor there are no tabs. Both mutexes are held.
func (h *hub) countLocked() {
	v, t := h.r.view, &h.turnout
	if len(v.floors) < 2 {
		t.missed()
		return
	}
	before, anew := maps.Clone(t.floors), maps.Keys(t.stale)
	if t.all {
		*t = turnout{floors: map[string]wire.FloorCount{}, seats: map[string]wire.FloorCount{}}
		anew = maps.Keys(v.seats)
	}
	for id := range anew {
		var now wire.FloorCount
		if _, ok := v.seats[id]; ok {
			now = v.countOf(h.r.seatLocked(id))
		}
		t.move(id, now)
	}
	t.stale = nil
	for floor, n := range t.floors {
		if n == before[floor] {
			continue
		}
		for _, to := range h.topics {
			to.counts[floor] = struct{}{}
		}
		h.signal()
	}
}

// countsLocked are those of the floors that are wanted, in order; floors that are no more have none.
func (h *hub) countsLocked(wanted func(floor string) bool) (counts []wire.FloorCount) {
	if len(h.r.view.floors) < 2 {
		return nil
	}
	for _, id := range sorted(h.r.view.floors) {
		if wanted(id) {
			n := h.turnout.floors[id]
			n.Floor = id
			counts = append(counts, n)
		}
	}
	return counts
}
