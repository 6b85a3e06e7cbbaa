package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/admin"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/roster/code"
	"zaseki/cmd/center/roster/sso/ssotest"
	"zaseki/web/wire"
)

// provided is a center where people sign in by a provider; the rule is for a second factor at these pages.
func provided(t *testing.T, who, rule string) (*client, *ssotest.Provider) {
	t.Helper()
	p := ssotest.New(t, map[string]any{"sub": "u-" + who, "preferred_username": who})
	n := start(t, false)
	site := n.Roster().Site()
	site.OIDC = roster.SiteOIDC{Issuer: p.URL, Client: ssotest.Client, Secret: ssotest.Secret, Name: "Example ID"}
	site.Factor.Admin = rule
	if err := n.Apply(t.Context(), roster.Setup{Site: &site}); err != nil {
		t.Fatal(err)
	}
	return newClient(t, n, "", ""), p
}

// goAndBack goes to the provider and gives the query of the page that it leads to.
func (c *client) goAndBack() url.Values {
	c.t.Helper()
	res, err := c.http.Get(c.base + "/auth/oidc/start")
	if err != nil {
		c.t.Fatal(err)
	}
	res.Body.Close()
	if at := res.Request.URL; res.StatusCode != http.StatusOK || at.Path != "/admin/sso" {
		c.t.Fatalf("led to %v: %d", at, res.StatusCode)
	}
	return res.Request.URL.Query()
}

func (c *client) signedOn(q url.Values) (in admin.SignedIn) {
	c.t.Helper()
	said, _ := c.want(200, "POST", "/api/v1/admin/session/sso", admin.SignOn{Code: q.Get("code")})
	if err := json.Unmarshal([]byte(said), &in); err != nil {
		c.t.Fatal(err)
	}
	return in
}

func TestASupervisorSignsInByAProvider(t *testing.T) {
	c, _ := provided(t, "carol", "")
	q := c.goAndBack()
	if in := c.signedOn(q); in.Me == nil || in.Me.Account != "carol" || in.Me.Role != "supervisor" {
		t.Fatalf("%+v", in)
	}
	c.want(200, "GET", "/api/v1/admin/session", nil)
	c.want(403, "GET", "/api/v1/admin/site", nil)
	c.want(401, "POST", "/api/v1/admin/session/sso", admin.SignOn{Code: q.Get("code")}) // a second time
}

func TestACodeIsAskedForByAProviderToo(t *testing.T) {
	c, _ := provided(t, "carol", "required")
	in := c.signedOn(c.goAndBack())
	if in.Me != nil || in.Need == nil || !in.Need.Enrol {
		t.Fatalf("%+v", in)
	}
	c.want(401, "GET", "/api/v1/admin/session", nil)
	said, _ := c.want(200, "POST", "/api/v1/admin/session/factor", wire.FactorRequest{Ticket: in.Need.Ticket})
	var made wire.FactorStart
	if err := json.Unmarshal([]byte(said), &made); err != nil {
		t.Fatal(err)
	}
	said, _ = c.want(200, "POST", "/api/v1/admin/session/factor/confirm", wire.FactorRequest{Ticket: in.Need.Ticket, Code: code.At(made.Secret, code.StepAt(time.Now()))})
	if !strings.Contains(said, `"recovery"`) || !strings.Contains(said, `"carol"`) {
		t.Fatal(said)
	}
	c.want(200, "GET", "/api/v1/admin/session", nil)
}

func TestWhoIsNoSupervisorDoesNotGetIn(t *testing.T) {
	c, p := provided(t, "alice", "")
	c.want(403, "POST", "/api/v1/admin/session/sso", admin.SignOn{Code: c.goAndBack().Get("code")})
	p.SignIn(map[string]any{"sub": "u-boss", "preferred_username": "boss"}) // an administrator is never found by a name
	if q := c.goAndBack(); q.Get("problem") != wire.ProblemSingleSignOn || q.Get("code") != "" {
		t.Fatalf("%v", q)
	}
	c.want(401, "GET", "/api/v1/admin/session", nil)
}

func TestSessionsOfThePagesEndWithAnotherFactor(t *testing.T) {
	n := start(t, false)
	c := newClient(t, n, "carol", password)
	c.want(200, "GET", "/api/v1/admin/session", nil)
	if err := n.Roster().ResetFactor(t.Context(), "carol", "boss"); err != nil {
		t.Fatal(err)
	}
	c.want(401, "GET", "/api/v1/admin/session", nil)
}
