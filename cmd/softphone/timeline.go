package main

import (
	"slices"
	"strings"
	"sync"
	"time"

	"zaseki/media"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	journalCalls = 50  // as many as the line keeps messages of
	journalLines = 200 // of one call
)

// journal keeps what was decided and done in each call: the half of "Why?" that is not SIP messages.
type journal struct {
	mu    sync.Mutex
	calls map[string][]wire.TimelineLine
	order []string // oldest first
}

func (j *journal) note(call, kind, title string) {
	if call == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	lines, known := j.calls[call]
	if !known {
		if j.calls == nil {
			j.calls = map[string][]wire.TimelineLine{}
		}
		if j.order = append(j.order, call); len(j.order) > journalCalls {
			delete(j.calls, j.order[0])
			j.order = j.order[1:]
		}
	}
	if len(lines) < journalLines {
		j.calls[call] = append(lines, wire.TimelineLine{At: time.Now(), Kind: kind, Title: title})
	}
}

func (j *journal) of(call string) []wire.TimelineLine {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.calls[call])
}

func (j *journal) names() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.order)
}

// wanted notes what a face asked of a call; digits may be a card number and are only counted.
func (j *journal) wanted(c wire.Command) {
	switch c := c.(type) {
	case wire.Answer:
		j.note(c.Call, "phone", "person: answer")
	case wire.Decline:
		j.note(c.Call, "phone", "person: decline")
	case wire.HangUp:
		j.note(c.Call, "phone", "person: hang up")
	case wire.Hold:
		j.note(c.Call, "phone", "person: "+onOff(c.On, "hold", "resume"))
	case wire.Transfer:
		j.note(c.Call, "phone", "person: transfer")
	case wire.Connect:
		j.note(c.Call, "phone", "person: connect")
	case wire.FollowTransfer:
		j.note(c.Call, "phone", "person: "+onOff(c.On, "follow the transfer", "stay"))
	case wire.SendDigits:
		j.note(c.Call, "phone", "person: digits "+strings.Repeat("•", len(c.Digits)))
	case wire.RingHeard:
		j.note(c.Call, "sound", "page rings")
	}
}

// decided notes what the agent wants done with a call.
func (j *journal) decided(e agent.Effect) {
	call, ok := strings.CutPrefix(e.Lane(), "call ")
	if !ok {
		return
	}
	switch e := e.(type) {
	case agent.Ring:
		j.note(call, "phone", "rings")
	case agent.Refuse:
		j.note(call, "phone", "refused: "+e.Reason)
	case agent.Join:
		j.note(call, "phone", "answers")
	case agent.Place:
		j.note(call, "phone", "dials")
	case agent.HoldCall:
		j.note(call, "phone", onOff(e.On, "holds", "resumes"))
	case agent.SendOn:
		j.note(call, "phone", "transfers")
	case agent.Connect:
		j.note(call, "phone", "connects with "+e.Other)
	case agent.Follow:
		j.note(call, "phone", "is transferred from "+e.Call)
	case agent.Drop, agent.Abort:
		j.note(call, "phone", "hangs up")
	}
}

// sounded notes what the sound of a call did.
func (j *journal) sounded(e media.Event) {
	switch e := e.(type) {
	case media.FirstPacket:
		j.note(e.Line, "sound", onOff(e.Out, "first packet to the line", "first packet from the line"))
	case media.Secured:
		j.note(e.Line, "sound", onOff(e.Err == nil, "voice is encrypted", "voice could not be encrypted"))
	case media.LineSilent:
		j.note(e.Line, "sound", onOff(e.Silent, "nothing from the line for five seconds", "the line is heard again"))
	}
}

func onOff(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}

// Timeline is everything that happened to one call, in order.
func (p *phone) Timeline(call string) (wire.Timeline, bool) {
	lines := p.journal.of(call)
	for _, m := range p.line.Trace(call) {
		lines = append(lines, wire.TimelineLine{At: m.At, Kind: "sip", Sent: m.Sent, Peer: m.Peer, Network: m.Network, Title: m.Title, Text: m.Text})
	}
	slices.SortStableFunc(lines, func(a, b wire.TimelineLine) int { return a.At.Compare(b.At) })
	return wire.Timeline{Call: call, Lines: lines}, len(lines) > 0
}
