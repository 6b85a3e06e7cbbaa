package exchange

import (
	"slices"
	"strings"
)

// Values of the X-Center-Call header that name no queue (web/wire.QueueHeader): the phone rings an inside call in every
// status, a direct one only in a status that takes outside calls.
const (
	markHeader = "X-Center-Call"
	markInside = "inside"
	markDirect = "direct"

	// callHeader names the call to a phone as our history does, so that it and the center know that they speak of the same one
	// (web/wire.CallHeader).
	callHeader = "X-Center-Id"
	// calledHeader says which number was dialled (RFC 7315 §4.2).
	calledHeader = "P-Called-Party-ID"
)

// route is where a call goes.
type route struct {
	kind  kind
	user  string // SIP user to ring; for a trunk without a name, the newest registered one
	queue string // the queue's extension
	name  string // the queue's name
	mark  string // what the ringing phone is told

	number   string // for a trunk: the number it is asked for; "" the trunk itself
	instance string // for a user: the one phone that a GRUU names; "" all
}

type kind int

const (
	nowhere kind = iota // 404
	toUser
	toQueue
	toTrunk
)

// Numbers is what tells an extension that does not exist from a number outside.
type Numbers struct {
	Digits int      // a number of at most so many digits is an extension
	Line   string   // what phones put before outside numbers; the trunk gets the number without it
	Short  []string // outside numbers that are as short as extensions: 110, 119
}

// outside is the number as the trunk gets it; ok is false for an extension that does not exist.
func (n Numbers) outside(number string) (string, bool) {
	if rest, ok := strings.CutPrefix(number, n.Line); n.Line != "" && ok && (len(number) > n.Digits || slices.Contains(n.Short, rest)) && rest != "" {
		return rest, true
	}
	return number, (len(number) > n.Digits || slices.Contains(n.Short, number)) && strings.Trim(number, "+0123456789*#") == ""
}

// choose says where a caller's call goes. Who the caller is was proven by digest; what it writes into From decides nothing.
// A trunk reaches extensions and queues only: a call from outside to outside would be paid by us.
func choose(desk Desk, plan Numbers, caller Terminal, number string) route {
	if !Dialable(number) {
		return route{}
	}
	if name, ok := desk.Queue(number); ok {
		return route{kind: toQueue, queue: number, name: name, mark: name}
	}
	called, known := desk.Terminal(number)
	switch {
	case caller.Trunk() && (!known || called.Trunk()):
		return route{}
	case known && called.Trunk():
		return route{kind: toTrunk, user: number}
	case known && caller.Trunk():
		return route{kind: toUser, user: number, mark: markDirect}
	case known:
		return route{kind: toUser, user: number, mark: markInside}
	}
	out, ok := plan.outside(number)
	if !ok {
		return route{}
	}
	return route{kind: toTrunk, number: out}
}

// Dialable says whether number may stand in a request of ours: digits, what a telephone number has beside them, or a plain
// user name.
func Dialable(number string) bool {
	if number == "" || len(number) > 64 {
		return false
	}
	for _, r := range number {
		switch {
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
		case r == '+' || r == '*' || r == '#' || r == '.' || r == '_' || r == '-':
		default:
			return false
		}
	}
	return true
}

// masked is a number as a log may show it: enough to tell calls apart, not enough to call back.
func masked(number string) string {
	if len(number) <= 4 {
		return number
	}
	return "…" + number[len(number)-3:]
}

// newestTrunk is the trunk that registered last.
func (x *Exchange) newestTrunk() (user string, ok bool) {
	var newest binding
	for name, have := range x.where.users() {
		if t, known := x.desk.Terminal(name); !known || !t.Trunk() {
			continue
		}
		for _, b := range have {
			if !ok || b.since.After(newest.since) {
				user, newest, ok = name, b, true
			}
		}
	}
	return user, ok
}
