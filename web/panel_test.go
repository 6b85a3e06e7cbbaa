package web

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"zaseki/web/wire"
)

// browse opens the panel's own address in a real browser and gives what works it by role and name.
func browse(t *testing.T, r *rig, url string) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("browser: not with -short")
	}
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no browser: %v", err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("headless", "new"), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, end := chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(end)
	tab, leave := chromedp.NewContext(ctx)
	t.Cleanup(leave)
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1200, 800), chromedp.Navigate(url)); err != nil {
		t.Fatal(err)
	}
	return &browser{t, tab}
}

type browser struct {
	t   *testing.T
	tab context.Context
}

// find is a function of the page: the one visible control of that role and name, or null.
const find = `(role, name) => {
  const roles = { button: "button:not([role])", textbox: "input", combobox: "select", link: "a" };
  const named = (e) => e.getAttribute("aria-label") || (e.labels && e.labels[0] ? e.labels[0].textContent : e.textContent.trim());
  const all = [...document.querySelectorAll((roles[role] ? roles[role] + "," : "") + "[role=" + role + "]")];
  return all.find((e) => named(e) === name && e.checkVisibility()) ?? null;
}`

func eval[T any](b *browser, js string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.tab, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", js, err)
	}
	return v
}

// until waits for an expression of the page to be true.
func (b *browser) until(js string) {
	b.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !eval[bool](b, "Boolean("+js+")") {
		if time.Now().After(deadline) {
			b.t.Fatalf("never true: %s\npage: %s", js, eval[string](b, "document.body.innerText"))
		}
		eval[any](b, "new Promise((done) => setTimeout(done, 20))")
	}
}

func (b *browser) sees(role, name string) {
	b.t.Helper()
	b.until(fmt.Sprintf("(%s)(%q, %q)", find, role, name))
}

func (b *browser) lacks(role, name string) {
	b.t.Helper()
	b.until(fmt.Sprintf("!(%s)(%q, %q)", find, role, name))
}

func (b *browser) click(role, name string) {
	b.t.Helper()
	b.sees(role, name)
	eval[any](b, fmt.Sprintf("{ const e = (%s)(%q, %q); e.focus(); e.click(); }", find, role, name))
}

func (b *browser) types(name, text string) {
	b.t.Helper()
	b.sees("textbox", name)
	eval[any](b, fmt.Sprintf("(%s)(%q, %q).focus()", find, "textbox", name))
	if err := chromedp.Do(b.tab, chromedp.KeyEvent(text)); err != nil {
		b.t.Fatal(err)
	}
}

func signedIn() wire.Snapshot {
	return wire.Snapshot{
		Phase: wire.PhaseIn, Account: "sato", Center: wire.CenterLink{Name: "Tokyo", Online: true}, Line: wire.Line{State: "registered", Proven: time.Now()},
		Me:     &wire.Me{Account: "sato", Name: "Sato", Role: "agent", Terminal: wire.Terminal{ID: "2001", Extension: "2001", Type: "softphone"}},
		Status: wire.StatusView{Now: "available", Shown: "available", Since: time.Now()}, Statuses: wire.StandardStatuses(), Profile: wire.ProfileOf("3.9"), Mic: "open",
	}
}

// want waits for that command, letting others of the page pass (its microphone, its ring).
func (r *rig) want(t *testing.T, c wire.Command) {
	t.Helper()
	for {
		got := r.next(t)
		if got == c {
			return
		}
		switch got.(type) {
		case wire.MicState, wire.RingHeard:
			continue
		}
		t.Fatalf("posted %s %+v, want %+v", got.Type(), got, c)
	}
}

