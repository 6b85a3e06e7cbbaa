package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"zaseki/cmd/center/node"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// shift is a center with two accounts and two seats, and a machine whose keyring is in memory.
type shift struct {
	*testing.T
	node *node.Node
	shut func() // ends the center
	data string // of the center
	dir  string // of the phone
	ring bool

	codecs []string // of the next phone; nil: PCMU
	browse func(url string)
}

// open starts the center at that address.
func (s *shift) open(http string) {
	s.Helper()
	n, err := node.New(node.Config{Data: s.data, HTTP: http, SIP: "127.0.0.1:0", Log: quiet})
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = n.Run(ctx) }()
	s.node, s.shut = n, func() { cancel(); <-done }
	s.Cleanup(s.shut)
}

func newShift(t *testing.T) *shift {
	t.Helper()
	keyring.MockInit()
	s := &shift{T: t, data: t.TempDir(), dir: t.TempDir(), ring: true}
	s.open("127.0.0.1:0")
	site := roster.DefaultSite()
	site.Domain = demoDomain
	s.apply(roster.Setup{Site: &site, Floors: []roster.FloorSetup{{ID: "1", Name: "1F"}},
		Seats: []roster.SeatSetup{{ID: "s1", Name: "1", Floor: "1"}, {ID: "s2", Name: "2", Floor: "1"}},
		Accounts: []roster.AccountSetup{{Account: "sato", Name: "Sato", Password: demoPassword, Terminals: []string{"2001"}},
			{Account: "kato", Name: "Kato", Password: demoPassword, Terminals: []string{"2002"}}},
		Terminals: []roster.TerminalSetup{{Extension: "2001", Account: "sato"}, {Extension: "2002", Account: "kato"}}})
	return s
}

func (s *shift) apply(setup roster.Setup) {
	s.Helper()
	if err := s.node.Apply(s.Context(), setup); err != nil {
		s.Fatal(err)
	}
}

// start starts the phone of this machine as the program does. end pulls the plug.
func (s *shift) start(url string) (p *phone, until func(string, func(wire.Snapshot) bool) wire.Snapshot, end func()) {
	s.Helper()
	kept, err := openSettings(s.dir, quiet)
	codecs := s.codecs
	if codecs == nil {
		codecs = []string{"PCMU"}
	}
	if err == nil {
		p, err = newPhone(phoneConfig{center: center{url: url}, machine: "test", log: quiet, codecs: codecs, kept: kept, store: store{s.dir, quiet}, browse: s.browse})
	}
	if err != nil {
		s.Fatal(err)
	}
	p.devices.ring = func() bool { return s.ring }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	end = func() { cancel(); <-done }
	s.Cleanup(end)
	p.begin()
	return p, func(what string, ok func(wire.Snapshot) bool) wire.Snapshot { s.Helper(); return s.until(p, what, ok) }, end
}

// until waits until the phone is like that, or finds it so.
func (s *shift) until(p *phone, what string, ok func(wire.Snapshot) bool) (now wire.Snapshot) {
	s.Helper()
	news, stop := p.agent.Watch()
	defer stop()
	for late := time.After(20 * time.Second); ; {
		select {
		case now = <-news:
			if ok(now) {
				return now
			}
		case <-late:
			s.Fatalf("not within twenty seconds: %s; it is in phase %s, %v, notices %v, saved %+v", what, now.Phase, now.Problem, now.Notices, now.Saved)
		}
	}
}

// signIn is what a person does by hand.
func (s *shift) signIn(p *phone, until func(string, func(wire.Snapshot) bool) wire.Snapshot, check wire.CheckAccount, seat string) {
	s.Helper()
	p.agent.Post(check)
	choice := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	p.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak, Seat: seat})
	until("registered", in)
}

func in(s wire.Snapshot) bool  { return s.Line.State == "registered" }
func out(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut }

func told(code string) func(wire.Snapshot) bool {
	return func(s wire.Snapshot) bool {
		return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.Problem.Code == code })
	}
}

