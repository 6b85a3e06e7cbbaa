package agent

import (
	"reflect"

	"zaseki/web/wire"
)

// signIn is PRODUCT A: two steps, and the code between them (see prove), each refused in words with nothing lost.
func (s State) signIn(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.CheckAccount:
		return s.check(e, nil)

	case wire.SignInOnce:
		return s.check(e.CheckAccount, &wire.SignIn{Terminal: e.Terminal, Status: e.Status, Seat: e.Seat})

	case wire.UseSIP:
		if s.Phase != wire.PhaseOut {
			return s, nil
		}
		s, ended := s.byHand()
		s, effects := s.useSIP(e)
		return s, append(ended, effects...)

	case Checked:
		if s.Local || s.Phase != wire.PhaseChecking && s.Phase != wire.PhaseProving && s.Phase != wire.PhaseBrowser {
			return s, nil
		}
		enrolled := s.Proof != nil && s.Proof.Enrol
		s = s.checked(e)
		if s.Phase == wire.PhaseChoosing && s.Then != nil {
			if enrolled { // the codes for paper stand on the page until a person has kept them: step two waits, filled in
				s.Then = nil
				return s, nil
			}
			return s.goOn()
		}
		if s.Phase == wire.PhaseOut && s.Auto != nil {
			return s.autoFailed(*s.Problem)
		}

	case CheckFailed:
		if s.Phase != wire.PhaseChecking && s.Phase != wire.PhaseBrowser {
			return s, nil
		}
		s.Phase, s.Problem, s.Local = wire.PhaseOut, &e.Problem, false
		if s.Auto != nil {
			return s.autoFailed(e.Problem)
		}

	case wire.Back:
		return s.back()

	case wire.SignIn:
		if s.Phase != wire.PhaseChoosing {
			return s, nil
		}
		if !s.Choice.SeatView {
			e.Seat = "" // A10: without a seat view there is no seat, whatever a page sends
		}
		asked := e
		s.Phase, s.Problem, s.Asked = wire.PhaseEntering, nil, &asked
		return s, []Effect{AskSignIn{e}}

	case EntryFailed:
		if s.Phase != wire.PhaseEntering {
			return s, nil
		}
		s.Phase, s.Problem = wire.PhaseChoosing, &e.Problem
		if e.Problem.Code == wire.ProblemTicket {
			s.Phase, s.Choice = wire.PhaseOut, nil
		}
		if s.Auto != nil {
			return s.autoFailed(e.Problem)
		}

	case Welcomed:
		if s.Phase == wire.PhaseChecking && s.Local {
			return s.enter(s.homely(e.Welcome))
		}
		if s.Phase != wire.PhaseEntering {
			return s, nil
		}
		return s.enter(e.Welcome)
	}
	return s, nil
}

// check is step one. Then is step two, where one form has asked for it already.
func (s State) check(e wire.CheckAccount, then *wire.SignIn) (State, []Effect) {
	if s.Phase != wire.PhaseOut {
		return s, nil
	}
	s, effects := s.byHand()
	s.Asked = then
	if s.Link.URL == "" {
		s.Account, s.Problem = e.Account, &wire.Problem{Code: wire.ProblemNoCenter}
		return s, effects
	}
	s.Phase, s.Account, s.Problem, s.Then = wire.PhaseChecking, e.Account, nil, then
	return s, append(effects, AskCheck{e.Account, e.Password, e.Keep})
}

// back leaves whatever step there is for the first. What a person asked of the center is waited for.
func (s State) back() (State, []Effect) {
	auto := s.Auto != nil
	var effects []Effect
	switch {
	case auto && s.Phase == wire.PhaseOut:
		return s.byHand()
	case auto && s.Phase == wire.PhaseChecking:
		effects = []Effect{DropCheck{}}
	case s.Phase == wire.PhaseBrowser:
		effects = []Effect{DropSignOn{}}
	case s.Phase != wire.PhaseChoosing && !s.answers():
		return s, nil
	}
	s.Phase, s.Problem, s.Choice, s.Asked, s.Proof = wire.PhaseOut, nil, nil, nil, nil
	s, _ = s.byHand()
	return s, effects
}

