package tray

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

const (
	menuOut  = "Open the phone|---|Sign in…|---|Settings…|Help|---|Exit"
	menuRest = "|Raise hand|Dial…|---|Open the seat view|Call history|Settings…|Help|---|Sign out|Exit"
	menuIn   = "Sato Yuki|Open the phone|---|Available|After-call work|✓On break|Away" + menuRest
)

func TestTheMenuAndItsClicksOverTheBus(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	d.Shows(menuOut)
	desktop.Eventually(t, "grey icon", func() bool { return d.Colour() == "grey" })
	if id := d.Property("Id"); id != "zaseki" {
		t.Errorf("id %v: desktops would forget the icon's place", id)
	}
	if menu := d.Property("ItemIsMenu"); menu != true {
		t.Errorf("ItemIsMenu %v: a left click would not open the menu", menu)
	}

	in := signedIn()
	k.show(in)
	d.Shows(menuIn)
	desktop.Eventually(t, "orange icon", func() bool { return d.Colour() == "orange" })
	desktop.Eventually(t, "tip", func() bool { return d.Tip() == "Zaseki: Sato Yuki, On break" })
	for _, l := range d.Lines() {
		if status := slices.Contains([]string{"Available", "On break"}, l.Label); status != l.Toggle {
			if status || l.Label == "Exit" {
				t.Errorf("%s: checkbox %v", l.Label, l.Toggle)
			}
		} else if status && !bytes.Equal(l.Icon, markIcon(markOf(in.Def(map[string]string{"Available": wire.StatusAvailable, "On break": wire.StatusBreak}[l.Label])), "linux")) {
			t.Errorf("%s: not its mark", l.Label)
		}
	}

	d.Click("Available")
	k.hears(`post status.set {"to":"available"}`)
	in.Status.Wish = wire.StatusAvailable
	k.show(in)
	d.Shows(strings.Replace(menuIn, "Available", "Available …", 1))
	in.Status = wire.StatusView{Now: wire.StatusAvailable, Shown: wire.StatusAvailable}
	k.show(in)
	d.Shows("Sato Yuki|Open the phone|---|✓Available|After-call work|On break|Away" + menuRest)

	k.show(withCall(in, offered("c1", "R&D_team")))
	desktop.Eventually(t, "red icon", func() bool { return d.Colour() == "red" })
	d.Click("Answer R&D__team") // escaped: "_" would be taken for a key
	k.hears(`post call.answer {"call":"c1"}`)
	talking := offered("c1", "R&D_team")
	talking.Phase = wire.CallTalking
	k.show(withCall(in, talking))
	desktop.Eventually(t, "hang up", func() bool { return strings.Contains(d.Labels(), "|Hang up|") })
	desktop.Eventually(t, "blue icon", func() bool { return d.Colour() == "blue" })
	d.Click("Mute")
	k.hears(`post call.mute {"on":true}`)
	d.Click("Hold")
	k.hears(`post call.hold {"call":"c1","on":true}`)
	d.Click("Hang up")
	k.hears(`post call.hangup {"call":"c1"}`)

	d.Click("Open the seat view")
	k.hears("open seats")
	d.Click("Open the phone")
	k.hears("open")
	for label, view := range map[string]string{"Dial…": viewDial, "Call history": viewHistory, "Settings…": viewSettings, "Help": viewHelp} {
		d.Click(label)
		k.hears("open " + view)
	}
	k.show(in)
	d.Click("Sign out")
	k.hears(`post signout {"sure":false}`)
	k.show(wire.Snapshot{Phase: wire.PhaseOut})
	d.Shows(menuOut)
	desktop.Eventually(t, "grey icon again", func() bool { return d.Colour() == "grey" })
	d.Click("Sign in…")
	k.hears("open")
	d.Click("Exit")
	k.hears(`post exit {"sure":false}`)
	k.hears("end")
	k.end()
}

