package main

import (
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// site changes the center's settings.
func (s *shift) site(change func(*roster.Site)) {
	s.Helper()
	site := roster.DefaultSite()
	site.Domain = demoDomain
	change(&site)
	s.apply(roster.Setup{Site: &site})
}

// TestACenterLocksSettings: applied at sign-in, refused to the person with the name of who did it, and still so after a kill and
// before anybody signs in.
func TestACenterLocksSettings(t *testing.T) {
	s := newShift(t)
	s.apply(roster.Setup{Policies: []roster.Policy{{ID: "quiet", Name: "Quiet floor", Set: roster.PolicySet{Locked: wire.Values{wire.SetRingVolume: 30.0}}}}})
	p, until, end := s.start(s.node.HTTP())
	p.agent.Post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: 90.0})
	until("chosen", func(s wire.Snapshot) bool { return s.Settings.Number(wire.SetRingVolume) == 90 })
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	got := until("locked", func(s wire.Snapshot) bool { return s.Settings.Number(wire.SetRingVolume) == 30 })
	if got.Locks[wire.SetRingVolume] == "" {
		t.Errorf("locked by nobody: %v", got.Locks)
	}
	p.agent.Post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: 90.0})
	until("refused", told(wire.ProblemSettingLocked))
	s.kept(`"locked"`)
	end()
	p, until, end = s.start(s.node.HTTP())
	if got := until("known", func(s wire.Snapshot) bool { return s.Saved.Can }); got.Settings.Number(wire.SetRingVolume) != 30 {
		t.Errorf("after a kill %v", got.Settings)
	}
	s.apply(roster.Setup{Policies: []roster.Policy{{ID: "quiet", Name: "Quiet floor"}}})
	p.agent.Post(wire.CheckAccount{Account: "kato", Password: demoPassword})
	choice := until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	p.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak})
	until("as chosen", func(s wire.Snapshot) bool { return in(s) && s.Settings.Number(wire.SetRingVolume) == 90 })
	end()
}

// TestOneForm is PRODUCT A4: the second sign-in at this machine is by one form.
func TestOneForm(t *testing.T) {
	s := newShift(t)
	s.site(func(site *roster.Site) { site.Profile = "3.4" })
	p, until, end := s.start(s.node.HTTP())
	if first := until("started", func(s wire.Snapshot) bool { return s.Saved.Can }); first.Once != nil {
		t.Errorf("a machine that never saw a center offers %+v", first.Once)
	}
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "s2")
	s.kept(`"once"`)
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	end()
	p, until, end = s.start(s.node.HTTP())
	form := until("the form", func(s wire.Snapshot) bool { return s.Once != nil })
	if form.Once.Seat != "s2" || len(form.Once.Seats) != 2 || form.Once.Name != "" || form.Profile.Name != "3.4" || !form.Profile.SeatAlways {
		t.Errorf("it offers %+v", form.Once)
	}
	p.agent.Post(wire.SignInOnce{CheckAccount: wire.CheckAccount{Account: "sato", Password: "wrong"}, Terminal: "2001", Status: wire.StatusAway, Seat: "1"})
	no := until("refused", func(s wire.Snapshot) bool { return s.Problem != nil })
	if no.Phase != wire.PhaseOut || no.Problem.Code != wire.ProblemSignIn || no.Asked.Seat != "1" || no.Account != "sato" {
		t.Errorf("refused with %+v", no)
	}
	p.agent.Post(wire.SignInOnce{CheckAccount: wire.CheckAccount{Account: "sato", Password: demoPassword}, Terminal: "2001", Status: wire.StatusAway, Seat: "1"})
	yes := until("registered", in)
	if yes.Status.Now != wire.StatusAway || yes.Seat != "s1" {
		t.Errorf("signed in in %s at %s", yes.Status.Now, yes.Seat)
	}
	end()
}

// TestTheCustomersPageOpensWithACall: by the center's template, for outside calls only; what the far side does with it is nobody's
// business here.
func TestTheCustomersPageOpensWithACall(t *testing.T) {
	s := newShift(t)
	s.site(func(site *roster.Site) {
		site.CRM = &wire.CRM{Login: "https://crm.example/login", Call: "https://crm.example/open?c={called}&by={account}", When: "ring", Outside: true}
	})
	opened := make(chan string, 10)
	s.browse = func(url string) { opened <- url }
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	if got := <-opened; got != "https://crm.example/login" {
		t.Errorf("with sign-in opens %s", got)
	}
	p.agent.Post(wire.Dial{Number: "2002"}) // inside
	until("over", told(wire.ProblemCallUnanswered))
	p.agent.Post(wire.Dial{Number: "0312345678"})
	if got := <-opened; got != "https://crm.example/open?c=0312345678&by=sato" {
		t.Errorf("with a call opens %s", got)
	}
	end()
}

// TestTheCustomersPageIsAPagesFirst: a page that is open is asked to show it in the tab it has; the browser is told to when no page has said
// within a second that it did, and never as well.
func TestTheCustomersPageIsAPagesFirst(t *testing.T) {
	s := newShift(t)
	s.site(func(site *roster.Site) { site.CRM = &wire.CRM{Call: "https://crm.example/{called}", When: "ring"} })
	opened := make(chan string, 10)
	s.browse = func(url string) { opened <- url }
	p, until, end := s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	p.agent.Post(wire.PagesChanged{Open: 1})
	p.agent.Post(wire.Dial{Number: "0312345678"})
	first := until("asked of a page", func(s wire.Snapshot) bool { return s.Pop != nil }).Pop
	if first.URL != "https://crm.example/0312345678" {
		t.Errorf("a page is asked for %s", first.URL)
	}
	p.agent.Post(wire.PopShown{ID: first.ID})
	until("shown", func(s wire.Snapshot) bool { return s.Pop == nil && len(s.Calls) == 0 })
	began := time.Now()
	p.agent.Post(wire.Dial{Number: "0398765432"})
	if got := <-opened; got != "https://crm.example/0398765432" || time.Since(began) < popLeast {
		t.Errorf("after %v the browser opens %s", time.Since(began), got)
	}
	until("no page is asked any more", func(s wire.Snapshot) bool { return s.Pop == nil })
	if len(opened) > 0 {
		t.Errorf("and %s", <-opened)
	}
	end()
}

// popLeast is how long a page has at least.
const popLeast = 900 * time.Millisecond
