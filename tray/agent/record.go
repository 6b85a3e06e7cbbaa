package agent

import (
	"slices"

	"zaseki/web/wire"
)

// What the center's policy allows is decided here, whatever a page asks: recording, replay, card-number mode.

// recordWanted is a person's wish to record, or to stop. Where every outside call is recorded nobody ends that by hand.
func (s State) recordWanted(e wire.Record) (State, []Effect) {
	i, policy := s.call(e.Call), s.Welcome.Policy.Record
	switch {
	case i < 0 || !answered(s.Calls[i]) || e.On == s.notes[e.Call].taping:
		return s, nil
	case policy == wire.RecordNever, policy == wire.RecordAlways && s.Calls[i].Outside && !e.On:
		return s.tell(wire.Problem{Code: wire.ProblemForbidden})
	}
	s = s.noted(e.Call, func(n *note) { n.tape = e.On })
	if e.On {
		return s.taped(e.Call)
	}
	s = s.noted(e.Call, func(n *note) { n.taping = false })
	return s, []Effect{Record{e.Call, false}}
}

// taped begins the recording that is due: of every outside call from its answer on where the policy says so, else of the call
// whose recording was asked for, also where it goes on under another name. Inside calls are private unless somebody asks.
func (s State) taped(id string) (State, []Effect) {
	i, n, policy := s.call(id), s.notes[id], s.Welcome.Policy.Record
	if i < 0 || n.taping || !answered(s.Calls[i]) || policy == wire.RecordNever {
		return s, nil
	}
	if !n.tape && (policy != wire.RecordAlways || !s.Calls[i].Outside) {
		return s, nil
	}
	s = s.noted(id, func(n *note) { n.tape, n.taping = true, true }).unnotice(wire.ProblemRecording, wire.ProblemRecordTone, wire.ProblemRecordFull, wire.ProblemRecordDisk)
	return s, []Effect{Record{id, true}}
}

// answeredSound is what a call needs as soon as its sound flows. One that goes on with a call in card-number mode is in it too,
// before anything of it is kept.
func (s State) answeredSound(id string) (State, []Effect) {
	i := s.call(id)
	if i < 0 {
		return s, nil
	}
	var effects []Effect
	if s.Calls[i].Card {
		effects = append(effects, Card{id, true})
	}
	s, taped := s.taped(id)
	return s, append(effects, taped...)
}

// policed brings calls under way in line with a policy that changed.
func (s State) policed() (State, []Effect) {
	var effects []Effect
	for _, c := range s.Calls {
		switch n := s.notes[c.ID]; {
		case s.Welcome.Policy.Record != wire.RecordNever:
			var more []Effect
			s, more = s.taped(c.ID)
			effects = append(effects, more...)
		case n.taping:
			s = s.noted(c.ID, func(n *note) { n.tape, n.taping = false, false })
			effects = append(effects, Record{c.ID, false})
		}
		if c.Replaying && !s.Welcome.Policy.Replay {
			effects = append(effects, Replay{c.ID, false})
		}
	}
	return s, effects
}

// recording is news of a recording; of a call that is over it belongs into the list.
func (s State) recording(e Recording) State {
	over := e.State == "" || e.State == wire.RecordingKept || e.State == wire.RecordingSent
	if i := s.call(e.Call); i >= 0 {
		s = s.with(i, func(c *wire.Call) {
			if c.Recording = e.State; over {
				c.Recording = ""
			}
		})
		s = s.noted(e.Call, func(n *note) {
			if n.taping = !over; over {
				n.kept = e.State
			}
		})
	}
	if i := slices.IndexFunc(s.History, func(c wire.PastCall) bool { return c.ID == e.Call }); i >= 0 && over {
		s.History = slices.Clone(s.History)
		s.History[i].Recording = e.State
	}
	if e.Problem.Code != "" {
		return s.notice("error", e.Problem)
	}
	return s
}

// labelled says of every recording whether it pauses, as the sound does it: it keeps nothing of a call on which a card number is
// said, nor of those that hear it in the same conference, also of what begins meanwhile.
func (s State) labelled() State {
	shared := slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return c.Conference && c.Card })
	for i, c := range s.Calls {
		label := wire.RecordingOn
		if c.Card || c.Conference && shared {
			label = wire.RecordingPaused
		}
		if c.Recording != "" && c.Recording != label {
			s = s.with(i, func(c *wire.Call) { c.Recording = label })
		}
	}
	return s
}

// pastRecording is what the list shows of a call that ends now: what was recorded is on its way to the center.
func (s State) pastRecording(c wire.Call) string {
	if c.Recording != "" {
		return wire.RecordingKept
	}
	return s.notes[c.ID].kept
}

// replay plays the last 20 s again. Ending it needs no leave.
func (s State) replay(e wire.Replay) (State, []Effect) {
	i := s.call(e.Call)
	switch {
	case i < 0 || !answered(s.Calls[i]), !e.On && !s.Calls[i].Replaying:
		return s, nil
	case e.On && (!s.Welcome.Policy.Replay || s.Calls[i].Card):
		return s.tell(wire.Problem{Code: wire.ProblemForbidden})
	}
	return s, []Effect{Replay(e)}
}

// cardMode begins or ends with the caller's card number; it ends with the call at the latest.
func (s State) cardMode(e wire.CardMode) (State, []Effect) {
	i := s.call(e.Call)
	if i < 0 || !answered(s.Calls[i]) || s.Calls[i].Card == e.On {
		return s, nil
	}
	return s.with(i, func(c *wire.Call) { c.Card = e.On }), []Effect{Card(e)}
}
