package roster

import (
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// grouped is the small center with two groups: alice and bob work in the day, carol leads the day, dave the night.
func grouped(s *Setup) {
	s.Groups = []Group{{ID: "day", Name: "Day"}, {ID: "night", Name: "Night"}}
	for i := range s.Accounts {
		switch s.Accounts[i].Account {
		case "alice", "bob", "carol":
			s.Accounts[i].Groups = []string{"day"}
		}
	}
	s.Accounts = append(s.Accounts, AccountSetup{Account: "dave", Name: "Dave", Hash: weakHash(password), Role: "supervisor", Groups: []string{"night"}})
	s.Terminals = append(s.Terminals, TerminalSetup{Extension: "2004", Account: "dave"})
}

// last is the newest word of that kind that the center said to the phone.
func last[W any](p *phone) (W, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range slices.Backward(p.events) {
		if told, ok := e.(uplink.Told); ok {
			if w, ok := told.Word.(W); ok {
				return w, true
			}
		}
	}
	var none W
	return none, false
}

// noticed says whether the person was told that.
func (p *phone) noticed(code string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.events, func(e uplink.Event) bool {
		n, ok := e.(uplink.Notice)
		return ok && n.Problem.Code == code
	})
}

// ready signs in and says that the terminal is registered.
func (p *phone) ready(terminal, status, seat string) *phone {
	p.t.Helper()
	p.in(terminal, status, seat).Report(wire.LineReport{Registered: true})
	return p
}

// talks is a call from outside that the phone has taken.
func (p *phone) talks(id string) {
	p.call(wire.CallReport{ID: id, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support"}, wire.CallOffered, wire.CallTalking)
}

func (p *phone) hangsUp(id string) {
	p.call(wire.CallReport{ID: id, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support", Result: "answered"}, wire.PhaseEnded)
}

// supervised are carol, who leads alice, and alice in a call; both phones are real.
func supervised(t *testing.T, a, b *center) (carol, alice *phone) {
	t.Helper()
	alice = newPhone(t, a, "alice", "pc1").ready("2001", wire.StatusAvailable, "1")
	carol = newPhone(t, b, "carol", "pc3").ready("2003", wire.StatusAway, "3")
	alice.talks("c1")
	eventually(t, "both are known", func() bool {
		b.mu.RLock()
		defer b.mu.RUnlock()
		return b.view.agents["alice"].v.inCall() && b.lineLocked("alice") && b.lineLocked("carol")
	})
	return carol, alice
}

func TestASupervisorTakesPartWithAPermissionForTwoPhones(t *testing.T) {
	c := newCenter(t, nil, grouped)
	carol, alice := supervised(t, c, c)
	takesPart(t, c, c, carol, alice)
}

func TestBothPhonesMayBeOnDifferentNodes(t *testing.T) {
	a, b, _ := twoNodes(t, Timing{})
	s := setup()
	grouped(&s)
	must(t, b.Apply(t.Context(), s, "test"))
	carol, alice := supervised(t, a, b)
	takesPart(t, a, b, carol, alice)
}

func takesPart(t *testing.T, a, b *center, carol, alice *phone) {
	must(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}))
	p, ok := last[wire.Permit](carol)
	if !ok || len(p.ID) < 22 || p.Extension != "2001" || p.Mode != wire.SuperviseListen || p.Agent != "Alice 山田" || time.Until(p.Until) > 15*time.Second || p.Until.IsZero() {
		t.Fatalf("the supervisor's phone has %+v", p)
	}
	var w wire.Attend
	eventually(t, "the agent's phone knows", func() bool { w, _ = last[wire.Attend](alice); return w.ID == p.ID })
	if w.By != "carol" || w.Name != "Carol" || w.Extension != "2003" || w.Mode != wire.SuperviseListen || !w.Tone || !w.Until.Equal(p.Until) {
		t.Fatalf("the agent's phone has %+v", w)
	}
	eventually(t, "the exchange of either node lets it pass", func() bool { return a.Permitted(p.ID, "2003", "2001") && b.Permitted(p.ID, "2003", "2001") })
	for _, no := range [][3]string{{p.ID, "2002", "2001"}, {p.ID, "2003", "2002"}, {p.ID[:25] + "x", "2003", "2001"}, {"", "2003", "2001"}} {
		if b.Permitted(no[0], no[1], no[2]) {
			t.Errorf("%v is permitted", no)
		}
	}
	if n := a.seatState("1").Attended; n != 0 {
		t.Errorf("%d take part before the call", n)
	}
	alice.Report(wire.AttendReport{ID: p.ID, State: wire.AttendBegun})
	eventually(t, "the seat shows it", func() bool { return a.seatState("1").Attended == 1 && b.seatState("1").Attended == 1 })
	eventually(t, "the permission is used", func() bool { n, _ := last[wire.Permit](carol); return n.ID == p.ID && n.Until.IsZero() })
	if a.Permitted(p.ID, "2003", "2001") {
		t.Error("a permission can be used twice")
	}
	must(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseWhisper, Follow: true}))
	eventually(t, "it is another role", func() bool {
		w, _ := last[wire.Attend](alice)
		n, _ := last[wire.Permit](carol)
		return w.ID == p.ID && w.Mode == wire.SuperviseWhisper && w.Follow && w.Until.IsZero() && n.Mode == wire.SuperviseWhisper && n.ID == p.ID
	})
	must(t, carol.ask(wire.Supervise{}))
	eventually(t, "it is over", func() bool {
		w, _ := last[wire.Attend](alice)
		n, _ := last[wire.Permit](carol)
		return w.ID == p.ID && w.Mode == "" && n.ID == p.ID && n.Mode == "" && n.Problem == nil && a.seatState("1").Attended == 0
	})
}

