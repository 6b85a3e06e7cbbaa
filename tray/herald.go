package tray

import (
	"context"
	"slices"
	"time"

	"zaseki/web/wire"
)

// note is a desktop notification, as plain text.
type note struct {
	replaces    uint32 // the number of an older note that this one takes the place of, or 0
	title, body string
	actions     []action
	urgent      bool // stays until it is closed
}

type action struct{ key, label string }

// Keys of actions. "default" is the desktop's word for a click on the note itself.
const (
	actOpen    = "default"
	actAnswer  = "answer"
	actDecline = "decline"
	actNext    = "next"
	actUnmute  = "unmute"
)

// Keys of notes that belong to no call.
const (
	noteStill   = "still"
	noteRefused = "refused"
	noteGone    = "gone"
	noteMuted   = "muted"
	noteMessage = "message " // and its id
)

// messageShown is how much of a message a note shows, in characters.
const messageShown = 200

// reload is how long the last page may be away before it counts as closed: a reload takes less.
const reload = 3 * time.Second

// herald shows desktop notifications: every call that rings, until it rings no more; a call without a page to carry its sound;
// once in a call that a muted person talks; a status that was clicked in the menu and refused; and once that a closed page ends
// nothing.
type herald struct {
	cfg    Config
	desk   *desk
	picked <-chan string // statuses that were clicked in the menu

	newest wire.Snapshot
	pick   string                // the status clicked last
	shown  map[string]*shownNote // by call, or by the keys above
	told   bool                  // about the closed page, in this process
	hushed bool                  // about talking while muted, in this call
	mute   bool                  // the last note did not get through, and the log says so
}

// shownNote is a note on the screen. Its number is 0 once the person has closed it: it is not shown again.
type shownNote struct {
	id   uint32
	text string
	does map[string]wire.Command // by key of the action
}

// run shows and withdraws notes by the snapshots until ctx ends.
func (h *herald) run(ctx context.Context) error {
	if h.desk == nil {
		return nil
	}
	snaps, stop := h.cfg.Agent.Watch()
	defer stop()
	h.shown = map[string]*shownNote{}
	defer h.sweep(context.WithoutCancel(ctx), nil)
	away := time.NewTimer(reload)
	defer away.Stop()
	away.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-snaps:
			if !ok {
				snaps = nil
				continue
			}
			if h.newest.Pages > 0 && s.Pages == 0 {
				away.Reset(reload)
			}
			h.newest = s
			h.show(ctx)
		case h.pick = <-h.picked:
			h.show(ctx)
		case <-away.C:
			h.still(ctx)
		case n, ok := <-h.desk.news():
			if !ok {
				return nil // the bus is gone
			}
			if id, key, ok := readNews(n); ok {
				h.heard(id, key)
			}
		}
	}
}

// show brings the notes in line with the newest snapshot.
func (h *herald) show(ctx context.Context) {
	w, s := words{h.cfg.lang(h.newest)}, h.newest
	wanted := map[string]bool{noteStill: s.Pages == 0 && s.Phase == wire.PhaseIn}
	for _, c := range s.Calls {
		if c.Phase == wire.CallOffered {
			wanted[c.ID] = true
			h.ring(ctx, w, c)
		}
	}
	if wanted[noteGone] = unheard(s); wanted[noteGone] {
		h.keep(ctx, noteGone, note{title: w.say("notify.gone"), body: w.say("problem." + wire.ProblemSoundGone), urgent: true,
			actions: []action{{actOpen, w.say("tray.open")}}}, nil)
	}
	wanted[noteMuted] = s.MutedTalk
	h.muted(ctx, w, s)
	if s.Status.Offer != "" && s.Status.Offer == h.pick {
		wanted[noteRefused] = true
		h.refused(ctx, w, s.Def(h.pick))
	}
	if m, ok := newest(s); ok {
		wanted[noteMessage+m.ID] = true
		h.message(ctx, w, m)
	}
	h.sweep(ctx, wanted)
}

// newest is the last message of others, while nobody has read it here. An older one of another conversation had its turn.
func newest(s wire.Snapshot) (wire.Message, bool) {
	if s.Messages == nil {
		return wire.Message{}, false
	}
	for _, m := range slices.Backward(s.Messages.List) {
		if !m.Mine {
			return m, !m.Read
		}
	}
	return wire.Message{}, false
}

