package cmd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// customerSystem is a real server on another origin, whose pages say what they can get at.
type customerSystem struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	told  []string // by its pages' scripts
}

// newCustomerSystem: every page tries to take the page away that opened it, and tells how that went.
func newCustomerSystem(t *testing.T) *customerSystem {
	c := &customerSystem{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch r.URL.Path {
		case "/login", "/card":
			c.asked = append(c.asked, r.URL.RequestURI())
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><title>customers</title><script>
				const said = [];
				const attempt = (name, what) => { try { what(); } catch { said.push(name); } };
				window.tab = window.tab ?? sessionStorage.getItem("tab") ?? String(Math.random());
				sessionStorage.setItem("tab", window.tab);
				attempt("top", () => { window.opener.top.location.href = "/stolen"; });
				attempt("opener", () => { window.opener.location.href = "/stolen"; });
				attempt("document", () => { window.opener.document.title = "stolen"; });
				attempt("top document", () => { window.opener.top.document.title = "stolen"; });
				setTimeout(() => fetch("/told?" + new URLSearchParams({ tab: window.tab, said: said.join(",") })), 300);
			</script>`)
		case "/told":
			c.told = append(c.told, r.URL.RawQuery)
		case "/stolen":
			c.asked = append(c.asked, "stolen")
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// until waits for so many pages that have told, and gives what was asked for and told.
func (c *customerSystem) until(t *testing.T, n int) (asked, told []string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		c.mu.Lock()
		asked, told = append([]string(nil), c.asked...), append([]string(nil), c.told...)
		c.mu.Unlock()
		if len(told) >= n {
			return asked, told
		}
	}
	t.Fatalf("asked for %q, told %q", asked, told)
	return nil, nil
}

// TestTheCustomerSystemHasOneTab: its page opens with the click on Sign in, every call is shown in the same tab, and what is shown there
// can neither read nor take away the phone's page (PRODUCT A15).
//
//ci:still
func TestTheCustomerSystemHasOneTab(t *testing.T) {
	need(t, "chromium")
	crm, ctx := newCustomerSystem(t), context.Background()
	d := &day{T: t, dir: t.TempDir(), customerSays: make([]int16, 8000)}
	build(t, d.dir, "center", "softphone")
	file, err := stage.Floor(d.dir, nil)
	d.must(err)
	data, err := os.ReadFile(file)
	d.must(err)
	var floor map[string]any
	d.must(json.Unmarshal(data, &floor))
	floor["site"].(map[string]any)["crm"] = map[string]any{"login": crm.URL + "/login", "call": crm.URL + "/card?from={caller}", "when": "ring", "outside": true}
	data, err = json.Marshal(floor)
	d.must(err)
	d.must(os.WriteFile(file, data, 0o600))
	d.begin(ctx, file, stage.View{})

	d.signIn("agent1", "Available", "2")
	asked, told := crm.until(t, 1)
	customer := d.customer()
	d.must(d.page.Wait("StaticText", "Line registered…"))
	for i := 2; i <= 3; i++ {
		call, err := customer.Call(ctx, stage.Queue)
		d.must(err)
		asked, told = crm.until(t, i)
		d.must(customer.Line.Hangup(ctx, call))
		d.must(d.page.Gone("button", "Answer"))
	}
	if card := "/card?from=" + stage.Outside; len(asked) != 3 || asked[0] != "/login" || asked[1] != card || asked[2] != card {
		t.Errorf("asked for %q", asked)
	}
	for _, said := range told {
		if said != told[0] {
			t.Errorf("another tab, or another answer: %q and %q", told[0], said)
		}
	}
	t.Log(told)
	if at, err := stage.Eval[string](d.page, `location.host + " " + document.title`); err != nil || at[:len("127.0.0.1")] != "127.0.0.1" {
		t.Errorf("the phone's page is %q, %v", at, err)
	}
}
