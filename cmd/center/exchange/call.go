package exchange

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// CallRecord is a call as history keeps it. Results: answered, missed (nobody took it), cancelled (the caller gave up),
// voice (the caller left a message), refused (busy, declined, unknown number…: see Code).
type CallRecord struct {
	ID       string    `json:"id"` // Call-ID of the caller's side
	From     string    `json:"from"`
	Name     string    `json:"name,omitempty"`
	To       string    `json:"to"`
	Queue    string    `json:"queue,omitempty"`
	Caller   string    `json:"caller"`            // SIP user that called, proven
	Callee   string    `json:"callee,omitempty"`  // SIP user that rang last
	Account  string    `json:"account,omitempty"` // whose call it is: who called, or whom it was offered to last
	Outside  bool      `json:"outside"`
	Aside    bool      `json:"aside,omitempty"` // a supervisor's way into another call: history has it there
	Result   string    `json:"result"`
	Code     int       `json:"code"` // final SIP code towards the caller
	Began    time.Time `json:"began"`
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// TransferredBy is who sent the call to Callee last: an account, or the SIP user of a terminal nobody is signed in with.
	TransferredBy string `json:"transferredBy,omitempty"`

	Why     string        `json:"why,omitempty"`     // no agent had it: closed, holiday, empty, full, late
	Offers  []OfferRecord `json:"offers,omitempty"`  // to agents, in their order
	Moments []Moment      `json:"moments,omitempty"` // beside the offers, in their order
	// HungUp is who ended it: caller, agent (who was called here), callee (who was called outside), center. "" of one that was refused, or that
	// an earlier version wrote.
	HungUp  string `json:"hungUp,omitempty"`
	Message string `json:"message,omitempty"` // the recording that the caller left
}

// conduct brings a caller together with whoever it wants: one goroutine, which hears the events of all legs in one order.
type conduct struct {
	x       *Exchange
	page    page // in the book
	caller  Terminal
	route   route
	a       *leg // the caller
	box     *mailbox
	loans   chan loan                      // another call wants the far side of this one, see join.go
	beside  sync.WaitGroup                 // what runs beside the loop
	release []func()                       // reservations of agents
	found   chan struct{}                  // closed when its search is over: no phone rings for it any more
	ours    *audience                      // the caller hears the center; nil: it has not come to that
	came    time.Time                      // since when the caller waits
	ends    [2]*leg                        // who talk; nil: nobody yet
	rings   []ring                         // phones that were asked
	again   func(context.Context) *mailbox // of a call of the process before: goes on with it

	announced []string // headers that the center told both phones of
	unstaffed bool     // it is for an extension where nobody is signed in

	mu     sync.Mutex
	record CallRecord
}

// onCall judges a caller and hands its call to Run. Who has no valid digest or is not registered gets no further.
func (x *Exchange) onCall(call *dialog.Call) func(dialog.Event) {
	if !x.heard(call.Link(), call.Source()) {
		return ignore
	}
	old, again := x.before.heardAgain(call)
	if !again && (x.sentOn(call) || x.routed(call)) {
		return ignore
	}
	var c *conduct
	if again {
		c = x.heardBefore(call, old)
	} else if caller, ok := x.caller(call); ok {
		c = x.conduct(call, caller)
	}
	if c == nil || !c.unchecked() || !c.permitted() {
		return ignore
	}
	return x.hears(c)
}

// hears hands a call to Run, and gives who hears its caller.
func (x *Exchange) hears(c *conduct) func(dialog.Event) {
	call := c.a.call
	if !x.enter(c) {
		x.log.Warn("too many calls", "limit", x.cfg.Calls, "user", c.caller.User, "peer", call.Source())
		call.Reject(503, "Too Many Calls", "Retry-After", "5")
		return ignore
	}
	select {
	case x.fresh <- c:
		return func(e dialog.Event) { c.box.tell(c.a, e) }
	case <-x.over:
		x.leave(c)
		call.Reject(503, "Ending", "Retry-After", "5")
		return ignore
	}
}

func ignore(dialog.Event) {}

// callsPerTerminal is how many calls of its own a terminal may have alive: one that is out of its mind leaves room for others.
const callsPerTerminal = 10

// enter admits a call while there is room (503 tells the caller to try again: a center that takes more than it can carry
// collapses under repetitions).
func (x *Exchange) enter(c *conduct) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.live) >= x.cfg.Calls || !c.caller.Trunk() && x.dialled[c.caller.User] >= callsPerTerminal {
		return false
	}
	x.enterLocked(c)
	return true
}

