package agent

import (
	"slices"

	"zaseki/web/wire"
)

func (s State) conferring() bool {
	return slices.ContainsFunc(s.Calls, func(c wire.Call) bool { return c.Conference })
}

func (s State) unconferred() State {
	for i, c := range s.Calls {
		if c.Conference {
			s = s.with(i, func(c *wire.Call) { c.Conference = false })
		}
	}
	return s
}

// confer brings every answered call into one conversation. Who is held is taken off hold and heard as soon as that is done.
func (s State) confer() (State, []Effect) {
	var in []wire.Call
	for _, c := range s.Calls {
		if answered(c) && c.Moving == "" && s.notes[c.ID].gone == "" {
			in = append(in, c)
		}
	}
	if len(in) < 2 || !slices.ContainsFunc(in, func(c wire.Call) bool { return !c.Conference }) {
		return s, nil
	}
	var effects []Effect
	for _, c := range in {
		s = s.with(s.call(c.ID), func(c *wire.Call) { c.Conference = true })
		if wish := s.notes[c.ID].hold; wish == wishOn || wish == "" && c.Phase == wire.CallHeld {
			var e Effect
			s, e = s.hold(c.ID, false)
			effects = append(effects, e)
		}
	}
	s = s.unnotice(wire.ProblemConference)
	return s, append(effects, s.mixed()...)
}

// mixed tells the sound who is in the conversation; the page's own call is one of them.
func (s State) mixed() []Effect {
	in := s.members()
	if slices.Contains(in, s.focus) {
		return []Effect{Mix{Calls: in}}
	}
	return []Effect{Mix{Calls: in}, Focus{in[0]}}
}

func (s State) members() (ids []string) {
	for _, c := range s.Calls {
		if c.Conference {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// partAll ends the conference: the first that talks goes on, the others are held.
func (s State) partAll() (State, []Effect) {
	in := s.members()
	if len(in) == 0 {
		return s, nil
	}
	keep := in[0]
	if i := slices.IndexFunc(s.Calls, func(c wire.Call) bool { return c.Conference && c.Phase == wire.CallTalking }); i >= 0 {
		keep = s.Calls[i].ID
	}
	s, effects := s.holdOthers(keep)
	return s, append(effects, Focus{keep})
}

// part takes one call out of the conference.
func (s State) part(id string) (State, []Effect) {
	i := s.call(id)
	if i < 0 || !s.Calls[i].Conference {
		return s, nil
	}
	return s.with(i, func(c *wire.Call) { c.Conference = false }).remix()
}

// remix is the conference of who is left; one alone is an ordinary call.
func (s State) remix() (State, []Effect) {
	in := s.members()
	if len(in) >= 2 {
		return s, s.mixed()
	}
	s = s.unconferred()
	if len(in) == 0 {
		return s, []Effect{Mix{}, Focus{""}}
	}
	return s, []Effect{Mix{}, Focus{in[0]}}
}

// mixFailed: one cannot be mixed. It is held, the others go on.
func (s State) mixFailed(e MixFailed) (State, []Effect) {
	if s, effects, alone := s.unmixable(e.Call); alone {
		return s, effects
	}
	i := s.call(e.Call)
	if i < 0 || !s.Calls[i].Conference {
		return s, nil
	}
	number := s.Calls[i].Number
	s, effects := s.part(e.Call)
	if answered(s.Calls[i]) && s.notes[e.Call].hold != wishOn {
		var hold Effect
		s, hold = s.hold(e.Call, true)
		effects = append(effects, hold)
	}
	s, told := s.tell(wire.Problem{Code: wire.ProblemConference, Holes: map[string]string{"number": number}})
	return s, append(effects, told...)
}
