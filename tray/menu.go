package tray

import (
	"zaseki/static"
	"zaseki/web/wire"
)

// Slots of the menu, from top to bottom. The skeleton is fixed, because a menu that is rebuilt closes under the pointer;
// what does not apply is hidden. Statuses take as many slots as they need of slotStatus … slotStatus+maxStatuses-1.
const (
	slotOpen = iota
	slotAnswer
	slotDecline
	slotHangUp
	slotStatus
)

const (
	// maxStatuses is how many statuses the menu has room for; a center with more shows the rest on the page only.
	maxStatuses = 20

	slotNext = slotStatus + maxStatuses + iota
	slotSeats
	slotSignIn
	slotSignOut
	slotExit // the last item, always (PRODUCT C1)
	slots
)

// Item is one line of the menu. Do is what a click asks of the agent; Open is the page that a click opens.
type Item struct {
	Label  string
	Hidden bool
	Grey   bool // shown, but cannot be clicked
	Ticked bool
	Do     wire.Command
	Open   *string
}

// live says whether a click on the item means something.
func (i Item) live() bool { return !i.Hidden && !i.Grey }

// same says whether two items do the same.
func (i Item) same(j Item) bool { return i.Do == j.Do && (i.Open == nil) == (j.Open == nil) }

// Menu is all that the tray shows, as plain text: Look is the icon, Tip what stands beside the pointer.
type Menu struct {
	Look  Look
	Tip   string
	Items [slots]Item
}

// layout is the menu of a snapshot.
func layout(s wire.Snapshot, lang string) Menu {
	w := words{lang}
	m := Menu{Look: look(s), Tip: w.tip(s)}
	for i := range m.Items {
		m.Items[i].Hidden = true
	}
	m.Items[slotOpen] = opens(w.say("tray.open"), "")
	w.calls(&m, s)
	if s.Phase == wire.PhaseIn {
		w.statuses(&m, s)
		m.Items[slotSeats] = opens(w.say("tray.seats"), "seats")
	}
	w.leave(&m, s)
	return m
}

func opens(label, view string) Item { return Item{Label: label, Open: &view} }

// words says things in one language.
type words struct{ lang string }

func (w words) say(key string) string { return static.Say(w.lang, key, nil) }

func (w words) with(key, hole, value string) string {
	return static.Say(w.lang, key, map[string]string{hole: value})
}

// calls fills the slots of the call under the pointer: what rings can be answered, what is up can be hung up.
func (w words) calls(m *Menu, s wire.Snapshot) {
	if c, ok := s.Ringing(); ok {
		m.Items[slotAnswer] = Item{Label: w.with("tray.answer", "name", w.caller(c)), Do: wire.Answer{Call: c.ID}}
		m.Items[slotDecline] = Item{Label: w.say("tray.decline"), Do: wire.Decline{Call: c.ID}}
	}
	if c, ok := active(s); ok {
		m.Items[slotHangUp] = Item{Label: w.say("tray.hangup"), Do: wire.HangUp{Call: c.ID}}
	}
}

// statuses lists what the agent may pick (PRODUCT D1, D6). The center's own word is ticked, never the wish: a wish ends in
// an ellipsis until the center confirms it.
func (w words) statuses(m *Menu, s wire.Snapshot) {
	at := slotStatus
	for _, d := range s.Statuses {
		if !d.Pickable || at == slotStatus+maxStatuses {
			continue
		}
		item := Item{Label: d.Name.In(w.lang), Ticked: d.ID == s.Status.Now, Do: wire.SetStatus{To: d.ID}}
		if d.ID == s.Status.Wish && d.ID != s.Status.Now {
			item.Label += " …"
		}
		m.Items[at] = item
		at++
	}
	m.Items[slotNext] = w.next(s)
}

// next is the status after the call: set and cancellable, or offered after a refusal (PRODUCT D9).
func (w words) next(s wire.Snapshot) Item {
	switch {
	case s.Status.Next != "":
		name := s.Def(s.Status.Next).Name.In(w.lang)
		return Item{Label: w.with("tray.next.set", "status", name), Ticked: true, Do: wire.SetNext{}}
	case s.Status.Offer != "":
		name := s.Def(s.Status.Offer).Name.In(w.lang)
		return Item{Label: w.with("tray.next.offer", "status", name), Do: wire.SetNext{To: s.Status.Offer}}
	}
	return Item{Hidden: true}
}

// leave fills sign-in, sign-out and exit. An open question (PRODUCT C4) turns its own item into the yes.
func (w words) leave(m *Menu, s wire.Snapshot) {
	signOut := Item{Label: w.say("tray.signout"), Do: wire.SignOut{}}
	exit := Item{Label: w.say("tray.exit"), Do: wire.Exit{}}
	if s.Ask != nil && s.Ask.Kind == "signout" {
		signOut = Item{Label: w.say("tray.signout.sure"), Do: wire.SignOut{Sure: true}}
	}
	if s.Ask != nil && s.Ask.Kind == "exit" {
		exit = Item{Label: w.say("tray.exit.sure"), Do: wire.Exit{Sure: true}}
	}
	switch s.Phase {
	case wire.PhaseIn:
		m.Items[slotSignOut] = signOut
	case wire.PhaseLeaving, wire.PhaseGone:
		signOut.Grey = true
		m.Items[slotSignOut] = signOut
	default:
		m.Items[slotSignIn] = opens(w.say("tray.signin"), "")
	}
	exit.Grey = s.Phase == wire.PhaseGone
	m.Items[slotExit] = exit
}

// tip is the text beside the pointer. It says in words what the icon says in colour.
func (w words) tip(s wire.Snapshot) string {
	if c, ok := s.Ringing(); ok {
		return w.with("tray.tip.ringing", "name", w.caller(c))
	}
	if c, ok := active(s); ok {
		return w.with("tray.tip.call", "name", w.caller(c))
	}
	if s.Phase != wire.PhaseIn || s.Me == nil {
		return w.say("tray.tip.out")
	}
	status := s.Def(s.Status.Shown).Name.In(w.lang)
	if s.Status.Wish != "" && s.Status.Wish != s.Status.Now {
		status += " …"
	}
	return static.Say(w.lang, "tray.tip.in", map[string]string{"name": plain(s.Me.Name, 40), "status": status})
}

// caller is how a person calls the far side: by name, else by number, else as hidden. Both come from a stranger.
func (w words) caller(c wire.Call) string {
	for _, text := range []string{c.Name, c.Number} {
		if text = plain(text, 40); text != "" {
			return text
		}
	}
	return w.say("tray.hidden")
}

// active is the call that a hang-up means: the one with sound, else the one on its way, else a held one.
func active(s wire.Snapshot) (wire.Call, bool) {
	for _, phase := range []string{wire.CallTalking, wire.CallJoining, wire.CallAlerted, wire.CallDialing, wire.CallHeld} {
		for _, c := range s.Calls {
			if c.Phase == phase {
				return c, true
			}
		}
	}
	return wire.Call{}, false
}
