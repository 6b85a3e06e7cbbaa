package agent

import (
	"cmp"
	"slices"
	"strconv"

	"zaseki/web/wire"
)

// happened is news from SIP.
func (s State) happened(e Event) (State, []Effect) {
	switch e := e.(type) {
	case Registered:
		if s.Phase != wire.PhaseIn {
			return s, nil
		}
		was := s.Line.State
		s.Line.State, s.Line.Proven, s.Line.Expires, s.Line.Secure, s.Line.Problem = "registered", e.At, e.Expires, e.Secure, nil
		if was == "registered" {
			return s, nil
		}
		effects := []Effect{ReportLine{wire.LineReport{Registered: true}}}
		if watched := s.watched(); len(watched) > 0 {
			effects = append(effects, Watch{watched})
		}
		return s, effects
	case Unregistered:
		if s.Phase != wire.PhaseIn {
			return s, nil
		}
		s.Line.State, s.Line.Problem = "registering", &e.Problem
		s = s.unlit()
		if e.Final {
			s.Line.State = "failed"
		}
		return s, []Effect{ReportLine{wire.LineReport{Reason: e.Problem.Code}}}
	case Invited:
		return s.invited(e)
	case Quiet:
		if i := s.call(e.Call); i >= 0 && s.Calls[i].Phase == wire.CallDialing {
			return s.tell(wire.Problem{Code: wire.ProblemSIPUnreachable, Holes: map[string]string{"server": s.Line.Server}})
		}
	case Progressed:
		if i := s.call(e.Call); i >= 0 && s.Calls[i].Phase == wire.CallDialing {
			s = s.with(i, func(c *wire.Call) { c.Phase = wire.CallAlerted }).unnotice(wire.ProblemSIPUnreachable)
			return s, []Effect{s.report(s.Calls[i], "")}
		}
	case Joined:
		return s.joined(e.Call)
	case Failed:
		return s.failed(e)
	case Ended:
		return s.ended(e)
	case HoldDone:
		return s.heldNow(e)
	case HoldFailed:
		return s.holdFailed(e)
	case SentOn:
		return s.sentOn(e.Call)
	case SendOnFailed:
		return s.sendOnFailed(e)
	case TransferAsked:
		return s.transferAsked(e)
	case Renamed:
		return s.renamed(e)
	case MixFailed:
		return s.mixFailed(e)
	case PeerHeld:
		if i := s.call(e.Call); i >= 0 {
			return s.with(i, func(c *wire.Call) { c.PeerHold = e.On }), nil
		}
	}
	return s, nil
}

// invited decides whether a call rings. The rule about outside calls is kept here even if the center's word came too late:
// 480 lets the PBX ask the next agent (486 would be busy handling, 6xx would end the search).
func (s State) invited(e Invited) (State, []Effect) {
	e.User, e.Name, e.Mark, e.Called, e.Center = short(e.User), short(e.Name), short(e.Mark), short(e.Called), clip(e.Center)
	outside := s.Welcome.Plan.Outside(e.User, e.Host, e.Mark)
	switch {
	case s.call(e.Call) >= 0:
		return s, nil
	case s.Phase != wire.PhaseIn:
		return s, []Effect{Refuse{e.Call, 480, "Signed out"}, Forget{Call: e.Call}}
	}
	if s, effects, mine := s.checkInvited(e); mine {
		return s, effects
	}
	if s, effects, mine := s.visited(e, outside); mine {
		return s, effects
	}
	switch {
	case e.Replaces != "":
		return s.replaced(e)
	case s.scarce:
		return s, []Effect{Refuse{e.Call, 480, "Out of memory"}, Forget{Call: e.Call}}
	case outside && !s.takesOutside():
		return s, []Effect{Refuse{e.Call, 480, "Not available: " + s.Record.Status}, Forget{Call: e.Call}}
	case outside && (len(s.Calls) > 0 || s.aside.ours != nil), len(s.Calls) >= callsMax, len(s.Calls) > 0 && s.Held.Text(wire.SetWaiting) == "busy":
		return s, []Effect{Refuse{e.Call, 486, "Busy here"}, Forget{Call: e.Call}}
	}
	c := wire.Call{ID: e.Call, Phase: wire.CallOffered, Inbound: true, Outside: outside, Number: e.User,
		Name: cmp.Or(s.nameOf(e.User), e.Name), Began: s.Now, Called: e.Called, Center: e.Center}
	if outside && e.Mark != wire.MarkDirect {
		c.Queue = e.Mark
	}
	s.Calls = append(slices.Clone(s.Calls), c)
	effects := []Effect{Ring{e.Call}, s.report(c, "")}
	if s.Held.On(wire.SetRingRaise) && len(s.Calls) == 1 { // never over a call that goes on
		if s.Pages > 0 {
			effects = append(effects, RaisePage{})
		} else {
			effects = append(effects, ShowPage{})
		}
	}
	s, page := s.crm(c.ID, false)
	return s, append(effects, page...)
}

