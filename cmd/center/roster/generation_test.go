package roster

import (
	"context"
	"errors"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

func TestWhatEachGenerationDoes(t *testing.T) {
	rows := []struct {
		profile string
		inCall  string // problem of a change during a call (D8, D9)
		pasted  string // problem of a pasted line break (A2, A3)
		stays   bool   // the old seat stays occupied (A11)
	}{
		{"3.4", "", wire.ProblemInvisible, true},
		{"3.5", "", wire.ProblemInvisible, true},
		{"3.6", "", wire.ProblemInvisible, false},
		{"3.7", wire.ProblemStatusInCall, "", false},
		{"3.9", wire.ProblemStatusInCall, "", false},
	}
	code := func(err error) string {
		var p wire.Problem
		errors.As(err, &p)
		return p.Code
	}
	for _, r := range rows {
		t.Run(r.profile, func(t *testing.T) {
			s := setup()
			s.Site.Profile = r.profile
			d := newDesk(t, s)
			if _, _, err := clean(d.profile(), "US\tER1\r\n", "a b\n"); code(err) != r.pasted {
				t.Errorf("pasted: %v", err)
			}
			must(t, d.signIn("alice", "2001", "available", "1", false, false))
			must(t, d.signIn("alice", "2001", "available", "", false, false))
			if got := d.agents["alice"].v.Seat == "1"; got != r.stays {
				t.Errorf("the seat stays: %v", got)
			}
			_, err := d.do(nine, func(dr *draft) error { inCall(wire.CallTalking, true, true)(dr.agent("alice", "test")); return nil })
			must(t, err)
			_, err = d.do(nine, func(dr *draft) error { return dr.setStatus("alice", "break", "") })
			if code(err) != r.inCall {
				t.Errorf("in a call: %v", err)
			}
			if a := d.agents["alice"].v; !a.inCall() || (a.Status == "break") != (r.inCall == "") {
				t.Errorf("the call is there: %v, %s", a.inCall(), a.Status)
			}
			_, err = d.do(nine, func(dr *draft) error { return dr.setNext("alice", "training", "") }) // every one of them knows a next status
			must(t, err)
			_, err = d.do(nine, func(dr *draft) error {
				return dr.report("alice", wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Result: "answered"}, "")
			})
			must(t, err)
			if got := d.agents["alice"].v.Status; got != "training" {
				t.Errorf("after the call: %s", got)
			}
		})
	}
}

func TestAfterWorkComesTheStatusThatWasChosen(t *testing.T) {
	for picked, want := range map[string]string{"available": "available", "vip": "vip", "training": "available"} {
		d := newDesk(t, setup())
		d.in(t, "available", func(a *Agent) { a.Picked, a.Status, a.Until = picked, "acw", nine.Add(time.Minute) })
		_, err := d.do(nine.Add(time.Minute), func(dr *draft) error { dr.lapse("alice", presence{linked: true}, Timing{}.filled()); return nil })
		must(t, err)
		if got := d.agents["alice"].v.Status; got != want {
			t.Errorf("%s was chosen, %s came", picked, got)
		}
	}
}

func TestEveryChangeIsRecordedWithCauseAndActor(t *testing.T) { // D12
	c := newCenter(t, nil, func(s *Setup) { s.Site.AfterWorkSeconds = 1 })
	p := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "1")
	must(t, p.Ask(t.Context(), wire.SetStatus{To: wire.StatusAvailable}))
	for _, phase := range []string{wire.CallOffered, wire.CallTalking, wire.PhaseEnded} {
		p.Report(wire.CallReport{ID: "c1", Phase: phase, Inbound: true, Outside: true, Result: "answered"})
	}
	eventually(t, "after-call work", func() bool { return c.agent("alice").Status == wire.StatusWork })
	eventually(t, "its end", func() bool { return c.agent("alice").Status == wire.StatusAvailable })
	must(t, c.SignOut(t.Context(), "alice", "root"))
	type change struct{ by, why string }
	var got []change
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	last, _, err := c.ledger.Last(ctx, "agent.alice")
	must(t, err)
	_ = c.ledger.Follow(ctx, 0, func(e ledger.Event) {
		if e.Subject == "agent.alice" {
			got = append(got, change{e.By, e.Why})
			if e.At.IsZero() || time.Since(e.At) > time.Minute {
				t.Errorf("at %v", e.At)
			}
		}
		if e.Seq == last.Seq {
			cancel()
		}
	})
	want := []change{{"alice", "signed in"}, {"alice", "chosen"}, {"alice", "call offered"}, {"alice", "call talking"}, {"alice", "call ended"},
		{"system", "after-call work over"}, {"root", "signed out by root"}}
	if len(got) != len(want) {
		t.Fatalf("recorded %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%d: %v, want %v", i, got[i], want[i])
		}
	}
}