func (x *Exchange) enterLocked(c *conduct) {
	x.dialled[c.caller.User]++
	x.live[c] = struct{}{}
}

func (x *Exchange) leave(c *conduct) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.live, c)
	if x.dialled[c.caller.User]--; x.dialled[c.caller.User] == 0 {
		delete(x.dialled, c.caller.User)
	}
}

func (x *Exchange) conduct(call *dialog.Call, caller Terminal) *conduct {
	called, to := x.destination(call, caller)
	c := &conduct{
		x: x, page: page{name: call.ID()}, caller: caller, route: to,
		a:     &leg{user: caller.User, trunk: caller.Trunk(), call: call, sdp: call.Offer()},
		loans: make(chan loan), box: x.mailbox(), found: make(chan struct{}),
	}
	from := c.from()
	c.a.party = from
	c.record = CallRecord{
		ID: call.CallID(), From: from.User, Name: from.Display, To: called, Queue: c.route.name, Caller: caller.User,
		Account: caller.Account, Outside: caller.Trunk() || c.route.kind == toTrunk, Began: call.Came(),
	}
	if to.kind == toUser {
		c.record.Callee = to.user
	}
	if called, ok := x.desk.Terminal(c.route.user); ok && caller.Trunk() {
		c.record.Account = cmp.Or(called.Account, called.Owner) // who is not there finds the call among the missed ones later
		c.unstaffed = called.Account == ""
	}
	c.came = c.record.Began
	if to.kind == toQueue {
		c.came = x.before.came(place{caller.User, from.User, to.queue}, c.came)
	}
	return c
}

// from is the caller as the called side sees it: a phone of ours by what the center knows of it, a caller from outside by
// what its trunk says, cleaned.
func (c *conduct) from() dialog.Party {
	if !c.caller.Trunk() {
		return dialog.Party{Display: c.caller.Name, User: c.caller.User, Host: c.x.cfg.Domain()}
	}
	remote := c.a.call.Remote()
	p := dialog.Party{Display: clean(remote.Display, 64), User: clean(remote.User, 64), Host: c.x.cfg.Domain()}
	if p.User == "" {
		p.User = "anonymous"
	}
	return p
}

// clean takes out what no name or number holds (RFC 3261 §25.1 CTL, line separators, direction marks) and shortens.
func clean(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n == most {
			break
		}
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0x2028 || r == 0x2029 ||
			(r >= 0x200b && r <= 0x200f) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) || r == 0xfffd {
			continue
		}
		b.WriteRune(r)
		n++
	}
	return strings.TrimSpace(b.String())
}

// run conducts the call to its end. A side that was given to another call is heard there from then on.
func (c *conduct) run(ctx context.Context) {
	given := c.connect(ctx)
	c.finish(ctx.Err() != nil)
	if given != nil {
		c.box.forward(given)
	}
	close(c.box.shut)
	c.beside.Wait()
}

// connect finds who the caller wants and carries the call. given is who took over the far side, nil when nobody did.
func (c *conduct) connect(ctx context.Context) (given *mailbox) {
	defer func() {
		for _, release := range c.release {
			release()
		}
	}()
	defer c.silence()
	if c.again != nil {
		return c.again(ctx)
	}
	return c.bringTogether(ctx)
}

// bringTogether finds who the caller wants.
func (c *conduct) bringTogether(ctx context.Context) (given *mailbox) {
	c.noteDown()
	found := c.search().find(ctx)
	close(c.found)
	c.release = append(c.release, found.release...)
	if found.leg != nil {
		found.leg.release = found.release
	}
	switch {
	case found.leg != nil && c.heardByUs():
		return c.bring(ctx, found.leg)
	case found.leg != nil:
		return c.join(ctx, found.leg)
	case !c.a.over.Load():
		c.refuse(found)
	}
	return nil
}

// search is for the caller: it hears how far it got.
func (c *conduct) search() *search {
	return &search{
		c: c, box: c.box, route: c.route, asker: c.a, offer: c.a, sdp: c.a.sdp, came: c.came,
		headers: []string{"Max-Forwards", strconv.Itoa(stack.Hops(c.a.call.Request()) - 1)}, // loops end (RFC 3261 §16.3)
		ours:    slices.Concat(c.known(), c.dialled(), c.announced),
		tell: func(code int, sdp string) {
			if !c.heardByUs() {
				c.a.call.Ring(code, sdp)
			}
		},
		rings: func(user, account string) {
			c.note(func(r *CallRecord) {
				r.Callee = user
				if account != "" {
					r.Account = account
				}
			})
		},
	}
}

