package roster

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

var nine = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// desk is a view without a ledger: what rules decide is taken over at once.
type desk struct {
	*view
	seq ledger.Seq
}

func newDesk(tb interface{ Fatal(...any) }, s Setup) *desk {
	d := &desk{view: newView()}
	hashes := map[string]string{}
	for _, a := range s.Accounts {
		hashes[a.Account] = a.Hash
	}
	_, err := d.do(nine, func(dr *draft) error {
		p := plan{view: dr.view, vault: vault{testKey}, setup: s, hashes: hashes, draft: dr}
		return errors.Join(p.check(), p.write())
	})
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// do decides, and takes over what was decided; why is the cause of the agent's change.
func (d *desk) do(now time.Time, rule func(*draft) error) (why string, err error) {
	dr := &draft{view: d.view, now: now}
	if err := rule(dr); err != nil {
		return "", err
	}
	for _, c := range dr.changes {
		data, err := json.Marshal(c.value)
		if err != nil {
			return "", err
		}
		d.seq++
		if c.kind == KindAgent {
			why = c.why
		}
		if _, err := d.apply(ledger.Event{Seq: d.seq, Subject: ledger.Subject(c.kind, c.id), Data: data}); err != nil {
			return "", err
		}
	}
	return why, nil
}

func (d *desk) signIn(account, terminal, status, seat string, takeover bool, live bool) error {
	_, err := d.do(nine, func(dr *draft) error {
		return dr.claim(claim{account: account, terminal: terminal, status: status, seat: seat, takeover: takeover,
			live:    func(string) bool { return live },
			session: Session{ID: fmt.Sprint(account, d.seq), Token: fmt.Sprint("t", d.seq), Resume: fmt.Sprint("r", d.seq), Began: nine, Machine: "pc"}})
	})
	return err
}

// in makes an agent in that status, changed by with.
func (d *desk) in(tb interface{ Fatal(...any) }, status string, with func(*Agent)) {
	if err := d.signIn("alice", "2001", status, "1", false, false); err != nil {
		tb.Fatal(err)
	}
	if with != nil {
		_, _ = d.do(nine, func(dr *draft) error { with(dr.agent("alice", "test")); return nil })
	}
}

func inCall(phase string, inbound, outside bool) func(*Agent) {
	return func(a *Agent) {
		a.Calls = []Call{{ID: "c1", Phase: phase, Inbound: inbound, Outside: outside, Began: nine, At: nine}}
		if phase == wire.CallTalking {
			a.Calls[0].Answered = nine
		}
	}
}

func TestWhatAPersonMaySet(t *testing.T) {
	talking := inCall(wire.CallTalking, true, true)
	acw := func(a *Agent) { a.Until = nine.Add(30 * time.Second) }
	set := func(to string) func(*draft) error {
		return func(d *draft) error { return d.setStatus("alice", to, "op1") }
	}
	next := func(to string) func(*draft) error {
		return func(d *draft) error { return d.setNext("alice", to, "op1") }
	}
	extend := func(d *draft) error { return d.extendWork("alice", "op1") }
	rows := []struct {
		name    string
		profile string
		status  string
		with    func(*Agent)
		rule    func(*draft) error
		problem string
		want    string // status
		next    string
		until   time.Duration // after nine; 0: none
	}{
		{"available to break", "3.9", "available", nil, set("break"), "", "break", "", 0},
		{"the same again", "3.9", "break", nil, set("break"), "", "break", "", 0},
		{"a status of the center's own", "3.9", "break", nil, set("training"), "", "training", "", 0},
		{"an unknown one", "3.9", "break", nil, set("nap"), wire.ProblemStatusUnknown, "break", "", 0},
		{"logged off is for signing out", "3.9", "break", nil, set("off"), wire.ProblemStatusUnknown, "break", "", 0},
		{"ringing is not for picking", "3.9", "break", nil, set("ringing"), wire.ProblemStatusUnknown, "break", "", 0},
		{"in a call is refused", "3.7", "available", talking, set("break"), wire.ProblemStatusInCall, "available", "", 0},
		{"while it rings is refused", "3.9", "available", inCall(wire.CallOffered, true, true), set("break"), wire.ProblemStatusInCall, "available", "", 0},
		{"in a call went through before 3.7", "3.6", "available", talking, set("break"), "", "break", "", 0},
		{"next status in a call", "3.9", "available", talking, next("break"), "", "available", "break", 0},
		{"next status is cancelled", "3.9", "available", func(a *Agent) { talking(a); a.Next = "break" }, next(""), "", "available", "", 0},
		{"next status after the call is taken at once", "3.9", "available", nil, next("break"), "", "break", "", 0},
		{"an unknown next status", "3.9", "available", talking, next("nap"), wire.ProblemStatusUnknown, "available", "", 0},
		{"after-call work is extended", "3.9", "acw", acw, extend, "", "acw", "", time.Minute},
		{"nothing to extend", "3.9", "break", nil, extend, "", "break", "", 0},
		{"after-call work that shall stay", "3.9", "acw", acw, set("acw"), "", "acw", "", 0},
		{"after-call work is ended", "3.9", "acw", acw, set("available"), "", "available", "", 0},
		{"a repeated request is carried out once", "3.9", "acw", func(a *Agent) { acw(a); a.Ops = []string{"op1"} }, extend, "", "acw", "", 30 * time.Second},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			s.Site.Profile = r.profile
			d := newDesk(t, s)
			d.in(t, r.status, r.with)
			_, err := d.do(nine.Add(time.Second), r.rule)
			if r.problem != "" {
				wantProblem(t, err, r.problem)
			} else if err != nil {
				t.Fatal(err)
			}
			a := d.agents["alice"].v
			until := time.Duration(0)
			if !a.Until.IsZero() {
				until = a.Until.Sub(nine)
			}
			if a.Status != r.want || a.Next != r.next || until != r.until {
				t.Fatalf("%s, next %q, until +%v", a.Status, a.Next, until)
			}
		})
	}
	d := newDesk(t, setup())
	if err := d.signIn("root", "2099", "whatever", "", false, false); err != nil {
		t.Fatal(err)
	}
	_, err := d.do(nine, func(dr *draft) error { return dr.setStatus("root", "break", "") })
	wantProblem(t, err, wire.ProblemForbidden) // D1: a status is an agent's
}

