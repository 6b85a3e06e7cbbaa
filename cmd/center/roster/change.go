package roster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// bySystem is the actor of what nobody asked for.
const bySystem = "system"

// changeTime is how long a change may take; a cluster that elects a leader needs up to nine seconds.
const changeTime = 15 * time.Second

// change decides by the rule on the present state, commits, takes the result over and tells it. When another change came first
// the rule decides again.
func (r *Roster) change(ctx context.Context, by string, rule func(*draft) error) error {
	ctx, cancel := context.WithTimeout(ctx, changeTime)
	defer cancel()
	const tries = 20
	asked := false // the ledger, about what was in doubt
	for range tries {
		d, err := r.decide(rule)
		if len(d.doubts) > 0 && !asked {
			asked = true
			if err := r.refresh(ctx, d.doubts); err != nil {
				return err
			}
			continue
		}
		changes := d.changes
		if err != nil || len(changes) == 0 {
			return err
		}
		err = r.commit(ctx, by, changes)
		if errors.Is(err, ledger.ErrReadOnly) || errors.Is(err, ledger.ErrUnknown) {
			return fmt.Errorf("%w: %w", wire.Problem{Code: wire.ProblemReadOnly}, err)
		}
		if !errors.Is(err, ledger.ErrConflict) {
			return err
		}
		if err := r.refresh(ctx, changes); err != nil {
			return err
		}
	}
	return fmt.Errorf("change: others came first %d times: %w", tries, ledger.ErrConflict)
}

func (r *Roster) decide(rule func(*draft) error) (*draft, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := &draft{view: r.view, now: time.Now().UTC().Truncate(time.Microsecond)}
	return d, rule(d)
}

func (r *Roster) commit(ctx context.Context, by string, changes []change) error {
	op, at := rand.Text(), time.Now()
	writes := make([]ledger.Write, len(changes))
	for i, c := range changes {
		data, err := json.Marshal(c.value)
		if err != nil {
			return fmt.Errorf("change of %s %s: %w", c.kind, c.id, err)
		}
		writes[i] = ledger.Write{Subject: ledger.Subject(c.kind, c.id), Expect: c.expect, By: by, Why: c.why, At: at, Data: data}
	}
	last, err := r.ledger.Commit(ctx, op, writes)
	r.tally.commit(time.Since(at), err)
	if err != nil {
		return err
	}
	events := make([]ledger.Event, len(writes))
	for i, w := range writes {
		seq := last - ledger.Seq(len(writes)-1-i)
		events[i] = ledger.Event{Seq: seq, Subject: w.Subject, Op: op, By: by, Why: w.Why, At: at, Data: w.Data}
	}
	return r.take(events)
}

// refresh reads the subjects again that a conflict or a doubt named.
func (r *Roster) refresh(ctx context.Context, changes []change) error {
	var events []ledger.Event
	for _, c := range changes {
		e, ok, err := r.ledger.Last(ctx, ledger.Subject(c.kind, c.id))
		if err != nil {
			return err
		}
		if ok {
			events = append(events, e)
		}
	}
	return r.take(events)
}

// presenceLocked is what this node knows about the phone's connection.
func (r *Roster) presenceLocked(account string) presence {
	s := r.view.agents[account].v.Session
	if l := r.links[account]; l != nil && s != nil && l.session == s.ID {
		return presence{linked: true}
	}
	if s == nil {
		return presence{}
	}
	if s.Node != r.cfg.Node {
		if since, lost := r.lostLocked(s.Node); lost && r.nodes.Duty {
			return presence{dropped: later(since, s.Rotated)}
		}
		return presence{}
	}
	if at, ok := r.dropped[account]; ok && at.After(s.Began) {
		return presence{dropped: at}
	}
	if s.Began.After(r.started) {
		return presence{dropped: s.Began}
	}
	return presence{dropped: r.started.Add(restartGrace)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// restartGrace is given to all phones after the center itself was away: they come back within eight seconds, and some that found the door
// shut a little later.
const restartGrace = 12 * time.Second
