package roster

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func TestTheSameSentenceForAWrongPasswordAndAnUnknownAccount(t *testing.T) {
	c := newCenter(t, nil, nil)
	p := newPhone(t, c, "alice", "pc1")
	_, wrong := p.Check(t.Context(), "alice", "wrong password")
	_, unknown := p.Check(t.Context(), "nobody", password)
	if wantProblem(t, wrong, wire.ProblemSignIn).Error() != wantProblem(t, unknown, wire.ProblemSignIn).Error() {
		t.Fatal("the two differ")
	}
}

func TestSignInOffersTheAccountsOwnChoice(t *testing.T) {
	c := newCenter(t, nil, nil)
	p := newPhone(t, c, "alice", "pc1")
	choice, err := p.Check(t.Context(), "al\tice\r\n", "correct\n horse\r\n") // A2: pasted tabs and line breaks
	if err != nil {
		t.Fatal(err)
	}
	if choice.Center != "Test Center" || choice.Name != "Alice 山田" || choice.Status != wire.StatusAway || !choice.SeatView {
		t.Fatalf("choice %+v", choice)
	}
	var terminals, statuses, seats []string
	for _, x := range choice.Terminals {
		terminals = append(terminals, x.ID)
	}
	for _, x := range choice.Statuses {
		statuses = append(statuses, x.ID)
	}
	for _, x := range choice.Seats {
		seats = append(seats, x.ID)
	}
	wantList(t, terminals, "2001", "3001") // never another's softphone, never a trunk
	wantList(t, statuses, "available", "acw", "break", "away", "training", "vip")
	wantList(t, seats, "1", "2", "3", "10")
}

func TestStatusAndSeatTravelToEveryPhone(t *testing.T) {
	c := newCenter(t, nil, nil)
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAvailable, "1")
	floors, turn := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	wantSeat(t, floors, "2", "", "")
	began := time.Now()
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusBreak, "2")
	wantSeat(t, floors, "2", "alice", wire.StatusBreak)
	if took := time.Since(began); took > time.Second { // E2
		t.Fatalf("seat shown after %v", took)
	}
	if s := alice.now(); s.Seat != "2" || s.SeatName != "2" || s.Status != wire.StatusBreak {
		t.Fatalf("state %+v", s)
	}
	began = time.Now()
	if err := alice.ask(wire.SetStatus{To: wire.StatusAvailable}); err != nil {
		t.Fatal(err)
	}
	if alice.now().Status != wire.StatusAvailable {
		t.Fatal("done was said before the state was told")
	}
	wantSeat(t, floors, "2", "alice", wire.StatusAvailable)
	t.Logf("status click to another seat view: %v", time.Since(began))
	wantProblem(t, alice.ask(wire.SetStatus{To: wire.StatusOff}), wire.ProblemStatusUnknown)
	wantProblem(t, alice.ask(wire.SetStatus{To: wire.StatusTalking}), wire.ProblemStatusUnknown)
	if err := alice.ask(wire.SetStatus{To: "training"}); err != nil {
		t.Fatal(err)
	}
	if err := alice.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantSeat(t, floors, "2", "", "")
}

