package agent

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

// wanted is what a person asks of the calls.
func (s State) wanted(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case wire.Dial:
		return s.dial(e.Number)
	case wire.Answer:
		return s.answer(e.Call)
	case wire.Decline:
		i := s.call(e.Call)
		if i < 0 || s.Calls[i].Phase != wire.CallOffered {
			return s, nil
		}
		return s.decline(i)
	case wire.HangUp:
		return s.hangUp(e.Call)
	case wire.Hold:
		return s.holdWanted(e.Call, e.On)
	case wire.Transfer:
		return s.transfer(e.Call, e.Number)
	case wire.Connect:
		return s.connect(e.Call, e.Other)
	case wire.FollowTransfer:
		if e.On {
			return s.follow(e.Call)
		}
		return s.refuseMove(e.Call)
	case wire.Conference:
		if e.On {
			return s.confer()
		}
		return s.partAll()
	case wire.SendDigits:
		i := s.call(e.Call)
		digits := strings.ToUpper(e.Digits)
		if i < 0 || s.Calls[i].Phase != wire.CallTalking || digits == "" || strings.Trim(digits, "0123456789*#ABCD") != "" || len(digits) > 64 {
			return s, nil
		}
		return s.with(i, func(c *wire.Call) { c.Digits += masked(c, digits) }), []Effect{Digits{e.Call, digits}}
	case wire.Replay:
		return s.replay(e)
	case wire.Record:
		return s.recordWanted(e)
	case wire.CardMode:
		return s.cardMode(e)
	case wire.RingHeard:
		// The center's receipt (PRODUCT G3) is the line's 180; this one is for the call's timeline.
		return s, nil
	}
	return s, nil
}

// dial calls a number. Whoever is being talked to is held first: the new call asks about that one.
func (s State) dial(typed string) (State, []Effect) {
	d, ok := s.Welcome.Plan.Dial(typed)
	switch {
	case !ok:
		return s.tell(badNumber(typed))
	case s.Line.State != "registered":
		return s.tell(wire.Problem{Code: wire.ProblemNotRegistered})
	case s.scarce:
		return s.notice("error", wire.Problem{Code: wire.ProblemMemory}), nil
	case len(s.Calls) >= callsMax, s.has(wire.CallDialing, wire.CallAlerted, wire.CallJoining):
		return s.tell(wire.Problem{Code: wire.ProblemCallLimit})
	}
	consult := s.consulted()
	s, effects := s.holdOthers("")
	s, c := s.outgoing(d.Shown, s.Welcome.Plan.Domain)
	s = s.with(len(s.Calls)-1, func(c *wire.Call) { c.Consult = consult })
	if d.Then != "" {
		s = s.noted(c.ID, func(n *note) { n.then = d.Then })
	}
	s.Dialled = d.Shown
	if s.Ask != nil && s.Ask.Kind == "dial" {
		s.Ask = nil
	}
	s = s.unnotice(wire.ProblemCallFailed, wire.ProblemCallBusy, wire.ProblemCallUnanswered, wire.ProblemCallUnknown,
		wire.ProblemCallDeclined, wire.ProblemCallMedia, wire.ProblemNumber)
	effects = append(effects, Focus{c.ID}, Place{Call: c.ID, Number: d.Number}, s.report(c, ""))
	s, page := s.crm(c.ID, false)
	return s, append(effects, page...)
}

// scarceNow: a call more could be the one that ends them all.
func (s State) scarceNow(on bool) (State, []Effect) {
	if s.scarce = on; on {
		return s.notice("error", wire.Problem{Code: wire.ProblemMemory}), nil
	}
	return s.unnotice(wire.ProblemMemory), nil
}

// outgoing is the state with a call that we make.
func (s State) outgoing(number, host string) (State, wire.Call) {
	s.Serial++
	c := wire.Call{ID: "out" + s.Run + strconv.Itoa(s.Serial), Phase: wire.CallDialing, Number: number, Name: s.nameOf(number), Began: s.Now,
		Outside: s.Welcome.Plan.Outside(strings.Trim(number, "*#"), host, "")}
	s.Calls = append(slices.Clone(s.Calls), c)
	return s, c
}

