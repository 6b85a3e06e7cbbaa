package roster

import (
	"strings"
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func TestWhatASupervisorMaySetForSomebody(t *testing.T) {
	talking := inCall(wire.CallTalking, true, true)
	rows := []struct {
		name    string
		profile string
		by      string
		m       wire.SetStatusOf
		with    func(*Agent)
		problem string
		status  string
		next    string
		why     string
	}{
		{"another status", "3.9", "carol", wire.SetStatusOf{To: "break"}, nil, "", "break", "", setByOther},
		{"the same", "3.9", "carol", wire.SetStatusOf{To: "available"}, nil, "", "available", "", ""},
		{"by an administrator", "3.9", "root", wire.SetStatusOf{To: "break"}, nil, "", "break", "", setByOther},
		{"by the supervisor of another group", "3.9", "dave", wire.SetStatusOf{To: "break"}, nil, wire.ProblemNotLed, "available", "", ""},
		{"by a colleague", "3.9", "bob", wire.SetStatusOf{To: "break"}, nil, wire.ProblemForbidden, "available", "", ""},
		{"by nobody", "3.9", "eve", wire.SetStatusOf{To: "break"}, nil, wire.ProblemForbidden, "available", "", ""},
		{"a system status", "3.9", "carol", wire.SetStatusOf{To: "talking"}, nil, wire.ProblemStatusUnknown, "available", "", ""},
		{"logged off", "3.9", "carol", wire.SetStatusOf{To: "off"}, nil, wire.ProblemStatusUnknown, "available", "", ""},
		{"one that is not", "3.9", "carol", wire.SetStatusOf{To: "nap"}, nil, wire.ProblemStatusUnknown, "available", "", ""},
		{"in a call", "3.7", "carol", wire.SetStatusOf{To: "break"}, talking, wire.ProblemInCallOf, "available", "", ""},
		{"in a call before 3.7", "3.6", "carol", wire.SetStatusOf{To: "break"}, talking, "", "break", "", setByOther},
		{"while it rings", "3.9", "carol", wire.SetStatusOf{To: "break"}, inCall(wire.CallOffered, true, true), wire.ProblemInCallOf, "available", "", ""},
		{"next, in a call", "3.9", "carol", wire.SetStatusOf{To: "break", Next: true}, talking, "", "available", "break", nextByOther},
		{"next, in a call before 3.7", "3.6", "carol", wire.SetStatusOf{To: "break", Next: true}, talking, "", "available", "break", nextByOther},
		{"next, in a call, of another group", "3.9", "dave", wire.SetStatusOf{To: "break", Next: true}, talking, wire.ProblemNotLed, "available", "", ""},
		{"a system status as next", "3.9", "carol", wire.SetStatusOf{To: "ringing", Next: true}, talking, wire.ProblemStatusUnknown, "available", "", ""},
		{"next, in no call", "3.9", "carol", wire.SetStatusOf{To: "break", Next: true}, nil, "", "break", "", setByOther},
		{"repeated", "3.9", "carol", wire.SetStatusOf{To: "break"}, func(a *Agent) { a.Ops = []string{"op1"} }, "", "available", "", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			grouped(&s)
			s.Site.Profile = r.profile
			d := newDesk(t, s)
			d.in(t, "available", r.with)
			r.m.Account = "alice"
			why, err := d.do(nine.Add(time.Second), func(dr *draft) error { return dr.setStatusOf(r.by, r.m, "op1") })
			if r.problem != "" {
				wantProblem(t, err, r.problem)
			} else {
				must(t, err)
			}
			if a := d.agents["alice"].v; a.Status != r.status || a.Next != r.next || why != r.why {
				t.Errorf("%s, next %q, because %q", a.Status, a.Next, why)
			}
		})
	}
	s := setup()
	grouped(&s)
	d := newDesk(t, s)
	of := func(account string) error {
		_, err := d.do(nine, func(dr *draft) error {
			return dr.setStatusOf("root", wire.SetStatusOf{Account: account, To: "break"}, "op")
		})
		return err
	}
	wantProblem(t, of("bob"), wire.ProblemSignedOut)
	wantProblem(t, of("root"), wire.ProblemNoStatus)
	wantProblem(t, of("nobody"), wire.ProblemNoRow)
}

