package media

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// event is a packet of a telephone-event.
func event(ts uint32, key byte, end bool, duration uint16) packet {
	p := packet{ssrc: 1, ts: ts, payload: []byte{key, 10, byte(duration >> 8), byte(duration)}}
	if end {
		p.payload[1] |= keyEnd
	}
	return p
}

func marked(p packet) packet { p.marker = true; return p }

func TestReceivedKeysAreToldOnce(t *testing.T) {
	rows := []struct {
		name    string
		packets []packet
		told    string
	}{
		{"as it should be", []packet{marked(event(100, 5, false, 160)), event(100, 5, false, 320), event(100, 5, true, 480), event(100, 5, true, 480), event(100, 5, true, 480)}, "5"},
		{"the start is lost", []packet{event(100, 5, false, 320), event(100, 5, true, 480)}, "5"},
		{"only an end came", []packet{event(100, 5, true, 480)}, "5"},
		{"only the start came", []packet{marked(event(100, 5, false, 160)), marked(event(2000, 6, false, 160))}, "56"},
		{"the same key, all ends and starts lost", []packet{event(100, 5, false, 320), event(1300, 5, false, 320)}, "55"},
		{"the same key, the start lost", []packet{event(100, 5, false, 320), event(100, 5, true, 480), event(900, 5, false, 320)}, "55"},
		{"ends of the last key come late", []packet{event(100, 5, true, 480), event(1300, 6, false, 160), event(100, 5, true, 480), event(1300, 6, true, 320)}, "56"},
		{"down for half a minute", []packet{marked(event(100, 1, false, 160)), event(100, 1, false, 65535), event(65635, 1, false, 160), event(65635, 1, false, 65535),
			event(131170, 1, false, 100), event(131170, 1, true, 4000)}, "1"},
		{"the timestamp moves along", []packet{marked(event(100, 9, false, 160)), event(260, 9, false, 320), event(420, 9, false, 480), event(580, 9, true, 640), event(580, 9, true, 640)}, "9"},
		{"the timestamp wraps", []packet{event(0xffffff00, 3, true, 480), event(0x100, 4, true, 480), event(0xffffff00, 3, true, 480)}, "34"},
		{"another source", []packet{event(5000, 3, true, 480), {ssrc: 2, ts: 10, payload: []byte{3, 0x8a, 1, 0}}}, "33"},
		{"flash, and rubbish", []packet{event(100, 16, true, 480), {ssrc: 1, ts: 9, payload: []byte{1, 2}}, event(700, 15, true, 480)}, "D"},
	}
	for _, row := range rows {
		var k keyLog
		told := ""
		for _, p := range row.packets {
			if key, ok := k.take(p); ok {
				told += string(keys[key])
			}
		}
		if told != row.told {
			t.Errorf("%s: %q, want %q", row.name, told, row.told)
		}
	}
}

// found are the keys in a sound.
func found(pcm []int16) string {
	var f keyFinder
	var b strings.Builder
	f.hear(pcm, func(key byte) { b.WriteByte(key) })
	return b.String()
}

// tones are two tones of that many samples between silence.
func tones(low, high, lowSize, highSize float64, before, length int) []int16 {
	pcm := make([]int16, before+length+400)
	for i := range length {
		turn := 2 * math.Pi * float64(i) / 8000
		pcm[before+i] = int16(lowSize*math.Sin(turn*low) + highSize*math.Sin(turn*high))
	}
	return pcm
}

func TestKeysAreFoundWithinTheLimitsOfQ24(t *testing.T) {
	Computes(t)
	for row, low := range toneRows {
		for column, high := range toneColumns {
			key := string(keypad[row*4+column])
			for _, x := range []struct {
				name       string
				low, high  float64 // in parts of the right ones
				lows, tops float64 // peaks
				ms         int
				found      bool
			}{
				{"plain", 1, 1, 8000, 8000, 60, true},
				{"shortest", 1, 1, 8000, 8000, 40, true},
				{"too short", 1, 1, 8000, 8000, 23, false},
				{"1.5 % high", 1.015, 1.015, 8000, 8000, 60, true},
				{"1.5 % apart", 0.985, 1.015, 8000, 8000, 60, true},
				{"3.5 % off", 1.035, 1, 8000, 8000, 60, false},
				{"upper 3.5 % off", 1, 0.965, 8000, 8000, 60, false},
				{"quiet", 1, 1, 600, 600, 60, true},
				{"too quiet", 1, 1, 60, 60, 60, false},
				{"lower 7 dB louder", 1, 1, 8950, 4000, 60, true},
				{"upper 3.5 dB louder", 1, 1, 4000, 5980, 60, true},
				{"lower 12 dB louder", 1, 1, 16000, 4000, 60, false},
				{"upper 8 dB louder", 1, 1, 4000, 10050, 60, false},
			} {
				for before := 200; before < 280; before += 7 {
					got := found(tones(low*x.low, high*x.high, x.lows, x.tops, before, x.ms*8))
					if x.found && got != key || !x.found && got != "" {
						t.Errorf("%s, %s at %d: %q", key, x.name, before, got)
					}
				}
			}
		}
	}
}

