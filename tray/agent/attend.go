package agent

import (
	"crypto/subtle"
	"slices"
	"time"

	"zaseki/web/wire"
)

// attendance is somebody who takes part in our calls, or may do so: listens, whispers or has joined (wire.Attend). Its leg is a call of
// the supervisor's phone that never rings, is in no list, and is nobody's to transfer.
type attendance struct {
	wire.Attend
	leg    string    // the call that carries it; "" none has come
	until  time.Time // a leg is taken until then, by this machine's clock: nobody's clock agrees with the center's
	since  time.Time // it takes part; zero: the leg is not answered yet
	call   string    // that it ends with; "" it follows, or there is no leg yet
	secure bool      // voice and signalling of the leg are encrypted
	plain  bool      // it waits beside a call that is encrypted, for it is not
	idle   bool      // it was told that we are in no call
	cast   string    // the role that the sound knows
}

// visitor is an INVITE with a permit that we do not know yet: the center's word may be slower than it.
type visitor struct {
	Invited
	until time.Time
}

const (
	attendWindow = 20 * time.Second // after the center's word; the supervisor's phone has 15 s
	permitWait   = 2 * time.Second  // for the center's word
	permitsMost  = 2                // that wait for it
	spentMost    = 16               // permits that are remembered
	attendsMost  = 8
	legSilent    = 10 * time.Second // after the sound's own five: nobody is at the other end any more
	lockWait     = 5 * time.Second  // for a leg to be encrypted as the call is
	forgedAgain  = 5 * time.Second  // between two reports of permits that nobody gave
)

// attend is the center's word that somebody takes part, as what, or no more.
func (s State) attend(e wire.Attend) (State, []Effect) {
	if s.Phase != wire.PhaseIn || s.Local || e.ID == "" || slices.Contains(s.aside.spent, e.ID) {
		return s, nil
	}
	e.Name, e.By = short(e.Name), short(e.By)
	i := slices.IndexFunc(s.aside.attends, func(a attendance) bool { return a.ID == e.ID })
	switch {
	case e.Mode == "" && i >= 0:
		return s.parted(i, "")
	case e.Mode == "":
		return s.spend(e.ID), nil
	case !superviseMode(e.Mode):
		return s, nil
	case i >= 0:
		if !e.Follow && s.aside.attends[i].Follow && s.aside.attends[i].leg != "" {
			return s.attending(i, func(a *attendance) { a.Attend, a.call = e, s.attended() }), nil
		}
		return s.attending(i, func(a *attendance) {
			if a.Attend = e; e.Follow {
				a.call = ""
			}
		}), nil
	case len(s.aside.attends) >= attendsMost:
		return s, nil
	}
	s.aside.attends = append(slices.Clone(s.aside.attends), attendance{Attend: e, until: s.Now.Add(attendWindow)})
	effects := []Effect{Alarm{alarmAttend + e.ID, attendWindow}}
	for _, v := range s.aside.waiting {
		if subtle.ConstantTimeCompare([]byte(v.Permit), []byte(e.ID)) == 1 {
			s.aside.waiting = slices.DeleteFunc(slices.Clone(s.aside.waiting), func(o visitor) bool { return o.Call == v.Call })
			s, taken := s.takeLeg(len(s.aside.attends)-1, v.Call)
			return s, append(append(effects, Alarm{Key: alarmPermit + v.Call}), taken...)
		}
	}
	return s, effects
}

func superviseMode(mode string) bool {
	return mode == wire.SuperviseListen || mode == wire.SuperviseWhisper || mode == wire.SuperviseJoin
}

// visited is an INVITE that may be a supervisor's. False: it is an ordinary call.
func (s State) visited(e Invited, outside bool) (State, []Effect, bool) {
	found := -1
	for i, a := range s.aside.attends { // all of them, so that the time it takes tells nothing
		if subtle.ConstantTimeCompare([]byte(a.ID), []byte(e.Permit)) == 1 {
			found = i
		}
	}
	if e.Permit == "" && e.Replaces == "" && !outside && e.User != "" { // a PBX may drop the header
		found = slices.IndexFunc(s.aside.attends, func(a attendance) bool {
			return a.leg == "" && a.Extension == e.User && s.Now.Before(a.until)
		})
	}
	known := e.Permit
	if found < 0 && !slices.Contains(s.aside.spent, known) {
		known = ""
	}
	switch {
	case found < 0 && e.Permit == "":
		return s, nil, false
	case found >= 0 && e.Replaces == "" && s.aside.attends[found].leg == "" && s.Now.Before(s.aside.attends[found].until):
		s, effects := s.takeLeg(found, e.Call)
		return s, effects, true
	case known == "" && e.Replaces == "" && len(s.aside.waiting) < permitsMost:
		s.aside.waiting = append(slices.Clone(s.aside.waiting), visitor{e, s.Now.Add(permitWait)})
		return s, []Effect{Alarm{alarmPermit + e.Call, permitWait}}, true
	}
	s, effects := s.turnedAway(e.Call, known)
	return s, effects, true
}

