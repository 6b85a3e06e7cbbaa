package tray

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"zaseki/web/wire"
)

const (
	menuOut = "Open the phone|---|Sign in…|---|Exit"
	menuIn  = "Open the phone|---|Available|After-call work|✓On break|Away|Open the seat view|Sign out|---|Exit"
)

func TestTheMenuAndItsClicksOverTheBus(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	d.shows(menuOut)
	eventually(t, "grey icon", func() bool { return d.colour() == "grey" })
	if id := d.property("Id"); id != "zaseki" {
		t.Errorf("id %v: desktops would forget the icon's place", id)
	}
	if menu := d.property("ItemIsMenu"); menu != true {
		t.Errorf("ItemIsMenu %v: a left click would not open the menu", menu)
	}

	in := signedIn()
	k.show(in)
	d.shows(menuIn)
	eventually(t, "orange icon", func() bool { return d.colour() == "orange" })
	eventually(t, "tip", func() bool { return d.tip() == "Zaseki: Sato Yuki, On break" })
	for _, l := range d.lines() {
		if status := slices.Contains([]string{"Available", "On break"}, l.label); status != l.toggle {
			if status || l.label == "Exit" {
				t.Errorf("%s: checkbox %v", l.label, l.toggle)
			}
		}
	}

	d.click("Available")
	k.hears(`post status.set {"to":"available"}`)
	in.Status.Wish = wire.StatusAvailable
	k.show(in)
	d.shows(strings.Replace(menuIn, "Available", "Available …", 1))
	in.Status = wire.StatusView{Now: wire.StatusAvailable, Shown: wire.StatusAvailable}
	k.show(in)
	d.shows("Open the phone|---|✓Available|After-call work|On break|Away|Open the seat view|Sign out|---|Exit")

	k.show(withCall(in, offered("c1", "R&D_team")))
	eventually(t, "red icon", func() bool { return d.colour() == "red" })
	d.click("Answer R&D__team") // escaped: "_" would be taken for a key
	k.hears(`post call.answer {"call":"c1"}`)
	talking := offered("c1", "R&D_team")
	talking.Phase = wire.CallTalking
	k.show(withCall(in, talking))
	eventually(t, "hang up", func() bool { return strings.Contains(d.labels(), "|Hang up|") })
	d.click("Hang up")
	k.hears(`post call.hangup {"call":"c1"}`)

	d.click("Open the seat view")
	k.hears("open seats")
	d.click("Open the phone")
	k.hears("open")
	k.show(in)
	d.click("Sign out")
	k.hears(`post signout {"sure":false}`)
	k.show(wire.Snapshot{Phase: wire.PhaseOut})
	d.shows(menuOut)
	eventually(t, "grey icon again", func() bool { return d.colour() == "grey" })
	d.click("Sign in…")
	k.hears("open")
	d.click("Exit")
	k.hears(`post exit {"sure":false}`)
	k.hears("end")
	k.end()
}

func TestTheMenuIsJapaneseToo(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "ja", d.env())
	k.show(signedIn())
	d.shows("電話を開く|---|受付可|後作業|✓休憩中|離席中|シートビューを開く|サインアウト|---|終了")
}

func TestAClickOnALineThatMeansAnotherCallNowAnswersNothing(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	in := signedIn()
	k.show(withCall(in, offered("c1", "First")))
	eventually(t, "first call", func() bool { return strings.Contains(d.labels(), "Answer First") })
	var answer int32
	for _, l := range d.lines() {
		if l.label == "Answer First" {
			answer = l.id
		}
	}
	k.show(in)
	eventually(t, "call gone", func() bool { return !strings.Contains(d.labels(), "Answer") })
	d.clickID(answer) // a slow hand; desktops deliver that
	d.click("Exit")
	k.hears(`post exit {"sure":false}`) // and nothing before it
	k.hears("end")
	if strings.Contains(k.log.String(), "answer") {
		t.Error("the late click answered")
	}
}

func TestExitDuringACallAsksOnThePageAndInTheMenu(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	in := signedIn()
	talking := offered("c1", "Ito")
	talking.Phase = wire.CallTalking
	in = withCall(in, talking)
	k.show(in)
	eventually(t, "call", func() bool { return strings.Contains(d.labels(), "Hang up") })
	d.click("Sign out")
	k.hears(`post signout {"sure":false}`)
	in.Ask = &wire.Question{Kind: "signout"}
	k.show(in)
	k.hears("open")
	eventually(t, "sure", func() bool { return strings.Contains(d.labels(), "Sign out and end the call") })
	d.click("Sign out and end the call")
	k.hears(`post signout {"sure":true}`)
}

