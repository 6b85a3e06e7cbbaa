package roster

import (
	"slices"
	"time"

	"zaseki/web/wire"
)

const (
	keptOps  = 16
	maxCalls = 8
	// oneMiss is how long two words about the same unanswered call may be apart, where one of them does not name it.
	oneMiss = 5 * time.Second
	// missKept is how many are remembered: a word that comes late is not counted again.
	missKept = 8
	// noAnswer is why who did not take calls is Away.
	noAnswer = "no answer"
)

// enter puts the agent into a status.
func (a *Agent) enter(status string, now time.Time) {
	a.Status, a.Since, a.Until, a.Over, a.Cause = status, now, time.Time{}, false, ""
}

// done remembers a request; repeated says that it was carried out before.
func (a *Agent) done(op string) (repeated bool) {
	if op == "" {
		return false
	}
	if slices.Contains(a.Ops, op) {
		return true
	}
	a.Ops = append(a.Ops, op)
	if len(a.Ops) > keptOps {
		a.Ops = a.Ops[len(a.Ops)-keptOps:]
	}
	return false
}

// pickable says whether a person may choose the status.
func (v *view) pickable(account, status string) error {
	if !v.accounts[account].v.Agent {
		return wire.Problem{Code: wire.ProblemForbidden}
	}
	if d, ok := v.def(status); !ok || !d.Pickable || d.Class == "off" || d.Class == "system" {
		return wire.Problem{Code: wire.ProblemStatusUnknown, Holes: map[string]string{"status": status}}
	}
	return nil
}

// setStatus is a person's wish (PRODUCT D6–D9).
func (d *draft) setStatus(account, to, op string) error {
	if err := d.pickable(account, to); err != nil {
		return err
	}
	now := d.agents[account].v
	if slices.Contains(now.Ops, op) {
		return nil
	}
	if now.inCall() && d.profile().RefuseInCall {
		return wire.Problem{Code: wire.ProblemStatusInCall, Holes: map[string]string{"status": to}}
	}
	if now.Status == to && now.Until.IsZero() {
		return nil
	}
	d.pick(account, to, op)
	return nil
}

func (d *draft) pick(account, to, op string) {
	a := d.agent(account, "chosen")
	a.done(op)
	a.Picked = to
	a.Next = ""
	if a.Status == to { // after-call work that shall not end by itself
		a.Until = time.Time{}
		return
	}
	a.enter(to, d.now)
}

// setNext is the status for after the call (PRODUCT D9); "" cancels it. When the call is over already it is taken at once.
func (d *draft) setNext(account, to, op string) error {
	if to != "" {
		if err := d.pickable(account, to); err != nil {
			return err
		}
	}
	now := d.agents[account].v
	switch {
	case slices.Contains(now.Ops, op), now.inCall() && now.Next == to, !now.inCall() && to == "" && now.Next == "":
	case now.inCall() || to == "":
		a := d.agent(account, "next status")
		a.done(op)
		a.Next = to
	default:
		d.pick(account, to, op)
	}
	return nil
}

// extendWork lengthens after-call work (PRODUCT D10). Without a countdown there is nothing to do.
func (d *draft) extendWork(account, op string) error {
	now := d.agents[account].v
	if now.Until.IsZero() || slices.Contains(now.Ops, op) {
		return nil
	}
	a := d.agent(account, "extended")
	a.done(op)
	a.Until = a.Until.Add(time.Duration(d.site.v.ExtendSeconds) * time.Second)
	return nil
}