// TestItEndsWithWhatItStandsOn: at once, on both phones, whatever ends.
func TestItEndsWithWhatItStandsOn(t *testing.T) {
	for _, r := range []struct {
		name string
		do   func(t *testing.T, c *center, carol, alice *phone)
		why  string // told to the supervisor; "" that phone is gone
	}{
		{"the agent signs out", func(t *testing.T, _ *center, _, alice *phone) { must(t, alice.SignOut(t.Context())) }, wire.ProblemSignedOut},
		{"the supervisor signs out", func(t *testing.T, _ *center, carol, _ *phone) { must(t, carol.SignOut(t.Context())) }, ""},
		{"an administrator ends the agent's session", func(t *testing.T, c *center, _, _ *phone) { must(t, c.SignOut(t.Context(), "alice", "root")) }, wire.ProblemSignedOut},
		{"the supervisor's session is taken over", func(t *testing.T, c *center, _, _ *phone) {
			other := newPhone(t, c, "carol", "pc9")
			must(t, other.signIn(wire.SignIn{Terminal: "2003", Status: wire.StatusAway, Takeover: true}))
		}, ""},
		{"the group is taken away", func(t *testing.T, c *center, _, _ *phone) { c.regroup(t, "carol", "supervisor") }, wire.ProblemNotLed},
		{"the role is taken away", func(t *testing.T, c *center, _, _ *phone) { c.regroup(t, "carol", "agent", "day") }, wire.ProblemNotLed},
		{"the agent goes to another group", func(t *testing.T, c *center, _, _ *phone) { c.regroup(t, "alice", "agent", "night") }, wire.ProblemNotLed},
		{"the agent's account is removed", func(t *testing.T, c *center, _, _ *phone) {
			must(t, c.Remove(t.Context(), KindAccount, "alice", nil, "root"))
		}, "any"}, // of what goes with it the session may be heard of first
		{"the agent's phone says so", func(_ *testing.T, c *center, carol, alice *phone) {
			p, _ := last[wire.Permit](carol)
			alice.Report(wire.AttendReport{ID: p.ID, State: wire.AttendOver, Why: wire.ProblemCallOver})
		}, wire.ProblemCallOver},
		{"the supervisor attends somebody else", func(t *testing.T, c *center, carol, _ *phone) {
			bob := newPhone(t, c, "bob", "pc2").ready("2002", wire.StatusAvailable, "2")
			bob.talks("b1")
			eventually(t, "bob talks", func() bool { return c.agent("bob").inCall() })
			must(t, carol.ask(wire.Supervise{Account: "bob", Mode: wire.SuperviseJoin}))
			if p, _ := last[wire.Permit](carol); p.Account != "bob" {
				t.Errorf("the last permission is %+v", p)
			}
		}, "any"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			c := newCenter(t, nil, grouped)
			carol, alice := supervised(t, c, c)
			must(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen, Follow: true}))
			p, _ := last[wire.Permit](carol)
			alice.Report(wire.AttendReport{ID: p.ID, State: wire.AttendBegun})
			eventually(t, "it has begun", func() bool { return c.seatState("1").Attended == 1 })
			r.do(t, c, carol, alice)
			eventually(t, "it is over in the log", func() bool {
				c.mu.RLock()
				defer c.mu.RUnlock()
				a := c.view.attends["carol"].v
				return c.view.listeners("alice") == 0 && (!a.live() || a.Account == "bob")
			})
			gone := strings.Contains(r.name, "agent signs out") || strings.Contains(r.name, "ends the agent's") || strings.Contains(r.name, "removed")
			eventually(t, "the phones know", func() bool {
				w, _ := last[wire.Attend](alice)
				n := permitOver(carol, p.ID)
				return (gone || w.ID == p.ID && w.Mode == "") && (r.why == "" || n != nil && (r.why == "any" || n.Problem != nil && n.Problem.Code == r.why))
			})
		})
	}
}

