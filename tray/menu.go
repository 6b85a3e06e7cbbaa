package tray

import (
	"strconv"
	"strings"

	"zaseki/static"
	"zaseki/web/wire"
)

// Slots of the menu, from top to bottom. The skeleton is fixed, because a menu that is rebuilt closes under the pointer;
// what does not apply is hidden. Statuses take as many slots as they need of slotStatus … slotStatus+maxStatuses-1.
const (
	slotWho = iota // who is signed in, and as what
	slotOpen
	slotAnswer
	slotDecline
	slotHangUp
	slotMute
	slotHold
	slotSignIn // in the place of the statuses
	slotStatus
)

const (
	// maxStatuses is how many statuses the menu has room for; a center with more shows the rest on the page only.
	maxStatuses = 20

	slotNext = slotStatus + maxStatuses + iota - 1
	slotHand
	slotDial
	slotSeats
	slotHistory
	slotSettings
	slotHelp
	slotUpdate
	slotSignOut
	slotExit // the last item, always (PRODUCT C1)
	slots
)

// What a click opens: places of the page, as their addresses have them.
const (
	viewPhone    = ""
	viewDial     = "?at=dial" // the phone, with the field for the number chosen
	viewSeats    = "seats"
	viewHistory  = "calls"
	viewSettings = "settings"
	viewHelp     = "help"
)

// ruled says whether a line is drawn under that slot. Every group between two of them has something to show at all times: the tray's
// library cannot hide a line.
func ruled(slot int) bool {
	return slot == slotHold || slot == slotDial || slot == slotUpdate
}

// checkable says whether the item of that slot can have a tick.
func checkable(slot int) bool {
	return slot == slotMute || slot == slotHold || slot >= slotStatus && slot <= slotNext
}

// Item is one line of the menu. Do is what a click asks of the agent; Open is the page that a click opens.
type Item struct {
	Label  string
	Hidden bool
	Grey   bool // shown, but cannot be clicked
	Ticked bool
	Mark   Mark // before the label; none: not a status
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
	m.Items[slotOpen] = opens(w.say("tray.open"), viewPhone)
	m.Items[slotSettings] = opens(w.say("tray.settings"), viewSettings)
	m.Items[slotHelp] = opens(w.say("tray.help"), viewHelp)
	w.calls(&m, s)
	if s.Phase == wire.PhaseIn {
		w.who(&m, s)
		w.statuses(&m, s)
		if !s.Local { // without a center nobody sees it
			m.Items[slotHand] = w.hand(s)
		}
		m.Items[slotDial] = opens(w.say("tray.dial"), viewDial)
		m.Items[slotHistory] = opens(w.say("tray.history"), viewHistory)
		if s.Missed > 0 {
			m.Items[slotHistory].Label = w.with("tray.history.missed", "n", strconv.Itoa(s.Missed))
		}
		if s.Desk == nil || s.Desk.View { // a policy may keep it from agents (PRODUCT E4)
			m.Items[slotSeats] = opens(w.say("tray.seats"), viewSeats)
		}
	}
	w.update(&m, s)
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
	if o := s.Supervised; o != nil && o.Mode != "" {
		m.Items[slotHangUp] = Item{Label: w.with("tray.supervise."+o.Mode, "name", plain(o.Agent, 40)), Do: wire.Supervise{Account: o.Account}}
	}
	c, ok := s.Active()
	if !ok {
		return
	}
	m.Items[slotHangUp] = Item{Label: w.say("tray.hangup"), Do: wire.HangUp{Call: c.ID}}
	if held := c.Phase == wire.CallHeld; held || c.Phase == wire.CallTalking {
		m.Items[slotMute] = Item{Label: w.say("tray.mute"), Ticked: s.Muted, Do: wire.Mute{On: !s.Muted}}
		m.Items[slotHold] = Item{Label: w.say("tray.hold"), Ticked: held, Hidden: c.Conference, Do: wire.Hold{Call: c.ID, On: !held}}
	}
}

// who is the line that says who is signed in, with which number and where.
func (w words) who(m *Menu, s wire.Snapshot) {
	if s.Me == nil {
		return
	}
	var all []string
	for _, text := range []string{s.Me.Name, s.Me.Terminal.Extension, s.Center.Name} {
		if text = plain(text, 30); text != "" {
			all = append(all, text)
		}
	}
	m.Items[slotWho] = Item{Label: strings.Join(all, " · "), Grey: true, Hidden: len(all) == 0}
}