// turnedAway refuses a leg whose permit nobody gave, is used or too old.
func (s State) turnedAway(call, known string) (State, []Effect) {
	effects := []Effect{Refuse{call, 403, "Forbidden"}, Forget{Call: call}}
	if known == "" && s.Now.Sub(s.aside.forged) < forgedAgain {
		return s, effects
	}
	if known == "" {
		s.aside.forged = s.Now
	}
	return s, append(effects, ReportAttend{wire.AttendReport{ID: known, State: wire.AttendRefused, Why: wire.ProblemAttendPermit}})
}

// unannounced: the center had its time to tell of a visitor.
func (s State) unannounced(call string) (State, []Effect) {
	i := slices.IndexFunc(s.aside.waiting, func(v visitor) bool { return v.Call == call })
	if i < 0 {
		return s, nil
	}
	s.aside.waiting = slices.Delete(slices.Clone(s.aside.waiting), i, i+1)
	return s.turnedAway(call, "")
}

// takeLeg answers the one call that a permit is good for.
func (s State) takeLeg(i int, leg string) (State, []Effect) {
	a := s.aside.attends[i]
	call := ""
	if !a.Follow {
		if call = s.attended(); call == "" {
			s, effects := s.parted(i, wire.ProblemAttendIdle)
			return s, append([]Effect{Refuse{leg, 480, "In no call"}, Forget{Call: leg}}, effects...)
		}
	}
	return s.attending(i, func(a *attendance) { a.leg, a.call = leg, call }), []Effect{Alarm{Key: alarmAttend + a.ID}, Join{leg}}
}

// attended is the call that somebody would take part in now, or which is about to be one; "" none.
func (s State) attended() string {
	if in := s.conversation(); len(in) > 0 {
		return in[0]
	}
	i := slices.IndexFunc(s.Calls, func(c wire.Call) bool { return answered(c) || c.Phase == wire.CallJoining })
	if i < 0 {
		return ""
	}
	return s.Calls[i].ID
}

// conversation are the calls whose far sides the agent hears now, or would if they were not held.
func (s State) conversation() []string {
	if in := s.members(); len(in) > 0 {
		return in
	}
	if i := s.call(s.focus); i >= 0 && answered(s.Calls[i]) {
		return []string{s.focus}
	}
	return nil
}

// attending is the state with that attendance changed.
func (s State) attending(i int, change func(*attendance)) State {
	s.aside.attends = slices.Clone(s.aside.attends)
	change(&s.aside.attends[i])
	return s
}

// spend remembers that a permit is good for nothing any more.
func (s State) spend(id string) State {
	s.aside.spent = append(slices.Clone(s.aside.spent[max(0, len(s.aside.spent)-spentMost+1):]), id)
	return s
}

// parted ends an attendance, whatever it is at. Why is a problem's code; "" somebody wanted it so.
func (s State) parted(i int, why string) (State, []Effect) {
	a := s.aside.attends[i]
	s.aside.attends = slices.Delete(slices.Clone(s.aside.attends), i, i+1)
	s = s.spend(a.ID)
	effects := []Effect{Alarm{Key: alarmAttend + a.ID}}
	if a.leg != "" {
		effects = []Effect{Alarm{Key: alarmSilent + a.leg}, Abort{a.leg}, Forget{Call: a.leg}}
	}
	return s, append(effects, ReportAttend{wire.AttendReport{ID: a.ID, State: wire.AttendOver, Why: why}})
}

// legNews is news of a supervisor's leg. Nothing of it is news of a call.
func (s State) legNews(i int, e Event) (State, []Effect) {
	a := s.aside.attends[i]
	switch e := e.(type) {
	case Joined:
		if !a.since.IsZero() {
			return s, nil
		}
		return s.attending(i, func(a *attendance) { a.since = s.Now }), []Effect{ReportAttend{wire.AttendReport{ID: a.ID, State: wire.AttendBegun}}}
	case Voiced:
		return s.attending(i, func(a *attendance) { a.secure = e.Secure }), nil
	case Failed:
		why := e.Problem.Code
		if why == "" {
			why = sipProblem(e.Code, e.Reason).Code
		}
		return s.parted(i, why)
	case Ended:
		return s.parted(i, "")
	case MixFailed:
		return s.parted(i, wire.ProblemCallMedia)
	case LineSilent:
		if e.On {
			return s, []Effect{Alarm{alarmSilent + a.leg, legSilent}}
		}
		return s, []Effect{Alarm{Key: alarmSilent + a.leg}}
	case TransferAsked: // a listener is never sent to somebody else
		return s, []Effect{RefuseMove{a.leg}}
	}
	return s, nil
}

// attendOver is the end of an alarm of an attendance: nobody came, nobody is there any more, or no lock.
func (s State) attendOver(word, id string) (State, []Effect) {
	for i, a := range s.aside.attends {
		switch {
		case word == alarmAttend && a.ID == id && a.leg == "":
			return s.parted(i, wire.ProblemAttendLate)
		case word == alarmSilent && a.leg == id:
			return s.parted(i, wire.ProblemAttendSilent)
		case word == alarmLock && a.leg == id && a.plain:
			return s.parted(i, wire.ProblemCallSecure)
		}
	}
	return s, nil
}

// attendants are those whom the agent sees.
func (s State) attendants() (list []wire.Attendant) {
	for _, a := range s.aside.attends {
		if a.leg != "" {
			list = append(list, wire.Attendant{Account: a.By, Name: a.Name, Mode: a.Mode, Follow: a.Follow, Call: a.leg, Since: a.since})
		}
	}
	return list
}
