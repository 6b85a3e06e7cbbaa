package cmd_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
)

// TestPagesAreForEverybody: axe finds nothing against WCAG 2.2 AA, in either language, light and dark. All pages show the same phone.
//
//ci:still
func TestPagesAreForEverybody(t *testing.T) {
	need(t, "chromium")
	axe := axeScript(t)
	d := &day{T: t, dir: t.TempDir()}
	ctx := context.Background()
	d.must(stage.Build(ctx, "..", d.dir, "softphone"))
	phone, err := stage.Start(ctx, filepath.Join(d.dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-demo", "-config", filepath.Join(d.dir, "config"), "-panel", "127.0.0.1:0", "-no-browser", "-no-tray", "-lang", "en")
	d.must(err)
	t.Cleanup(func() { phone.Stop() })
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	a := &access{day: d, axe: axe}
	for _, lang := range []string{"en", "ja"} {
		for _, dark := range []bool{false, true} {
			p, err := d.browser.Open(stage.Address(phone.String("panel"), "", lang), stage.View{Dark: dark})
			d.must(err)
			a.faces = append(a.faces, face{p, lang, dark})
		}
	}
	d.page = a.faces[0].page
	a.all("sign in", func(f face) error { return f.wait("textbox", "signin.account") })
	d.must(d.page.Type("Account", "demo"))
	d.must(d.page.Type("Password", "zaseki-demo"))
	d.must(d.page.Click("button", "Sign in"))
	a.all("terminal and seat", func(f face) error { return f.wait("combobox", "signin.terminal") })
	d.must(d.page.Select("Seat", "2"))
	d.must(d.page.Select("Status", "Available"))
	d.must(d.page.Click("button", "Sign in"))
	a.all("ringing", func(f face) error { return f.wait("button", "call.answer") })
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	d.must(d.page.Click("button", "Mute"))
	a.all("in a call", func(f face) error { return f.wait("button", "call.mute") })
	for _, place := range []struct{ role, key string }{{"tab", "lower.memo"}, {"link", "tab.calls"}, {"link", "tab.contacts"}} {
		a.all(place.key, func(f face) error { return f.page.Click(place.role, static.Say(f.lang, place.key, nil)+"…") })
	}
	a.settings()
	for i, f := range a.faces {
		a.faces[i].page, err = d.browser.Open(stage.Address(phone.String("panel"), "seats", f.lang), stage.View{Width: 1100, Height: 620, Dark: f.dark})
		d.must(err)
	}
	a.all("seats", func(f face) error { return f.wait("button", "settings.title") })
	for i, f := range a.faces {
		a.faces[i].page, err = d.browser.Open(stage.Address(phone.String("panel"), "help", f.lang), stage.View{Dark: f.dark})
		d.must(err)
	}
	a.all("help", func(f face) error { return f.wait("button", "help.close") })
}

// settings looks at every chapter.
func (a *access) settings() {
	a.Helper()
	for _, f := range a.faces {
		a.must(f.page.Click("button", static.Say(f.lang, "settings.title", nil)))
	}
	for _, chapter := range []string{"basic", "safety", "devices", "ring", "calls", "hotkeys", "links", "crm", "look", "network", "update", "move"} {
		a.all("settings, "+chapter, func(f face) error {
			return f.page.Select(static.Say(f.lang, "set.chapters", nil), static.Say(f.lang, "set.chapter."+chapter, nil))
		})
	}
}

// face is one of the pages.
type face struct {
	page *stage.Page
	lang string
	dark bool
}

func (f face) wait(role, key string) error {
	return f.page.Wait(role, static.Say(f.lang, key, nil))
}

type access struct {
	*day
	axe   string
	faces []face
}

// all looks at every page, once it shows what it shall. One rule is left out, which axe itself calls experimental: to it the letters
// below a key's digit, the running time of a status and the sign before a word are parts of the button's label.
func (a *access) all(what string, shows func(face) error) {
	a.Helper()
	for _, f := range a.faces {
		a.must(shows(f))
		found, err := stage.Eval[string](f.page, a.axe+`; (async () => {
			await Promise.all(document.getAnimations().map((a) => a.effect?.getTiming().iterations === Infinity ? 0 : a.finished.catch(() => 0)));
			const r = await axe.run(document, { resultTypes: ["violations"], rules: { "label-content-name-mismatch": { enabled: false } }, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
			return r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 160) + "\n    " + n.failureSummary.replaceAll("\n", " ").slice(0, 240))).join("\n");
		})()`)
		a.must(err)
		if found = strings.TrimSpace(found); found != "" {
			a.Errorf("%s, %s, dark %t:\n%s", what, f.lang, f.dark, found)
		}
	}
}

// axeScript is the script that knows what WCAG asks for.
func axeScript(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../static/test/node_modules/axe-core/axe.min.js")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("axe is missing: npm ci in static/test: %v", err)
		}
		t.Skipf("axe is missing: npm ci in static/test: %v", err)
	}
	return string(script)
}
