package cmd_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
)

// hostile is what somebody types, pastes, or has a program put into a text box.
var hostile = []struct{ name, text string }{
	{"control", "a\x00b\x07c\x1b[31md\x7fe\tf\r\ng\u0085h\u2028i"},
	{"bidi", "abc\u202egpj.exe\u202c \u2066x\u2069 \u200f\u061c\u05d0\u05d1"},
	{"zero width", "a\u200bb\u200cc\u200dd\ufeffe\u00adf\u2060g\U000e0041"},
	{"script", `"><img src=x onerror="hacked=1"><script>hacked=1</script><svg onload=hacked=1>${hacked=1}{{hacked=1}}javascript:hacked=1//%3Cscript%3E'--;=HYPERLINK("http://evil.test")`},
	{"marks", strings.Repeat("Z\u0337\u0334\u0301\u0353\u20dd", 60)},
	{"long", strings.Repeat("W", 5000) + strings.Repeat("座", 5000)},
}

// witness notes in the page what must never happen: errors, breaches of the content policy, dialogs.
const witness = `globalThis.trouble = [];
	addEventListener("error", (e) => trouble.push("error: " + e.message));
	addEventListener("unhandledrejection", (e) => trouble.push("rejected: " + (e.reason?.stack ?? e.reason)));
	addEventListener("securitypolicyviolation", (e) => trouble.push("policy: " + e.violatedDirective + " " + e.blockedURI));
	for (const f of ["alert", "confirm", "prompt", "open"]) globalThis[f] = () => trouble.push(f);`

// boxes are the text boxes that can be seen and typed into, as a screen reader knows them: what has the role textbox, searchbox or
// spinbutton by its kind or by its word.
const boxes = `[...document.querySelectorAll("input, textarea, [contenteditable], [role=textbox], [role=searchbox]")].filter((e) =>
	!["checkbox", "radio", "button", "submit", "reset", "range", "color", "file", "hidden", "image"].includes(e.type) &&
	e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !e.readOnly && !e.closest("[inert]"))`

// TestNoTextBoxBreaksAPage puts control characters, bidi and zero-width ones, markup, heaps of accents and 10,000 characters into every
// text box of every page, and lets go of it as a person would (issue 6: bad input). Nothing runs, nothing throws, nothing jumps out of
// its place, the page goes on, and axe finds what it found before: nothing.
//
//ci:still
func TestNoTextBoxBreaksAPage(t *testing.T) {
	g := openGallery(t, "en")
	f := &typist{gallery: g, axe: axeScript(t), seen: map[string]bool{}}
	g.must(g.page.Look(screens[0]))
	g.must(g.page.Before(witness))
	g.must(g.page.Reload())
	g.must(g.page.Wait("textbox", "Account"))
	f.everywhere("sign-in", false) // each press of its button would be one more try to get in
	g.must(g.page.Type("Account", hostile[3].text))
	g.must(g.page.Type("Password", hostile[0].text))
	g.must(g.page.Click("button", "Sign in"))
	g.must(g.page.Wait("alert", "…"))
	f.sound("sign-in refused")
	g.must(g.page.Reload())
	g.must(g.page.Type("Account", "demo"))
	g.must(g.page.Type("Password", "zaseki-demo"))
	g.must(g.page.Click("button", "Sign in"))
	g.must(g.page.Wait("combobox", "Terminal"))
	f.everywhere("step two", false)
	g.must(g.page.Select("Status", "On break"))
	g.must(g.page.Click("button", "Sign in"))
	g.must(g.page.Wait("button", "On break…"))
	f.everywhere("phone", true)
	f.inACall()
	for _, tab := range []string{"Calls", "Contacts", "Phonebook", "Seats"} {
		if g.page.Has("link", tab) {
			g.must(g.page.Click("link", tab))
			f.everywhere(tab, true)
		}
	}
	f.contact()
	g.must(g.page.Click("button", "Settings"))
	g.must(g.page.Wait("combobox", "Chapters of the settings"))
	chapters, err := stage.Eval[string](g.page, `[...document.querySelectorAll("select")].find((s) => s.checkVisibility() && s.options.length > 6)?.options.length + ""`)
	g.must(err)
	var n int
	if _, err := fmt.Sscan(chapters, &n); err != nil || n < 10 {
		t.Fatalf("the settings have %s chapters", chapters)
	}
	for i := range n {
		name, err := stage.Eval[string](g.page, fmt.Sprintf(`(() => { const s = [...document.querySelectorAll("select")].find((s) => s.checkVisibility() && s.options.length > 6);
			s.value = s.options[%d].value; s.dispatchEvent(new Event("input", { bubbles: true })); s.dispatchEvent(new Event("change", { bubbles: true })); return s.options[%d].text; })()`, i, i))
		g.must(err)
		f.everywhere("settings, "+name, true)
	}
	for _, box := range []string{"phone", "transfer", "notes", "contact", "settings"} {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(f.seen)), func(name string) bool { return strings.HasPrefix(name, box) }) {
			t.Errorf("no text box was found in %s", box)
		}
	}
	if f.filled < 9*len(hostile) {
		t.Errorf("%d texts were typed: where are the text boxes?", f.filled)
	}
	t.Logf("%d texts were typed into %d boxes", f.filled, len(f.seen))
	p, err := g.browser.Open(stage.English(g.phone.String("panel"), ""), screens[1])
	g.must(err)
	g.must(p.Wait("button", "On break…")) // who comes afresh finds a phone
}

