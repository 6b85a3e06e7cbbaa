package roster

import (
	"container/heap"
	"context"
	"errors"
	"time"

	"zaseki/cmd/center/ledger"
)

// rota knows whose records time will change. It looks at those agents only that something has happened to, and at those whose turn has
// come. The roster's mutex guards what was touched; the rest is watchClock's.
type rota struct {
	touched map[string]struct{}
	all     bool // everybody was

	turns turns
	at    map[string]time.Time // when an agent's turn is; other entries of turns are stale
}

func newRota() rota {
	return rota{touched: map[string]struct{}{}, all: true, at: map[string]time.Time{}}
}

// touch notes that something has happened that decides when it is that agent's turn.
func (c *rota) touch(account string) {
	if account != "" {
		c.touched[account] = struct{}{}
	}
}

// turn is when to look at an agent.
type turn struct {
	at      time.Time
	account string
}

// turns is a heap, the next one first.
type turns []turn

func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(x any)        { *t = append(*t, x.(turn)) }
func (t *turns) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// set is when it is the agent's turn; zero: never.
func (c *rota) set(account string, at time.Time) {
	if c.at[account].Equal(at) {
		return
	}
	delete(c.at, account)
	if !at.IsZero() {
		c.at[account] = at
		heap.Push(&c.turns, turn{at, account})
	}
	if len(c.turns) > 2*len(c.at)+64 { // most of them stale
		c.turns = c.turns[:0]
		for account, at := range c.at {
			c.turns = append(c.turns, turn{at, account})
		}
		heap.Init(&c.turns)
	}
}

// come takes those whose turn it is.
func (c *rota) come(now time.Time, do func(account string)) {
	for len(c.turns) > 0 {
		if t := c.turns[0]; !c.at[t.account].Equal(t.at) {
			heap.Pop(&c.turns) // stale
		} else if now.Before(t.at) {
			return
		} else {
			heap.Pop(&c.turns)
			delete(c.at, t.account)
			do(t.account)
		}
	}
}

// next is when to look again; zero: when something has happened.
func (c *rota) next() time.Time {
	if len(c.turns) == 0 {
		return time.Time{}
	}
	return c.turns[0].at
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
		due := r.due()
		for i, account := range due {
			err := r.change(ctx, bySystem, func(d *draft) error {
				d.lapse(account, r.presenceLocked(account), r.cfg.Timing)
				return nil
			})
			again := time.Now().Add(time.Second)
			if errors.Is(err, ledger.ErrReadOnly) { // nobody's time passes
				for _, account := range due[i:] {
					r.rota.set(account, again)
				}
				break
			}
			if err != nil && ctx.Err() == nil {
				r.log.Warn("timer of an agent", "account", account, "err", err)
				r.rota.set(account, again)
			}
		}
		if next := r.rota.next(); !next.IsZero() {
			timer.Reset(max(time.Until(next), time.Millisecond))
		}
	}
}

// due are the accounts whose records time has changed; of the others that were touched it learns when to look again.
func (r *Roster) due() (accounts []string) {
	c := &r.rota
	r.mu.Lock()
	touched := c.touched
	if c.all {
		for account := range r.view.agents {
			touched[account] = struct{}{}
		}
	}
	c.touched, c.all = map[string]struct{}{}, false
	r.mu.Unlock()
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := time.Now().UTC()
	c.come(now, func(account string) { touched[account] = struct{}{} })
	for account := range touched {
		d := &draft{view: r.view, now: now}
		at := d.lapse(account, r.presenceLocked(account), r.cfg.Timing)
		c.set(account, at)
		if len(d.changes) > 0 {
			accounts = append(accounts, account)
		}
	}
	return accounts
}
