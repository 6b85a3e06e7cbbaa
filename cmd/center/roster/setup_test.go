package roster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

func TestEveryFaultOfASetupIsNamedByRowAndField(t *testing.T) {
	c := startCenter(t, t.TempDir(), nil)
	var s Setup
	err := json.Unmarshal([]byte(`{
		"site": {"name": "X", "domain": "x.test", "profile": "4.0"},
		"accounts": [
			{"account": "a", "password": "long enough 1"},
			{"account": "a", "password": "long enough 1"},
			{"account": "b", "password": "short"},
			{"account": "c"},
			{"account": "d", "password": "long enough 1", "role": "boss"},
			{"account": "e", "password": "long enough 1", "terminals": ["nowhere"]},
			{"account": "f", "hash": "$2a$10$bcrypt"}],
		"terminals": [{"extension": "7001"}, {"extension": "2001", "type": "fax"}, {"extension": "2002", "account": "nobody"}],
		"statuses": [{"id": "acw", "class": "work", "name": {"en": "A", "ja": "B"}}, {"id": "x", "class": "system", "name": {"en": "A"}}],
		"seats": [{"id": "1", "floor": "9"}],
		"queues": [{"extension": "8000", "name": "Q"}]}`), &s)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Apply(t.Context(), s, "test")
	if err == nil {
		t.Fatal("applied")
	}
	for _, want := range []string{
		"site.profile", "accounts[1].account", "accounts[2].password", "accounts[3].password", "accounts[4].role",
		"accounts[5].terminals", "accounts[6].hash", "terminals[0].extension", "terminals[1].type", "terminals[2].account",
		"statuses[0].id", "statuses[1].class", "statuses[1].name.ja", "seats[0].floor", "queues[0].extension",
	} {
		if !strings.Contains(err.Error(), want+":") {
			t.Errorf("not named: %s", want)
		}
	}
	if strings.Contains(err.Error(), "long enough") || strings.Contains(err.Error(), "short\"") {
		t.Error("the error holds a password")
	}
	if len(c.People()) != 0 {
		t.Error("some of it was applied")
	}
}

func TestTheSameSetupAgainWritesNothing(t *testing.T) {
	c := startCenter(t, t.TempDir(), nil)
	s := setup()
	s.Accounts = append(s.Accounts, AccountSetup{Account: "山田.太郎", Name: "山田", Password: "ながいパスワードです", Terminals: []string{"2004"}})
	s.Terminals = append(s.Terminals, TerminalSetup{Extension: "2004", Type: "softphone-encrypted"})
	if err := c.Apply(t.Context(), s, "root"); err != nil {
		t.Fatal(err)
	}
	newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "1")
	before := c.rev()
	if err := c.Apply(t.Context(), s, "root"); err != nil {
		t.Fatal(err)
	}
	if after := c.rev(); after != before {
		t.Fatalf("%d events more", after-before)
	}
	p := newPhone(t, c, "山田.太郎", "pc4")
	if _, err := p.Check(t.Context(), "山田.太郎", "ながいパスワードです"); err != nil {
		t.Fatal(err)
	}
	s.Seats[0].Name = "Window"
	if err := c.Apply(t.Context(), s, "root"); err != nil {
		t.Fatal(err)
	}
	if f := c.Floor(); f.Seats[0].Name != "Window" || f.Seats[0].Account != "alice" || c.rev() != before+1 {
		t.Fatalf("seat %+v", f.Seats[0])
	}
}

