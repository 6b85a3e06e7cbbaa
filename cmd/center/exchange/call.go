package exchange

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// CallRecord is a call as history keeps it. Results: answered, missed (nobody took it), cancelled (the caller gave up),
// refused (busy, declined, unknown number…: see Code).
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
	Result   string    `json:"result"`
	Code     int       `json:"code"` // final SIP code towards the caller
	Began    time.Time `json:"began"`
	Answered time.Time `json:"answered,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
}

// leg is one side of a call. Side a is the caller; every phone that rings is a leg of its own.
type leg struct {
	user string
	call *dialog.Call
	sdp  string      // what that side last sent
	over bool        // its last event was heard
	left atomic.Bool // cancelled and not waited for
}

// heard is an event with the leg it happened to.
type heard struct {
	leg   *leg
	event dialog.Event
}

// conduct brings a caller together with whoever it wants: one goroutine, which hears the events of all legs in one order.
type conduct struct {
	x      *Exchange
	caller Terminal
	route  route
	a      *leg
	mail   chan heard
	done   chan struct{} // closed when nobody reads mail any more
	rang   bool          // the caller was told that it rings
	toldAt time.Time     // when it was last told that it waits

	mu     sync.Mutex
	record CallRecord
}

// onCall judges a caller and hands its call to Run. Who has no valid digest or is not registered gets no further.
func (x *Exchange) onCall(call *dialog.Call) func(dialog.Event) {
	who, v := x.prove(call.Request(), "Proxy-Authorization", call.Source())
	if v != allowed {
		call.Reject(407, "Proxy Authentication Required", x.challenge("Proxy-Authenticate", call.Source(), v)...)
		return ignore
	}
	caller, ok := x.desk.Terminal(who)
	if !ok || !x.where.from(who, call.Source().Addr()) {
		call.Reject(403, "Register First")
		return ignore
	}
	c := x.conduct(call, caller)
	if !x.enter(c) {
		x.log.Warn("too many calls", "limit", x.cfg.Calls, "peer", call.Source())
		call.Reject(503, "Too Many Calls", "Retry-After", "5")
		return ignore
	}
	select {
	case x.fresh <- c:
		return func(e dialog.Event) { c.tell(c.a, e) }
	case <-x.over:
		x.leave(c)
		call.Reject(503, "Ending", "Retry-After", "5")
		return ignore
	}
}

func ignore(dialog.Event) {}

// enter admits a call while there is room (503 tells the caller to try again: a center that takes more than it can carry
// collapses under repetitions).
func (x *Exchange) enter(c *conduct) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.live) >= x.cfg.Calls {
		return false
	}
	x.live[c] = struct{}{}
	return true
}

func (x *Exchange) leave(c *conduct) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.live, c)
}

func (x *Exchange) conduct(call *dialog.Call, caller Terminal) *conduct {
	called := stack.UnescapeUser(call.Request().Recipient.User)
	c := &conduct{
		x: x, caller: caller, route: choose(x.desk, x.cfg.Numbers(), caller, called),
		a: &leg{user: caller.User, call: call, sdp: call.Offer()}, mail: make(chan heard, 16), done: make(chan struct{}),
	}
	from := c.from()
	c.record = CallRecord{
		ID: call.CallID(), From: from.User, Name: from.Display, To: called, Queue: c.route.name, Caller: caller.User,
		Account: caller.Account, Outside: caller.Trunk() || c.route.kind == toTrunk, Began: time.Now(),
	}
	if called, ok := x.desk.Terminal(c.route.user); ok && caller.Trunk() {
		c.record.Account = called.Account
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

// tell brings an event of a leg to the conductor. A leg that was left but answered all the same is hung up here: nobody else
// will hear of it any more.
func (c *conduct) tell(l *leg, e dialog.Event) {
	if !l.left.Load() {
		select {
		case c.mail <- heard{l, e}:
			return
		case <-c.done:
		}
	}
	if _, answered := e.(dialog.Answered); answered {
		c.hangUp(l, becauseElsewhere)
	}
}

// known says whether an event is of the caller or of one of these legs. The caller's end is noted; an answer of a leg that was
// left is hung up.
func (c *conduct) known(h heard, legs ...*leg) bool {
	if h.leg == c.a {
		if _, ended := h.event.(dialog.Ended); ended {
			c.a.over = true
		}
		return true
	}
	if slices.Contains(legs, h.leg) {
		return true
	}
	if _, answered := h.event.(dialog.Answered); answered {
		c.hangUp(h.leg, becauseElsewhere)
	}
	return false
}

// run conducts the call to its end.
func (c *conduct) run(ctx context.Context) {
	defer c.finish()
	defer close(c.done)
	switch {
	case c.a.sdp == "": // we have nothing to ask the other side for its offer with; such a caller is rare
		c.refuse(488, "Offer Needed")
	case c.route.kind == toUser:
		c.ringUser(ctx)
	case c.route.kind == toTrunk:
		c.ringTrunk(ctx)
	case c.route.kind == toQueue:
		c.ringQueue(ctx)
	default:
		c.refuse(404, "Not Found")
	}
}

// ringUser rings every contact of the user until the caller gives up.
func (c *conduct) ringUser(ctx context.Context) {
	c.settle(ctx, c.attempt(ctx, c.toContacts(c.route.user), c.route.mark, patience{}))
}

func (c *conduct) ringTrunk(ctx context.Context) {
	user := c.route.user
	if user == "" {
		newest, ok := c.x.newestTrunk()
		if !ok {
			c.refuse(404, "No Way Out")
			return
		}
		user = newest
	}
	c.settle(ctx, c.attempt(ctx, c.toNumber(user, c.route.number), "", patience{}))
}

// settle ends an attempt for which there is no other one.
func (c *conduct) settle(ctx context.Context, o outcome) {
	switch {
	case o.leg != nil:
		c.join(ctx, o.leg)
	case !c.a.over:
		c.refuse(o.code, o.reason)
	}
}

// refuse gives the caller its final answer.
func (c *conduct) refuse(code int, reason string, headers ...string) {
	c.note(func(r *CallRecord) { r.Code = code })
	if err := c.a.call.Reject(code, reason, headers...); err != nil {
		c.x.log.Debug("refusal lost", "call", c.record.ID, "err", err)
	}
}

// join answers the caller with what the called side answered, and carries the call until one hangs up.
func (c *conduct) join(ctx context.Context, b *leg) {
	c.note(func(r *CallRecord) { r.Callee, r.Code, r.Answered = b.user, 200, time.Now() })
	if err := c.a.call.Answer(ctx, b.sdp); err != nil {
		c.hangUp(b, "SIP;cause=408;text=\"Caller Gone\"")
		return
	}
	c.talk(ctx, b)
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

// finish writes the call's one line and tells whoever keeps history.
func (c *conduct) finish() {
	c.x.leave(c)
	c.note(func(r *CallRecord) {
		r.Ended = time.Now()
		switch {
		case !r.Answered.IsZero():
			r.Result = "answered"
		case r.Code == 0 || r.Code == 487:
			r.Result, r.Code = "cancelled", 487
		case r.Code == 408 || r.Code == 480:
			r.Result = "missed"
		default:
			r.Result = "refused"
		}
	})
	r := c.view()
	c.x.log.Info("call", "call", r.ID, "from", masked(r.From), "to", masked(r.To), "queue", r.Queue, "callee", r.Callee,
		"result", r.Result, "code", r.Code, "took", r.Ended.Sub(r.Began).Round(time.Millisecond))
	if c.x.cfg.Told != nil {
		c.x.cfg.Told(r)
	}
}