// TestWhoeverIsActedOnLearnsWhoDidIt: and whoever may not act has changed nothing, whatever the page sends.
func TestWhoeverIsActedOnLearnsWhoDidIt(t *testing.T) {
	c := newCenter(t, nil, grouped)
	alice := newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusAvailable, "1")
	carol := newPhone(t, c, "carol", "pc3").ready("2003", wire.StatusAway, "3")
	dave := newPhone(t, c, "dave", "pc4").ready("2004", wire.StatusAway, "10")
	if me := carol.welcome.Me; me.All || len(me.Leads) != 1 || me.Leads[0] != "day" {
		t.Errorf("the page of a supervisor knows %+v", me)
	}
	if me := alice.welcome.Me; me.All || me.Leads != nil {
		t.Errorf("the page of an agent knows %+v", me)
	}
	must(t, alice.ask(wire.RaiseHand{On: true, Call: &wire.HandCall{Queue: "Support", Number: "0312345678", Name: "佐藤\u202e", Since: time.Now().Add(-time.Minute)}}))
	eventually(t, "carol is told of the call", func() bool {
		n, _ := told[uplink.Notice](carol)
		return n.Problem.Code == wire.ProblemHand && n.Account == "alice" && n.Hand != nil && n.Hand.Number == "0312345678" && n.Hand.Name == "佐藤"
	})
	if s := c.seatState("1"); s.Hand.IsZero() || s.HandCall == nil || s.HandCall.Queue != "Support" || s.HandCall.Since.IsZero() || s.HandCall.Number != "" || s.HandCall.Name != "" {
		t.Errorf("everybody sees %+v", s.HandCall)
	}
	wantProblem(t, dave.ask(wire.LowerHand{Account: "alice"}), wire.ProblemNotLed)
	wantProblem(t, dave.ask(wire.SetStatusOf{Account: "alice", To: "break"}), wire.ProblemNotLed)
	wantProblem(t, alice.ask(wire.SetStatusOf{Account: "carol", To: "break"}), wire.ProblemForbidden)
	if a := c.agent("alice"); a.Hand.IsZero() || a.Status != wire.StatusAvailable || dave.noticed(wire.ProblemHand) {
		t.Fatalf("somebody of another group got further: %+v", a)
	}
	must(t, carol.ask(wire.LowerHand{Account: "alice"}))
	must(t, carol.ask(wire.SetStatusOf{Account: "alice", To: "training"}))
	alice.wantStatus("training")
	eventually(t, "alice knows who it was", func() bool {
		n, _ := told[uplink.Notice](alice)
		return alice.noticed(wire.ProblemHandSeen) && n.Problem.Code == wire.ProblemStatusSetBy && n.Problem.Holes["who"] == "Carol" && n.Problem.Holes["status"] == "training"
	})
	alice.talks("c1")
	eventually(t, "alice talks", func() bool { return c.agent("alice").inCall() })
	wantProblem(t, carol.ask(wire.SetStatusOf{Account: "alice", To: "break"}), wire.ProblemInCallOf)
	must(t, carol.ask(wire.SetStatusOf{Account: "alice", To: "break", Next: true}))
	eventually(t, "the seat shows what comes", func() bool {
		s := c.seatState("1")
		return s.Next == "break" && s.Call == wire.CallTalking && s.Queue == "Support" && s.Inbound
	})
	alice.hangsUp("c1")
	alice.wantStatus("break")
	c.regroup(t, "carol", "agent", "day")
	eventually(t, "carol's phone comes back with less", func() bool { w, ok := told[uplink.Welcomed](carol); return ok && w.Welcome.Me.Leads == nil })
	wantProblem(t, carol.ask(wire.SetStatusOf{Account: "alice", To: "training"}), wire.ProblemForbidden)
	must(t, c.SignOut(t.Context(), "dave", "root"))
	eventually(t, "dave's session is over", func() bool { return dave.ask(wire.SetStatusOf{Account: "alice", To: "training"}) != nil })
}

// TestAHandThatIsUpIsToldToWhoComes: with the clip that came after it.
func TestAHandThatIsUpIsToldToWhoComes(t *testing.T) {
	c := newCenter(t, nil, grouped)
	alice := newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusAvailable, "1")
	must(t, alice.ask(wire.RaiseHand{On: true}))
	since := c.agent("alice").Hand
	must(t, alice.ask(wire.RaiseHand{On: true, Call: &wire.HandCall{Number: "0312345678", Clip: "clip-1"}}))
	if a := c.agent("alice"); !a.Hand.Equal(since) || a.HandCall == nil || a.HandCall.Clip != "clip-1" {
		t.Fatalf("%+v", a)
	}
	carol := newPhone(t, c, "carol", "pc3").ready("2003", wire.StatusAway, "3")
	eventually(t, "carol is told", func() bool {
		n, _ := told[uplink.Notice](carol)
		return n.Hand != nil && n.Hand.Clip == "clip-1" && n.Problem.Holes["who"] == "Alice 山田"
	})
	must(t, alice.ask(wire.RaiseHand{}))
	if a := c.agent("alice"); !a.Hand.IsZero() || a.HandCall != nil {
		t.Fatalf("%+v", a)
	}
}

func FuzzWhatAPhoneSaysOfItsHand(f *testing.F) {
	f.Add("Support", "0312345678", "佐藤", "clip-1")
	f.Add("\x00\u202eq", "<script>", strings.Repeat("長", 500), "../../etc/passwd")
	f.Fuzz(func(t *testing.T, queue, number, name, clip string) {
		c := handCall(&wire.HandCall{Queue: queue, Number: number, Name: name, Clip: clip, Since: time.Now()})
		if c == nil {
			return
		}
		for _, s := range []string{c.Queue, c.Number, c.Name, c.Clip} {
			if len([]rune(s)) > mostHandText || s != plainText(s) || strings.ContainsAny(s, "\n\r\t\x00\u202e") {
				t.Fatalf("kept %q", s)
			}
		}
		if strings.ContainsAny(c.Clip, "/\\<> ") {
			t.Fatalf("clip %q", c.Clip)
		}
	})
}
