package uplink

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"zaseki/web/wire"
)

// TestWhatIsKeptIsToldInItsTurnWithItsAge: statuses among the reports of calls, each as long ago as it was, and its answer heard once.
func TestWhatIsKeptIsToldInItsTurnWithItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := New(Config{URL: "http://127.0.0.1:1"})
		u.Keep(wire.SetStatus{To: "break"}, func(error) { t.Error("told without a session") })
		u.enter(&session{ended: make(chan struct{})})
		var heard []error
		told := func(err error) { heard = append(heard, err) }
		u.Keep(wire.SetStatus{To: "break"}, told)
		time.Sleep(time.Minute)
		u.Report(wire.CallReport{ID: "c1", Phase: "offered"})
		u.Report(wire.LineReport{Registered: true})
		time.Sleep(time.Minute)
		u.Keep(wire.SetStatus{To: "away"}, told)
		time.Sleep(time.Second)
		items, _ := u.unsent()
		want := []message{wire.SetStatus{To: "break", Late: 121000}, wire.CallReport{ID: "c1", Phase: "offered", Late: 61000}, nil, wire.SetStatus{To: "away"}} // a second is no age
		for i, item := range items {
			if w := item.word(time.Now()); want[i] != nil && w != want[i] {
				t.Errorf("%d: %+v, want %+v", i, w, want[i])
			}
		}
		if len(items) != len(want) {
			t.Fatalf("%d are told", len(items))
		}
		refused := wire.Problem{Code: wire.ProblemStatusUnknown}
		u.answered(items[0].op, nil)
		u.answered(items[3].op, refused)
		u.answered(items[3].op, nil) // twice
		if len(heard) != 2 || heard[0] != nil || !errors.Is(heard[1], refused) {
			t.Errorf("heard %v", heard)
		}
		for range maxQueue + 10 { // reports go first, what a person chose never
			u.Report(wire.CallReport{ID: "c"})
		}
		u.Keep(wire.SetStatus{To: "break"}, told)
		if n := len(u.queue); n < maxQueue {
			t.Errorf("%d wait", n)
		}
		u.leave(u.session)
		if len(heard) != 3 {
			t.Errorf("the end of the session: %v", heard)
		}
	})
}
