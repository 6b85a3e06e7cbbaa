package agent

import "zaseki/web/wire"

// update is PRODUCT B: a newer version is told of, and fetched when a person asks, never during a call.
func (s State) update(e Event) (State, []Effect) {
	switch e := e.(type) {
	case Updated:
		s.Update = e.Update
	case wire.GetUpdate:
		switch {
		case s.Update == nil:
			return s, nil
		case len(s.Calls) > 0:
			return s.tell(wire.Problem{Code: wire.ProblemUpdateCall})
		}
		return s.unnotice(wire.ProblemUpdateCall), []Effect{GetUpdate{}}
	case wire.StopUpdate:
		if s.Update != nil && s.Update.State == wire.UpdateLoading {
			return s, []Effect{StopUpdate{}}
		}
	}
	return s, nil
}
