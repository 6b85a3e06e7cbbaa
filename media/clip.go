package media

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"
)

// ErrNoClip says that nothing is kept of what was said on a line lately.
var ErrNoClip = errors.New("nothing of it is kept")

const clipSpan = 30 // seconds

// KeepClip says whether the last 30 s of both sides of every line are kept in memory, as they passed. Off forgets them.
func (e *Engine) KeepClip(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clips = on
	for _, l := range e.lines {
		l.clipLocked()
	}
	e.pauseRecordsLocked()
}

// Clip is that of a line, as blocks of a recording (see Record). Nothing that was said while a card number was is in it.
func (e *Engine) Clip(id string) ([][]byte, error) {
	e.mu.Lock()
	l := e.lines[id]
	var k *clip
	if l != nil {
		k = l.aside.clip
	}
	e.mu.Unlock()
	switch {
	case l == nil:
		return nil, ErrNoLine
	case k == nil:
		return nil, ErrNoClip
	}
	return k.blocks(time.Now())
}

// clipLocked brings a line in line with what is to be kept.
func (l *line) clipLocked() {
	switch k := l.aside.clip; {
	case l.e.clips && k == nil:
		l.aside.clip = &clip{begun: time.Now()}
		l.tapLocked(l.aside.clip)
	case !l.e.clips && k != nil:
		l.aside.clip = nil
		l.untapLocked(k)
		k.pause(true)
	}
}

// clip keeps what passes on a line, a second at a time: as the entries of a block each, with times since it was begun.
type clip struct {
	begun time.Time

	mu      sync.Mutex
	paused  bool
	seconds [clipSpan + 1]second // second n lies at n modulo their number
}

// second is what passed in one.
type second struct {
	n       int
	in, out []byte
}

func (k *clip) tapped(out bool, c codec, p packet, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := max(now.Sub(k.begun), 0)
	n := int(at / time.Second)
	s := &k.seconds[n%len(k.seconds)]
	if s.n != n {
		s.n, s.in, s.out = n, s.in[:0], s.out[:0]
	}
	side, kind := &s.in, byte(c)
	if out {
		side, kind = &s.out, 0x10|byte(c)
	}
	if k.paused || len(*side)+packetHead+len(p.payload) > recordRoom {
		return
	}
	*side = appendPacket(*side, kind, uint32(at/recordUnit), p)
}

// pause forgets all and keeps nothing, until it is over.
func (k *clip) pause(on bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.paused = on; !on {
		return
	}
	for i := range k.seconds {
		s := &k.seconds[i]
		clear(s.in[:cap(s.in)])
		clear(s.out[:cap(s.out)])
		s.in, s.out = nil, nil
	}
}

// blocks are those of the last seconds, with times since the first of them.
func (k *clip) blocks(now time.Time) (list [][]byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := int(max(now.Sub(k.begun), 0) / time.Second)
	first := max(0, last-clipSpan)
	since := uint32(first) * uint32(time.Second/recordUnit)
	some := false
	for n := first; n <= last; n++ {
		block := []byte{recordVersion, 0, 0, 0, 0}
		if s := k.seconds[n%len(k.seconds)]; s.n == n {
			block = append(append(block, s.in...), s.out...)
		}
		for rest := block[blockHead:]; len(rest) > 0; {
			e, size := readEntry(rest)
			if size == 0 {
				return nil, ErrRecording
			}
			binary.BigEndian.PutUint32(rest[1:], e.at-since)
			rest, some = rest[size:], true
		}
		end := min(now.Sub(k.begun), time.Duration(n+1)*time.Second)
		block = mark(block, markTick, uint32(max(end, 0)/recordUnit)-since)
		binary.BigEndian.PutUint32(block[1:], uint32(len(block)-blockHead))
		list = append(list, block)
	}
	if !some {
		return nil, ErrNoClip
	}
	return list, nil
}