func TestWhatFollowsACall(t *testing.T) {
	ended := func(result string) wire.CallReport {
		return wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Result: result}
	}
	two := func(a *Agent) {
		inCall(wire.CallTalking, true, true)(a)
		a.Calls = append(a.Calls, Call{ID: "c2", Phase: wire.CallHeld, Answered: nine})
	}
	rows := []struct {
		name   string
		site   func(*Site)
		status string
		with   func(*Agent)
		report wire.CallReport
		want   string
		until  time.Duration // after the end
		misses int
		why    string
	}{
		{"answered: after-call work", nil, "available", inCall(wire.CallTalking, true, true), ended("answered"), "acw", 30 * time.Second, 0, "call ended"},
		{"answered: the site's time", func(s *Site) { s.AfterWorkSeconds = 7 }, "available", inCall(wire.CallTalking, true, true), ended("answered"), "acw", 7 * time.Second, 0, "call ended"},
		{"answered: straight back", func(s *Site) { s.AfterWorkSeconds = 0 }, "available", inCall(wire.CallTalking, true, true), ended("answered"), "available", 0, 0, "call ended"},
		{"answered: next status first", nil, "available", func(a *Agent) { inCall(wire.CallTalking, true, true)(a); a.Next = "break" }, ended("answered"), "break", 0, 0, "call ended"},
		{"answered in a status that takes outside calls of the center's own", nil, "vip", inCall(wire.CallTalking, true, true), ended("answered"), "acw", 30 * time.Second, 0, "call ended"},
		{"the status was changed during the call (≤3.6)", nil, "break", inCall(wire.CallTalking, true, true), ended("answered"), "break", 0, 0, "call ended"},
		{"outbound: previous status", nil, "break", inCall(wire.CallTalking, false, true), ended("answered"), "break", 0, 0, "call ended"},
		{"outbound from Available", nil, "available", inCall(wire.CallTalking, false, true), ended("answered"), "available", 0, 0, "call ended"},
		{"inside", nil, "available", inCall(wire.CallTalking, true, false), wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Result: "answered"}, "available", 0, 0, "call ended"},
		{"another call goes on", nil, "available", two, ended("answered"), "available", 0, 0, "call ended"},
		{"missed is counted", nil, "available", inCall(wire.CallOffered, true, true), ended("missed"), "available", 0, 1, "call ended"},
		{"declined is counted", nil, "available", inCall(wire.CallOffered, true, true), ended("declined"), "available", 0, 1, "call ended"},
		{"the caller gave up", nil, "available", inCall(wire.CallOffered, true, true), ended("cancelled"), "available", 0, 0, "call ended"},
		{"the third miss", nil, "available", func(a *Agent) { inCall(wire.CallOffered, true, true)(a); a.Misses = 2 }, ended("missed"), "away", 0, 0, "no answer"},
		{"never away for misses", func(s *Site) { s.Misses = 0 }, "available", func(a *Agent) { inCall(wire.CallOffered, true, true)(a); a.Misses = 9 }, ended("missed"), "available", 0, 10, "call ended"},
		{"the exchange has counted it", nil, "available", func(a *Agent) { inCall(wire.CallOffered, true, true)(a); a.Misses, a.Missed = 1, []Miss{{At: nine}} }, ended("missed"), "available", 0, 1, "call ended"},
		{"the exchange has counted the third", nil, "away", func(a *Agent) {
			inCall(wire.CallOffered, true, true)(a)
			a.Cause, a.Missed = noAnswer, []Miss{{At: nine}}
		}, ended("missed"), "away", 0, 0, "no answer"},
		{"an inside call missed", nil, "available", inCall(wire.CallOffered, true, false), wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Result: "missed"}, "available", 0, 0, "call ended"},
		{"an answer forgives the misses", nil, "available", func(a *Agent) { inCall(wire.CallTalking, true, true)(a); a.Misses = 2 }, ended("answered"), "acw", 30 * time.Second, 0, "call ended"},
		{"only its end was heard", nil, "available", nil, ended("answered"), "acw", 30 * time.Second, 0, "call ended"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			if r.site != nil {
				r.site(s.Site)
			}
			d := newDesk(t, s)
			d.in(t, r.status, r.with)
			end := nine.Add(2 * time.Second)
			why, err := d.do(end, func(dr *draft) error { return dr.report("alice", r.report, "op") })
			if err != nil {
				t.Fatal(err)
			}
			a := d.agents["alice"].v
			until := time.Duration(0)
			if !a.Until.IsZero() {
				until = a.Until.Sub(end)
			}
			if a.Status != r.want || until != r.until || a.Misses != r.misses || why != r.why || a.Next != "" {
				t.Fatalf("%s until +%v, %d misses, why %q", a.Status, until, a.Misses, why)
			}
		})
	}
}

