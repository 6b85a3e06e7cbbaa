package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/roster/code"
	"zaseki/web/wire"
)

// ask sends a request as a phone does; what is refused is a wire.Problem.
func ask(t *testing.T, c *center, path, token string, in, out any) error {
	t.Helper()
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	method := http.MethodPost
	if in == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode >= 400 {
		var p wire.Problem
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatalf("%s: %d %s", path, res.StatusCode, body)
		}
		return p
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			t.Fatalf("%s: %s: %v", path, body, err)
		}
	}
	return nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// checks is step one with the right password.
func checks(t *testing.T, c *center, account, device string) wire.Checked {
	t.Helper()
	var out wire.Checked
	must(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: account, Password: password, Device: device}, &out))
	return out
}

// shown is the code that an authenticator shows so many steps from now.
func shown(secret string, off int) string {
	return code.At(secret, uint64(int64(code.StepAt(time.Now()))+int64(off)))
}

// demanding is a center that wants a second factor at phones.
func demanding(s *Setup) { s.Site.Factor = SiteFactor{Agent: factorRequired, Days: 30} }

// enrolled sets up an authenticator at sign-in with the code of the step before now, so that those of now and after are left.
func enrolled(t *testing.T, c *center, account string) (secret string, papers []string) {
	t.Helper()
	need := checks(t, c, account, "").Need
	if need == nil || !need.Enrol || len(need.Ways) != 0 {
		t.Fatalf("need %+v", need)
	}
	var start wire.FactorStart
	must(t, ask(t, c, "/api/v1/factor/start", "", wire.FactorRequest{Ticket: need.Ticket}, &start))
	var codes wire.FactorCodes
	must(t, ask(t, c, "/api/v1/factor/confirm", "", wire.FactorRequest{Ticket: need.Ticket, Code: shown(start.Secret, -1)}, &codes))
	if len(codes.Recovery) != 10 || codes.Checked == nil || codes.Checked.Ticket == "" {
		t.Fatalf("codes %+v", codes)
	}
	return start.Secret, codes.Recovery
}

func TestASecondFactorIsSetUpAtSignInWhereTheCenterDemandsOne(t *testing.T) {
	c := newCenter(t, nil, demanding)
	need := checks(t, c, "alice", "").Need
	if need == nil || !need.Enrol || need.Days != 30 {
		t.Fatalf("need %+v", need)
	}
	wantProblem(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: need.Ticket, Terminal: "2001", Status: "away"}, nil), wire.ProblemTicket)
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: "000000"}, nil), wire.ProblemTicket)
	var start wire.FactorStart
	must(t, ask(t, c, "/api/v1/factor/start", "", wire.FactorRequest{Ticket: need.Ticket}, &start))
	if !strings.HasPrefix(start.URL, "otpauth://totp/Test%20Center:alice?") || !strings.Contains(start.URL, start.Secret) {
		t.Error(start.URL)
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/confirm", "", wire.FactorRequest{Ticket: need.Ticket, Code: "000000"}, nil), wire.ProblemFactor)
	var codes wire.FactorCodes
	must(t, ask(t, c, "/api/v1/factor/confirm", "", wire.FactorRequest{Ticket: need.Ticket, Code: shown(start.Secret, 0)}, &codes))
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: codes.Checked.Ticket, Terminal: "2001", Status: "away"}, &w))
	if w.Token == "" {
		t.Fatal("not signed in")
	}
	wantProblem(t, ask(t, c, "/api/v1/factor/confirm", "", wire.FactorRequest{Ticket: need.Ticket, Code: shown(start.Secret, 1)}, nil), wire.ProblemTicket)
}

func TestACodeLetsInOnce(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, papers := enrolled(t, c, "alice")
	now := shown(secret, 0)
	take := func(way, typed string) error {
		need := checks(t, c, "alice", "").Need
		if need.Enrol || !slices.Contains(need.Ways, wire.WayApp) || !slices.Contains(need.Ways, wire.WayRecovery) {
			t.Fatalf("need %+v", need)
		}
		var out wire.Checked
		err := ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: way, Code: typed}, &out)
		if err == nil && out.Ticket == "" {
			t.Fatal("no ticket")
		}
		return err
	}
	must(t, take(wire.WayApp, now))
	wantProblem(t, take(wire.WayApp, now), wire.ProblemFactorUsed)
	must(t, take(wire.WayRecovery, strings.ToUpper(papers[3])))
	wantProblem(t, take(wire.WayRecovery, papers[3]), wire.ProblemFactor)
	if left := c.FactorOf("alice").Codes; left != 9 {
		t.Errorf("%d codes are left", left)
	}
}