// consulted is the call about which a new one asks: the one talked in, or the only one held.
func (s State) consulted() string {
	talking, held := []string{}, []string{}
	for _, c := range s.Calls {
		switch {
		case c.Phase == wire.CallTalking:
			talking = append(talking, c.ID)
		case c.Phase == wire.CallHeld:
			held = append(held, c.ID)
		}
	}
	switch {
	case len(talking) == 1:
		return talking[0]
	case len(talking) == 0 && len(held) == 1:
		return held[0]
	}
	return ""
}

// dialLink asks before it dials: a link was put there by somebody else.
func (s State) dialLink(uri string) (State, []Effect) {
	d, ok := s.Welcome.Plan.Dial(uri)
	switch {
	case !ok:
		return s.tell(badNumber(uri))
	case s.Phase != wire.PhaseIn:
		return s.tell(wire.Problem{Code: wire.ProblemNotRegistered})
	case s.questioned("dial"):
		return s, nil // the question that stands is answered first
	}
	if s.unasked(d) {
		s.Unasked = s.Now
		return s.dial(d.Shown)
	}
	number := d.Shown
	if d.Then != "" {
		number += "," + d.Then
	}
	s.Ask = &wire.Question{Kind: "dial", Number: number, Name: s.nameOf(d.Shown)}
	return s, nil
}

// unaskedAgain is between two links that are dialled without a question.
const unaskedAgain = 10 * time.Second

// unasked says that a link may be dialled as if its click had been one of ours: who uses this machine, or the center, has switched
// the question off. But nobody can tell a click from a page or a program that sends links by itself: all come by the same command
// line. So such a link never touches a call that is there, never follows soon upon another, and is nothing but a plain number: a
// service code could divert this phone's calls, digits behind a number could confirm something, and an address could lead anywhere.
func (s State) unasked(d wire.Dialled) bool {
	return !s.Held.On(wire.SetConfirmLink) && len(s.Calls) == 0 && s.Ask == nil && s.Line.State == "registered" && d.Then == "" &&
		strings.Trim(strings.TrimPrefix(d.Shown, "+"), "0123456789") == "" && (s.Unasked.IsZero() || s.Now.Sub(s.Unasked) >= unaskedAgain)
}

// badNumber names what was typed, as far as a person can read it.
func badNumber(typed string) wire.Problem {
	return wire.Problem{Code: wire.ProblemNumber, Holes: map[string]string{"number": short(typed)}}
}

// tones sends what was dialled behind the number.
func (s State) tones(id string) (State, []Effect) {
	i, then := s.call(id), s.notes[id].then
	if i < 0 || s.Calls[i].Phase != wire.CallTalking || then == "" {
		return s, nil
	}
	s = s.noted(id, func(n *note) { n.then = "" })
	return s.with(i, func(c *wire.Call) { c.Digits += then }), []Effect{Digits{id, then}}
}

func (s State) answer(id string) (State, []Effect) {
	i := s.call(id)
	if i < 0 || s.Calls[i].Phase != wire.CallOffered {
		return s, nil
	}
	s, effects := s.holdOthers(id)
	s = s.with(i, func(c *wire.Call) { c.Phase, c.Answered = wire.CallJoining, s.Now })
	return s, append(effects, Focus{id}, Join{id})
}

// decline refuses by hand. 486 for an outside call, so that a queue asks the next agent; 603 for an inside one, which
// is meant for this person alone (RFC 3261 §21.6.2: 6xx ends every other branch).
func (s State) decline(i int) (State, []Effect) {
	c := s.Calls[i]
	code, reason := 603, "Decline"
	if c.Outside {
		code, reason = 486, "Declined"
	}
	s, effects := s.over(i, "declined", nil)
	return s, append([]Effect{Refuse{c.ID, code, reason}}, effects...)
}

func (s State) hangUp(id string) (State, []Effect) {
	i := s.call(id)
	if i < 0 {
		return s, nil
	}
	switch s.Calls[i].Phase {
	case wire.CallOffered:
		return s.decline(i)
	case wire.CallEnding:
		return s, nil
	case wire.CallJoining, wire.CallTalking, wire.CallHeld:
		s = s.unmoved(id)
		i = s.call(id)
		// An answer or a hold that waits for the far side must not keep a person from hanging up.
		return s.with(i, func(c *wire.Call) { c.Phase = wire.CallEnding }), []Effect{Abort{id}}
	}
	return s.unmoved(id).with(i, func(c *wire.Call) { c.Phase = wire.CallEnding }), []Effect{Drop{id}}
}

