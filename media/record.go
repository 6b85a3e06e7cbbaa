package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A recording is what passed on a line, packet by packet, as it was encoded: cheap to write and exact. It comes in blocks, about
// one a second. All numbers are big-endian, times are counts of 100 µs since the recording began.
//
//	block    1 version (1), 4 length of the entries, entries
//	entry    1 kind, 4 time, and by kind:
//	  0x0c   a packet from the network, 0x1c one to it, c: 1 Opus, 2 G.722, 3 PCMU, 4 PCMA:
//	         4 SSRC, 4 timestamp, 2 sequence number, 2 length, payload
//	  0x20   nothing happened until then; ends each block, so that silence has its length
//	  0x21   paused from here on (a card number is said), 0x22 no more
//	  0x23   4: so many packets were lost here, since the disk was slow
//
// Within a block what came from the network stands before what went to it.
const (
	recordVersion = 1
	blockHead     = 5
	packetHead    = 17
	markHead      = 5

	markTick    = 0x20
	markPaused  = 0x21
	markResumed = 0x22
	markLost    = 0x23

	// recordUnit is the resolution of times.
	recordUnit  = 100 * time.Microsecond
	recordEvery = time.Second
	// recordRoom is what one direction may gather while the disk is busy: ten seconds of G.711, one of the richest Opus.
	recordRoom = 96 << 10
	// recordLongest is where a recording ends by itself: a WAV file holds no more than 18 hours.
	recordLongest = 16 * time.Hour
)

var (
	errRecording = errors.New("already recording")
	errTooLong   = fmt.Errorf("longer than %v", recordLongest)
)

// Recorded says that a recording ended; Err when it broke.
type Recorded struct {
	Line string
	Err  error
}

func (Recorded) mediaEvent() {}

// recorder is a tap that copies what passes. Each direction has two buffers: one is filled while the other is written.
type recorder struct {
	begun time.Time
	in    tapeSide
	out   tapeSide
	stop  chan struct{}
	once  sync.Once
}

// tapeSide is one direction. The lock is held for one copy, or for one exchange of buffers.
type tapeSide struct {
	mu     sync.Mutex
	paused bool
	fill   []byte
	spare  []byte
	lost   uint32
}

// Record begins to write the line's sound: what the caller says, and what the agent says as the line gets it. Each block is
// given to sink in order, on a goroutine of its own that may wait for a disk; it must be copied. Recorded tells the end: by
// StopRecord, with the line, or by an error of sink.
func (e *Engine) Record(id string, sink func(block []byte) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	switch {
	case e.closed:
		return ErrClosed
	case l == nil:
		return ErrNoLine
	case l.recorder() != nil:
		return errRecording
	}
	r := newRecorder(time.Now())
	l.tapLocked(r)
	e.pauseRecordsLocked()
	e.work.Go(func() { e.record(l, r, sink) })
	return nil
}

func newRecorder(now time.Time) *recorder {
	r := &recorder{begun: now, stop: make(chan struct{})}
	for _, s := range []*tapeSide{&r.in, &r.out} {
		s.fill, s.spare = make([]byte, 0, recordRoom), make([]byte, 0, recordRoom)
	}
	return r
}

// StopRecord ends it; no such recording is no error.
func (e *Engine) StopRecord(id string) {
	if l := e.line(id); l != nil {
		l.endRecord()
	}
}

// recorder is the one of the line; nil: it is not recorded.
func (l *line) recorder() *recorder {
	if taps := l.taps.Load(); taps != nil {
		for _, t := range *taps {
			if r, ok := t.(*recorder); ok {
				return r
			}
		}
	}
	return nil
}

// endRecord is also called when the line closes.
func (l *line) endRecord() {
	if r := l.recorder(); r != nil {
		r.once.Do(func() { close(r.stop) })
	}
}

// pauseRecordsLocked keeps nothing, and forgets the clip, of lines on which a card number is said, nor of those that hear it in the same conference, and
// goes on with the others. When it returns, no later packet of the former is kept.
func (e *Engine) pauseRecordsLocked() {
	mixed := false
	for _, id := range e.mixed {
		mixed = mixed || e.lines[id] != nil && e.lines[id].aside.card
	}
	for id, l := range e.lines {
		paused := l.aside.card || mixed && slices.Contains(e.mixed, id)
		if r := l.recorder(); r != nil {
			r.pause(paused, time.Now())
		}
		if k := l.aside.clip; k != nil {
			k.pause(paused)
		}
	}
}

// record writes until the recording ends.
func (e *Engine) record(l *line, r *recorder, sink func([]byte) error) {
	tick := time.NewTicker(recordEvery)
	defer tick.Stop()
	var err error
	var block []byte
	for over := false; err == nil && !over; {
		select {
		case <-tick.C:
		case <-r.stop:
			over = true
			e.mu.Lock()
			l.untapLocked(r)
			e.mu.Unlock()
		}
		now := time.Now()
		block = r.take(block[:0], now)
		if err = sink(block); err == nil && now.Sub(r.begun) > recordLongest {
			err = errTooLong
		}
	}
	e.mu.Lock()
	l.untapLocked(r)
	e.mu.Unlock()
	e.tell(Recorded{Line: l.id, Err: err})
}

func (r *recorder) tapped(out bool, c codec, p packet, now time.Time) {
	s, kind := &r.in, byte(c)
	if out {
		s, kind = &r.out, 0x10|byte(c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paused {
		return
	}
	if len(s.fill)+packetHead+len(p.payload) > recordRoom {
		s.lost++
		return
	}
	s.fill = appendPacket(s.fill, kind, r.at(now), p)
}

// appendPacket appends the entry of a packet.
func appendPacket(b []byte, kind byte, at uint32, p packet) []byte {
	b = binary.BigEndian.AppendUint32(append(b, kind), at)
	b = binary.BigEndian.AppendUint32(b, p.ssrc)
	b = binary.BigEndian.AppendUint32(b, p.ts)
	b = binary.BigEndian.AppendUint16(b, p.seq)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.payload)))
	return append(b, p.payload...)
}

func (r *recorder) at(now time.Time) uint32 { return uint32(max(now.Sub(r.begun), 0) / recordUnit) }

// pause marks both sides under their locks: when it returns, no later packet is kept.
func (r *recorder) pause(on bool, now time.Time) {
	kind := byte(markResumed)
	if on {
		kind = markPaused
	}
	for _, s := range []*tapeSide{&r.in, &r.out} {
		s.mu.Lock()
		if s.paused != on {
			s.paused = on
			if s == &r.in {
				s.fill = mark(s.fill, kind, r.at(now))
			}
		}
		s.mu.Unlock()
	}
}

func mark(b []byte, kind byte, at uint32) []byte {
	return binary.BigEndian.AppendUint32(append(b, kind), at)
}

// take appends a block of what has gathered.
func (r *recorder) take(dst []byte, now time.Time) []byte {
	dst = append(dst, recordVersion, 0, 0, 0, 0)
	at := r.at(now)
	for _, s := range []*tapeSide{&r.in, &r.out} {
		full, lost := s.swap()
		dst = append(dst, full...)
		if lost > 0 {
			dst = binary.BigEndian.AppendUint32(mark(dst, markLost, at), lost)
		}
	}
	dst = mark(dst, markTick, at)
	binary.BigEndian.PutUint32(dst[1:], uint32(len(dst)-blockHead))
	return dst
}

// swap gives what has gathered, good until the next swap.
func (s *tapeSide) swap() (full []byte, lost uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	full, lost = s.fill, s.lost
	s.fill, s.spare, s.lost = s.spare[:0], full, 0
	return full, lost
}