// typist types into what it finds.
type typist struct {
	*gallery
	axe    string
	filled int
	seen   map[string]bool
}

// inACall types where a call is sent, and what is written about it.
func (f *typist) inACall() {
	f.Helper()
	_, err := stage.Eval[bool](f.page, `(() => { const box = document.querySelector("#number"); // notices of what was typed lie over it
		box.value = "`+echoLine+`"; box.dispatchEvent(new Event("input", { bubbles: true })); box.form.requestSubmit(); return true; })()`)
	f.must(err)
	f.must(f.page.Click("button", "Transfer"))
	f.must(f.page.Wait("textbox", "Transfer to"))
	f.everywhere("transfer", true)
	f.must(f.page.Click("tab", "Notes"))
	f.must(f.page.Wait("textbox", "Notes"))
	f.everywhere("notes", true)
	f.must(f.page.Click("button", "Hang up"))
	f.must(f.page.Gone("button", "Hang up"))
}

// contact types into the editor of a contact, and wants it kept.
func (f *typist) contact() {
	f.Helper()
	f.must(f.page.Click("link", "Contacts…"))
	f.must(f.page.Click("button", "Add a contact"))
	f.must(f.page.Wait("textbox", "Telephone number"))
	f.everywhere("contact", false)
	f.must(f.page.Click("button", "Save"))
	f.safe("a contact of all that")
	f.must(f.page.Reload())
	f.must(f.page.Wait("button", "On break…"))
}

// echoLine is the demo's echo.
const echoLine = "9000"

// everywhere types each text into each box of what is shown; commit says that the box is left, and Enter pressed in it.
func (f *typist) everywhere(where string, commit bool) {
	f.Helper()
	count, err := stage.Eval[int](f.page, boxes+`.length`)
	f.must(err)
	for i := range count {
		for _, h := range hostile {
			text, err := json.Marshal(h.text)
			f.must(err)
			name, err := stage.Eval[string](f.page, fmt.Sprintf(`(async () => {
				const box = %s[%d];
				if (!box) return "";
				box.scrollIntoView({ block: "center" });
				box.focus();
				box.select?.();
				const before = box.getBoundingClientRect().width;
				if (!document.execCommand("insertText", false, %s) && "value" in box) {
					box.value = %s;
					box.dispatchEvent(new Event("input", { bubbles: true }));
				}
				if (%t) {
					for (const type of ["keydown", "keyup"]) box.dispatchEvent(new KeyboardEvent(type, { key: "Enter", code: "Enter", bubbles: true, cancelable: true }));
					if (box.isConnected) { box.dispatchEvent(new Event("change", { bubbles: true })); box.form?.requestSubmit(); }
					box.blur();
				}
				await new Promise((done) => setTimeout(done, 60));
				if (box.isConnected && box.checkVisibility() && box.getBoundingClientRect().width > before + 1) trouble.push("the box grew from " + before + " to " + box.getBoundingClientRect().width);
				return (box.labels?.[0]?.textContent || box.ariaLabel || box.placeholder || box.type).trim().slice(0, 40) || "nameless";
			})()`, boxes, i, text, text, commit))
			f.must(err)
			if name == "" {
				continue // what was typed has taken the box away
			}
			f.filled++
			f.seen[where+name] = true
			f.safe(fmt.Sprintf("%s, %q, %s", where, name, h.name))
		}
	}
	if count > 0 {
		f.sound(where)
	}
}

// safe asks that nothing ran or threw, that nothing is wider than the window, and that the page is connected.
func (f *typist) safe(where string) {
	f.Helper()
	said, err := stage.Eval[string](f.page, `(() => { const was = trouble.splice(0);
		if (globalThis.hacked !== undefined) was.push("a script ran");
		if (document.querySelector('img[src="x"], body svg[onload], body script:not([src])')) was.push("markup became elements");
		if (document.querySelector(".lost")?.checkVisibility()) was.push("the connection is lost");
		return was.join("; "); })()`)
	f.must(err)
	if said != "" {
		f.Errorf("%s: %s", where, said)
	}
	f.fits(where, f.page)
}

// sound asks axe.
func (f *typist) sound(where string) {
	f.Helper()
	a := &access{day: f.day, axe: f.axe, faces: []face{{f.page, "en", false}}}
	a.all(where+", after all that", func(face) error { return nil })
}
