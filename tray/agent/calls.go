package agent

import (
	"slices"
	"strconv"
	"strings"

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
		i := s.call(e.Call)
		if i < 0 || e.On && s.Calls[i].Phase != wire.CallTalking || !e.On && s.Calls[i].Phase != wire.CallHeld {
			return s, nil
		}
		if e.On {
			return s, []Effect{HoldCall{e.Call, true}}
		}
		s, effects := s.holdOthers(e.Call)
		return s, append(effects, HoldCall{e.Call, false})
	case wire.SendDigits:
		i := s.call(e.Call)
		digits := strings.ToUpper(e.Digits)
		if i < 0 || s.Calls[i].Phase != wire.CallTalking || digits == "" || strings.Trim(digits, "0123456789*#ABCD") != "" || len(digits) > 64 {
			return s, nil
		}
		return s.with(i, func(c *wire.Call) { c.Digits += digits }), []Effect{Digits{e.Call, digits}}
	case wire.RingHeard:
		// The receipt for the center (PRODUCT G3) is issue 5; a face may already say it.
		return s, nil
	}
	return s, nil
}

func (s State) dial(typed string) (State, []Effect) {
	number, ok := Number(typed)
	switch {
	case !ok:
		return s.tell(wire.Problem{Code: wire.ProblemNumber, Holes: map[string]string{"number": typed}})
	case s.Line.State != "registered":
		return s.tell(wire.Problem{Code: wire.ProblemNotRegistered})
	case s.has(wire.CallOffered, wire.CallDialing, wire.CallAlerted, wire.CallJoining, wire.CallTalking):
		return s.tell(wire.Problem{Code: wire.ProblemCallLimit})
	}
	s.Serial++
	c := wire.Call{ID: "out" + strconv.Itoa(s.Serial), Phase: wire.CallDialing, Number: number, Began: s.Now,
		Outside: s.Welcome.Plan.Outside(strings.Trim(number, "*#"), s.Welcome.Plan.Domain, "")}
	s.Calls = append(slices.Clone(s.Calls), c)
	s.Dialled = number
	s = s.unnotice(wire.ProblemCallFailed, wire.ProblemCallBusy, wire.ProblemCallUnanswered, wire.ProblemCallUnknown,
		wire.ProblemCallDeclined, wire.ProblemCallMedia, wire.ProblemNumber)
	return s, []Effect{Focus{c.ID}, Place{c.ID, number}, s.report(c, "")}
}

// Number is what was typed or pasted, as digits: full-width forms are narrowed, spaces, dots, hyphens and brackets dropped.
// A SIP address is not a number; links and addresses are issue 3.
func Number(typed string) (string, bool) {
	var b strings.Builder
	for _, r := range strings.TrimSpace(typed) {
		if r >= '！' && r <= '～' { // full-width forms U+FF01–U+FF5E stand for U+0021–U+007E
			r -= '！' - '!'
		}
		switch {
		case r >= '0' && r <= '9', r == '*', r == '#', r == '+' && b.Len() == 0:
			b.WriteRune(r)
		case strings.ContainsRune(" \u3000.-()[]/‐‑–—−ー", r):
		default:
			return "", false
		}
	}
	n := b.String()
	return n, n != "" && n != "+" && len(n) <= 32
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

// holdOthers holds whatever talks, since an agent has one mouth.
func (s State) holdOthers(id string) (State, []Effect) {
	var effects []Effect
	for _, c := range s.Calls {
		if c.ID != id && c.Phase == wire.CallTalking {
			effects = append(effects, HoldCall{c.ID, true})
		}
	}
	return s, effects
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
		// An answer or a hold that waits for the far side must not keep a person from hanging up.
		return s.with(i, func(c *wire.Call) { c.Phase = wire.CallEnding }), []Effect{Abort{id}}
	}
	return s.with(i, func(c *wire.Call) { c.Phase = wire.CallEnding }), []Effect{Drop{id}}
}

// over takes a call out of the phone: into the list, out of the sound, told to the center.
func (s State) over(i int, result string, p *wire.Problem) (State, []Effect) {
	c := s.Calls[i]
	past := wire.PastCall{ID: c.ID, Inbound: c.Inbound, Outside: c.Outside, Number: c.Number, Name: c.Name, Began: c.Began,
		Result: result, Problem: p}
	if result == "answered" {
		past.Talked = s.Now.Sub(c.Answered)
	}
	s.History = append([]wire.PastCall{past}, s.History...)
	if len(s.History) > historyLength {
		s.History = s.History[:historyLength]
	}
	s.Calls = slices.Delete(slices.Clone(s.Calls), i, i+1)
	if len(s.Calls) == 0 {
		s.Offer = ""
		s.Ask = nil
		s = s.unnotice(wire.ProblemNoPage)
	}
	effects := []Effect{Forget{c.ID}, s.report(c, result)}
	if j := slices.IndexFunc(s.Calls, func(c wire.Call) bool { return c.Phase == wire.CallTalking }); j >= 0 {
		effects = append(effects, Focus{s.Calls[j].ID})
	} else {
		effects = append(effects, Focus{""})
	}
	if len(s.Calls) == 0 && s.Muted { // a mute belongs to a call: the next caller must not meet a dead microphone
		s.Muted = false
		effects = append(effects, Mute{false})
	}
	return s, effects
}

// report is the call as the center wants to know it; a result means it is over.
func (s State) report(c wire.Call, result string) Effect {
	r := wire.CallReport{ID: c.ID, Phase: c.Phase, Inbound: c.Inbound, Outside: c.Outside, Peer: c.Number, Queue: c.Queue, Result: result, At: s.Now}
	if result != "" {
		r.Phase = wire.PhaseEnded
	}
	return Report{r}
}