func TestTheHandIsRaisedAndLoweredInTheMenu(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	k.show(in)
	d.Click("Raise hand")
	k.hears(`post hand.raise {"on":true}`)
	in.Hand, in.Missed = time.Now(), 3
	k.show(in)
	d.Click("Lower hand")
	k.hears(`post hand.raise {"on":false}`)
	desktop.Eventually(t, "tip", func() bool { return d.Tip() == "Zaseki: Sato Yuki, On break · hand raised · missed calls: 3" })
	d.Click("Call history (3 missed)")
	k.hears("open " + viewHistory)
}

func TestTheMenuIsJapaneseToo(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "ja", d.Env())
	k.show(signedIn())
	d.Shows("Sato Yuki|電話を開く|---|受付可|後作業|✓休憩中|離席中|手を挙げる|発信…|---|シートビューを開く|通話履歴|設定…|ヘルプ|---|サインアウト|終了")
}

func TestAClickOnALineThatMeansAnotherCallNowAnswersNothing(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	k.show(withCall(in, offered("c1", "First")))
	desktop.Eventually(t, "first call", func() bool { return strings.Contains(d.Labels(), "Answer First") })
	var answer int32
	for _, l := range d.Lines() {
		if l.Label == "Answer First" {
			answer = l.ID
		}
	}
	k.show(in)
	desktop.Eventually(t, "call gone", func() bool { return !strings.Contains(d.Labels(), "Answer") })
	d.ClickID(answer) // a slow hand; desktops deliver that
	d.Click("Exit")
	k.hears(`post exit {"sure":false}`) // and nothing before it
	k.hears("end")
	if strings.Contains(k.log.String(), "answer") {
		t.Error("the late click answered")
	}
}

func TestExitDuringACallAsksOnThePageAndInTheMenu(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	talking := offered("c1", "Ito")
	talking.Phase = wire.CallTalking
	in = withCall(in, talking)
	k.show(in)
	desktop.Eventually(t, "call", func() bool { return strings.Contains(d.Labels(), "Hang up") })
	d.Click("Sign out")
	k.hears(`post signout {"sure":false}`)
	in.Ask = &wire.Question{Kind: "signout"}
	k.show(in)
	k.hears("open")
	desktop.Eventually(t, "sure", func() bool { return strings.Contains(d.Labels(), "Sign out and end the call") })
	d.Click("Sign out and end the call")
	k.hears(`post signout {"sure":true}`)
}

func TestACallIsNotifiedUntilItRingsNoMore(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	k.show(withCall(in, offered("c1", `<b>Eve</b> & "co"`)))
	var id uint32
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { id, n, ok = d.Note(); return ok })
	want := desktop.Note{Title: "Incoming call", Body: "From &lt;b&gt;Eve&lt;/b&gt; &amp; &#34;co&#34;", Urgency: 2, Lasts: 0,
		Actions: []string{"default", "Open the phone", "answer", "Answer", "decline", "Decline"}}
	if n.Title != want.Title || n.Body != want.Body || n.Urgency != 2 || n.Lasts != 0 || !slices.Equal(n.Actions, want.Actions) {
		t.Errorf("note %+v, want %+v", n, want)
	}
	d.Act(id+100, "decline") // somebody else's note
	d.Act(id, "answer")
	k.hears(`post call.answer {"call":"c1"}`)
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })

	k.show(withCall(in, offered("c2", "")))
	desktop.Eventually(t, "second note", func() (ok bool) { id, n, ok = d.Note(); return ok })
	if n.Body != "From 0312345678" {
		t.Errorf("body %q", n.Body)
	}
	named := withCall(in, offered("c2", "Mori"))
	k.show(named)
	desktop.Eventually(t, "replaced", func() bool { was, n, ok := d.Note(); return ok && was == id && n.Body == "From Mori" })
	d.Act(id, "default")
	k.hears("open")
	d.Act(id, "decline")
	k.hears(`post call.decline {"call":"c2"}`)
}

