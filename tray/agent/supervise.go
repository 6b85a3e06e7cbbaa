package agent

import (
	"strconv"
	"time"

	"zaseki/web/wire"
)

// supervision is our part in somebody else's calls, as the center has permitted it. Its own call is none of the agent's: nothing of
// it is in lists, statuses or after-call work. The permit never leaves the state but in Place.
type supervision struct {
	wire.Permit
	call  string
	since time.Time // it was answered
	idle  bool      // the other is in no call just now
}

// supervise is a person's wish to take part in somebody's calls, as something else, or no more.
func (s State) supervise(e wire.Supervise) (State, []Effect) {
	ours := s.aside.ours
	switch {
	case e.Mode == "" && ours != nil:
		return s.unsupervise(true)
	case e.Mode == "", !superviseMode(e.Mode):
		return s, nil
	case s.Local:
		return s.tell(wire.Problem{Code: wire.ProblemNoCenter})
	case !s.Link.Online:
		return s.tell(wire.Problem{Code: wire.ProblemOffline})
	case ours != nil && ours.Account == e.Account:
	case s.Line.State != "registered":
		return s.tell(wire.Problem{Code: wire.ProblemNotRegistered})
	case len(s.Calls) > 0:
		return s.tell(wire.Problem{Code: wire.ProblemSuperviseCall})
	}
	s = s.unnotice(wire.ProblemSuperviseCall, wire.ProblemSuperviseNo)
	if s.aside.ending != e.Account {
		return s, []Effect{AskAct{Act: e}}
	}
	// The center may not know yet that the part before is over: it would change that one, and no call would be permitted.
	over := AskAct{Act: wire.Supervise{Account: e.Account}, Quiet: true}
	s.aside.ending = ""
	return s, []Effect{Alarm{Key: alarmEnded + e.Account}, over, AskAct{Act: e}}
}

// permit is the center's answer to it, and every change afterwards.
func (s State) permit(e wire.Permit) (State, []Effect) {
	if s.Phase != wire.PhaseIn || s.Local {
		return s, nil
	}
	ours := s.aside.ours
	var effects []Effect
	if e.Mode == "" && e.Account == s.aside.ending {
		s.aside.ending = ""
	}
	if e.Problem != nil {
		s, effects = s.tell(*e.Problem)
	}
	switch {
	case e.Mode == "" && (ours == nil || e.ID != "" && e.ID != ours.ID):
		return s, effects
	case e.Mode == "":
		s, ended := s.unsupervise(false)
		return s, append(effects, ended...)
	case !superviseMode(e.Mode) || e.ID == "":
		return s, effects
	case ours == nil && e.Account == s.aside.ending && e.Until.IsZero(): // late news of what has ended here: why is the agent's phone's to say
		return s, effects
	case ours != nil && ours.ID == e.ID:
		next := *ours
		next.Mode, next.Follow, next.Agent = e.Mode, e.Follow, short(e.Agent)
		s.aside.ours = &next
		return s, append(effects, Mute{s.silent()})
	}
	if ours != nil {
		var ended []Effect
		s, ended = s.unsupervise(false)
		effects = append(effects, ended...)
	}
	s, begun := s.visit(e)
	return s, append(effects, begun...)
}

// visit calls the agent's phone.
func (s State) visit(e wire.Permit) (State, []Effect) {
	d, ok := s.Welcome.Plan.Dial(e.Extension)
	over := AskAct{Act: wire.Supervise{Account: e.Account}, Quiet: true}
	switch {
	case e.Until.IsZero(), !ok, s.Line.State != "registered": // it has begun, but not here, or not any more
		return s, []Effect{over}
	case len(s.Calls) > 0: // one came meanwhile
		s, told := s.tell(wire.Problem{Code: wire.ProblemSuperviseCall})
		return s, append(told, over)
	}
	s.Serial++
	e.Agent, e.Problem = short(e.Agent), nil
	s.aside.ours = &supervision{Permit: e, call: "sup" + s.Run + strconv.Itoa(s.Serial)}
	return s, []Effect{Mute{s.silent()}, Focus{s.aside.ours.call}, Place{Call: s.aside.ours.call, Number: d.Number, Permit: wire.Secret(e.ID)}}
}

// unsupervise ends our part. Told: the center does not know yet.
func (s State) unsupervise(tell bool) (State, []Effect) {
	ours := s.aside.ours
	s.aside.ours = nil
	effects := []Effect{Alarm{Key: alarmSilent + ours.call}, Abort{ours.call}, Forget{Call: ours.call}}
	if s.focus == ours.call {
		effects = append(effects, Focus{""})
	}
	if len(s.Calls) == 0 {
		s.Muted, s.MutedTalk = false, false
	}
	effects = append(effects, Mute{s.Muted})
	if tell {
		effects = append(effects, AskAct{Act: wire.Supervise{Account: ours.Account}, Quiet: true})
	}
	return s, effects
}

// endedWait is how long the agent's phone has to tell the center why our call to it ended.
const endedWait = 5 * time.Second

// endedThere tells it in its place.
func (s State) endedThere(account string) (State, []Effect) {
	s.aside.ending = ""
	if s.aside.ours != nil || s.Phase != wire.PhaseIn || s.Local {
		return s, nil
	}
	return s, []Effect{AskAct{Act: wire.Supervise{Account: account}, Quiet: true}}
}

// silent says that nothing of the microphone may leave: the person muted it, or only listens.
func (s State) silent() bool {
	return s.Muted || s.aside.ours != nil && s.aside.ours.Mode == wire.SuperviseListen
}

// ownLegNews is news of the call to an agent whom we supervise.
func (s State) ownLegNews(e Event) (State, []Effect) {
	ours := *s.aside.ours
	switch e := e.(type) {
	case Joined:
		ours.since = s.Now
		s.aside.ours = &ours
	case PeerHeld:
		ours.idle = e.On
		s.aside.ours = &ours
	case Failed:
		p := e.Problem
		switch {
		case p.Code != "":
		case e.Code == 403 || e.Code == 480 || e.Code == 487:
			p = wire.Problem{Code: wire.ProblemSuperviseNo, Holes: map[string]string{"who": ours.Agent}}
		default:
			p = sipProblem(e.Code, e.Reason)
		}
		s, effects := s.unsupervise(true)
		s, told := s.tell(p)
		return s, append(effects, told...)
	case Ended: // the center hears of it from the agent's phone, with the reason; from us only if that one is gone
		s, effects := s.unsupervise(false)
		s.aside.ending = ours.Account
		return s, append(effects, Alarm{alarmEnded + ours.Account, endedWait})
	case MixFailed:
		return s, nil
	case LineSilent:
		if e.On {
			return s, []Effect{Alarm{alarmSilent + ours.call, legSilent}}
		}
		return s, []Effect{Alarm{Key: alarmSilent + ours.call}}
	case TransferAsked:
		return s, []Effect{RefuseMove{ours.call}}
	}
	return s, nil
}

// supervised is what the person sees of it.
func (s State) supervised() *wire.Supervised {
	ours := s.aside.ours
	if ours == nil {
		return nil
	}
	return &wire.Supervised{Account: ours.Account, Agent: ours.Agent, Mode: ours.Mode, Follow: ours.Follow, Call: ours.call, Since: ours.since, Idle: ours.idle}
}
