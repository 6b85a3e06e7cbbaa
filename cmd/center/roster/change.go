package roster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"zaseki/cmd/center/ledger"
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
	for range tries {
		changes, err := r.decide(rule)
		if err != nil || len(changes) == 0 {
			return err
		}
		err = r.commit(ctx, by, changes)
		if !errors.Is(err, ledger.ErrConflict) {
			return err
		}
		if err := r.refresh(ctx, changes); err != nil {
			return err
		}
	}
	return fmt.Errorf("change: others came first %d times: %w", tries, ledger.ErrConflict)
}

func (r *Roster) decide(rule func(*draft) error) ([]change, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d := &draft{view: r.view, now: time.Now().UTC().Truncate(time.Microsecond)}
	if err := rule(d); err != nil {
		return nil, err
	}
	return d.changes, nil
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

// refresh reads the subjects again that a conflict named.
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

// watchClock does what time alone does, for every agent whose turn it is.
func (r *Roster) watchClock(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.kick:
		case <-timer.C:
		}
		due, next := r.due()
		for _, account := range due {
			err := r.change(ctx, bySystem, func(d *draft) error {
				d.lapse(account, r.presenceLocked(account), r.cfg.Timing)
				return nil
			})
			if err != nil && ctx.Err() == nil {
				r.log.Warn("timer of an agent", "account", account, "err", err)
				next = time.Now().Add(time.Second)
			}
		}
		if !next.IsZero() {
			timer.Reset(max(time.Until(next), time.Millisecond))
		}
	}
}

// due are the accounts whose records time has changed, and when to look again.
func (r *Roster) due() (accounts []string, next time.Time) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := time.Now().UTC()
	for account, a := range r.view.agents {
		if a.v.Session == nil {
			continue
		}
		d := &draft{view: r.view, now: now}
		at := d.lapse(account, r.presenceLocked(account), r.cfg.Timing)
		if len(d.changes) > 0 {
			accounts = append(accounts, account)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return accounts, next
}

// presenceLocked is what this node knows about the phone's connection.
func (r *Roster) presenceLocked(account string) presence {
	s := r.view.agents[account].v.Session
	if l := r.links[account]; l != nil && s != nil && l.session == s.ID {
		return presence{linked: true}
	}
	if s == nil || s.Node != r.cfg.Node {
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

// restartGrace is given to all phones after the center itself was away: they come back within five seconds.
const restartGrace = 5 * time.Second