// TestAMissedCallIsCountedOnce whoever tells of it, and two that were missed within seconds are two.
func TestAMissedCallIsCountedOnce(t *testing.T) {
	type word struct {
		phone  string        // the phone's name for the call; "" the exchange or a PBX tells
		center string        // the exchange's name for it; "" who tells does not know it
		after  time.Duration // of the word before
	}
	for _, r := range []struct {
		name  string
		words []word
		want  int
	}{
		{"exchange, then phone", []word{{"", "x", 0}, {"p", "x", time.Second}}, 1},
		{"phone, then exchange", []word{{"p", "x", 0}, {"", "x", time.Second}}, 1},
		{"the other's word is late", []word{{"", "x", 0}, {"p", "x", time.Minute}}, 1},
		{"two calls within a second", []word{{"", "x", 0}, {"p", "x", 0}, {"", "y", time.Second}, {"q", "y", 0}}, 2},
		{"and their words cross", []word{{"", "x", 0}, {"", "y", time.Second}, {"q", "y", 0}, {"p", "x", 0}}, 2},
		{"a direct call after one of a queue", []word{{"", "x", 0}, {"p", "x", 0}, {"q", "y", time.Second}}, 2},
		{"the exchange says it again", []word{{"", "x", 0}, {"", "x", 0}, {"", "x", time.Minute}}, 1},
		{"a PBX, and the phone that it rang", []word{{"", "", 0}, {"p", "", time.Second}}, 1},
		{"two calls of a PBX within seconds", []word{{"", "", 0}, {"p", "", 0}, {"", "", 2 * time.Second}, {"q", "", 0}}, 2},
		{"two calls of a phone that no exchange knows", []word{{"p", "", 0}, {"q", "", time.Second}}, 2},
		{"a PBX's, and later one of the exchange", []word{{"", "", 0}, {"p", "x", time.Minute}}, 2},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			s.Site.Misses = 0
			d := newDesk(t, s)
			d.in(t, "available", nil)
			now := nine
			for i, w := range r.words {
				now = now.Add(w.after)
				_, err := d.do(now, func(dr *draft) error {
					if w.phone == "" {
						dr.missed("alice", Miss{Call: w.center})
						return nil
					}
					return dr.report("alice", wire.CallReport{ID: w.phone, Phase: wire.PhaseEnded, Inbound: true, Outside: true, Center: w.center, Result: "missed"}, fmt.Sprint(i))
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := d.agents["alice"].v.Misses; got != r.want {
				t.Fatalf("%d", got)
			}
		})
	}
}

func TestTheSecondOfTwoCallsDecidesWhatFollowsBoth(t *testing.T) {
	d := newDesk(t, setup())
	d.in(t, "available", nil)
	for i, c := range []wire.CallReport{
		{ID: "a", Phase: wire.CallTalking, Inbound: true, Outside: true}, {ID: "b", Phase: wire.CallTalking, Outside: true},
		{ID: "a", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Result: "answered"}, {ID: "b", Phase: wire.PhaseEnded, Outside: true},
	} {
		if got := d.agents["alice"].v.Status; got != "available" {
			t.Fatalf("before report %d: %s", i, got)
		}
		if _, err := d.do(nine.Add(time.Minute), func(dr *draft) error { return dr.report("alice", c, fmt.Sprint(i)) }); err != nil {
			t.Fatal(err)
		}
	}
	if got := d.agents["alice"].v.Status; got != "acw" {
		t.Fatal(got)
	}
}

func TestWhatTimeAloneDoes(t *testing.T) {
	timing := Timing{}.filled()
	gone := presence{dropped: nine}
	lost := func(a *Agent) { a.Conn, a.LostAt = connLost, nine }
	rows := []struct {
		name   string
		status string
		with   func(*Agent)
		p      presence
		after  time.Duration
		want   string
		conn   string
		due    time.Duration // after nine; 0: never
		why    string
	}{
		{"connected", "available", nil, presence{linked: true}, time.Hour, "available", "up", 0, ""},
		{"another node's", "available", nil, presence{}, time.Hour, "available", "up", 0, ""},
		{"a blip", "available", nil, gone, 2 * time.Second, "available", "up", 3 * time.Second, ""},
		{"lost", "available", nil, gone, 3 * time.Second, "available", "lost", time.Minute, "connection lost"},
		{"back", "available", lost, presence{linked: true}, 30 * time.Second, "available", "up", 0, "connection back"},
		{"away after a minute", "available", lost, gone, time.Minute, "away", "lost", 15 * time.Minute, "connection lost"},
		{"break, too", "break", lost, gone, time.Minute, "away", "lost", 15 * time.Minute, "connection lost"},
		{"not in a call", "available", func(a *Agent) { lost(a); inCall(wire.CallTalking, true, true)(a) }, gone, 2 * time.Minute, "available", "lost", 15 * time.Minute, ""},
		{"off after a quarter of an hour", "away", lost, gone, 15 * time.Minute, "off", "", 0, "connection lost"},
		{"after-call work goes on", "acw", func(a *Agent) { a.Until = nine.Add(30 * time.Second) }, presence{linked: true}, 29 * time.Second, "acw", "up", 30 * time.Second, ""},
		{"after-call work ends", "acw", func(a *Agent) { a.Until = nine.Add(30 * time.Second) }, presence{linked: true}, 30 * time.Second, "available", "up", 0, "after-call work over"},
		{"everything was slept through", "acw", func(a *Agent) { a.Until = nine.Add(30 * time.Second) }, gone, time.Hour, "off", "", 0, "connection lost"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			d := newDesk(t, setup())
			d.in(t, r.status, r.with)
			var due time.Time
			why, err := d.do(nine.Add(r.after), func(dr *draft) error { due = dr.lapse("alice", r.p, timing); return nil })
			if err != nil {
				t.Fatal(err)
			}
			left := time.Duration(0)
			if !due.IsZero() && d.agents["alice"].v.Session != nil {
				left = due.Sub(nine)
			}
			a := d.agents["alice"].v
			if a.Status != r.want || a.Conn != r.conn || left != r.due || why != r.why {
				t.Fatalf("%s, %q, due +%v, why %q", a.Status, a.Conn, left, why)
			}
			if r.want == "off" && (a.Session != nil || d.seats["1"].v.Holder != "" || d.terminals["2001"].v.Holder != "") {
				t.Fatal("seat or terminal is not free")
			}
		})
	}
}

