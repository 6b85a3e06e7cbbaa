package roster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

func TestWhoIsSuspendedBetweenTheStepsDoesNotGetIn(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) { demanding(s); s.Site.Factor.Admin = factorAllowed })
	secret, _ := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	off := setup().Accounts[0]
	off.Off = true
	must(t, c.Apply(t.Context(), Setup{Accounts: []AccountSetup{off}}, "test"))
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, nil), wire.ProblemAccountOff)
	off.Off = false
	must(t, c.Apply(t.Context(), Setup{Accounts: []AccountSetup{off}}, "test"))
	must(t, c.Remove(t.Context(), KindAccount, "alice", nil, "test"))
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, nil), wire.ProblemTicket)
}

func TestATicketOutlivesARestart(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, _ := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	other := runNode(t, c.ledger, "other") // as after a restart, or at another node
	_, _, err := other.prove(t.Context(), wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, forAgent, "::1")
	must(t, err)
	stranger, err := New(Config{Ledger: c.ledger, Key: []byte("another key of thirty-two bytes.")})
	must(t, err)
	if _, err := stranger.ticket(need.Ticket, stageProve); !errors.Is(err, wire.Problem{Code: wire.ProblemTicket}) {
		t.Fatalf("opened with another key: %v", err)
	}
}

func FuzzTicket(f *testing.F) {
	r := &Roster{vault: vault{testKey}, tickets: newTickets(), view: newView()}
	good, err := r.issue(ticket{Account: "alice", For: forAgent, Stage: stageChoose}, time.Minute)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, good[1:], good + "A", "", "AAAA", "e30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		for _, stage := range []string{stageProve, stageEnrol, stageChoose, stageHandoff} {
			if k, err := r.ticket(sealed, stage); err == nil {
				t.Fatalf("opened as %s: %+v", stage, k)
			}
		}
	})
}

func TestASessionSetsUpAndTakesAwayASecondFactor(t *testing.T) {
	c := newCenter(t, nil, nil)
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: checks(t, c, "alice", "").Ticket, Terminal: "2001", Status: "away"}, &w))
	token := w.Token
	c.codes = newLimiter(100, time.Second)
	var start wire.FactorStart
	must(t, ask(t, c, "/api/v1/factor/start", token, wire.FactorRequest{}, &start))
	if checks(t, c, "alice", "").Need != nil {
		t.Fatal("one that is not confirmed counts")
	}
	var codes wire.FactorCodes
	must(t, ask(t, c, "/api/v1/factor/confirm", token, wire.FactorRequest{Code: shown(start.Secret, -1)}, &codes))
	if checks(t, c, "alice", "").Need == nil {
		t.Fatal("one that is confirmed does not count")
	}
	var state wire.FactorState
	must(t, ask(t, c, "/api/v1/factor", token, nil, &state)) // the own session stays
	var other wire.FactorStart
	wantProblem(t, ask(t, c, "/api/v1/factor/start", token, wire.FactorRequest{}, &other), wire.ProblemFactor)
	must(t, ask(t, c, "/api/v1/factor/start", token, wire.FactorRequest{Code: codes.Recovery[0]}, &other))
	must(t, ask(t, c, "/api/v1/factor/confirm", token, wire.FactorRequest{Code: shown(other.Secret, -1)}, &codes))
	wantProblem(t, ask(t, c, "/api/v1/factor/off", token, wire.FactorRequest{Code: shown(start.Secret, 0)}, nil), wire.ProblemFactor)
	must(t, ask(t, c, "/api/v1/factor/off", token, wire.FactorRequest{Code: shown(other.Secret, 0)}, nil))
	if checks(t, c, "alice", "").Need != nil || c.FactorOf("alice").Codes != 0 {
		t.Fatal("one that is off counts")
	}
	if c.agent("alice").Session == nil {
		t.Fatal("the own session ended")
	}
}

func TestADemandedFactorCannotBeTurnedOff(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, papers := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	var out wire.Checked
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, &out))
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: out.Ticket, Terminal: "2001", Status: "away"}, &w))
	wantProblem(t, ask(t, c, "/api/v1/factor/off", w.Token, wire.FactorRequest{Code: papers[0]}, nil), wire.ProblemFactorNeeded)
	if s := c.FactorOf("alice"); !s.App || s.Codes != 10 {
		t.Fatalf("%+v", s)
	}
	must(t, c.ResetFactor(t.Context(), "alice", "root"))
	if need := checks(t, c, "alice", "").Need; need == nil || !need.Enrol {
		t.Fatalf("after a reset: %+v", need)
	}
	eventually(t, "the session ends", func() bool { return c.agent("alice").Session == nil })
	e, ok, err := c.ledger.Last(t.Context(), "factor.alice")
	if err != nil || !ok || e.By != "root" || e.Why != "second factor reset" {
		t.Fatalf("record %+v %v", e, err)
	}
}