func TestWhatSomebodyHoldsIsAskedForAndTakenOver(t *testing.T) {
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc1").in("3001", wire.StatusAway, "2")
	bob := newPhone(t, c, "bob", "pc2")

	p := wantProblem(t, bob.signIn(wire.SignIn{Terminal: "2002", Status: wire.StatusAway, Seat: "2"}), wire.ProblemSeatTaken)
	if p.Holes["who"] != "Alice 山田" || p.Holes["seat"] != "2" || p.Holes["since"] == "" {
		t.Fatalf("holes %v", p.Holes)
	}
	// The ticket is good still: the same with takeover.
	if _, err := bob.SignIn(t.Context(), wire.SignIn{Terminal: "2002", Status: wire.StatusAway, Seat: "2", Takeover: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "alice is told about her seat", func() bool {
		n, ok := told[uplink.Notice](alice)
		return ok && n.Problem.Code == wire.ProblemSeatLost && n.Problem.Holes["who"] == "Bob" && alice.now().Seat == ""
	})
	if err := alice.ask(wire.SetStatus{To: wire.StatusBreak}); err != nil {
		t.Fatal("she keeps her session:", err)
	}

	carol := newPhone(t, c, "carol", "pc3")
	wantProblem(t, carol.signIn(wire.SignIn{Terminal: "3001", Status: wire.StatusAway}), wire.ProblemTerminalTaken)
	if _, err := carol.SignIn(t.Context(), wire.SignIn{Terminal: "3001", Status: wire.StatusAway, Takeover: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "alice is signed out", func() bool {
		r, ok := told[uplink.Revoked](alice)
		return ok && r.Problem.Code == wire.ProblemRevoked && r.Problem.Holes["who"] == "Carol"
	})
	wantProblem(t, alice.ask(wire.SetStatus{To: wire.StatusBreak}), wire.ProblemExpired)

	bob.connected()
	again := newPhone(t, c, "bob", "pc9")
	p = wantProblem(t, again.signIn(wire.SignIn{Terminal: "2002", Status: wire.StatusAway}), wire.ProblemElsewhere)
	if p.Holes["machine"] != "pc2" {
		t.Fatalf("holes %v", p.Holes)
	}
	before, _ := c.Terminal("2002")
	if _, err := again.SignIn(t.Context(), wire.SignIn{Terminal: "2002", Status: wire.StatusAway, Takeover: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the old phone is told", func() bool { _, ok := told[uplink.Revoked](bob); return ok })
	after, _ := c.Terminal("2002")
	old, _ := before.HA1("MD5")
	fresh, _ := after.HA1("MD5")
	if after.Epoch <= before.Epoch || old == fresh || after.Account != "bob" {
		t.Fatal("the SIP secret was not rotated")
	}
}

func TestACallChangesTheStatusAndWhatFollowsIt(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, func(s *Setup) { s.Site.AfterWorkSeconds, s.Site.ExtendSeconds = 3, 1 })
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "1")
	floors, turn := alice.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	call := wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "0312345678"}
	alice.call(call, wire.CallOffered)
	wantSeat(t, floors, "1", "alice", wire.StatusRinging)
	alice.call(call, wire.CallJoining, wire.CallTalking)
	wantSeat(t, floors, "1", "alice", wire.StatusTalking)
	wantProblem(t, alice.ask(wire.SetStatus{To: wire.StatusBreak}), wire.ProblemStatusInCall) // D9
	if err := alice.ask(wire.SetNext{To: wire.StatusBreak}); err != nil {
		t.Fatal(err)
	}
	if s := alice.now(); s.Next != wire.StatusBreak || s.Status != wire.StatusAvailable {
		t.Fatalf("state %+v", s)
	}
	call.Result = "answered"
	alice.call(call, wire.PhaseEnded)
	alice.wantStatus(wire.StatusBreak)

	if err := alice.ask(wire.SetStatus{To: wire.StatusAvailable}); err != nil {
		t.Fatal(err)
	}
	call.ID = "c2"
	alice.call(call, wire.CallOffered, wire.CallTalking, wire.PhaseEnded)
	alice.wantStatus(wire.StatusWork) // D10
	until := alice.now().Until
	if err := alice.ask(wire.ExtendWork{}); err != nil {
		t.Fatal(err)
	}
	if got := alice.now().Until; !got.Equal(until.Add(time.Second)) {
		t.Fatalf("until %v, extended %v", until, got)
	}
	alice.wantStatus(wire.StatusAvailable)
	out := wire.CallReport{ID: "c3", Outside: true, Peer: "117"}
	alice.call(out, wire.CallDialing)
	wantSeat(t, floors, "1", "alice", wire.StatusDialing)
	alice.call(out, wire.CallTalking, wire.PhaseEnded)
	wantSeat(t, floors, "1", "alice", wire.StatusAvailable)
}

func TestAPhoneThatIsGoneIsLostThenAwayThenLoggedOff(t *testing.T) {
	t.Parallel()
	c := newCenter(t, func(cfg *Config) {
		cfg.Timing = Timing{Grace: 100 * time.Millisecond, Away: time.Second, Off: 3 * time.Second}
	}, nil)
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "1")
	floors, turn := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "2")
	alice.Report(wire.LineReport{Registered: true})
	eventually(t, "alice is offered calls", func() bool {
		_, release, ok := c.Offer("7001", nil)
		release()
		return ok
	})
	alice.off()
	wantSeat(t, floors, "2", "alice", wire.StatusLost)
	if _, _, ok := c.Offer("7001", nil); ok {
		t.Fatal("a lost phone was offered a call")
	}
	eventually(t, "alice is away", func() bool { return c.agent("alice").Status == wire.StatusAway })
	wantSeat(t, floors, "2", "", "")
	if a := c.agent("alice"); a.Status != wire.StatusOff || a.Session != nil || a.Terminal != "" {
		t.Fatalf("record %+v", a)
	}
	if term, _ := c.Terminal("2001"); term.Account != "" {
		t.Fatal("her terminal is not free")
	}
}