// permitOver is the end of that permission as the supervisor's phone heard it; nil: it did not.
func permitOver(p *phone, id string) *wire.Permit {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if told, ok := e.(uplink.Told); ok {
			if w, ok := told.Word.(wire.Permit); ok && w.ID == id && w.Mode == "" {
				return &w
			}
		}
	}
	return nil
}

// regroup gives an account another role and other groups.
func (c *center) regroup(t *testing.T, account, role string, groups ...string) {
	t.Helper()
	c.mu.RLock()
	a := c.view.accounts[account].v
	c.mu.RUnlock()
	_, err := c.Put(t.Context(), Setup{Accounts: []AccountSetup{{Account: account, Name: a.Name, Role: role, Groups: groups, Terminals: nil}}}, nil, "root")
	must(t, err)
}

func TestWhoMayNotAttendIsToldWhy(t *testing.T) {
	c := newCenter(t, nil, grouped)
	carol, alice := supervised(t, c, c)
	bob := newPhone(t, c, "bob", "pc2").ready("2002", wire.StatusAvailable, "2")
	dave := newPhone(t, c, "dave", "pc4").ready("2004", wire.StatusAway, "10")
	eventually(t, "dave's line", func() bool { c.mu.RLock(); defer c.mu.RUnlock(); return c.lineLocked("dave") && c.lineLocked("bob") })
	for _, r := range []struct {
		who  *phone
		m    wire.Supervise
		want string
	}{
		{bob, wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}, wire.ProblemForbidden},
		{alice, wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}, wire.ProblemForbidden},
		{dave, wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}, wire.ProblemNotLed},
		{dave, wire.Supervise{Account: "root", Mode: wire.SuperviseListen, Follow: true}, wire.ProblemNotLed},
		{carol, wire.Supervise{Account: "carol", Mode: wire.SuperviseListen, Follow: true}, wire.ProblemSelf},
		{carol, wire.Supervise{Account: "nobody", Mode: wire.SuperviseListen}, wire.ProblemNoRow},
		{carol, wire.Supervise{Account: "bob", Mode: wire.SuperviseListen}, wire.ProblemNoCall},
		{carol, wire.Supervise{Account: "alice", Mode: "record"}, wire.ProblemCenter},
	} {
		wantProblem(t, r.who.ask(r.m), r.want)
	}
	carol.Report(wire.LineReport{})
	eventually(t, "carol's line is gone", func() bool { c.mu.RLock(); defer c.mu.RUnlock(); return !c.lineLocked("carol") })
	wantProblem(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}), wire.ProblemAttendPhone)
	if _, ok := last[wire.Permit](carol); ok {
		t.Error("a permission was given")
	}
	if _, ok := last[wire.Attend](alice); ok {
		t.Error("the agent's phone was told of one")
	}
	must(t, alice.SignOut(t.Context()))
	carol.Report(wire.LineReport{Registered: true})
	eventually(t, "carol's line is back", func() bool { c.mu.RLock(); defer c.mu.RUnlock(); return c.lineLocked("carol") })
	wantProblem(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}), wire.ProblemSignedOut)
}

