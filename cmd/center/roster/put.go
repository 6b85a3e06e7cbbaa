package roster

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// sole is the one row that a setup holds.
func (s Setup) sole() (kind, id string, err error) {
	n := len(s.Accounts) + len(s.Terminals) + len(s.Statuses) + len(s.Floors) + len(s.Seats) + len(s.Queues) + len(s.Groups) + len(s.Policies) + len(s.Calendars) + len(s.PBXs) + len(s.Outcomes) + len(s.Contacts)
	switch {
	case s.Site != nil && n == 0:
		return KindSite, siteID, nil
	case s.Site != nil || n != 1:
		return "", "", fmt.Errorf("put: %d rows, not one", n)
	case len(s.Accounts) == 1:
		return KindAccount, s.Accounts[0].Account, nil
	case len(s.Terminals) == 1:
		return KindTerminal, s.Terminals[0].Extension, nil
	case len(s.Statuses) == 1:
		return KindStatus, s.Statuses[0].ID, nil
	case len(s.Floors) == 1:
		return KindFloor, s.Floors[0].ID, nil
	case len(s.Seats) == 1:
		return KindSeat, s.Seats[0].ID, nil
	case len(s.Queues) == 1:
		return KindQueue, s.Queues[0].Extension, nil
	case len(s.Groups) == 1:
		return KindGroup, s.Groups[0].ID, nil
	case len(s.Policies) == 1:
		return KindPolicy, s.Policies[0].ID, nil
	case len(s.Calendars) == 1:
		return KindCalendar, s.Calendars[0].ID, nil
	case len(s.Outcomes) == 1:
		return KindOutcome, s.Outcomes[0].ID, nil
	case len(s.Contacts) == 1:
		return KindContact, s.Contacts[0].ID, nil
	}
	return KindPBX, s.PBXs[0].ID, nil
}

// Put makes the one row of the setup what it says: what it leaves out is gone, but for secrets. expect is the revision that the change was
// decided on, "" for a new row, nil for whatever there is. Its errors are wire.Problem (row.stale, row.exists, …) or hold Faults.
func (r *Roster) Put(ctx context.Context, s Setup, expect *Rev, by string) (Rev, error) {
	kind, id, err := s.sole()
	if err != nil {
		return "", err
	}
	hashes, err := r.prepare(ctx, s)
	if err != nil {
		return "", fmt.Errorf("put %s %s: %w", kind, id, err)
	}
	err = r.change(ctx, by, func(d *draft) error {
		if err := d.fits(kind, id, expect); err != nil {
			return err
		}
		p := plan{view: d.view, vault: r.vault, setup: s, hashes: hashes, draft: d}
		if err := p.check(); err != nil {
			return err
		}
		if err := p.write(); err != nil {
			return err
		}
		return p.replace(by)
	})
	if err != nil {
		return "", fmt.Errorf("put %s %s: %w", kind, id, err)
	}
	row, _ := r.Row(kind, id)
	return row.Rev, nil
}

// prepare checks the setup and hashes its passwords, which takes too long to be done inside a change.
func (r *Roster) prepare(ctx context.Context, s Setup) (map[string]string, error) {
	r.mu.RLock()
	p := plan{view: r.view, vault: r.vault, setup: s}
	err := p.check()
	known := map[string]string{}
	for _, a := range s.Accounts {
		known[a.Account] = r.view.accounts[a.Account].v.Hash
	}
	r.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	return r.hashAll(ctx, s.Accounts, known)
}

// fits says whether the row is as whoever changes it believes.
func (v *view) fits(kind, id string, expect *Rev) error {
	if expect == nil {
		return nil
	}
	now, ok := v.one(kind, id)
	switch {
	case *expect == "" && ok:
		return wire.Problem{Code: wire.ProblemExists, Holes: map[string]string{"id": id}}
	case *expect != "" && !ok:
		return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": id}}
	case *expect != "" && now.Rev != *expect:
		return wire.Problem{Code: wire.ProblemStale}
	}
	return nil
}