func TestTheDayIsRecordedWithCauseAndActor(t *testing.T) { // D12
	c := newCenter(t, nil, nil)
	began := c.rev()
	alice := newPhone(t, c, "alice", "pc1").in("3001", wire.StatusAvailable, "2")
	if err := alice.ask(wire.SetStatus{To: wire.StatusBreak}); err != nil {
		t.Fatal(err)
	}
	carol := newPhone(t, c, "carol", "pc3")
	if err := carol.signIn(wire.SignIn{Terminal: "3001", Status: wire.StatusAway, Takeover: true}); err != nil {
		t.Fatal(err)
	}
	if err := carol.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	end := c.rev()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	_ = c.ledger.Follow(ctx, began, func(e ledger.Event) {
		if kind, id, _ := ledger.Split(e.Subject); kind == KindAgent {
			var a Agent
			if err := json.Unmarshal(e.Data, &a); err != nil {
				t.Error(err)
			}
			got = append(got, id+" "+a.Status+" by "+e.By+": "+e.Why)
			if e.At.IsZero() {
				t.Error("no time")
			}
		}
		if e.Seq == end {
			cancel()
		}
	})
	wantList(t, got,
		"alice available by alice: signed in", "alice break by alice: chosen", "alice off by carol: terminal taken over by carol",
		"carol away by carol: signed in", "carol off by carol: signed out")
}

func TestAPhoneThatHangsIsLostThoughItsConnectionStands(t *testing.T) {
	t.Parallel()
	c := newCenter(t, func(cfg *Config) {
		cfg.Timing = Timing{Ping: 200 * time.Millisecond, Silent: time.Second, Grace: 50 * time.Millisecond}
	}, nil)
	front := newCable(t, c.url)
	alice := newPhoneAt(t, front.url, "alice", "pc1").in("2001", wire.StatusAvailable, "2")
	thaw := front.freeze()
	defer thaw()
	eventually(t, "she is lost", func() bool { return c.agent("alice").Conn == connLost })
	if a := c.agent("alice"); a.Status != wire.StatusAvailable || a.Seat != "2" {
		t.Fatalf("record %+v", a)
	}
	thaw()
	eventually(t, "she is back", func() bool { return c.agent("alice").Conn == connUp })
	if err := alice.ask(wire.SetStatus{To: wire.StatusBreak}); err != nil {
		t.Fatal(err)
	}
}

