package roster

import (
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// What the hub tells: the seat view as the roster has it.

// spot is a seat on a floor, to be told anew.
type spot struct{ seat, floor string }

// spotOf is where the seat view shows that entity; ok is false for nowhere.
func (v *view) spotOf(kind, id string) (s spot, ok bool) {
	switch kind {
	case KindTerminal:
		s.seat = v.agents[v.terminals[id].v.Holder].v.Seat
	case KindAgent, KindAccount:
		s.seat = v.agents[id].v.Seat
	case KindAttend:
		s.seat = v.agents[v.attends[id].v.Account].v.Seat
	case KindSeat:
		s.seat = id
	}
	s.floor = v.seats[s.seat].v.Floor
	return s, s.seat != ""
}

// everywhere says that such an event may change every row of the seat view, or what is around the seats.
func everywhere(kind string) bool {
	return kind == KindSite || kind == KindFloor || kind == KindStatus || kind == KindPolicy || kind == KindGroup || kind == KindQueue
}

func (h *hub) changeLocked(t *topic) wire.FloorChange {
	c := wire.FloorChange{Rev: h.riseLocked(), At: time.Now().UTC()}
	if t.load {
		c.Queues = h.loads
	}
	if len(t.counts) > 0 {
		c.Counts = h.countsLocked(func(floor string) bool { _, ok := t.counts[floor]; return ok })
	}
	for seat := range t.dirty {
		row, ok := h.r.view.seats[seat]
		if !ok || t.floor != "" && row.v.Floor != t.floor {
			c.Gone = append(c.Gone, seat)
			continue
		}
		c.Seats = append(c.Seats, h.r.seatLocked(seat))
	}
	return c
}

// floorLocked is the seat view of a floor, or of all; of the other floors it names the plan only. Both mutexes are held.
func (h *hub) floorLocked(floor string) wire.Floor {
	v := h.r.view
	f := wire.Floor{
		Rev: max(h.rev, uint64(v.rev)), Only: floor, Statuses: v.defs, At: time.Now().UTC(),
		Floors: make([]wire.FloorPlan, 0, len(v.floors)), Seats: []wire.SeatState{},
	}
	if !v.site.v.SeatView {
		return f
	}
	if now := time.Now(); now.Sub(h.loadsAt) > 2*loadEvery { // nobody has watched just now
		h.sawLocked(h.r.loadsLocked(), now)
	}
	f.Queues = h.loads
	if h.turnout.all { // nobody has watched, or every seat may have changed
		h.countLocked()
	}
	f.Counts = h.countsLocked(func(string) bool { return true })
	for _, id := range sorted(v.groups) {
		f.Groups = append(f.Groups, wire.Group(v.groups[id].v))
	}
	for _, id := range sorted(v.floors) {
		plan := wire.FloorPlan(v.floors[id].v)
		if floor != "" && id != floor {
			plan.Shapes = nil
		}
		f.Floors = append(f.Floors, plan)
	}
	if h.order == nil {
		h.order = map[string][]string{"": sorted(v.seats)}
		for _, id := range h.order[""] {
			on := v.seats[id].v.Floor
			h.order[on] = append(h.order[on], id)
		}
	}
	f.Seats = slices.Grow(f.Seats, len(h.order[floor]))
	for _, id := range h.order[floor] {
		f.Seats = append(f.Seats, h.r.seatLocked(id))
	}
	return f
}

// seatLocked is a seat as others see it: also why no call comes to an agent whose status would take one.
func (r *Roster) seatLocked(id string) wire.SeatState {
	s := r.view.seat(id)
	if s.Account == "" {
		return s
	}
	if a := r.view.agents[s.Account].v; r.view.available(a.Status) && a.Conn == connUp {
		s.Missing = r.missingLocked(a)
	}
	return s
}

// readinessLocked says that the agent's phone has changed in what only this node knows.
func (r *Roster) readinessLocked(account string) {
	a := r.view.agents[account].v
	if s, ok := r.view.spotOf(KindAgent, account); ok && a.Conn == connUp && r.view.available(a.Status) { // else it is not shown
		r.hub.changed(KindAgent, s)
	}
}

// Floor is the seat view as it is now.
func (r *Roster) Floor() wire.Floor {
	r.mu.RLock()
	defer r.mu.RUnlock()
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	return r.hub.floorLocked("")
}

// watchFloor is a phone's wish to see a floor.
func (r *Roster) watchFloor(l *link, m wire.WatchFloor) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if m.On && !r.view.viewable(l.account) {
		return wire.Problem{Code: wire.ProblemForbidden}
	}
	r.hub.watch(l, m.On, r.floorFor(l.account, m))
	l.wake()
	return nil
}

// floorFor is the floor that is meant; "" all.
func (r *Roster) floorFor(account string, m wire.WatchFloor) string {
	floor := m.Floor
	if m.Mine {
		floor = r.view.seats[r.view.agents[account].v.Seat].v.Floor
		if all := sorted(r.view.floors); floor == "" && len(all) > 0 {
			floor = all[0]
		}
	}
	if _, ok := r.view.floors[floor]; !ok {
		return ""
	}
	return floor
}

// applyLocked takes an event over and notes what of the seat view and of the rota it concerns.
func (r *Roster) applyLocked(e ledger.Event) (changed bool, err error) {
	kind, id, _ := ledger.Split(e.Subject)
	before, was := r.view.spotOf(kind, id)
	holder, seats := r.view.terminals[id].v.Holder, len(r.view.seats)
	if changed, err = r.view.apply(e); !changed {
		return false, err
	}
	after, is := r.view.spotOf(kind, id)
	if kind == KindSeat && (seats != len(r.view.seats) || before.floor != after.floor) {
		r.hub.reorder()
	}
	spots := make([]spot, 0, 2)
	if was {
		spots = append(spots, before)
	}
	if is && (!was || after != before) {
		spots = append(spots, after)
	}
	r.hub.changed(kind, spots...)
	switch kind {
	case KindAccount:
		r.hub.mayLook(r.links[id])
		r.rota.touch(id)
	case KindAgent, KindFactor:
		r.rota.touch(id)
	case KindTerminal:
		r.rota.touch(holder)
		r.rota.touch(r.view.terminals[id].v.Holder)
	case KindSite, KindStatus, KindPolicy:
		r.rota.all = true
	}
	return true, err
}
