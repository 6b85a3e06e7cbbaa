package admin_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/node"
)

// desk is a center with a browser before it.
type desk struct {
	*testing.T
	node    *node.Node
	browser *stage.Browser
	page    *stage.Page
}

func openDesk(t *testing.T, fresh bool) *desk {
	t.Helper()
	return before(t, func() *node.Node { return start(t, fresh) })
}

// before opens a browser before a center, which is started when there is one.
func before(t *testing.T, start func() *node.Node) *desk {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a browser")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	d := &desk{T: t, node: start()}
	var err error
	d.browser, err = stage.OpenBrowser(context.Background(), t.TempDir(), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	return d
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		if d.page != nil {
			d.Fatalf("%v\n%s", err, d.page.Said())
		}
		d.Fatal(err)
	}
}

func (d *desk) open(path, lang string, v stage.View) {
	d.Helper()
	page, err := d.browser.Open(d.node.HTTP()+path+"?lang="+lang, v)
	d.must(err)
	d.page = page
}

func (d *desk) signIn(account, password string) {
	d.Helper()
	d.must(d.page.Type("Account", account))
	d.must(d.page.Type("Password", password))
	d.must(d.page.Click("button", "Sign in"))
}

var wide = stage.View{Width: 1280, Height: 900}

// visit follows a link of the page's own list.
func (d *desk) visit(name string) {
	d.Helper()
	d.must(d.page.Click("link", name))
	d.must(d.page.Wait("heading", name))
}

