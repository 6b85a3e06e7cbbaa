package main

import (
	"context"
	"errors"
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
	trend map[string]*trend
}

// How a call sounded over its time: a value every five seconds, and every ten or twenty of a long one.
const (
	trendEvery = 5 * time.Second
	trendMost  = 720
)

type trend struct {
	mos   []float32
	every time.Duration
	last  time.Time
}

// measured keeps how a call sounds just now.
func (j *journal) measured(call string, mos float64, now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, known := j.calls[call]; !known {
		return
	}
	if j.trend == nil {
		j.trend = map[string]*trend{}
	}
	t := j.trend[call]
	if t == nil {
		t = &trend{every: trendEvery}
		j.trend[call] = t
	}
	if now.Sub(t.last) < t.every {
		return
	}
	t.last = now
	if t.mos = append(t.mos, float32(mos)); len(t.mos) > trendMost {
		for i := range len(t.mos) / 2 {
			t.mos[i] = t.mos[2*i+1]
		}
		t.mos, t.every = t.mos[:len(t.mos)/2], 2*t.every
	}
}

// trendOf is how it sounded from its begin on; nil: nothing was measured.
func (j *journal) trendOf(call string) []float32 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if t := j.trend[call]; t != nil {
		return slices.Clone(t.mos)
	}
	return nil
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
			delete(j.trend, j.order[0])
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
	case wire.Record:
		j.note(c.Call, "phone", "person: "+onOff(c.On, "record", "stop recording"))
	case wire.CardMode:
		j.note(c.Call, "phone", "person: "+onOff(c.On, "card number", "card number said"))
	case wire.Replay:
		j.note(c.Call, "phone", "person: "+onOff(c.On, "play again", "stop playing"))
	case wire.RingHeard:
		j.note(c.Call, "sound", "page rings")
	}
}

// decided notes what the agent wants done with a call.
func (j *journal) decided(e agent.Effect) {
	if card, ok := e.(agent.Card); ok {
		j.note(card.Call, "sound", onOff(card.On, "card-number mode", "card-number mode over"))
	}
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
	case media.Replaying:
		j.note(e.Line, "sound", onOff(e.On, "plays the last words again", "played"))
	case media.Unheard:
		j.note(e.Line, "sound", onOff(e.On, "the far side hears nothing of us", "the far side hears us"))
	case media.Still:
		j.note(e.Line, "sound", onOff(e.On, "nobody says anything", "somebody speaks again"))
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

// own is everything that happened to one call here, in order.
func (p *phone) own(call string) wire.Timeline {
	lines := p.journal.of(call)
	for _, m := range p.line.Trace(call) {
		lines = append(lines, wire.TimelineLine{At: m.At, Kind: "sip", Sent: m.Sent, Peer: m.Peer, Network: m.Network, Title: m.Title, Text: m.Text})
	}
	slices.SortStableFunc(lines, func(a, b wire.TimelineLine) int { return a.At.Compare(b.At) })
	return wire.Timeline{Call: call, Lines: lines, Quality: p.qualityOf(call)}
}

// qualityOf is that of a call here; nil: it was not measured, or is forgotten.
func (p *phone) qualityOf(call string) *wire.Quality {
	news, stop := p.agent.Watch()
	snap := <-news
	stop()
	var q *wire.Quality
	for _, c := range snap.Calls {
		if c.ID == call {
			q = c.Quality
		}
	}
	for _, c := range snap.History {
		if c.ID == call {
			q = c.Quality
		}
	}
	trend := p.journal.trendOf(call)
	if q == nil || trend == nil {
		return q
	}
	whole := *q
	whole.Trend = trend
	return &whole
}

// storyTime is how long the center may take for its part: what the phone knows is shown without it.
const storyTime = 4 * time.Second

// Timeline is everything that happened to one call, in order: what is known here, and what the center knows.
func (p *phone) Timeline(ctx context.Context, call string) (wire.Timeline, error) {
	line := p.own(call)
	ctx, cancel := context.WithTimeout(ctx, storyTime)
	defer cancel()
	theirs, err := p.uplink.Story(ctx, call)
	problem := wire.Problem{Code: wire.ProblemInternal}
	switch known := errors.As(err, &problem); {
	case err == nil:
		line.Facts, line.Lines = theirs.Facts, append(line.Lines, theirs.Lines...)
		slices.SortStableFunc(line.Lines, func(a, b wire.TimelineLine) int { return a.At.Compare(b.At) })
	case len(line.Lines) == 0 && problem.Code == wire.ProblemExpired: // nobody is signed in at a center
		return line, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": call[:min(len(call), 64)]}}
	case len(line.Lines) == 0:
		return line, problem
	case !known, problem.Code != wire.ProblemNoRow && problem.Code != wire.ProblemExpired: // there is no other part
		line.Problem = &problem
	}
	return line, nil
}
