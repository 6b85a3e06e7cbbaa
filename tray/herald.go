package tray

import (
	"context"
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
)

// reload is how long the last page may be away before it counts as closed: a reload takes less.
const reload = 3 * time.Second

// herald shows desktop notifications: every call that rings, until it rings no more, and once that a closed page ends nothing.
type herald struct {
	cfg  Config
	desk *desk

	newest wire.Snapshot
	calls  map[string]*shownNote
	told   bool // about the closed page, in this process
	mute   bool // the last note did not get through, and the log says so
}

// shownNote is the note of a call. Its number is 0 once the person has closed it: it is not shown again.
type shownNote struct {
	id   uint32
	body string
}

// run shows and withdraws notes by the snapshots until ctx ends.
func (h *herald) run(ctx context.Context) error {
	if h.desk == nil {
		return nil
	}
	snaps, stop := h.cfg.Agent.Watch()
	defer stop()
	h.calls = map[string]*shownNote{}
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

// show brings the notes in line with the calls that ring now.
func (h *herald) show(ctx context.Context) {
	w := words{h.cfg.Lang}
	rings := map[string]bool{}
	for _, c := range h.newest.Calls {
		if c.Phase != wire.CallOffered {
			continue
		}
		rings[c.ID] = true
		h.ring(ctx, w, c)
	}
	h.sweep(ctx, rings)
}

func (h *herald) ring(ctx context.Context, w words, c wire.Call) {
	body := w.with("notify.from", "name", w.caller(c))
	was := h.calls[c.ID]
	if was != nil && (was.body == body || was.id == 0) {
		return
	}
	n := note{title: w.say("notify.call"), body: body, urgent: true, actions: []action{
		{actOpen, w.say("tray.open")}, {actAnswer, w.say("notify.answer")}, {actDecline, w.say("notify.decline")}}}
	if was != nil {
		n.replaces = was.id
	}
	h.calls[c.ID] = &shownNote{id: h.send(ctx, n), body: body}
}

// sweep withdraws the notes of calls that do not ring, whatever ended the ringing.
func (h *herald) sweep(ctx context.Context, rings map[string]bool) {
	for call, n := range h.calls {
		if rings[call] {
			continue
		}
		if n.id != 0 {
			h.desk.withdraw(ctx, n.id)
		}
		delete(h.calls, call)
	}
}

// heard does what was clicked, if the call still rings.
func (h *herald) heard(id uint32, key string) {
	for call, n := range h.calls {
		if n.id != id {
			continue
		}
		switch key {
		case actAnswer:
			h.cfg.Agent.Post(wire.Answer{Call: call})
		case actDecline:
			h.cfg.Agent.Post(wire.Decline{Call: call})
		case actOpen:
			h.cfg.Open("")
		case "":
			n.id = 0
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
	w := words{h.cfg.Lang}
	h.send(ctx, note{title: w.say("notify.still.title"), body: w.say("notify.still")})
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
