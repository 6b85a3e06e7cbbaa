package roster

import (
	"context"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// reservation keeps an agent for the call that is about to ring there; until is zero for one that has no end of its own.
type reservation struct{ until time.Time }

// reserveTime is how long an offer that another exchange carries out may take to reach the phone.
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
		User: t.Extension, Type: t.Type, Account: t.Holder, Owner: t.Account, Name: name, Epoch: t.Epoch,
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
	now, may := time.Now(), func(account string) bool { return !slices.Contains(tried, account) }
	best, why := r.bestLocked(queue, now, may)
	if best == "" {
		return exchange.Offer{}, func() {}, false
	}
	return r.offerLocked(queue, best, why, now, may), r.reserveLocked(best, reserveTime), true
}

// longer says that a has been free for longer than b.
func longer(a, b Agent) bool {
	if c := a.free().Compare(b.free()); c != 0 {
		return c < 0
	}
	return a.Account < b.Account
}

// routableLocked: Available, connected, in no call, not reserved, and proven ready (PRODUCT G1).
func (r *Roster) routableLocked(account string, now time.Time) bool {
	if _, takes := r.view.takers[account]; !takes {
		return false
	}
	if res := r.reserved[account]; res != nil && (res.until.IsZero() || now.Before(res.until)) {
		return false
	}
	return len(r.missingLocked(r.view.agents[account].v)) == 0
}

// reported ends, when what it returns is called, the reservation that the agent has now: its phone has told of the call. One that
// is made while that is written down stays.
func (r *Roster) reported(account string) (done func()) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	before := r.reserved[account]
	if before == nil {
		return func() {}
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reserved[account] == before {
			delete(r.reserved, account)
			r.wakeLocked(account)
		}
	}
}

// Receipt implements exchange.Desk. It is written when it differs from the one before: a phone that rings does so all day.
func (r *Roster) Receipt(account, how string) {
	r.mu.RLock()
	same := r.view.agents[account].v.Ring == how
	r.mu.RUnlock()
	if same {
		return
	}
	r.soon("receipt of an offer", account, func(d *draft) error {
		if now := d.agents[account].v; now.Session != nil && now.Ring != how {
			d.agent(account, "receipt").Ring = how
		}
		return nil
	})
}

// Missed implements exchange.Desk.
func (r *Roster) Missed(account, call string, declined bool) {
	r.log.Info("offer not taken", "account", account, "call", call, "declined", declined)
	r.countMiss(account, Miss{Call: call})
}

// countMiss counts as soon as there is time for it.
func (r *Roster) countMiss(account string, m Miss) {
	r.soon("count a missed call", account, func(d *draft) error {
		d.missed(account, m)
		return nil
	})
}

// soon carries out a rule as soon as there is time for it: the exchange does not wait.
func (r *Roster) soon(what, account string, rule func(*draft) error) {
	do := func(ctx context.Context) {
		if err := r.change(ctx, bySystem, rule); err != nil && ctx.Err() == nil {
			r.log.Warn(what, "account", account, "err", err)
		}
	}
	select {
	case r.later <- do:
	default:
		r.log.Warn("too much to do: "+what, "account", account)
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

func (v *view) seat(id string) wire.SeatState {
	s := v.seats[id].v
	if s.Holder == "" {
		return wire.SeatState{ID: s.ID, Name: s.Name, Floor: s.Floor, X: s.X, Y: s.Y}
	}
	out := v.agents[s.Holder].v.Face()
	out.ID, out.Name, out.Floor, out.X, out.Y = s.ID, s.Name, s.Floor, s.X, s.Y
	out.Account, out.Agent = s.Holder, v.name(s.Holder)
	out.Groups, out.Attended = v.accounts[s.Holder].v.Groups, v.listeners(s.Holder)
	return out
}

// sorted are the keys, "2" before "10".
func sorted[T any](m map[string]T) []string { return slices.SortedFunc(maps.Keys(m), compareIDs) }

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}
