package roster

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// KindLoad is who waits at the node that serves the telephones, one record for each node, so that the others can show it. Only a center
// of several nodes writes it.
const KindLoad = "load"

// loadEvery is how often the seat view is told who waits, at most.
const loadEvery = time.Second

// Load is the callers in the queues of one node, by extension.
type Load map[string]Waiting

// Waiting is how many wait in a queue, and since when the first of them does.
type Waiting struct {
	Callers int       `json:"callers"`
	Since   time.Time `json:"since"`
}

// ownLoadLocked is who waits at this node.
func (r *Roster) ownLoadLocked() Load {
	all := Load{}
	for _, w := range r.waiting { // in the order in which they came
		if w.gone {
			continue
		}
		n := all[w.queue]
		if n.Callers++; n.Callers == 1 {
			n.Since = w.came.UTC().Truncate(time.Millisecond)
		}
		all[w.queue] = n
	}
	return all
}

// loadsLocked is every queue of the center as it is now, by name.
func (r *Roster) loadsLocked() []wire.QueueLoad {
	if len(r.view.queues) == 0 {
		return nil
	}
	here := r.ownLoadLocked()
	for node, far := range r.view.loads {
		if _, lost := r.lostLocked(node); node == r.cfg.Node || lost {
			continue
		}
		for queue, n := range far.v {
			is := here[queue]
			if is.Callers == 0 || n.Since.Before(is.Since) {
				is.Since = n.Since
			}
			is.Callers += n.Callers
			here[queue] = is
		}
	}
	free, alike := r.freeLocked()
	all := make([]wire.QueueLoad, 0, len(r.view.queues))
	for _, id := range sorted(r.view.queues) {
		row := r.view.queues[id].v
		q := wire.QueueLoad{ID: id, Name: row.Name, Waiting: here[id].Callers, Since: here[id].Since}
		for _, c := range alike {
			if row.has(c.one) {
				q.Free += c.n
			}
		}
		for _, account := range row.Agents {
			if a, ok := free[account]; ok && !row.has(a) {
				q.Free++
			}
		}
		all = append(all, q)
	}
	slices.SortStableFunc(all, func(a, b wire.QueueLoad) int { return compareIDs(a.Name, b.Name) })
	return all
}

// alike are agents whom the same queues ring, but for those that name them. one has no name, so that no queue has it by that.
type alike struct {
	one Account
	n   int
}

// freeLocked are the agents to whom a call may go, each as one of its kind, and how many of a kind there are.
func (r *Roster) freeLocked() (map[string]Account, map[string]*alike) {
	now, free, all := time.Now(), map[string]Account{}, map[string]*alike{}
	for account := range r.view.takers {
		if !r.routableLocked(account, now) {
			continue
		}
		a := r.view.accounts[account].v
		key := strconv.FormatBool(a.Agent) + "\x00" + strings.Join(a.Groups, "\x00")
		c := all[key]
		if c == nil {
			c = &alike{one: Account{Agent: a.Agent, Groups: a.Groups}}
			all[key] = c
		}
		c.n++
		free[account] = c.one
	}
	return free, all
}

// watchLoads tells the seat view, and the other nodes of the center, who waits, until ctx ends.
func (r *Roster) watchLoads(ctx context.Context) error {
	tick := time.NewTicker(loadEvery)
	defer tick.Stop()
	for {
		r.hub.look()
		if r.cfg.Node != soloNode {
			if err := r.writeLoad(ctx); err != nil && ctx.Err() == nil {
				r.log.Debug("who waits is not told to other nodes", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// writeLoad writes down who waits here, if that has changed.
func (r *Roster) writeLoad(ctx context.Context) error {
	return r.change(ctx, bySystem, func(d *draft) error {
		now, known := r.ownLoadLocked(), d.loads[r.cfg.Node]
		if len(now) == 0 && len(known.v) == 0 || equalLoads(now, known.v) {
			return nil
		}
		d.add(KindLoad, r.cfg.Node, max(known.seq, d.gone[ledger.Subject(KindLoad, r.cfg.Node)]), &now, "callers waiting")
		return nil
	})
}

func equalLoads(a, b Load) bool {
	if len(a) != len(b) {
		return false
	}
	for queue, n := range a {
		if o, ok := b[queue]; !ok || o.Callers != n.Callers || !o.Since.Equal(n.Since) {
			return false
		}
	}
	return true
}