func TestOfManyAtOnceWithOneCodeOneIsLetIn(t *testing.T) {
	c := newCenter(t, func(cfg *Config) { cfg.Limits = Limits{Account: 100, Address: 100} }, demanding)
	secret, _ := enrolled(t, c, "alice")
	c.codes, c.allCodes = newLimiter(100, time.Second), newLimiter(100, time.Second)
	const clients = 8
	tickets := make([]string, clients)
	for i := range tickets {
		tickets[i] = checks(t, c, "alice", "").Need.Ticket
	}
	errs := make([]error, clients)
	now := shown(secret, 0)
	var begin, wg sync.WaitGroup
	begin.Add(1)
	for i := range clients {
		wg.Go(func() {
			begin.Wait()
			errs[i] = ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: tickets[i], Way: wire.WayApp, Code: now}, nil)
		})
	}
	begin.Done()
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			wantProblem(t, err, wire.ProblemFactorUsed)
		}
	}
	if won != 1 {
		t.Fatalf("%d were let in", won)
	}
}

func TestAWrongClockIsToldAndIsNoGuess(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, _ := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	for off, minutes := range map[int]string{7: "4", -10: "5"} { // the step may change under us
		err := ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, off)}, nil)
		var p wire.Problem
		if !errors.As(err, &p) || off > 0 && (p.Code != wire.ProblemFactorClock || p.Holes["minutes"] != minutes && p.Holes["minutes"] != "3") {
			t.Errorf("%d steps off: %v", off, err)
		}
	}
	for i, left := range []string{"4", "3"} {
		err := ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: "abc"}, nil)
		var p wire.Problem
		if !errors.As(err, &p) || p.Code != wire.ProblemFactor || i == 0 && p.Holes["left"] > left {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, nil))
}

func TestAThousandGuessesAreSlowAndLockNobodyOut(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, papers := enrolled(t, c, "alice")
	looked, limited, ticket := 0, 0, ""
	for range 1000 {
		if ticket == "" {
			var out wire.Checked
			if err := ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password}, &out); err != nil {
				wantProblem(t, err, wire.ProblemLimited)
				limited++
				continue
			}
			ticket = out.Need.Ticket
		}
		var p wire.Problem
		err := ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: ticket, Way: wire.WayApp, Code: "abc"}, nil)
		switch errors.As(err, &p); p.Code {
		case wire.ProblemFactor:
			looked++
		case wire.ProblemTicket:
			ticket = ""
		case wire.ProblemLimited:
			limited++
		default:
			t.Fatal(err)
		}
	}
	if looked > 8 || limited == 0 {
		t.Errorf("%d codes were looked at, %d limited", looked, limited)
	}
	need := checks(t, c, "alice", "").Need
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0)}, nil), wire.ProblemLimited)
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayRecovery, Code: papers[0]}, nil))
}

func TestATicketTakesFiveCodes(t *testing.T) {
	c := newCenter(t, nil, demanding)
	enrolled(t, c, "alice")
	c.codes = newLimiter(100, time.Second)
	need := checks(t, c, "alice", "").Need
	for _, left := range []string{"4", "3", "2", "1", "0"} {
		err := ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: "abc"}, nil)
		if p, _ := err.(wire.Problem); p.Code != wire.ProblemFactor || p.Holes["left"] != left {
			t.Fatalf("left %s: %v", left, err)
		}
	}
	wantProblem(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: "abc"}, nil), wire.ProblemTicket)
}

