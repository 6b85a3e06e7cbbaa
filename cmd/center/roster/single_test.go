package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/roster/sso/ssotest"
	"zaseki/web/wire"
)

// newSingle is a center with a provider where somebody is signed in.
func newSingle(t *testing.T, claims map[string]any, change func(*Setup)) (*center, *ssotest.Provider) {
	t.Helper()
	p := ssotest.New(t, claims)
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.OIDC = SiteOIDC{Issuer: p.URL, Client: ssotest.Client, Secret: ssotest.Secret, Name: "Example ID"}
		if change != nil {
			change(s)
		}
	})
	return c, p
}

// person's browser: it follows the center and the provider, and stops where it is handed over.
type browser struct {
	*http.Client
	c *center
}

func newBrowser(t *testing.T, c *center) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &browser{c: c, Client: &http.Client{Jar: jar, Transport: tr, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(req.URL.Path, "/signed-in") || req.URL.Path == adminPath {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
}

// open goes to an address of the center, and gives where it was led.
func (b *browser) open(t *testing.T, path string) (at *url.URL, status int) {
	t.Helper()
	res, err := b.Get(b.c.url + path)
	must(t, err)
	res.Body.Close()
	at, err = url.Parse(res.Header.Get("Location"))
	must(t, err)
	return at, res.StatusCode
}

const phonesVerifier = "a verifier that only the phone knows"

// signOn goes through the provider as the browser of a phone does.
func (b *browser) signOn(t *testing.T) url.Values {
	t.Helper()
	at, status := b.open(t, "/auth/oidc/start?port=40404&handoff="+challenge(phonesVerifier))
	if status != http.StatusFound || at.Host != "127.0.0.1:40404" || at.Path != "/signed-in" {
		t.Fatalf("led to %v, %d", at, status)
	}
	return at.Query()
}

var aliceThere = map[string]any{"sub": "u-1", "preferred_username": "alice"}

func TestAPhoneSignsInByAProvider(t *testing.T) {
	t.Parallel()
	c, _ := newSingle(t, aliceThere, nil)
	var s wire.SingleSignOn
	must(t, ask(t, c, "/api/v1/oidc", "", nil, &s))
	if s.Name != "Example ID" || s.Only {
		t.Errorf("%+v", s)
	}
	code := newBrowser(t, c).signOn(t).Get("code")
	wantProblem(t, ask(t, c, "/api/v1/handoff", "", wire.Handoff{Code: code, Verifier: "another"}, nil), wire.ProblemTicket)
	wantProblem(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: code, Terminal: "2001", Status: "away"}, nil), wire.ProblemTicket)
	var out wire.Checked
	must(t, ask(t, c, "/api/v1/handoff", "", wire.Handoff{Code: code, Verifier: phonesVerifier}, &out))
	wantProblem(t, ask(t, c, "/api/v1/handoff", "", wire.Handoff{Code: code, Verifier: phonesVerifier}, nil), wire.ProblemTicket)
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: out.Ticket, Terminal: "2001", Status: "away"}, &w))
	if w.Me.Account != "alice" {
		t.Fatalf("signed in as %q", w.Me.Account)
	}
	if site, _ := json.Marshal(c.Site()); bytes.Contains(site, []byte(ssotest.Secret)) {
		t.Error("the client's secret lies open")
	}
}

