package cmd_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/static"
)

// screens are the widths that pages are looked at in: the smallest telephone, a window beside others, and 4K.
var screens = []stage.View{{Width: 320, Height: 720}, {Width: 1280, Height: 860}, {Width: 3840, Height: 2160}}

// gallery is a demo that two pages look at, each in its language.
type gallery struct {
	*day
	pages map[string]*stage.Page
	dir   string // for pictures of all that is seen; "" only those of album
	n     int
}

func openGallery(t *testing.T, langs ...string) *gallery {
	need(t, "chromium")
	g := &gallery{day: &day{T: t, dir: t.TempDir()}, pages: map[string]*stage.Page{}, dir: os.Getenv("ZASEKI_SHOTS")}
	build(t, g.day.dir, "softphone")
	ctx := context.Background()
	var err error
	g.phone, err = stage.Start(ctx, filepath.Join(g.day.dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-demo", "-config", filepath.Join(g.day.dir, "config"), "-panel", "127.0.0.1:0", "-no-browser", "-no-tray", "-lang", "en")
	g.must(err)
	t.Cleanup(func() { g.phone.Stop() })
	g.browser, err = stage.OpenBrowser(ctx, filepath.Join(g.day.dir, "profile"), "")
	g.must(err)
	t.Cleanup(g.browser.Close)
	for _, lang := range langs {
		g.pages[lang], err = g.browser.Open(stage.Address(g.phone.String("panel"), "", lang), screens[1])
		g.must(err)
		g.must(g.pages[lang].Wait("textbox", static.Say(lang, "signin.account", nil)))
	}
	g.page = g.pages[langs[0]]
	return g
}

// TestPagesFitEveryScreen: on no width is anything cut off or wider than the window, in either language, light and dark, also with text
// twice as large. Pictures are kept to be looked at: those of album in a folder that the log names, with ZASEKI_SHOTS all in that one.
//
//ci:still
func TestPagesFitEveryScreen(t *testing.T) {
	g := openGallery(t, "en", "ja")
	g.must(os.MkdirAll(album(), 0o755))
	t.Logf("pictures: %s", album())
	g.all("sign-in")
	g.must(g.page.Type("Account", "demo"))
	g.must(g.page.Type("Password", "zaseki-demo"))
	g.must(g.page.Click("button", "Sign in"))
	g.wait("combobox", "signin.terminal")
	g.all("choose")
	g.must(g.page.Select("Seat", "2"))
	g.must(g.page.Select("Status", "Available"))
	g.must(g.page.Click("button", "Sign in"))
	g.wait("button", "call.answer")
	g.all("ringing")
	g.wait("button", "call.answer")
	g.must(g.page.Click("button", "Answer"))
	g.must(g.page.Wait("button", "Mute"))
	g.must(g.page.Click("button", "Mute"))
	g.all("talking")
	g.must(g.page.Click("button", "Hang up"))
	g.every(func(lang string, p *stage.Page) error { return p.Click("tab", static.Say(lang, "lower.memo", nil)) })
	g.all("notes")
	for _, tab := range []string{"calls", "contacts", "seats"} {
		g.every(func(lang string, p *stage.Page) error {
			return p.Click("link", static.Say(lang, "tab."+tab, nil)+"…")
		})
		g.all(tab)
	}
	g.every(func(lang string, p *stage.Page) error {
		return p.Click("button", static.Say(lang, "settings.title", nil))
	})
	for _, chapter := range []string{"basic", "safety", "devices", "ring", "calls", "hotkeys", "links", "crm", "look", "network", "update", "move"} {
		g.every(func(lang string, p *stage.Page) error {
			g.must(p.Look(screens[0])) // where the list of chapters is a combo box
			return p.Select(static.Say(lang, "set.chapters", nil), static.Say(lang, "set.chapter."+chapter, nil))
		})
		g.all("settings-" + chapter)
	}
	for lang, p := range g.pages {
		p.Close()
		var err error
		g.pages[lang], err = g.browser.Open(stage.Address(g.phone.String("panel"), "help", lang), screens[1])
		g.must(err)
	}
	g.wait("button", "help.close")
	g.all("help")
}

// album is where pictures of the pages lie that CI keeps: the next run writes over them.
func album() string { return filepath.Join(os.TempDir(), "zaseki-shots") }

// inAlbum are the pages in it, in both languages, light and dark, at every width.
var inAlbum = []string{"talking", "calls", "seats", "settings-basic", "help"}

func (g *gallery) every(do func(lang string, p *stage.Page) error) {
	g.Helper()
	for _, lang := range []string{"en", "ja"} {
		g.must(do(lang, g.pages[lang]))
	}
}

func (g *gallery) wait(role, key string) {
	g.Helper()
	g.every(func(lang string, p *stage.Page) error { return p.Wait(role, static.Say(lang, key, nil)) })
}

// all looks at what the pages show now on every screen.
func (g *gallery) all(name string) {
	g.Helper()
	g.n++
	g.every(func(lang string, p *stage.Page) error {
		for i, screen := range screens {
			for _, screen.Dark = range []bool{false, true} {
				if screen.Dark && g.dir == "" && !slices.Contains(inAlbum, name) {
					continue // colours have no size
				}
				g.must(p.Look(screen))
				g.fits(fmt.Sprint(name, " ", lang, " ", screen.Width), p)
				scheme := map[bool]string{true: "dark", false: "light"}[screen.Dark]
				if slices.Contains(inAlbum, name) {
					g.must(p.Shot(filepath.Join(album(), fmt.Sprintf("%s-%s-%s-%d.png", name, lang, scheme, screen.Width))))
				}
				if g.dir != "" && i < 2 {
					g.must(p.Shot(filepath.Join(g.dir, fmt.Sprintf("%02d-%s-%s-%s-%d.png", g.n, name, lang, scheme, screen.Width))))
				}
			}
		}
		if _, err := stage.Eval[any](p, `document.documentElement.style.fontSize = "30px"`); err != nil {
			return err
		}
		g.must(p.Look(screens[1]))
		g.fits(name+" "+lang+" with large text", p)
		_, err := stage.Eval[any](p, `document.documentElement.style.fontSize = ""`)
		return err
	})
}

// fits looks for what is wider than the window, and for buttons whose words do not fit. What scrolls by itself, or is shortened on
// purpose, may be longer than its place.
func (g *gallery) fits(where string, p *stage.Page) {
	g.Helper()
	found, err := stage.Eval[string](p, `(async () => {
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
		const name = (e) => e.tagName + "." + e.className + " " + JSON.stringify(e.textContent.slice(0, 40));
		const wide = [], all = document.querySelectorAll("body *"), page = document.scrollingElement;
		if (page.scrollWidth > innerWidth) {
			const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
			for (let n = words.nextNode(); n; n = words.nextNode()) {
				range.selectNodeContents(n);
				if (range.getBoundingClientRect().right > innerWidth + 1) wide.push("words of " + name(n.parentElement));
			}
			wide.push("the page is " + page.scrollWidth + " wide");
		}
		for (const e of all) {
			if (!e.checkVisibility() || e.closest(".unseen, .seat-scroll, svg, [aria-hidden]")) continue;
			const box = e.getBoundingClientRect();
			if (box.width && (box.right > innerWidth + 1 || box.left < -1)) wide.push(name(e) + " from " + Math.round(box.left) + " to " + Math.round(box.right));
			if (e.matches("button, a, label, legend") && e.scrollWidth > e.clientWidth + 1 && e.clientWidth) wide.push(name(e) + " needs " + e.scrollWidth + " has " + e.clientWidth);
		}
		return wide.slice(0, 6).join("\n");
	})()`)
	g.must(err)
	if found != "" {
		g.Errorf("%s:\n%s", where, found)
	}
}

// TestNothingJumpsWhenACallComesAndGoes: from ready over ringing and talking to after-call work the status, the tabs, the number and the
// keys stay where they are, at arm's length and on a large screen.
//
//ci:still
func TestNothingJumpsWhenACallComesAndGoes(t *testing.T) {
	for _, screen := range []stage.View{{Width: 320, Height: 720}, {Width: 420, Height: 860}, {Width: 1280, Height: 860}} {
		t.Run(fmt.Sprint(screen.Width), func(t *testing.T) {
			g := openGallery(t, "en")
			g.must(g.page.Look(screen))
			g.must(g.page.Type("Account", "demo"))
			g.must(g.page.Type("Password", "zaseki-demo"))
			g.must(g.page.Click("button", "Sign in"))
			g.must(g.page.Wait("combobox", "Terminal"))
			g.must(g.page.Select("Status", "Available"))
			g.must(g.page.Click("button", "Sign in"))
			g.must(g.page.Wait("button", "Available…"))
			ready := g.places()
			g.must(g.page.Wait("button", "Answer"))
			g.stays("ringing", ready)
			g.must(g.page.Click("button", "Answer"))
			g.must(g.page.Wait("button", "Mute"))
			g.stays("talking", ready)
			acts := g.acts()
			g.must(g.page.Click("button", "Mute"))
			g.must(g.page.Wait("StaticText", "Unmute…"))
			g.stays("muted", ready)
			if now := g.acts(); now != acts {
				t.Errorf("the buttons of the call moved when it was muted:\n%s\n%s", acts, now)
			}
			g.must(g.page.Click("button", "Hold"))
			g.must(g.page.Wait("button", "Resume"))
			g.stays("held", ready)
			g.must(g.page.Click("button", "Hang up"))
			g.must(g.page.Wait("button", "After-call work…"))
			g.stays("after the call", ready)
		})
	}
}

// TestLookAndLanguageHoldAtOnce: a choice in the settings is on the page at once, without a load, with the keyboard where it was; and it is
// there again after a load.
//
//ci:still
func TestLookAndLanguageHoldAtOnce(t *testing.T) {
	g := openGallery(t, "en")
	g.must(g.page.Type("Account", "demo"))
	g.must(g.page.Type("Password", "zaseki-demo"))
	g.must(g.page.Click("button", "Sign in"))
	g.must(g.page.Wait("combobox", "Terminal"))
	g.must(g.page.Click("button", "Sign in"))
	g.must(g.page.Click("button", "Settings"))
	g.must(g.page.Click("button", "Appearance and language"))
	g.is(`(window.same = 1) && getComputedStyle(document.body).color`, "rgb(24, 32, 44)")
	g.must(g.page.Click("radio", "Dark"))
	g.is(`getComputedStyle(document.body).color`, "rgb(232, 236, 242)")
	g.must(g.page.Click("radio", "日本語"))
	g.must(g.page.Wait("heading", "表示と言語"))
	g.is(`window.same + " " + document.activeElement.id + " " + document.documentElement.lang`, "1 page-lang-ja ja")
	g.must(g.page.Reload())
	g.must(g.page.Wait("link", "通話履歴…"))
	g.is(`getComputedStyle(document.body).color`, "rgb(232, 236, 242)")
	g.must(g.page.Click("button", "設定"))
	g.must(g.page.Click("button", "書き出しと読み込み"))
	g.must(g.page.Wait("button", "ファイルに書き出す"))
}

// is waits until the script gives that.
func (g *gallery) is(script, want string) {
	g.Helper()
	var got string
	for range 300 {
		var err error
		got, err = stage.Eval[string](g.page, `new Promise((done) => setTimeout(() => done(String((`+script+`))), 20))`)
		if err == nil && got == want {
			return
		}
	}
	g.Errorf("%s is %q, want %q", script, got, want)
}

// places are where the things are that are always there.
func (g *gallery) places() string {
	g.Helper()
	return g.boxes(".identity", ".status", ".tab", ".gear", ".more", ".stage", "#number", ".dial-row > button", ".key")
}

func (g *gallery) acts() string { return g.boxes(".act:not([hidden])") }

func (g *gallery) boxes(of ...string) string {
	g.Helper()
	found, err := stage.Eval[string](g.page, `(async () => {
		await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
		return [...document.querySelectorAll(`+"`"+strings.Join(of, ", ")+"`"+`)].filter((e) => e.checkVisibility()).map((e) => {
			const b = e.getBoundingClientRect();
			return (e.getAttribute("class") + e.id) + " " + [b.left, b.top + scrollY, b.width, b.height].map(Math.round).join(" ");
		}).join("\n");
	})()`)
	g.must(err)
	return found
}

func (g *gallery) stays(when, before string) {
	g.Helper()
	now := strings.Split(g.places(), "\n")
	for i, was := range strings.Split(before, "\n") {
		if is := cmp.Or(append(now, "")[min(i, len(now))], "gone"); is != was {
			g.Errorf("%s: %s, was %s", when, is, was)
		}
	}
}