func TestAPersonWorksThePanelInARealBrowser(t *testing.T) {
	r := start(t)
	r.show(wire.Snapshot{Phase: wire.PhaseOut, Profile: wire.ProfileOf("3.9")})
	b := browse(t, r, strings.Replace(r.OneTimeURL(""), "/#", "/?lang=en#", 1))

	// The secret is gone from the address before anything else can be seen.
	b.sees("button", "Sign in")
	if at := eval[string](b, "location.href + history.length"); strings.Contains(at, "#") {
		t.Errorf("address %s", at)
	}
	b.types("Account", "sato")
	b.types("Password", "geheim 1")
	b.click("button", "Sign in")
	r.want(t, wire.CheckAccount{Account: "sato", Password: "geheim 1"})
	r.show(wire.Snapshot{Phase: wire.PhaseChoosing, Account: "sato", Choice: &wire.Choice{
		Name: "Sato", SeatView: true, Terminal: "2001", Status: "break", Statuses: wire.StandardStatuses()[:4],
		Terminals: []wire.Terminal{{ID: "2001", Extension: "2001", Type: "softphone"}}, Seats: []wire.SeatOffer{{ID: "s2", Name: "2", Floor: "1F"}},
	}})
	for _, name := range []string{"Terminal", "Status", "Seat"} {
		b.sees("combobox", name)
	}
	b.click("button", "Sign in")
	r.want(t, wire.SignIn{Terminal: "2001", Status: "break"})

	r.show(signedIn())
	b.sees("button", "Available")
	b.lacks("button", "Sign in")
	b.until(`document.body.innerText.includes("Tokyo")`)

	// Right-click anywhere, and the same by keyboard: statuses, then sign-out, Exit last.
	for _, open := range []string{
		`document.querySelector(".ready").dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, button: 2, clientX: 300, clientY: 300 }))`,
		`document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "F10", shiftKey: true, bubbles: true, cancelable: true }))`,
		`document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ContextMenu", bubbles: true, cancelable: true }))`,
	} {
		eval[any](b, open)
		b.sees("menuitemradio", "Available")
		if last := eval[string](b, `[...document.querySelectorAll("[role=menu] [role^=menuitem]")].pop().textContent`); last != "Exit" {
			t.Errorf("last item %s", last)
		}
		if err := chromedp.Do(b.tab, chromedp.KeyEvent("\u001b")); err != nil {
			t.Fatal(err)
		}
		b.lacks("menu", "Phone menu")
	}
	b.click("button", "Open the menu")
	b.click("menuitemradio", "On break")
	r.want(t, wire.SetStatus{To: "break"})
	b.click("button", "Available")
	b.click("menuitemradio", "Away")
	r.want(t, wire.SetStatus{To: "away"})
	b.click("button", "Open the menu")
	b.click("menuitem", "Exit")
	r.want(t, wire.Exit{})

	// A call rings while somebody types: the typing goes on, Enter does not answer.
	eval[any](b, `document.querySelector("#number").focus()`)
	ringing := signedIn()
	ringing.Calls = []wire.Call{{ID: "c1", Phase: wire.CallOffered, Inbound: true, Outside: true, Number: "0312345678", Name: "<b>Yamada</b>", Began: time.Now()}}
	r.show(ringing)
	b.sees("button", "Answer")
	if err := chromedp.Do(b.tab, chromedp.KeyEvent("117\r")); err != nil {
		t.Fatal(err)
	}
	r.want(t, wire.Dial{Number: "117"})
	b.until(`document.title.includes("<b>Yamada</b>") && !document.querySelector("b")`)
	b.click("button", "Answer")
	r.want(t, wire.Answer{Call: "c1"})

	// The question lies over everything; Escape takes it back.
	asked := ringing
	asked.Ask = &wire.Question{Kind: "exit"}
	r.show(asked)
	b.sees("button", "End the call and exit")
	if err := chromedp.Do(b.tab, chromedp.KeyEvent("\u001b")); err != nil {
		t.Fatal(err)
	}
	r.want(t, wire.Dismiss{})
	r.show(signedIn())

	// The seat view, asked for only while it is looked at.
	r.floors <- wire.Floor{Floors: []wire.FloorPlan{{ID: "f", Name: "1F"}}, Statuses: wire.StandardStatuses(), Mine: "s2",
		Seats: []wire.SeatState{{ID: "s1", Name: "1", Floor: "f"}, {ID: "s2", Name: "2", Floor: "f", X: 1, Account: "sato", Agent: "Sato", Status: "available", Since: time.Now()}}}
	b.click("link", "Seat view")
	b.sees("button", "2, Sato, Available")
	b.sees("button", "1, empty")
	if at := eval[string](b, "location.pathname"); at != "/seats" {
		t.Errorf("address %s", at)
	}

	// The other language takes what was typed along; the number that never became a call is still there.
	b.types("Number", "0120")
	b.click("button", "日本語")
	b.sees("button", "受付可")
	b.until(`document.querySelector("#number").value === "1170120" && document.documentElement.lang === "ja"`)

	gone := signedIn()
	gone.Phase = wire.PhaseGone
	r.show(gone)
	b.until(`document.body.innerText.includes("終了しました")`)
}

func TestAPageWithoutASessionSaysHowToGetOne(t *testing.T) {
	r := start(t)
	b := browse(t, r, r.own+"/?lang=en")
	b.until(`document.body.innerText.includes("Open the phone")`)
	b.lacks("button", "Sign in")
	b.lacks("button", "Open the menu")
}
