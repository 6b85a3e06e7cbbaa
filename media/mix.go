package media

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// mixer is a conference of the page and several lines, each of which hears the others. Lines that are held, or whose codec
// cannot be mixed, hear and say nothing until that changes.
type mixer struct {
	e        *Engine
	withPage atomic.Bool   // the page takes part
	codec    atomic.Uint32 // the page's
	page     ear

	mu    sync.Mutex // guards what follows; the pacer holds it for one frame at a time
	parts []*part
	desk  *desk // port 0 is the page, the others are the parts in their order
	due   time.Time
	seat  seat
	out   [mixFrame]int16
	bell  bell
	voice writer // to the page
	buf   [2 * mixFrame]byte
	next  packet // to the page
}

// part is a line's place in a conference.
type part struct {
	line *line
	role Role // guarded by the mixer's mutex
	ear  ear
	seat seat

	codec codec // of what follows
	pack  [(maxPace + frameTime) * 8]byte
	have  int // octets of the next packet
}

// seat is room for the frame that somebody brings.
type seat [mixFrame]int16

// Mix makes a conference of these lines and the page, each with its role; fewer than two end it, unless the one is a listener. A line that is opened later joins then, one that
// is closed leaves, and one that is held stays silent until it is resumed, as does one with Opus until the far side has taken
// the offer of MixOffer. While Focus names another line the page is with
// that one, and the conference goes on without it.
func (e *Engine) Mix(ids ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mixed = nil
	for _, id := range ids {
		if !slices.Contains(e.mixed, id) {
			e.mixed = append(e.mixed, id)
		}
	}
	if len(e.mixed) == 1 && e.soleLocked(e.mixed[0]) {
		e.mixed = nil
	}
	e.settleMixLocked()
	e.tellPagesLocked(time.Now())
}

// leaveMixLocked takes a closed line out. The last one left is an ordinary line again as soon as it is in focus: until
// somebody says so it stays with the page.
func (e *Engine) leaveMixLocked(id string) {
	if i := slices.Index(e.mixed, id); i >= 0 {
		e.mixed = slices.Delete(slices.Clone(e.mixed), i, i+1)
		e.settleMixLocked()
	}
}

// settleMixLocked brings the mixer in line with what was asked for and what is open.
func (e *Engine) settleMixLocked() {
	m := e.mixer.Load()
	over := len(e.mixed) == 0 || len(e.mixed) == 1 && e.soleLocked(e.mixed[0]) && (e.wanted == "" || e.lines[e.wanted] != nil)
	if m == nil && over {
		return
	}
	if m == nil {
		m = &mixer{e: e, next: packet{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32()}}
	}
	var parts []*part
	if over {
		e.mixed = nil
	}
	for _, id := range e.mixed {
		if l := e.lines[id]; l != nil {
			p := l.part.Load()
			if p == nil {
				p = &part{line: l}
			}
			parts = append(parts, p)
		}
	}
	m.seatAll(parts)
	e.pauseRecordsLocked()
	focus := e.lines[e.wanted]
	m.withPage.Store(focus == nil || focus.part.Load() != nil)
	if over {
		m = nil
	}
	e.mixer.Store(m)
}

// seatAll gives the conference these parts, in the roles that their lines have. Who stays keeps what waits to be heard. Whoever calls
// holds the engine's mutex.
func (m *mixer) seatAll(parts []*part) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, old := range m.parts {
		if !slices.Contains(parts, old) {
			old.line.part.Store(nil)
		}
	}
	for _, p := range parts {
		p.line.part.Store(p)
	}
	m.parts, m.desk = parts, newDesk(len(parts)+1)
	roles, private := make([]Role, len(parts)), false
	for i, p := range parts {
		p.role = p.line.aside.role
		roles[i], private = p.role, private || p.line.aside.card
	}
	m.desk.cast(roles, private)
	m.bell.settle(parts)
}

// pageCodec is what the page speaks and hears: wide as soon as one line is, and whether anybody wants to talk with it.
func (m *mixer) pageCodec() (c codec, live bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c = pcmu
	for _, p := range m.parts {
		if r := p.line.route.Load(); r != nil && (r.speak || r.hear) && p.role != RoleListen {
			live = true
			if r.codec == g722 || r.codec == opus {
				c = g722
			}
		}
	}
	m.codec.Store(uint32(c))
	return c, live
}

// fromPage takes a packet of the page. What is said while muted is never kept.
func (m *mixer) fromPage(c codec, p packet, muted bool) {
	if muted && c.readable() {
		p.payload = c.silence(len(p.payload))
	}
	m.page.put(c, p)
}

// tick mixes the frames that are due.
func (m *mixer) tick(now time.Time) {
	const frame = frameTime * time.Millisecond
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.due) > 5*frame {
		m.due = now // first, or we were asleep: do not send a burst
	}
	for ; !m.due.After(now); m.due = m.due.Add(frame) {
		m.step(now)
	}
}