func TestEveryFaultOfTheSiteIsNamed(t *testing.T) {
	c := startCenter(t, t.TempDir(), nil)
	rows := map[string]string{
		`"sip": {"transport": "sctp"}`:                        "site.sip.transport",
		`"sip": {"transport": "wss"}`:                         "site.sip.transport",
		`"sip": {"server": "pbx/evil", "transport": "udp"}`:   "site.sip.server",
		`"sip": {"voice": "maybe"}`:                           "site.sip.voice",
		`"sip": {"ca": "-----BEGIN"}`:                         "site.sip.ca",
		`"policy": {"record": "sometimes"}`:                   "site.policy.record",
		`"policy": {"days": -1}`:                              "site.policy.days",
		`"plan": {"country": "+81"}`:                          "site.plan.country",
		`"plan": {"national": "o"}`:                           "site.plan.national",
		`"plan": {"line": "123456789"}`:                       "site.plan.line",
		`"plan": {"short": ["1"]}`:                            "site.plan.short",
		`"plan": {"marks": [{"header": "X: y", "has": ""}]}`:  "site.plan.marks[0]",
		`"plan": {"marks": [{"header": "X", "has": "\r\n"}]}`: "site.plan.marks[0]",
	}
	for text, want := range rows {
		var s Setup
		if err := json.Unmarshal([]byte(`{"site": {`+text+`}}`), &s); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(t.Context(), s, "test"); err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestAPhoneIsToldHowItRegistersAndDials(t *testing.T) {
	rows := []struct {
		name string
		kind string
		site string
		want wire.SIPAccount
	}{
		{"at the center", "softphone", ``, wire.SIPAccount{Server: "127.0.0.1:5060", Transport: "udp"}},
		{"at the center with TLS", "softphone", `"transport": "tls"`,
			wire.SIPAccount{Server: "127.0.0.1:5061", Transport: "tls", CA: "the authority", Voice: wire.VoiceOptional}},
		{"an encrypted terminal at the center", "softphone-encrypted", ``,
			wire.SIPAccount{Server: "127.0.0.1:5061", Transport: "tls", CA: "the authority", Voice: wire.VoiceRequired}},
		{"at a PBX", "softphone", `"server": "pbx.test:5060", "transport": "tcp"`, wire.SIPAccount{Server: "pbx.test:5060", Transport: "tcp"}},
		{"at a PBX by DNS", "softphone", `"server": "pbx.test", "transport": "", "voice": "dtls"`, wire.SIPAccount{Server: "pbx.test", Voice: wire.VoiceDTLS}},
		{"an encrypted terminal at a PBX", "softphone-encrypted", `"server": "pbx.test:5061", "transport": "wss", "voice": "optional"`,
			wire.SIPAccount{Server: "pbx.test:5061", Transport: "wss", Voice: wire.VoiceRequired}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c := newCenter(t, nil, func(s *Setup) {
				if err := json.Unmarshal([]byte(`{"domain": "site.test", "sip": {`+r.site+`}, "plan": {"country": "81", "national": "0", "abroad": "010", "line": "9",
					"marks": [{"header": "Alert-Info", "has": "external", "outside": true}]}}`), s.Site); err != nil {
					t.Fatal(err)
				}
				s.Terminals[0].Type = r.kind
			})
			w := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "").welcome
			want := r.want
			want.User, want.Domain, want.Expires, want.Secret = "2001", "site.test", 120, w.SIP.Secret
			if w.SIP != want || want.Secret == "" {
				t.Errorf("registers with %+v\nwant %+v", w.SIP, want)
			}
			if p := w.Plan; p.Country != "81" || p.National != "0" || p.Abroad != "010" || p.Line != "9" || p.Digits != 4 || p.Domain != "site.test" || len(p.Marks) != 1 {
				t.Errorf("plan %+v", p)
			}
		})
	}
}

func TestAPhoneIsToldWhatItMayDoWithTheSound(t *testing.T) {
	rows := map[string]wire.Policy{
		``:                                  {Tone: true},
		`"record": "asked", "replay": true`: {Record: wire.RecordAsked, Tone: true, Replay: true},
		`"record": "always", "tone": false, "hear": true`: {Record: wire.RecordAlways, Hear: true},
	}
	for text, want := range rows {
		for _, key := range [][]byte{nil, []byte("a public key")} {
			s := DefaultSite()
			if err := json.Unmarshal([]byte(`{"policy": {`+text+`}}`), &s); err != nil {
				t.Fatal(err)
			}
			if s.Policy.Days != 90 {
				t.Errorf("%s: recordings are kept %d days", text, s.Policy.Days)
			}
			if want.Key = key; key == nil {
				want.Record = wire.RecordNever // nothing to seal it with
			} else {
				want.Record = s.Policy.Record
			}
			if got := (Rules{Policy: s.Policy}).sound(key); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %+v, want %+v", text, got, want)
			}
		}
	}
}

func (c *center) rev() ledger.Seq {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view.rev
}

func TestABigSetupIsWrittenInPortions(t *testing.T) {
	c := startCenter(t, t.TempDir(), nil)
	s := Setup{Floors: []FloorSetup{{ID: "1", Name: "One"}}}
	for i := range 2500 {
		s.Seats = append(s.Seats, SeatSetup{ID: fmt.Sprint(i), Floor: "1"})
	}
	if err := c.Apply(t.Context(), s, "test"); err != nil {
		t.Fatal(err)
	}
	if n := len(c.Floor().Seats); n != 2500 {
		t.Fatalf("%d seats", n)
	}
}

