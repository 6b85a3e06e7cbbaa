package agent

import (
	"crypto/subtle"
	"slices"
	"time"

	"zaseki/web/wire"
)

// checking is the center's check of this seat (wire.CheckCall): one call that the phone takes by itself and whose sound it returns. It is in
// no list, has no ring and no status, and gives way to everything that is a person's.
type checking struct {
	id    string
	leg   string    // the call that carries it; "" none has come
	until time.Time // a leg is taken until then, by this machine's clock
}

const checkWindow = 10 * time.Second // for the center's call, after its word

// engaged says that there is something that a check must not disturb.
func (s State) engaged() bool {
	return len(s.Calls) > 0 || s.aside.ours != nil || len(s.aside.attends) > 0
}

// checkCall is the center's word that it is about to call.
func (s State) checkCall(e wire.CheckCall) (State, []Effect) {
	if s.Phase != wire.PhaseIn || s.Local || e.ID == "" || slices.Contains(s.aside.spent, e.ID) || s.aside.check != nil && s.aside.check.id == e.ID {
		return s, nil
	}
	var effects []Effect
	if s.aside.check != nil {
		s, effects = s.checkOver("", true)
	}
	s.aside.check = &checking{id: e.ID, until: s.Now.Add(checkWindow)}
	if s.engaged() {
		s, busy := s.checkOver(wire.ProblemCheckBusy, true)
		return s, append(effects, busy...)
	}
	effects = append(effects, Alarm{alarmCheck + e.ID, checkWindow})
	if v := s.aside.early; v != nil && same(v.Check, e.ID) {
		s.aside.early = nil
		s, taken := s.takeCheck(v.Call)
		return s, append(append(effects, Alarm{Key: alarmEarly + v.Call}), taken...)
	}
	return s, effects
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// checkInvited is an INVITE that says it is a check. False: it says nothing of the kind.
func (s State) checkInvited(e Invited) (State, []Effect, bool) {
	if e.Check == "" {
		return s, nil, false
	}
	k := s.aside.check
	used := slices.ContainsFunc(s.aside.spent, func(id string) bool { return same(id, e.Check) })
	switch {
	case e.Replaces != "" || used:
	case k != nil && same(k.id, e.Check) && k.leg == "" && s.Now.Before(k.until):
		s, effects := s.takeCheck(e.Call)
		return s, effects, true
	case (k == nil || !same(k.id, e.Check)) && s.aside.early == nil && !s.Local: // the center's word may be slower than its call
		s.aside.early = &visitor{e, s.Now.Add(permitWait)}
		return s, []Effect{Alarm{alarmEarly + e.Call, permitWait}}, true
	}
	s, effects := s.notChecked(e.Call, used)
	return s, effects, true
}

// takeCheck answers the one call that the check is.
func (s State) takeCheck(leg string) (State, []Effect) {
	if s.scarce {
		s, effects := s.checkOver(wire.ProblemMemory, false)
		return s, append([]Effect{Refuse{leg, 480, "Out of memory"}, Forget{Call: leg}}, effects...)
	}
	k := *s.aside.check
	k.leg = leg
	s.aside.check = &k
	return s, []Effect{Alarm{alarmCheck + k.id, wire.CheckMost}, Return{leg}}
}

// notChecked refuses a call with a check's name that nobody gave, that is used or too old. The center hears of what it
// did not give, but not of each.
func (s State) notChecked(call string, used bool) (State, []Effect) {
	effects := []Effect{Refuse{call, 403, "Forbidden"}, Forget{Call: call}}
	if used || s.Now.Sub(s.aside.forged) < forgedAgain {
		return s, effects
	}
	s.aside.forged = s.Now
	return s, append(effects, ReportCheck{Report: wire.CheckReport{Why: wire.ProblemCheckForged}})
}

// unchecked: the center had its time to tell of that call.
func (s State) unchecked(call string) (State, []Effect) {
	if v := s.aside.early; v == nil || v.Call != call {
		return s, nil
	}
	s.aside.early = nil
	return s.notChecked(call, false)
}

// checkLate: nobody called, or the center has not hung up in time.
func (s State) checkLate(id string) (State, []Effect) {
	k := s.aside.check
	switch {
	case k == nil || k.id != id:
		return s, nil
	case k.leg == "":
		s.aside.check = nil
		return s.spend(id), nil
	}
	return s.checkOver("", true)
}

// checkOver ends the check, and tells what arrived of its sound. Why is a problem's code; hang: we end the call.
func (s State) checkOver(why string, hang bool) (State, []Effect) {
	k := s.aside.check
	s.aside.check = nil
	s = s.spend(k.id)
	report := ReportCheck{k.leg, wire.CheckReport{ID: k.id, Missing: s.lacks(), Why: why}}
	if k.leg == "" {
		return s, []Effect{Alarm{Key: alarmCheck + k.id}, report}
	}
	effects := []Effect{Alarm{Key: alarmCheck + k.id}}
	if hang {
		effects = append(effects, Abort{k.leg})
	}
	return s, append(effects, report, Forget{Call: k.leg})
}

// checkNews is news of its call. Nothing of it is news of a call. False: it is none of it.
func (s State) checkNews(id string, e Event) (State, []Effect, bool) {
	if v := s.aside.early; v != nil && v.Call == id { // it gave up
		s.aside.early = nil
		return s, []Effect{Alarm{Key: alarmEarly + id}, Forget{Call: id}}, true
	}
	if s.aside.check == nil || s.aside.check.leg != id {
		return s, nil, false
	}
	switch e := e.(type) {
	case Failed:
		why := e.Problem.Code
		if why == "" {
			why = sipProblem(e.Code, e.Reason).Code
		}
		s, effects := s.checkOver(why, false)
		return s, effects, true
	case Ended:
		s, effects := s.checkOver("", false)
		return s, effects, true
	case TransferAsked:
		return s, []Effect{RefuseMove{id}}, true
	}
	return s, nil, true
}

// giveWay ends a check when anything begins that is a person's: before whatever that wants.
func (s State) giveWay(effects []Effect) (State, []Effect) {
	if k := s.aside.check; k == nil || s.Phase == wire.PhaseIn && !s.engaged() {
		return s, effects
	}
	s, ended := s.checkOver(wire.ProblemCheckBusy, true)
	return s, append(ended, effects...)
}
