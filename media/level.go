package media

import (
	"sync/atomic"
	"time"
)

type (
	// MutedTalk says that the agent talks though muted, or no more.
	MutedTalk struct{ On bool }
	// Unheard says that for eight seconds the far side has heard no word of the agent, who is not muted, and has said none either;
	// or, if the microphone has given nothing but zeros since the call began, whatever the far side says. Or that this is over.
	Unheard struct {
		Line string
		On   bool
	}
	// Still says that nobody on the line has said anything for half a minute, or that somebody does again.
	Still struct {
		Line string
		On   bool
	}
)

func (MutedTalk) mediaEvent() {}
func (Unheard) mediaEvent()   {}
func (Still) mediaEvent()     {}

const (
	unheardAfter = 8 * time.Second
	stillAfter   = 30 * time.Second
	mutedTalkOff = 2500 * time.Millisecond // without a word
	meterRest    = 800 * time.Millisecond  // after talking was heard nothing is decoded for so long
	lineRest     = 3 * time.Second         // the same on lines, where nobody is told anything sooner than after eight seconds
	meterRoom    = 32                      // packets: what comes between two looks
	deadPeak     = 8                       // what silence has in A-law
)

// Answered begins anew to count for Unheard and Still: what was on a line before the answer was no talk. Without it they count
// from the first agreement that lets both sides speak.
func (e *Engine) Answered(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l := e.lines[id]; l != nil && l.aside.levels != nil {
		l.aside.levels.begin()
	}
}

// levels are the meters of a line that the page talks on.
type levels struct {
	line    *line
	in, out meter
	since   time.Time // both sides may speak; zero: from the next look on
	unmuted time.Time
	unheard bool
	still   bool
}

func (v *levels) tapped(out bool, c codec, p packet, now time.Time) {
	if out {
		v.out.put(c, p.payload)
	} else {
		v.in.put(c, p.payload)
	}
}

// watchLevelsLocked listens where somebody has to be told: to the lines that the page talks on, and to its microphone while it is
// muted. Nothing else is decoded.
func (e *Engine) watchLevelsLocked(now time.Time) {
	for _, l := range e.lines {
		r := l.route.Load()
		talks := r != nil && r.speak && r.hear && l.aside.role == RoleTalk && l.withPage() && e.owner.Load() != nil
		v := l.aside.levels
		switch {
		case talks && v == nil:
			l.aside.levels = &levels{line: l, since: now, in: meter{rest: lineRest}, out: meter{rest: lineRest}}
			l.tapLocked(l.aside.levels)
		case talks:
			v.watchLocked(e, now)
		case v != nil:
			l.untapLocked(v)
			v.tellLocked(e, false, false)
			l.aside.levels = nil
		}
	}
	e.watchMuteLocked(now)
}

func (v *levels) watchLocked(e *Engine, now time.Time) {
	v.in.listen(now)
	v.out.listen(now)
	if v.since.IsZero() {
		v.since = now
	}
	if e.muted.Load() {
		v.unmuted = now
	}
	in, out := later(v.in.until, v.since), later(v.out.until, v.since) // who rests may be talking
	waits := later(out, v.unmuted)
	if v.out.worked {
		waits = later(waits, in)
	}
	v.tellLocked(e, now.Sub(waits) >= unheardAfter, now.Sub(later(in, out)) >= stillAfter)
}

func (v *levels) tellLocked(e *Engine, unheard, still bool) {
	if unheard != v.unheard {
		v.unheard = unheard
		e.tell(Unheard{v.line.id, unheard})
	}
	if still != v.still {
		v.still = still
		e.tell(Still{v.line.id, still})
	}
}

func (v *levels) begin() { v.since, v.out.worked = time.Time{}, false }

// watchMuteLocked listens to the microphone of a muted agent in a call.
func (e *Engine) watchMuteLocked(now time.Time) {
	m := e.mic.Load()
	switch on := e.muted.Load() && !e.liveAt.IsZero(); {
	case on && m == nil:
		e.mic.Store(&meter{rest: meterRest})
	case on:
		m.listen(now)
		e.tellMutedTalkLocked(now.Sub(m.talked) < mutedTalkOff)
	case m != nil:
		e.mic.Store(nil)
		e.tellMutedTalkLocked(false)
	}
}

func (e *Engine) tellMutedTalkLocked(on bool) {
	if on != e.mutedTalk {
		e.mutedTalk = on
		e.tell(MutedTalk{on})
	}
}

// meter finds talking in one stream of packets. They are only copied as they pass, into a ring with one at each end; listen makes sound of
// them later, and no packet waits for that.
type meter struct {
	gate gate // for who puts: a page may change from one connection to another
	ring [meterRoom]struct {
		codec   codec
		payload []byte
	}
	in    atomic.Uint32 // packets put so far
	out   atomic.Uint32 // heard so far
	rests atomic.Bool

	// The listener's own.
	rest   time.Duration
	voice  thin
	vad    vad
	pcm    []int16
	until  time.Time // it rests
	talked time.Time // last
	worked bool      // something other than silence came
}

// put takes a packet's payload.
func (m *meter) put(c codec, payload []byte) {
	if m.rests.Load() || !c.readable() {
		return
	}
	if !m.gate.try() {
		return
	}
	defer m.gate.leave()
	in := m.in.Load()
	if in-m.out.Load() < meterRoom {
		slot := &m.ring[in%meterRoom]
		slot.codec, slot.payload = c, append(slot.payload[:0], payload...)
		m.in.Store(in + 1)
	}
}

// listen hears what was put since the last time.
func (m *meter) listen(now time.Time) {
	if now.Before(m.until) {
		return
	}
	m.rests.Store(false)
	for out, in := m.out.Load(), m.in.Load(); out != in; out++ {
		slot := &m.ring[out%meterRoom]
		m.pcm = m.voice.read(m.pcm, slot.codec, slot.payload)
		m.out.Store(out + 1)
	}
	at := 0
	for ; at+160 <= len(m.pcm); at += 160 {
		m.hear(m.pcm[at:at+160], now)
	}
	m.pcm = append(m.pcm[:0], m.pcm[at:]...)
}

func (m *meter) hear(pcm []int16, now time.Time) {
	for _, s := range pcm {
		m.worked = m.worked || s > deadPeak || s < -deadPeak
	}
	if m.vad.hear(pcm) {
		m.talked, m.until = now, now.Add(m.rest)
		m.vad.begin()
		m.rests.Store(true)
	}
}

// thin reads payloads to 8 kHz for nobody's ear: of G.722 the lower band is enough.
type thin struct {
	reader
	low g722Decoder
	is  codec
	own []int16
}

func (t *thin) read(dst []int16, c codec, payload []byte) []int16 {
	if c != g722 {
		t.is = c
		t.own = t.narrow(t.own[:0], c, payload)
		return append(dst, t.own...)
	}
	if t.is != g722 {
		t.is, t.low = g722, *newG722Decoder()
	}
	return t.low.decodeLow(dst, payload)
}