// known is what a phone of ours is told of the call, so that it and the center know that they speak of the same one.
func (c *conduct) known() []string {
	if len(c.record.ID) > 200 || !stack.Clean(c.record.ID) {
		return nil
	}
	return []string{callHeader, c.record.ID}
}

// dialled is which number the caller wanted, as a phone of ours is told.
func (c *conduct) dialled() []string {
	if !Dialable(c.record.To) {
		return nil
	}
	return []string{calledHeader, dialog.Party{User: c.record.To, Host: c.x.cfg.Domain()}.Value()}
}

// refuse gives the caller its final answer.
func (c *conduct) refuse(o outcome) {
	var why string
	c.note(func(r *CallRecord) {
		if r.Code == 0 { // else a message was left
			r.Code = o.code
		}
		if r.Why == "" && o.nobody && c.unstaffed {
			r.Why = whyEmpty
		}
		why = r.Why
	})
	if c.heardByUs() {
		c.x.hangUp(c.a, "SIP;cause="+strconv.Itoa(o.code)+";text=\""+cmp.Or(why, o.reason)+"\"")
		return
	}
	if err := c.a.call.Reject(o.code, o.reason, append(reasonFor(o.code, why), o.headers...)...); err != nil {
		c.x.log.Debug("refusal lost", "call", c.record.ID, "err", err)
	}
}

// join answers the caller with what the called side answered, and carries the call until one hangs up.
func (c *conduct) join(ctx context.Context, b *leg) (given *mailbox) {
	sdp, ok := across(b.sdp, b, c.a) // an offer, when the caller had none
	if !ok {
		c.x.hangUp(b, "")
		c.refuse(outcome{code: 488, reason: "Not Acceptable Here"})
		return nil
	}
	c.note(func(r *CallRecord) { r.Callee, r.Code, r.Answered = b.user, 200, time.Now() })
	c.x.sit(c, c.a, b) // a REFER may follow the ACK at once
	defer c.x.rise(c)
	c.talkers(c.a, b) // before the caller hears of it: from now on both know of a call
	if err := c.a.call.Answer(ctx, sdp); err != nil {
		c.x.hangUp(b, "SIP;cause=408;text=\"Caller Gone\"")
		return nil
	}
	return c.talk(ctx, b)
}

// talkers notes who talk from now on.
func (c *conduct) talkers(a, b *leg) {
	c.ends = [2]*leg{a, b}
	c.noteDown()
}

// note changes the record, which others may look at.
func (c *conduct) note(change func(*CallRecord)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.record)
}

func (c *conduct) view() CallRecord {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.record
}

// finish writes the call's one line and tells whoever keeps history. ending: the exchange ends, and the call with it.
func (c *conduct) finish(ending bool) {
	c.x.leave(c)
	c.note(func(r *CallRecord) {
		r.Ended = time.Now()
		if r.HungUp == "" && ending && !r.Answered.IsZero() {
			r.HungUp = byCenter
		}
		switch {
		case r.Result != "":
		case !r.Answered.IsZero():
			r.Result = "answered"
		case r.Code == 0 || r.Code == 487:
			r.Result, r.Code, r.HungUp = "cancelled", 487, byCaller
		case r.Code == 408 || r.Code == 480:
			r.Result = "missed"
		default:
			r.Result = "refused"
		}
	})
	r := c.view()
	c.forget(r, ending)
	c.x.log.Info("call", "call", r.ID, "from", masked(r.From), "to", masked(r.To), "queue", r.Queue, "callee", r.Callee,
		"result", r.Result, "code", r.Code, "took", r.Ended.Sub(r.Began).Round(time.Millisecond))
	if c.x.cfg.Told != nil && !r.Aside {
		c.x.cfg.Told(r)
	}
}

// forget takes the call out of the book. Who waited when the center ended, and is to try again, keeps its place in the queue.
func (c *conduct) forget(r CallRecord, ending bool) {
	if ending && r.Code == 503 && c.route.kind == toQueue {
		e := entry{Record: r, Caller: c.caller.User, Queue: c.route.queue, Told: true}
		if c.x.book == nil || c.x.book.write(&c.page, e) == nil {
			return
		}
	}
	c.x.book.tear(c.page)
}
