package agent

import (
	"time"

	"zaseki/web/wire"
)

// PRODUCT G9: without its center the phone goes on. A status that is chosen then holds here at once, is kept with its time, and told in
// its turn among what calls were told of when the center is back. What the center refuses of it is said, and the center's record holds.

// gap is a time without the center.
type gap struct {
	wire.Gap
	on     bool            // there was one in this sign-in
	center wire.AgentState // what the center said last, while changes wait
}

// keptMost are changes that wait; a person makes no more of them.
const keptMost = 50

func (s State) gap() *wire.Gap {
	if !s.away.on {
		return nil
	}
	g := s.away.Gap
	return &g
}

// mind opens the gap, or closes it.
func (g gap) mind(online bool, now time.Time) gap {
	switch {
	case !online && g.Waiting > 0: // it was back for too short a time: the same gap goes on
		g.Until = time.Time{}
	case !online:
		return gap{Gap: wire.Gap{Since: now}, on: true}
	case g.on:
		g.Until = now
	}
	return g
}

// keepStatus is a status that is chosen while the center is away.
func (s State) keepStatus(to string) (State, []Effect) {
	switch {
	case s.Welcome.Profile.RefuseInCall && len(s.Calls) > 0:
		return s.tell(wire.Problem{Code: wire.ProblemStatusInCall, Holes: map[string]string{"status": to}})
	case s.away.Waiting >= keptMost:
		return s.tell(wire.Problem{Code: wire.ProblemOffline})
	}
	if s.away.Waiting == 0 {
		s.away.center = s.Record
	}
	s.away.Waiting++
	s.Wish, s.Offer = "", ""
	s.Record.Status, s.Record.Since, s.Record.Until = to, s.Now, time.Time{}
	return s, []Effect{KeepStatus{to}}
}

// stated is the center's record; while changes wait to be told, what was chosen here is shown.
func (s State) stated(is wire.AgentState) State {
	if s.away.Waiting > 0 {
		s.away.center = is
		is.Status, is.Since, is.Until = s.Record.Status, s.Record.Since, s.Record.Until
	}
	s.Record = is
	return s
}

// keptTold: the center has heard of a change that was kept.
func (s State) keptTold(e KeptTold) (State, []Effect) {
	if s.away.Waiting == 0 {
		return s, nil
	}
	if s.away.Waiting--; s.away.Waiting == 0 && s.away.center.Rev >= s.Record.Rev {
		s.Record = s.away.center
	}
	if e.Problem.Code == "" {
		return s, nil
	}
	s.away.Lost++
	return s.notice("warn", e.Problem), []Effect{Alarm{e.Problem.Code, noticeStays}}
}