// update is there while there is one (PRODUCT B). Where the phone does not download by itself, the page tells.
func (w words) update(m *Menu, s wire.Snapshot) {
	u := s.Update
	if u == nil {
		return
	}
	version := map[string]string{"version": plain(u.Version, 20)}
	item := Item{Do: wire.GetUpdate{}, Grey: len(s.Calls) > 0}
	key := "tray.update.offered"
	switch u.State {
	case wire.UpdateLoading:
		key, item = "tray.update.loading", opens("", viewPhone)
		version["percent"] = strconv.Itoa(percent(u.Done, u.Size))
	case wire.UpdateReady:
		key = "tray.update.ready"
	case wire.UpdateFailed:
		key = "tray.update.failed"
	default:
		if u.Style != wire.NoticeGet {
			item = opens("", viewPhone)
		}
	}
	item.Label = static.Say(w.lang, key, version)
	m.Items[slotUpdate] = item
}

// percent goes in steps of five: some desktops close an open menu with every change of it.
func percent(done, size int64) int {
	if size <= 0 {
		return 0
	}
	return int(min(max(done*20/size, 0), 20)) * 5
}

// statuses lists what the agent may pick (PRODUCT D1, D6). The center's own word is ticked, never the wish: a wish ends in
// an ellipsis until the center confirms it.
func (w words) statuses(m *Menu, s wire.Snapshot) {
	at := slotStatus
	for _, d := range s.Statuses {
		if s.Status.Now == "" || !d.Pickable || at == slotStatus+maxStatuses {
			continue
		}
		item := Item{Label: d.Name.In(w.lang), Ticked: d.ID == s.Status.Now, Mark: markOf(d), Do: wire.SetStatus{To: d.ID}}
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

// hand asks a supervisor to come, or no more.
func (w words) hand(s wire.Snapshot) Item {
	if s.Hand.IsZero() {
		return Item{Label: w.say("tray.hand.raise"), Do: wire.RaiseHand{On: true}}
	}
	return Item{Label: w.say("tray.hand.lower"), Do: wire.RaiseHand{}}
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
	default:
		m.Items[slotSignIn] = opens(w.say("tray.signin"), viewPhone)
		m.Items[slotSignIn].Grey = s.Phase == wire.PhaseLeaving || s.Phase == wire.PhaseGone
	}
	exit.Grey = s.Phase == wire.PhaseGone
	m.Items[slotExit] = exit
}

// tip is the text beside the pointer. It says in words what the icon says in colours and badges.
func (w words) tip(s wire.Snapshot) string {
	all := []string{w.state(s)}
	if s.Phase == wire.PhaseIn && !s.Hand.IsZero() {
		all = append(all, w.say("tray.tip.hand"))
	}
	if o := s.Supervised; o != nil && o.Mode != "" {
		all = append(all, w.with("tray.tip."+o.Mode, "name", plain(o.Agent, 30)))
	}
	for _, a := range s.Attendants[:min(2, len(s.Attendants))] {
		if !a.Since.IsZero() {
			all = append(all, w.with("tray.tip.attend."+a.Mode, "name", plain(a.Name, 30)))
		}
	}
	if s.Unread > 0 {
		all = append(all, w.with("tray.tip.unread", "n", strconv.Itoa(s.Unread)))
	}
	if look(s).Missed && s.Missed > 0 {
		all = append(all, w.with("tray.tip.missed", "n", strconv.Itoa(s.Missed)))
	}
	return strings.Join(all, " · ")
}

func (w words) state(s wire.Snapshot) string {
	if c, ok := s.Ringing(); ok {
		return w.with("tray.tip.ringing", "name", w.caller(c))
	}
	if c, ok := s.Active(); ok {
		key := [voices]string{VoiceFine: "tray.tip.call", VoicePoor: "tray.tip.poor", VoiceBad: "tray.tip.bad"}[voice(s, c)]
		if unheard(s) {
			key = "tray.tip.gone"
		}
		return w.with(key, "name", w.caller(c))
	}
	if s.Phase != wire.PhaseIn || s.Me == nil {
		return w.say("tray.tip.out")
	}
	status := s.Def(s.Status.Shown).Name.In(w.lang)
	if s.Status.Wish != "" && s.Status.Wish != s.Status.Now {
		status += " …"
	}
	if why := waits(s); why != "" {
		return static.Say(w.lang, "tray.tip.waits", map[string]string{"name": plain(s.Me.Name, 40), "status": status, "why": w.say("tray.waits." + why)})
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