func TestACallIsNotifiedUntilItRingsNoMore(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	in := signedIn()
	k.show(withCall(in, offered("c1", `<b>Eve</b> & "co"`)))
	var id uint32
	var n shown
	eventually(t, "note", func() (ok bool) { id, n, ok = d.note(); return ok })
	want := shown{title: "Incoming call", body: "From &lt;b&gt;Eve&lt;/b&gt; &amp; &#34;co&#34;", urgency: 2, lasts: 0,
		actions: []string{"default", "Open the phone", "answer", "Answer", "decline", "Decline"}}
	if n.title != want.title || n.body != want.body || n.urgency != 2 || n.lasts != 0 || !slices.Equal(n.actions, want.actions) {
		t.Errorf("note %+v, want %+v", n, want)
	}
	must(t, d.conn.Emit(notesPath, notes+".ActionInvoked", id+100, "decline")) // somebody else's note
	must(t, d.conn.Emit(notesPath, notes+".ActionInvoked", id, "answer"))
	k.hears(`post call.answer {"call":"c1"}`)
	k.show(in)
	eventually(t, "withdrawn", func() bool { _, _, open := d.note(); return !open })

	k.show(withCall(in, offered("c2", "")))
	eventually(t, "second note", func() (ok bool) { id, n, ok = d.note(); return ok })
	if n.body != "From 0312345678" {
		t.Errorf("body %q", n.body)
	}
	named := withCall(in, offered("c2", "Mori"))
	k.show(named)
	eventually(t, "replaced", func() bool { was, n, ok := d.note(); return ok && was == id && n.body == "From Mori" })
	must(t, d.conn.Emit(notesPath, notes+".ActionInvoked", id, "default"))
	k.hears("open")
	must(t, d.conn.Emit(notesPath, notes+".ActionInvoked", id, "decline"))
	k.hears(`post call.decline {"call":"c2"}`)
}

func TestAClosedPageIsExplainedOnce(t *testing.T) {
	slow(t)
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	in := signedIn()
	k.show(in)
	d.shows(menuIn)
	in.Pages = 0
	k.show(in)
	var n shown
	eventually(t, "note", func() (ok bool) { _, n, ok = d.note(); return ok })
	if n.title != "Zaseki is still running" || n.urgency != 0 {
		t.Errorf("note %+v", n)
	}
}

func TestWithoutABusTheTraySaysSoAndWaits(t *testing.T) {
	k := startKid(t, "en", "XDG_RUNTIME_DIR="+t.TempDir())
	eventually(t, "one line", func() bool { return strings.Contains(k.log.String(), "No tray on this machine") })
	k.show(signedIn())
	must(t, k.in.Close())
	k.hears("end")
	k.end()
}

func TestSwitchedOffThereIsNoIconButNotes(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env(), "ZASEKI_TRAY_OFF=1")
	k.show(withCall(signedIn(), offered("c1", "Mori")))
	eventually(t, "note", func() bool { _, _, ok := d.note(); return ok })
	if icon, _ := d.objects(); icon != nil {
		t.Error("there is an icon")
	}
}

func TestTheIconComesWhenTheDesktopStartsLate(t *testing.T) {
	d := startBus(t)
	k := startKid(t, "en", d.env())
	eventually(t, "one line", func() bool { return strings.Contains(k.log.String(), "no tray icons yet") })
	k.show(signedIn())
	d.host()
	eventually(t, "icon", func() bool { return d.colour() == "orange" })
	d.shows(menuIn)
}

func TestTheEndOfTheDesktopSessionEndsThePhone(t *testing.T) {
	d := startDesktop(t)
	k := startKid(t, "en", d.env())
	k.show(signedIn())
	d.shows(menuIn)
	d.stopBus()
	k.hears(`post exit {"sure":true}`)
	k.hears("end")
}

func TestTwentyStartsShowTheIconEachTime(t *testing.T) {
	slow(t)
	d := startDesktop(t)
	for range 20 {
		k := startKid(t, "en", d.env())
		k.show(signedIn())
		eventually(t, "orange icon", func() bool { return d.colour() == "orange" })
		must(t, k.in.Close())
		k.hears("end")
		k.end()
		d.mu.Lock()
		d.icon, d.menu = nil, nil
		d.mu.Unlock()
	}
}

// That no goroutine is left behind, TestMain sees.
func TestRunEndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	d := startDesktop(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.addr)
	t.Setenv("PULSE_SERVER", "unix:/nowhere")
	agent := &puppet{newest: withCall(signedIn(), offered("c1", "Mori")), news: make(chan struct{}), quiet: true}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	var log logBuffer
	go func() {
		done <- Run(ctx, Config{Agent: agent, Lang: "en", Off: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	}()
	eventually(t, "note", func() bool { _, _, ok := d.note(); return ok })
	stop()
	must(t, <-done)
	if id, n, ok := d.note(); ok {
		t.Errorf("note %d %+v is still on the screen", id, n)
	}
}