func TestWhomAProviderKnows(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		claim  string
		claims map[string]any
		change func(*Setup)
		want   string // account; "" refused
	}{
		{"the name", "", map[string]any{"sub": "1", "preferred_username": "bob"}, nil, "bob"},
		{"a name that nobody has", "", map[string]any{"sub": "1", "preferred_username": "eve"}, nil, ""},
		{"no name", "", map[string]any{"sub": "alice"}, nil, ""},
		{"the subject", "sub", map[string]any{"sub": "alice"}, nil, "alice"},
		{"a verified mail address", "email", map[string]any{"sub": "1", "email": "Bob@Example.jp", "email_verified": true}, func(s *Setup) { s.Accounts[1].Mail = "bob@example.jp" }, "bob"},
		{"a mail address that is not verified", "email", map[string]any{"sub": "1", "email": "bob@example.jp"}, func(s *Setup) { s.Accounts[1].Mail = "bob@example.jp" }, ""},
		{"a mail address of two", "email", map[string]any{"sub": "1", "email": "x@example.jp", "email_verified": true}, func(s *Setup) { s.Accounts[0].Mail, s.Accounts[1].Mail = "x@example.jp", "x@example.jp" }, ""},
		{"an administrator's name", "", map[string]any{"sub": "1", "preferred_username": "root"}, nil, ""},
		{"an administrator who was set up by hand", "", map[string]any{"sub": "1", "preferred_username": "x"}, func(s *Setup) { s.Accounts[3].Subject = s.Site.OIDC.Issuer + " 1" }, "root"},
		{"the name of somebody who is known by another subject", "", map[string]any{"sub": "1", "preferred_username": "bob"}, func(s *Setup) { s.Accounts[1].Subject = s.Site.OIDC.Issuer + " 2" }, ""},
		{"a subject of another issuer", "", map[string]any{"sub": "1", "preferred_username": "x"}, func(s *Setup) { s.Accounts[1].Subject = "https://elsewhere.example 1" }, ""},
		{"somebody who is suspended", "", map[string]any{"sub": "1", "preferred_username": "bob"}, func(s *Setup) { s.Accounts[1].Off = true }, ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c, _ := newSingle(t, r.claims, func(s *Setup) {
				s.Site.OIDC.Claim = r.claim
				if r.change != nil {
					r.change(s)
				}
			})
			q := newBrowser(t, c).signOn(t)
			if r.want == "" {
				if q.Get("problem") == "" || q.Get("code") != "" {
					t.Fatalf("let in: %v", q)
				}
				return
			}
			k, err := c.handedOver(q.Get("code"), phonesVerifier, forAgent)
			if err != nil || k.Account != r.want {
				t.Fatalf("%q %v, %v", k.Account, err, q)
			}
		})
	}
}

func TestWhoWasFoundOnceIsKnownByTheSubject(t *testing.T) {
	t.Parallel()
	c, p := newSingle(t, aliceThere, nil)
	newBrowser(t, c).signOn(t)
	p.SignIn(map[string]any{"sub": "u-1", "preferred_username": "bob"}) // a new name
	k, err := c.handedOver(newBrowser(t, c).signOn(t).Get("code"), phonesVerifier, forAgent)
	if err != nil || k.Account != "alice" {
		t.Fatalf("%q %v", k.Account, err)
	}
	p.SignIn(map[string]any{"sub": "u-2", "preferred_username": "alice"}) // somebody else takes the old one
	if q := newBrowser(t, c).signOn(t); q.Get("problem") != wire.ProblemSingleSignOn || !strings.Contains(q.Get("reason"), "alice") {
		t.Fatalf("%v", q)
	}
	s := setup()
	s.Site = nil
	must(t, c.Apply(t.Context(), s, "test")) // an import knows no subjects
	if got := c.account("alice").Subject; got != p.URL+" u-1" {
		t.Fatal(got)
	}
}

