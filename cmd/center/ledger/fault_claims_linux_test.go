package ledger

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// claims are sign-ins for seats at several members, as a history.
type claims struct {
	mu    sync.Mutex
	began time.Time
	all   []porcupine.Operation
	open  []*asked
}

type asked struct {
	seat, who string
	client    int
	at        time.Time
}

// what a claim of a seat was told, in a history.
type outcome struct {
	granted bool
	holder  string // of a look at the seat
}

// seat is a register that is given once, to one.
var seat = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		by := map[string][]porcupine.Operation{}
		for _, op := range all {
			by[op.Input.(asked).seat] = append(by[op.Input.(asked).seat], op)
		}
		var parts [][]porcupine.Operation
		for _, p := range by {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		has, in, out := state.(string), input.(asked), output.(outcome)
		switch {
		case in.who == "":
			return out.holder == has, has
		case out.granted:
			return has == "", in.who
		}
		return has != "" && has != in.who, has // taken
	},
	Equal: func(a, b any) bool { return a == b },
}

// claim has every member claim a seat at the same moment; each of them is a sign-in of another agent.
func (l *lab) claim(c *claims, name string) {
	l.t.Helper()
	for i, k := range l.kids {
		a := &asked{seat: name, who: fmt.Sprintf("%s-%s", name, k.name), client: i, at: time.Now()}
		c.mu.Lock()
		c.open = append(c.open, a)
		c.mu.Unlock()
		k.order(l.t, "claim "+a.seat+" "+a.who)
	}
}

// settle waits for all answers and checks the history against the log.
func (l *lab) settle(c *claims, log []Event) {
	l.t.Helper()
	told := map[string]int{}
	last := time.Now()
	for _, a := range c.open {
		var lines []string
		var at time.Time
		k, begin := l.kids[a.client], "claim "+a.seat+" "+a.who+" "
		until(l.t, "an answer to "+begin, patience, func() bool {
			lines, at = k.since(a.at, begin)
			return len(lines) > 0
		})
		said, _, _ := strings.Cut(strings.TrimPrefix(lines[0], begin), " ")
		told[said]++
		stored := slices.ContainsFunc(log, func(e Event) bool { return e.Subject == "agent."+a.who })
		op := porcupine.Operation{ClientId: a.client, Input: *a, Call: a.at.Sub(c.began).Nanoseconds(), Return: at.Sub(c.began).Nanoseconds()}
		switch {
		case said == "granted":
			op.Output = outcome{granted: true}
		case said == "taken":
			op.Output = outcome{}
		case said == "unknown" && stored: // it took effect at some moment after it was asked
			op.Output, op.Return = outcome{granted: true}, last.Add(time.Minute).Sub(c.began).Nanoseconds()
		case stored:
			l.t.Errorf("%s is stored, and was told %s", a.who, lines[0])
			continue
		default: // nothing was stored
			if at.Sub(a.at) > 25*time.Second {
				l.t.Errorf("%s waited %v to hear %s", a.who, at.Sub(a.at), lines[0])
			}
			continue
		}
		if op.Output.(outcome).granted != stored {
			l.t.Errorf("%s: stored: %v, and was told %s", a.who, stored, lines[0])
		}
		c.all = append(c.all, op)
	}
	for _, e := range log { // who has the seat when all is over
		kind, name, _ := Split(e.Subject)
		if kind == "seat" {
			after := last.Add(2 * time.Minute).Sub(c.began).Nanoseconds()
			c.all = append(c.all, porcupine.Operation{ClientId: 9, Input: asked{seat: name}, Output: outcome{holder: strings.Trim(string(e.Data), `"`)}, Call: after, Return: after + 1})
		}
	}
	if res := porcupine.CheckOperationsTimeout(seat, c.all, 30*time.Second); res != porcupine.Ok {
		l.t.Errorf("the history of %d claims is %v", len(c.all), res)
	}
	l.t.Logf("claims were told %v", told)
}
