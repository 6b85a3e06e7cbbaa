package media

import (
	"math"
	"time"
)

// DTMF as sound (ITU-T Q.23, Q.24), for far sides that know no telephone-events: sent and heard on lines with G.711 only, since other
// codecs bend tones.

// toneRows and toneColumns are the frequencies of a keypad, in Hz.
var (
	toneRows    = [4]float64{697, 770, 852, 941}
	toneColumns = [4]float64{1209, 1336, 1477, 1633}
)

// keypad gives the key for row and column.
const keypad = "123A456B789C*0#D"

const (
	keyLow  = 8103  // peak of the lower tone: -9 dBm0, where a full sine is +3.17 dBm0
	keyHigh = 10201 // of the upper: -7 dBm0, for lines lose more of it
	keyEdge = 16    // samples of fading in and out: 2 ms
)

// dial speaks keys: each 100 ms of its tones, then 80 ms of silence.
type dial struct {
	row []byte // indexes into keys
	at  int    // samples of the first
}

// Next is 20 ms of it.
func (d *dial) Next(frame []int16) bool {
	if len(d.row) == 0 {
		return false
	}
	const on, all = keyDown * 8, (keyDown + keyPause) * 8
	for i := range frame {
		if frame[i] = 0; len(d.row) == 0 {
			continue
		}
		if d.at < on {
			frame[i] = keyTone(d.row[0], d.at, on)
		}
		if d.at++; d.at == all {
			d.row, d.at = d.row[1:], 0
		}
	}
	return true
}

// keyTone is sample at, of so many, of a key.
func keyTone(key byte, at, of int) int16 {
	place := 0
	for i := range keypad {
		if keypad[i] == keys[key] {
			place = i
		}
	}
	turn := 2 * math.Pi * float64(at) / 8000
	edge := float64(min(at+1, of-at, keyEdge)) / keyEdge
	return int16(edge * (keyLow*math.Sin(turn*toneRows[place/4]) + keyHigh*math.Sin(turn*toneColumns[place%4])))
}

// spellLocked lets the line speak keys in place of the agent; whoever calls holds the mutex of l. Something else that the line
// speaks comes first.
func (l *line) spellLocked(row []byte) error {
	d, dialling := l.source.(*dial)
	switch {
	case l.source != nil && !dialling:
		return ErrNoDigits
	case !dialling:
		d = &dial{}
	}
	if len(d.row)+len(row) > maxKeys {
		return ErrNoDigits
	}
	d.row = append(d.row, row...)
	l.source = d
	return nil
}

// keyEar finds keys in the sound that comes in, where no telephone-events were agreed. Every 5 ms it looks at the last 20; a key is
// told when four looks in a row find the same two tones equally loud: 40 ms of it always do, 23 ms never.
type keyEar struct {
	line *line
	find keyFinder
	pcm  []int16
}

func (k *keyEar) tapped(out bool, c codec, p packet, _ time.Time) {
	r := k.line.route.Load()
	if out || !c.isG711() || r == nil || r.digit != 0 {
		return
	}
	k.pcm = c.decode(k.pcm, p.payload)
	k.find.hear(k.pcm, func(key byte) { k.line.e.tell(Digit{Line: k.line.id, Digit: string(key)}) })
}

type keyFinder struct {
	window [keyWindow]int16
	fresh  int  // samples since the last look
	key    byte // that the last looks found; 0: none
	looks  int
	level  float64 // of the first of them
	told   bool
	missed int // looks without it since
}

const (
	keyWindow = 160
	keyHop    = 40
	keyLooks  = 4
	keyQuiet  = 6       // looks that end a key
	keyShare  = 0.75    // of all energy is in the two tones
	keyLeast  = 3.2e4   // mean square of a tone: -36 dBm0
	keyTwist  = 6.3     // the lower may be 8 dB louder
	keyTwistR = 1 / 2.6 // or 4 dB quieter than the upper
	keyClear  = 4.0     // 6 dB above any other tone of its group
	keyEven   = 2.0     // 3 dB between looks
)

// hear takes sound at 8 kHz and tells every key once.
func (f *keyFinder) hear(pcm []int16, tell func(key byte)) {
	for len(pcm) > 0 {
		n := min(keyHop-f.fresh, len(pcm))
		copy(f.window[:], f.window[n:])
		copy(f.window[keyWindow-n:], pcm[:n])
		pcm, f.fresh = pcm[n:], f.fresh+n
		if f.fresh == keyHop {
			f.fresh = 0
			f.look(tell)
		}
	}
}

func (f *keyFinder) look(tell func(key byte)) {
	key, level := keyIn(&f.window)
	even := level < f.level*keyEven && level > f.level/keyEven
	switch {
	case key != 0 && key == f.key && (even || f.told):
		f.looks, f.missed = f.looks+1, 0
	case f.told && f.missed < keyQuiet:
		f.missed++
		return
	default:
		f.key, f.level, f.looks, f.told, f.missed = key, level, 1, false, 0
	}
	if f.key != 0 && f.looks >= keyLooks && !f.told {
		f.told = true
		tell(f.key)
	}
}

// keyIn is the key whose tones fill the window, 0 for none, and how loud it is.
func keyIn(window *[keyWindow]int16) (byte, float64) {
	total := 0.0
	for _, s := range window {
		total += float64(s) * float64(s)
	}
	if total /= keyWindow; total < 2*keyLeast {
		return 0, 0
	}
	row, column := strongest(window, &toneRows), strongest(window, &toneColumns)
	if row < 0 || column < 0 {
		return 0, 0
	}
	low, high := tuned(window, toneRows[row]), tuned(window, toneColumns[column])
	if low < keyLeast || high < keyLeast || low+high < keyShare*total || low > keyTwist*high || low < keyTwistR*high {
		return 0, 0
	}
	return keypad[row*4+column], low + high
}

// strongest is the one tone of a group that stands out; -1: none does.
func strongest(window *[keyWindow]int16, group *[4]float64) int {
	at, best, second := -1, 0.0, 0.0
	for i, hz := range group {
		switch p := goertzel(window, hz); {
		case p > best:
			at, best, second = i, p, best
		case p > second:
			second = p
		}
	}
	if best < keyClear*second {
		return -1
	}
	return at
}

// tuned is the mean square of a tone that may be 1.5 % off; zero: it is 3.5 % off or more.
func tuned(window *[keyWindow]int16, hz float64) float64 {
	best := max(goertzel(window, hz), goertzel(window, hz*0.985), goertzel(window, hz*1.015))
	if goertzel(window, hz*0.95) > best || goertzel(window, hz*1.05) > best {
		return 0
	}
	return best
}

// goertzel is the mean square of the part of a window that is a tone.
func goertzel(window *[keyWindow]int16, hz float64) float64 {
	c := 2 * math.Cos(2*math.Pi*hz/8000)
	var a, b float64
	for _, s := range window {
		a, b = float64(s)+c*a-b, a
	}
	return 2 * (a*a + b*b - c*a*b) / keyWindow / keyWindow
}