func TestTheFirstStartLeadsToACenterThatWorks(t *testing.T) {
	d := openDesk(t, true)
	account, code, _ := d.node.Admin()
	d.open("/", "en", wide)
	d.signIn(account, "not this one")
	d.must(d.page.Wait("StaticText", "The account or the password is not right…"))
	d.signIn(account, code)
	d.must(d.page.Wait("heading", "Set up the center"))
	d.must(d.page.Type("Name of the center", "Hello Center"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Wait("textbox", "Name of the floor"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Type("Agents", "aoki, 青木 美咲\nbaba, 馬場 健, 1005, supervisor\nking, King, 1006, emperor"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Wait("textbox", "Name of the queue"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Click("button", "Set it up"))
	d.must(d.page.Wait("StaticText", "“emperor” is none of the choices…")) // told where it was typed, and all of it kept
	d.must(d.page.Type("Agents", "aoki, 青木 美咲\nbaba, 馬場 健, 1005, supervisor, a long password"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Click("button", "Next"))
	d.must(d.page.Click("button", "Set it up"))
	d.must(d.page.Wait("heading", "The center is ready"))
	d.must(d.page.Wait("StaticText", d.node.Join()))
	c := newClient(t, d.node, account, code)
	c.want(200, "GET", api+"/terminals/1001", nil)
	if said, _ := c.want(200, "GET", api+"/overview", nil); !strings.Contains(said, `"Hello Center"`) || !strings.Contains(said, `"seats":8`) {
		t.Error(said)
	}
	newClient(t, d.node, "baba", "a long password")
	// An agent's phone may sign in with the password that was shown, and is offered its own terminal.
	shown, err := stage.Eval[string](d.page, `document.querySelector("tbody code").textContent`)
	d.must(err)
	if said, _ := c.want(200, "POST", "/api/v1/check", map[string]string{"account": "aoki", "password": shown, "version": "3.9.0"}); !strings.Contains(said, `"1001"`) {
		t.Error(said)
	}
}

func TestAnAdministratorsDay(t *testing.T) {
	d := opened(t, "boss")

	// An account: faults stand beside their fields, and then it is there.
	d.visit("Accounts")
	d.must(d.page.Click("link", "Add an account"))
	d.must(d.page.Type("Account", "dan"))
	d.must(d.page.Type("Name", "Dan <b>D</b>"))
	d.must(d.page.Type("Password", "short"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "The password must have 10 to 256 characters."))
	d.must(d.page.Click("checkbox", "sales 営業"))
	d.must(d.page.Type("Password", ""))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("heading", "The new password"))
	d.must(d.page.Click("button", "Done"))
	d.must(d.page.Wait("heading", "Dan <b>D</b>"))
	d.must(d.page.Click("button", "Make a new password"))
	d.must(d.page.Click("button", "Make a new password")) // of the question
	d.must(d.page.Wait("heading", "The new password"))
	d.must(d.page.Click("button", "Done"))

	// A colleague is faster: it is told, what was typed stays, and can be saved over it.
	d.visit("Queues")
	d.must(d.page.Click("link", "7000"))
	d.must(d.page.Type("Name", "My name"))
	c := newClient(t, d.node, "boss", password)
	c.want(200, "PUT", api+"/queues/7000", `{"extension":"7000","name":"Theirs","priority":3}`)
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Somebody else changed this meanwhile…"))
	d.must(d.page.Wait("StaticText", "Name: Theirs"))
	if v, err := d.page.Value("textbox", "Name"); err != nil || v != "My name" {
		t.Errorf("what was typed is %q (%v)", v, err)
	}
	d.must(d.page.Click("button", "Save mine over it"))
	d.must(d.page.Wait("StaticText", "Saved."))
	if said, _ := c.want(200, "GET", api+"/queues/7000", nil); !strings.Contains(said, "My name") {
		t.Error(said)
	}

	// The map: a seat is dragged, another one moved by the keyboard, and a whole row added.
	d.visit("Floors and seats")
	d.must(d.page.Click("link", "1"))
	d.must(d.page.Wait("button", "Seat 1, column 0, row 0"))
	d.drag("Seat 1, column 0, row 0", 3, 2)
	d.must(d.page.Wait("button", "Seat 1, column 3, row 2"))
	d.must(d.page.Click("button", "Undo"))
	d.must(d.page.Wait("button", "Seat 1, column 0, row 0"))
	d.drag("Seat 1, column 0, row 0", 3, 2)
	d.must(d.page.Click("button", "Add a row of seats"))
	d.must(d.page.Wait("button", "Seat 8, column 5, row 3"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))
	if said, _ := c.want(200, "GET", api+"/floors/1/map", nil); strings.Count(said, `"floor":"1"`) != 8 || !strings.Contains(said, `"id":"1","name":"1","floor":"1","x":3,"y":2`) {
		t.Error(said)
	}

	// A policy says whom it touches before it is saved.
	d.visit("Policies")
	d.must(d.page.Click("link", "p"))
	d.must(d.page.Select("Second factor at phones", "Everybody"))
	d.must(d.page.Click("button", "Whom does it touch?"))
	d.must(d.page.Wait("rowheader", "Alice"))
	d.must(d.page.Click("button", "Save"))
	d.must(d.page.Wait("StaticText", "Saved."))

	// What is used is named, and stays.
	d.visit("Groups")
	d.must(d.page.Click("link", "sales"))
	d.must(d.page.Click("button", "Remove"))
	d.must(d.page.Wait("StaticText", "Remove sales? This cannot be taken back."))
	d.must(d.page.Click("button", "Remove"))
	d.must(d.page.Wait("StaticText", "This cannot be removed…"))

	d.visit("Audit log")
	d.must(d.page.Wait("StaticText", "dan"))
	d.must(d.page.Click("button", "Sign out"))
	d.must(d.page.Wait("heading", "Sign in"))
}

// drag pulls an element so many cells to the right and down.
func (d *desk) drag(name string, x, y int) {
	d.Helper()
	script := fmt.Sprintf(`(() => { const el = document.querySelector('[aria-label=%q]'), b = el.getBoundingClientRect(), at = (x, y) => ({ bubbles: true, pointerId: 1, button: 0, clientX: b.x + 20 + x * 48, clientY: b.y + 20 + y * 48 });
		el.setPointerCapture = () => {};
		el.dispatchEvent(new PointerEvent("pointerdown", at(0, 0)));
		for (let i = 1; i <= 4; i++) el.dispatchEvent(new PointerEvent("pointermove", at(%d * i / 4, %d * i / 4)));
		el.dispatchEvent(new PointerEvent("pointerup", at(%d, %d))); return true; })()`, name, x, y, x, y)
	_, err := stage.Eval[bool](d.page, script)
	d.must(err)
}

func TestASupervisorSeesLessAndChangesNothing(t *testing.T) {
	d := opened(t, "carol")
	d.visit("Accounts")
	d.must(d.page.Wait("link", "alice"))
	for role, name := range map[string]string{"link": "bob", "button": "Save"} {
		if d.page.Has(role, name) {
			t.Errorf("a supervisor sees %s %q", role, name)
		}
	}
	for _, name := range []string{"Policies", "Center settings", "Audit log", "Add an account"} {
		if d.page.Has("link", name) {
			t.Errorf("a supervisor sees the link %q", name)
		}
	}
	d.must(d.page.Click("link", "alice"))
	d.must(d.page.Wait("heading", "Alice"))
	if d.page.Has("button", "Save") || d.page.Has("button", "Make a new password") {
		t.Error("a supervisor is offered to change an account")
	}
}

// TestEveryPageInBothLanguagesLightAndDark opens all of them: nothing against WCAG 2.2 AA, no key instead of words, nothing wider than
// the window. With ZASEKI_SHOTS set, pictures of all of them, small and large, light and dark, go to that folder.
func TestEveryPageInBothLanguagesLightAndDark(t *testing.T) {
	d := openDesk(t, false)
	axe := axe(t)
	d.as("boss")
	shots := os.Getenv("ZASEKI_SHOTS")
	views := map[string][]stage.View{"en": {{Width: 320, Height: 700}}, "ja": {{Width: 1280, Height: 900, Dark: true}}}
	if shots != "" {
		all := []stage.View{{Width: 360, Height: 740}, {Width: 1280, Height: 900, Dark: true}, wide, {Width: 360, Height: 740, Dark: true}}
		views = map[string][]stage.View{"en": all, "ja": all}
	}
	paths := []string{"/", "/admin/setup", "/admin/accounts", "/admin/accounts/alice", "/admin/groups/sales", "/admin/terminals", "/admin/terminals/+", "/admin/queues/7000", "/admin/calendars/day",
		"/admin/statuses", "/admin/statuses/training", "/admin/floors", "/admin/floors/1", "/admin/policies/p", "/admin/site", "/admin/pbxs/old", "/admin/versions", "/admin/audit", "/admin/warnings", "/admin/policies", "/admin/policies/+", "/admin/queues", "/admin/groups",
		"/admin/contacts", "/admin/contacts/a1", "/admin/contacts/+", "/admin/contacts/import", "/admin/outcomes", "/admin/outcomes/sold", "/admin/outcomes/+"}
	for lang, looks := range views {
		for _, v := range looks {
			d.look("/", lang, v, axe, shots, paths...)
		}
	}
}

// look goes from page to page in one tab and finds what none may have.
func (d *desk) look(first, lang string, v stage.View, axe, shots string, paths ...string) {
	d.Helper()
	page, err := d.browser.Open(d.node.HTTP()+first+"?lang="+lang, v)
	d.must(err)
	defer page.Close()
	d.must(page.Wait("button", map[string]string{"en": "Sign out", "ja": "サインアウト"}[lang]))
	_, err = stage.Eval[bool](page, axe+"; true")
	d.must(err)
	for _, path := range paths {
		faults, err := stage.Eval[[]string](page, `(async () => {
			const before = document.querySelector("main h1");
			history.pushState(null, "", "`+path+`?lang=`+lang+`");
			dispatchEvent(new Event("moved"));
			for (let i = 0; i < 300 && (!document.querySelector("main h1") || document.querySelector("main h1") === before); i++) await new Promise((r) => setTimeout(r, 20));
			const out = [];
			if (document.documentElement.scrollWidth > innerWidth) out.push("wider than the window: " + document.documentElement.scrollWidth);
			const raw = document.body.innerText.match(/\b(admin|problem)\.[a-z_.]+/g);
			if (raw) out.push("keys instead of words: " + [...new Set(raw)].join(" "));
			if (document.querySelectorAll("h1").length !== 1) out.push("not one heading of the first level");
			const r = await axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
			for (const v of r.violations) for (const n of v.nodes) out.push(v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replaceAll("\n", " ").slice(0, 240));
			return out;
		})()`)
		d.must(err)
		for _, f := range faults {
			d.Errorf("%s %s %d dark %v: %s", path, lang, v.Width, v.Dark, f)
		}
		if shots != "" {
			name := fmt.Sprintf("%s-%d-%s-%s.png", lang, v.Width, map[bool]string{true: "dark", false: "light"}[v.Dark], strings.ReplaceAll(strings.Trim(path, "/"), "/", "_"))
			d.must(page.Shot(filepath.Join(shots, name)))
		}
	}
}
