package exchange

import (
	"context"
	"strconv"
	"time"
)

const (
	receiptTime = 2 * time.Second   // then a phone that has not said that it rings is passed over
	againEvery  = 5 * time.Second   // how often a caller who waits looks what has become of its queue
	spareTime   = 10 * time.Second  // a phone that refused by itself is not tried again before
	tellEvery   = time.Minute       // provisional answers keep proxies from giving up (RFC 3261 §13.3.1.1)
	retryAfter  = 60                // seconds a caller is told who waited in vain
	ruleCaller  = "rule of a queue" // who sends a call on: not a trunk, so that it may go everywhere
	nobodyFree  = "Nobody Free"     // what a caller is told who waited in vain
	offersMost  = 50                // of one call that are remembered
)

// Why a call of a queue was not brought to an agent, beside a calendar's closed and holiday.
const (
	whyEmpty = "empty"
	whyFull  = "full"
	whyLate  = "late"

	whyRestart = "restart" // the center ended without a word
)

// findAgent offers the call to one agent after the other, and waits while there is none. What nobody takes goes where the queue's
// rules say, in no queue twice.
func (s *search) findAgent(ctx context.Context) outcome {
	came, been := s.came, map[string]bool{}
	if came.IsZero() {
		came = time.Now()
	}
	for !been[s.route.queue] {
		been[s.route.queue] = true
		o, why, rule := s.inQueue(ctx, came)
		if why != "" {
			s.c.note(func(r *CallRecord) { r.Why = why })
		}
		if rule == nil {
			return o
		}
		if s.route = s.leads(*rule); s.route.kind != toQueue {
			return s.follow(ctx, *rule)
		}
	}
	return vain()
}

func vain() outcome {
	return outcome{code: 480, reason: nobodyFree, headers: []string{"Retry-After", strconv.Itoa(retryAfter)}}
}

// leads is where a rule sends a call. The rule is an administrator's: it may name a number outside.
func (s *search) leads(r Rule) route {
	if r.Do != "number" && r.Do != "queue" {
		return route{}
	}
	way := choose(s.c.x.desk, s.c.x.cfg.Numbers(), Terminal{User: ruleCaller}, r.To)
	if way.kind == toUser && s.offer.trunk {
		way.mark = markDirect
	}
	return way
}

// follow carries out a rule that leads to no other queue.
func (s *search) follow(ctx context.Context, r Rule) outcome {
	switch r.Do {
	case "busy":
		return outcome{code: 486, reason: "Busy Here"}
	case "voice":
		return s.message(ctx)
	case "announce":
		return s.announce(ctx, r.When)
	}
	if s.route.kind == nowhere {
		s.c.x.log.Warn("a queue's rule leads nowhere", "call", s.c.record.ID, "queue", s.c.route.name, "rule", r.When)
		return vain()
	}
	return s.find(ctx)
}

// inQueue brings the caller to an agent of one queue. With a rule it goes on there; why is what kept it from an agent.
func (s *search) inQueue(ctx context.Context, came time.Time) (o outcome, why string, rule *Rule) {
	q := &queued{s: s, queue: s.route.queue, state: s.c.x.desk.State(s.route.queue)}
	switch {
	case q.state.Closed != "":
		why = q.state.Closed
		return outcome{code: 480, reason: "Closed"}, why, q.state.rule(why)
	case q.state.Most > 0 && q.state.Waiting >= q.state.Most:
		return outcome{code: 486, reason: "Too Many Callers"}, whyFull, q.state.rule(whyFull)
	case q.state.Empty && q.state.rule(whyEmpty) != nil:
		return outcome{}, whyEmpty, q.state.rule(whyEmpty)
	}
	q.place = s.c.x.desk.Wait(q.queue, came)
	defer q.place.Leave()
	s.c.happened(Moment{What: momentQueued, To: s.route.name, Place: q.place.Place()})
	return q.run(ctx)
}

// rule is the first for that case, nil when there is none.
func (q QueueState) rule(when string) *Rule {
	for i := range q.Rules {
		if q.Rules[i].When == when {
			return &q.Rules[i]
		}
	}
	return nil
}

// queued is a caller in a queue.
type queued struct {
	s      *search
	queue  string
	state  QueueState
	place  Waiter
	told   int // the place it was told last
	toldAt time.Time
	look   *time.Ticker
	late   *time.Timer
}

// turn is what ends a wait: an agent, or else the rest.
type turn struct {
	offer *Offer
	o     outcome
	why   string
	rule  *Rule
}

func (q *queued) run(ctx context.Context) (outcome, string, *Rule) {
	limit := q.s.c.x.cfg.Wait
	if r := q.state.rule(whyLate); r != nil {
		limit = r.After
	}
	q.late, q.look = time.NewTimer(limit), time.NewTicker(againEvery)
	defer q.late.Stop()
	defer q.look.Stop()
	for {
		q.place.Want()
		n := q.wait(ctx)
		if n.offer == nil {
			return n.o, n.why, n.rule
		}
		if o, done := q.ring(ctx, *n.offer); done {
			return o, "", nil
		}
	}
}

// ring offers the call to an agent.
func (q *queued) ring(ctx context.Context, offer Offer) (o outcome, done bool) {
	s := q.s
	s.rings(offer.User, offer.Account)
	began := time.Now()
	o = s.attempt(ctx, s.c.x.phonesOf(offer.User), s.route.mark, patience{ring: offer.RingTime, receipt: receiptTime})
	s.c.offered(offer, o, began, s.over())
	q.receipt(offer, o)
	if o.leg != nil {
		o.account, o.release = offer.Account, append(o.release, offer.Release)
		return o, true
	}
	defer offer.Release()
	if o.account = offer.Account; s.over() || ctx.Err() != nil {
		return o, true
	}
	q.missed(offer, o)
	return outcome{}, false
}

