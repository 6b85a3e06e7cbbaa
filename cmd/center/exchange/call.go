package exchange

import (
	"context"
	"strconv"
	"strings"
	"sync"
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
	// TransferredBy is who sent the call to Callee last: an account, or the SIP user of a terminal nobody is signed in with.
	TransferredBy string `json:"transferredBy,omitempty"`
}

// conduct brings a caller together with whoever it wants: one goroutine, which hears the events of all legs in one order.
type conduct struct {
	x       *Exchange
	caller  Terminal
	route   route
	a       *leg // the caller
	box     *mailbox
	loans   chan loan      // another call wants the far side of this one, see join.go
	beside  sync.WaitGroup // what runs beside the loop
	release []func()       // reservations of agents

	mu     sync.Mutex
	record CallRecord
}

// onCall judges a caller and hands its call to Run. Who has no valid digest or is not registered gets no further.
func (x *Exchange) onCall(call *dialog.Call) func(dialog.Event) {
	if !x.heard(call.Link(), call.Source()) {
		return ignore
	}
	who, v := x.prove(call.Request(), "Proxy-Authorization", call.Source())
	if v != allowed {
		call.Reject(407, "Proxy Authentication Required", x.challenge("Proxy-Authenticate", call.Source(), v)...)
		return ignore
	}
	caller, ok := x.desk.Terminal(who)
	switch {
	case !ok || !x.where.from(who, call.Source().Addr()):
		call.Reject(403, "Register First")
		return ignore
	case caller.Encrypted() && !call.Link().Secure():
		x.log.Warn("an encrypted terminal called without TLS", "user", who, "peer", call.Source())
		call.Reject(403, "TLS Only")
		return ignore
	}
	c := x.conduct(call, caller)
	if !x.enter(c) {
		x.log.Warn("too many calls", "limit", x.cfg.Calls, "user", who, "peer", call.Source())
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
	x.dialled[c.caller.User]++
	x.live[c] = struct{}{}
	return true
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
	called := stack.UnescapeUser(call.Request().Recipient.User)
	c := &conduct{
		x: x, caller: caller, route: choose(x.desk, x.cfg.Numbers(), caller, called),
		a:     &leg{user: caller.User, trunk: caller.Trunk(), call: call, sdp: call.Offer()},
		loans: make(chan loan), box: x.mailbox(),
	}
	from := c.from()
	c.a.party = from
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

// run conducts the call to its end. A side that was given to another call is heard there from then on.
func (c *conduct) run(ctx context.Context) {
	given := c.connect(ctx)
	c.finish()
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
	found := c.search().find(ctx)
	c.release = append(c.release, found.release...)
	switch {
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
		c: c, box: c.box, route: c.route, asker: c.a, offer: c.a, sdp: c.a.sdp,
		headers: []string{"Max-Forwards", strconv.Itoa(stack.Hops(c.a.call.Request()) - 1)}, // loops end (RFC 3261 §16.3)
		tell:    func(code int, sdp string) { c.a.call.Ring(code, sdp) },
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

// refuse gives the caller its final answer.
func (c *conduct) refuse(o outcome) {
	c.note(func(r *CallRecord) { r.Code = o.code })
	if err := c.a.call.Reject(o.code, o.reason, o.headers...); err != nil {
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
	if err := c.a.call.Answer(ctx, sdp); err != nil {
		c.x.hangUp(b, "SIP;cause=408;text=\"Caller Gone\"")
		return nil
	}
	return c.talk(ctx, b)
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
