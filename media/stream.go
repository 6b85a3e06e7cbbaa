package media

import (
	"math/rand/v2"
	"time"
)

// stream gives the numbers of one outgoing RTP stream: one SSRC, sequence and timestamp without a seam, whatever feeds
// it. A source is copied with constant offsets, so that the receiver sees the network's own loss and reordering; a new
// source begins a new base. Whoever holds the stream guards it.
type stream struct {
	ssrc uint32
	seq  uint16 // highest given out
	ts   uint32 // that goes with seq
	at   time.Time

	clock    uint32 // Hz
	anchor   time.Time
	anchorTS uint32

	from    feed // whom the offsets below are for
	source  uint32
	seqOff  uint16
	tsOff   uint32
	oldest  uint16 // of the source: what is older came from before the base
	length  uint32 // of the last frame of our own, in units of the clock
	packets uint32
	octets  uint32
}

// feed is what a stream was last fed with.
type feed uint8

const (
	fedNothing feed = iota
	fedCopy         // somebody's packets
	fedOwn          // our silence, tones and voices
	fedDigit        // a telephone-event: its timestamp stands still
)

func newStream() stream {
	// The first number is in the lower half, so that SRTP's count of wraps cannot be mistaken when it is lost (RFC 3711 §3.3.1).
	return stream{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()) >> 1, ts: rand.Uint32()}
}

// maxGap is the pause after which a copied source is set against the wall clock again: Chrome's timestamps stand still
// while it has no microphone.
const maxGap = 100 * time.Millisecond

// copied gives a source's packet its numbers. False: the packet is from before the base and must go. With paused, a
// gap in arrival begins a new base.
func (s *stream) copied(p packet, c codec, paused bool, now time.Time) (packet, bool) {
	clock := specs[c].clock
	fresh := s.from != fedCopy || s.source != p.ssrc || s.clock != clock || paused && now.Sub(s.at) > maxGap
	if fresh {
		seq, ts := s.next(clock, c.frame(), now)
		s.from, s.source, s.seqOff, s.tsOff, s.oldest = fedCopy, p.ssrc, seq-p.seq, ts-p.ts, p.seq
	}
	switch age := int16(p.seq - s.oldest); {
	case age < 0:
		return p, false
	case age > 2000:
		s.oldest += 1000
	}
	p.marker = p.marker || fresh
	p.seq, p.ts, p.ssrc = p.seq+s.seqOff, p.ts+s.tsOff, s.ssrc
	if int16(p.seq-s.seq) > 0 {
		s.seq, s.ts = p.seq, p.ts
	}
	s.count(p, now)
	return p, true
}

// own gives a frame of our own making its numbers.
//
// Its timestamp goes on by the length of the frame before, which may have been longer or shorter.
func (s *stream) own(c codec, payload []byte, length uint32, now time.Time) packet {
	p := packet{payload: payload, ssrc: s.ssrc, marker: s.from != fedOwn}
	if s.from == fedOwn && s.clock == specs[c].clock && now.Sub(s.at) <= maxGap {
		s.seq, s.ts = s.seq+1, s.ts+s.length
	} else {
		s.seq, s.ts = s.next(specs[c].clock, length, now)
	}
	s.length = length
	s.from = fedOwn
	p.seq, p.ts = s.seq, s.ts
	s.count(p, now)
	return p
}

// digit gives a packet of a telephone-event its numbers: all packets of one event share a timestamp (RFC 4733 §2.5.1.2).
func (s *stream) digit(c codec, payload []byte, first bool, now time.Time) packet {
	if first {
		s.seq, s.ts = s.next(specs[c].clock, c.frame(), now)
	} else {
		s.seq++
	}
	s.from = fedDigit
	p := packet{payload: payload, ssrc: s.ssrc, marker: first, seq: s.seq, ts: s.ts}
	s.count(p, now)
	return p
}

func (s *stream) count(p packet, now time.Time) {
	s.at = now
	s.packets++
	s.octets += uint32(len(p.payload))
}

// next is the first pair of numbers of a new base: the next sequence number, and the timestamp that the wall clock asks
// for, but at least one frame later than the last.
func (s *stream) next(clock, frame uint32, now time.Time) (uint16, uint32) {
	least := s.ts + frame
	if s.clock != clock {
		s.clock, s.anchor, s.anchorTS = clock, now, least
	}
	ts := s.anchorTS + uint32(uint64(now.Sub(s.anchor).Microseconds())*uint64(clock)/1e6)
	if int32(ts-least) < 0 {
		ts = least
	}
	return s.seq + 1, ts
}

// stamp is the RTP timestamp that belongs to now, for sender reports (RFC 3550 §6.4.1).
func (s *stream) stamp(now time.Time) uint32 {
	return s.ts + uint32(uint64(max(now.Sub(s.at), 0).Microseconds())*uint64(s.clock)/1e6)
}
