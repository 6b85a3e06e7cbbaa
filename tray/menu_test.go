package tray

import (
	"strings"
	"testing"

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
		{"nothing known yet", wire.Snapshot{}, "Open the phone|Sign in…|Exit", "Zaseki: signed out", Look{}},
		{"choosing seat and status", wire.Snapshot{Phase: wire.PhaseChoosing, Statuses: wire.StandardStatuses()},
			"Open the phone|Sign in…|Exit", "Zaseki: signed out", Look{}},
		{"signed in", signedIn(), "Open the phone|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"not an agent: no statuses", with(func(s *wire.Snapshot) { s.Statuses = nil }),
			"Open the phone|Open the seat view|Sign out|Exit", "Zaseki: Sato Yuki, break", Look{Mood: MoodIn}},
		{"a wish is not ticked", with(func(s *wire.Snapshot) { s.Status.Wish = wire.StatusAway }),
			"Open the phone|" + statuses + " …|Open the seat view|Sign out|Exit", "Zaseki: Sato Yuki, On break …", Look{Mood: MoodIn}},
		{"a status of the center covers the agent's own", with(func(s *wire.Snapshot) { s.Status.Shown = wire.StatusLost }),
			"Open the phone|" + statuses + "|Open the seat view|Sign out|Exit", "Zaseki: Sato Yuki, Connection lost", Look{Mood: MoodIn}},
		{"refused in a call, offered as next", with(func(s *wire.Snapshot) { s.Status.Offer = wire.StatusAway }),
			"Open the phone|" + statuses + "|After this call: Away|Open the seat view|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"next status", with(func(s *wire.Snapshot) { s.Status.Next = wire.StatusAway }),
			"Open the phone|" + statuses + "|✓After this call: Away (click to cancel)|Open the seat view|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"it rings", call(wire.CallOffered), "Open the phone|Answer Mori|Decline|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: call from Mori", Look{Mood: MoodRing}},
		{"in a call", call(wire.CallTalking), "Open the phone|Hang up|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"dialling", call(wire.CallDialing), "Open the phone|Hang up|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"a call ending offers nothing", call(wire.CallEnding), "Open the phone|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"a second call rings", call(wire.CallTalking, offered("c2", "Ito")),
			"Open the phone|Answer Ito|Decline|Hang up|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: call from Ito", Look{Mood: MoodRing}},
		{"encrypted terminal at rest", encrypted, "Open the phone|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: Sato Yuki, On break", Look{Mood: MoodIn, Lock: true}},
		{"encrypted voice", secure, "Open the phone|Hang up|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall, Lock: true}},
		{"clear voice on an encrypted terminal", clear, "Open the phone|Hang up|" + statuses + "|Open the seat view|Sign out|Exit",
			"Zaseki: on a call with Mori", Look{Mood: MoodCall}},
		{"asked before exit", with(func(s *wire.Snapshot) { s.Ask = &wire.Question{Kind: "exit"} }),
			"Open the phone|" + statuses + "|Open the seat view|Sign out|Exit and end the call", "Zaseki: Sato Yuki, On break", Look{Mood: MoodIn}},
		{"leaving", wire.Snapshot{Phase: wire.PhaseLeaving}, "Open the phone|(Sign out)|Exit", "Zaseki: signed out", Look{}},
		{"gone", wire.Snapshot{Phase: wire.PhaseGone}, "Open the phone|(Sign out)|(Exit)", "Zaseki: signed out", Look{}},
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
	if !strings.HasSuffix(got, "|t|Open the seat view|Sign out|Exit") {
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
	if want := (change{slotStatus, setLabel, "Available …"}); len(all) != 1 || all[0] != want {
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
