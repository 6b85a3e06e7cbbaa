package roster

import (
	"context"
	"fmt"
	"reflect"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// FloorMap is a floor with all its seats, as a map editor has it.
type FloorMap struct {
	Floor FloorSetup  `json:"floor"`
	Seats []SeatSetup `json:"seats"`
}

// Map is the map of a floor.
func (r *Roster) Map(floor string) (FloorMap, Rev, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	m, ok := r.view.mapOf(floor)
	return m, revOf(m), ok
}

func (v *view) mapOf(floor string) (FloorMap, bool) {
	f, ok := v.floors[floor]
	m := FloorMap{Floor: f.v, Seats: []SeatSetup{}}
	for _, id := range sorted(v.seats) {
		if s := v.seats[id].v; s.Floor == floor {
			m.Seats = append(m.Seats, SeatSetup{ID: s.ID, Name: s.Name, Floor: s.Floor, X: s.X, Y: s.Y})
		}
	}
	return m, ok
}

// PutMap makes the floor and its seats what the map says, all or nothing: seats that it does not name are gone, and who sat there sits
// nowhere. expect as in Put.
func (r *Roster) PutMap(ctx context.Context, m FloorMap, expect *Rev, by string) (Rev, error) {
	err := r.change(ctx, by, func(d *draft) error {
		now, ok := d.mapOf(m.Floor.ID)
		switch {
		case !ok:
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": m.Floor.ID}}
		case expect != nil && *expect != revOf(now):
			return wire.Problem{Code: wire.ProblemStale}
		}
		return r.draw(d, m, now)
	})
	if err != nil {
		return "", fmt.Errorf("map of floor %s: %w", m.Floor.ID, err)
	}
	_, rev, _ := r.Map(m.Floor.ID)
	return rev, nil
}

func (r *Roster) draw(d *draft, m, now FloorMap) error {
	p := plan{view: d.view, vault: r.vault, setup: Setup{Floors: []FloorSetup{m.Floor}, Seats: m.Seats}, draft: d}
	stays := map[string]bool{}
	p.gone = map[string]bool{}
	for i, s := range m.Seats {
		stays[s.ID] = true
		if old, ok := d.seats[s.ID]; ok && old.v.Floor != m.Floor.ID {
			p.bad("seats", i, "id", "%q is on floor %q already", s.ID, old.v.Floor)
		}
		m.Seats[i].Floor = m.Floor.ID
	}
	for _, s := range now.Seats {
		p.gone[s.ID] = !stays[s.ID]
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := p.write(); err != nil {
		return err
	}
	for _, s := range now.Seats {
		if !stays[s.ID] {
			d.clear(s.ID, "seat removed")
			d.tombstone(KindSeat, s.ID, d.seats[s.ID].seq)
		}
	}
	if len(d.changes) > ledger.MaxWrites {
		return fmt.Errorf("%d changes at once, not more than %d", len(d.changes), ledger.MaxWrites)
	}
	return nil
}

// Touch is what a policy changes for one account.
type Touch struct {
	Account string  `json:"account"`
	Name    string  `json:"name"`
	Fields  []Shift `json:"fields"`
}

// Shift is a setting of Rules before and after.
type Shift struct {
	Field string `json:"field"`
	Was   any    `json:"was"`
	Is    any    `json:"is"`
}

// Preview says whom a policy would touch if it were saved as it is: everybody it is for, with what would differ from now.
func (r *Roster) Preview(p Policy) []Touch {
	r.mu.RLock()
	defer r.mu.RUnlock()
	then := *r.view
	then.policies = map[string]row[Policy]{}
	for id, old := range r.view.policies {
		then.policies[id] = old
	}
	p.Set = kept(p.Set)
	then.policies[p.ID] = row[Policy]{v: p}
	then.orderPolicies()
	touched := []Touch{}
	for _, id := range sorted(r.view.accounts) {
		a := r.view.accounts[id].v
		was, is := flat(r.view.rulesOf(id)), flat(then.rulesOf(id))
		t := Touch{Account: id, Name: r.view.name(id), Fields: []Shift{}}
		for i := range was {
			if !reflect.DeepEqual(was[i], is[i]) {
				t.Fields = append(t.Fields, Shift{was[i].Field, was[i].Is, is[i].Is})
			}
		}
		if p.of(a) || len(t.Fields) > 0 {
			touched = append(touched, t)
		}
	}
	return touched
}

// flat are the rules by the names of PolicySet.
func flat(r Rules) []Shift {
	all := []Shift{{Field: "record", Is: r.Policy.Record}, {Field: "tone", Is: r.Policy.Tone}, {Field: "replay", Is: r.Policy.Replay},
		{Field: "hear", Is: r.Policy.Hear}, {Field: "clip", Is: r.Clip}, {Field: "attendTone", Is: r.AttendTone}, {Field: "keep", Is: r.Keep}, {Field: "view", Is: r.View}, {Field: "book", Is: r.Book}, {Field: "answer", Is: r.Answer},
		{Field: "afterWorkSeconds", Is: r.AfterWorkSeconds}, {Field: "misses", Is: r.Misses}, {Field: "factor", Is: r.Factor}}
	crm := wire.CRM{}
	if r.CRM != nil {
		crm = *r.CRM
	}
	all = append(all, Shift{Field: "crm.login", Is: crm.Login}, Shift{Field: "crm.call", Is: crm.Call}, Shift{Field: "crm.when", Is: crm.When}, Shift{Field: "crm.outside", Is: crm.Outside})
	for _, s := range wire.AllSettings() {
		all = append(all, Shift{Field: "locked." + s.Name, Is: r.Locked[s.Name]})
	}
	return all
}