func TestTheAdministrationAsksForACode(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) { s.Site.Factor = SiteFactor{Admin: factorRequired, Days: 7} })
	var need Needed
	if _, err := c.AuthenticateAt(t.Context(), "root", password, "", "::1"); !errors.As(err, &need) || !need.Enrol {
		t.Fatalf("need %+v: %v", need, err)
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/confirm", "", wire.FactorRequest{Ticket: need.Ticket, Code: "000000"}, nil), wire.ProblemTicket)
	start, err := c.StartFactor(t.Context(), wire.FactorRequest{Ticket: need.Ticket}, "::1")
	must(t, err)
	p, papers, err := c.ConfirmFactor(t.Context(), wire.FactorRequest{Ticket: need.Ticket, Code: shown(start.Secret, -1)}, "::1")
	if err != nil || p.Account != "root" || len(papers) != 10 {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := c.AuthenticateAt(t.Context(), "root", password, "", "::1"); !errors.As(err, &need) || need.Enrol {
		t.Fatalf("need %+v: %v", need, err)
	}
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(start.Secret, 0)}, nil), wire.ProblemTicket)
	p, device, err := c.Prove(t.Context(), wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(start.Secret, 0), Trust: true}, "::1")
	if err != nil || p.Account != "root" || device == "" {
		t.Fatalf("%+v %v", p, err)
	}
	if p, err := c.AuthenticateAt(t.Context(), "root", password, device, "::1"); err != nil || p.Account != "root" {
		t.Fatalf("%+v %v", p, err)
	}
	if out := checks(t, c, "root", device.Reveal()); out.Need == nil {
		t.Fatal("trusted at the administration, and not asked at a phone")
	}
}

func TestTheLedgerHoldsNoSecretOfASecondFactor(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, papers := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	var out wire.Checked
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0), Trust: true}, &out))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	all, _, err := c.ledger.Load(ctx, "")
	must(t, err)
	secrets := append([]string{secret, out.Device, need.Ticket, strings.ReplaceAll(papers[0], "-", "")}, papers...)
	for subject, e := range all {
		for _, s := range secrets {
			if strings.Contains(string(e.Data), s) {
				t.Errorf("%s holds %q", subject, s)
			}
		}
	}
}

func TestNewRecoveryCodesAlone(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		demanding(s)
		s.Site.Mail = SiteMail{Server: "127.0.0.1:25", From: "center@example.jp"}
		s.Accounts[0].Mail = "alice@example.jp"
		no := false
		s.Policies = []Policy{{ID: "shared", Name: "Shared", Set: PolicySet{Keep: &no}}}
	})
	need := checks(t, c, "bob", "").Need
	if need == nil || need.Keep {
		t.Fatalf("a machine of a shared seat may keep its trust: %+v", need)
	}
	secret, papers := enrolled(t, c, "bob")
	must(t, c.change(t.Context(), "test", func(d *draft) error { // bob is known: by authenticator alone
		d.factor("bob", "test").Mail = false
		return nil
	}))
	token := signedIn(t, c, "bob", "2002", papers[0])
	var state wire.FactorState
	must(t, ask(t, c, "/api/v1/factor", token, nil, &state))
	if !state.Demand || state.CanMail || state.Codes != 9 {
		t.Fatalf("%+v", state)
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/codes", token, wire.FactorRequest{Code: "000000"}, nil), wire.ProblemFactor)
	wantProblem(t, ask(t, c, "/api/v1/factor/codes", "not a token", wire.FactorRequest{Code: shown(secret, 0)}, nil), wire.ProblemExpired)
	var codes wire.FactorCodes
	must(t, ask(t, c, "/api/v1/factor/codes", token, wire.FactorRequest{Code: shown(secret, 0)}, &codes))
	if len(codes.Recovery) != 10 || codes.Checked != nil {
		t.Fatalf("%+v", codes)
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/off", token, wire.FactorRequest{Code: papers[1]}, nil), wire.ProblemFactor) // the old ones are gone
	wantProblem(t, ask(t, c, "/api/v1/factor/off", token, wire.FactorRequest{Code: codes.Recovery[0]}, nil), wire.ProblemFactorNeeded)
	must(t, ask(t, c, "/api/v1/factor", token, nil, &state)) // the session goes on
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.view.mailable("alice") {
		t.Error("alice could have codes by mail")
	}
}

// signedIn is the token of a session of a phone that proves itself with a code on paper.
func signedIn(t *testing.T, c *center, account, terminal, paper string) string {
	t.Helper()
	need := checks(t, c, account, "").Need
	var passed wire.Checked
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayRecovery, Code: paper}, &passed))
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: passed.Ticket, Terminal: terminal, Status: wire.StatusAway, Machine: "pc"}, &w))
	return w.Token
}
