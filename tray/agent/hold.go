package agent

import "zaseki/web/wire"

// holdWanted is a person's hold or resume. Resuming one holds the others; holding one of a conference takes it out.
func (s State) holdWanted(id string, on bool) (State, []Effect) {
	i := s.call(id)
	if i < 0 || on && s.Calls[i].Phase != wire.CallTalking || !on && s.Calls[i].Phase != wire.CallHeld || s.Calls[i].Moving != "" {
		return s, nil
	}
	var before []Effect
	if on {
		s, before = s.part(id)
	} else {
		s, before = s.holdOthers(id)
	}
	s, e := s.hold(id, on)
	return s, append(before, e)
}

// hold asks for hold or resume and remembers that it did.
func (s State) hold(id string, on bool) (State, Effect) {
	wish := wishOff
	if on {
		wish = wishOn
	}
	return s.noted(id, func(n *note) { n.hold = wish }), HoldCall{id, on}
}

// holdOthers holds whatever talks, since an agent has one mouth. A conference is over with that.
func (s State) holdOthers(id string) (State, []Effect) {
	var effects []Effect
	if s.conferring() {
		s = s.unconferred()
		effects = append(effects, Mix{})
	}
	for _, c := range s.Calls {
		wish := s.notes[c.ID].hold
		if c.ID == id || wish == wishOn || c.Phase != wire.CallTalking && wish != wishOff {
			continue
		}
		var e Effect
		s, e = s.hold(c.ID, true)
		effects = append(effects, e)
	}
	return s, effects
}

func (s State) heldNow(e HoldDone) (State, []Effect) {
	i := s.call(e.Call)
	if i < 0 || !answered(s.Calls[i]) {
		return s, nil
	}
	phase, wish := wire.CallTalking, wishOff
	if e.On {
		phase, wish = wire.CallHeld, wishOn
	}
	newer := s.notes[e.Call].hold != "" && s.notes[e.Call].hold != wish // the person changed their mind meanwhile
	if !newer {
		s = s.noted(e.Call, func(n *note) { n.hold = "" })
	}
	s = s.with(i, func(c *wire.Call) { c.Phase = phase })
	effects := []Effect{s.report(s.Calls[i], "")}
	if !e.On && !newer && !s.Calls[i].Conference {
		var held []Effect
		s, held = s.holdOthers(e.Call) // somebody may have answered meanwhile
		effects = append(append(effects, held...), Focus{e.Call})
	}
	s, sent := s.advance(e.Call)
	return s, append(effects, sent...)
}

// holdFailed: the far side did not take it. A transfer goes on all the same; who cannot be resumed leaves the conference.
func (s State) holdFailed(e HoldFailed) (State, []Effect) {
	i := s.call(e.Call)
	if i < 0 {
		return s, nil
	}
	resumed := s.notes[e.Call].hold == wishOff
	s = s.noted(e.Call, func(n *note) { n.hold = "" })
	var effects []Effect
	if resumed {
		s, effects = s.part(e.Call)
	}
	s, told := s.tell(e.Problem)
	s, sent := s.advance(e.Call)
	return s, append(append(effects, told...), sent...)
}
