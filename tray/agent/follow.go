package agent

import (
	"cmp"
	"slices"

	"zaseki/web/wire"
)

// transferAsked: the far side sends us elsewhere. Within our own plan we go by ourselves, as a desk phone does; anywhere else a
// person is asked, since the call may cost.
func (s State) transferAsked(e TransferAsked) (State, []Effect) {
	e.Number, e.Host, e.Name, e.By = short(e.Number), short(e.Host), short(e.Name), short(e.By)
	i := s.call(e.Call)
	switch {
	case s.notes[e.Call].asked != nil:
		return s, nil
	case s.Phase != wire.PhaseIn, i < 0, len(s.Calls) >= callsMax:
		return s, []Effect{RefuseMove{e.Call}}
	case !answered(s.Calls[i]), s.Calls[i].Moving != "":
		return s, []Effect{RefuseMove{e.Call}}
	}
	plan := s.Welcome.Plan
	mine := s.Calls[i].Phase == wire.CallTalking || !s.has(wire.CallTalking, wire.CallJoining)
	if mine && !plan.Outside(e.Number, cmp.Or(e.Host, plan.Domain), "") {
		return s.noted(e.Call, func(n *note) { n.asked = &e }).follow(e.Call)
	}
	if s.questioned("dial") {
		return s, []Effect{RefuseMove{e.Call}} // one question at a time: a click must not answer another one
	}
	s = s.noted(e.Call, func(n *note) { n.asked = &e })
	s.Ask = &wire.Question{Kind: "transfer", Number: e.Number, Name: cmp.Or(s.nameOf(e.Number), e.Name), Call: e.Call}
	return s, []Effect{Alarm{alarmAsked + e.Call, askedStays}}
}

func (s State) asks(kind, call string) bool {
	return s.Ask != nil && s.Ask.Kind == kind && s.Ask.Call == call
}

// follow calls whom the far side named. The old call stays until its BYE.
func (s State) follow(id string) (State, []Effect) {
	asked, i := s.notes[id].asked, s.call(id)
	switch {
	case asked == nil || i < 0:
		return s, nil
	case len(s.Calls) >= callsMax, !answered(s.Calls[i]):
		return s.refuseMove(id)
	}
	from := s.Calls[i]
	var effects []Effect
	if s.asks("transfer", id) {
		s.Ask = nil
		effects = append(effects, Alarm{Key: alarmAsked + id})
	}
	s = s.noted(id, func(n *note) { n.asked = nil })
	s, held := s.holdOthers(id)
	s, c := s.outgoing(asked.Number, cmp.Or(asked.Host, s.Welcome.Plan.Domain))
	s = s.noted(c.ID, func(n *note) { n.follows = id })
	s = s.with(len(s.Calls)-1, func(c *wire.Call) {
		c.Name, c.MovedBy = cmp.Or(c.Name, asked.Name), cmp.Or(asked.By, from.Name, from.Number)
	})
	return s, append(append(effects, held...), Follow{id, c.ID}, s.report(s.Calls[len(s.Calls)-1], ""))
}

// refuseMove answers no, by hand or because nobody answered.
func (s State) refuseMove(id string) (State, []Effect) {
	if s.notes[id].asked == nil {
		return s, nil
	}
	s = s.noted(id, func(n *note) { n.asked = nil })
	if s.asks("transfer", id) {
		s.Ask = nil
	}
	return s, []Effect{Alarm{Key: alarmAsked + id}, RefuseMove{id}}
}

// replaced: somebody else goes on with a call of ours (RFC 3891). It was allowed and answered once, so it does not ring and no
// status refuses it; everything that was known of it goes on too.
func (s State) replaced(e Invited) (State, []Effect) {
	i := s.call(e.Replaces)
	if i < 0 || !answered(s.Calls[i]) || s.notes[e.Replaces].gone != "" {
		return s, []Effect{Refuse{e.Call, 481, "No such call"}, Forget{Call: e.Call}}
	}
	old := s.Calls[i]
	c := old
	c.ID, c.Phase, c.Number, c.Name = e.Call, wire.CallJoining, e.User, cmp.Or(s.nameOf(e.User), e.Name)
	c.Outside = old.Outside || s.Welcome.Plan.Outside(e.User, e.Host, e.Mark)
	c.MovedBy, c.Codec, c.Secure, c.PeerHold, c.Silent, c.Moving, c.Consult = cmp.Or(old.Name, old.Number), "", false, false, false, "", ""
	c.Unheard, c.Still, c.Recording, c.Replaying, c.Quality = false, false, "", false, nil
	s = s.unmoved(old.ID)
	taped := s.notes[old.ID].tape
	s = s.noted(old.ID, func(n *note) { n.gone = c.ID })
	s = s.noted(c.ID, func(n *note) { n.tape, n.tally = taped, s.notes[old.ID].tally })
	s = s.with(i, func(c *wire.Call) { c.Conference = false })
	s.Calls = append(slices.Clone(s.Calls), c)
	var effects []Effect
	if f := s.call(s.focus); f < 0 || s.focus == old.ID || s.Calls[f].Phase == wire.CallHeld {
		effects = append(effects, Focus{c.ID})
	}
	effects = append(effects, Join{c.ID}, s.report(c, ""))
	if s.Local || c.Outcome == "" && c.Note == "" {
		return s, effects
	}
	s, told := s.withNote(wire.CallNote{Call: c.ID, Outcome: c.Outcome, Text: c.Note}, true).toTell(wire.CallNote{Call: c.ID, Outcome: c.Outcome, Text: c.Note, At: s.Now})
	return s, append(effects, told...)
}

// renamed: our server brought somebody else to the other end of the call (RFC 5876), or knows its name. Whoever has talked to
// somebody outside has after-call work, also when the call began within the house.
func (s State) renamed(e Renamed) (State, []Effect) {
	e.Number, e.Name, e.Mark = short(e.Number), short(e.Name), short(e.Mark)
	i := s.call(e.Call)
	if i < 0 || e.Number == "" || s.Calls[i].Phase == wire.CallEnding {
		return s, nil
	}
	old, plan := s.Calls[i], s.Welcome.Plan
	c := old
	c.Number, c.Name = e.Number, cmp.Or(s.nameOf(e.Number), e.Name)
	if plan.Same(old.Number, e.Number) {
		c.Number, c.Name = old.Number, cmp.Or(c.Name, old.Name)
	} else {
		c.MovedBy = cmp.Or(old.Name, old.Number)
	}
	c.Outside = old.Outside || plan.Outside(e.Number, e.Host, e.Mark)
	if e.Mark != "" && e.Mark != wire.MarkInside && e.Mark != wire.MarkDirect {
		c.Queue = e.Mark
	}
	if c == old {
		return s, nil
	}
	s = s.with(i, func(changed *wire.Call) { *changed = c })
	report := s.report(c, "")
	s, taped := s.taped(c.ID)
	return s, append([]Effect{report}, taped...)
}
