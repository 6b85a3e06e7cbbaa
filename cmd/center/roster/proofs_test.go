package roster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// soon is how long a session may outlive what it was begun with.
const soon = 5 * time.Second

func TestASessionEndsWithWhatItWasBegunWith(t *testing.T) {
	off := setup().Accounts[0]
	off.Off = true
	rows := []struct {
		name string
		do   func(*testing.T, *center) error
		told string // problem
		why  string // in the record
	}{
		{"another password", func(t *testing.T, c *center) error {
			return c.SetPassword(t.Context(), "alice", "a whole new one", "root")
		}, wire.ProblemExpired, "password or second factor changed"},
		{"another password by an import", func(t *testing.T, c *center) error {
			return c.Apply(t.Context(), Setup{Accounts: []AccountSetup{{Account: "alice", Password: "a whole new one"}}}, "root")
		}, wire.ProblemExpired, "password or second factor changed"},
		{"the second factor is reset", func(t *testing.T, c *center) error { return c.ResetFactor(t.Context(), "alice", "root") },
			wire.ProblemExpired, "password or second factor changed"},
		{"suspended", func(t *testing.T, c *center) error {
			return c.Apply(t.Context(), Setup{Accounts: []AccountSetup{off}}, "root")
		},
			wire.ProblemAccountOff, "suspended"},
		{"removed", func(t *testing.T, c *center) error { return c.Remove(t.Context(), KindAccount, "alice", nil, "root") }, "", "account removed"},
		{"the terminal is removed", func(t *testing.T, c *center) error { return c.Remove(t.Context(), KindTerminal, "2001", nil, "root") },
			"", "terminal removed"},
		{"the terminal is a trunk", func(t *testing.T, c *center) error {
			return c.Apply(t.Context(), Setup{Terminals: []TerminalSetup{{Extension: "2001", Type: "trunk", Secret: "a-secret-of-a-trunk"}}}, "root")
		}, wire.ProblemExpired, "terminal taken away"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := newCenter(t, nil, nil)
			p := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "1")
			began := time.Now()
			must(t, r.do(t, c))
			var problem wire.Problem
			eventually(t, "the phone is told", func() bool {
				if e, ok := told[uplink.Expired](p); ok {
					problem = e.Problem
					return true
				}
				e, ok := told[uplink.Revoked](p)
				problem = e.Problem
				return ok
			})
			if took := time.Since(began); took > soon || r.told != "" && problem.Code != r.told {
				t.Errorf("told %v after %v", problem, took)
			}
			a := c.agent("alice")
			if a.Session != nil || a.Status != wire.StatusOff {
				t.Errorf("record %+v", a)
			}
			eventually(t, "the seat is free", func() bool { return c.Floor().Seats[0].Account == "" })
			e, _, err := c.ledger.Last(t.Context(), "agent.alice")
			if err != nil || e.Why != r.why {
				t.Errorf("why %q, %v", e.Why, err)
			}
		})
	}
}

func TestARemovedSeatIsNobodys(t *testing.T) {
	c := newCenter(t, nil, nil)
	p := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "1")
	must(t, c.Remove(t.Context(), KindSeat, "1", nil, "root"))
	eventually(t, "alice sits nowhere", func() bool { return p.now().Seat == "" })
	if c.agent("alice").Session == nil {
		t.Fatal("the session ended")
	}
}

func TestWhoChangesTheOwnPasswordStaysSignedIn(t *testing.T) {
	c := newCenter(t, nil, nil)
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: checks(t, c, "alice", "").Ticket, Terminal: "2001", Status: "away"}, &w))
	before := c.Stamp("alice")
	old := checks(t, c, "alice", "").Ticket
	wantProblem(t, ask(t, c, "/api/v1/password", w.Token, wire.PasswordRequest{Old: "wrong password", New: "a whole new one"}, nil), wire.ProblemSignIn)
	for _, bad := range []string{"short", "alice", "Password123", strings.Repeat("x", 257)} {
		wantProblem(t, ask(t, c, "/api/v1/password", w.Token, wire.PasswordRequest{Old: password, New: bad}, nil), wire.ProblemPassword)
	}
	wantProblem(t, ask(t, c, "/api/v1/password", "", wire.PasswordRequest{Old: password, New: "a whole new one"}, nil), wire.ProblemExpired)
	must(t, ask(t, c, "/api/v1/password", w.Token, wire.PasswordRequest{Old: password, New: "a whole new one"}, nil))
	if c.Stamp("alice") == before {
		t.Error("sessions of the administration go on")
	}
	wantProblem(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: old, Terminal: "2001", Status: "away"}, nil), wire.ProblemTicket)
	must(t, ask(t, c, "/api/v1/factor", w.Token, nil, nil))
	c.mu.RLock()
	why := c.view.unfit("alice")
	c.mu.RUnlock()
	if why != "" {
		t.Errorf("the own session ends: %s", why)
	}
}

