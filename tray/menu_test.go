package tray

import (
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

// text is a menu on one line: "✓" ticked, "(…)" grey, what is hidden is left out.
func text(m Menu) string {
	var all []string
	for _, i := range m.Items {
		switch {
		case i.Hidden:
			continue
		case i.Grey:
			all = append(all, "("+i.Label+")")
		case i.Ticked:
			all = append(all, "✓"+i.Label)
		default:
			all = append(all, i.Label)
		}
	}
	return strings.Join(all, "|")
}

func TestLayoutOfADay(t *testing.T) {
	const statuses = "Available|After-call work|✓On break|Away"
	call := func(phase string, more ...wire.Call) wire.Snapshot {
		c := offered("c1", "Mori")
		c.Phase = phase
		s := withCall(signedIn(), c)
		for _, c := range more {
			s = withCall(s, c)
		}
		return s
	}
	secure := call(wire.CallTalking)
	secure.Calls[0].Secure = true
	encrypted := signedIn()
	encrypted.Me = &wire.Me{Name: "Sato Yuki", Encrypted: true}
	clear := call(wire.CallTalking)
	clear.Me = encrypted.Me
	sounds := func(mos float64, more ...wire.Call) wire.Snapshot {
		s := call(wire.CallTalking, more...)
		s.Calls[0].Quality = &wire.Quality{MOS: mos}
		return s
	}
	gone := sounds(4)
	gone.Notices = []wire.Notice{{ID: wire.ProblemSoundGone}}
	const atRest = "(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit"
	const inCall = "(Sato Yuki)|Open the phone|Hang up|Mute|Hold|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit"
	with := func(change func(*wire.Snapshot)) wire.Snapshot {
		s := signedIn()
		change(&s)
		return s
	}
	rows := []struct {
		name string
		s    wire.Snapshot
		menu string
		tip  string
		look Look
	}{
		{"nothing known yet", wire.Snapshot{}, "Open the phone|Sign in…|Settings…|Help|Exit", "Zaseki: signed out", Look{}},
		{"choosing seat and status", wire.Snapshot{Phase: wire.PhaseChoosing, Statuses: wire.StandardStatuses()},
			"Open the phone|Sign in…|Settings…|Help|Exit", "Zaseki: signed out", Look{}},
		{"signed in", signedIn(), "(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"not an agent: no statuses", with(func(s *wire.Snapshot) { s.Statuses = nil }),
			"(Sato Yuki)|Open the phone|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit", "Zaseki: Sato Yuki, break", Look{Mood: MoodIn}},
		{"a wish is not ticked", with(func(s *wire.Snapshot) { s.Status.Wish = wire.StatusAway }),
			"(Sato Yuki)|Open the phone|" + statuses + " …|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit", "Zaseki: Sato Yuki, On break …", Look{Mood: MoodIn}},
		{"a status of the center covers the agent's own", with(func(s *wire.Snapshot) { s.Status.Shown = wire.StatusLost }),
			"(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit", "Zaseki: Sato Yuki, Connection lost; not ready for calls: the center cannot be reached", Look{Mood: MoodWait}},
		{"refused in a call, offered as next", with(func(s *wire.Snapshot) { s.Status.Offer = wire.StatusAway }),
			"(Sato Yuki)|Open the phone|" + statuses + "|After this call: Away|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"next status", with(func(s *wire.Snapshot) { s.Status.Next = wire.StatusAway }),
			"(Sato Yuki)|Open the phone|" + statuses + "|✓After this call: Away (click to cancel)|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"it rings", call(wire.CallOffered), "(Sato Yuki)|Open the phone|Answer Mori|Decline|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: call from Mori", Look{Mood: MoodRing}},
		{"in a call", call(wire.CallTalking), inCall,
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"dialling", call(wire.CallDialing), "(Sato Yuki)|Open the phone|Hang up|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"a call ending offers nothing", call(wire.CallEnding), "(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"a second call rings", call(wire.CallTalking, offered("c2", "Ito")),
			"(Sato Yuki)|Open the phone|Answer Ito|Decline|Hang up|Mute|Hold|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: call from Ito", Look{Mood: MoodRing}},
		{"encrypted terminal at rest", encrypted, "(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn, Lock: true}},
		{"encrypted voice", secure, inCall,
			"Zaseki: on a call with Mori", Look{Mood: MoodCall, Lock: true}},
		{"clear voice on an encrypted terminal", clear, inCall,
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"a voice that is fine", sounds(3.01), inCall, "Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"a poor voice", sounds(3), inCall, "Zaseki: on a call with Mori, the voice is poor", Look{Mood: MoodCall, Voice: VoicePoor}},
		{"a bad voice", sounds(2), inCall, "Zaseki: on a call with Mori, the voice is bad", Look{Mood: MoodCall, Voice: VoiceBad}},
		{"no page carries the sound", gone, inCall, "Zaseki: on a call with Mori, without sound: click to open the phone", Look{Mood: MoodCall, Voice: VoiceBad}},
		{"a ring covers a bad voice", sounds(1, offered("c2", "Ito")),
			"(Sato Yuki)|Open the phone|Answer Ito|Decline|Hang up|Mute|Hold|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit", "Zaseki: call from Ito", Look{Mood: MoodRing}},
		{"muted and held", with(func(s *wire.Snapshot) { *s = call(wire.CallHeld); s.Muted = true }),
			"(Sato Yuki)|Open the phone|Hang up|✓Mute|✓Hold|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"a conference is not held", with(func(s *wire.Snapshot) { *s = call(wire.CallTalking); s.Calls[0].Conference = true }),
			"(Sato Yuki)|Open the phone|Hang up|Mute|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"the line is lost", with(func(s *wire.Snapshot) { s.Line.State = "failed" }), atRest,
			"Zaseki: Sato Yuki, On break; not ready for calls: the line is not registered", Look{Mood: MoodWait}},
		{"the microphone is silent", with(func(s *wire.Snapshot) { s.Mic = "silent" }), atRest,
			"Zaseki: Sato Yuki, On break; not ready for calls: the microphone does not work", Look{Mood: MoodWait}},
		{"a microphone that nobody hears of without a page", with(func(s *wire.Snapshot) { s.Mic, s.Pages = "silent", 0 }), atRest,
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"where one is signed in", with(func(s *wire.Snapshot) {
			s.Me = &wire.Me{Name: "Sato Yuki", Terminal: wire.Terminal{Extension: "2001"}}
			s.Center.Name = "North\n\u202ecenter"
		}), strings.Replace(atRest, "Sato Yuki", "Sato Yuki · 2001 · North center", 1), "Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"missed calls", with(func(s *wire.Snapshot) { s.Missed = 2 }), strings.Replace(atRest, "Call history", "Call history (2 missed)", 1),
			"Zaseki: Sato Yuki, On break · missed calls: 2", Look{Mood: MoodIn, Missed: true}},
		{"a raised hand", with(func(s *wire.Snapshot) { s.Hand = time.Unix(1, 0); s.Missed = 1 }),
			strings.NewReplacer("Raise hand", "Lower hand", "Call history", "Call history (1 missed)").Replace(atRest),
			"Zaseki: Sato Yuki, On break · hand raised · missed calls: 1", Look{Mood: MoodIn, Hand: true, Missed: true}},
		{"a hand raised in a call", with(func(s *wire.Snapshot) { *s = call(wire.CallTalking); s.Hand = time.Unix(1, 0) }),
			strings.Replace(inCall, "Raise hand", "Lower hand", 1), "Zaseki: on a call with Mori · hand raised", Look{Mood: MoodCall, Hand: true}},
		{"listened to, with an unread message", with(func(s *wire.Snapshot) {
			s.Unread = 2
			s.Attendants = []wire.Attendant{{Name: "Suzuki", Mode: wire.SuperviseListen, Since: time.Unix(1, 0)}}
		}), atRest, "Zaseki: Sato Yuki, On break · Suzuki is listening · unread messages: 2", Look{Mood: MoodIn, Missed: true}},
		{"listening to somebody", with(func(s *wire.Snapshot) {
			s.Supervised = &wire.Supervised{Account: "mori", Agent: "Mori", Mode: wire.SuperviseListen}
		}), strings.Replace(atRest, "Open the phone|", "Open the phone|Stop listening to Mori|", 1), "Zaseki: Sato Yuki, On break · listening to Mori", Look{Mood: MoodIn}},
		{"a ring covers the hand", with(func(s *wire.Snapshot) { *s = call(wire.CallOffered); s.Hand = time.Unix(1, 0) }),
			strings.NewReplacer("Raise hand", "Lower hand", "Open the phone", "Open the phone|Answer Mori|Decline").Replace(atRest),
			"Zaseki: call from Mori · hand raised", Look{Mood: MoodRing}},
		{"without a center nobody sees a hand", with(func(s *wire.Snapshot) { s.Local = true }), strings.Replace(atRest, "Raise hand|", "", 1),
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"asked before exit", with(func(s *wire.Snapshot) { s.Ask = &wire.Question{Kind: "exit"} }),
			"(Sato Yuki)|Open the phone|" + statuses + "|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit and end the call", "Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"leaving", wire.Snapshot{Phase: wire.PhaseLeaving}, "Open the phone|(Sign in…)|Settings…|Help|Exit", "Zaseki: signed out", Look{}},
		{"gone", wire.Snapshot{Phase: wire.PhaseGone}, "Open the phone|(Sign in…)|Settings…|Help|(Exit)", "Zaseki: signed out", Look{}},
	}
	for _, r := range rows {
		m := layout(r.s, "en")
		if got := text(m); got != r.menu {
			t.Errorf("%s: menu\n got %s\nwant %s", r.name, got, r.menu)
		}
		if m.Tip != r.tip || m.Look != r.look {
			t.Errorf("%s: tip %q look %+v, want %q %+v", r.name, m.Tip, m.Look, r.tip, r.look)
		}
	}
}

func TestExitIsTheLastItemInBothLanguages(t *testing.T) {
	for lang, want := range map[string]string{"en": "Exit", "ja": "終了"} {
		for _, s := range []wire.Snapshot{{}, signedIn(), withCall(signedIn(), offered("c1", "x"))} {
			if got := layout(s, lang).Items[slots-1]; got.Label != want || !got.live() {
				t.Errorf("%s: last item %+v", lang, got)
			}
		}
	}
}

func TestACenterWithManyStatusesKeepsTheOrderOfTheMenu(t *testing.T) {
	s := signedIn()
	s.Statuses = nil
	for i := range maxStatuses + 5 {
		id := string(rune('a' + i))
		s.Statuses = append(s.Statuses, wire.StatusDef{ID: id, Name: wire.Words{"en": id}, Pickable: true})
	}
	got := text(layout(s, "en"))
	if !strings.HasSuffix(got, "|t|Raise hand|Dial…|Open the seat view|Call history|Settings…|Help|Sign out|Exit") {
		t.Error(got)
	}
}

func TestACallersNameIsOnePlainLine(t *testing.T) {
	w := words{"en"}
	rows := []struct{ name, number, want string }{
		{"Mori", "100", "Mori"},
		{"", "100", "100"},
		{" \t ", "", "Unknown number"},
		{"a\r\nb\x00c", "", "a bc"},
		{"\u202egnp.exe", "", "gnp.exe"}, // turned around, it would read "exe.png"
		{"a\u200bb", "", "ab"},
		{"\xff\xfea", "", "a"},
		{strings.Repeat("森", 50), "", strings.Repeat("森", 39) + "…"},
	}
	for _, r := range rows {
		if got := w.caller(wire.Call{Name: r.name, Number: r.number}); got != r.want {
			t.Errorf("%q %q: %q, want %q", r.name, r.number, got, r.want)
		}
	}
}

func TestLabelsAreEscapedForTheSystem(t *testing.T) {
	rows := []struct{ label, goos, want string }{
		{"R&D_team", "linux", "R&D__team"},
		{"R&D_team", "windows", "R&&D_team"},
		{"R&D_team", "darwin", "R&D_team"},
	}
	for _, r := range rows {
		if got := escape(r.label, r.goos); got != r.want {
			t.Errorf("%s: %q, want %q", r.goos, got, r.want)
		}
	}
	if got := short(strings.Repeat("a", 126) + "😀"); got != strings.Repeat("a", 126) {
		t.Errorf("a pair of surrogates was cut: %q", got)
	}
	if got := short("座席"); got != "座席" {
		t.Errorf("short text cut: %q", got)
	}
}

func TestTheDifferSetsOnlyWhatChanged(t *testing.T) {
	out, in := layout(wire.Snapshot{}, "en").Items, layout(signedIn(), "en").Items
	if all, _ := diff(in, in); len(all) != 0 {
		t.Errorf("nothing changed, but %v", all)
	}
	wish := signedIn()
	wish.Status.Wish = wire.StatusAvailable
	all, _ := diff(in, layout(wish, "en").Items)
	if want := (change{slot: slotStatus, what: setLabel, text: "Available …"}); len(all) != 1 || all[0] != want {
		t.Errorf("a wish: %v, want %v", all, want)
	}
	moved := signedIn()
	moved.Status.Now = wire.StatusAvailable
	all, _ = diff(in, layout(moved, "en").Items)
	if len(all) != 2 || all[0] != (change{slot: slotStatus, what: setTick}) || all[1] != (change{slot: slotStatus + 2, what: setNoTick}) {
		t.Errorf("a tick moves: %v", all)
	}
	all, shown := diff(in, out)
	for _, c := range all {
		if c.what != setHidden && c.what != setShown && c.slot != slotSignIn {
			t.Errorf("signed out: a hidden item is touched: %+v", c)
		}
	}
	all, shown = diff(shown, in)
	for _, c := range all {
		if c.what == setLabel {
			t.Errorf("the same text was set again: %+v", c)
		}
	}
	if got, want := text(Menu{Items: shown}), text(Menu{Items: in}); got != want {
		t.Errorf("after there and back: %s", got)
	}
}

func TestASeatViewThatAPolicyHidesIsNotInTheMenu(t *testing.T) {
	for _, view := range []bool{true, false} {
		m := layout(wire.Snapshot{Phase: wire.PhaseIn, Desk: &wire.Desk{View: view}}, "en")
		if m.Items[slotSeats].Hidden == view {
			t.Errorf("allowed %t, hidden %t", view, m.Items[slotSeats].Hidden)
		}
	}
}

func TestTheUpdateInTheMenu(t *testing.T) {
	rows := []struct {
		name   string
		update wire.Update
		want   Item
	}{
		{"offered", wire.Update{State: wire.UpdateOffered, Style: wire.NoticeGet}, Item{Label: "Update to 1.2.3…", Do: wire.GetUpdate{}}},
		{"offered by a dialog of the page", wire.Update{State: wire.UpdateOffered, Style: wire.NoticeDialog}, opens("Update to 1.2.3…", "")},
		{"loading", wire.Update{State: wire.UpdateLoading, Done: 57, Size: 100}, opens("Downloading 1.2.3: 55%", "")},
		{"loading who knows how much", wire.Update{State: wire.UpdateLoading, Done: 57}, opens("Downloading 1.2.3: 0%", "")},
		{"more came than was said", wire.Update{State: wire.UpdateLoading, Done: 570, Size: 100}, opens("Downloading 1.2.3: 100%", "")},
		{"ready", wire.Update{State: wire.UpdateReady}, Item{Label: "Open the folder with 1.2.3", Do: wire.GetUpdate{}}},
		{"failed", wire.Update{State: wire.UpdateFailed}, Item{Label: "Download of 1.2.3 failed: try again", Do: wire.GetUpdate{}}},
	}
	for _, r := range rows {
		s := signedIn()
		r.update.Version = "1.2.3"
		s.Update = &r.update
		got := layout(s, "en").Items[slotUpdate]
		if got.Label != r.want.Label || !got.same(r.want) || !got.live() {
			t.Errorf("%s: %+v, want %+v", r.name, got, r.want)
		}
	}
	s := withCall(signedIn(), offered("c1", "x"))
	s.Update = &wire.Update{Version: "1.2.3", State: wire.UpdateOffered, Style: wire.NoticeGet}
	if layout(s, "en").Items[slotUpdate].live() {
		t.Error("it can be downloaded during a call")
	}
}

// TestNoGroupOfTheMenuIsEverEmpty: lines of the menu cannot be hidden, so two would meet.
func TestNoGroupOfTheMenuIsEverEmpty(t *testing.T) {
	nobody := signedIn()
	nobody.Me, nobody.Statuses, nobody.Desk = nil, nil, &wire.Desk{}
	for _, s := range []wire.Snapshot{{}, signedIn(), nobody, withCall(signedIn(), offered("c1", "x")), {Phase: wire.PhaseChoosing},
		{Phase: wire.PhaseLeaving}, {Phase: wire.PhaseGone}} {
		some := false
		for slot, item := range layout(s, "en").Items {
			some = some || !item.Hidden
			if ruled(slot) && !some {
				t.Errorf("phase %s: nothing above the line under slot %d", s.Phase, slot)
			}
			if ruled(slot) {
				some = false
			}
		}
	}
}