func (s State) enter(w wire.Welcome) (State, []Effect) {
	fresh := Start(s.Link.URL).lasting(s)
	fresh.Phase, fresh.Account = wire.PhaseIn, w.Me.Account
	fresh.Welcome, fresh.Record, fresh.Local = w, w.State, s.Local
	fresh.Link = wire.CenterLink{Name: w.Center, URL: s.Link.URL, Online: true, Since: s.Now}
	effects := []Effect{Mute{false}}
	if !s.Local {
		var ruled []Effect
		fresh, ruled = fresh.ruled(w.Desk)
		effects = append(effects, ruled...)
		if once := s.once(w); !reflect.DeepEqual(once, s.Once) {
			fresh.Once = once
			effects = append(effects, KeepOnce{once})
		}
	}
	if crm := w.Desk.CRM; crm != nil && crm.Login != "" {
		var login []Effect
		fresh, login = fresh.pop(crm.Login)
		effects = append(effects, login...)
	}
	if !w.Me.Terminal.Soft() {
		fresh.Line.State = "elsewhere" // A6: a desk phone rings, we only show
		return fresh, effects
	}
	fresh.Line = wire.Line{State: "registering", Server: w.SIP.Server}
	return fresh, append(effects, Enrol{})
}

// leave is PRODUCT C4: sign-out and exit, asked first during a call.
func (s State) leave(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.SignOut:
		if s.Phase != wire.PhaseIn {
			return s, nil
		}
		if len(s.Calls) > 0 && !e.Sure {
			s.Ask = &wire.Question{Kind: "signout"}
			return s, nil
		}
		return s.goodbye(false)

	case wire.Exit:
		if len(s.Calls) > 0 && !e.Sure {
			s.Ask = &wire.Question{Kind: "exit"}
			return s, nil
		}
		s.Quitting = true
		switch s.Phase {
		case wire.PhaseIn:
			return s.goodbye(false)
		case wire.PhaseLeaving:
			return s, nil
		}
		s.Phase = wire.PhaseGone
		return s, []Effect{Quit{}}

	case Revoked:
		if s.Phase != wire.PhaseIn || s.Local {
			return s, nil
		}
		s.Problem = &e.Problem
		return s.goodbye(true)

	case wire.Dismiss:
		if e.Notice != "" {
			return s.unnotice(e.Notice), nil
		}
		if s.Ask != nil && s.Ask.Kind == "transfer" {
			return s.refuseMove(s.Ask.Call)
		}
		if s.Ask != nil && s.Ask.Kind == "origin" {
			s = s.refused(s.Ask.Origin, originsNever)
		}
		s.Ask, s.Offer = nil, ""

	case Left:
		if s.Phase != wire.PhaseLeaving {
			return s, nil
		}
		if s.Quitting {
			s.Phase = wire.PhaseGone
			return s, []Effect{Quit{}}
		}
		out := Start(s.Link.URL).lasting(s)
		out.Account, out.Problem = s.Account, s.Problem
		if s.Local {
			out.Account = "" // it is no account of a center
		}
		var effects []Effect
		if s.conferring() || s.aside.mixed != nil {
			effects = append(effects, Mix{})
		}
		if s.focus != "" {
			effects = append(effects, Focus{""})
		}
		return out, effects
	}
	return s, nil
}

func (s State) goodbye(revoked bool) (State, []Effect) {
	leave := Leave{Revoked: revoked, Local: s.Local}
	for _, c := range s.Calls {
		leave.Calls = append(leave.Calls, c.ID)
	}
	leave.Calls = append(leave.Calls, s.carried()...)
	s.Phase, s.Ask, s.Wish, s.Offer = wire.PhaseLeaving, nil, "", ""
	return s, []Effect{leave}
}