// message shows what somebody wrote, until it is read or a newer one is there. Its words are a person's: text and no more.
func (h *herald) message(ctx context.Context, w words, m wire.Message) {
	title := "notify.message"
	if m.Urgent {
		title = "notify.message.urgent"
	}
	h.keep(ctx, noteMessage+m.ID, note{title: w.with(title, "name", plain(m.Name, 40)), body: plain(m.Text, messageShown), urgent: m.Urgent,
		actions: []action{{actOpen, w.say("tray.open")}}}, nil)
}

func (h *herald) ring(ctx context.Context, w words, c wire.Call) {
	h.keep(ctx, c.ID, note{title: w.say("notify.call"), body: w.with("notify.from", "name", w.caller(c)), urgent: true,
		actions: []action{{actOpen, w.say("tray.open")}, {actAnswer, w.say("notify.answer")}, {actDecline, w.say("notify.decline")}}},
		map[string]wire.Command{actAnswer: wire.Answer{Call: c.ID}, actDecline: wire.Decline{Call: c.ID}})
}

// muted says once in a call that nobody hears what the person says; it goes when they stop, or unmute.
func (h *herald) muted(ctx context.Context, w words, s wire.Snapshot) {
	switch {
	case len(s.Calls) == 0:
		h.hushed = false
	case s.MutedTalk && (!h.hushed || h.shown[noteMuted] != nil):
		h.hushed = true
		h.keep(ctx, noteMuted, note{title: w.say("notify.muted.title"), body: w.say("notify.muted"),
			actions: []action{{actOpen, w.say("tray.open")}, {actUnmute, w.say("notify.unmute")}}},
			map[string]wire.Command{actUnmute: wire.Mute{}})
	}
}

// refused says why a click in the menu changed nothing, and offers the status for after the call (PRODUCT D9): the menu has
// closed over that click, and the page may be out of sight.
func (h *herald) refused(ctx context.Context, w words, d wire.StatusDef) {
	name := d.Name.In(w.lang)
	h.keep(ctx, noteRefused, note{title: w.with("notify.refused", "status", name), body: w.say("problem." + wire.ProblemStatusInCall),
		actions: []action{{actOpen, w.say("tray.open")}, {actNext, w.with("tray.next.offer", "status", name)}}},
		map[string]wire.Command{actNext: wire.SetNext{To: d.ID}})
}

// keep has the note on the screen, in the place of what was there under that key.
func (h *herald) keep(ctx context.Context, key string, n note, does map[string]wire.Command) {
	was, text := h.shown[key], n.title+"\n"+n.body
	if was != nil && (was.text == text || was.id == 0) {
		return
	}
	if was != nil {
		n.replaces = was.id
	}
	h.shown[key] = &shownNote{id: h.send(ctx, n), text: text, does: does}
}

// sweep withdraws the notes that are not wanted any more, whatever ended them.
func (h *herald) sweep(ctx context.Context, wanted map[string]bool) {
	for key, n := range h.shown {
		if wanted[key] {
			continue
		}
		if n.id != 0 {
			h.desk.withdraw(ctx, n.id)
		}
		delete(h.shown, key)
	}
}

// heard does what was clicked, if the note is still meant.
func (h *herald) heard(id uint32, key string) {
	for _, n := range h.shown {
		if n.id != id {
			continue
		}
		switch does := n.does[key]; {
		case key == "":
			n.id = 0
		case key == actOpen:
			h.cfg.Open("")
		case does != nil:
			h.cfg.Agent.Post(does)
		}
		return
	}
}

// still says once that the phone goes on without a page (PRODUCT C3).
func (h *herald) still(ctx context.Context) {
	if h.told || h.newest.Pages > 0 || h.newest.Phase != wire.PhaseIn {
		return
	}
	h.told = true
	if h.cfg.Noticed != nil && h.cfg.Noticed() {
		return
	}
	w := words{h.cfg.lang(h.newest)}
	h.keep(ctx, noteStill, note{title: w.say("notify.still.title"), body: w.say("notify.still")}, nil)
}

// send shows a note and gives its number, or 0 where nobody shows notes; the log says that once.
func (h *herald) send(ctx context.Context, n note) uint32 {
	id, err := h.desk.notify(ctx, n)
	if err != nil && !h.mute && ctx.Err() == nil {
		h.cfg.Log.Info("no desktop notifications", "err", err)
	}
	h.mute = err != nil
	return id
}
