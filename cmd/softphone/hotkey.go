package main

import (
	"context"
	"errors"
	"log/slog"

	"zaseki/web/wire"
)

// hotkeys are keys that work whatever program has the keyboard (wire.SetHotkeyMute and its like).
type hotkeys struct {
	agent interface {
		Post(wire.Command)
		Watch() (<-chan wire.Snapshot, func())
	}
	show func() // opens the page
	log  *slog.Logger
	asks chan keyAsk

	keys  keyboard          // nil until a key is wanted
	taken map[string]string // chords by the names of their settings
}

// keyboard gives global keys. Only hotkeys.Run calls its methods.
type keyboard interface {
	// take gives the chord to that name, in the place of the one it had; "" gives that back only. errTaken: another program has it.
	take(name, chord string) error
	// pressed are the names whose keys went down, each once until it is up again; closed when the system takes the keys away.
	pressed() <-chan string
	close()
}

var errTaken = errors.New("another program has this key")

// wholeKeyboard is a keyboard that would rather know all keys at once.
type wholeKeyboard interface {
	// wants says which keys are wanted, by the names of their settings; take follows for each.
	wants(chords map[string]string)
}

type keyAsk struct {
	name   string
	chords map[string]string // all that are wanted, by the names of their settings
	answer chan *wire.Problem
}

func newHotkeys(p face, show func(), log *slog.Logger) *hotkeys {
	return &hotkeys{agent: p, show: show, log: log, asks: make(chan keyAsk), taken: map[string]string{}}
}

// Apply implements applier. It waits for Run.
func (h *hotkeys) Apply(ctx context.Context, name string, v wire.Values) *wire.Problem {
	ask := keyAsk{name, map[string]string{}, make(chan *wire.Problem, 1)}
	for _, key := range []string{wire.SetHotkeyAnswer, wire.SetHotkeyHangUp, wire.SetHotkeyMute, wire.SetHotkeyHold, wire.SetHotkeyShow} {
		if chord := v.Text(key); chord != "" {
			ask.chords[key] = chord
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case h.asks <- ask:
	}
	select {
	case <-ctx.Done():
		return nil
	case p := <-ask.answer:
		return p
	}
}

// Run takes keys and does what they mean until ctx ends.
func (h *hotkeys) Run(ctx context.Context) error {
	snaps, stop := h.agent.Watch()
	defer stop()
	defer h.leave()
	var newest wire.Snapshot
	for {
		var pressed <-chan string
		if h.keys != nil {
			pressed = h.keys.pressed()
		}
		select {
		case <-ctx.Done():
			return nil
		case s, ok := <-snaps:
			if !ok {
				return nil
			}
			newest = s
		case ask := <-h.asks:
			ask.answer <- h.take(ask.name, ask.chords)
		case name, ok := <-pressed:
			if !ok {
				h.log.Warn("the desktop took the global keys away")
				h.leave()
				continue
			}
			h.do(name, newest)
		}
	}
}

func (h *hotkeys) leave() {
	if h.keys != nil {
		h.keys.close()
		h.keys = nil
	}
}

// take has the system give that key, or says why not.
func (h *hotkeys) take(name string, chords map[string]string) *wire.Problem {
	chord := chords[name]
	if chord == "" && h.keys == nil {
		return nil
	}
	for other, its := range h.taken {
		if other != name && its == chord && chord != "" {
			return &wire.Problem{Code: wire.ProblemHotkey, Holes: map[string]string{"chord": chord}}
		}
	}
	var err error
	if h.keys == nil {
		h.keys, err = openKeyboard()
	}
	delete(h.taken, name)
	if whole, ok := h.keys.(wholeKeyboard); ok {
		whole.wants(chords)
	}
	if err == nil {
		err = h.keys.take(name, chord)
	}
	switch {
	case errors.Is(err, errTaken):
		return &wire.Problem{Code: wire.ProblemHotkey, Holes: map[string]string{"chord": chord}}
	case err != nil:
		return &wire.Problem{Code: wire.ProblemHotkeyNone, Holes: map[string]string{"reason": err.Error()}}
	}
	if chord != "" {
		h.taken[name] = chord
	}
	return nil
}

// do is what a key means just now; often it is nothing.
func (h *hotkeys) do(name string, s wire.Snapshot) {
	call, up := s.Active()
	ringing, rings := s.Ringing()
	answered := up && (call.Phase == wire.CallTalking || call.Phase == wire.CallHeld)
	switch {
	case name == wire.SetHotkeyShow:
		h.show()
	case name == wire.SetHotkeyAnswer && rings:
		h.agent.Post(wire.Answer{Call: ringing.ID})
	case name == wire.SetHotkeyHangUp && up:
		h.agent.Post(wire.HangUp{Call: call.ID})
	case name == wire.SetHotkeyHangUp && rings:
		h.agent.Post(wire.Decline{Call: ringing.ID})
	case name == wire.SetHotkeyMute && answered:
		h.agent.Post(wire.Mute{On: !s.Muted})
	case name == wire.SetHotkeyHold && answered && !call.Conference:
		h.agent.Post(wire.Hold{Call: call.ID, On: call.Phase == wire.CallTalking})
	default:
		h.log.Debug("a key that means nothing now", "name", name)
	}
}
