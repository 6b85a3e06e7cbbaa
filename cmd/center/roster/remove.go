package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// Remove takes a row away. What refers to it is named by a wire.Problem row.in_use; who is signed in with it, sits on it, or is it, is
// freed in the same change.
func (r *Roster) Remove(ctx context.Context, kind, id string, expect *Rev, by string) error {
	err := r.change(ctx, by, func(d *draft) error {
		if kind == KindContact {
			return d.strike(id, expect)
		}
		seq, ok := d.seq(kind, id)
		if !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": id}}
		}
		if err := d.fits(kind, id, expect); err != nil {
			return err
		}
		if used := d.usersOf(kind, id); len(used) > 0 {
			return wire.Problem{Code: wire.ProblemInUse, Holes: map[string]string{"by": names(used)}}
		}
		if err := d.vacate(kind, id, by); err != nil {
			return err
		}
		d.tombstone(kind, id, seq)
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove %s %s: %w", kind, id, err)
	}
	return nil
}

// names are the first of them, for a sentence.
func names(all []string) string {
	const most = 5
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > most {
		return fmt.Sprintf("%s … (%d)", strings.Join(all[:most], ", "), len(all))
	}
	return strings.Join(all, ", ")
}

// seq is the last event of a row that can be removed.
func (v *view) seq(kind, id string) (ledger.Seq, bool) {
	switch kind {
	case KindAccount:
		return at(v.accounts, id)
	case KindTerminal:
		return at(v.terminals, id)
	case KindStatus:
		return at(v.statuses, id)
	case KindFloor:
		return at(v.floors, id)
	case KindSeat:
		return at(v.seats, id)
	case KindQueue:
		return at(v.queues, id)
	case KindGroup:
		return at(v.groups, id)
	case KindPolicy:
		return at(v.policies, id)
	case KindCalendar:
		return at(v.calendars, id)
	case KindPBX:
		return at(v.pbxs, id)
	case KindOutcome:
		return at(v.outcomes, id)
	}
	return 0, false
}

func at[T any](rows map[string]row[T], id string) (ledger.Seq, bool) {
	r, ok := rows[id]
	return r.seq, ok
}

// usersOf names what refers to a row. That an account owns a softphone or sits on a seat is no reason to keep it; that a queue or a policy
// is for it is one, since without its last name it would be for everybody.
func (v *view) usersOf(kind, id string) (used []string) {
	for q := range maps.Values(v.queues) {
		if v.queueUses(q.v, kind, id) {
			used = append(used, strings.TrimSpace(q.v.Extension+" "+q.v.Name))
		}
	}
	for t := range maps.Values(v.terminals) {
		if n := t.v.Trunk; n != nil && (kind == KindQueue || kind == KindTerminal) && t.v.Extension != id &&
			slices.ContainsFunc(n.Numbers, func(n Number) bool { return n.To == id }) {
			used = append(used, or(t.v.Name, t.v.Extension))
		}
	}
	switch kind {
	case KindAccount, KindGroup:
		for p := range maps.Values(v.policies) {
			if kind == KindAccount && slices.Contains(p.v.Accounts, id) || kind == KindGroup && slices.Contains(p.v.Groups, id) {
				used = append(used, or(p.v.Name, p.v.ID))
			}
		}
	case KindFloor:
		for s := range maps.Values(v.seats) {
			if s.v.Floor == id {
				used = append(used, s.v.Name)
			}
		}
	case KindStatus:
		for a := range maps.Values(v.agents) {
			if a.v.Status == id || a.v.Next == id {
				used = append(used, v.name(a.v.Account))
			}
		}
	}
	if kind == KindGroup {
		for a := range maps.Values(v.accounts) {
			if slices.Contains(a.v.Groups, id) {
				used = append(used, or(a.v.Name, a.v.Account))
			}
		}
	}
	if kind == KindQueue {
		for o := range maps.Values(v.outcomes) {
			if slices.Contains(o.v.Queues, id) {
				used = append(used, o.v.Name.In("ja"))
			}
		}
		for b := range maps.Values(v.pbxs) {
			if _, ok := b.v.Queues[id]; ok {
				used = append(used, or(b.v.Name, b.v.ID))
			}
		}
	}
	return used
}

func (v *view) queueUses(q Queue, kind, id string) bool {
	leads := func(r QueueRule) bool { return r.To == id && (r.Do == "queue") == (kind == KindQueue) }
	switch kind {
	case KindAccount:
		return slices.Contains(q.Agents, id)
	case KindGroup:
		return slices.Contains(q.Groups, id)
	case KindCalendar:
		return q.Calendar == id
	case KindQueue, KindTerminal:
		return slices.ContainsFunc(q.Rules, leads) && q.Extension != id
	}
	return false
}

// vacate frees what hangs on a row that goes.
func (d *draft) vacate(kind, id, by string) error {
	switch kind {
	case KindAccount:
		if err := d.notTheLast(id); err != nil {
			return err
		}
		if d.agents[id].v.Session != nil {
			d.end(id, d.name(by), "account removed")
		}
		for ext, t := range d.terminals {
			if t.v.Account == id {
				d.terminal(ext, "account removed").Account = ""
			}
		}
		if f, ok := d.factors[id]; ok {
			d.tombstone(KindFactor, id, f.seq)
		}
		d.unattend(id, wire.ProblemNotLed)
		d.forgetMail(id)
	case KindTerminal:
		if h := d.terminals[id].v.Holder; h != "" {
			d.end(h, d.name(by), "terminal removed")
		}
	case KindSeat:
		d.clear(id, "seat removed")
	}
	return nil
}

// clear has whoever sits there sit nowhere.
func (d *draft) clear(seat, why string) {
	if h := d.seats[seat].v.Holder; h != "" && d.agents[h].v.Seat == seat {
		d.agent(h, why).Seat = ""
	}
}