func TestWhatOthersSee(t *testing.T) {
	rows := []struct {
		name string
		a    Agent
		want string
	}{
		{"own status", Agent{Status: "break"}, "break"},
		{"ringing", Agent{Status: "break", Calls: []Call{{Phase: wire.CallOffered, Inbound: true}}}, "ringing"},
		{"talking", Agent{Status: "break", Calls: []Call{{Phase: wire.CallTalking, Inbound: true, Answered: nine}}}, "talking"},
		{"on hold", Agent{Status: "break", Calls: []Call{{Phase: wire.CallHeld, Inbound: true, Answered: nine}}}, "talking"},
		{"dialling", Agent{Status: "break", Calls: []Call{{Phase: wire.CallAlerted}}}, "dialing"},
		{"outbound, answered", Agent{Status: "break", Calls: []Call{{Phase: wire.CallTalking, Answered: nine}}}, "dialing"},
		{"a second call rings", Agent{Status: "break", Calls: []Call{{Phase: wire.CallOffered, Inbound: true}, {Phase: wire.CallTalking, Inbound: true, Answered: nine}}}, "talking"},
		{"lost covers all", Agent{Status: "break", Conn: connLost, Calls: []Call{{Phase: wire.CallOffered, Inbound: true}}}, "lost"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got, _ := r.a.shown(); got != r.want {
				t.Fatal(got)
			}
		})
	}
}

