package agent

import (
	"slices"
	"time"

	"zaseki/web/wire"
)

// aside is what goes on beside the calls: who takes part in ours, and in whose we take part. Its slices are never changed in place.
type aside struct {
	attends []attendance
	waiting []visitor
	spent   []string  // permits that are good for nothing any more, newest last
	forged  time.Time // of the last report of a permit that nobody gave
	mixed   []string  // the last Mix, while somebody takes part in it
	ours    *supervision
	ending  string // whose call our part in ended with, until the center has told of it
	check   *checking
	early   *visitor // a check's call that the center has not told of yet
}

// carried are the calls of the line that are no calls of the agent.
func (s State) carried() (ids []string) {
	for _, a := range s.aside.attends {
		if a.leg != "" {
			ids = append(ids, a.leg)
		}
	}
	if s.aside.ours != nil {
		ids = append(ids, s.aside.ours.call)
	}
	if s.aside.check != nil && s.aside.check.leg != "" {
		ids = append(ids, s.aside.check.leg)
	}
	return ids
}

// besides hears news of such a call. False: it is none of them.
func (s State) besides(e Event) (State, []Effect, bool) {
	id := callOf(e)
	if id == "" {
		return s, nil, false
	}
	if i := slices.IndexFunc(s.aside.attends, func(a attendance) bool { return a.leg == id }); i >= 0 {
		s, effects := s.legNews(i, e)
		return s, effects, true
	}
	if s.aside.ours != nil && s.aside.ours.call == id {
		s, effects := s.ownLegNews(e)
		return s, effects, true
	}
	if s, effects, mine := s.checkNews(id, e); mine {
		return s, effects, true
	}
	if i := slices.IndexFunc(s.aside.waiting, func(v visitor) bool { return v.Call == id }); i >= 0 { // it gave up
		s.aside.waiting = slices.Delete(slices.Clone(s.aside.waiting), i, i+1)
		return s, []Effect{Alarm{Key: alarmPermit + id}, Forget{Call: id}}, true
	}
	return s, nil, false
}

// callOf is the call that news of line and sound are about; "" they are about none.
func callOf(e Event) string {
	switch e := e.(type) {
	case Progressed:
		return e.Call
	case Joined:
		return e.Call
	case Failed:
		return e.Call
	case Ended:
		return e.Call
	case Quiet:
		return e.Call
	case HoldDone:
		return e.Call
	case HoldFailed:
		return e.Call
	case PeerHeld:
		return e.Call
	case TransferAsked:
		return e.Call
	case Renamed:
		return e.Call
	case MixFailed:
		return e.Call
	case Voiced:
		return e.Call
	case LineSilent:
		return e.Call
	}
	return ""
}

// alongside brings line and sound in line with who takes part in what: after every event, whatever it was. Legs are in the agent's
// conversation or hear silence; those that do not follow end with their call; one of our own ends our part in another's.
func (s State) alongside(effects []Effect) (State, []Effect) {
	s, effects = s.giveWay(effects)
	if o := s.aside.ours; o != nil && s.has(wire.CallDialing, wire.CallAlerted, wire.CallJoining, wire.CallTalking, wire.CallHeld) {
		var ended []Effect
		s, ended = s.unsupervise(true)
		effects = append(ended, effects...)
	}
	if len(s.aside.attends) == 0 && s.aside.mixed == nil {
		return s, effects
	}
	for i := len(s.aside.attends) - 1; i >= 0; i-- {
		if a := s.aside.attends[i]; a.leg != "" && s.bereft(a) {
			var ended []Effect
			s, ended = s.parted(i, "")
			effects = append(effects, ended...)
		}
	}
	s, told := s.toldIdle()
	effects = append(effects, told...)
	s, legs, cast := s.legs()
	effects = append(effects, cast...)
	if len(legs) == 0 && s.aside.mixed == nil {
		return s, effects
	}
	effects = slices.DeleteFunc(effects, func(e Effect) bool { _, mix := e.(Mix); return mix })
	if len(legs) == 0 { // they leave before anything else is heard
		s.aside.mixed = nil
		return s, append([]Effect{Mix{Calls: s.members()}}, effects...)
	}
	talk := s.conversation()
	mix := Mix{Calls: slices.Concat(talk, legs)}
	if len(talk) == 1 {
		mix.Alone = talk[0]
	}
	if !slices.Equal(mix.Calls, s.aside.mixed) {
		s.aside.mixed = mix.Calls
		effects = append(effects, mix)
	}
	return s, effects
}

// bereft says that there is nothing left for that attendance to take part in. While the center is away nobody follows into another call,
// for it could not take that back.
func (s State) bereft(a attendance) bool {
	if a.call == "" {
		return !s.Link.Online && a.idle
	}
	return s.call(a.call) < 0
}

// toldIdle lets legs that follow know when the agent is in no call, and when in one again: they are held meanwhile.
func (s State) toldIdle() (State, []Effect) {
	var effects []Effect
	idle := !slices.ContainsFunc(s.Calls, answered)
	for i, a := range s.aside.attends {
		if a.since.IsZero() || a.idle == idle {
			continue
		}
		s = s.attending(i, func(a *attendance) { a.idle = idle })
		effects = append(effects, HoldCall{a.leg, idle})
	}
	return s, effects
}

// legs are those that belong into the agent's conversation now, and what the sound has to be told of their roles first. One without
// encryption is kept out of a conversation that has it, so that a lock on the page never lies.
func (s State) legs() (State, []string, []Effect) {
	talk := s.conversation()
	locked := slices.ContainsFunc(talk, func(id string) bool { return s.Calls[s.call(id)].Secure })
	var legs []string
	var effects []Effect
	for i, a := range s.aside.attends {
		if a.since.IsZero() || len(talk) == 0 || a.call != "" && !slices.Contains(talk, a.call) {
			continue
		}
		if plain := locked && !a.secure; plain != a.plain {
			s = s.attending(i, func(a *attendance) { a.plain = plain })
			if plain {
				effects = append(effects, Alarm{alarmLock + a.leg, lockWait})
			}
		}
		if locked && !a.secure {
			continue
		}
		if role := (Attend{a.leg, a.Mode, a.Tone}); a.cast != a.Mode {
			s = s.attending(i, func(a *attendance) { a.cast = a.Mode })
			effects = append(effects, role)
		}
		legs = append(legs, a.leg)
	}
	return s, legs, effects
}

// unmixable: the call that somebody takes part in cannot be heard by more than one. The call goes on, the others leave. False: nobody
// took part in it.
func (s State) unmixable(call string) (State, []Effect, bool) {
	if s.aside.mixed == nil || s.conferring() || !slices.Contains(s.conversation(), call) {
		return s, nil, false
	}
	var effects []Effect
	for i := len(s.aside.attends) - 1; i >= 0; i-- {
		if slices.Contains(s.aside.mixed, s.aside.attends[i].leg) {
			var ended []Effect
			s, ended = s.parted(i, wire.ProblemCallMedia)
			effects = append(effects, ended...)
		}
	}
	return s, effects, true
}
