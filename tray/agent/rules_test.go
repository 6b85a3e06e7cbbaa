package agent

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
	pages   int             // opened
	asked   map[string]bool // calls that somebody wanted recorded, whatever came of it
	taped   map[string]bool
	popped  map[string]bool          // addresses that a page or the browser has shown
	kept    []wire.CallNote          // what is on the disk of notes that the center does not have
	center  map[string]wire.CallNote // what it has
	wrote   map[string]wire.CallNote // the newest by call
}

func (l *line) step(e Event) {
	takes := l.s.takesOutside()
	if _, ok := e.(HoldFailed); ok {
		l.excused = true
	}
	switch e := e.(type) {
	case wire.Record:
		l.asked[e.Call] = true
	case Invited:
		l.asked[e.Call] = l.asked[e.Replaces]
	case Recording:
		l.taped[e.Call] = e.State != ""
	case wire.PopShown:
		if p := l.s.Pop; p != nil && p.ID == e.ID {
			l.shown(p.URL)
		}
	case NoteTold:
		if had := l.center[e.Note.Call]; e.Problem == nil && !e.Note.At.Before(had.At) {
			l.center[e.Note.Call] = e.Note
		}
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
	case Record:
		i, policy := l.s.call(f.Call), l.s.Welcome.Policy.Record
		switch {
		case i < 0, f.On && (policy == wire.RecordNever || !answered(l.s.Calls[i])):
			l.t.Fatalf("%+v under policy %q", f, policy)
		case f.On && !l.asked[f.Call] && !l.s.Calls[i].Outside:
			l.t.Fatalf("%+v: an inside call nobody asked for", f)
		case f.On == l.taped[f.Call]:
			l.t.Fatalf("%+v twice", f)
		}
		l.taped[f.Call] = f.On
	case Replay:
		if i := l.s.call(f.Call); f.On && (!l.s.Welcome.Policy.Replay || l.s.Calls[i].Card) {
			l.t.Fatalf("%+v under policy %+v of %+v", f, l.s.Welcome.Policy, l.s.Calls[i])
		}
	case ShowPage:
		if l.pages++; l.pages > 1 || !l.s.Gone {
			l.t.Fatalf("%d pages opened in one moment", l.pages)
		}
	case OpenCRM:
		l.shown(f.URL)
	case KeepNotes:
		l.kept = f.Notes
	case SendNote:
		if l.s.Local {
			l.t.Fatalf("%+v without a center", f)
		}
		later(NoteTold{Note: f.Note}, NoteTold{Note: f.Note}, NoteTold{Note: f.Note, Problem: &wire.Problem{Code: wire.ProblemOffline}})
	case FetchBook:
		later(BookCame{Rev: 2, Names: map[string]string{"2002": "Reception"}}, BookCame{Problem: &wire.Problem{Code: wire.ProblemUnreachable}})
	case AskStatus, AskNext, AskExtend, AskHand, Report, ReportLine:
		if l.s.Local {
			l.t.Fatalf("%+v asked of a center that is not there", f)
		}
	}
}

// shown: an address of the customer system is on the screen, once.
func (l *line) shown(url string) {
	if l.popped[url] {
		l.t.Fatalf("%s is shown twice", url)
	}
	l.popped[url] = true
}

// written: what was said about a call is shown with it, and is at the center, or waits on the disk.
func (l *line) written(e Event) {
	for call, n := range l.wrote {
		waits := slices.ContainsFunc(l.kept, func(k wire.CallNote) bool { return k == n })
		if !l.s.Local && l.s.Phase == wire.PhaseIn && !waits && l.center[call] != n {
			l.t.Fatalf("%+v: %+v is lost", e, n)
		}
		if i := l.s.pastCall(call); i >= 0 && l.s.History[i].Note != n.Text {
			l.t.Fatalf("%+v: %+v shows another note than %q", e, l.s.History[i], n.Text)
		}
	}
}

// check: what holds whatever happened.
func (l *line) check(e Event) {
	s := l.s
	if n, ok := e.(wire.CallNote); ok && (s.call(n.Call) >= 0 || s.pastCall(n.Call) >= 0) && s.Phase == wire.PhaseIn {
		n.At = s.Now
		l.wrote[n.Call] = n
	}
	l.written(e)
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
	if len(s.Calls) > 0 && (s.Echo || s.RingTest) {
		l.t.Fatalf("%+v: a test goes on beside a call", e)
	}
	if len(s.Calls) == 0 && (s.Gone || s.MutedTalk) {
		l.t.Fatalf("%+v: somebody misses sound or mutes talk, and there is no call", e)
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
	card := slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return c.Conference && c.Card })
	for _, c := range s.Calls {
		if quiet := c.Card || c.Conference && card; c.Recording != "" && quiet != (c.Recording == wire.RecordingPaused) {
			l.t.Fatalf("%+v: the recording of %+v is said to be %s", e, c, c.Recording)
		}
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
		l := &line{t: t, s: sc.s, open: map[string]bool{}, asked: map[string]bool{}, taped: map[string]bool{},
			popped: map[string]bool{}, center: map[string]wire.CallNote{}, wrote: map[string]wire.CallNote{}}
		l.s.Welcome.Policy = wire.Policy{Record: rapid.SampledFrom([]string{wire.RecordNever, wire.RecordAsked, wire.RecordAlways}).Draw(t, "record"),
			Replay: rapid.Bool().Draw(t, "replay")}
		l.s.Welcome.Desk.CRM = &wire.CRM{Call: "https://crm.example/{callId}", When: "ring"}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			l.s.Now = l.s.Now.Add(time.Millisecond)
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
		wire.Record{Call: c, On: on}, wire.CardMode{Call: c, On: on}, wire.Replay{Call: c, On: on}, wire.EchoTest{On: true}, wire.RingTest{}, SoundGone{on},
		Recording{Call: c}, Recording{Call: c, State: wire.RecordingOn}, Replaying{c, on}, MutedTalk{on}, Expired{alarmPage},
		wire.PagesChanged{Open: l.rings % 3}, wire.PopShown{ID: strconv.Itoa(l.s.pops)}, Expired{alarmPop + strconv.Itoa(l.s.pops)}, wire.SeenMissed{},
		wire.CallNote{Call: c, Text: "note " + strconv.Itoa(l.rings)}, wire.CallNote{Call: c, Text: "note " + strconv.Itoa(l.rings)}, Expired{alarmNote}, BookChanged{uint64(l.rings)}, Expired{alarmBook},
		Expired{alarmPast}, wire.RaiseHand{On: on}, wire.OriginAsks{Origin: "https://crm.example"},
		Expired{alarmAsked + c}, Expired{alarmMoved + c}, Expired{alarmTones + c}, Expired{alarmWork},
		Stated{wire.AgentState{Status: status, Rev: l.s.Record.Rev + 1}}, AskRefused{To: status, Problem: wire.Problem{Code: wire.ProblemStatusInCall}},
	}).Draw(t, "event")
	if e, ok := e.(Invited); ok {
		l.open[e.Call] = true
	}
	return e
}
