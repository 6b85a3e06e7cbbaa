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
	s, quiet := s.untested()
	s = s.labelled()
	effects = append(quiet, effects...)
	for _, e := range effects {
		if f, ok := e.(Focus); ok {
			s.focus = f.Call
		}
	}
	s, effects = s.alongside(effects)
	s, effects = s.readiness(effects)
	if s.Local {
		return s.atHome(effects)
	}
	return s.nextAway(), effects
}

func (s State) step(e Event) (State, []Effect) {
	if s, effects, ours := s.besides(e); ours {
		return s, effects
	}
	switch e := e.(type) {
	case wire.CheckAccount, wire.SignInOnce, wire.SignIn, wire.UseSIP, wire.Back, Checked, CheckFailed, Welcomed, EntryFailed:
		return s.signIn(e)
	case wire.SendCode, wire.MailCode, wire.SignOn, MailSent, CodeFailed, SignOnOpened, SignOnOffered:
		return s.prove(e)
	case wire.SignOut, wire.Exit, wire.Dismiss, Left, Revoked:
		return s.leave(e)
	case wire.SetStatus, wire.SetNext, wire.ExtendWork, Stated, AskRefused, KeptTold, Linked, Resumed, Noticed:
		return s.status(e)
	case wire.DialLink:
		return s.dialLink(e.URI)
	case wire.Dial, wire.Answer, wire.Decline, wire.HangUp, wire.Hold, wire.Transfer, wire.Connect, wire.FollowTransfer,
		wire.Conference, wire.SendDigits, wire.RingHeard, wire.Replay, wire.Record, wire.CardMode:
		return s.wanted(e)
	case Registered, Unregistered, Invited, Progressed, Joined, Failed, Ended, Quiet, HoldDone, HoldFailed, PeerHeld,
		SentOn, SendOnFailed, TransferAsked, Renamed, MixFailed:
		return s.happened(e)
	case wire.SaveContact, wire.RemoveContact, Recalled, Lamp, MessagesWaiting:
		return s.book(e)
	case BookChanged, BookCame:
		return s.shared(e)
	case wire.CallNote, NoteTold:
		return s.writing(e)
	case wire.SeenMissed, PastCame, CallLost:
		return s.past(e)
	case wire.RaiseHand, wire.UseTerminal, SettingsAsked:
		return s.floor(e)
	case wire.Supervise, wire.SetStatusOf, wire.LowerHand, wire.SendMessage, wire.ReadMessages, wire.Check:
		return s.acts(e)
	case wire.Permit:
		return s.permit(e)
	case wire.Attend:
		return s.attend(e)
	case wire.CheckCall:
		return s.checkCall(e)
	case wire.Messages:
		return s.mailbox(e), nil
	case MemoryScarce:
		return s.scarceNow(e.On)
	case wire.PopShown:
		return s.popShown(e.ID)
	case wire.OriginAsks, wire.AllowOrigin:
		return s.origin(e)
	case wire.Mute, wire.MicState, wire.PagesChanged, SoundLive, SoundGone, MutedTalk:
		return s.sound(e)
	case Voiced, LineSilent, Unheard, Still, Measured, Replaying, DigitHeard:
		return s.voice(e), nil
	case Recording:
		return s.recording(e), nil
	case wire.SaveDevices, wire.EchoTest, wire.RingTest, wire.TestNetwork, RingDevices, NetworkTested:
		return s.devices(e)
	case wire.ChangeSetting, wire.ImportSettings, SettingFailing, Warned:
		return s.settings(e)
	case Started:
		return s.begun(e)
	case wire.ForgetAccount:
		return s.dropSaved(nil)
	case Filed:
		s.Saved = e.Saved
		return s, nil
	case wire.GetUpdate, wire.StopUpdate, Updated:
		return s.update(e)
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
	alarmRing   = "ring"
	alarmPage   = "page"
	alarmAuto   = "auto"
	alarmPop    = "pop "
	alarmBook   = "book"
	alarmNote   = "note"
	alarmPast   = "past"
	alarmOrigin = "origin"
	alarmAttend = "attend "
	alarmPermit = "permit "
	alarmSilent = "silent "
	alarmLock   = "lock "
	alarmEnded  = "ended "
	alarmCheck  = "check "
	alarmEarly  = "early "
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
	case alarmRing + " ":
		s.RingTest = false
		return s, nil
	case alarmPage + " ":
		return s.showAgain()
	case alarmAuto + " ":
		return s.autoAgain()
	case alarmPop:
		return s.popMissed(id)
	case alarmBook + " ":
		return s.fetch()
	case alarmNote + " ":
		return s.tellNotes()
	case alarmPast + " ":
		return s.askPast()
	case alarmOrigin + " ":
		return s.unanswered(), nil
	case alarmAttend, alarmLock:
		return s.attendOver(word+" ", id)
	case alarmSilent:
		if o := s.aside.ours; o != nil && o.call == id {
			return s.unsupervise(true)
		}
		return s.attendOver(alarmSilent, id)
	case alarmEnded:
		return s.endedThere(id)
	case alarmPermit:
		return s.unannounced(id)
	case alarmCheck:
		return s.checkLate(id)
	case alarmEarly:
		return s.unchecked(id)
	}
	return s.unnotice(key), nil
}