func TestAHostileWayThroughSingleSignOnIsRefused(t *testing.T) {
	c, p := newSingle(t, aliceThere, nil)
	t.Run("a token of another sign-in", func(t *testing.T) {
		p.Tamper("", func(_, claims map[string]any) { claims["nonce"] = "x" })
		defer p.Tamper("", nil)
		if q := newBrowser(t, c).signOn(t); q.Get("problem") != wire.ProblemSingleSignOn || q.Get("code") != "" {
			t.Fatalf("%v", q)
		}
	})
	t.Run("the provider says no", func(t *testing.T) {
		p.Refuse("access_denied")
		defer p.Refuse("")
		if q := newBrowser(t, c).signOn(t); q.Get("problem") != wire.ProblemSingleSignOn || q.Get("reason") != "access_denied" {
			t.Fatalf("%v", q)
		}
	})
	t.Run("an answer to another browser", func(t *testing.T) {
		asked := p.Asked()
		for _, path := range []string{"/auth/oidc/callback?code=x&state=y", "/auth/oidc/callback"} {
			if _, status := newBrowser(t, c).open(t, path); status != http.StatusBadRequest {
				t.Errorf("%s: %d", path, status)
			}
		}
		if p.Asked() != asked {
			t.Error("the provider was asked")
		}
	})
	t.Run("an answer with another state", func(t *testing.T) {
		b := newBrowser(t, c)
		stop := b.CheckRedirect
		b.CheckRedirect = func(req *http.Request, via []*http.Request) error {
			if req.URL.Path == callbackPath {
				return http.ErrUseLastResponse
			}
			return stop(req, via)
		}
		at, _ := b.open(t, "/auth/oidc/start?port=40404&handoff="+challenge(phonesVerifier))
		q := at.Query()
		q.Set("state", "another")
		if _, status := b.open(t, callbackPath+"?"+q.Encode()); status != http.StatusBadRequest {
			t.Errorf("%d", status)
		}
	})
	t.Run("a place that is no phone", func(t *testing.T) {
		for _, q := range []string{"port=80&handoff=" + challenge("x"), "port=40404&handoff=short", "port=40404", "handoff=" + challenge("x"), "port=x&handoff=" + challenge("x")} {
			if _, status := newBrowser(t, c).open(t, "/auth/oidc/start?"+q); status != http.StatusBadRequest {
				t.Errorf("%s: %d", q, status)
			}
		}
	})
	t.Run("the old password when only the provider counts", func(t *testing.T) {
		site := c.Site()
		site.OIDC.Only = true
		must(t, c.Apply(t.Context(), Setup{Site: &site}, "test"))
		wantProblem(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: password}, nil), wire.ProblemPasswordOff)
		wantProblem(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "alice", Password: "wrong password"}, nil), wire.ProblemSignIn)
		if _, err := c.AuthenticateAt(t.Context(), "root", password, "", "::1"); err != nil {
			t.Errorf("the administrator of the first start: %v", err)
		}
		if q := newBrowser(t, c).signOn(t); q.Get("code") == "" {
			t.Errorf("%v", q)
		}
	})
}

func TestTheProvidersSecondFactorMayStandForOurs(t *testing.T) {
	t.Parallel()
	for _, mfa := range []bool{true, false} {
		c, _ := newSingle(t, map[string]any{"sub": "u-1", "preferred_username": "alice", "amr": []string{"pwd", "mfa"}}, func(s *Setup) {
			demanding(s)
			s.Site.OIDC.Mfa = mfa
		})
		var out wire.Checked
		must(t, ask(t, c, "/api/v1/handoff", "", wire.Handoff{Code: newBrowser(t, c).signOn(t).Get("code"), Verifier: phonesVerifier}, &out))
		if (out.Need == nil) != mfa {
			t.Errorf("trusted %v: need %+v", mfa, out.Need)
		}
	}
}

func TestTheAdministrationSignsInByAProvider(t *testing.T) {
	c, _ := newSingle(t, map[string]any{"sub": "u-3", "preferred_username": "carol"}, nil)
	b := newBrowser(t, c)
	at, status := b.open(t, "/auth/oidc/start")
	if status != http.StatusFound || at.Path != adminPath || at.Host != "" {
		t.Fatalf("led to %v, %d", at, status)
	}
	come := func(b *browser) (Person, error) {
		req := httptest.NewRequest(http.MethodPost, c.url+"/api/v1/admin/session/sso", nil)
		home, err := url.Parse(c.url)
		must(t, err)
		for _, cookie := range b.Jar.Cookies(home) {
			req.AddCookie(cookie)
		}
		return c.SignedOn(httptest.NewRecorder(), req, at.Query().Get("code"), "")
	}
	if _, err := come(newBrowser(t, c)); !errors.Is(err, wire.Problem{Code: wire.ProblemTicket}) {
		t.Fatalf("another browser: %v", err)
	}
	p, err := come(b)
	if err != nil || p.Account != "carol" || p.Role != "supervisor" {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := come(b); !errors.Is(err, wire.Problem{Code: wire.ProblemTicket}) {
		t.Fatalf("a second time: %v", err)
	}
}

func TestASignInOfYesterdayHasEnded(t *testing.T) {
	c, _ := newSingle(t, aliceThere, nil)
	a := attempt{Handoff: challenge("x"), Port: 40404, Until: time.Now().Add(-time.Second)}
	a.State = "state"
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, c.url+callbackPath+"?state=state&code=x", nil)
	must(t, c.keep(w, req, a))
	req.AddCookie(w.Result().Cookies()[0])
	w = httptest.NewRecorder()
	if c.callback(w, req); w.Code != http.StatusBadRequest {
		t.Fatal(w.Code)
	}
}

// account is the record of an account.
func (c *center) account(id string) Account {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view.accounts[id].v
}
