package roster

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// view is the present state: the last event of every entity. Rows are replaced, never changed.
type view struct {
	site      row[Site]
	accounts  map[string]row[Account]
	terminals map[string]row[Terminal]
	agents    map[string]row[Agent]
	statuses  map[string]row[Status]
	floors    map[string]row[Floor]
	seats     map[string]row[Seat]
	queues    map[string]row[Queue]
	rev       ledger.Seq // newest event seen

	defs    []wire.StatusDef  // standard ones, then the own ones in order
	tokens  map[string]string // session's token hash → account
	resumes map[string]string
}

type row[T any] struct {
	seq ledger.Seq
	v   T
}

func newView() *view {
	return &view{
		site:     row[Site]{v: DefaultSite()},
		accounts: map[string]row[Account]{}, terminals: map[string]row[Terminal]{}, agents: map[string]row[Agent]{},
		statuses: map[string]row[Status]{}, floors: map[string]row[Floor]{}, seats: map[string]row[Seat]{},
		queues: map[string]row[Queue]{}, tokens: map[string]string{}, resumes: map[string]string{},
		defs: wire.StandardStatuses(),
	}
}

// apply takes over an event; changed is false for one that is known already or of no concern.
func (v *view) apply(e ledger.Event) (changed bool, err error) {
	kind, id, _ := ledger.Split(e.Subject)
	v.rev = max(v.rev, e.Seq)
	switch kind {
	case KindSite:
		one := map[string]row[Site]{siteID: v.site}
		changed, err = put(one, id, e)
		v.site = one[siteID]
	case KindAccount:
		changed, err = put(v.accounts, id, e)
	case KindTerminal:
		changed, err = put(v.terminals, id, e)
	case KindAgent:
		changed, err = v.applyAgent(id, e)
	case KindStatus:
		if changed, err = put(v.statuses, id, e); changed {
			v.orderStatuses()
		}
	case KindFloor:
		changed, err = put(v.floors, id, e)
	case KindSeat:
		changed, err = put(v.seats, id, e)
	case KindQueue:
		changed, err = put(v.queues, id, e)
	}
	return changed, err
}

func put[T any](rows map[string]row[T], id string, e ledger.Event) (bool, error) {
	if e.Seq <= rows[id].seq {
		return false, nil
	}
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return false, fmt.Errorf("event %d of %s: %w", e.Seq, e.Subject, err)
	}
	rows[id] = row[T]{e.Seq, v}
	return true, nil
}

func (v *view) applyAgent(id string, e ledger.Event) (bool, error) {
	before := v.agents[id].v.Session
	changed, err := put(v.agents, id, e)
	if !changed {
		return false, err
	}
	if before != nil {
		delete(v.tokens, before.Token)
		delete(v.resumes, before.Resume)
		delete(v.resumes, before.Before)
	}
	if s := v.agents[id].v.Session; s != nil {
		v.tokens[s.Token] = id
		v.resumes[s.Resume] = id
		if s.Before != "" {
			v.resumes[s.Before] = id
		}
	}
	return true, nil
}

func (v *view) orderStatuses() {
	own := slices.SortedFunc(maps.Values(v.statuses), func(a, b row[Status]) int { return a.v.Order - b.v.Order })
	v.defs = wire.StandardStatuses()
	for _, s := range own {
		v.defs = append(v.defs, s.v.StatusDef)
	}
}

func (v *view) profile() wire.Profile { return wire.ProfileOf(v.site.v.Profile) }

// def is the definition of a status; ok is false for an unknown one.
func (v *view) def(id string) (wire.StatusDef, bool) {
	i := slices.IndexFunc(v.defs, func(d wire.StatusDef) bool { return d.ID == id })
	if i < 0 {
		return wire.StatusDef{ID: id}, false
	}
	return v.defs[i], true
}

// available says whether outside calls ring in that status.
func (v *view) available(status string) bool {
	d, _ := v.def(status)
	return d.TakesOutside()
}

func (v *view) name(account string) string {
	if n := v.accounts[account].v.Name; n != "" {
		return n
	}
	return account
}

// state is the agent's record as its phone gets it.
func (v *view) state(account string) wire.AgentState {
	r := v.agents[account]
	a := r.v
	return wire.AgentState{
		Account: account, Status: a.Status, Since: a.Since, Until: a.Until, Next: a.Next,
		Seat: a.Seat, SeatName: v.seats[a.Seat].v.Name, Rev: uint64(r.seq),
	}
}

// draft collects what a rule changes, entity by entity, however often it touches one.
type draft struct {
	*view
	now     time.Time
	changes []change
}

// change is an entity's new state.
type change struct {
	kind, id string
	expect   ledger.Seq
	value    any // a pointer to the new state
	why      string
}

// agent is the agent's new state, to be changed in place.
func (d *draft) agent(account, why string) *Agent {
	if c := d.find(KindAgent, account, why); c != nil {
		return c.value.(*Agent)
	}
	r := d.agents[account]
	a := r.v.clone()
	a.Account = account
	d.add(KindAgent, account, r.seq, &a, why)
	return &a
}

func (d *draft) terminal(extension, why string) *Terminal {
	if c := d.find(KindTerminal, extension, why); c != nil {
		return c.value.(*Terminal)
	}
	r := d.terminals[extension]
	t := r.v
	d.add(KindTerminal, extension, r.seq, &t, why)
	return &t
}

func (d *draft) seat(id, why string) *Seat {
	if c := d.find(KindSeat, id, why); c != nil {
		return c.value.(*Seat)
	}
	r := d.seats[id]
	s := r.v
	d.add(KindSeat, id, r.seq, &s, why)
	return &s
}

func (d *draft) find(kind, id, why string) *change {
	for i := range d.changes {
		if c := &d.changes[i]; c.kind == kind && c.id == id {
			c.why = why
			return c
		}
	}
	return nil
}

func (d *draft) add(kind, id string, expect ledger.Seq, value any, why string) {
	d.changes = append(d.changes, change{kind, id, expect, value, why})
}
