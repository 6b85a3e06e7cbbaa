package admin_test

import (
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/roster/code"
	"zaseki/cmd/center/roster/sso/ssotest"
)

func TestABrowserSetsUpASecondFactorAndIsTrusted(t *testing.T) {
	d := openDesk(t, false)
	site := d.node.Roster().Site()
	site.Factor = roster.SiteFactor{Admin: "required", Days: 7}
	d.must(d.node.Apply(t.Context(), roster.Setup{Site: &site}))
	d.open("/", "en", wide)
	d.signIn("boss", password)
	d.must(d.page.Wait("heading", "Set up a second factor"))
	secret, err := stage.Eval[string](d.page, `document.querySelector(".copy code").textContent`)
	d.must(err)
	d.must(d.page.Type("Code", "000000"))
	d.must(d.page.Click("button", "Confirm"))
	d.must(d.page.Wait("StaticText", "The code is not right…"))
	now := code.StepAt(time.Now())
	d.must(d.page.Type("Code", code.At(secret, now-1)))
	d.must(d.page.Click("button", "Confirm"))
	d.must(d.page.Wait("heading", "Recovery codes"))
	papers, err := stage.Eval[string](d.page, `[...document.querySelectorAll(".codes code")].map((c) => c.textContent).join(" ")`)
	d.must(err)
	d.must(d.page.Click("button", "Go on"))
	d.must(d.page.Click("button", "Sign out"))

	d.signIn("boss", password)
	d.must(d.page.Wait("textbox", "Code"))
	d.must(d.page.Type("Code", code.At(secret, now-1)))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("StaticText", "This code was used already…"))
	d.must(d.page.Select("Way", "Recovery code"))
	d.must(d.page.Type("Code", strings.Fields(papers)[0]))
	d.must(d.page.Click("checkbox", "Do not ask in this browser for 7 days"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Click("button", "Sign out"))

	d.signIn("boss", password) // trusted: nobody is asked
	d.must(d.page.Wait("button", "Sign out"))
	if s := d.node.Roster().FactorOf("boss"); !s.App || s.Codes != 9 || len(s.Devices) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestABrowserSignsInByAProvider(t *testing.T) {
	d := openDesk(t, false)
	p := ssotest.New(t, map[string]any{"sub": "u-1", "preferred_username": "carol"})
	site := d.node.Roster().Site()
	site.OIDC = roster.SiteOIDC{Issuer: p.URL, Client: ssotest.Client, Secret: ssotest.Secret, Name: "Example ID"}
	d.must(d.node.Apply(t.Context(), roster.Setup{Site: &site}))
	p.Refuse("access_denied")
	d.open("/", "en", wide)
	d.must(d.page.Click("link", "Sign in with Example ID"))
	d.must(d.page.Wait("StaticText", "The sign-in provider did not let you in: access_denied…"))
	p.Refuse("")
	d.must(d.page.Click("link", "Sign in with Example ID"))
	d.must(d.page.Wait("button", "Sign out"))
	d.must(d.page.Wait("StaticText", "Carol"))
	d.must(d.page.Reload()) // the session's cookie is there
	d.must(d.page.Wait("button", "Sign out"))
}
