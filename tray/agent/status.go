package agent

import (
	"reflect"
	"time"

	"zaseki/web/wire"
)

// noticeStays is how long a notice stays when nobody closes it.
const noticeStays = 20 * time.Second

// status is PRODUCT D: a click is a wish, the center decides, its record is what is shown.
func (s State) status(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e.(type) {
	case Stated, AskRefused, Linked, Resumed, KeptTold:
		if s.Local { // there is no center to hear of
			return s, nil
		}
	}
	switch e := e.(type) {
	case wire.SetStatus:
		if s.Record.Status == e.To && s.Wish == "" && s.Record.Until.IsZero() || s.Wish == e.To {
			s.Offer = ""
			return s, nil
		}
		if !s.pickable(e.To) {
			return s.tell(wire.Problem{Code: wire.ProblemStatusUnknown, Holes: map[string]string{"status": e.To}})
		}
		if !s.Local && !s.Link.Online && s.away.on {
			return s.keepStatus(e.To)
		}
		s.Wish, s.Offer = e.To, ""
		return s, []Effect{AskStatus{e.To}}

	case wire.SetNext:
		if e.To != "" && !s.pickable(e.To) {
			return s.tell(wire.Problem{Code: wire.ProblemStatusUnknown, Holes: map[string]string{"status": e.To}})
		}
		s.Offer = ""
		if !s.Local && !s.Link.Online && s.away.on {
			return s.keepNext(e.To)
		}
		return s, []Effect{AskNext{e.To}}

	case wire.ExtendWork:
		if s.Record.Status != wire.StatusWork {
			return s, nil
		}
		return s, []Effect{AskExtend{}}

	case Stated:
		if e.State.Rev < s.Record.Rev {
			return s, nil // an older record that was overtaken
		}
		changed := e.State.Status != s.Record.Status
		s = s.stated(e.State)
		if changed || s.Wish == e.State.Status {
			s.Wish = ""
		}

	case AskRefused:
		if e.To == s.Wish {
			s.Wish = ""
		}
		if e.Problem.Code == wire.ProblemStatusInCall && e.To != "" {
			s.Offer = e.To // D9: offered as next status, with the reason beside it
			return s, nil
		}
		return s.tell(e.Problem)

	case KeptTold:
		return s.keptTold(e)

	case Resumed:
		return s.resumed(e)

	case Noticed:
		return s.noticed(e.Notice)

	case Linked:
		return s.linked(e.Online)
	}
	return s, nil
}

// resumed: the session goes on, with the settings as they are now.
func (s State) resumed(e Resumed) (State, []Effect) {
	rotated := s.Welcome.Epoch != e.Welcome.Epoch && e.Welcome.Me.Terminal.Soft()
	replanned := !reflect.DeepEqual(s.Welcome.Plan, e.Welcome.Plan)
	s.Welcome, s.Link.Name = e.Welcome, e.Welcome.Center
	if e.Welcome.State.Rev >= s.Record.Rev {
		s = s.stated(e.Welcome.State)
	}
	s, effects := s.policed()
	s, ruled := s.ruled(e.Welcome.Desk)
	effects = append(effects, ruled...)
	s, book := s.shares(e.Welcome.Desk.Book, replanned)
	effects = append(effects, book...)
	if rotated { // the terminal's secret goes with the epoch
		effects = append(effects, Enrol{})
	}
	return s, effects
}

// linked: the connection to the center is there, or lost.
func (s State) linked(online bool) (State, []Effect) {
	if s.Link.Online == online {
		return s, nil
	}
	s.Link.Online, s.Link.Since = online, s.Now
	s.away = s.away.mind(online, s.Now)
	if online {
		s = s.unnotice(wire.ProblemOffline)
		var effects []Effect
		if s.Welcome.Me.Terminal.Soft() { // a center that was restarted is a registrar without memory
			effects = append(effects, Refresh{})
		}
		s.written.pause = 0
		s, notes := s.tellNotes()
		effects = append(effects, notes...)
		return s, append(effects, Alarm{alarmPast, s.spread()}, Alarm{alarmBook, s.spread()}) // what it said meanwhile was not heard
	}
	s.Wish = ""
	return s.notice("warn", wire.Problem{Code: wire.ProblemOffline}), nil
}

func (s State) pickable(status string) bool {
	for _, d := range s.Welcome.Statuses {
		if d.ID == status {
			return d.Pickable
		}
	}
	return false
}

// tell shows a problem for a while; it blocks nothing.
func (s State) tell(p wire.Problem) (State, []Effect) {
	return s.notice("error", p), []Effect{Alarm{p.Code, noticeStays}}
}