func TestWhoGetsWhatAtSignIn(t *testing.T) {
	rows := []struct {
		name    string
		before  func(*desk) error
		profile string
		claim   [4]string // account, terminal, status, seat
		live    bool
		problem string
		seat    string // of alice afterwards
	}{
		{"free", nil, "3.9", [4]string{"alice", "2001", "away", "1"}, false, "", "1"},
		{"not seated", nil, "3.9", [4]string{"alice", "2001", "away", ""}, false, "", ""},
		{"another's softphone", nil, "3.9", [4]string{"alice", "2002", "away", ""}, false, wire.ProblemTerminalUnknown, ""},
		{"a trunk", nil, "3.9", [4]string{"alice", "gw", "away", ""}, false, wire.ProblemTerminalUnknown, ""},
		{"a desk phone", nil, "3.9", [4]string{"alice", "3001", "away", "1"}, false, "", "1"},
		{"no such seat", nil, "3.9", [4]string{"alice", "2001", "away", "99"}, false, wire.ProblemSeatUnknown, ""},
		{"no such status", nil, "3.9", [4]string{"alice", "2001", "nap", ""}, false, wire.ProblemStatusUnknown, ""},
		{"seat taken", func(d *desk) error { return d.signIn("bob", "2002", "away", "1", false, false) }, "3.9",
			[4]string{"alice", "2001", "away", "1"}, false, wire.ProblemSeatTaken, ""},
		{"terminal taken", func(d *desk) error { return d.signIn("bob", "3001", "away", "", false, false) }, "3.9",
			[4]string{"alice", "3001", "away", ""}, false, wire.ProblemTerminalTaken, ""},
		{"signed in elsewhere", func(d *desk) error { return d.signIn("alice", "2001", "away", "2", false, false) }, "3.9",
			[4]string{"alice", "2001", "away", "1"}, true, wire.ProblemElsewhere, "2"},
		{"the old phone is gone", func(d *desk) error { return d.signIn("alice", "2001", "away", "2", false, false) }, "3.9",
			[4]string{"alice", "3001", "away", "1"}, false, "", "1"},
		{"leaving the seat (3.6)", func(d *desk) error { return d.signIn("alice", "2001", "away", "2", false, false) }, "3.6",
			[4]string{"alice", "2001", "away", ""}, false, "", ""},
		{"the old seat stays occupied (3.5)", func(d *desk) error { return d.signIn("alice", "2001", "away", "2", false, false) }, "3.5",
			[4]string{"alice", "2001", "away", ""}, false, "", "2"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			s.Site.Profile = r.profile
			d := newDesk(t, s)
			if r.before != nil {
				if err := r.before(d); err != nil {
					t.Fatal(err)
				}
			}
			err := d.signIn(r.claim[0], r.claim[1], r.claim[2], r.claim[3], false, r.live)
			if r.problem != "" {
				wantProblem(t, err, r.problem)
			} else if err != nil {
				t.Fatal(err)
			}
			if got := d.agents["alice"].v.Seat; got != r.seat {
				t.Fatalf("seat %q", got)
			}
			d.check(t)
		})
	}
}

