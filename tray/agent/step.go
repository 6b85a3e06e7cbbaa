// Package agent decides. Step is a pure function of state and event; what it wants done comes back as effects, which
// somebody else carries out (cmd/softphone/do.go). The agent knows the words of web/wire and nothing else.
package agent

import (
	"strings"
	"time"

	"zaseki/web/wire"
)

// Step is what the event does to the agent. An event that makes no sense in this state changes nothing.
func Step(s State, e Event) (State, []Effect) {
	s, effects := s.step(e)
	for _, e := range effects {
		if f, ok := e.(Focus); ok {
			s.focus = f.Call
		}
	}
	if s.Local {
		return s.atHome(effects)
	}
	return s, effects
}

func (s State) step(e Event) (State, []Effect) {
	switch e := e.(type) {
	case wire.CheckAccount, wire.SignIn, wire.UseSIP, wire.Back, Checked, CheckFailed, Welcomed, EntryFailed:
		return s.signIn(e)
	case wire.SignOut, wire.Exit, wire.Dismiss, Left, Revoked:
		return s.leave(e)
	case wire.SetStatus, wire.SetNext, wire.ExtendWork, Stated, AskRefused, Linked, Resumed, Noticed:
		return s.status(e)
	case wire.DialLink:
		return s.dialLink(e.URI)
	case wire.Dial, wire.Answer, wire.Decline, wire.HangUp, wire.Hold, wire.Transfer, wire.Connect, wire.FollowTransfer,
		wire.Conference, wire.SendDigits, wire.RingHeard:
		return s.wanted(e)
	case Registered, Unregistered, Invited, Progressed, Joined, Failed, Ended, Quiet, HoldDone, HoldFailed, PeerHeld,
		SentOn, SendOnFailed, TransferAsked, Renamed, MixFailed:
		return s.happened(e)
	case wire.SaveContact, wire.RemoveContact, Recalled, Lamp, MessagesWaiting:
		return s.book(e)
	case wire.Mute, wire.MicState, wire.PagesChanged, Voiced, LineSilent, SoundLive:
		return s.sound(e)
	case Expired:
		return s.expired(e.Key)
	}
	return s, nil
}

// Keys of alarms; with a call's id behind them. Any other key is a notice that has stood long enough.
const (
	alarmTones  = "tones "
	alarmAsked  = "asked "
	alarmMoved  = "moved "
	alarmWork   = "work"
	tonesAfter  = time.Second      // an extension is asked for after the greeting began
	askedStays  = 30 * time.Second // a transferor does not wait longer
	movedLeaves = 5 * time.Second  // then the call that we left for another is ended by us
)

func (s State) expired(key string) (State, []Effect) {
	word, id, _ := strings.Cut(key, " ")
	switch word + " " {
	case alarmTones:
		return s.tones(id)
	case alarmAsked:
		return s.refuseMove(id)
	case alarmMoved:
		return s.hangUp(id)
	case alarmWork + " ":
		return s.workOver()
	}
	return s.unnotice(key), nil
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
