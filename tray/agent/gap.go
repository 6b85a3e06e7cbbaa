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

	unheard bool // it has not said since how things stand
}

// keptMost are changes that wait; a person makes no more of them.
const keptMost = 50

// backLeast is how long the center must be back before the next break is a gap of its own. One whose settings have changed meanwhile breaks off once more.
const backLeast = 5 * time.Second

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
	case !online && (g.Waiting > 0 || g.on && now.Sub(g.Until) < backLeast): // it was back for too short a time: the same gap goes on
		g.Until, g.unheard = time.Time{}, true
	case !online:
		return gap{Gap: wire.Gap{Since: now}, on: true, unheard: true}
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
	s = s.waits()
	s.Wish, s.Offer = "", ""
	s.Record.Status, s.Record.Since, s.Record.Until = to, s.Now, time.Time{}
	return s, []Effect{KeepStatus{to}}
}

// keepNext is a next status that is chosen while the center is away. Without a call it is taken at once.
func (s State) keepNext(to string) (State, []Effect) {
	switch {
	case len(s.Calls) == 0 && to != "":
		return s.keepStatus(to)
	case s.Record.Next == to:
		return s, nil
	case s.away.Waiting >= keptMost:
		return s.tell(wire.Problem{Code: wire.ProblemOffline})
	}
	s = s.waits()
	s.Record.Next = to
	return s, []Effect{KeepNext{to}}
}

// waits is the state with one more change that waits for the center.
func (s State) waits() State {
	if s.away.Waiting == 0 {
		s.away.center = s.Record
	}
	s.away.Waiting++
	return s
}

// nextAway: the next status begins with the end of the last call, also while the center is away. It learns so from what it is told of the call.
func (s State) nextAway() State {
	if s.Phase != wire.PhaseIn || s.Local || s.Link.Online || !s.away.on || len(s.Calls) > 0 || s.Record.Next == "" {
		return s
	}
	s.Record.Status, s.Record.Since, s.Record.Until, s.Record.Next = s.Record.Next, s.Now, time.Time{}, ""
	return s
}

// stated is the center's record; while changes wait to be told, what was chosen here is shown.
func (s State) stated(is wire.AgentState) State {
	if s.away.unheard && s.Record.Seat != "" && is.Seat == "" {
		s = s.notice("warn", wire.Problem{Code: wire.ProblemSeatGone, Holes: map[string]string{"seat": s.Record.SeatName}})
	}
	if s.away.unheard = false; s.away.Waiting > 0 {
		s.away.center = is
		is.Status, is.Since, is.Until, is.Next = s.Record.Status, s.Record.Since, s.Record.Until, s.Record.Next
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
