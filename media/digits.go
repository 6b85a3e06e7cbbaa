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

// Digits sends DTMF (RFC 4733): 0-9 * # A-D. It returns at once; the keys take 180 ms each.
func (e *Engine) Digits(id, text string) error {
	l := e.line(id)
	if l == nil {
		return ErrNoLine
	}
	r := l.route.Load()
	if r == nil || r.digit == 0 {
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
	if len(l.press.row)+len(row) > maxKeys {
		return ErrNoDigits
	}
	l.press.row = append(l.press.row, row...)
	return nil
}

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
	p := l.out.digit(r.codec, k.body[:], k.step == 1 && end == 0, now)
	p.pt = r.digit
	l.sendLocked(p)
}

// pressed tells of a received key, once: all packets of one press share their timestamp.
func (l *line) pressed(p packet) {
	if len(p.payload) < 4 || int(p.payload[0]) >= len(keys) || l.in.pressed && l.in.pressTS == p.ts {
		return
	}
	l.in.pressed, l.in.pressTS = true, p.ts
	l.e.tell(Digit{Line: l.id, Digit: keys[p.payload[0] : p.payload[0]+1]})
}
