package media

import (
	"errors"
	"sync"
	"time"
)

// ErrNoReplay says that nothing is kept of a line, or that the page does not hear it just now.
var ErrNoReplay = errors.New("nothing to replay")

// Replaying says that a replay began or ended.
type Replaying struct {
	Line string
	On   bool
}

func (Replaying) mediaEvent() {}

const (
	replaySpan  = 20 * time.Second
	replayPause = time.Second // a longer pause is kept as one of this length
	replayRoom  = 320 << 10   // bytes of payload: 128 kbit/s
	replayMost  = 2048        // packets: of 10 ms each
)

// KeepReplay says whether the last 20 s of every caller are kept in memory, as they came from the network. Off forgets them.
func (e *Engine) KeepReplay(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keep = on
	for _, l := range e.lines {
		l.keepLocked()
	}
}

// keepLocked brings a line's memory in line with what is asked for.
func (l *line) keepLocked() {
	keep := l.e.keep && !l.aside.card
	switch k := l.aside.kept; {
	case keep && k == nil:
		l.aside.kept = &keeper{data: make([]byte, replayRoom), list: make([]kept, replayMost)}
		l.tapLocked(l.aside.kept)
	case !keep && k != nil:
		l.aside.kept = nil
		l.untapLocked(k)
		k.wipe()
		if b := l.e.beside.Load(); b != nil && b.line == l {
			b.forget()
		}
	}
}

// forgetLocked ends what is beside a line that is closed.
func (l *line) forgetLocked() {
	if l.aside.kept != nil {
		l.aside.kept.wipe()
	}
	if l.aside.clip != nil {
		l.aside.clip.pause(true)
	}
	if b := l.e.beside.Load(); b != nil && b.line == l {
		b.end()
	}
}

// Replay plays what is kept of a line into the agent's ear only, with the live call 12 dB down beneath it. It ends by itself, with on
// false, and when the line is held, closed or not in focus any more; Replaying tells its beginning and its end.
func (e *Engine) Replay(id string, on bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lines[id]
	if l == nil {
		return ErrNoLine
	}
	if !on {
		if b := e.beside.Load(); b != nil && b.line == l {
			b.hush()
		}
		return nil
	}
	r := l.route.Load()
	if l.aside.kept == nil || r == nil || !r.hear {
		return ErrNoReplay
	}
	b, p := e.besideLocked(l), l.aside.kept.player()
	if b == nil || p == nil {
		return ErrNoReplay
	}
	b.mu.Lock()
	b.endReplayLocked()
	b.replay = p
	b.mu.Unlock()
	e.beside.Store(b)
	e.tell(Replaying{id, true})
	return nil
}

// endReplayLocked ends a replay; whoever calls holds the mutex of b.
func (b *beside) endReplayLocked() {
	if b.replay != nil {
		b.replay = nil
		b.e.tell(Replaying{b.line.id, false})
	}
}

// hush lets a replay fade.
func (b *beside) hush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.replay != nil {
		b.replay.off = true
	}
}

// forget ends a replay at once.
func (b *beside) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.endReplayLocked()
}

// keeper is the memory of one line: the caller's packets of the last 20 s, in the order in which they came.
type keeper struct {
	mu   sync.Mutex
	off  bool
	data []byte // a ring of payloads, none of which is split
	end  int
	list []kept // a ring
	from int
	n    int
	last time.Time
}

// kept is one packet of it.
type kept struct {
	at    time.Duration // of arrival, with long pauses made short
	codec codec
	seq   uint16
	ssrc  uint32
	place int
	size  int
}

func (k *keeper) tapped(out bool, c codec, p packet, now time.Time) {
	if out || !c.readable() || len(p.payload) > maxPayload {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.off {
		return
	}
	at := time.Duration(0)
	if k.n > 0 {
		at = k.at(k.n-1).at + min(max(now.Sub(k.last), 0), replayPause)
	}
	k.last = now
	place := k.end
	if place+len(p.payload) > len(k.data) {
		place = 0
	}
	for k.n > 0 && (k.n == len(k.list) || at-k.at(0).at > replaySpan || k.at(0).covers(k.end, place+len(p.payload))) {
		k.from, k.n = (k.from+1)%len(k.list), k.n-1
	}
	k.end = place + copy(k.data[place:], p.payload)
	*k.at(k.n) = kept{at, c, p.seq, p.ssrc, place, len(p.payload)}
	k.n++
}

func (k *keeper) at(i int) *kept { return &k.list[(k.from+i)%len(k.list)] }

// covers says that the oldest lies where is to be written next, from the end of the newest to end, which may be around the corner.
func (p *kept) covers(from, end int) bool {
	if end > from {
		return p.place < end && p.place+p.size > from
	}
	return p.place >= from || p.place < end
}

func (k *keeper) wipe() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.off, k.n = true, 0
	clear(k.data)
}

// player gives a copy of what is kept; nil: nothing is.
func (k *keeper) player() *player {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n == 0 {
		return nil
	}
	p := &player{level: fader{full}}
	for i := range k.n {
		one := *k.at(i)
		payload := append([]byte(nil), k.data[one.place:one.place+one.size]...)
		p.list = append(p.list, played{one.at - k.at(0).at, one.codec, packet{seq: one.seq, ssrc: one.ssrc, payload: payload}})
	}
	return p
}

// player plays a memory as the network brought it, losses, reordering and all.
type player struct {
	list  []played
	at    time.Duration
	ear   ear
	level fader
	off   bool // fade and end
	done  bool
}

type played struct {
	at    time.Duration
	codec codec
	packet
}

// take gives the next frame. False: it is over.
func (p *player) take(dst []int16) bool {
	if p.done {
		return false
	}
	for len(p.list) > 0 && p.list[0].at <= p.at {
		p.ear.put(p.list[0].codec, p.list[0].packet)
		p.list = p.list[1:]
	}
	p.at += frameTime * time.Millisecond
	if !p.ear.take(dst) {
		clear(dst)
		p.done = len(p.list) == 0
	}
	if p.off {
		p.level.apply(dst, 0)
		p.done = true
	}
	return true
}
