package agent

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"zaseki/web/wire"
)

// What a center would decide, for a phone without one (PRODUCT D9, D10).
const (
	afterWork   = time.Minute
	workStep    = 30 * time.Second
	missesMost  = 3
	localDigits = 5 // an extension of a PBX nobody described has at most so many
)

// desk is what the rules of a session without a center remember.
type desk struct {
	Misses int  // outside calls in a row that were not taken
	Wrap   bool // an outside call was taken: after-call work follows the last call
}

func (s State) useSIP(e wire.UseSIP) (State, []Effect) {
	form, field := e.Clean()
	s.SIP = &form
	if field == "" && strings.ContainsFunc(e.Password.Reveal(), unicode.IsControl) {
		field = "password"
	}
	if field != "" {
		s.Problem = &wire.Problem{Code: wire.ProblemForm, Holes: map[string]string{"field": field}}
		return s, nil
	}
	s.Phase, s.Problem, s.Local = wire.PhaseChecking, nil, true
	return s, []Effect{AskLocal{form, e.Password}}
}

// homely fills in what only a center would say. A person begins in a status that takes no outside calls (PRODUCT A7).
func (s State) homely(w wire.Welcome) wire.Welcome {
	if len(w.Statuses) == 0 {
		w.Statuses = wire.StandardStatuses()
	}
	if w.Profile.Name == "" {
		w.Profile = wire.ProfileOf("")
	}
	if w.Plan.Digits == 0 {
		w.Plan.Digits = localDigits
	}
	if w.Plan.Domain == "" {
		w.Plan.Domain = w.SIP.Domain
	}
	picked := slices.ContainsFunc(w.Statuses, func(d wire.StatusDef) bool { return d.ID == w.State.Status && d.Pickable && !d.TakesOutside() })
	if !picked || w.State.Status == wire.StatusWork {
		w.State.Status = wire.StatusBreak
	}
	w.State.Account, w.State.Since, w.State.Until, w.State.Next = w.Me.Account, s.Now, time.Time{}, ""
	return w
}

// atHome answers what would be asked of the center.
func (s State) atHome(effects []Effect) (State, []Effect) {
	var kept []Effect
	for _, e := range effects {
		var more []Effect
		switch e := e.(type) {
		case AskStatus:
			s, more = s.localStatus(e.To)
		case AskNext:
			s, more = s.localNext(e.To)
		case AskExtend:
			s, more = s.localExtend()
		case Report:
			s, more = s.localReport(e.Call)
		case ReportLine:
		default:
			more = []Effect{e}
		}
		kept = append(kept, more...)
	}
	return s, kept
}

func (s State) localStatus(to string) (State, []Effect) {
	s.Wish = ""
	if len(s.Calls) > 0 && s.Welcome.Profile.RefuseInCall {
		s.Offer = to // D9
		return s, nil
	}
	return s.become(to, 0)
}

func (s State) localNext(to string) (State, []Effect) {
	if to != "" && len(s.Calls) == 0 {
		return s.become(to, 0)
	}
	s.Record.Next = to
	s.Record.Rev++
	return s, nil
}

func (s State) localExtend() (State, []Effect) {
	if s.Record.Until.IsZero() {
		return s, nil
	}
	s.Record.Until = s.Record.Until.Add(workStep)
	s.Record.Rev++
	return s, []Effect{Alarm{alarmWork, s.Record.Until.Sub(s.Now)}}
}

// become puts the person into a status, for that long (0: until the next change).
func (s State) become(status string, stay time.Duration) (State, []Effect) {
	timed := !s.Record.Until.IsZero()
	if s.Record.Status != status {
		s.Record.Since = s.Now
	}
	s.Record.Status, s.Record.Next, s.Record.Until = status, "", time.Time{}
	s.Record.Rev++
	if stay > 0 {
		s.Record.Until = s.Now.Add(stay)
		return s, []Effect{Alarm{alarmWork, stay}}
	}
	if timed {
		return s, []Effect{Alarm{Key: alarmWork}}
	}
	return s, nil
}

// workOver: after-call work ends by itself. An alarm that was overtaken by an extension is set again.
func (s State) workOver() (State, []Effect) {
	switch {
	case !s.Local || s.Phase != wire.PhaseIn || s.Record.Until.IsZero():
		return s, nil
	case s.Now.Before(s.Record.Until):
		return s, []Effect{Alarm{alarmWork, s.Record.Until.Sub(s.Now)}}
	}
	s.Record.Until = time.Time{}
	return s.become(wire.StatusAvailable, 0)
}

// localReport does what follows a call: after-call work behind an outside call that was taken, Away behind too many that were
// not, and the next status that was chosen.
func (s State) localReport(r wire.CallReport) (State, []Effect) {
	if r.Phase != wire.PhaseEnded || s.Phase != wire.PhaseIn {
		return s, nil
	}
	away := false
	switch {
	case !r.Inbound || !r.Outside:
	case r.Result == "answered" || r.Result == "transferred":
		s.Desk.Wrap, s.Desk.Misses = true, 0
	case r.Result == "missed" || r.Result == "declined":
		s.Desk.Misses++
		away = s.Desk.Misses >= missesMost
	}
	available := s.class(s.Record.Status) == "available"
	switch {
	case len(s.Calls) > 0:
		return s, nil
	case s.Record.Next != "":
		s.Desk.Wrap = false
		return s.become(s.Record.Next, 0)
	case s.Desk.Wrap && available:
		s.Desk.Wrap = false
		return s.become(wire.StatusWork, afterWork)
	case away && available:
		s.Desk.Misses = 0
		return s.become(wire.StatusAway, 0)
	}
	s.Desk.Wrap = false
	return s, nil
}