// report takes over what the phone says about a call (PRODUCT D4, D10).
func (d *draft) report(account string, r wire.CallReport, op string) error {
	now := d.agents[account].v
	if now.Session == nil || r.ID == "" || slices.Contains(now.Ops, op) {
		return nil
	}
	i := slices.IndexFunc(now.Calls, func(c Call) bool { return c.ID == r.ID })
	if i >= 0 && now.Calls[i].says(r) {
		return nil
	}
	why := "call " + r.Phase
	if i >= 0 && now.Calls[i].Phase == r.Phase {
		why = "call changed hands"
	}
	a := d.agent(account, why)
	a.done(op)
	if i < 0 {
		if len(a.Calls) == maxCalls {
			a.Calls = a.Calls[1:]
		}
		a.Calls = append(a.Calls, Call{ID: r.ID, Center: r.Center, Inbound: r.Inbound, Began: d.now})
		i = len(a.Calls) - 1
	}
	c := &a.Calls[i]
	if c.Phase != r.Phase { // else somebody else is at its other end
		c.At = d.now
	}
	c.Phase, c.Outside, c.Peer, c.Queue, c.Result = r.Phase, r.Outside, r.Peer, r.Queue, r.Result
	if c.Phase == wire.CallTalking && c.Answered.IsZero() {
		c.Answered = d.now
	}
	if c.Phase == wire.PhaseEnded {
		a.Sound = soundOf(r, d.now)
		d.ended(a, i)
	}
	return nil
}

// says: the report is what is known of the call.
func (c Call) says(r wire.CallReport) bool {
	return c.Phase == r.Phase && c.Outside == r.Outside && c.Peer == r.Peer && c.Queue == r.Queue
}

// ended removes the call and, when it was the last one, does what follows a call.
func (d *draft) ended(a *Agent, i int) {
	c := a.Calls[i]
	a.Calls = slices.Delete(a.Calls, i, i+1)
	taken := !c.Answered.IsZero() || c.Result == "answered"
	switch {
	case !c.Inbound || !c.Outside:
	case taken:
		a.Wrap, a.Misses = true, 0
	case c.Result == "missed" || c.Result == "declined":
		d.miss(a, Miss{Call: c.Center, Phone: true})
	}
	if a.inCall() {
		return
	}
	a.Idle = d.now
	switch {
	case a.Next != "":
		a.enter(a.Next, d.now)
		a.Picked, a.Next = a.Status, ""
	case a.Wrap && d.available(a.Status) && d.rulesOf(a.Account).AfterWorkSeconds > 0:
		a.enter(wire.StatusWork, d.now)
		a.Until = d.now.Add(time.Duration(d.rulesOf(a.Account).AfterWorkSeconds) * time.Second)
	}
	a.Wrap = false
	if a.Cause != "" {
		d.find(KindAgent, a.Account, a.Cause)
		a.Cause = ""
	}
}

// missed counts an outside call that was offered and not taken.
func (d *draft) missed(account string, m Miss) {
	a := d.agents[account].v
	if i := a.same(m, d.now); a.Session == nil || i >= 0 && (a.Missed[i].Both || a.Missed[i].Phone == m.Phone) {
		return
	}
	d.miss(d.agent(account, "missed"), m)
}

// miss counts, a call once; after too many in a row the agent is Away (PRODUCT D10).
func (d *draft) miss(a *Agent, m Miss) {
	if i := a.same(m, d.now); i >= 0 {
		a.Missed[i].Both = a.Missed[i].Both || a.Missed[i].Phone != m.Phone
		return
	}
	m.At = d.now
	if a.Missed = append(a.Missed, m); len(a.Missed) > missKept {
		a.Missed = a.Missed[1:]
	}
	a.Misses++
	if limit := d.rulesOf(a.Account).Misses; limit > 0 && a.Misses >= limit && d.available(a.Status) {
		a.Misses = 0
		a.enter(wire.StatusAway, d.now)
		d.find(KindAgent, a.Account, noAnswer)
		if a.inCall() { // the exchange has counted it before the phone tells that the call is over
			a.Cause = noAnswer
		}
	}
}

// same is the index of the miss that this is another word about, or -1. Two words that name their calls are of one when the names are
// the same. Where one does not, as a PBX's or that of a phone that was rung by one, the phone's word and the other's close by are of
// one, and each has one other.
func (a Agent) same(m Miss, now time.Time) int {
	return slices.IndexFunc(a.Missed, func(o Miss) bool {
		if m.Call != "" && o.Call != "" {
			return m.Call == o.Call
		}
		return o.Phone != m.Phone && !o.Both && now.Sub(o.At) < oneMiss
	})
}