// step takes a frame from everybody and gives everybody theirs.
func (m *mixer) step(now time.Time) {
	withPage := m.withPage.Load()
	m.desk.in[0] = nil
	if m.page.take(m.seat[:]) && withPage && !m.e.muted.Load() {
		m.desk.in[0] = m.seat[:]
	}
	for i, p := range m.parts {
		m.desk.in[i+1] = nil
		if r := p.line.route.Load(); r == nil || !r.speak || !r.hear {
			p.ear.clear()
		} else if p.ear.take(p.seat[:]) {
			m.desk.in[i+1] = p.seat[:]
		}
	}
	m.bell.step()
	for i, p := range m.parts {
		if r := p.line.route.Load(); r.mixes() {
			m.desk.out(i+1, m.out[:])
			m.bell.add(m.out[:], p.role == RoleTalk)
			p.say(r, m.out[:], withPage, now)
		}
	}
	if withPage {
		m.desk.out(0, m.out[:])
		m.bell.add(m.out[:], true)
		m.toPage(now)
	}
}

func (m *mixer) toPage(now time.Time) {
	owner, c := m.e.owner.Load(), codec(m.codec.Load())
	if owner == nil || !c.mixable() {
		return
	}
	if b := m.e.beside.Load(); b != nil {
		b.mix(m.out[:])
	}
	m.next.payload = m.voice.write(m.buf[:0], c, m.out[:])
	m.next.seq, m.next.ts = m.next.seq+1, m.next.ts+c.frame()
	owner.play(c, m.next, now)
}

// mixes says that the mixer speaks on a line with that route.
func (r *route) mixes() bool { return r != nil && r.speak && r.codec.mixable() }

// say gives the line 20 ms at 16 kHz in its codec; packets leave in the length it wants. Nothing is said while a digit or a
// source sounds. With is whether the page speaks.
func (p *part) say(r *route, pcm []int16, with bool, now time.Time) {
	l := p.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.silent() || l.source != nil || l.press.sounding() {
		p.have = 0
		return
	}
	if p.codec != r.codec {
		p.codec, p.have = r.codec, 0
	}
	p.have += copy(p.pack[p.have:], l.voiced.write(l.payload[:0], r.codec, pcm))
	size, sent := r.frame*8, 0
	for ; sent+size <= p.have; sent += size {
		l.ownLocked(r, p.pack[sent:sent+size], now)
	}
	p.have = copy(p.pack[:], p.pack[sent:p.have])
	if with && sent > 0 && !l.firstOut.Load() && l.firstOut.CompareAndSwap(false, true) {
		l.e.tell(FirstPacket{Line: l.id, Out: true, At: now})
	}
}

// MixOffer is an offer without codecs that cannot be mixed, for a line that is to take part in a conference. Needed is false
// for a line that can be mixed as it is: then there is no offer.
func (e *Engine) MixOffer(id string) (offer string, needed bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return "", false, ErrNoLine
	}
	if r := l.route.Load(); r != nil && r.codec.mixable() {
		return "", false, nil
	}
	t := &l.talk
	list := mixableFormats(t.ours)
	if !slices.ContainsFunc(list, func(f format) bool { return codecNamed(f.name, f.clock) != noCodec }) {
		return "", true, ErrNoCodec
	}
	t.wantHold, t.answer = t.hold, ""
	return t.write(list, holding(t.hold, t.heldBy)), true, nil
}

// mixableFormats leaves out what cannot be mixed, and the digits that go with it.
func mixableFormats(ours []format) (list []format) {
	for _, f := range ours {
		if c := codecNamed(f.name, f.clock); c.mixable() || c == noCodec && f.clock == 8000 {
			list = append(list, f)
		}
	}
	return list
}

// oursLocked is what we offer: in a conference nothing that would end it, if there is anything else.
func (l *line) oursLocked() []format {
	if r := l.route.Load(); r != nil && r.codec.mixable() && (slices.Contains(l.e.mixed, l.id) || l.e.bySamples()) {
		return mixableFormats(l.talk.ours)
	}
	return l.talk.ours
}

// chosenLocked is the codec to use of what they name, the first that is ours: in a conference, or while the page sends samples, one
// that can be mixed, if there is one.
func (l *line) chosenLocked(s section) (codec, uint8) {
	list := codecsNamed(l.e.cfg.Codecs)
	if slices.Contains(l.e.mixed, l.id) || l.e.bySamples() {
		wide := slices.DeleteFunc(slices.Clone(list), func(c codec) bool { return !c.mixable() })
		if c, pt := s.chosen(wide); c != noCodec {
			return c, pt
		}
	}
	return s.chosen(list)
}