// over takes a call out of the phone: into the list, out of the sound, told to the center.
func (s State) over(i int, result string, p *wire.Problem) (State, []Effect) {
	c, n := s.Calls[i], s.notes[s.Calls[i].ID]
	var effects []Effect
	if n.gone == "" { // else the line of the call that goes on with it stands for both
		s, effects = s.listed(c, result, p)
	}
	if n.asked != nil {
		effects = append(effects, Alarm{Key: alarmAsked + c.ID})
		if s.asks("transfer", c.ID) {
			s.Ask = nil
		}
	}
	if n.move == moveWaits || s.notes[n.partner].move == moveWaits {
		s = s.unmoved(c.ID)
	}
	report, forget := s.report(c, result), Forget{Call: c.ID, Result: result, Quality: n.tally.mean()}
	if !c.Answered.IsZero() {
		forget.Took = s.Now.Sub(c.Answered)
	}
	s = s.unnoted(c.ID)
	s.Calls = slices.Delete(slices.Clone(s.Calls), i, i+1)
	s = s.forgotten(c, result)
	if len(s.Calls) == 0 {
		s.Offer = ""
		if s.Ask != nil && s.Ask.Kind != "dial" {
			s.Ask = nil
		}
		s = s.unnotice(wire.ProblemNoPage, wire.ProblemRecording).soundBack()
	}
	effects = append(effects, forget, report)
	if n.gone == "" {
		var counted []Effect
		s, counted = s.counted(c, result)
		effects = append(effects, counted...)
	}
	s, after := s.refocus(c)
	effects = append(effects, after...)
	if len(s.Calls) == 0 && s.Muted { // a mute belongs to a call: the next caller must not meet a dead microphone
		s.Muted, s.MutedTalk = false, false
		effects = append(effects, Mute{s.silent()})
	}
	return s, effects
}

// forgotten is the state whose other calls know nothing of that one any more. Who it failed to go on with is as before.
func (s State) forgotten(gone wire.Call, result string) State {
	for i, c := range s.Calls {
		if c.Consult == gone.ID {
			s = s.with(i, func(c *wire.Call) { c.Consult = "" })
		}
		if s.notes[c.ID].gone != gone.ID {
			continue
		}
		s = s.noted(c.ID, func(n *note) { n.gone = "" })
		if result == "failed" {
			s = s.with(i, func(c *wire.Call) { c.Conference = gone.Conference })
		}
	}
	return s
}

// listed is the state with the call in its list.
func (s State) listed(c wire.Call, result string, p *wire.Problem) (State, []Effect) {
	past := wire.PastCall{ID: c.ID, Queue: c.Queue, Inbound: c.Inbound, Outside: c.Outside, Number: c.Number, Name: c.Name, Began: c.Began,
		Result: result, Problem: p, Quality: s.notes[c.ID].tally.mean(), Recording: s.pastRecording(c), Outcome: c.Outcome, Note: c.Note, Unsent: c.Unsent}
	if !c.Answered.IsZero() && (result == "answered" || result == "transferred") {
		past.Talked = s.Now.Sub(c.Answered)
	}
	s.History = append([]wire.PastCall{past}, s.History...)
	if len(s.History) > historyLength {
		s.History = s.History[:historyLength]
	}
	if s.Local {
		return s, []Effect{KeepHistory{s.History}}
	}
	return s, nil
}

// refocus turns the page to who is left when that call is gone.
func (s State) refocus(gone wire.Call) (State, []Effect) {
	switch {
	case gone.Conference:
		return s.remix()
	case s.conferring():
		return s, nil
	case s.call(s.focus) >= 0:
		return s, []Effect{Focus{s.focus}}
	}
	for _, phases := range [][]string{{wire.CallTalking, wire.CallJoining}, {wire.CallAlerted, wire.CallDialing}} {
		for _, c := range s.Calls {
			if slices.Contains(phases, c.Phase) && s.notes[c.ID].hold != wishOn {
				return s, []Effect{Focus{c.ID}}
			}
		}
	}
	return s, []Effect{Focus{""}}
}

// report is the call as the center wants to know it; a result means it is over.
func (s State) report(c wire.Call, result string) Effect {
	r := wire.CallReport{ID: c.ID, Phase: c.Phase, Inbound: c.Inbound, Outside: c.Outside, Peer: c.Number, Queue: c.Queue, Center: c.Center, Result: result, At: s.Now}
	if result != "" {
		r.Phase, r.Quality = wire.PhaseEnded, s.notes[c.ID].tally.mean()
	}
	return Report{r}
}