func TestARestartOfTheCenterKeepsSessionsSeatsAndCountdowns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	s := setup()
	s.Site.AfterWorkSeconds, s.Site.ExtendSeconds = 2, 1
	if err := c.Apply(t.Context(), s, "test"); err != nil {
		t.Fatal(err)
	}
	front := newCable(t, c.url)
	alice := newPhoneAt(t, front.url, "alice", "pc1").in("2001", wire.StatusAvailable, "2")
	secret := alice.welcome.SIP.Secret
	call := wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "0312345678", Result: "answered"}
	alice.call(call, wire.CallOffered, wire.CallTalking, wire.PhaseEnded)
	alice.wantStatus(wire.StatusWork)
	c.stop()
	c = startCenter(t, dir, nil)
	front.plugInto(c.url)
	if err := alice.ask(wire.ExtendWork{}); err != nil { // waits for the connection
		t.Fatal(err)
	}
	if s := alice.now(); s.Seat != "2" {
		t.Fatalf("state %+v", s)
	}
	alice.wantStatus(wire.StatusAvailable)
	term, _ := c.Terminal("2001")
	ha1, _ := term.HA1("SHA-256")
	want, _ := vault{testKey}.ha1(Terminal{Extension: "2001", Type: "softphone", Holder: "alice", Epoch: term.Epoch}, "center.internal", "SHA-256")
	if term.Account != "alice" || ha1 != want || secret == "" {
		t.Fatal("the terminal's secret did not survive")
	}
}

func TestASessionIsResumedOnceItsTokenIsOld(t *testing.T) {
	c := newCenter(t, func(cfg *Config) { cfg.Timing.Token = 300 * time.Millisecond }, nil)
	front := newCable(t, c.url)
	alice := newPhoneAt(t, front.url, "alice", "pc1").in("2001", wire.StatusAway, "2")
	expires := c.agent("alice").Session.Expires
	front.pull()
	eventually(t, "the token is old", func() bool { return time.Now().After(expires) })
	front.plugInto(c.url)
	eventually(t, "the session is resumed", func() bool { _, ok := told[uplink.Welcomed](alice); return ok })
	if err := alice.ask(wire.SetStatus{To: wire.StatusBreak}); err != nil {
		t.Fatal(err)
	}
	w, _ := told[uplink.Welcomed](alice)
	if w.Welcome.SIP.Secret != alice.welcome.SIP.Secret || w.Welcome.State.Seat != "2" {
		t.Fatal("the resumed session is another one")
	}
}

func TestReportsAndWishesWaitForTheConnectionAndCountOnce(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) { s.Site.AfterWorkSeconds = 60 })
	front := newCable(t, c.url)
	alice := newPhoneAt(t, front.url, "alice", "pc1").in("2001", wire.StatusAvailable, "")
	front.pull()
	eventually(t, "the phone notices", func() bool { _, ok := told[uplink.Offline](alice); return ok })
	call := wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "0312345678", Result: "answered"}
	alice.call(call, wire.CallOffered, wire.CallTalking, wire.PhaseEnded)
	asked := make(chan error, 1)
	go func() { asked <- alice.ask(wire.ExtendWork{}) }()
	front.plugInto(c.url)
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	a := c.agent("alice")
	if a.Status != wire.StatusWork || a.Until.Sub(a.Since) != 90*time.Second || len(a.Calls) != 0 {
		t.Fatalf("record %+v", a)
	}
}

func TestGuessingIsSlowedDownAndNobodyIsLockedOut(t *testing.T) {
	c := newCenter(t, func(cfg *Config) { cfg.Limits.AccountEvery = 2 * time.Second }, nil)
	p := newPhone(t, c, "alice", "pc1")
	for range 5 {
		_, err := p.Check(t.Context(), "alice", "wrong password")
		wantProblem(t, err, wire.ProblemSignIn)
	}
	_, err := p.Check(t.Context(), "alice", password)
	if wantProblem(t, err, wire.ProblemLimited).Holes["seconds"] != "2" {
		t.Fatal(err)
	}
	eventually(t, "she may try again", func() bool { _, err := p.Check(t.Context(), "alice", password); return err == nil })
	for range 30 { // good ones cost nothing
		if _, err := p.Check(t.Context(), "alice", password); err != nil {
			t.Fatal(err)
		}
	}
}

func TestACenterThatIsNotThereIsNamed(t *testing.T) {
	p := newPhoneAt(t, "http://127.0.0.1:1", "alice", "pc1")
	_, err := p.Check(t.Context(), "alice", password)
	if wantProblem(t, err, wire.ProblemUnreachable).Holes["url"] != "http://127.0.0.1:1" {
		t.Fatal(err)
	}
}