func TestTheStampFollowsWhatMustEndSessions(t *testing.T) {
	c := newCenter(t, nil, nil)
	rows := []struct {
		name string
		do   func(*Account)
		same bool
	}{
		{"another name", func(a *Account) { a.Name = "x" }, true},
		{"hashed anew", func(a *Account) { a.Was, a.Hash = a.Hash, "x" }, true},
		{"another password", func(a *Account) { a.Hash, a.Was = "y", "" }, false},
		{"another role", func(a *Account) { a.Role = "agent" }, false},
		{"suspended", func(a *Account) { a.Off = true }, false},
	}
	for _, r := range rows {
		before := c.Stamp("carol")
		must(t, c.change(t.Context(), "test", func(d *draft) error {
			row := d.accounts["carol"]
			a := row.v
			r.do(&a)
			d.add(KindAccount, "carol", row.seq, &a, "test")
			return nil
		}))
		if got := c.Stamp("carol"); (got == before) != r.same {
			t.Errorf("%s: %q, %q", r.name, before, got)
		}
	}
	if c.Stamp("carol") != "" || c.Stamp("nobody") != "" {
		t.Error("a stamp of nobody")
	}
}

func TestSomebodyWhoIsSuspendedIsToldSoAfterTheRightPasswordOnly(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) { s.Accounts[0].Off = true })
	wantProblem(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password}, nil), wire.ProblemAccountOff)
	wantProblem(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: "wrong password"}, nil), wire.ProblemSignIn)
}

func TestAPasswordIsHashedAnewWithTodaysParameters(t *testing.T) {
	salt := []byte("saltsalt")
	weak := phc(2, 16, 1, salt, argon2.IDKey([]byte(password), salt, 2, 16, 1, hashTag))
	c := newCenter(t, nil, func(s *Setup) { s.Accounts[0].Hash = weak })
	p := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "")
	a := c.account("alice")
	if a.Was != weak || !c.passwords.today(a.Hash) {
		t.Fatalf("%q was %q", a.Hash, a.Was)
	}
	s := setup()
	s.Accounts[0].Hash = weak
	must(t, c.Apply(t.Context(), s, "test")) // the same file again takes nothing back
	if got := c.account("alice"); got.Hash != a.Hash {
		t.Fatalf("%q", got.Hash)
	}
	checks(t, c, "alice", "")
	if _, ended := told[uplink.Expired](p); ended || c.agent("alice").Session == nil {
		t.Fatal("the session ended")
	}
}

func TestOneOfficeBehindOneAddressSignsIn(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, nil)
	for range 60 { // right passwords give back what they took
		for _, account := range []string{"alice", "bob", "carol"} {
			checks(t, c, account, "")
		}
	}
	// Somebody there who guesses delays the office by seconds and locks nobody out.
	for range 40 {
		_ = ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "bob", Password: "wrong password"}, nil)
	}
	err := ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password}, nil)
	var p wire.Problem
	if err != nil && (!errors.As(err, &p) || p.Code != wire.ProblemLimited || p.Holes["seconds"] > "2") {
		t.Fatal(err)
	}
	eventually(t, "alice signs in", func() bool {
		return ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password}, nil) == nil
	})
}

func TestWhoGuessesElsewhereDelaysNobodyAtHome(t *testing.T) {
	c := newCenter(t, nil, nil)
	try := func(password, address string) error {
		_, err := c.password(t.Context(), wire.CheckRequest{Account: "alice", Password: password}, address)
		return err
	}
	must(t, try(password, "192.0.2.1"))
	looked := 0
	for i := range 500 { // from many addresses
		var p wire.Problem
		if errors.As(try("wrong password", fmt.Sprintf("198.51.100.%d", i%250)), &p); p.Code == wire.ProblemSignIn {
			looked++
		}
	}
	if looked > 8 {
		t.Errorf("%d passwords were looked at", looked)
	}
	must(t, try(password, "192.0.2.1"))
	wantProblem(t, try(password, "192.0.2.2"), wire.ProblemLimited)
}

func TestAddressesOfOneCustomerCountAsOne(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "::ffff:192.0.2.1": "::ffff:192.0.2.1", "x": "x"} {
		if got := place(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}

func TestTooManyWhoWaitForTheirTurnAreToldToComeBack(t *testing.T) {
	p := newPasswords(Cost{Time: 1, Memory: 8})
	for range cap(p.turn) {
		must(t, p.enter(t.Context()))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range mostWaiting {
		wg.Go(func() { _ = p.enter(ctx) })
	}
	eventually(t, "all wait", func() bool { return p.waiting.Load() == mostWaiting })
	wantProblem(t, p.enter(ctx), wire.ProblemLimited)
	cancel()
	wg.Wait()
	p.leave()
	must(t, p.enter(t.Context()))
}

func TestAPolicyHidesTheSeatViewFromAgents(t *testing.T) {
	no := false
	c := newCenter(t, nil, func(s *Setup) { s.Policies = []Policy{{ID: "p", Name: "P", Set: PolicySet{View: &no}}} })
	seen := func(account, ext string) bool {
		p := newPhone(t, c, account, "pc "+account).in(ext, wire.StatusAway, "")
		floors, turn := p.WatchFloor(t.Context(), wire.WatchFloor{On: true})
		defer turn(wire.WatchFloor{})
		must(t, p.Ask(t.Context(), wire.SetStatus{To: wire.StatusBreak})) // what was asked before it has been carried out
		if account == "alice" {
			c.hub.mu.Lock()
			defer c.hub.mu.Unlock()
			return c.linkOf(account).look.topic != nil
		}
		select {
		case _, ok := <-floors:
			return ok
		case <-time.After(soon):
			return false
		}
	}
	if seen("alice", "2001") {
		t.Error("an agent sees it")
	}
	if !seen("carol", "2003") {
		t.Error("a supervisor does not see it")
	}
}

func (c *center) linkOf(account string) *link {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.links[account]
}
