package media

import (
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

// quality measures what arrives (RFC 3550 §6.4.1, appendix A) with the clock of the codec in use, and keeps what the
// far side says about what we send.
//
// The reader of the line counts and nobody waits for it: each figure is one atomic word that it alone writes. During a move
// both pairs of ports have a reader; should their packets cross, one of them may go uncounted.
type quality struct {
	heard atomic.Pointer[source] // what arrives just now; nil: nothing has yet

	mu        sync.Mutex // guards what reports say; no packet of sound takes it
	reportNTP uint32     // middle of the last sender report received
	reportAt  time.Time
	last      tally // at our last report
	theirs    verdict
}

// source is one sender of sound, from its first packet to the next sender's.
type source struct {
	ssrc   uint32
	base   uint32 // extended sequence number of the first packet
	before tally  // of the sources that came earlier

	clock  atomic.Uint32 // Hz; 0: no sound yet
	counts atomic.Uint64 // highest extended sequence number, packets: 32 bits each
	octets atomic.Uint64
	shake  atomic.Uint64 // transit time of the last packet, jitter as a float: 32 bits each, in units of the clock
	window atomic.Uint64 // a bit for each of the last 64 sequence numbers, by its remainder: it came
	gone   atomic.Uint64 // of what has left the window: runs of loss (31 bits), the last was lost (1 bit), lost (32 bits)
}

// tally is what was counted since the line began.
type tally struct {
	packets, octets uint64
	expected        uint64
	lost            int64  // never came, even if others came twice
	inRuns, runs    uint64 // of them, those that can come no more, and in how many runs
	jitter          time.Duration
}

// maxDropout is how far a sequence number may jump before it is a new beginning (RFC 3550 appendix A.1).
const maxDropout = 3000

// received counts a packet of sound. Clock is its codec's, in Hz.
func (q *quality) received(p packet, clock uint32, now time.Time) {
	s := q.heard.Load()
	if s == nil || s.ssrc != p.ssrc || !s.advance(p.seq) {
		s = begun(p, q.tally())
		q.heard.Store(s)
	}
	s.octets.Store(s.octets.Load() + uint64(len(p.payload)))
	s.shaken(p.ts, clock, now)
}

// beside counts a packet that is no sound but shares the stream's numbers: a key, or a format nobody agreed to. It must not
// be taken for lost.
func (q *quality) beside(p packet) {
	if s := q.heard.Load(); s != nil && s.ssrc == p.ssrc {
		s.advance(p.seq)
	}
}

func begun(p packet, before tally) *source {
	s := &source{ssrc: p.ssrc, base: uint32(p.seq) + 1<<16, before: before}
	s.counts.Store(uint64(s.base)<<32 | 1)
	s.window.Store(^uint64(0)) // what came before the first packet is not missed
	return s
}

// advance counts a sequence number. False: it is none of this row.
func (s *source) advance(seq uint16) bool {
	counts := s.counts.Load()
	highest, packets := uint32(counts>>32), uint32(counts)
	d := int(int16(seq - uint16(highest)))
	if d > maxDropout || d < -maxDropout {
		return false
	}
	window := s.window.Load()
	after := window
	for k := 1; k < d; k++ { // these are missing, so far
		s.leave(after, highest+uint32(k))
		after &^= 1 << ((highest + uint32(k)) % 64)
	}
	at := highest + uint32(d)
	if d > 0 {
		s.leave(after, at)
		highest = at
	}
	if d > -64 {
		after |= 1 << (at % 64)
	}
	if after != window {
		s.window.Store(after)
	}
	s.counts.Store(uint64(highest)<<32 | uint64(packets+1))
	return true
}

const wasLost = 1 << 32 // in gone

// leave takes the number that next displaces out of the window: what has not come by now is lost.
func (s *source) leave(window uint64, next uint32) {
	gone := s.gone.Load()
	switch came := window>>(next%64)&1 != 0; {
	case came && gone&wasLost != 0:
		s.gone.Store(gone &^ wasLost)
	case !came && gone&wasLost != 0:
		s.gone.Store(gone + 1)
	case !came:
		s.gone.Store(gone + 1<<33 | wasLost + 1)
	}
}

// shaken follows the jitter (RFC 3550 appendix A.8). A jump of more than a second is another clock at the sender's, no jitter.
func (s *source) shaken(ts, clock uint32, now time.Time) {
	transit := uint32(now.UnixMicro()*int64(clock)/1e6) - ts
	shake := s.shake.Load()
	jitter := math.Float32frombits(uint32(shake))
	switch d := int64(int32(transit - uint32(shake>>32))); {
	case s.clock.Load() != clock:
		s.clock.Store(clock)
		jitter = 0
	case d >= -int64(clock) && d <= int64(clock):
		jitter += (float32(max(d, -d)) - jitter) / 16
	}
	s.shake.Store(uint64(transit)<<32 | uint64(math.Float32bits(jitter)))
}

// tally is what was counted so far. The words are read one after the other, so they may be a packet apart.
func (q *quality) tally() tally {
	s := q.heard.Load()
	if s == nil {
		return tally{}
	}
	gone, window, counts := s.gone.Load(), s.window.Load(), s.counts.Load()
	t := s.before
	t.packets += uint64(uint32(counts))
	t.octets += s.octets.Load()
	t.expected += uint64(uint32(counts>>32) - s.base + 1)
	t.lost += int64(uint32(gone)) + int64(bits.OnesCount64(^window))
	t.inRuns += uint64(uint32(gone))
	t.runs += gone >> 33
	t.jitter = s.jitter()
	return t
}

func (s *source) jitter() time.Duration {
	return units(float64(math.Float32frombits(uint32(s.shake.Load()))), s.clock.Load())
}

func (q *quality) flow() Flow {
	t := q.tally()
	return Flow{Packets: t.packets, Bytes: t.octets, Lost: t.lost, Jitter: t.jitter}
}

// units turns RTP clock units into time.
func units(n float64, clock uint32) time.Duration {
	if clock == 0 {
		return 0
	}
	return time.Duration(n / float64(clock) * float64(time.Second))
}

// Stats is how the line does just now.
func (e *Engine) Stats(id string) Stats {
	l := e.line(id)
	if l == nil {
		return Stats{}
	}
	st := Stats{Received: l.quality.flow()}
	if r := l.route.Load(); r != nil {
		st.Codec, st.Secure = r.codec.String(), l.secured()
		if r.shield != nil {
			st.Bad = r.shield.failed.Load()
		}
	}
	said := l.quality.verdict()
	st.RTT, st.Sent.Lost, st.Sent.Jitter = said.rtt, said.lost, said.jitter
	l.gate.enter()
	st.Sent.Packets, st.Sent.Bytes = uint64(l.out.packets), uint64(l.out.octets)
	l.gate.leave()
	return st
}
