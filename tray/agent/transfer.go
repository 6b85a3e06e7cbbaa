package agent

import (
	"slices"
	"strconv"

	"zaseki/web/wire"
)

// transfer sends the far side to a number: hold first, then REFER (RFC 5589 §6).
func (s State) transfer(id, typed string) (State, []Effect) {
	i := s.call(id)
	if i < 0 || !answered(s.Calls[i]) || s.Calls[i].Moving != "" {
		return s, nil
	}
	d, ok := s.Welcome.Plan.Dial(typed)
	if !ok {
		return s.tell(badNumber(typed))
	}
	s = s.noted(id, func(n *note) { n.move, n.number = moveWaits, d.Number })
	s = s.with(i, func(c *wire.Call) { c.Moving = d.Shown })
	s = s.unnotice(wire.ProblemTransfer, wire.ProblemTransferRefused, wire.ProblemNumber)
	return s.still(id)
}

// connect brings the far sides of two calls together: both held first (RFC 5589 §7.3), or the second one ringing still (§7.6).
// Without other, it is the call that asks about this one.
func (s State) connect(id, other string) (State, []Effect) {
	i, j := s.call(id), s.call(other)
	if other == "" {
		j = slices.IndexFunc(s.Calls, func(c wire.Call) bool { return c.Consult == id })
	}
	if i < 0 || j < 0 || i == j || !answered(s.Calls[i]) || !consultable(s.Calls[j]) || s.Calls[i].Moving != "" || s.Calls[j].Moving != "" {
		return s, nil
	}
	one, two := s.Calls[i], s.Calls[j]
	s = s.noted(one.ID, func(n *note) { n.move, n.partner = moveWaits, two.ID })
	s = s.noted(two.ID, func(n *note) { n.partner = one.ID })
	s = s.with(i, func(c *wire.Call) { c.Moving = two.Number })
	s = s.with(j, func(c *wire.Call) { c.Moving = one.Number })
	s = s.unnotice(wire.ProblemTransfer, wire.ProblemTransferRefused)
	if !answered(two) {
		return s.still(one.ID)
	}
	return s.still(one.ID, two.ID)
}

// consultable: somebody answered, or a phone rings there.
func consultable(c wire.Call) bool { return answered(c) || c.Phase == wire.CallAlerted }

// still holds these calls as far as they are not, and goes on when there is nothing to wait for.
func (s State) still(ids ...string) (State, []Effect) {
	var effects []Effect
	for _, id := range ids {
		var parted []Effect
		s, parted = s.part(id)
		effects = append(effects, parted...)
		wish := s.notes[id].hold
		if wish == wishOn || wish == "" && s.Calls[s.call(id)].Phase == wire.CallHeld {
			continue
		}
		var e Effect
		s, e = s.hold(id, true)
		effects = append(effects, e)
	}
	s, sent := s.advance(ids[0])
	return s, append(effects, sent...)
}

// advance sends the transfer that waits for that call's hold, once no hold is under way.
func (s State) advance(id string) (State, []Effect) {
	if p := s.notes[id].partner; p != "" && s.notes[p].move != "" {
		id = p // the other call is the one that is sent
	}
	n := s.notes[id]
	if n.move != moveWaits || n.hold != "" || s.notes[n.partner].hold != "" {
		return s, nil
	}
	s = s.noted(id, func(n *note) { n.move = moveSent })
	if n.partner != "" {
		return s, []Effect{Connect{id, n.partner}}
	}
	return s, []Effect{SendOn{id, n.number}}
}

// unmoved is the state without that call's transfer; its partner stays as it is.
func (s State) unmoved(id string) State {
	n := s.notes[id]
	for _, end := range []string{id, n.partner} {
		if i := s.call(end); i >= 0 && s.Calls[i].Moving != "" {
			s = s.with(i, func(c *wire.Call) { c.Moving = "" })
			s = s.noted(end, func(n *note) { n.move, n.number, n.partner = "", "", "" })
		}
	}
	return s
}

// sent says whether a transfer of that call is with its far side.
func (s State) sent(id string) bool {
	n := s.notes[id]
	return n.move == moveSent || n.partner != "" && (s.notes[n.partner].move == moveSent || s.call(n.partner) < 0)
}

// sentOn: they talk without us. Either call may be over already, by a BYE that was faster.
func (s State) sentOn(id string) (State, []Effect) {
	var effects []Effect
	for _, end := range append([]string{id}, s.partners(id)...) {
		i := s.call(end)
		if i < 0 || !s.sent(end) {
			continue
		}
		var gone []Effect
		s, gone = s.over(i, "transferred", nil)
		effects = append(effects, gone...)
	}
	return s, effects
}

func (s State) partners(id string) (ids []string) {
	for _, c := range s.Calls {
		if s.notes[c.ID].partner == id {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// sendOnFailed: they are still with us, and are talked to again unless somebody else is. After a consultation it is who was
// consulted.
func (s State) sendOnFailed(e SendOnFailed) (State, []Effect) {
	back := append(s.partners(e.Call), e.Call)
	i := s.call(back[0])
	if i < 0 || !s.sent(back[0]) {
		return s, nil
	}
	number := s.Calls[i].Number
	if back[0] == e.Call {
		number = s.Calls[i].Moving
	}
	for _, id := range back {
		s = s.unmoved(id)
	}
	var effects []Effect
	if i := s.call(back[0]); s.Calls[i].Phase == wire.CallHeld && !s.has(wire.CallTalking, wire.CallJoining, wire.CallDialing, wire.CallAlerted) {
		var resume Effect
		s, resume = s.hold(back[0], false)
		effects = append(effects, resume)
	}
	p := e.Problem
	if p.Code == "" {
		p = moveProblem(number, e.Code, e.Reason)
	}
	s, told := s.tell(p)
	return s, append(effects, told...)
}

// moveProblem: some codes mean that the far side does not know or allow REFER at all (RFC 3515 §2.4.2).
func moveProblem(number string, code int, reason string) wire.Problem {
	switch code {
	case 403, 405, 420, 489, 501, 603:
		return wire.Problem{Code: wire.ProblemTransferRefused, Holes: map[string]string{"number": number}}
	}
	return wire.Problem{Code: wire.ProblemTransfer, Holes: map[string]string{"number": number, "code": strconv.Itoa(code), "reason": reason}}
}
