package web

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"zaseki/web/wire"
)

// site says whose pages may ask.
type site func() (listed []string, on bool)

func (s site) Origins() ([]string, bool) { return s() }

func TestOnlyListedPagesMayAskToDialAndNothingElse(t *testing.T) {
	const crm = "https://crm.example.jp"
	listed := []string{crm, "https://other.example:8443", "null", "*", "https://crm.example.jp/with/path"}
	on := true
	r := startWith(t, func(c *Config) {
		c.Guests = site(func() ([]string, bool) { return listed, on })
	})
	ask := func(method, path, origin, kind, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.own+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		req.Header.Set("Content-Type", kind)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		req.Header.Set("Access-Control-Request-Private-Network", "true")
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return res
	}
	const plain, number = "application/json", `{"uri":"tel:0312345678"}`

	res := ask(http.MethodOptions, guestPath, crm, "", "")
	if h := res.Header; res.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != crm || h.Get("Access-Control-Allow-Private-Network") != "true" ||
		h.Get("Access-Control-Allow-Credentials") != "" || h.Get("Vary") != "Origin" {
		t.Errorf("asked beforehand: %s %v", res.Status, h)
	}
	if res := ask(http.MethodPost, guestPath, crm, plain, number); res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != crm {
		t.Errorf("listed: %s", res.Status)
	}
	if got, ok := r.next(t).(wire.DialLink); !ok || got.URI != "tel:0312345678" {
		t.Errorf("posted %v", got)
	}
	for _, row := range []struct {
		what, method, path, origin, kind, body string
		code                                   int
	}{
		{"not listed", "POST", guestPath, "https://evil.example", plain, number, 403},
		{"not listed, beforehand", "OPTIONS", guestPath, "https://evil.example", "", "", 403},
		{"another port", "POST", guestPath, crm + ":8443", plain, number, 403},
		{"another scheme", "POST", guestPath, "http://crm.example.jp", plain, number, 403},
		{"no origin", "POST", guestPath, "", plain, number, 403},
		{"a frame's or a file's", "POST", guestPath, "null", plain, number, 403},
		{"a star is no origin", "POST", guestPath, "*", plain, number, 403},
		{"a path is no origin", "POST", guestPath, "https://crm.example.jp/with/path", plain, number, 403},
		{"a form, without a question beforehand", "POST", guestPath, crm, "text/plain", number, 415},
		{"nothing else of the phone", "POST", "/link", crm, plain, number, 403},
		{"nor the session", "POST", "/session", crm, plain, `{"token":"x"}`, 403},
		{"nor what is to be read", "GET", "/session/check", crm, "", "", 403},
	} {
		if res := ask(row.method, row.path, row.origin, row.kind, row.body); res.StatusCode != row.code || row.code == 403 && res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s %v", row.what, res.Status, res.Header)
		}
	}
	limited := false
	for range 10 {
		limited = limited || ask(http.MethodPost, guestPath, crm, plain, `{}`).StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("a page may ask as often as it likes")
	}
	on = false
	if res := ask(http.MethodPost, guestPath, crm, plain, number); res.StatusCode != 403 {
		t.Errorf("switched off: %s", res.Status)
	}
}

// TestAStrangerIsToldOfAndLearnsNothing: a page of a site that is not listed asks, as browsers do, beforehand. The agent is told of the
// origin and may ask the person; the page gets the same answer as ever, and cannot fill the agent's ears.
func TestAStrangerIsToldOfAndLearnsNothing(t *testing.T) {
	on := false
	r := startWith(t, func(c *Config) {
		c.Guests = site(func() ([]string, bool) { return []string{"https://crm.example.jp"}, on })
	})
	ask := func(method, origin string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, r.own+guestPath, strings.NewReader(`{"uri":"tel:1"}`))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Origin": origin, "Content-Type": "application/json", "Sec-Fetch-Site": "cross-site", "Access-Control-Request-Method": "POST"} {
			req.Header.Set(name, value)
		}
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusForbidden || string(body) != "foreign origin\n" || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: %s %s %v", method, origin, res.Status, body, res.Header)
		}
	}
	ask(http.MethodOptions, "https://other.example") // nobody may ask
	on = true
	for _, odd := range []string{"null", "http://other.example", "https://other.example/path", "https://other.example:443", "file://"} {
		ask(http.MethodOptions, odd)
	}
	if n := len(r.posted); n > 0 {
		t.Errorf("told of %d", n)
	}
	for range 5 {
		ask(http.MethodOptions, "https://other.example")
		ask(http.MethodPost, "http://localhost:8080")
	}
	if got := <-r.posted; got != (wire.OriginAsks{Origin: "https://other.example"}) || len(r.posted) > 0 {
		t.Errorf("told of %v, and %d more", got, len(r.posted))
	}
}
