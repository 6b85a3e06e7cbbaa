package media

import (
	"math/rand/v2"
	"sync"
	"time"
)

// beside is what the agent hears beside a call: a replay of the caller, an announcement. While it lasts, the call is decoded and mixed
// with it here instead of passing through, in the agent's ear alone; no line hears it and no recording has it.
//
// It ends by itself, and when the line is held, closed, or not heard by the page any more.
type beside struct {
	e    *Engine
	line *line
	live ear // the call, while it is no conference

	mu     sync.Mutex // guards what follows; the pacer holds it for one frame at a time
	over   bool       // nothing more is taken
	replay *player    // nil: none
	said   *murmur    // an announcement; nil: none
	level  fader      // of the call
	rest   int        // frames since there was anything of ours
	due    time.Time
	frame  seat
	add    seat
	voice  writer
	next   packet
	buf    [2 * mixFrame]byte
}

// fader brings a sound from one level to another within a frame, so that nothing clicks. Levels are in 256ths.
type fader struct{ now int }

const (
	full  = 256
	under = 64 // 12 dB down
)

func (f *fader) apply(pcm []int16, to int) {
	from := f.now
	if f.now = to; from == full && to == full {
		return
	}
	for i, v := range pcm {
		pcm[i] = int16(int(v) * (from + (to-from)*i/len(pcm)) / full)
	}
}

// besideLocked is what the agent hears beside that line, made new if need be; nil: the page does not hear the line. The caller holds
// the engine's mutex, and begins something before it lets go.
func (e *Engine) besideLocked(l *line) *beside {
	if !l.withPage() {
		return nil
	}
	old := e.beside.Load()
	if old != nil && old.line == l && !old.ended() {
		return old
	}
	if old != nil {
		old.end()
	}
	return &beside{e: e, line: l, level: fader{full}, next: packet{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32()}}
}

// withPage says that the page hears the line, alone or in the conference.
func (l *line) withPage() bool {
	if l.part.Load() == nil {
		return l.e.focus.Load() == l
	}
	m := l.e.mixer.Load()
	return m != nil && m.withPage.Load()
}

func (b *beside) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// end lets the call pass through again at once.
func (b *beside) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endLocked()
}

func (b *beside) endLocked() {
	b.over, b.said = true, nil
	b.endReplayLocked()
	b.e.beside.CompareAndSwap(b, nil)
}

// tick gives the page the frames that are due; in a conference the mixer does.
func (b *beside) tick(now time.Time) {
	const frame = frameTime * time.Millisecond
	l := b.line
	r := l.route.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return
	}
	if l.ended.Load() || r == nil || !r.hear || !l.withPage() {
		b.endLocked()
		return
	}
	if l.part.Load() != nil {
		b.live.clear()
		b.due = time.Time{}
		return
	}
	if now.Sub(b.due) > 5*frame {
		b.due = now
	}
	for ; !b.over && !b.due.After(now); b.due = b.due.Add(frame) {
		b.stepLocked(r, now)
	}
}

// besideRest is how many frames the call may go on by way of us until the caller pauses, so that nobody hears the seam: 3 s.
const besideRest = 150

// stepLocked gives the page one frame. When there is nothing of ours left and the caller pauses, what still waits of the call follows
// at once: not a word of it is lost, and the browser takes care of the packets that are early.
func (b *beside) stepLocked(r *route, now time.Time) {
	live := b.live.take(b.frame[:])
	if !live {
		clear(b.frame[:])
	}
	ours := b.mixLocked(b.frame[:])
	if live || ours {
		b.toPageLocked(r, now)
	}
	if b.rest++; ours {
		b.rest = 0
	}
	if ours || b.rest < besideRest && !b.live.pauses() {
		return
	}
	for b.live.waits() && b.live.take(b.frame[:]) {
		b.toPageLocked(r, now)
	}
	b.endLocked()
}

func (b *beside) toPageLocked(r *route, now time.Time) {
	owner, c := b.e.owner.Load(), r.codec
	if !c.mixable() {
		c = g722
	}
	if owner == nil {
		return
	}
	b.next.payload = b.voice.write(b.buf[:0], c, b.frame[:])
	b.next.seq, b.next.ts = b.next.seq+1, b.next.ts+c.frame()
	owner.play(c, b.next, now)
}

// takes takes a packet of the call. False: it is over, the packet may pass through.
func (b *beside) takes(l *line, c codec, p packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.line != l {
		return false
	}
	b.live.put(c, p)
	return true
}

// mix adds it to what the page is to hear of the conference.
func (b *beside) mix(pcm []int16) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over && !b.mixLocked(pcm) {
		b.endLocked()
	}
}

// mixLocked adds what there is to the call's frame. False: there is nothing any more, and the call is as loud as it was.
func (b *beside) mixLocked(pcm []int16) bool {
	level := full
	if b.replay != nil && !b.replay.off {
		level = under
	}
	quiet := b.level.now == full && level == full
	b.level.apply(pcm, level)
	ours := false
	if b.replay != nil {
		if ours = b.replay.take(b.add[:]); ours {
			addTo(pcm, b.add[:])
		} else {
			b.endReplayLocked()
		}
	}
	if b.said != nil && b.said.take(b.add[:]) {
		addTo(pcm, b.add[:])
	}
	if b.said != nil && b.said.spent() {
		b.said = nil
	}
	return ours || b.said != nil || !quiet
}

func addTo(pcm, more []int16) {
	for i, v := range more {
		pcm[i] = soft(int32(pcm[i]) + int32(v))
	}
}