func TestSpeechAndNoiseAreNoKeys(t *testing.T) {
	Computes(t)
	for _, name := range spokenFiles {
		for _, c := range []codec{pcmu, pcma} {
			for _, db := range []float64{0, -12, 5} {
				pcm := louder(spokenFile(t, name), db)
				if got := found(c.decode(nil, c.encode(nil, pcm))); got != "" {
					t.Errorf("%s at %.0f dB in %v has %q", name, db, c, got)
				}
			}
		}
	}
	const n = 8000 * 60
	ring := both(sine(n, 440, 8000, 6000), sine(n, 480, 8000, 6000))
	for name, pcm := range map[string][]int16{"noise": pink(n, -20), "others": babble(t, n, -25), "keyboard": typing(n, 9, 12000, 2),
		"ringing": ring, "tone": sine(n, 697, 8000, 9000), "consent tone": sine(n, 1400, 8000, 9000)} {
		if got := found(pcm); got != "" {
			t.Errorf("%s has %q", name, got)
		}
	}
}

func TestKeysAreFoundInNoiseAndBesideEachOther(t *testing.T) {
	Computes(t)
	d := &dial{}
	text := "0123456789*#ABCDDCBA#*98765432100"
	for i := range text {
		d.row = append(d.row, byte(strings.IndexByte(keys, text[i])))
	}
	var pcm []int16
	for frame := make([]int16, 160); d.Next(frame); {
		pcm = append(pcm, frame...)
	}
	for name, sound := range map[string][]int16{"clean": pcm, "quiet": louder(pcm, -20), "in noise": both(pcm, pink(len(pcm), -35)), "in A-law": pcma.decode(nil, pcma.encode(nil, pcm))} {
		if got := found(sound); got != text {
			t.Errorf("%s: %q", name, got)
		}
	}
	if level := loudness(pcm[8:792]) + 3.17 + 3.01; level < -7 || level > -4 { // both together; dBm0 of a full sine is 3.17
		t.Errorf("a key is %.1f dBm0 loud", level)
	}
}

func TestKeysGoAsTonesWhereNoEventsWereAgreed(t *testing.T) {
	for _, c := range []codec{pcmu, pcma} {
		a, told := &told{}, &told{}
		near := startedInBand(t, a, c)
		far := startedInBand(t, told, c)
		offer, err := near.OpenLine("x", local, Security{})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := far.AnswerLine("x", local, withoutEvents(offer), Security{})
		if err != nil {
			t.Fatal(err)
		}
		if err := near.SetAnswer("x", withoutEvents(answer)); err != nil {
			t.Fatal(err)
		}
		if err := near.Digits("x", "1*9D"); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"1", "*", "9", "D"} {
			told.wait(t, Digit{"x", key})
		}
		if a.has(Played{"x"}) {
			t.Error("keys are told as an announcement")
		}
	}
}

// startedInBand is a running engine that knows keys as tones.
func startedInBand(t *testing.T, told *told, c codec) *Engine {
	t.Helper()
	e, err := New(Config{InBand: true, Codecs: []string{c.String()}, Tell: told.tell})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

// wait waits for an event.
func (w *told) wait(t *testing.T, ev Event) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !w.has(ev); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not told: %v", ev)
		}
	}
}

// withoutEvents is a description of somebody who knows no telephone-events.
func withoutEvents(sdp string) string {
	var kept []string
	for _, line := range strings.Split(sdp, "\r\n") {
		if strings.Contains(line, "telephone-event") || strings.HasPrefix(line, "a=fmtp:101") {
			continue
		}
		if strings.HasPrefix(line, "m=audio") {
			line = strings.TrimSuffix(line, " 101")
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\r\n")
}

func FuzzKeyFinder(f *testing.F) {
	f.Add(uint64(1), []byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, seed uint64, cuts []byte) {
		noise := rand.New(rand.NewPCG(seed, 1))
		pcm := make([]int16, 4000)
		for i := range pcm {
			pcm[i] = int16(noise.Uint32())
		}
		whole, parts, rest := "", keyFinder{}, pcm
		new(keyFinder).hear(pcm, func(key byte) { whole += string(key) })
		got := ""
		for i := 0; len(rest) > 0; i++ {
			n := len(rest)
			if i < len(cuts) {
				n = min(n, int(cuts[i]))
			}
			parts.hear(rest[:n], func(key byte) { got += string(key) })
			rest = rest[n:]
		}
		if got != whole {
			t.Fatalf("in parts %q, whole %q", got, whole)
		}
	})
}
