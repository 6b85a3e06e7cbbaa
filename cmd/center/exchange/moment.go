package exchange

import (
	"strings"
	"time"
)

// What happens to a call beside its offers.
const (
	momentQueued   = "queued"        // into the queue To, at Place
	momentRings    = "rings"         // who was called directly; Took until its phone said so
	momentHold     = "hold"          // By
	momentResume   = "resume"        // By
	momentTransfer = "transfer"      // By wants it sent to To
	momentMoved    = "transferred"   // By has sent it to To
	momentStayed   = "untransferred" // By's transfer came to nothing, with Code
	momentRestart  = "restart"       // the center ended and has taken it up again
)

// momentsMost is how many are remembered of a call.
const momentsMost = 60

// Moment is one of them. Who it names are accounts, or SIP users of terminals that nobody is signed in with; a caller from outside is "".
type Moment struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`
	By    string    `json:"by,omitempty"`
	To    string    `json:"to,omitempty"`
	Place int       `json:"place,omitempty"`
	Took  int       `json:"took,omitempty"` // milliseconds
	Code  int       `json:"code,omitempty"`
}

// Who hung up, see CallRecord.HungUp.
const (
	byCaller = "caller"
	byAgent  = "agent"
	byCallee = "callee"
	byCenter = "center"
)

// happened notes a moment.
func (c *conduct) happened(m Moment) {
	m.At = time.Now()
	c.note(func(r *CallRecord) {
		if len(r.Moments) < momentsMost {
			r.Moments = append(r.Moments, m)
		}
	})
}

// whose is who is at that side of a call.
func (x *Exchange) whose(l *leg) string {
	if l.trunk {
		return ""
	}
	return x.accountOf(l.user)
}

// hungUp notes who ended an answered call.
func (c *conduct) hungUp(by *leg) {
	who := byAgent
	switch {
	case by == c.a:
		who = byCaller
	case by.trunk:
		who = byCallee
	}
	c.note(func(r *CallRecord) { r.HungUp = who })
}

// holds notes that a side has put the other on hold, or takes it back.
func (c *conduct) holds(l *leg, said string) {
	on := holding(said)
	if on == l.holds {
		return
	}
	l.holds = on
	m := Moment{What: momentResume, By: c.x.whose(l)}
	if on {
		m.What = momentHold
	}
	c.happened(m)
}

// holding says that who offers this wants to hear nothing (RFC 3264 §8.4), or of old nobody (RFC 2543).
func holding(sdp string) bool {
	for line := range strings.Lines(sdp) {
		switch strings.TrimRight(line, "\r\n") {
		case "a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0":
			return true
		}
	}
	return false
}