// clip is a name that programs have for a call. One that is too long to be ours is none.
func clip(id string) string {
	if len(id) > 200 {
		return ""
	}
	return id
}

// short is what a stranger says of itself, as long as a person would read it.
func short(text string) string {
	if r := []rune(text); len(r) > 128 {
		return string(r[:128])
	}
	return text
}

func (s State) joined(id string) (State, []Effect) {
	i := s.call(id)
	if i < 0 {
		return s, nil
	}
	switch s.Calls[i].Phase {
	case wire.CallDialing, wire.CallAlerted, wire.CallJoining:
	default:
		return s, nil
	}
	s = s.with(i, func(c *wire.Call) {
		c.Phase = wire.CallTalking
		if c.Answered.IsZero() {
			c.Answered = s.Now
		}
	})
	effects := []Effect{s.report(s.Calls[i], "")}
	if !s.Sound {
		s = s.notice("warn", wire.Problem{Code: wire.ProblemNoPage})
	}
	if s.notes[id].then != "" {
		effects = append(effects, Alarm{alarmTones + id, tonesAfter})
	}
	if old := s.notes[id].follows; s.call(old) >= 0 {
		effects = append(effects, Alarm{alarmMoved + old, movedLeaves})
	}
	s, placed := s.heard(i)
	s, taped := s.answeredSound(id)
	s, page := s.crm(id, true)
	return s, append(append(append(effects, placed...), taped...), page...)
}

// heard gives the page to a call that was just answered, unless the person turned to another one while it rang: then it waits.
func (s State) heard(i int) (State, []Effect) {
	c := s.Calls[i]
	f := s.call(s.focus)
	switch {
	case c.Conference: // it goes on with one that was part of it
		return s, s.mixed()
	case s.focus == c.ID:
		return s, nil
	case f < 0, s.focus == s.notes[c.ID].follows, s.notes[s.focus].gone == c.ID, s.Calls[f].Phase == wire.CallEnding,
		s.Calls[f].Phase == wire.CallHeld && s.notes[s.focus].hold != wishOff:
		return s, []Effect{Focus{c.ID}}
	}
	s, e := s.hold(c.ID, true)
	return s, []Effect{e}
}

func (s State) failed(e Failed) (State, []Effect) {
	i := s.call(e.Call)
	if i < 0 {
		return s, nil
	}
	c := s.Calls[i]
	if (c.Phase == wire.CallEnding || e.Code == 487 && s.sent(e.Call)) && e.Problem.Code == "" { // our own CANCEL was answered
		return s.over(i, "cancelled", nil)
	}
	p := e.Problem
	if p.Code == "" {
		p = sipProblem(e.Code, e.Reason)
	}
	s, effects := s.over(i, "failed", &p)
	s, alarm := s.tell(p)
	return s, append(effects, alarm...)
}

// sipProblem puts a final SIP status into words (RFC 3261 §21).
func sipProblem(code int, reason string) wire.Problem {
	switch code {
	case 404, 410, 484, 485, 604:
		return wire.Problem{Code: wire.ProblemCallUnknown}
	case 408, 480:
		return wire.Problem{Code: wire.ProblemCallUnanswered}
	case 486, 600:
		return wire.Problem{Code: wire.ProblemCallBusy}
	case 603:
		return wire.Problem{Code: wire.ProblemCallDeclined}
	case 488, 606, 415:
		return wire.Problem{Code: wire.ProblemCallMedia}
	}
	return wire.Problem{Code: wire.ProblemCallFailed, Holes: map[string]string{"code": strconv.Itoa(code), "reason": reason}}
}

func (s State) ended(e Ended) (State, []Effect) {
	i := s.call(e.Call)
	if i < 0 {
		return s, nil
	}
	switch c := s.Calls[i]; {
	case e.Elsewhere:
		return s.over(i, "elsewhere", nil)
	case s.notes[e.Call].gone != "", e.Replaced, s.sent(e.Call) && c.Phase != wire.CallEnding:
		return s.over(i, "transferred", nil)
	case !c.Answered.IsZero():
		return s.over(i, "answered", nil)
	case c.Inbound:
		return s.over(i, "missed", nil)
	}
	return s.over(i, "cancelled", nil)
}
