package agent

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"zaseki/web/wire"
)

// line plays the far sides: it answers effects as a phone and a center would, late and in any order, and knows what must hold.
type line struct {
	t       *rapid.T
	s       State
	open    map[string]bool // calls that the agent was told of or placed, and that are not forgotten
	mixed   []string
	focus   string
	excused bool    // a hold was refused, or two calls stand during a transfer: two may be heard of
	answers []Event // what is still to be told
	rings   int
}

func (l *line) step(e Event) {
	takes := l.s.takesOutside()
	if _, ok := e.(HoldFailed); ok {
		l.excused = true
	}
	var effects []Effect
	l.s, effects = Step(l.s, e)
	for _, f := range effects {
		l.did(f, takes)
	}
	l.check(e)
}

func (l *line) did(f Effect, takes bool) {
	later := func(es ...Event) { l.answers = append(l.answers, rapid.SampledFrom(es).Draw(l.t, "answer")) }
	switch f := f.(type) {
	case Ring:
		i := l.s.call(f.Call)
		if i < 0 || l.s.Calls[i].Outside && !takes {
			l.t.Fatalf("%+v rings though status %s takes no outside call", f, l.s.Record.Status)
		}
	case Place:
		l.open[f.Call] = true
		later(Joined{f.Call}, Failed{Call: f.Call, Code: 486})
	case Follow:
		l.excused = true
		l.open[f.New] = true
		later(Joined{f.New}, Failed{Call: f.New, Code: 603})
	case Join:
		later(Joined(f), Failed{Call: f.Call, Problem: wire.Problem{Code: wire.ProblemInternal}})
		for id, n := range l.s.notes {
			if _, ok := l.answers[len(l.answers)-1].(Joined); ok && n.gone == f.Call {
				later(Ended{Call: id, Replaced: true})
			}
		}
	case HoldCall:
		later(HoldDone(f), HoldDone(f), HoldDone(f), HoldFailed{f.Call, wire.Problem{Code: wire.ProblemCallFailed}})
	case SendOn:
		later(SentOn{f.Call}, SendOnFailed{Call: f.Call, Code: 486})
	case Connect:
		if f.Call == f.Other || l.s.call(f.Call) < 0 || l.s.call(f.Other) < 0 {
			l.t.Fatalf("%+v of %+v", f, l.s.Calls)
		}
		later(SentOn{f.Call}, SendOnFailed{Call: f.Call, Code: 603})
	case Drop:
		later(Ended{Call: f.Call}, Failed{Call: f.Call, Code: 487})
	case Abort:
		later(Ended{Call: f.Call})
	case Refuse:
		delete(l.open, f.Call)
	case Forget:
		delete(l.open, f.Call)
	case Mix:
		l.mixed = f.Calls
	case Focus:
		l.focus = f.Call
	case Leave:
		clear(l.open)
		later(Left{})
	case AskStatus, AskNext, AskExtend, Report, ReportLine:
		if l.s.Local {
			l.t.Fatalf("%+v asked of a center that is not there", f)
		}
	}
}

// check: what holds whatever happened.
func (l *line) check(e Event) {
	s := l.s
	if len(s.Calls) > callsMax+1 {
		l.t.Fatalf("%+v: %d calls", e, len(s.Calls))
	}
	ids := map[string]bool{}
	for _, c := range s.Calls {
		if ids[c.ID] {
			l.t.Fatalf("%+v: two calls %s", e, c.ID)
		}
		ids[c.ID] = true
		if c.Consult != "" && s.call(c.Consult) < 0 {
			l.t.Fatalf("%+v: %s asks about a call that is gone", e, c.ID)
		}
	}
	if s.Phase == wire.PhaseIn && !slices.Equal(slices.Sorted(maps.Keys(l.open)), slices.Sorted(maps.Keys(ids))) {
		l.t.Fatalf("%+v: calls %v, but the phone has %v", e, ids, l.open)
	}
	for id := range s.notes {
		if !ids[id] {
			l.t.Fatalf("%+v: a note of call %s is left behind", e, id)
		}
	}
	if s.Phase == wire.PhaseIn && !slices.Equal(s.members(), l.mixed) && !slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return c.Conference && !answered(c) }) {
		l.t.Fatalf("%+v: a conference of %v, mixed are %v", e, s.members(), l.mixed)
	}
	if n := len(s.members()); n == 1 {
		l.t.Fatalf("%+v: a conference of one", e)
	}
	if a := s.Ask; a != nil && a.Kind == "transfer" && s.notes[a.Call].asked == nil {
		l.t.Fatalf("%+v: a question about a transfer nobody asked for", e)
	}
	s.Snapshot()
}

