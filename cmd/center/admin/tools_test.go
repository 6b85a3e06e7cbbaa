package admin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// What the tests of the pages and of the API share.

// saying is the JSON of an answer.
func saying[T any](c *client, path string) (v T) {
	c.t.Helper()
	said, _ := c.want(200, "GET", path, nil)
	if err := json.Unmarshal([]byte(said), &v); err != nil {
		c.t.Fatalf("%s: %v", path, err)
	}
	return v
}

// waitFor asks again until something is so.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if is() {
			return
		}
		select {
		case <-t.Context().Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("waited for %s", what)
}

// axe is the script that knows what WCAG asks for.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../../static/test/node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("axe is missing: npm ci in static/test: %v", err)
		}
		t.Skipf("axe is missing: npm ci in static/test: %v", err)
	}
	return string(script)
}

// opened is a desk with somebody signed in.
func opened(t *testing.T, account string) *desk {
	t.Helper()
	return openDesk(t, false).as(account)
}

// as opens the pages and signs in.
func (d *desk) as(account string) *desk {
	d.Helper()
	d.open("/", "en", wide)
	d.signIn(account, password)
	d.must(d.page.Wait("heading", "Overview"))
	return d
}

// wants waits until a script of the page is true.
func (d *desk) wants(what, script string) {
	d.Helper()
	ok, err := stage.Eval[bool](d.page, `(async () => { for (let i = 0; i < 400; i++) { if (`+script+`) return true; await new Promise((r) => setTimeout(r, 20)); } return false; })()`)
	if d.must(err); !ok {
		d.Fatalf("waited for %s\n%s", what, d.page.Said())
	}
}

// goes opens a page in the same tab, and waits until the script is true.
func (d *desk) goes(path, script string) {
	d.Helper()
	_, err := stage.Eval[bool](d.page, fmt.Sprintf(`(history.pushState(null, "", %q), dispatchEvent(new Event("moved")))`, path))
	d.must(err)
	d.wants(path, script)
}

// presses clicks what a selector names.
func (d *desk) presses(selector string) {
	d.Helper()
	_, err := stage.Eval[bool](d.page, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
	d.must(err)
}

// sets puts a value into a control as a person's choice does.
func (d *desk) sets(selector, value string) {
	d.Helper()
	ok, err := stage.Eval[bool](d.page, fmt.Sprintf(`(() => { const el = document.querySelector(%q); if (!el) return false; el.value = %q;
		for (const e of ["input", "change"]) el.dispatchEvent(new Event(e, { bubbles: true })); return el.value === %q; })()`, selector, value, value))
	if d.must(err); !ok {
		d.Fatalf("cannot set %s to %q", selector, value)
	}
}
