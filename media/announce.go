package media

import (
	"errors"
	"math"
)

// ErrUnspoken says that we cannot speak on a line, since we cannot encode what was agreed for it (Opus).
var ErrUnspoken = errors.New("cannot speak this codec")

// Announce plays src into the line in place of the agent's voice, and with ear also into the agent's ear, 12 dB down; Played at its
// end, nil ends it early. While the line is held it waits. On a line with Opus only the agent hears it, and the error is ErrUnspoken.
func (e *Engine) Announce(id string, src Source, ear bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return ErrNoLine
	}
	r := l.route.Load()
	spoken := r == nil || r.codec.mixable()
	if ear && src != nil {
		src = e.murmurLocked(l, src, spoken)
	}
	if !spoken {
		return ErrUnspoken
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.source = src
	l.turnLocked()
	return nil
}

// murmurLocked lets the agent hear a source that the line speaks, or else it alone.
func (e *Engine) murmurLocked(l *line, src Source, spoken bool) Source {
	b := e.besideLocked(l)
	if b == nil {
		return src
	}
	m := &murmur{line: l}
	if spoken {
		src = &overheard{src, b, m}
	} else {
		m.src = src
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = m
	e.beside.Store(b)
	return src
}

// overheard is a source that the agent hears too.
type overheard struct {
	Source
	b *beside
	m *murmur
}

// Next is called by the line.
func (o *overheard) Next(frame []int16) bool {
	ok := o.Source.Next(frame)
	o.b.mu.Lock()
	defer o.b.mu.Unlock()
	o.m.put(frame, ok)
	return ok
}

// murmur is an announcement on its way to the agent's ear.
type murmur struct {
	line  *line
	src   Source // nil: what the line speaks is put
	up    widener
	wide  []int16
	in    [mixFrame / 2]int16
	ended bool
	dry   int // frames without anything
}

const (
	murmurMost = 10 * mixFrame // when the line's frames come faster than the page's
	murmurDry  = 50            // frames after which the line is thought to speak it no more
)

// spent says that nothing more is to come.
func (m *murmur) spent() bool { return len(m.wide) == 0 && (m.ended || m.dry > murmurDry) }

func (m *murmur) put(frame []int16, ok bool) {
	if m.ended = !ok; ok && len(m.wide) < murmurMost {
		m.wide = m.up.widen(m.wide, frame)
	}
}

// take gives the next frame. False: there is none now.
func (m *murmur) take(dst []int16) bool {
	if m.src != nil && !m.ended {
		m.put(m.in[:], m.src.Next(m.in[:]))
		if m.ended {
			m.line.e.tell(Played{Line: m.line.id})
		}
	}
	if m.dry++; len(m.wide) == 0 {
		return false
	}
	m.dry = 0
	n := copy(dst, m.wide)
	clear(dst[n:])
	m.wide = append(m.wide[:0], m.wide[n:]...)
	for i := range dst {
		dst[i] /= full / under
	}
	return true
}

// Tone is a sound of that many Hz for ms milliseconds, then silence for gap milliseconds, repeated so often; zero: for ever. It is
// 10 dB below full scale and fades in and out within 5 ms.
func Tone(hz float64, ms, gap, repeat int) Source {
	return &tone{hz: hz, on: ms * 8, off: gap * 8, left: repeat, ever: repeat == 0}
}

type tone struct {
	hz      float64
	on, off int // samples
	left    int
	ever    bool
	at      int
}

const (
	toneSize = 10362 // peak, 10 dB below full scale
	toneFade = 40    // samples
)

// Next is 20 ms of it.
func (t *tone) Next(frame []int16) bool {
	if t.left <= 0 && !t.ever || t.on+t.off <= 0 {
		return false
	}
	for i := range frame {
		frame[i] = t.sample()
		if t.at++; t.at >= t.on+t.off {
			t.at = 0
			t.left--
		}
	}
	return true
}

func (t *tone) sample() int16 {
	if t.at >= t.on || t.left <= 0 && !t.ever {
		return 0
	}
	edge := float64(min(t.at+1, t.on-t.at, toneFade)) / toneFade
	return int16(toneSize * edge * math.Sin(2*math.Pi*t.hz*float64(t.at)/8000))
}