// TestAnAttendanceEndsByItself: when nobody comes, and after the agent's call; one that follows goes on.
func TestAnAttendanceEndsByItself(t *testing.T) {
	in := func(t *testing.T, follow bool) *desk {
		s := setup()
		grouped(&s)
		d := newDesk(t, s)
		d.in(t, "available", inCall(wire.CallTalking, true, true))
		must(t, d.signIn("carol", "2003", "away", "3", false, false))
		_, err := d.do(nine, func(dr *draft) error {
			for _, account := range []string{"alice", "carol"} {
				dr.agent(account, "test").Conn = connUp
			}
			return nil
		})
		must(t, err)
		who := supervisor{account: "carol", session: d.agents["carol"].v.Session.ID, vault: vault{testKey}, id: "ID", linked: func(string) bool { return true }}
		_, err = d.do(nine, func(dr *draft) error {
			_, err := dr.supervise(who, wire.Supervise{Account: "alice", Mode: wire.SuperviseListen, Follow: follow})
			return err
		})
		must(t, err)
		return d
	}
	lapse := func(d *desk, after time.Duration) (due time.Time) {
		_, _ = d.do(nine.Add(after), func(dr *draft) error { due = dr.attendLapse("carol"); return nil })
		return due
	}
	begin := func(d *desk) {
		_, _ = d.do(nine.Add(time.Second), func(dr *draft) error {
			dr.attended("alice", d.agents["alice"].v.Session.ID, "carol", wire.AttendReport{State: wire.AttendBegun})
			return nil
		})
	}
	hangUp := func(d *desk) {
		_, _ = d.do(nine.Add(time.Minute), func(dr *draft) error { dr.ended(dr.agent("alice", "test"), 0); return nil })
	}
	t.Run("nobody comes", func(t *testing.T) {
		d := in(t, false)
		if due := lapse(d, time.Second); !due.Equal(nine.Add(permitTime + permitLate)) {
			t.Fatalf("due %v", due)
		}
		lapse(d, permitTime+permitLate)
		if a := d.attends["carol"].v; a.State != AttendOver || a.Why != wire.ProblemSuperviseSilent {
			t.Fatalf("%+v", a)
		}
	})
	t.Run("the call is over", func(t *testing.T) {
		d := in(t, false)
		begin(d)
		if due := lapse(d, 2*time.Second); !due.IsZero() || d.listeners("alice") != 1 {
			t.Fatalf("due %v, %d listen", due, d.listeners("alice"))
		}
		hangUp(d)
		if due := lapse(d, time.Minute+time.Second); !due.Equal(nine.Add(time.Minute + callOver)) {
			t.Fatalf("due %v", due)
		}
		lapse(d, time.Minute+callOver)
		if a := d.attends["carol"].v; a.State != AttendOver || a.Why != wire.ProblemCallOver || d.listeners("alice") != 0 {
			t.Fatalf("%+v", a)
		}
	})
	t.Run("it follows", func(t *testing.T) {
		d := in(t, true)
		begin(d)
		hangUp(d)
		if due := lapse(d, time.Hour); !due.IsZero() || d.listeners("alice") != 1 {
			t.Fatalf("due %v, %d listen", due, d.listeners("alice"))
		}
	})
	t.Run("another phone cannot say what became of it", func(t *testing.T) {
		d := in(t, false)
		_, _ = d.do(nine, func(dr *draft) error {
			dr.attended("bob", "x", "carol", wire.AttendReport{State: wire.AttendBegun})
			dr.attended("alice", "old", "carol", wire.AttendReport{State: wire.AttendOver})
			return nil
		})
		if a := d.attends["carol"].v; a.State != AttendAsked {
			t.Fatalf("%+v", a)
		}
		for _, id := range []string{"", "ID2", "id", "I"} {
			if by := d.attendBy(vault{testKey}, "alice", id); by != "" {
				t.Errorf("%q is the permission of %s", id, by)
			}
		}
		if by := d.attendBy(vault{testKey}, "bob", "ID"); by != "" {
			t.Errorf("bob's phone knows the permission of %s", by)
		}
	})
}

