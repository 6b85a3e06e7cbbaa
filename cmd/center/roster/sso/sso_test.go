package sso

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"zaseki/cmd/center/roster/sso/ssotest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var taro = map[string]any{"sub": "u-1", "preferred_username": "taro", "email": "taro@example.jp", "email_verified": true, "amr": []string{"pwd", "mfa"}}

// begin has somebody sign in at the provider, and gives the attempt with the code that came back.
func begin(t *testing.T, p *Provider) (Attempt, string) {
	t.Helper()
	a := Attempt{State: "state", Nonce: "nonce-1", Verifier: oauth2.GenerateVerifier(), Redirect: "http://127.0.0.1/auth/oidc/callback"}
	addr, err := p.URL(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer stay.CloseIdleConnections()
	res, err := stay.Get(addr)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || back.Query().Get("state") != "state" || !strings.HasPrefix(back.String(), a.Redirect) {
		t.Fatalf("came back to %v: %v", back, err)
	}
	return a, back.Query().Get("code")
}

func client(t *testing.T, p *ssotest.Provider) *Provider {
	h := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{}}
	t.Cleanup(h.CloseIdleConnections)
	return New(Client{Issuer: p.URL, ID: ssotest.Client, Secret: ssotest.Secret}, h)
}

func TestAProviderSaysWhoItIs(t *testing.T) {
	p := client(t, ssotest.New(t, taro))
	a, code := begin(t, p)
	id, err := p.Exchange(t.Context(), a, code)
	want := Identity{Issuer: p.client.Issuer, Subject: "u-1", Name: "taro", Mail: "taro@example.jp", Mfa: true}
	if err != nil || id != want {
		t.Fatalf("%+v %v", id, err)
	}
}

func TestACodeIsTradedOnce(t *testing.T) {
	p := client(t, ssotest.New(t, taro))
	a, code := begin(t, p)
	if _, err := p.Exchange(t.Context(), a, code); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Exchange(t.Context(), a, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
		t.Fatal(err)
	}
}

func TestWhatAHostileProviderTriesIsRefused(t *testing.T) {
	set := func(name string, v any) func(head, claims map[string]any) {
		return func(_, claims map[string]any) { claims[name] = v }
	}
	rows := []struct {
		name   string
		sign   string
		tamper func(head, claims map[string]any)
	}{
		{"a token of another sign-in", "", set("nonce", "nonce-2")},
		{"a token without a nonce", "", func(_, claims map[string]any) { delete(claims, "nonce") }},
		{"a token for another client", "", set("aud", "somebody-else")},
		{"a token of yesterday", "", set("exp", time.Now().Add(-24*time.Hour).Unix())},
		{"a token of another issuer", "", set("iss", "https://evil.example")},
		{"a token for nobody", "", set("sub", "")},
		{"a token that nobody signed", "none", nil},
		{"a token signed with another key", "other", nil},
		{"a token signed with another key of a new name", "other", func(head, _ map[string]any) { head["kid"] = "two" }},
		{"a token whose name of the algorithm is a lie", "", func(head, _ map[string]any) { head["alg"] = "HS256" }},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			hostile := ssotest.New(t, taro)
			p := client(t, hostile)
			hostile.Tamper(r.sign, r.tamper)
			a, code := begin(t, p)
			if id, err := p.Exchange(t.Context(), a, code); err == nil || id != (Identity{}) {
				t.Fatalf("%+v %v", id, err)
			}
		})
	}
}

func TestAnAttemptOfSomebodyElseIsRefused(t *testing.T) {
	p := client(t, ssotest.New(t, taro))
	a, code := begin(t, p)
	other := a
	other.Verifier = oauth2.GenerateVerifier()
	if _, err := p.Exchange(t.Context(), other, code); err == nil {
		t.Fatal("another verifier was taken")
	}
	a, code = begin(t, p)
	a.Nonce = "nonce-2"
	if _, err := p.Exchange(t.Context(), a, code); !errors.Is(err, ErrNonce) {
		t.Fatal(err)
	}
	a, code = begin(t, p)
	a.Nonce = ""
	if _, err := p.Exchange(t.Context(), a, code); !errors.Is(err, ErrNonce) {
		t.Fatal(err)
	}
}

func TestAMailAddressCountsOnlyWhenItIsVerified(t *testing.T) {
	for verified, want := range map[any]string{true: "taro@example.jp", "true": "taro@example.jp", false: "", nil: ""} {
		p := client(t, ssotest.New(t, map[string]any{"sub": "u-1", "email": "taro@example.jp", "email_verified": verified}))
		a, code := begin(t, p)
		if id, err := p.Exchange(t.Context(), a, code); err != nil || id.Mail != want || id.Mfa {
			t.Errorf("%v: %+v %v", verified, id, err)
		}
	}
}

func TestAProviderThatIsAwayIsNotWaitedForByEverybody(t *testing.T) {
	asked := 0
	p := New(Client{Issuer: "http://127.0.0.1:1", ID: ssotest.Client}, &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, errors.New("away")
	})})
	for range 10 {
		if _, err := p.URL(t.Context(), Attempt{}); err == nil {
			t.Fatal("found")
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAProviderThatIsAnotherIsNotAsked(t *testing.T) {
	real := ssotest.New(t, taro)
	p := New(Client{Issuer: real.URL + "/", ID: ssotest.Client}, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}})
	if _, err := p.URL(t.Context(), Attempt{}); err == nil {
		t.Fatal("the issuer is not the one that was set")
	}
}