func TestATrustedDeviceIsNotAskedUntilThePasswordChanges(t *testing.T) {
	c := newCenter(t, nil, demanding)
	secret, _ := enrolled(t, c, "alice")
	need := checks(t, c, "alice", "").Need
	var out wire.Checked
	must(t, ask(t, c, "/api/v1/code", "", wire.CodeRequest{Ticket: need.Ticket, Way: wire.WayApp, Code: shown(secret, 0), Trust: true, Label: "PC 1"}, &out))
	if out.Device == "" {
		t.Fatal("no secret for the device")
	}
	again := checks(t, c, "alice", out.Device)
	if again.Need != nil || again.Ticket == "" {
		t.Fatalf("asked again: %+v", again.Need)
	}
	if checks(t, c, "alice", out.Device+"x").Need == nil || checks(t, c, "bob", out.Device).Need == nil {
		t.Fatal("another device or account is trusted")
	}
	if _, err := c.AuthenticateAt(t.Context(), "alice", password, wire.Secret(out.Device), "::1"); !errors.As(err, new(Needed)) {
		t.Fatalf("trusted at a phone, and not asked at the administration: %v", err)
	}
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: again.Ticket, Terminal: "2001", Status: "away"}, &w))
	var state wire.FactorState
	must(t, ask(t, c, "/api/v1/factor", w.Token, nil, &state))
	if !state.App || len(state.Devices) != 1 || state.Devices[0].Label != "PC 1" || state.Devices[0].Until.Before(time.Now().AddDate(0, 0, 29)) {
		t.Fatalf("state %+v", state)
	}
	must(t, ask(t, c, "/api/v1/factor/forget", w.Token, wire.FactorForget{Device: state.Devices[0].ID}, nil))
	if checks(t, c, "alice", out.Device).Need == nil {
		t.Fatal("forgotten, and not asked")
	}
	must(t, c.change(t.Context(), "test", func(d *draft) error {
		d.trust("alice", Device{Hash: hashOf(out.Device), For: forAgent, Since: d.now, Until: d.now.AddDate(0, 0, 1)})
		return nil
	}))
	if checks(t, c, "alice", out.Device).Need != nil {
		t.Fatal("asked")
	}
	must(t, c.SetPassword(t.Context(), "alice", password+" 2", "root"))
	must(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password + " 2", Device: out.Device}, &out))
	if out.Need == nil {
		t.Fatal("the device is trusted with another password")
	}
}

func TestWhereACodeIsAskedFor(t *testing.T) {
	app, mail := Factor{App: []byte("x"), Codes: []string{"y"}}, Factor{Mail: true, Codes: []string{"y"}}
	rows := []struct {
		name   string
		agent  string // the site's rule at phones
		admin  string
		policy string // for alice
		addr   string
		factor Factor
		use    string
		want   []string // nil: not asked
	}{
		{"nothing is set up", "", "", "", "", Factor{}, forAgent, nil},
		{"somebody has set one up", "", "", "", "", app, forAgent, []string{"app", "recovery"}},
		{"codes are off", "off", "", "", "", app, forAgent, nil},
		{"codes are off at phones only", "off", "", "", "", app, forAdmin, []string{"app", "recovery"}},
		{"demanded, nothing is set up", "required", "", "", "", Factor{}, forAgent, []string{}},
		{"demanded at phones only", "required", "", "", "", Factor{}, forAdmin, nil},
		{"demanded at the administration only", "", "required", "", "", Factor{}, forAdmin, []string{}},
		{"demanded by a policy", "off", "", "required", "", Factor{}, forAgent, []string{}},
		{"a policy lets go", "required", "", "off", "", app, forAgent, nil},
		{"a policy is for phones", "", "", "required", "", Factor{}, forAdmin, nil},
		{"demanded, and a mail address is known", "required", "", "", "alice@example.jp", Factor{}, forAgent, []string{"mail"}},
		{"a mail is no way round the app", "required", "", "", "alice@example.jp", app, forAgent, []string{"app", "recovery"}},
		{"codes by mail", "", "", "", "alice@example.jp", mail, forAgent, []string{"mail", "recovery"}},
		{"codes by mail, and the address is gone", "", "", "", "", mail, forAgent, []string{"recovery"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			s.Site.Factor = SiteFactor{Agent: r.agent, Admin: r.admin}
			s.Site.Mail = SiteMail{Server: "127.0.0.1:25", From: "center@example.jp"}
			s.Accounts[0].Mail = r.addr
			if r.policy != "" {
				s.Policies = []Policy{{ID: "p", Name: "P", Accounts: []string{"alice"}, Set: PolicySet{Factor: &r.policy}}}
			}
			d := newDesk(t, s)
			d.factors["alice"] = row[Factor]{v: r.factor}
			need := d.need("alice", r.use, "", nine)
			if (need == nil) != (r.want == nil) || need != nil && (!slices.Equal(need.Ways, r.want) || need.Enrol != (len(r.want) == 0)) {
				t.Errorf("need %+v", need)
			}
		})
	}
}