func TestAMessageIsNotifiedUntilItIsRead(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	in.Messages = &wire.Messages{List: []wire.Message{{ID: "m1", Name: "Suzuki", Text: "lunch", Read: true}, {ID: "m2", Name: "Suzuki\n", Text: "<b>Break</b> at\n12", Urgent: true},
		{ID: "m3", Text: "mine", Mine: true}}}
	in.Unread = 1
	k.show(in)
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { _, n, ok = d.Note(); return ok })
	if n.Title != "Urgent message from Suzuki" || n.Body != "&lt;b&gt;Break&lt;/b&gt; at 12" || n.Urgency != 2 {
		t.Errorf("note %+v", n)
	}
	in.Messages = &wire.Messages{List: append(in.Messages.List[:2:2], wire.Message{ID: "m4", Name: "Mori", Text: "and later"})}
	k.show(in)
	var id uint32
	desktop.Eventually(t, "the newer one", func() (ok bool) { id, n, ok = d.Note(); return ok && n.Title == "Message from Mori" })
	d.Act(id, "default")
	k.hears("open")
	read := slices.Clone(in.Messages.List)
	read[2].Read = true // the one before, of another conversation, is not told again
	in.Messages = &wire.Messages{List: read}
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })
	if n := d.Notes("Urgent message from Suzuki"); n != 1 {
		t.Errorf("the message before was notified %d times", n)
	}
}

func TestAClosedPageIsExplainedOnce(t *testing.T) {
	slow(t)
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	in := signedIn()
	k.show(in)
	d.Shows(menuIn)
	in.Pages = 0
	k.show(in)
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { _, n, ok = d.Note(); return ok })
	if n.Title != "Zaseki is still running" || n.Urgency != 0 {
		t.Errorf("note %+v", n)
	}
	in.Pages = 1
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })
}

func TestAStatusRefusedToAClickInTheMenuIsOfferedForLater(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	talking := offered("c1", "Ito")
	talking.Phase = wire.CallTalking
	in := withCall(signedIn(), talking)
	in.Status.Offer = wire.StatusAvailable // refused to a click on the page, which says so itself
	k.show(in)
	d.Click("Away")
	k.hears(`post status.set {"to":"away"}`)
	if _, n, ok := d.Note(); ok {
		t.Errorf("note %+v", n)
	}
	in.Status.Offer = wire.StatusAway
	k.show(in)
	var id uint32
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { id, n, ok = d.Note(); return ok })
	if n.Title != "Not changed to Away" || n.Body != "The status cannot change during a call. Choose the one you want after the call, or end the call first." || n.Urgency != 0 ||
		!slices.Equal(n.Actions, []string{"default", "Open the phone", "next", "After this call: Away"}) {
		t.Errorf("note %+v", n)
	}
	d.Act(id, "next")
	k.hears(`post status.next {"to":"away"}`)
	in.Status.Offer, in.Status.Next = "", wire.StatusAway
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })
}

func TestACallWhosePageIsGoneIsToldUntilItIsBack(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	talking := offered("c1", "Ito")
	talking.Phase = wire.CallTalking
	in := withCall(signedIn(), talking)
	gone := in
	gone.Notices = []wire.Notice{{ID: wire.ProblemSoundGone, Level: "error", Problem: wire.Problem{Code: wire.ProblemSoundGone}}}
	k.show(gone)
	var id uint32
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { id, n, ok = d.Note(); return ok })
	if n.Title != "The call has no sound" || n.Urgency != 2 || !slices.Equal(n.Actions, []string{"default", "Open the phone"}) {
		t.Errorf("note %+v", n)
	}
	d.Act(id, "default")
	k.hears("open")
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })
}

