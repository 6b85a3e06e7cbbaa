package cmd_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
	"zaseki/tray/desktop"
)

// trayDay is the demo as a process on a desktop of the test's own, with one page in a browser.
type trayDay struct {
	*day
	desk *desktop.Desktop
}

// newTrayDay starts the demo up to an open page that has not signed in. There is no display.
func newTrayDay(t *testing.T) trayDay {
	need(t, "chromium", "dbus-daemon")
	d := trayDay{&day{T: t, dir: t.TempDir()}, desktop.Start(t)}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "softphone")
	var err error
	d.phone, err = stage.Start(ctx, filepath.Join(d.dir, "softphone"), []string{d.desk.Env(), "DISPLAY=", "WAYLAND_DISPLAY="},
		"-demo", "-config", filepath.Join(d.dir, "phone"), "-panel", "127.0.0.1:0", "-no-browser", "-lang", "en")
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the menu: %q\n--- phone:\n%s", d.desk.Labels(), tail(d.phone))
		}
	})
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), "")
	d.must(err)
	t.Cleanup(d.browser.Close)
	d.page = d.tab()
	return d
}

// tab opens the phone's page.
func (d trayDay) tab() *stage.Page {
	d.Helper()
	p, err := d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	return p
}

// colour waits for the icon to have it.
func (d trayDay) colour(want string) {
	d.Helper()
	desktop.Eventually(d.T, want+" icon", func() bool { return d.desk.Colour() == want })
}

// rings waits for the note of a call from there, with its buttons, and for the red icon.
func (d trayDay) rings(from string) (note uint32) {
	d.Helper()
	var n desktop.Note
	desktop.Eventually(d.T, "note of the call", func() (ok bool) { note, n, ok = d.desk.Note(); return ok })
	if n.Title != "Incoming call" || !strings.HasPrefix(n.Body, from) ||
		!slices.Equal(n.Actions, []string{"default", "Open the phone", "answer", "Answer", "decline", "Decline"}) {
		d.Fatalf("note %+v", n)
	}
	d.colour("red")
	return note
}

// withdrawn waits until no note is shown.
func (d trayDay) withdrawn() {
	d.Helper()
	desktop.Eventually(d.T, "the note's end", func() bool { _, _, open := d.desk.Note(); return !open })
}

const (
	trayOut   = "Open the phone|---|Sign in…|---|Settings…|Help|---|Exit"
	trayWho   = "You · 2000 · Zaseki Demo|Open the phone|"
	trayRest  = "|Raise hand|Dial…|---|Open the seat view|Call history|Settings…|Help|---|Sign out|Exit"
	trayBreak = trayWho + "---|Available|After-call work|✓On break|Away" + trayRest
)

// TestTheTrayOverDBusWithoutADisplay is a day by the tray alone: the page is microphone and witness.
// Reliability (D3), (E8): no page is needed to hang up, no display for the tray.
//
//ci:still
func TestTheTrayOverDBusWithoutADisplay(t *testing.T) {
	d := newTrayDay(t)
	d.colour("grey")
	d.desk.Shows(trayOut)
	d.must(d.page.Type("Account", "demo"))
	d.must(d.page.Type("Password", "zaseki-demo"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Select("Seat", "2"))
	d.must(d.page.Select("Status", "On break"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("button", "On break…")) // what the tray shows of that is looked at when the call is over, which may come soon

	// A colleague calls in the break (D5), once; it rings, and the tray declines.
	d.rings("From ")
	d.desk.Click("Decline")
	d.must(d.page.Gone("button", "Decline"))
	d.withdrawn()
	d.colour("orange")

	// The customer's first call is answered in its note, the second in the menu.
	d.desk.Act(d.available(), "answer")
	d.hangUp("After-call work")
	d.available()
	d.desk.Click("Answer Tanaka")
	d.next("Away")
	d.hangUp("Away")
	d.desk.Click("On break")
	d.must(d.page.Wait("button", "On break…"))
	d.desk.Shows(trayBreak)
	d.closedPage()
	d.exit()
}

// available asks for the status in the tray; the customer calls within five seconds.
func (d trayDay) available() (note uint32) {
	d.Helper()
	d.desk.Click("Available")
	d.must(d.page.Wait("button", "Available…"))
	machine, began := hear.WatchMachine(), time.Now()
	note = d.rings("From Tanaka")
	machine.End()
	if took := time.Since(began) - machine.Late(); took > 5*time.Second {
		d.Errorf("the customer called after %v, want five seconds", took)
	}
	return note
}

// next picks a status during the call: refused with the reason, taken after it by a click on the note (D9).
func (d trayDay) next(status string) {
	d.Helper()
	d.must(d.page.Wait("button", "Mute"))
	d.withdrawn()
	d.desk.Click(status)
	var note uint32
	desktop.Eventually(d.T, "note of the refusal", func() bool {
		id, n, ok := d.desk.Note()
		note = id
		return ok && n.Title == "Not changed to "+status && slices.Contains(n.Actions, "After this call: "+status)
	})
	d.desk.Act(note, "next")
	d.desk.Shows(trayWho + "Hang up|Mute|Hold|---|✓Available|After-call work|On break|Away|✓After this call: " + status +
		" (click to cancel)" + trayRest)
	d.withdrawn()
}

// hangUp ends the call in the tray; the status afterwards is that one.
func (d trayDay) hangUp(status string) {
	d.Helper()
	d.must(d.page.Wait("button", "Mute"))
	d.withdrawn()
	d.desk.Click("Hang up")
	d.must(d.page.Wait("button", status+"…"))
	d.must(d.page.Gone("button", "Mute"))
	d.colour("orange")
}

// closedPage: closing the page ends nothing, and the first time a note says so (C3).
func (d trayDay) closedPage() {
	d.Helper()
	const title = "Zaseki is still running"
	d.page.Close()
	desktop.Eventually(d.T, "note of the closed page", func() bool { return d.desk.Notes(title) == 1 })
	d.desk.Shows(trayBreak)
	d.colour("orange")
	again := d.tab()
	d.must(again.Wait("button", "On break…"))
	d.withdrawn()
	again.Close()
	time.Sleep(5 * time.Second) // a page counts as closed after three
	if n := d.desk.Notes(title); n != 1 {
		d.Errorf("the closed page is told %d times, want once", n)
	}
	d.desk.Shows(trayBreak)
}

// exit ends the process by the menu's last item.
func (d trayDay) exit() {
	d.Helper()
	lines := d.desk.Lines()
	if last := lines[len(lines)-1]; last.Label != "Exit" || last.Grey {
		d.Fatalf("the last item is %+v", last)
	}
	d.desk.Click("Exit")
	select {
	case <-d.phone.Done():
	case <-time.After(10 * time.Second):
		d.Fatal("the phone does not end")
	}
	if code := d.phone.Code(); code != 0 {
		d.Errorf("exit status %d", code)
	}
	desktop.Eventually(d.T, "end of the icon", func() bool { return !d.desk.HasIcon() })
}
