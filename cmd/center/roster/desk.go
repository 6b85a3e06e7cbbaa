package roster

import (
	"context"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// reservation keeps an agent for the call that is about to ring there.
type reservation struct{ until time.Time }

// reserveTime is how long an offer may take to reach the phone.
const reserveTime = 20 * time.Second

var _ exchange.Desk = (*Roster)(nil)

// Terminal implements exchange.Desk.
func (r *Roster) Terminal(user string) (exchange.Terminal, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	row, ok := r.view.terminals[user]
	if !ok {
		return exchange.Terminal{}, false
	}
	t, realm := row.v, r.view.site.v.Domain
	name := t.Name
	if t.Holder != "" {
		name = r.view.name(t.Holder)
	}
	return exchange.Terminal{
		User: t.Extension, Type: t.Type, Account: t.Holder, Name: name, Epoch: t.Epoch,
		HA1: func(algorithm string) (string, bool) { return r.vault.ha1(t, realm, algorithm) },
	}, true
}

// Queue implements exchange.Desk.
func (r *Roster) Queue(extension string) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	q, ok := r.view.queues[extension]
	return q.v.Name, ok
}

// Offer implements exchange.Desk.
func (r *Roster) Offer(queue string, tried []string) (exchange.Offer, func(), bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	members := r.view.queues[queue].v.Agents
	best := ""
	for account, a := range r.view.agents {
		if len(members) > 0 && !slices.Contains(members, account) || !r.routableLocked(a.v, now) || slices.Contains(tried, account) {
			continue
		}
		if best == "" || longer(a.v, r.view.agents[best].v) {
			best = account
		}
	}
	if best == "" {
		return exchange.Offer{}, func() {}, false
	}
	mine := &reservation{now.Add(reserveTime)}
	r.reserved[best] = mine
	release := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reserved[best] == mine {
			delete(r.reserved, best)
		}
	}
	site := r.view.site.v
	return exchange.Offer{Account: best, User: r.view.agents[best].v.Terminal, RingTime: site.ringTime()}, release, true
}

// longer says that a has been free for longer than b.
func longer(a, b Agent) bool {
	if c := a.free().Compare(b.free()); c != 0 {
		return c < 0
	}
	return a.Account < b.Account
}

// routableLocked: Available, connected, registered, in no call and not reserved.
func (r *Roster) routableLocked(a Agent, now time.Time) bool {
	if a.Session == nil || a.Conn != connUp || a.inCall() || !r.view.available(a.Status) {
		return false
	}
	if res := r.reserved[a.Account]; res != nil && now.Before(res.until) {
		return false
	}
	l := r.links[a.Account]
	if l == nil || l.session != a.Session.ID {
		return false
	}
	t := r.view.terminals[a.Terminal].v
	return !t.wire().Soft() || l.registered()
}

func (r *Roster) unreserve(account string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.reserved, account)
}

// Missed implements exchange.Desk.
func (r *Roster) Missed(account, call string, declined bool) {
	r.log.Info("offer not taken", "account", account, "call", call, "declined", declined)
	do := func(ctx context.Context) {
		err := r.change(ctx, bySystem, func(d *draft) error {
			d.missed(account)
			return nil
		})
		if err != nil && ctx.Err() == nil {
			r.log.Warn("count a missed call", "account", account, "err", err)
		}
	}
	select {
	case r.later <- do:
	default:
		r.log.Warn("too much to do: a missed call is not counted", "account", account)
	}
}

// Site is the center's settings as they are now.
func (r *Roster) Site() Site {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.site.v
}

// Person is an account as other rooms may see it.
type Person struct {
	Account string
	Name    string
	Role    string // agent, supervisor, administrator
	Agent   bool   // has a status and takes outside calls
}

func person(a Account) Person { return Person{a.Account, a.Name, a.Role, a.Agent} }

// People are all accounts, by name.
func (r *Roster) People() []Person {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Person, 0, len(r.view.accounts))
	for _, id := range sorted(r.view.accounts) {
		all = append(all, person(r.view.accounts[id].v))
	}
	return all
}

// Floor is the seat view as it is now.
func (r *Roster) Floor() wire.Floor { return r.floorFor("") }

// floorFor is the seat view with the account's own seat marked.
func (r *Roster) floorFor(account string) wire.Floor {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.floor == nil {
		f := r.view.floor()
		r.floor = &f
	}
	f := *r.floor
	f.Mine, f.At = r.view.agents[account].v.Seat, time.Now().UTC()
	return f
}

func (v *view) floor() wire.Floor {
	f := wire.Floor{
		Rev: uint64(v.rev), Statuses: v.defs,
		Floors: make([]wire.FloorPlan, 0, len(v.floors)), Seats: make([]wire.SeatState, 0, len(v.seats)),
	}
	if !v.site.v.SeatView {
		return f
	}
	for _, id := range sorted(v.floors) {
		f.Floors = append(f.Floors, wire.FloorPlan{ID: id, Name: v.floors[id].v.Name})
	}
	for _, id := range sorted(v.seats) {
		f.Seats = append(f.Seats, v.seat(id))
	}
	return f
}

func (v *view) seat(id string) wire.SeatState {
	s := v.seats[id].v
	out := wire.SeatState{ID: s.ID, Name: s.Name, Floor: s.Floor, X: s.X, Y: s.Y}
	if s.Holder == "" {
		return out
	}
	a := v.agents[s.Holder].v
	out.Account, out.Agent, out.Extension = s.Holder, v.name(s.Holder), a.Terminal
	out.Status, out.Since = a.shown()
	if len(a.Calls) > 0 {
		out.Peer = a.Calls[len(a.Calls)-1].Peer
	}
	return out
}

// sorted are the keys, "2" before "10".
func sorted[T any](m map[string]T) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if len(a) != len(b) && digits(a) && digits(b) {
			return len(a) - len(b)
		}
		return slices.Compare([]byte(a), []byte(b))
	})
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