// presence is what this node knows about a phone's connection.
type presence struct {
	linked  bool
	dropped time.Time // when the connection broke; zero: it is none of this node's
}

// lapse does what time alone does: the end of after-call work, and the stages of a lost connection (PRODUCT D11). due
// is when something is next to be done; zero: never.
func (d *draft) lapse(account string, p presence, t Timing) (due time.Time) {
	now := d.agents[account].v
	if now.Session == nil {
		return time.Time{}
	}
	if why := d.unfit(account); why != "" {
		d.end(account, "", why)
		return time.Time{}
	}
	next := func(at time.Time) bool {
		if !d.now.Before(at) {
			return true
		}
		if due.IsZero() || at.Before(due) {
			due = at
		}
		return false
	}
	if !now.Until.IsZero() && next(now.Until) {
		d.agent(account, "after-call work over").enter(d.afterWork(now), d.now)
	} else if at := d.overstay(now); !at.IsZero() {
		if next(at) {
			d.agent(account, "longest time reached").Over = true
		}
	} else if at := d.longest(now); !now.Over && !at.IsZero() && next(at) {
		a := d.agent(account, "time over")
		a.enter(wire.StatusAway, d.now)
		now.Status = a.Status
	}
	switch {
	case now.Conn == connLost && p.linked:
		a := d.agent(account, "connection back")
		a.Conn, a.LostAt = connUp, time.Time{}
		return due
	case now.Conn == connUp && !p.linked && !p.dropped.IsZero() && next(p.dropped.Add(t.Grace)):
		a := d.agent(account, "connection lost")
		a.Conn, a.LostAt = connLost, p.dropped
		now.Conn, now.LostAt = connLost, p.dropped
	}
	if now.Conn != connLost {
		return due
	}
	if now.Status != "" && now.Status != wire.StatusAway && !now.inCall() && next(now.LostAt.Add(t.Away)) {
		a := d.agent(account, "connection lost")
		a.enter(wire.StatusAway, d.now)
		a.Next = ""
	}
	if next(now.LostAt.Add(t.Off)) {
		d.end(account, "", "connection lost")
	}
	return due
}

// unfit is why the session must end though nobody ended it; "" it need not. Whatever changed account, password or terminal, on this
// node or another, comes by here.
func (v *view) unfit(account string) (why string) {
	a, s := v.accounts[account], v.agents[account].v
	t, there := v.terminals[s.Terminal]
	switch {
	case a.seq == 0:
		return "account removed"
	case a.v.Off:
		return "suspended"
	case s.Session.Stamp != "" && s.Session.Stamp != v.stamp(account):
		return "password or second factor changed"
	case s.Terminal != "" && (!there || t.v.Type == typeTrunk): // one that is another agent's now is told of: see bound
		return "terminal taken away"
	}
	return ""
}

// afterWork is the status after after-call work: the one that takes calls and was chosen last, else Available.
func (v *view) afterWork(a Agent) string {
	if v.available(a.Picked) {
		return a.Picked
	}
	return wire.StatusAvailable
}

// longest is when the agent has been in a status for as long as it may be (PRODUCT D3); a call is waited for. Zero: no limit.
func (v *view) longest(a Agent) time.Time {
	d, _ := v.def(a.Status)
	if d.Minutes == 0 || a.inCall() {
		return time.Time{}
	}
	return a.Since.Add(time.Duration(d.Minutes) * time.Minute)
}

// shown is the status others see: a system status covers the agent's own (PRODUCT D4).
func (a Agent) shown() (status string, since time.Time) {
	if a.Conn == connLost {
		return wire.StatusLost, a.LostAt
	}
	for _, c := range a.Calls {
		switch {
		case c.Phase == wire.CallOffered:
			status, since = wire.StatusRinging, c.At
			continue // a call that is being talked in covers one that rings
		case !c.Inbound:
			return wire.StatusDialing, c.Began
		case !c.Answered.IsZero():
			return wire.StatusTalking, c.Answered
		}
		return wire.StatusTalking, c.At
	}
	if status != "" {
		return status, since
	}
	return a.Status, a.Since
}