// check holds the records to each other: seat, terminal and agent always name one another.
func (d *desk) check(tb interface{ Fatalf(string, ...any) }) {
	for id, a := range d.agents {
		if a.v.Session == nil && (a.v.Seat != "" || a.v.Terminal != "") {
			tb.Fatalf("%s has seat %q and terminal %q without a session", id, a.v.Seat, a.v.Terminal)
		}
		if a.v.Session != nil && d.terminals[a.v.Terminal].v.Holder != id {
			tb.Fatalf("%s has terminal %s, which is %q's", id, a.v.Terminal, d.terminals[a.v.Terminal].v.Holder)
		}
		if a.v.Seat != "" && d.seats[a.v.Seat].v.Holder != id {
			tb.Fatalf("%s has seat %s, which is %q's", id, a.v.Seat, d.seats[a.v.Seat].v.Holder)
		}
	}
	for id, s := range d.seats {
		if h := s.v.Holder; h != "" && d.agents[h].v.Seat != id {
			tb.Fatalf("seat %s is %s's, who has %q", id, h, d.agents[h].v.Seat)
		}
	}
	for id, t := range d.terminals {
		if h := t.v.Holder; h != "" && d.agents[h].v.Terminal != id {
			tb.Fatalf("terminal %s is %s's, who has %q", id, h, d.agents[h].v.Terminal)
		}
	}
	sessions := 0
	for _, a := range d.agents {
		if a.v.Session != nil {
			sessions++
		}
	}
	if len(d.tokens) != sessions {
		tb.Fatalf("%d tokens for %d sessions", len(d.tokens), sessions)
	}
}

func TestWhateverHappensTheRecordsAgree(t *testing.T) {
	accounts := []string{"alice", "bob", "carol", "root"}
	terminals := []string{"2001", "2002", "2003", "2099", "3001"}
	statuses := []string{"available", "break", "training"}
	seats := []string{"", "1", "2", "3"}
	rapid.Check(t, func(t *rapid.T) {
		s := setup()
		s.Site.Profile = rapid.SampledFrom(profiles).Draw(t, "profile")
		d := newDesk(t, s)
		now := nine
		epochs := map[string]uint64{}
		who := func(t *rapid.T) string { return rapid.SampledFrom(accounts).Draw(t, "account") }
		t.Repeat(map[string]func(*rapid.T){
			"sign in": func(t *rapid.T) {
				_ = d.signIn(who(t), rapid.SampledFrom(terminals).Draw(t, "terminal"), rapid.SampledFrom(statuses).Draw(t, "status"),
					rapid.SampledFrom(seats).Draw(t, "seat"), rapid.Bool().Draw(t, "takeover"), rapid.Bool().Draw(t, "live"))
			},
			"sign out": func(t *rapid.T) {
				a := who(t)
				_, _ = d.do(now, func(dr *draft) error {
					if dr.agents[a].v.Session != nil {
						dr.end(a, "", "signed out")
					}
					return nil
				})
			},
			"call": func(t *rapid.T) {
				a, phase := who(t), rapid.SampledFrom([]string{wire.CallOffered, wire.CallTalking, wire.PhaseEnded}).Draw(t, "phase")
				_, _ = d.do(now, func(dr *draft) error {
					return dr.report(a, wire.CallReport{ID: "c", Phase: phase, Inbound: true, Outside: true, Result: "missed"}, "")
				})
			},
			"time": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "seconds")) * time.Second)
				a := who(t)
				_, _ = d.do(now, func(dr *draft) error { dr.lapse(a, presence{dropped: now}, Timing{}.filled()); return nil })
			},
			"": func(t *rapid.T) {
				d.check(t)
				for id, term := range d.terminals {
					if term.v.Epoch < epochs[id] {
						t.Fatalf("epoch of %s went back", id)
					}
					epochs[id] = term.v.Epoch
				}
			},
		})
	})
}
