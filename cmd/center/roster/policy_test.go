package roster

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

func TestWhatAPolicySetsCounts(t *testing.T) {
	number, yes, no := func(n int) *int { return &n }, true, false
	s := setup()
	s.Groups = []Group{{ID: "night", Name: "Night"}}
	s.Accounts[0].Groups = []string{"night"}
	s.Site.CRM = &wire.CRM{Login: "https://crm.example/", Call: "https://crm.example/?n={caller}", When: "ring", Outside: true}
	s.Site.Latest = &wire.Release{Version: "1.2.3"}
	s.Policies = []Policy{
		{ID: "all", Name: "All", Order: 1, Set: PolicySet{AfterWorkSeconds: number(7), Keep: &no}},
		{ID: "night", Name: "Night", Order: 2, Groups: []string{"night"}, Set: PolicySet{AfterWorkSeconds: number(0), Misses: number(1), View: &no, Answer: number(3)}},
		{ID: "carol", Name: "Carol", Order: 3, Accounts: []string{"carol"}, Set: PolicySet{Keep: &yes, View: &no}},
	}
	d := newDesk(t, s)
	for account, want := range map[string]wire.Desk{
		"alice": {Keep: false, View: false, Answer: 3}, "bob": {Keep: false, View: true}, "carol": {Keep: true, View: true},
	} {
		got := d.view.desk(account)
		if got.Keep != want.Keep || got.View != want.View || got.Answer != want.Answer || got.CRM == nil || got.Latest.Version != "1.2.3" {
			t.Errorf("%s: %+v", account, got)
		}
	}
	talk := func(account, ext, result string) Agent {
		must(t, d.signIn(account, ext, "available", "", false, false))
		for _, phase := range []string{wire.CallOffered, wire.PhaseEnded} {
			_, err := d.do(nine, func(dr *draft) error {
				return dr.report(account, wire.CallReport{ID: "c", Phase: phase, Inbound: true, Outside: true, Result: result}, "")
			})
			must(t, err)
		}
		return d.agents[account].v
	}
	if a := talk("alice", "2001", "answered"); a.Status != "available" {
		t.Errorf("alice has no after-call work, and is %s", a.Status)
	}
	if a := talk("alice", "2001", "missed"); a.Status != "away" {
		t.Errorf("one miss, and alice is %s", a.Status)
	}
	if a := talk("bob", "2002", "answered"); a.Status != "acw" || a.Until.Sub(nine) != 7*time.Second {
		t.Errorf("bob is %s until %v", a.Status, a.Until)
	}
	if a := talk("carol", "2003", "missed"); a.Status != "available" {
		t.Errorf("one miss, and carol is %s", a.Status)
	}
}

func TestASwitchOfTheProfileIsSetAlone(t *testing.T) {
	for _, name := range switchNames {
		s := setup()
		want := wire.ProfileOf("3.4")
		on := !*switchOf(&want, name)
		*switchOf(&want, name) = on
		s.Site.Profile, s.Site.Switches = "3.4", map[string]bool{name: on}
		if got := newDesk(t, s).profile(); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if len(switchNames) > 8 {
		t.Error("more than eight switches")
	}
	data, err := json.Marshal(wire.Profile{})
	must(t, err)
	for _, name := range switchNames {
		if !strings.Contains(string(data), `"`+name+`"`) {
			t.Errorf("%s is no switch on the wire", name)
		}
	}
}

func TestAStatusEndsAfterItsLongestTime(t *testing.T) {
	rows := []struct {
		name   string
		status string
		with   func(*Agent)
		after  time.Duration
		want   string
		due    time.Duration // after nine
		why    string
	}{
		{"not yet", "training", nil, 29 * time.Minute, "training", 30 * time.Minute, ""},
		{"time over", "training", nil, 30 * time.Minute, "away", 0, "time over"},
		{"one that takes calls", "vip", nil, time.Hour, "away", 0, "time over"},
		{"not in a call", "vip", inCall(wire.CallTalking, true, true), 2 * time.Hour, "vip", 0, ""},
		{"a standard one without a limit", "acw", nil, 24 * time.Hour, "acw", 0, ""},
		{"a standard one, not yet", "break", nil, 14 * time.Minute, "break", 15 * time.Minute, ""},
		{"a standard one is told and stays", "break", nil, 15 * time.Minute, "break", 0, "longest time reached"},
		{"it is told once", "break", func(a *Agent) { a.Over = true }, time.Hour, "break", 0, ""},
		{"a standard one in a call", "available", inCall(wire.CallTalking, true, true), 24 * time.Hour, "available", 0, ""},
		{"who is away for too long", "away", nil, time.Hour, "away", 0, "longest time reached"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s := setup()
			s.Statuses[0].Minutes, s.Statuses[1].Minutes = 30, 60
			s.Site.Minutes = map[string]int{"break": 15, "available": 480, "away": 60}
			d := newDesk(t, s)
			d.in(t, r.status, r.with)
			var due time.Time
			why, err := d.do(nine.Add(r.after), func(dr *draft) error {
				due = dr.lapse("alice", presence{linked: true}, Timing{}.filled())
				return nil
			})
			must(t, err)
			left := time.Duration(0)
			if !due.IsZero() {
				left = due.Sub(nine)
			}
			if got := d.agents["alice"].v.Status; got != r.want || why != r.why || left != r.due {
				t.Errorf("%s, why %q, due +%v", got, why, left)
			}
		})
	}
}