func TestANewPasswordReplacesTheOld(t *testing.T) {
	c := newCenter(t, nil, nil)
	if err := c.SetPassword(t.Context(), "alice", "alice", "root"); err == nil {
		t.Fatal("a bad password was taken")
	}
	if err := c.SetPassword(t.Context(), "alice", "a whole new one", "root"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AuthenticateAt(t.Context(), "alice", password, "", "::1"); !errors.Is(err, wire.Problem{Code: wire.ProblemSignIn}) {
		t.Fatal(err)
	}
	p, err := c.AuthenticateAt(t.Context(), "alice", "a whole new one", "", "::1")
	if err != nil || p.Name != "Alice 山田" || p.Role != "agent" || !p.Agent {
		t.Fatal(p, err)
	}
}

func TestNoSecretStandsInTheLedger(t *testing.T) {
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAway, "1")
	all, _, err := c.ledger.Load(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{password, "desk-secret", "trunk-secret", alice.welcome.SIP.Secret}
	for subject, e := range all {
		for _, s := range secrets {
			if s == "" || strings.Contains(string(e.Data), s) {
				t.Errorf("%s holds a secret", subject)
			}
		}
	}
	desk, _ := c.Terminal("3001")
	md5, ok := desk.HA1("MD5")
	sha, ok2 := desk.HA1("SHA-256")
	if !ok || !ok2 || len(md5) != 32 || len(sha) != 64 || desk.Type != "desk" {
		t.Fatal("the desk phone cannot register")
	}
	unclaimed, ok := c.Terminal("2002")
	if _, may := unclaimed.HA1("MD5"); !ok || may {
		t.Fatal("a softphone nobody is signed in with may register")
	}
	if trunk, ok := c.Terminal("gw"); !ok || !trunk.Trunk() {
		t.Fatal("no trunk")
	}
}

func TestWhoIsFreeTheLongestIsRungFirst(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) { s.Site.AfterWorkSeconds = 0 })
	ready := func(account, terminal string) *phone {
		p := newPhone(t, c, account, account).in(terminal, wire.StatusAvailable, "")
		p.Report(wire.LineReport{Registered: true})
		p.ask(wire.ExtendWork{}) // when it is answered the report has been heard
		return p
	}
	first := ready("alice", "2001")
	ready("bob", "2002")
	newPhone(t, c, "carol", "pc3").in("2003", wire.StatusAvailable, "") // not registered
	offer := func(want string, tried ...string) func() {
		t.Helper()
		o, release, ok := c.Offer("7001", tried)
		if o.Account != want || ok != (want != "") {
			t.Fatalf("offered %+v, want %q", o, want)
		}
		return release
	}
	release := offer("alice")
	offer("bob")() // alice is reserved
	offer("", "bob")
	release()
	release()
	offer("alice")()
	offer("bob", "alice")()
	call := wire.CallReport{ID: "c1", Inbound: true, Outside: true, Peer: "1", Result: "answered"}
	first.call(call, wire.CallOffered)
	eventually(t, "alice rings", func() bool { return len(c.agent("alice").Calls) == 1 })
	offer("bob")()
	first.call(call, wire.CallTalking, wire.PhaseEnded)
	eventually(t, "alice is free", func() bool { return len(c.agent("alice").Calls) == 0 })
	offer("bob")() // alice has just been busy
	if name, ok := c.Queue("7001"); !ok || name != "Support" {
		t.Fatal(name)
	}
	for range 3 {
		c.Missed("bob", "x", true)
	}
	eventually(t, "one miss is counted once", func() bool { return c.agent("bob").Misses == 1 })
}

func TestOfManyWhoWantASeatOneGetsIt(t *testing.T) {
	const rivals = 6
	c := newCenter(t, nil, func(s *Setup) {
		hash := weakHash(password)
		for i := range rivals {
			a, ext := fmt.Sprint("rival", i), fmt.Sprint(4000+i)
			s.Accounts = append(s.Accounts, AccountSetup{Account: a, Hash: hash, Terminals: []string{ext}})
			s.Terminals = append(s.Terminals, TerminalSetup{Extension: ext})
		}
	})
	var wg sync.WaitGroup
	errs := make([]error, rivals)
	for i := range rivals {
		p := newPhone(t, c, fmt.Sprint("rival", i), fmt.Sprint("pc", i))
		wg.Go(func() {
			errs[i] = p.signIn(wire.SignIn{Terminal: fmt.Sprint(4000 + i), Status: wire.StatusAway, Seat: "3"})
		})
	}
	wg.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantProblem(t, err, wire.ProblemSeatTaken)
		if a := c.agent(fmt.Sprint("rival", i)); a.Session != nil {
			t.Fatal("a loser is signed in")
		}
	}
	if won != 1 {
		t.Fatalf("%d have the seat", won)
	}
}

