package media

import (
	"encoding/binary"
	"strings"
	"time"
)

// RFC 4733 telephone-events: the keys in the order of their codes (§3.2).
const keys = "0123456789*#ABCD"

const (
	keyDown   = 100 // milliseconds a key is down, in packets as long as those of the voice
	keyEnds   = 3   // the last is sent three times (§2.5.1.4)
	keyPause  = 80  // milliseconds between two keys
	keyVolume = 10  // -dBm0
	keyEnd    = 0x80
	maxKeys   = 64 // waiting
)

// press is a row of keys being sent.
type press struct {
	row   []byte // codes; the first is the one under way
	step  int    // packets of it sent
	pause int    // frames still to wait
	body  [4]byte
}

// sounding says that a key is down: audio is held back meanwhile.
func (k *press) sounding() bool { return len(k.row) > 0 && k.pause == 0 }

// Digits sends DTMF: 0-9 * # A-D, as telephone-events (RFC 4733), or where none were agreed and the configuration says InBand as
// tones. It returns at once; the keys take 180 ms each.
func (e *Engine) Digits(id, text string) error {
	l := e.line(id)
	if l == nil {
		return ErrNoLine
	}
	r := l.route.Load()
	spoken := r != nil && r.digit == 0 && e.inBand.Load() && r.codec.isG711()
	if r == nil || r.digit == 0 && !spoken {
		return ErrNoDigits
	}
	row := make([]byte, 0, len(text))
	for _, key := range strings.ToUpper(text) {
		code := strings.IndexRune(keys, key)
		if code < 0 {
			return ErrNoDigits
		}
		row = append(row, byte(code))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.turnLocked()
	if spoken {
		return l.spellLocked(row)
	}
	if len(l.press.row)+len(row) > maxKeys {
		return ErrNoDigits
	}
	l.press.row = append(l.press.row, row...)
	return nil
}

// InBand changes Config.InBand: for keys at once, for the ear with the next line.
func (e *Engine) InBand(on bool) { e.inBand.Store(on) }

// pressLocked sends the next packet of a key; false: no key is down.
func (l *line) pressLocked(r *route, now time.Time) bool {
	k := &l.press
	if k.pause > 0 {
		k.pause--
		return false
	}
	if len(k.row) == 0 || r.digit == 0 {
		k.row = nil
		return false
	}
	if k.step < max(keyDown/r.frame, 2) {
		l.keyLocked(r, now, 0)
		return true
	}
	for range keyEnds {
		l.keyLocked(r, now, keyEnd)
	}
	k.row, k.step, k.pause = k.row[1:], 0, (keyPause+r.frame-1)/r.frame
	return true
}

func (l *line) keyLocked(r *route, now time.Time, end byte) {
	k := &l.press
	if end == 0 {
		k.step++
	}
	k.body[0], k.body[1] = k.row[0], end|keyVolume
	binary.BigEndian.PutUint16(k.body[2:], uint16(uint32(k.step)*r.hz/1000*uint32(r.frame)))
	l.gate.enter()
	p := l.out.digit(r.codec, k.body[:], k.step == 1 && end == 0, now)
	p.pt = r.digit
	n, ok := r.pack(p, l.own[:])
	l.gate.leave()
	if ok {
		l.writeLocked(l.own[:n])
	}
}

// pressed tells of a received key, once.
func (l *line) pressed(p packet) {
	if key, ok := l.in.keys.take(p); ok {
		l.e.tell(Digit{Line: l.id, Digit: keys[key : key+1]})
	}
}

// keyLog knows which packets are of the same press. All of one share its timestamp (RFC 4733 §2.5.1.2), so that it does not matter
// which of them are lost, come twice or in another order. A key that is down longer than its duration can say goes on with a new
// timestamp (§2.5.1.3), as it does with senders that move the timestamp along; a press that follows another leaves a pause.
type keyLog struct {
	begun    bool
	ssrc, ts uint32
	key      byte
	ended    bool
	duration uint32
}

const keySlack = 160 // of the clock at 8 kHz: a packet

// take says which key a packet has newly pressed.
func (k *keyLog) take(p packet) (key byte, ok bool) {
	if len(p.payload) < 4 || int(p.payload[0]) >= len(keys) {
		return 0, false
	}
	key, end, duration := p.payload[0], p.payload[1]&keyEnd != 0, uint32(binary.BigEndian.Uint16(p.payload[2:]))
	later := p.ts - k.ts
	switch {
	case !k.begun || k.ssrc != p.ssrc:
		ok = true
	case later == 0:
		k.ended, k.duration = k.ended || end, max(k.duration, duration)
		return 0, false
	case int32(later) < 0:
		return 0, false // of an earlier press
	case k.ended || key != k.key || p.marker || later > k.duration+keySlack:
		ok = true
	}
	*k = keyLog{true, p.ssrc, p.ts, key, end, duration}
	return key, ok
}