func TestAnImportOfSomeStatusesKeepsTheOrderOfAll(t *testing.T) {
	named := func(ids ...string) (all []wire.StatusDef) {
		for _, id := range ids {
			all = append(all, wire.StatusDef{ID: id, Name: wire.Words{"en": id, "ja": id}, Class: "pause"})
		}
		return all
	}
	c := newCenter(t, nil, func(s *Setup) { s.Statuses = named("a", "b", "c") })
	for _, r := range []struct{ put, want []string }{
		{[]string{"b"}, []string{"a", "b", "c"}},
		{[]string{"d"}, []string{"a", "b", "c", "d"}},
		{[]string{"e", "a"}, []string{"a", "b", "c", "d", "e"}},
		{[]string{"e", "d", "c", "b", "a"}, []string{"e", "d", "c", "b", "a"}},
	} {
		must(t, c.Apply(t.Context(), Setup{Statuses: named(r.put...)}, "test"))
		c.mu.RLock()
		var got []string
		for _, d := range c.view.defs[len(wire.StandardStatuses()):] {
			got = append(got, d.ID)
		}
		c.mu.RUnlock()
		if !slices.Equal(got, r.want) {
			t.Errorf("after %v: %v", r.put, got)
		}
	}
}

func TestEveryFaultOfSignInRulesIsNamed(t *testing.T) {
	rows := map[string]string{
		`"site": {"zone": "Nowhere/At all"}`:                                                                                            "site.zone",
		`"site": {"switches": {"fast": true}}`:                                                                                          "site.switches",
		`"site": {"factor": {"agent": "maybe"}}`:                                                                                        "site.factor.agent",
		`"site": {"factor": {"admin": "always"}}`:                                                                                       "site.factor.admin",
		`"site": {"factor": {"days": 999}}`:                                                                                             "site.factor.days",
		`"site": {"oidc": {"only": true}}`:                                                                                              "site.oidc.issuer",
		`"site": {"oidc": {"issuer": "http://id.example", "client": "x"}}`:                                                              "site.oidc.issuer",
		`"site": {"oidc": {"issuer": "https://id.example"}}`:                                                                            "site.oidc.client",
		`"site": {"oidc": {"issuer": "https://id.example", "client": "x", "claim": "name"}}`:                                            "site.oidc.claim",
		`"site": {"mail": {"server": "mail.example"}}`:                                                                                  "site.mail.server",
		`"site": {"mail": {"server": "mail.example:587", "from": "nobody"}}`:                                                            "site.mail.from",
		`"site": {"mail": {"from": "a@b.example"}}`:                                                                                     "site.mail.server",
		`"site": {"crm": {"login": "javascript:alert(1)"}}`:                                                                             "site.crm.login",
		`"site": {"crm": {"call": "https://crm.example/{password}", "when": "ring"}}`:                                                   "site.crm.call",
		`"site": {"crm": {"call": "https://crm.example/{caller}"}}`:                                                                     "site.crm.when",
		`"site": {"latest": {"version": "new"}}`:                                                                                        "site.latest.version",
		`"site": {"latest": {"version": "1.0", "files": {"linux/amd64": "http://x.example/f"}}}`:                                        "site.latest.files",
		`"site": {"latest": {"version": "1.0", "files": {"linux/amd64": "https://x.example/f"}}}`:                                       "site.latest.hashes",
		`"site": {"latest": {"version": "1.0", "files": {"plan9/386": "https://x.example/f"}}}`:                                         "site.latest.files",
		`"site": {"latest": {"version": "1.0", "hashes": {"linux/amd64": "00"}}}`:                                                       "site.latest.files",
		`"site": {"latest": {"version": "1.0", "files": {"linux/amd64": "https://x.example/f"}, "signs": {"linux/amd64": "c2hvcnQ="}}}`: "site.latest.signs",
		`"site": {"latest": {"version": "1.0", "notes": {"de": "neu"}}}`:                                                                "site.latest.notes",
		`"site": {"latest": {"version": "1.0", "notice": "loud"}}`:                                                                      "site.latest.notice",
		`"groups": [{"id": "", "name": "x"}]`:                                                                                           "groups[0].id",
		`"groups": [{"id": "a", "name": "x"}, {"id": "a", "name": "y"}]`:                                                                "groups[1].id",
		`"policies": [{"id": "p", "name": "P", "groups": ["x"]}]`:                                                                       "policies[0].groups",
		`"policies": [{"id": "p", "name": "P", "accounts": ["x"]}]`:                                                                     "policies[0].accounts",
		`"policies": [{"id": "p", "name": ""}]`:                                                                                         "policies[0].name",
		`"policies": [{"id": "p", "name": "P", "set": {"record": "no"}}]`:                                                               "policies[0].set.record",
		`"policies": [{"id": "p", "name": "P", "set": {"factor": ""}}]`:                                                                 "policies[0].set.factor",
		`"policies": [{"id": "p", "name": "P", "set": {"answer": 61}}]`:                                                                 "policies[0].set.answer",
		`"policies": [{"id": "p", "name": "P", "set": {"misses": -1}}]`:                                                                 "policies[0].set.misses",
		`"policies": [{"id": "p", "name": "P", "set": {"afterWorkSeconds": 3601}}]`:                                                     "policies[0].set.afterWorkSeconds",
		`"accounts": [{"account": "a", "password": "long enough 1", "groups": ["x"]}]`:                                                  "accounts[0].groups",
		`"accounts": [{"account": "a", "password": "long enough 1", "mail": "A <a@b.example>"}]`:                                        "accounts[0].mail",
		`"accounts": [{"account": "a", "password": "long enough 1", "subject": "a\u0000"}]`:                                             "accounts[0].subject",
		`"statuses": [{"id": "s", "class": "pause", "name": {"en": "A", "ja": "B"}, "minutes": -1}]`:                                    "statuses[0].minutes",
	}
	for text, want := range rows {
		var s Setup
		must(t, json.Unmarshal([]byte(`{`+text+`}`), &s))
		p := plan{view: newView(), setup: s, vault: vault{testKey}}
		if err := p.check(); err == nil || !strings.Contains(err.Error(), want+":") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestASecretOfTheSiteStaysWhereItGoes(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.Mail = SiteMail{Server: "mail.example:587", User: "center", Secret: "of mail", From: "center@example.jp"}
		s.Site.OIDC = SiteOIDC{Issuer: "https://id.example", Client: "zaseki", Secret: "of oidc"}
	})
	open := func() (mail, oidc string) {
		s := c.Site()
		mail, _ = c.vault.open(s.Mail.Sealed, "mail")
		oidc, _ = c.vault.open(s.OIDC.Sealed, "oidc")
		return mail, oidc
	}
	if mail, oidc := open(); mail != "of mail" || oidc != "of oidc" {
		t.Fatalf("%q %q", mail, oidc)
	}
	site := c.Site()
	site.Name, site.Mail.Sealed, site.OIDC.Sealed = "Another name", nil, nil // as an administrator's form sends it
	must(t, c.Apply(t.Context(), Setup{Site: &site}, "root"))
	if mail, oidc := open(); mail != "of mail" || oidc != "of oidc" {
		t.Fatalf("%q %q", mail, oidc)
	}
	before := c.rev()
	site.Mail.Secret = "of mail"
	must(t, c.Apply(t.Context(), Setup{Site: &site}, "root"))
	if c.rev() != before {
		t.Error("the same secret was written again")
	}
	site.Mail.Secret, site.Mail.Server = "", "evil.example:587"
	must(t, c.Apply(t.Context(), Setup{Site: &site}, "root"))
	if mail, oidc := open(); mail != "" || oidc != "of oidc" {
		t.Fatalf("the secret would go to another server: %q %q", mail, oidc)
	}
}
