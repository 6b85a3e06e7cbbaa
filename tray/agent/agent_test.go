package agent

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

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
