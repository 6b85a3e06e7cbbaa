package roster

import (
	"time"

	"zaseki/web/wire"
)

// Sound is how a call of an agent's phone sounded. It is part of the agent's event that ended the call, and of no other.
type Sound struct {
	Call   string    `json:"call"`
	Peer   string    `json:"peer"`
	Ended  time.Time `json:"ended"`
	MOS    float64   `json:"mos"`    // 1 to 4.5, of the worse direction, as are Loss and Jitter
	Loss   float64   `json:"loss"`   // percent
	Jitter float64   `json:"jitter"` // milliseconds
	Delay  float64   `json:"delay"`  // milliseconds from mouth to ear
}

// late is how long a phone that lost its center may keep a report.
const late = 24 * time.Hour

// soundOf is what the phone says of a call that ended; nil when nothing was measured.
func soundOf(r wire.CallReport, now time.Time) *Sound {
	q := r.Quality
	if q == nil || !q.In.Known && !q.Out.Known {
		return nil
	}
	worse := q.In
	if !q.In.Known || q.Out.Known && q.Out.MOS < q.In.MOS {
		worse = q.Out
	}
	s := &Sound{Call: r.ID, Peer: r.Peer, Ended: now, MOS: within(q.MOS, 1, 4.5), Loss: within(worse.Loss, 0, 100),
		Jitter: within(worse.Jitter, 0, 60000), Delay: within(q.Delay, 0, 60000)}
	if r.At.Before(now) && now.Sub(r.At) < late {
		s.Ended = r.At.UTC()
	}
	return s
}

func within(v, least, most float64) float64 { return max(least, min(v, most)) }
