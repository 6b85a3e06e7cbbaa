package roster

import (
	"slices"
	"time"

	"zaseki/web/wire"
)

// Face is what the agent's record alone says of its row in the seat view: the live view is made of it, and the floor as it was at another
// time, which knows the record only. What a seat, the settings and the connections add is not in it.
func (a Agent) Face() wire.SeatState {
	f := wire.SeatState{Account: a.Account, Extension: a.Terminal, Hand: a.Hand, Next: a.Next, Ring: a.Ring}
	f.Status, f.Since = a.shown()
	f.Over = a.Over && f.Status == a.Status
	if c := a.call(); c != nil {
		f.Call, f.Queue, f.Inbound, f.Talks = c.Phase, c.Queue, c.Inbound, c.At
	}
	if h := a.HandCall; h != nil && (h.Queue != "" || !h.Since.IsZero()) {
		f.HandCall = &wire.HandCall{Queue: h.Queue, Since: h.Since}
	}
	return f
}

// weight is how much a call's phase matters beside others.
var weight = map[string]int{wire.CallTalking: 5, wire.CallJoining: 4, wire.CallHeld: 3, wire.CallDialing: 2, wire.CallAlerted: 2, wire.CallOffered: 1}

// call is the one of several that matters most: the one that is talked in, of those the newest; nil: there is none.
func (a Agent) call() (most *Call) {
	for i := range a.Calls {
		if c := &a.Calls[i]; most == nil || weight[c.Phase] >= weight[most.Phase] {
			most = c
		}
	}
	return most
}

// MayLook says whether the account may open the seat view, and so its past (PRODUCT E4).
func (r *Roster) MayLook(account string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.site.v.SeatView && r.view.viewable(account)
}

// FloorOf is the seat view with these faces on its seats, by seat; floor "" or unknown: all floors. Floors, seats, statuses, groups, queues and what people
// are called are as they are now. A face on a seat that is no more is not shown.
func (r *Roster) FloorOf(floor string, faces map[string]wire.SeatState, at time.Time) wire.Floor {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if _, ok := r.view.floors[floor]; !ok {
		floor = ""
	}
	r.hub.mu.Lock()
	f := r.hub.floorLocked(floor)
	r.hub.mu.Unlock()
	f.Rev, f.At, f.Counts = 0, at, nil
	for i, s := range f.Seats {
		past := faces[s.ID]
		past.ID, past.Name, past.Floor, past.X, past.Y = s.ID, s.Name, s.Floor, s.X, s.Y
		if past.Account != "" {
			past.Agent, past.Groups = r.view.name(past.Account), r.view.accounts[past.Account].v.Groups
		}
		f.Seats[i] = past
	}
	f.Queues = slices.Clone(f.Queues)
	for i, q := range f.Queues {
		f.Queues[i] = wire.QueueLoad{ID: q.ID, Name: q.Name}
	}
	return f
}
