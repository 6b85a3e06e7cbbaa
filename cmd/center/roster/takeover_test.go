package roster

import (
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// ringable are the accounts to which a queue's call could go just now.
func (c *center) ringable() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range sorted(c.view.agents) {
		a := c.view.agents[id].v
		if c.routableLocked(id, time.Now()) {
			all = append(all, id+"@"+a.Session.Machine)
		}
	}
	return all
}

func TestATakeoverDuringACallLeavesOneWhoCanBeRung(t *testing.T) { // H4
	c := newCenter(t, nil, nil)
	old := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "1")
	old.Report(wire.LineReport{Registered: true})
	eventually(t, "the first phone can be rung", func() bool { return len(c.ringable()) == 1 })
	secret := old.welcome.SIP.Secret
	old.Report(wire.CallReport{ID: "c1", Phase: wire.CallTalking, Inbound: true, Outside: true})
	eventually(t, "the first phone is in a call", func() bool { return c.agent("alice").inCall() })

	second := newPhone(t, c, "alice", "pc2")
	want := wire.SignIn{Terminal: "2001", Status: wire.StatusAvailable, Seat: "1"}
	wantProblem(t, second.signIn(want), wire.ProblemElsewhere)
	want.Takeover = true
	must(t, second.signIn(want))
	eventually(t, "the first phone is told by whom", func() bool {
		e, ok := told[uplink.Revoked](old)
		return ok && e.Problem.Code == wire.ProblemRevoked && e.Problem.Holes["who"] == "Alice 山田 (pc2)"
	})
	old.Report(wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Result: "answered"}) // it goes on talking, and ends
	second.Report(wire.LineReport{Registered: true})
	eventually(t, "the second phone alone can be rung", func() bool {
		all := c.ringable()
		return len(all) == 1 && all[0] == "alice@pc2"
	})
	if second.welcome.SIP.Secret == secret {
		t.Error("the first phone could register still")
	}
	if a := c.agent("alice"); a.Status != wire.StatusAvailable || a.Seat != "1" {
		t.Errorf("%s at %q", a.Status, a.Seat)
	}
}

func TestWhoComesBackAfterATakeoverDoesNotFight(t *testing.T) { // H5
	c := newCenter(t, nil, nil)
	var first, second wire.Welcome
	in := func(machine string, takeover bool, w *wire.Welcome) error {
		return ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: checks(t, c, "alice", "").Ticket, Terminal: "2001", Status: "away", Seat: "1", Machine: machine, Takeover: takeover}, w)
	}
	must(t, in("pc1", false, &first))
	wantProblem(t, in("pc2", false, nil), wire.ProblemElsewhere)
	must(t, in("pc2", true, &second))
	before := c.agent("alice")
	for range 5 { // its network is back: it tries with what it has
		wantProblem(t, ask(t, c, "/api/v1/resume", "", wire.ResumeRequest{Resume: first.Resume}, nil), wire.ProblemExpired)
		wantProblem(t, ask(t, c, "/api/v1/signout", first.Token, struct{}{}, nil), wire.ProblemExpired)
		wantProblem(t, ask(t, c, "/api/v1/ws", first.Token, nil, nil), wire.ProblemExpired)
	}
	after := c.agent("alice")
	if after.Epoch != before.Epoch || after.Session == nil || after.Session.Machine != "pc2" {
		t.Fatalf("%+v", after.Session)
	}
	must(t, ask(t, c, "/api/v1/factor", second.Token, nil, nil))
}
