package exchange

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

const (
	questionLife = 5 * time.Minute // a call that is not asked for again by then is forgotten
	questionMost = 100000          // calls remembered; above it the oldest are forgotten
	askAgain     = 5               // seconds after which a PBX may ask for a caller for whom nobody was free
)

// asker is the PBX that asks from that address, nil when none does.
func (x *Exchange) asker(from netip.Addr) *Asker {
	b := x.beside.Load()
	for i := range b.Askers {
		if within(b.Askers[i].Accept, from) {
			return &b.Askers[i]
		}
	}
	return nil
}

// routed answers a PBX that asks which agent takes a queue's call: 302 to the one who has been free the longest and is kept for it
// for twenty seconds, 480 when there is none. Asked again for the same call, it names somebody who has not been named yet. What the
// queue's rules say holds here too: busy, and another number or queue, to which the call is sent by 302; a message the PBX takes
// itself, which reads in the Reason why.
func (x *Exchange) routed(call *dialog.Call) bool {
	asks := x.asker(call.Source().Addr())
	if asks == nil || x.where.knows(call.Source()) {
		return false
	}
	queue := stack.UnescapeUser(call.Request().Recipient.User)
	name, ok := x.desk.Queue(queue)
	if !ok {
		return false
	}
	began := time.Now()
	a := x.route(call.CallID(), queue)
	headers := reasonFor(a.code, a.why)
	switch {
	case a.code == 302 && Dialable(a.user):
		headers = []string{"Contact", "<sip:" + a.user + "@" + asks.host(call.Source()) + ">"}
	case a.code == 302:
		x.log.Error("a terminal's name cannot stand in a Contact", "user", a.user)
		a.code, headers = 480, reasonFor(480, whyNobody)
	case a.why == whyNobody:
		headers = append(headers, "Retry-After", strconv.Itoa(askAgain))
	}
	call.Reject(a.code, a.phrase(), headers...)
	x.routes.advised(call, asks, queue, name, a, began)
	x.log.Info("routed", "call", call.CallID(), "peer", asks.ID, "queue", name, "account", a.account, "code", a.code, "reason", a.why, "took", time.Since(began))
	return true
}

// advice is what a PBX is told: 302 to a user, or a refusal and why.
type advice struct {
	code    int
	user    string // of an agent's terminal, or a number
	account string // of the agent
	offer   Offer  // to the agent
	why     string
}

func (a advice) phrase() string {
	switch {
	case a.code == 302:
		return "Moved Temporarily"
	case a.code == 486:
		return "Busy Here"
	case a.why == "closed" || a.why == "holiday":
		return "Closed"
	}
	return "Nobody Free"
}

// route looks for an agent where the rules of the queues lead, in no queue twice.
func (x *Exchange) route(call, queue string) advice {
	for been := map[string]bool{}; !been[queue]; {
		been[queue] = true
		state := x.desk.State(queue)
		why := state.shut()
		if why == "" {
			o, ok := x.asked.next(call, func(tried []string) (Offer, func(), bool) { return x.desk.Offer(queue, tried) })
			if ok {
				return advice{code: 302, user: o.User, account: o.Account, offer: o}
			}
			if why = whyLate; !state.late(x.asked.since(call)) {
				return advice{code: 480, why: whyNobody}
			}
		}
		rule := state.rule(why)
		if rule == nil {
			return advice{code: 480, why: why}
		}
		switch rule.Do {
		case "busy":
			return advice{code: 486, why: why}
		case "number":
			return advice{code: 302, user: rule.To, why: why}
		case "queue":
			if _, known := x.desk.Queue(rule.To); !known {
				return advice{code: 480, why: why}
			}
			queue = rule.To
		default: // a message, or an announcement: it is the PBX that answers
			return advice{code: 480, why: why}
		}
	}
	return advice{code: 480, why: whyNobody}
}

// shut is why no agent is asked for at all; "" one is.
func (q QueueState) shut() string {
	switch {
	case q.Closed != "":
		return q.Closed
	case q.Empty && q.rule(whyEmpty) != nil:
		return whyEmpty
	}
	return ""
}

// late: who has waited for so long has a rule.
func (q QueueState) late(waited time.Duration) bool {
	r := q.rule(whyLate)
	return r != nil && waited >= r.After
}

// host is where the PBX's phones are: its own domain, or itself. No other host is ever named.
func (a *Asker) host(from netip.AddrPort) string {
	if a.Domain != "" {
		return a.Domain
	}
	if from.Port() == 5060 {
		return strings.TrimSuffix(net.JoinHostPort(from.Addr().String(), ""), ":")
	}
	return from.String()
}

// questions remembers which agents a PBX was told for a call, so that none is told twice.
type questions struct {
	mu  sync.Mutex
	of  map[string]*question
	old []*question // by their time
	now func() time.Time
}

type question struct {
	call    string
	tried   []string
	release func() // of who was named last
	at      time.Time
}

func newQuestions(now func() time.Time) *questions {
	return &questions{of: map[string]*question{}, now: now}
}

// next names an agent who was not named for that call before. Who was named last has not taken it and is free for others.
func (q *questions) next(call string, offer func(tried []string) (Offer, func(), bool)) (o Offer, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forgetLocked()
	one := q.of[call]
	if one == nil {
		one = &question{call: call, at: q.now()}
		q.of[call] = one
		q.old = append(q.old, one)
	}
	if one.release != nil {
		one.release()
		one.release = nil
	}
	o, release, ok := offer(one.tried)
	if !ok {
		return Offer{}, false
	}
	one.tried, one.release = append(one.tried, o.Account), release
	return o, true
}

// since is how long ago the call was asked for first.
func (q *questions) since(call string) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if one := q.of[call]; one != nil {
		return q.now().Sub(one.at)
	}
	return 0
}

func (q *questions) forgetLocked() {
	now, n := q.now(), 0
	for n < len(q.old) && (now.Sub(q.old[n].at) > questionLife || len(q.old)-n > questionMost) {
		delete(q.of, q.old[n].call)
		q.old[n] = nil
		n++
	}
	q.old = q.old[n:]
}
