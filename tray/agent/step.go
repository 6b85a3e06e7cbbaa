// Package agent decides. Step is a pure function of state and event; what it wants done comes back as effects, which
// somebody else carries out (cmd/softphone/do.go). The agent knows the words of web/wire and nothing else.
package agent

import (
	"zaseki/web/wire"
)

// Step is what the event does to the agent. An event that makes no sense in this state changes nothing.
func Step(s State, e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.CheckAccount, wire.SignIn, wire.Back, Checked, CheckFailed, Welcomed, EntryFailed:
		return s.signIn(e)
	case wire.SignOut, wire.Exit, wire.Dismiss, Left, Revoked:
		return s.leave(e)
	case wire.SetStatus, wire.SetNext, wire.ExtendWork, Stated, AskRefused, Linked, Resumed, Noticed:
		return s.status(e)
	case wire.Dial, wire.Answer, wire.Decline, wire.HangUp, wire.Hold, wire.SendDigits, wire.RingHeard:
		return s.wanted(e)
	case Registered, Unregistered, Invited, Progressed, Joined, Failed, Ended, HoldDone, HoldFailed, PeerHeld:
		return s.happened(e)
	case wire.Mute, wire.MicState, wire.PagesChanged, Voiced, LineSilent, SoundLive:
		return s.sound(e)
	case Expired:
		return s.unnotice(e.Key), nil
	}
	return s, nil
}

// sound: microphone, mute, pages, and what the lines were negotiated to.
func (s State) sound(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.Mute:
		s.Muted = e.On
		return s, []Effect{Mute{e.On}}
	case wire.MicState:
		s.Mic = e.State
		s = s.unnotice(wire.ProblemMicDenied, wire.ProblemMicMissing)
		switch e.State {
		case "denied":
			return s.notice("error", wire.Problem{Code: wire.ProblemMicDenied}), nil
		case "missing":
			return s.notice("error", wire.Problem{Code: wire.ProblemMicMissing}), nil
		}
	case wire.PagesChanged:
		s.Pages = e.Open
	case SoundLive:
		s.Sound = e.On
		if e.On {
			s = s.unnotice(wire.ProblemNoPage)
		}
	case Voiced:
		if i := s.call(e.Call); i >= 0 {
			return s.with(i, func(c *wire.Call) { c.Codec, c.Secure = e.Codec, e.Secure }), nil
		}
	case LineSilent:
		if i := s.call(e.Call); i >= 0 {
			return s.with(i, func(c *wire.Call) { c.Silent = e.On }), nil
		}
	}
	return s, nil
}