// TestAPersonIsNotAskedAgain is PRODUCT A14 from the first day to the day on which the password is another one.
func TestAPersonIsNotAskedAgain(t *testing.T) {
	s := newShift(t)
	p, until, end := s.start(s.node.HTTP())
	until("a keyring", func(s wire.Snapshot) bool { return s.Saved.Can })
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "s2")
	until("saved", func(s wire.Snapshot) bool { return s.Saved.Account == "sato" && s.Saved.Seat == "s2" })
	p.agent.Post(wire.ChangeSetting{Name: wire.SetAutoSignIn, Value: true})
	p.agent.Post(wire.ChangeSetting{Name: wire.SetStartStatus, Value: wire.StatusAvailable})
	until("chosen", func(s wire.Snapshot) bool { return s.Settings.Text(wire.SetStartStatus) == wire.StatusAvailable })
	s.kept(`"sign.status": "available"`)
	end() // the plug, as kill -9: nothing is signed out

	p, until, end = s.start(s.node.HTTP())
	got := until("elsewhere: this machine's own session is still there", func(s wire.Snapshot) bool { return in(s) || s.Takeover })
	if got.Takeover { // never by itself
		p.agent.Post(wire.SignIn{Terminal: got.Asked.Terminal, Status: got.Asked.Status, Seat: got.Asked.Seat, Takeover: true})
		got = until("registered", in)
	}
	if got.Status.Now != wire.StatusAvailable || got.Seat != "s2" || got.Me.Terminal.Extension != "2001" {
		t.Errorf("signed in as %+v, %s, seat %s", got.Me, got.Status.Now, got.Seat)
	}
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	if auto := until("out", out).Auto; auto != nil {
		t.Error("who signed out is signed in again")
	}
	end()

	p, until, end = s.start(s.node.HTTP()) // a day like any other: nobody is asked anything
	got = until("registered", in)
	if got.Status.Now != wire.StatusAvailable || got.Seat != "s2" {
		t.Errorf("signed in in %s at seat %s", got.Status.Now, got.Seat)
	}
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	end()

	s.apply(roster.Setup{Accounts: []roster.AccountSetup{{Account: "sato", Name: "Sato", Password: "another-one-now", Terminals: []string{"2001"}}}})
	p, until, end = s.start(s.node.HTTP())
	got = until("asked", told(wire.ProblemAutoSignIn))
	if got.Phase != wire.PhaseOut || got.Problem.Code != wire.ProblemSignIn || got.Account != "sato" || got.Saved.Account != "" {
		t.Errorf("asked with %+v", got)
	}
	s.unsaved(p, "sato")
	end()
	_, until, end = s.start(s.node.HTTP())
	if got := until("asked", func(s wire.Snapshot) bool { return s.Saved.Can }); got.Phase != wire.PhaseOut || got.Notices != nil {
		t.Errorf("asked a second time with %+v", got)
	}
	end()
}

// kept waits for the settings file to hold that, and looks that no password is in it.
func (s *shift) kept(want string) {
	s.Helper()
	var data []byte
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if data, _ = os.ReadFile(filepath.Join(s.dir, configFile)); strings.Contains(string(data), want) {
			break
		}
	}
	if !strings.Contains(string(data), want) || strings.Contains(string(data), demoPassword) {
		s.Fatalf("want %s, and no password, in %s", want, data)
	}
}

// unsaved waits until nothing of an account is kept here, and looks into the keyring, which was emptied first. The one in memory must
// not be read meanwhile.
func (s *shift) unsaved(p *phone, account string) {
	s.Helper()
	saved := func() string { return p.cfg.kept.get().at(p.cfg.center.url).Saved.Account }
	for end := time.Now().Add(10 * time.Second); saved() != "" && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	if got := saved(); got != "" {
		s.Fatalf("%s is still saved", got)
	}
	if _, err := keyring.Get(keyringSaved, p.devices.name(account)); err == nil {
		s.Errorf("the keyring still has the password of %s", account)
	}
}