// replace makes of an import, which adds, a row that is as it says and no more.
func (p *plan) replace(by string) error {
	for _, a := range p.setup.Accounts {
		if err := p.replaceAccount(a, by); err != nil {
			return err
		}
	}
	for _, t := range p.setup.Terminals {
		p.replaceTerminal(t, by)
	}
	for _, s := range p.setup.Statuses {
		p.keepOrder(s.ID)
	}
	p.draft.changes = slices.DeleteFunc(p.draft.changes, p.idle)
	return nil
}

func (p *plan) replaceAccount(a AccountSetup, by string) error {
	if a.Off || a.role() != "administrator" {
		if err := p.notTheLast(a.Account); err != nil {
			return err
		}
	}
	if a.Terminals != nil {
		for ext, t := range p.terminals {
			if t.v.Account == a.Account && !slices.Contains(a.Terminals, ext) {
				p.draft.terminal(ext, "setup").Account = ""
			}
		}
	}
	if a.Off && p.agents[a.Account].v.Session != nil {
		p.draft.end(a.Account, p.name(by), "suspended")
	}
	return nil
}

// notTheLast refuses to take away the last administrator.
func (v *view) notTheLast(account string) error {
	other := false
	for id, a := range v.accounts {
		other = other || id != account && a.v.Role == "administrator" && !a.v.Off
	}
	if a, ok := v.accounts[account]; ok && a.v.Role == "administrator" && !other {
		return wire.Problem{Code: wire.ProblemLastAdmin}
	}
	return nil
}

func (p *plan) replaceTerminal(t TerminalSetup, by string) {
	put := p.draft.terminal(t.Extension, "setup")
	put.Account = t.Account
	if put.Type != typeTrunk {
		put.Trunk = nil
	}
	p.dismiss(t.Extension, by)
}

// dismiss ends the session of whoever is signed in with what is no agent's terminal any more. One that is another agent's now does not
// end it: the phone is told, and mends it when the person wants to (PRODUCT A17); its new owner may take it over.
func (p *plan) dismiss(ext, by string) {
	if t := *p.draft.terminal(ext, "setup"); t.Holder != "" && t.Type == typeTrunk {
		p.draft.end(t.Holder, p.name(by), "terminal taken away")
	}
}

// keepOrder leaves a status where it stands; a new one comes last.
func (p *plan) keepOrder(id string) {
	c := p.draft.find(KindStatus, id, "setup")
	if c == nil {
		return
	}
	order := 0
	for _, s := range p.statuses {
		order = max(order, s.v.Order+1)
	}
	if old, ok := p.statuses[id]; ok {
		order = old.v.Order
	}
	c.value.(*Status).Order = order
}

// idle is a change that changes nothing.
func (p *plan) idle(c change) bool {
	switch v := c.value.(type) {
	case *Terminal:
		return c.expect != 0 && reflect.DeepEqual(*v, p.terminals[c.id].v)
	case *Status:
		return c.expect != 0 && reflect.DeepEqual(*v, p.statuses[c.id].v)
	}
	return false
}

// Sort puts the center's own statuses into that order.
func (r *Roster) Sort(ctx context.Context, ids []string, by string) error {
	return r.change(ctx, by, func(d *draft) error {
		for id := range d.statuses {
			if !slices.Contains(ids, id) {
				return wire.Problem{Code: wire.ProblemStale}
			}
		}
		for i, id := range ids {
			old, ok := d.statuses[id]
			if !ok || slices.Index(ids, id) != i {
				return wire.Problem{Code: wire.ProblemStale}
			}
			if s := old.v; s.Order != i {
				s.Order = i
				d.add(KindStatus, id, old.seq, &s, "order")
			}
		}
		return nil
	})
}

// SignOut ends an account's session.
func (r *Roster) SignOut(ctx context.Context, account, by string) error {
	return r.change(ctx, by, func(d *draft) error {
		if _, ok := d.accounts[account]; !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": account}}
		}
		if d.agents[account].v.Session != nil {
			d.end(account, d.name(by), "signed out by "+by)
		}
		return nil
	})
}

// tombstone says that the entity is no more.
func (d *draft) tombstone(kind, id string, expect ledger.Seq) {
	d.changes = slices.DeleteFunc(d.changes, func(c change) bool { return c.kind == kind && c.id == id })
	d.add(kind, id, expect, nil, "removed")
}
