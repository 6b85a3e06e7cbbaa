package agent

import (
	"zaseki/web/wire"
)

// signIn is PRODUCT A: two steps, each refused in words with nothing lost.
func (s State) signIn(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.CheckAccount:
		if s.Phase != wire.PhaseOut {
			return s, nil
		}
		if s.Link.URL == "" {
			s.Account, s.Problem = e.Account, &wire.Problem{Code: wire.ProblemNoCenter}
			return s, nil
		}
		s.Phase, s.Account, s.Problem = wire.PhaseChecking, e.Account, nil
		return s, []Effect{AskCheck{e.Account, e.Password}}

	case wire.UseSIP:
		if s.Phase != wire.PhaseOut {
			return s, nil
		}
		return s.useSIP(e)

	case Checked:
		if s.Phase != wire.PhaseChecking || s.Local {
			return s, nil
		}
		choice := e.Choice
		s.Phase, s.Choice, s.Asked = wire.PhaseChoosing, &choice, nil
		if len(choice.Terminals) == 0 {
			s.Phase, s.Choice = wire.PhaseOut, nil
			s.Problem = &wire.Problem{Code: wire.ProblemNoTerminal}
		}

	case CheckFailed:
		if s.Phase == wire.PhaseChecking {
			s.Phase, s.Problem, s.Local = wire.PhaseOut, &e.Problem, false
		}

	case wire.Back:
		if s.Phase == wire.PhaseChoosing {
			s.Phase, s.Problem, s.Choice, s.Asked = wire.PhaseOut, nil, nil, nil
		}

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

func (s State) enter(w wire.Welcome) (State, []Effect) {
	fresh := Start(s.Link.URL)
	fresh.Now, fresh.Phase, fresh.Account = s.Now, wire.PhaseIn, w.Me.Account
	fresh.Serial, fresh.Pages, fresh.Sound, fresh.Mic, fresh.Muted = s.Serial, s.Pages, s.Sound, s.Mic, false
	fresh.Welcome, fresh.Record, fresh.SIP, fresh.Local = w, w.State, s.SIP, s.Local
	fresh.Link = wire.CenterLink{Name: w.Center, URL: s.Link.URL, Online: true, Since: s.Now}
	effects := []Effect{Mute{false}}
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
		s.Ask, s.Offer = nil, ""

	case Left:
		if s.Phase != wire.PhaseLeaving {
			return s, nil
		}
		if s.Quitting {
			s.Phase = wire.PhaseGone
			return s, []Effect{Quit{}}
		}
		out := Start(s.Link.URL)
		out.Now, out.Account, out.Problem = s.Now, s.Account, s.Problem
		out.Pages, out.Sound, out.Mic, out.Serial, out.SIP = s.Pages, s.Sound, s.Mic, s.Serial, s.SIP
		if s.Local {
			out.Account = "" // it is no account of a center
		}
		var effects []Effect
		if s.conferring() {
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
	s.Phase, s.Ask, s.Wish, s.Offer = wire.PhaseLeaving, nil, "", ""
	return s, []Effect{leave}
}