// receipt tells the desk whether the phone proved that it rings. Who gave up before it could have has learnt nothing.
func (q *queued) receipt(offer Offer, o outcome) {
	switch {
	case o.receipt > 0 || o.leg != nil:
		q.s.c.x.desk.Receipt(offer.Account, "rings")
	case o.nobody:
		q.s.c.x.desk.Receipt(offer.Account, "unreached")
	case o.silent:
		q.s.c.x.desk.Receipt(offer.Account, "silent")
	}
}

// missed tells the desk how the agent lost the call: by hand (603) or by time. A phone that refused by itself (busy, not ready,
// not reached) is no fault of the agent.
func (q *queued) missed(o Offer, out outcome) {
	s, spare := q.s, spareTime
	if out.code == 603 || out.expired || out.code == 408 {
		s.c.x.desk.Missed(o.Account, s.c.record.ID, out.code == 603)
		spare = 0
	}
	q.place.Spare(o.Account, spare)
	s.c.x.log.Debug("offer not taken", "call", s.c.record.ID, "account", o.Account, "code", out.code, "expired", out.expired)
}

// wait lasts until there is an agent, the caller gives up, or waited long enough.
func (q *queued) wait(ctx context.Context) turn {
	select {
	case o := <-q.place.Offers():
		return turn{offer: &o}
	default:
	}
	q.tell(ctx)
	for {
		select {
		case o := <-q.place.Offers():
			return turn{offer: &o}
		case h := <-q.s.box.letters:
			if q.s.hear(h, nil); q.s.over() {
				return turn{o: outcome{code: 487, reason: "Request Terminated"}}
			}
		case <-q.s.left:
			q.s.left = nil
			q.s.console(q.s)
		case <-q.look.C:
			if r := q.again(ctx); r != nil {
				return turn{why: whyEmpty, rule: r}
			}
		case <-q.late.C:
			return turn{o: vain(), why: whyLate, rule: q.state.rule(whyLate)}
		case <-ctx.Done():
			return turn{o: outcome{code: 503, reason: "Ending", headers: []string{"Retry-After", "5"}}}
		}
	}
}

// again looks at the queue anew: an agent who was spared may be tried again, and everybody may have signed out. Its closing time
// is for who comes later.
func (q *queued) again(ctx context.Context) *Rule {
	q.place.Want()
	if q.state.rule(whyEmpty) != nil {
		if now := q.s.c.x.desk.State(q.queue); now.Empty && now.rule(whyEmpty) != nil {
			return now.rule(whyEmpty)
		}
	}
	q.tell(ctx)
	return nil
}

// tell lets the caller know that it waits: by music, if the queue has some and the caller can hear it, else by a provisional answer
// each minute.
func (q *queued) tell(ctx context.Context) {
	s := q.s
	if q.state.Music && s.asker != nil && s.c.listens(ctx) {
		q.tellPlace()
		return
	}
	if time.Since(s.toldAt) >= tellEvery {
		s.toldAt = time.Now()
		s.tell(182, "")
	}
}

// How often a caller is told its place: when it has changed, and now and then so that nobody feels forgotten.
const (
	placeSoonest = 15 * time.Second
	placeAgain   = time.Minute
)

func (q *queued) tellPlace() {
	if !q.state.Place {
		return
	}
	place, ago := q.place.Place(), time.Since(q.toldAt)
	if place == q.told && ago < placeAgain || q.told != 0 && ago < placeSoonest {
		return
	}
	q.told, q.toldAt = place, time.Now()
	q.s.c.sayPlace(place, q.state.Language)
}

// OfferRecord is one agent whom a call of a queue was offered to.
type OfferRecord struct {
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Receipt int       `json:"receipt,omitempty"` // milliseconds until the phone said that it rings; 0: it never did
	Took    int       `json:"took"`              // milliseconds
	// Result: answered; declined (by hand); missed (its ring time was over); silent (it did not say in time that it rings); unreached
	// (no phone is registered); refused (by the phone, see Code); cancelled (the caller gave up).
	Result string `json:"result"`
	Code   int    `json:"code,omitempty"`

	Why    string            `json:"why,omitempty"`    // this agent, see Offer
	Passed map[string]string `json:"passed,omitempty"` // others that came before or beside, see Offer
}

// offered notes what became of an offer.
func (c *conduct) offered(o Offer, out outcome, began time.Time, gone bool) {
	r := OfferRecord{Account: o.Account, At: began, Receipt: milliseconds(out.receipt), Took: milliseconds(time.Since(began)), Code: out.code,
		Why: o.Why, Passed: o.Passed}
	switch {
	case out.leg != nil:
		r.Result = "answered"
	case gone:
		r.Result, r.Code = "cancelled", 0
	case out.silent:
		r.Result, r.Code = "silent", 0
	case out.expired || out.code == 408:
		r.Result = "missed"
	case out.nobody:
		r.Result, r.Code = "unreached", 0
	case out.code == 603:
		r.Result = "declined"
	default:
		r.Result = "refused"
	}
	c.note(func(all *CallRecord) {
		if len(all.Offers) < offersMost {
			all.Offers = append(all.Offers, r)
		}
	})
}

// milliseconds is at least one for anything that happened.
func milliseconds(d time.Duration) int {
	if d == 0 {
		return 0
	}
	return max(1, int(d.Milliseconds()))
}