// TestOnlyWhoTicksItIsSaved: unticked takes one's own away, and no guest's sign-in takes another's.
func TestOnlyWhoTicksItIsSaved(t *testing.T) {
	s := newShift(t)
	saved := func(account string) func(wire.Snapshot) bool {
		return func(s wire.Snapshot) bool { return s.Saved.Account == account }
	}
	p, until, end := s.start(s.node.HTTP())
	signOut := func() { p.agent.Post(wire.SignOut{}); until("signed out", out) }
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	signOut()
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "")
	until("saved", saved("sato"))
	if err := p.ChangePassword(t.Context(), wire.PasswordRequest{Old: demoPassword, New: "my-new-password-1"}); err != nil {
		t.Fatal(err)
	}
	if got, err := keyring.Get(keyringSaved, p.devices.name("sato")); err != nil || got != "my-new-password-1" {
		t.Errorf("a password changed here is not the one that is saved: %v", err)
	}
	signOut()
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword}, "")
	signOut()
	until("still saved", saved("sato"))
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword, Keep: true}, "")
	until("the one instead of the other", saved("kato"))
	if _, err := keyring.Get(keyringSaved, p.devices.name("sato")); err == nil {
		t.Error("the keyring holds two")
	}
	signOut()
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword}, "")
	until("unticked", saved(""))
	signOut()
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword, Keep: true}, "")
	until("saved", saved("kato"))
	p.agent.Post(wire.ForgetAccount{})
	until("forgotten", saved(""))
	s.kept(`"last"`)
	s.unsaved(p, "kato")
	end()
}

// TestAPolicyThatForbidsTakesWhatIsSaved.
func TestAPolicyThatForbidsTakesWhatIsSaved(t *testing.T) {
	s := newShift(t)
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "")
	until("saved", func(s wire.Snapshot) bool { return s.Saved.Account == "sato" })
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	no := false
	s.apply(roster.Setup{Policies: []roster.Policy{{ID: "shared", Name: "Shared seats", Set: roster.PolicySet{Keep: &no}}}})
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "")
	until("told", told(wire.ProblemAccountNotKept))
	until("gone", func(s wire.Snapshot) bool { return s.Saved.Account == "" && !s.Saved.Can })
	s.unsaved(p, "sato")
	end()
}

// TestWithoutAKeyringNothingIsSaved, neither in a file, and the person is told.
func TestWithoutAKeyringNothingIsSaved(t *testing.T) {
	s := newShift(t)
	s.ring = false
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "")
	if got := until("told", told(wire.ProblemNoKeyring)); got.Saved != (wire.Saved{}) {
		t.Errorf("saved: %+v", got.Saved)
	}
	p.agent.Post(wire.ChangeSetting{Name: wire.SetAutoSignIn, Value: true})
	s.kept(`"sign.auto": true`)
	end()
}

// TestACenterThatComesLaterIsFound: it is not there when the machine starts, as after a power cut.
func TestACenterThatComesLaterIsFound(t *testing.T) {
	s := newShift(t)
	url := s.node.HTTP()
	p, until, end := s.start(url)
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword, Keep: true}, "")
	until("saved", func(s wire.Snapshot) bool { return s.Saved.Account == "sato" })
	p.agent.Post(wire.ChangeSetting{Name: wire.SetAutoSignIn, Value: true})
	s.kept(`"sign.auto": true`)
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	end()

	s.shut()
	_, until, end = s.start(url)
	got := until("waiting", func(s wire.Snapshot) bool { return s.Auto != nil && !s.Auto.Again.IsZero() })
	if got.Phase != wire.PhaseOut || got.Problem.Code != wire.ProblemUnreachable || got.Account != "sato" || told(wire.ProblemAutoSignIn)(got) {
		t.Errorf("meanwhile it shows %+v", got)
	}
	s.open(strings.TrimPrefix(url, "http://"))
	until("registered", in)
	end()
}

// TestAKeyringThatIsAskedInVainLeadsToThePage: locked, or somebody took the password out there.
// Reliability (E10).
func TestAKeyringThatIsAskedInVainLeadsToThePage(t *testing.T) {
	s := newShift(t)
	kept, err := openSettings(s.dir, quiet)
	if err == nil {
		err = kept.change(func(c *config) {
			c.Settings = wire.Values{wire.SetAutoSignIn: true}
			c.Last = lastCenter{URL: s.node.HTTP(), Saved: wire.Saved{Account: "sato", Terminal: "2001"}}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	keyring.MockInitWithError(os.ErrPermission)
	_, until, end := s.start(s.node.HTTP())
	got := until("asked", told(wire.ProblemAutoSignIn))
	if got.Problem.Code != wire.ProblemNoKeyring || got.Saved.Account != "sato" {
		t.Errorf("a locked keyring: %+v, %+v", got.Problem, got.Saved)
	}
	end()
	keyring.MockInit()
	_, until, end = s.start(s.node.HTTP())
	until("asked", told(wire.ProblemAutoSignIn))
	until("dropped", func(s wire.Snapshot) bool { return s.Saved.Account == "" })
	end()
}
