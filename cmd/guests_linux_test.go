package cmd_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// TestACustomersPageMayDialOnceAPersonHasSaidSo is PRODUCT A15 with a page of another site in a real browser: refused while the way is
// shut; then refused and asked about; after a yes each click is a question; after a no neither page nor person hears of it again.
//
//ci:still
func TestACustomersPageMayDialOnceAPersonHasSaidSo(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser: not with -short")
	}
	need(t, "chromium")
	k := newKiosk(t)
	folder := filepath.Join(k.dir, "phone")
	k.start(folder)
	k.signIn("agent1", stage.Password)
	panel := strings.SplitN(k.phone.String("panel"), "/#", 2)[0]
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>customers</title>") }))
	t.Cleanup(site.Close)
	browser, err := stage.OpenBrowser(context.Background(), filepath.Join(k.dir, "profile"), "")
	k.must(err)
	t.Cleanup(browser.Close)
	page, err := browser.Open(site.URL, stage.View{})
	k.must(err)
	ask := func() string {
		t.Helper()
		got, err := stage.Eval[string](page, `fetch("`+panel+`/crm/dial", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({uri: "tel:0312345678"})})
			.then((r) => String(r.status), () => "refused")`)
		k.must(err)
		return got
	}
	asks := func(kind string) func(wire.Snapshot) bool {
		return func(s wire.Snapshot) bool { return s.Ask != nil && s.Ask.Kind == kind }
	}
	none := func(s wire.Snapshot) bool { return s.Ask == nil }

	if got := ask(); got != "refused" {
		t.Errorf("while the way is shut: %s", got)
	}
	k.choose(wire.Values{wire.SetLocalAPI: true})
	if got := ask(); got != "refused" {
		t.Errorf("a stranger: %s", got)
	}
	if q := k.until("asked about", asks("origin")).Ask; q.Origin != site.URL {
		t.Errorf("the question is about %q", q.Origin)
	}
	k.handle.post(wire.AllowOrigin{Origin: site.URL})
	k.until("allowed", func(s wire.Snapshot) bool {
		return none(s) && holds(s, wire.Values{wire.SetLocalOrigins: []string{site.URL}})
	})
	k.kept(folder, site.URL)
	if got := ask(); got != "204" {
		t.Errorf("listed: %s", got)
	}
	if q := k.until("a question", asks("dial")).Ask; q.Number != "0312345678" {
		t.Errorf("the question is about %q", q.Number)
	}
	k.handle.post(wire.Dismiss{})
	k.until("no call", none)

	_, port, err := net.SplitHostPort(strings.TrimPrefix(site.URL, "http://"))
	k.must(err)
	k.must(page.Go("http://localhost:" + port)) // another origin: the same server by another name
	k.eventually("asked about the other one", func() bool {
		if got := ask(); got != "refused" {
			t.Fatalf("a second stranger: %s", got)
		}
		return asks("origin")(k.snap())
	})
	k.handle.post(wire.Dismiss{})
	k.until("told no", none)
	for range 20 {
		if got := ask(); got != "refused" || k.snap().Ask != nil {
			t.Fatalf("after a no: %s, %+v", got, k.snap().Ask)
		}
	}
}