func TestTwoNodesOfOneLedgerAgree(t *testing.T) {
	c := newCenter(t, nil, nil)
	other, err := New(Config{Ledger: c.ledger, Key: testKey, Node: "other"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- other.Run(ctx) }()
	defer func() { cancel(); <-ran }()
	newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "2")
	eventually(t, "the other node knows", func() bool {
		for _, s := range other.Floor().Seats {
			if s.ID == "2" && s.Account == "alice" {
				return true
			}
		}
		return false
	})
	if _, _, ok := other.Offer("7001", nil); ok {
		t.Fatal("a phone that another node holds was offered here")
	}
	// A node that decides on old news is refused by the ledger and decides again.
	var wg sync.WaitGroup
	for range 10 {
		for _, r := range []*Roster{c.Roster, other} {
			wg.Go(func() {
				err := error(ledger.ErrReadOnly)
				for errors.Is(err, ledger.ErrReadOnly) || errors.Is(err, wire.Problem{Code: wire.ProblemReadOnly}) { // a disk that is busy: try again
					err = r.change(t.Context(), "test", func(d *draft) error { d.agent("alice", "count").Misses++; return nil })
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	eventually(t, "both count twenty", func() bool {
		other.mu.RLock()
		defer other.mu.RUnlock()
		return other.view.agents["alice"].v.Misses == 20 && c.agent("alice").Misses == 20
	})
}

func TestAttemptsComeBackWithTime(t *testing.T) {
	l := newLimiter(2, time.Second)
	rows := []struct {
		after time.Duration
		give  bool
		ok    bool
		wait  time.Duration
	}{
		{0, false, true, 0}, {0, false, true, 0}, {0, false, false, time.Second}, {400 * time.Millisecond, false, false, 600 * time.Millisecond},
		{time.Second, false, true, 0}, {time.Second, true, true, 0}, {time.Hour, false, true, 0}, {time.Hour, false, true, 0}, {time.Hour, false, false, time.Second},
	}
	for i, r := range rows {
		if r.give {
			l.give("x")
		}
		wait, ok := l.take("x", nine.Add(r.after))
		if ok != r.ok || wait.Round(time.Millisecond) != r.wait {
			t.Fatalf("row %d: %v %v", i, ok, wait)
		}
	}
}

func TestAnUnknownAccountTakesAsLongAsAWrongPassword(t *testing.T) {
	p := newPasswords(Cost{Memory: 4 << 10})
	hash, err := p.hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := p.right(t.Context(), hash, password); !ok || err != nil {
		t.Fatal(ok, err)
	}
	took := func(hash string) float64 {
		began := time.Now()
		if ok, _ := p.right(t.Context(), hash, "wrong"); ok {
			t.Fatal("a wrong password is right")
		}
		return float64(time.Since(began))
	}
	// In turn: a busy machine makes many of them late, and the fastest tenth of each hardly at all.
	const tries = 61
	known, unknown := make([]float64, tries), make([]float64, tries)
	for i := range tries {
		if i%2 == 0 {
			known[i], unknown[i] = took(hash), took("")
		} else {
			unknown[i], known[i] = took(""), took(hash)
		}
	}
	slices.Sort(known)
	slices.Sort(unknown)
	r := unknown[tries/10] / known[tries/10]
	if t.Logf("an unknown account takes %.2f times as long", r); r < 0.8 || r > 1.25 {
		t.Fatalf("the time tells them apart: one takes %.2f times as long", r)
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add(weakHash("x"))
	f.Add("$argon2id$v=19$m=32768,t=2,p=1$c2FsdHNhbHQ$AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		tm, m, threads, salt, tag, err := parsePHC(s)
		if err == nil && (tm > 16 || m > 1<<20 || threads > 16 || len(salt) < 8 || len(tag) < 16) {
			t.Fatal("beyond the bounds")
		}
	})
}

func FuzzSetup(f *testing.F) {
	f.Add(`{"site":{"name":"x"},"accounts":[{"account":"a","hash":"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"}],"seats":[{"id":"1","floor":"1"}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var in Setup
		if json.Unmarshal([]byte(s), &in) != nil {
			return
		}
		p := plan{view: newView(), setup: in, vault: vault{testKey}}
		p.draft = &draft{view: p.view}
		if p.check() == nil {
			if err := p.write(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