// quiet says what holds once every answer is there: one mouth, nothing half done.
func (l *line) quiet() {
	for n := 0; len(l.answers) > 0; n++ {
		if n > 500 {
			l.t.Fatalf("answers never end: %+v", l.answers[0])
		}
		e := l.answers[0]
		l.answers = l.answers[1:]
		l.step(e)
	}
	mouths := []string{}
	for _, c := range l.s.Calls {
		if c.Moving != "" {
			l.t.Fatalf("a transfer hangs: %+v", c)
		}
		if h := l.s.notes[c.ID].hold; h != "" {
			l.t.Fatalf("a hold hangs: %+v", c)
		}
		if c.Phase == wire.CallTalking && !c.Conference {
			mouths = append(mouths, c.ID)
		}
	}
	if !l.excused && l.s.Phase == wire.PhaseIn && (len(mouths) > 1 || len(mouths) == 1 && (l.focus != mouths[0] || l.s.conferring())) {
		l.t.Fatalf("one mouth, and %v: the page listens to %q, mixed are %v: %+v", mouths, l.focus, l.mixed, l.s.Calls)
	}
	if l.focus != "" && l.s.call(l.focus) < 0 {
		l.t.Fatalf("the page listens to %s, which is gone", l.focus)
	}
}

// Whatever comes in whatever order: no panic, a refused outside call never rings, what the agent thinks of calls and
// conferences is what the instruments were told, nothing hangs once every answer is there.
func TestAnyOrderOfEventsKeepsTheRules(t *testing.T) {
	statuses := rapid.SampledFrom([]string{"available", "acw", "break", "away", "nonsense"})
	rapid.Check(t, func(t *rapid.T) {
		sc := &scene{}
		sc.begin(rapid.SampledFrom([][]string{{"in", "available"}, {"in", "break"}, {"local"}}).Draw(t, "begin"))
		l := &line{t: t, s: sc.s, open: map[string]bool{}}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			if len(l.answers) > 0 && rapid.Bool().Draw(t, "an answer comes") {
				i := rapid.IntRange(0, len(l.answers)-1).Draw(t, "which")
				e := l.answers[i]
				l.answers = slices.Delete(l.answers, i, i+1)
				l.step(e)
				continue
			}
			l.step(l.draw(statuses.Draw(t, "status")))
		}
		l.quiet()
	})
}

func (l *line) draw(status string) Event {
	t := l.t
	ids := []string{"nobody"}
	for _, c := range l.s.Calls {
		ids = append(ids, c.ID)
	}
	c, d, on := rapid.SampledFrom(ids).Draw(t, "call"), rapid.SampledFrom(ids).Draw(t, "other"), rapid.Bool().Draw(t, "on")
	in := rapid.SampledFrom([]Invited{{User: "0312345678", Host: "trunk", Mark: "sales"}, {User: "2002", Host: "zaseki.test"},
		{User: "2002", Host: "pbx.test"}, {User: "2003", Host: "pbx.test", Replaces: c}}).Draw(t, "caller")
	l.rings++
	in.Call = "c" + strings.Repeat("i", l.rings)
	e := rapid.SampledFrom([]Event{
		wire.SetStatus{To: status}, wire.SetNext{To: status}, wire.ExtendWork{}, wire.Dial{Number: "2002"}, wire.DialLink{URI: "tel:2002"},
		wire.Answer{Call: c}, wire.Answer{Call: c}, wire.Decline{Call: c}, wire.HangUp{Call: c}, wire.Hold{Call: c, On: on}, wire.Hold{Call: c, On: on},
		wire.Transfer{Call: c, Number: "2009"}, wire.Connect{Call: c, Other: d}, wire.FollowTransfer{Call: c, On: on}, wire.Conference{On: on}, wire.Conference{On: true},
		wire.Mute{On: on}, wire.SignOut{Sure: on && rapid.Bool().Draw(t, "sure")}, wire.Dismiss{}, in, in, in,
		Ended{Call: c, ByPeer: on}, Progressed{c, 180}, Linked{on}, Registered{}, Quiet{c}, PeerHeld{c, on}, MixFailed{Call: c},
		TransferAsked{Call: c, Number: "2004"}, TransferAsked{Call: c, Number: "0900123456"},
		Expired{alarmAsked + c}, Expired{alarmMoved + c}, Expired{alarmTones + c}, Expired{alarmWork},
		Stated{wire.AgentState{Status: status, Rev: l.s.Record.Rev + 1}}, AskRefused{To: status, Problem: wire.Problem{Code: wire.ProblemStatusInCall}},
	}).Draw(t, "event")
	if e, ok := e.(Invited); ok {
		l.open[e.Call] = true
	}
	return e
}
