package media

import "sync"

// ear turns the packets of one sender, as the network brings them, into sound, 20 ms at a time, as the mixer wants it:
// in order, with what is lost made up for, and held back as long as the network's unevenness asks for, 40 to 120 ms.
type ear struct {
	mu    sync.Mutex
	begun bool
	ssrc  uint32
	next  uint16 // to be decoded next
	top   uint16 // after the newest held
	held  int    // sound in the slots, in samples at 16 kHz, as all lengths here
	slots [earSlots]slot

	on    bool // sound is given; off: it is gathered first
	ready []int16
	want  int // gathered before it begins
	dry   int // frames in a row for which there was nothing
	owed  int // made up meanwhile: if the missing packets were lost, their time has passed

	left   int // the least that was left over in this window
	frames int // of this window
	calm   int // windows in which nothing ran dry
	trust  int // calm windows after which a shorter delay is tried
	tried  bool
	cut    bool

	voice reader
	patch patch
}

// slot is one packet that waits.
type slot struct {
	full    bool
	codec   codec
	payload []byte
}

const (
	earSlots  = 64
	earLeast  = 40 * mixRate / 1000
	earMost   = 120 * mixRate / 1000
	earStep   = mixFrame
	earFlood  = 240 * mixRate / 1000 // more than that is old: a stall's leftovers
	earPause  = 6                    // frames without sound after which the sender is thought to pause
	earWindow = 100                  // frames: 2 s
	earHurry  = 10                   // frames
	earCalm   = 5                    // windows of calm that are enough at first
	earProof  = 40                   // and at the most, where shorter delays proved too short
	longest   = 120 * mixRate / 1000 // of a packet
)

// put takes a packet; what cannot be read is dropped.
func (e *ear) put(c codec, p packet) {
	if !c.readable() || c.span(p.payload) == 0 || c.span(p.payload) > longest {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	age := int16(p.seq - e.next)
	switch {
	case !e.begun || e.ssrc != p.ssrc || age < -1000 || age >= earSlots:
		e.restart()
		e.begun, e.ssrc, e.next, e.top = true, p.ssrc, p.seq, p.seq
	case !e.on && e.held == 0:
		e.next, e.top = p.seq, p.seq
	case !e.on && age < 0 && e.top-p.seq < earSlots:
		e.next = p.seq // out of order before we began
	case age < 0:
		return // too late
	}
	s := &e.slots[p.seq%earSlots]
	if s.full {
		return // twice
	}
	s.full, s.codec, s.payload = true, c, append(s.payload[:0], p.payload...)
	e.held += c.span(p.payload)
	if int16(p.seq-e.top) >= 0 {
		e.top = p.seq + 1
	}
	for e.held > earFlood {
		e.drop()
		e.patch.skip()
	}
}

// drop lets go of the oldest packet.
func (e *ear) drop() {
	if s := &e.slots[e.next%earSlots]; s.full {
		s.full = false
		e.held -= s.codec.span(s.payload)
	}
	e.next++
}

// clear forgets what waits: the sender is on hold.
func (e *ear) clear() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.begun {
		e.restart()
	}
}

// waits says that there is something to take.
func (e *ear) waits() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.on && e.held+len(e.ready) > 0
}

// pauses says that what came last is quiet, or that nothing came.
func (e *ear) pauses() bool {
	const quiet, tail = 300, 5 * mixRate / 1000
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.on {
		return true
	}
	e.gather(len(e.ready) + e.held)
	for _, v := range e.ready[max(0, len(e.ready)-tail):] {
		if v > quiet || v < -quiet {
			return false
		}
	}
	return true
}

func (e *ear) restart() {
	for i := range e.slots {
		e.slots[i].full = false
	}
	e.begun, e.on, e.held, e.ready, e.dry, e.owed = false, false, 0, e.ready[:0], 0, 0
	e.want = max(e.want, earLeast)
	e.voice.codec = noCodec
	e.patch.begin()
}

// take gives the next frame. False: there is nothing to hear, and dst is untouched.
func (e *ear) take(dst []int16) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.on {
		if e.held == 0 || e.held < e.want {
			return false
		}
		e.on, e.left, e.frames, e.cut = true, earFlood, 0, false
	}
	if e.cut {
		e.cut = false
		e.gather(len(dst) + mixFrame + mixFrame/2)
		e.ready = append(e.ready[:0], shortened(e.ready)...)
	}
	e.gather(len(dst))
	n := copy(dst, e.ready)
	e.ready = append(e.ready[:0], e.ready[n:]...)
	if n < len(dst) {
		e.patch.fill(dst[n:])
		e.owed += len(dst) - n
		if e.dry++; e.dry > earPause {
			e.on, e.dry, e.owed = false, 0, 0
			e.patch.begin()
		}
	}
	e.measure()
	return true
}

// gather decodes until that much is ready, or nothing waits any more.
func (e *ear) gather(enough int) {
	for len(e.ready) < enough && e.next != e.top {
		s := &e.slots[e.next%earSlots]
		at := len(e.ready)
		switch {
		case s.full:
			e.ready = e.voice.read(e.ready, s.codec, s.payload)
			e.patch.join(e.ready[at:])
			if e.dry > 0 { // it was only late: from now on everything is played later
				e.delay()
			}
		case e.owed >= mixFrame:
			e.owed -= mixFrame
		default:
			e.ready = append(e.ready, make([]int16, mixFrame)...)
			e.patch.fill(e.ready[at:])
		}
		e.drop()
	}
}

// delay wants what was late to be waited for from now on. Where a shorter delay was tried and was too short, it takes twice as long
// until the next try: every change of the delay is heard.
func (e *ear) delay() {
	e.want = min(e.want+e.dry*earStep, earMost)
	e.dry, e.owed, e.calm = 0, 0, 0
	if e.tried {
		e.tried, e.trust = false, min(2*e.trust, earProof)
	}
}

// measure shortens the delay by a piece when more than is wanted was left over for two seconds, or much more for 0.2 s, as
// after a stall of the network. After ten calm seconds, or as many as proved wise, it wants less.
func (e *ear) measure() {
	e.left = min(e.left, len(e.ready)+e.held)
	e.frames++
	if e.frames >= earHurry && e.left >= e.want+2*earStep {
		e.cut, e.left, e.frames = true, earFlood, 0
	}
	if e.frames < earWindow {
		return
	}
	e.cut = e.left >= e.want
	e.trust = max(e.trust, earCalm)
	if e.calm++; e.calm >= e.trust {
		if e.tried { // and it was enough
			e.trust = max(e.trust/2, earCalm)
		}
		e.calm, e.tried = 0, e.want > earLeast
		e.want = max(e.want-earStep, earLeast)
	}
	e.left, e.frames = earFlood, 0
}
