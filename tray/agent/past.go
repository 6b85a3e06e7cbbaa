package agent

import (
	"slices"
	"strings"
	"time"

	"zaseki/web/wire"
)

const (
	missedMax  = 200              // calls that are remembered as missed
	missedBack = 24 * time.Hour   // at a machine where this account was never signed in, older ones are not news
	missedWide = 90 * time.Second // the clocks of phone and center may be so far apart about one call
	pastAgain  = 45 * time.Second // after a call of a queue that was missed here: by then somebody else has it, or nobody
	pastSpread = time.Minute      // a center that is back is not asked by all its phones at once
)

// Missed is what an account knows at this machine of its missed calls. Those that were seen stay for a while, so that the center's
// history does not count them again.
type Missed struct {
	Since time.Time    `json:"since,omitzero"` // what the center knows from before is not counted
	Calls []MissedCall `json:"calls,omitempty"`
}

// MissedCall is one. Center is its id in the center's history, "" while that has not told it.
type MissedCall struct {
	At     time.Time `json:"at"`
	Number string    `json:"number"`
	Center string    `json:"center,omitempty"`
	Seen   bool      `json:"seen,omitempty"`
}

// unseen is how many were missed since somebody looked.
func (m Missed) unseen() (n int) {
	for _, c := range m.Calls {
		if !c.Seen {
			n++
		}
	}
	return n
}

// past is what the badge of missed calls counts.
func (s State) past(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case wire.SeenMissed:
		return s.seen(func(MissedCall) bool { return true })
	case CallLost:
		return s.lost(e.Call)
	case PastCame:
		if !s.Local {
			return s.reconciled(e.Calls)
		}
	}
	return s, nil
}

// lost tells of a call that ended with the process before. Without a center it comes into the list, with what was written about it: nobody
// else knows of it.
func (s State) lost(c wire.Call) (State, []Effect) {
	p := wire.Problem{Code: wire.ProblemCallLost, Holes: map[string]string{"number": c.Number}}
	s, effects := s.tell(p)
	if !s.Local || s.pastCall(c.ID) >= 0 {
		return s, effects
	}
	result := "answered"
	if c.Answered.IsZero() {
		result = "cancelled"
		if c.Inbound {
			result = "missed"
		}
	}
	row := wire.PastCall{ID: c.ID, Queue: c.Queue, Inbound: c.Inbound, Outside: c.Outside, Number: c.Number, Name: c.Name, Began: c.Began, Result: result,
		Problem: &p, Outcome: c.Outcome, Note: c.Note}
	at := slices.IndexFunc(s.History, func(o wire.PastCall) bool { return o.Began.Before(c.Began) })
	if at < 0 {
		at = len(s.History)
	}
	s.History = slices.Insert(slices.Clone(s.History), at, row)
	s.History = s.History[:min(len(s.History), historyLength)]
	s = s.serialAfter(c.ID)
	s, seen := s.counted(c, result)
	return s, slices.Concat(effects, []Effect{KeepHistory{s.History}}, seen)
}

// seen takes those calls out of the count.
func (s State) seen(which func(MissedCall) bool) (State, []Effect) {
	calls, changed := slices.Clone(s.Missed.Calls), false
	for i, c := range calls {
		if !c.Seen && which(c) {
			calls[i].Seen, changed = true, true
		}
	}
	if !changed {
		return s, nil
	}
	s.Missed.Calls = calls
	return s, []Effect{KeepMissed{s.whose(), s.Missed}}
}

// counted takes a call that is over into the count, or others of its number out: they were spoken with.
func (s State) counted(c wire.Call, result string) (State, []Effect) {
	switch {
	case result == "missed":
	case !c.Answered.IsZero() && result != "failed":
		return s.seen(func(m MissedCall) bool { return s.alike(m.Number, c.Number) })
	default:
		return s, nil
	}
	s = s.withMissed(append(slices.Clone(s.Missed.Calls), MissedCall{At: c.Began, Number: c.Number}))
	effects := []Effect{KeepMissed{s.whose(), s.Missed}}
	if c.Queue != "" && !s.Local {
		effects = append(effects, Alarm{alarmPast, pastAgain})
	}
	return s, effects
}

// withMissed is the state with those missed calls, the newest first, as many as are kept.
func (s State) withMissed(calls []MissedCall) State {
	slices.SortStableFunc(calls, func(a, b MissedCall) int { return b.At.Compare(a.At) })
	if len(calls) > missedMax {
		s.Missed.Since = calls[missedMax].At
		calls = calls[:missedMax]
	}
	s.Missed.Calls = calls
	return s
}

// reconciled takes over what the center knows: calls that were missed while this phone was off, and those missed here that somebody has
// taken, or called back, since.
func (s State) reconciled(past []wire.HistoryCall) (State, []Effect) {
	calls := slices.Clone(s.Missed.Calls)
	for _, c := range past {
		if !c.Inbound {
			continue
		}
		settled := c.Result != "missed" || c.Back || c.Reason == "declined"
		i := slices.IndexFunc(calls, func(m MissedCall) bool {
			return m.Center == c.ID || m.Center == "" && m.At.Sub(c.At).Abs() < missedWide && s.alike(m.Number, c.Peer)
		})
		switch {
		case i >= 0:
			calls[i].Center, calls[i].Seen = c.ID, calls[i].Seen || settled
		case !settled && c.At.After(s.Missed.Since):
			calls = append(calls, MissedCall{At: c.At, Number: short(c.Peer), Center: c.ID})
		}
	}
	was := s.Missed
	if s = s.withMissed(calls); slices.Equal(was.Calls, s.Missed.Calls) && was.Since.Equal(s.Missed.Since) {
		return s, nil
	}
	return s, []Effect{KeepMissed{s.whose(), s.Missed}}
}

// alike: the end of a number is what PBX and phone agree on.
func (s State) alike(a, b string) bool {
	end := func(n string) string {
		d := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, n)
		return d[max(0, len(d)-8):]
	}
	return s.Welcome.Plan.Same(a, b) || end(a) != "" && end(a) == end(b)
}

func (s State) askPast() (State, []Effect) {
	if s.Local || s.Phase != wire.PhaseIn || !s.Link.Online {
		return s, nil
	}
	return s, []Effect{AskPast{}}
}

// spread is a moment of its own for this phone, within a minute.
func (s State) spread() time.Duration {
	return time.Second + time.Duration(s.Now.UnixNano())%pastSpread
}
