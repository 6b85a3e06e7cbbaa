package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func signedIn(status string) State {
	sc := &scene{}
	sc.begin([]string{"in", status})
	return sc.s
}

func TestAWatcherGetsThePresentThenTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := New(signedIn("break"), func(context.Context, Effect) {})
		go a.Run(t.Context())
		news, stop := a.Watch()
		defer stop()
		if snap := <-news; snap.Status.Now != "break" {
			t.Fatalf("present: %+v", snap.Status)
		}
		for _, on := range []bool{true, false, true} {
			a.Post(wire.Mute{On: on})
		}
		synctest.Wait()
		if snap := <-news; !snap.Muted {
			t.Fatal("the newest did not win")
		}
	})
}

func TestLanesKeepOrderAndRunSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done []string // guarded by the lanes' order: only lane "call c1" writes
		slow := func(_ context.Context, e Effect) {
			if e.Lane() == "call c1" {
				time.Sleep(time.Second)
				done = append(done, e.(HoldCall).Call)
			}
		}
		l := newLanes(slow)
		began := time.Now()
		l.add(t.Context(), HoldCall{Call: "c1"})
		l.add(t.Context(), HoldCall{Call: "c1"})
		l.add(t.Context(), HoldCall{Call: "c2"})
		l.wait()
		if took := time.Since(began); took != 2*time.Second || len(done) != 2 {
			t.Fatalf("took %v, done %v", took, done)
		}
	})
}

func TestAbortOvertakesAnAnswerUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var did []string
		l := newLanes(func(ctx context.Context, e Effect) {
			switch e.(type) {
			case Join:
				<-ctx.Done() // an answer that waits 32 s for its ACK
				did = append(did, "join broken off")
			case Digits:
				did = append(did, "digits")
			case Abort:
				did = append(did, "abort")
			}
		})
		l.add(t.Context(), Join{"c1"})
		synctest.Wait()
		l.add(t.Context(), Digits{"c1", "1"})
		l.add(t.Context(), Abort{"c1"})
		l.wait()
		if len(did) != 2 || did[0] != "join broken off" || did[1] != "abort" {
			t.Fatal(did)
		}
	})
}

func TestQuitEndsTheLoopThoughAnEffectPosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a *Agent
		a = New(signedIn("break"), func(_ context.Context, e Effect) {
			if _, ok := e.(Leave); ok {
				a.Post(Left{})
				a.Post(SoundLive{}) // after the end: must not hang
			}
		})
		go a.Post(wire.Exit{})
		a.Run(t.Context())
		select {
		case <-a.Done():
		default:
			t.Fatal("not done")
		}
	})
}

// Whatever comes in whatever order: no panic, at most one call talks or is being answered, a refused outside call never
// rings, and a snapshot never carries a secret.
func TestAnyOrderOfEventsKeepsTheRules(t *testing.T) {
	calls := rapid.SampledFrom([]string{"c1", "c2", "c3", "out1", "out2"})
	statuses := rapid.SampledFrom([]string{"available", "acw", "break", "away", "nonsense"})
	rapid.Check(t, func(t *rapid.T) {
		s := signedIn(statuses.Filter(func(s string) bool { return s != "nonsense" }).Draw(t, "start"))
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			c, st := calls.Draw(t, "call"), statuses.Draw(t, "status")
			on := rapid.Bool().Draw(t, "on")
			takes := s.takesOutside()
			e := rapid.SampledFrom([]Event{
				wire.SetStatus{To: st}, wire.SetNext{To: st}, wire.Dial{Number: "2002"}, wire.Answer{Call: c}, wire.Decline{Call: c},
				wire.HangUp{Call: c}, wire.Hold{Call: c, On: on}, wire.Mute{On: on}, wire.SignOut{Sure: on}, wire.Dismiss{},
				Invited{Call: c, User: "0312345678", Host: "trunk", Mark: "sales"}, Invited{Call: c, User: "2002", Host: "zaseki.test"},
				Joined{c}, Failed{Call: c, Code: 486}, Ended{Call: c, ByPeer: on}, HoldDone{c, on}, Progressed{c, 180}, Linked{on}, Left{},
				Stated{wire.AgentState{Status: st, Rev: s.Record.Rev + 1}}, Registered{}, AskRefused{To: st, Problem: wire.Problem{Code: wire.ProblemStatusInCall}},
			}).Draw(t, "event")
			before := len(s.Calls)
			var effects []Effect
			s, effects = Step(s, e)
			for _, f := range effects {
				if r, ok := f.(Ring); ok {
					i := s.call(r.Call)
					if i < 0 || s.Calls[i].Outside && !takes {
						t.Fatalf("%+v rang though status %s takes no outside call", e, s.Record.Status)
					}
				}
			}
			if len(s.Calls) > before+1 || len(s.Calls) > 3 {
				t.Fatalf("calls %+v", s.Calls)
			}
			s.Snapshot()
		}
	})
}

func TestNumbers(t *testing.T) {
	for typed, want := range map[string]string{
		"2002": "2002", " 03-1234-5678 ": "0312345678", "+81 (3) 1234.5678": "+81312345678", "０９０１２３４": "0901234", "*43#": "*43#",
		"０３ー１２３４": "031234", "": "", "+": "", "a@b": "", "1;2": "", "1\r\n2": "", "12+3": "", "123456789012345678901234567890123": "",
	} {
		if got, ok := Number(typed); got != want && (ok || want != "") {
			t.Errorf("%q: %q, %v", typed, got, ok)
		} else if ok != (want != "") {
			t.Errorf("%q: ok %v", typed, ok)
		}
	}
}
