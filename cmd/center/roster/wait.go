package roster

import (
	"iter"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/exchange"
)

// waiter is a caller in a queue. All waiters of the center stand in one list, so that an agent who becomes free goes to whoever
// has the best right among all queues the agent serves. Everything is guarded by the roster's mutex.
type waiter struct {
	r      *Roster
	queue  string
	came   time.Time
	want   bool // no agent rings for it now
	gone   bool
	spared map[string]time.Time // agents not to be offered before; zero: never again
	offers chan exchange.Offer
}

// Wait implements exchange.Desk.
func (r *Roster) Wait(queue string, came time.Time) exchange.Waiter {
	w := &waiter{r: r, queue: queue, came: came, spared: map[string]time.Time{}, offers: make(chan exchange.Offer, 1)}
	r.mu.Lock()
	defer r.mu.Unlock()
	at, _ := slices.BinarySearchFunc(r.waiting, came, func(o *waiter, t time.Time) int {
		if o.came.After(t) {
			return 1
		}
		return -1 // behind who came at the same time
	})
	r.waiting = slices.Insert(r.waiting, at, w)
	return w
}

func (w *waiter) Offers() <-chan exchange.Offer { return w.offers }

func (w *waiter) Want() {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	if w.gone || len(w.offers) > 0 {
		return
	}
	w.want = true
	w.r.serveLocked(w, time.Now())
}

func (w *waiter) Spare(account string, d time.Duration) {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	until := time.Time{}
	if d > 0 {
		until = time.Now().Add(d)
	}
	w.spared[account] = until
}

func (w *waiter) Place() int {
	w.r.mu.RLock()
	defer w.r.mu.RUnlock()
	place := 0
	for _, o := range w.r.waiting {
		if o.queue == w.queue {
			place++
		}
		if o == w {
			break
		}
	}
	return place
}

func (w *waiter) Leave() {
	w.r.mu.Lock()
	w.gone, w.want = true, false
	w.r.waiting = slices.DeleteFunc(w.r.waiting, func(o *waiter) bool { return o == w })
	w.r.mu.Unlock()
	select {
	case o := <-w.offers:
		o.Release()
	default:
	}
}

// takes says whether the agent may be offered to this caller.
func (w *waiter) takes(account string, now time.Time) bool {
	until, spared := w.spared[account]
	return !spared || !until.IsZero() && !now.Before(until)
}

// serveLocked gives the caller the best agent who is free now: all who wait with a better right had the choice before.
func (r *Roster) serveLocked(w *waiter, now time.Time) {
	if best, why := r.bestLocked(w.queue, now, func(account string) bool { return w.takes(account, now) }); best != "" {
		r.giveLocked(w, best, why, now)
	}
}

// wakeLocked gives an agent who may have become free to the caller with the best right: of the queue with the best priority, who
// has waited longest.
func (r *Roster) wakeLocked(account string) {
	if len(r.waiting) == 0 {
		return
	}
	now := time.Now()
	if !r.routableLocked(account, now) {
		return
	}
	var first *waiter
	for _, w := range r.waiting { // in the order in which they came
		if !w.want || !w.takes(account, now) || r.view.level(w.queue, account) == 0 {
			continue
		}
		if first == nil || r.view.priority(w.queue) < r.view.priority(first.queue) {
			first = w
		}
	}
	if first != nil {
		r.giveLocked(first, account, whyOnly, now)
	}
}

// wakeThoseLocked is for when these agents have changed, or anything else that decides who may have which call.
func (r *Roster) wakeThoseLocked(agents []string, anything bool) {
	if len(r.waiting) == 0 {
		return
	}
	if !anything {
		for _, account := range agents {
			r.wakeLocked(account)
		}
		return
	}
	now := time.Now()
	all := slices.Clone(r.waiting)
	slices.SortStableFunc(all, func(a, b *waiter) int { return r.view.priority(a.queue) - r.view.priority(b.queue) })
	for _, w := range all {
		if w.want {
			r.serveLocked(w, now)
		}
	}
}

// giveLocked reserves the agent for the caller until the exchange has done with the call, or the phone reports it.
func (r *Roster) giveLocked(w *waiter, account, why string, now time.Time) {
	w.want = false
	o := r.offerLocked(w.queue, account, why, now, func(other string) bool { return w.takes(other, now) })
	o.Release = r.reserveLocked(account, 0)
	w.offers <- o
}

// offerLocked is the offer of a queue's call to an agent, without a reservation.
func (r *Roster) offerLocked(queue, account, why string, now time.Time, may func(account string) bool) exchange.Offer {
	return exchange.Offer{Account: account, User: r.view.agents[account].v.Terminal, RingTime: r.view.ringTime(queue), Why: why,
		Passed: r.passedLocked(queue, account, now, may)}
}

// reserveLocked keeps the agent for a call; for 0 until release is called. Only a reservation that still is the agent's ends then.
func (r *Roster) reserveLocked(account string, d time.Duration) (release func()) {
	mine := &reservation{}
	if d > 0 {
		mine.until = time.Now().Add(d)
	}
	r.reserved[account] = mine
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.reserved[account] == mine {
			delete(r.reserved, account)
			r.wakeLocked(account)
		}
	}
}

// bestLocked is the agent who rings next for a queue: of the best level with somebody free, who has been free the longest. "" is
// nobody. Why is in comparison with the others.
func (r *Roster) bestLocked(queue string, now time.Time, may func(account string) bool) (best, why string) {
	level, beside, below := 0, 0, false  // free agents of that level, and whether there are any of a worse one
	for account := range r.view.takers { // most others talk
		l := r.view.level(queue, account)
		if l == 0 || below && l > level || !r.routableLocked(account, now) || !may(account) {
			continue
		}
		switch {
		case best == "":
			best, level, beside = account, l, 1
		case l > level:
			below = true
		case l < level:
			best, level, beside, below = account, l, 1, true
		default:
			if beside++; longer(r.view.agents[account].v, r.view.agents[best].v) {
				best = account
			}
		}
	}
	switch {
	case beside > 1:
		why = whyIdle
	case below:
		why = whySkill
	case best != "":
		why = whyOnly
	}
	return best, why
}

// members are the accounts among which a queue's agents are: those it names, or everybody.
func (v *view) members(queue string) iter.Seq[string] {
	if q := v.queues[queue].v; len(q.Agents) > 0 && len(q.Groups) == 0 {
		return slices.Values(q.Agents)
	}
	return maps.Keys(v.agents)
}

// level is the agent's in that queue, 1 the first; 0: not one of its agents.
func (v *view) level(queue, account string) int {
	row, ok := v.queues[queue]
	if !ok || !row.v.has(v.accounts[account].v) {
		return 0
	}
	return max(row.v.Levels[account], 1)
}

// has says whether the queue rings that account.
func (q Queue) has(a Account) bool {
	if len(q.Agents) == 0 && len(q.Groups) == 0 {
		return a.Agent
	}
	return slices.Contains(q.Agents, a.Account) || slices.ContainsFunc(q.Groups, func(g string) bool { return slices.Contains(a.Groups, g) })
}

// usualPriority is that of a queue which names none.
const usualPriority = 5

func (v *view) priority(queue string) int {
	if p := v.queues[queue].v.Priority; p > 0 {
		return p
	}
	return usualPriority
}

func (v *view) ringTime(queue string) time.Duration {
	if s := v.queues[queue].v.RingSeconds; s > 0 {
		return time.Duration(s) * time.Second
	}
	return v.site.v.ringTime()
}