// TestItGoesOnAfterARestart of the center: both phones hear how it is, and what has ended meanwhile.
func TestItGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	s := setup()
	grouped(&s)
	must(t, c.Apply(t.Context(), s, "test"))
	way := newCable(t, c.url)
	alice := newPhoneAt(t, way.url, "alice", "pc1").ready("2001", wire.StatusAvailable, "1")
	carol := newPhoneAt(t, way.url, "carol", "pc3").ready("2003", wire.StatusAway, "3")
	alice.talks("c1")
	eventually(t, "both are known", func() bool {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.view.agents["alice"].v.inCall() && c.lineLocked("alice") && c.lineLocked("carol")
	})
	must(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen, Follow: true}))
	p, _ := last[wire.Permit](carol)
	alice.Report(wire.AttendReport{ID: p.ID, State: wire.AttendBegun})
	eventually(t, "it has begun", func() bool { return c.seatState("1").Attended == 1 })
	way.pull()
	c.stop()
	forget := func(ps ...*phone) {
		for _, p := range ps {
			p.mu.Lock()
			p.events = nil
			p.mu.Unlock()
		}
	}
	forget(alice, carol)
	c = startCenter(t, dir, nil)
	way.plugInto(c.url)
	eventually(t, "both hear that it goes on", func() bool {
		w, _ := last[wire.Attend](alice)
		n, _ := last[wire.Permit](carol)
		return w.ID == p.ID && w.Mode == wire.SuperviseListen && w.Until.IsZero() && n.ID == p.ID && n.Mode == wire.SuperviseListen && n.Until.IsZero()
	})
	way.pull()
	forget(alice, carol)
	must(t, c.change(t.Context(), "root", func(d *draft) error { d.unattend("carol", wire.ProblemNotLed); return nil }))
	way.plugInto(c.url)
	eventually(t, "both hear that it ended while they were away", func() bool {
		w, _ := last[wire.Attend](alice)
		n := permitOver(carol, p.ID)
		return w.ID == p.ID && w.Mode == "" && n != nil && n.Problem != nil && n.Problem.Code == wire.ProblemNotLed
	})
}

// TestNoPermissionIsInTheClear: neither in the log nor in what anybody else is told.
func TestNoPermissionIsInTheClear(t *testing.T) {
	c := newCenter(t, nil, grouped)
	carol, alice := supervised(t, c, c)
	bob := newPhone(t, c, "bob", "pc2").ready("2002", wire.StatusAvailable, "2")
	must(t, carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}))
	p, _ := last[wire.Permit](carol)
	all, _, err := c.ledger.Load(t.Context(), "")
	must(t, err)
	for subject, e := range all {
		if strings.Contains(string(e.Data), p.ID) {
			t.Errorf("%s has the permission", subject)
		}
	}
	bob.Report(wire.AttendReport{ID: p.ID, State: wire.AttendBegun}) // stolen: it is not for this phone
	bob.Report(wire.AttendReport{ID: "x", State: wire.AttendOver})
	must(t, bob.ask(wire.RaiseHand{On: true})) // what was said before has been heard
	if _, ok := last[wire.Attend](bob); ok || c.seatState("1").Attended != 0 {
		t.Error("another phone got into it")
	}
	for range 100 { // more than a person clicks
		if err := carol.ask(wire.Supervise{Account: "alice", Mode: wire.SuperviseListen}); err != nil {
			wantProblem(t, err, wire.ProblemCenter)
			return
		}
	}
	_ = alice
	t.Error("nothing stops a flood")
}