func TestTalkingWhileMutedIsSaidOnceInACall(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	talking := offered("c1", "Ito")
	talking.Phase = wire.CallTalking
	in := withCall(signedIn(), talking)
	in.Muted = true
	loud := in
	loud.MutedTalk = true
	k.show(loud)
	var id uint32
	var n desktop.Note
	desktop.Eventually(t, "note", func() (ok bool) { id, n, ok = d.Note(); return ok })
	if n.Title != "You are muted" || n.Urgency != 0 || !slices.Equal(n.Actions, []string{"default", "Open the phone", "unmute", "Unmute"}) {
		t.Errorf("note %+v", n)
	}
	d.Act(id, "unmute")
	k.hears(`post call.mute {"on":false}`)
	k.show(in)
	desktop.Eventually(t, "withdrawn", func() bool { _, _, open := d.Note(); return !open })
	k.show(loud) // again in the same call: they know
	loud.Status.Wish = wire.StatusAway
	k.show(loud)
	desktop.Eventually(t, "the newest", func() bool { return strings.Contains(d.Labels(), "Away …") })
	if n := d.Notes("You are muted"); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestWithoutABusTheTraySaysSoAndWaits: reliability (E8).
func TestWithoutABusTheTraySaysSoAndWaits(t *testing.T) {
	k := startKid(t, "en", "XDG_RUNTIME_DIR="+t.TempDir())
	desktop.Eventually(t, "one line", func() bool { return strings.Contains(k.log.String(), "No tray on this machine") })
	k.show(signedIn())
	desktop.Must(t, k.in.Close())
	k.hears("end")
	k.end()
}

func TestSwitchedOffThereIsNoIconButNotes(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env(), "ZASEKI_TRAY_OFF=1")
	k.show(withCall(signedIn(), offered("c1", "Mori")))
	desktop.Eventually(t, "note", func() bool { _, _, ok := d.Note(); return ok })
	if d.HasIcon() {
		t.Error("there is an icon")
	}
}

func TestTheIconComesWhenTheDesktopStartsLate(t *testing.T) {
	d := desktop.StartBus(t)
	k := startKid(t, "en", d.Env())
	desktop.Eventually(t, "one line", func() bool { return strings.Contains(k.log.String(), "no tray icons yet") })
	k.show(signedIn())
	d.Host()
	desktop.Eventually(t, "icon", func() bool { return d.Colour() == "orange" })
	d.Shows(menuIn)
}

// TestTheIconSurvivesARestartOfItsHost: the panel crashes, loses the icon, and a new one asks for it.
// Reliability (E9).
func TestTheIconSurvivesARestartOfItsHost(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	k.show(signedIn())
	d.Shows(menuIn)
	for range 3 {
		d.CloseHost()
		if d.HasIcon() {
			t.Fatal("a host that is gone shows an icon")
		}
		d.Host()
		desktop.Eventually(t, "icon on the new host", func() bool { return d.Colour() == "orange" })
		d.Shows(menuIn)
	}
	d.Click("Available")
	k.hears(`post status.set {"to":"available"}`)
}

func TestTheEndOfTheDesktopSessionEndsThePhone(t *testing.T) {
	d := desktop.Start(t)
	k := startKid(t, "en", d.Env())
	k.show(signedIn())
	d.Shows(menuIn)
	d.StopBus()
	k.hears(`post exit {"sure":true}`)
	k.hears("end")
}

func TestTwentyStartsShowTheIconEachTime(t *testing.T) {
	slow(t)
	d := desktop.Start(t)
	for range 20 {
		k := startKid(t, "en", d.Env())
		k.show(signedIn())
		desktop.Eventually(t, "orange icon", func() bool { return d.Colour() == "orange" })
		desktop.Must(t, k.in.Close())
		k.hears("end")
		k.end()
		desktop.Eventually(t, "no icon", func() bool { return !d.HasIcon() })
	}
}

// That no goroutine is left behind, TestMain sees.
func TestRunEndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	d := desktop.Start(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address())
	t.Setenv("PULSE_SERVER", "unix:/nowhere")
	agent := &puppet{newest: withCall(signedIn(), offered("c1", "Mori")), news: make(chan struct{}), quiet: true}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	var log logBuffer
	go func() {
		done <- Run(ctx, Config{Agent: agent, Lang: "en", Off: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	}()
	desktop.Eventually(t, "note", func() bool { _, _, ok := d.Note(); return ok })
	stop()
	desktop.Must(t, <-done)
	if id, n, ok := d.Note(); ok {
		t.Errorf("note %d %+v is still on the screen", id, n)
	}
}
