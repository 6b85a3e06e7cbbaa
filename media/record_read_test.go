package media

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"slices"
	"testing"
	"time"
)

// taping records packets at times of the test's own.
type taping struct {
	*recorder
	begun  time.Time
	blocks bytes.Buffer
	voices map[bool]*writer
	next   time.Duration
}

func newTaping() *taping {
	begun := time.Unix(1000, 0)
	return &taping{recorder: newRecorder(begun), begun: begun, voices: map[bool]*writer{false: {}, true: {}}, next: time.Second}
}

// to lets time pass, with a block every second.
func (t *taping) to(at time.Duration) {
	for ; t.next <= at; t.next += time.Second {
		t.blocks.Write(t.take(nil, t.begun.Add(t.next)))
	}
}

// say records a packet that arrived then.
func (t *taping) say(out bool, c codec, at time.Duration, p packet) {
	t.to(at)
	t.tapped(out, c, p, t.begun.Add(at))
}

// tone is frame n of a tone of 20 ms frames as a packet.
func (t *taping) tone(out bool, c codec, hz, n int) packet {
	pcm := sine((n+1)*mixFrame, float64(hz), mixRate, 8000)[n*mixFrame:]
	return packet{seq: uint16(n), ts: uint32(n) * c.frame(), ssrc: 7, payload: t.voices[out].write(nil, c, pcm)}
}

// played is what was recorded until then, agent and caller.
func (t *taping) played(tb testing.TB, until time.Duration) (agent, caller []int16) {
	tb.Helper()
	t.to(until)
	t.blocks.Write(t.take(nil, t.begun.Add(until)))
	return playBlocks(tb, t.blocks.Bytes())
}

func playBlocks(tb testing.TB, blocks []byte) (agent, caller []int16) {
	tb.Helper()
	length, err := RecordLength(bytes.NewReader(blocks))
	if err != nil {
		tb.Fatal(err)
	}
	err = ReadRecording(bytes.NewReader(blocks), func(stereo []int16) error {
		for i := 0; i < len(stereo); i += 2 {
			agent, caller = append(agent, stereo[i]), append(caller, stereo[i+1])
		}
		return nil
	})
	if err != nil || int64(len(agent)) != length {
		tb.Fatalf("%d samples of %d: %v", len(agent), length, err)
	}
	return agent, caller
}

// sounding is which stretches of 20 ms have sound, as text: x or a dot.
func sounding(pcm []int16) string {
	var text []byte
	for frame := range slices.Chunk(pcm, mixFrame) {
		sum := 0.0
		for _, s := range frame {
			sum += float64(s) * float64(s)
		}
		sign := byte('.')
		if math.Sqrt(sum/float64(len(frame))) > 1500 {
			sign = 'x'
		}
		text = append(text, sign)
	}
	return string(text)
}

func times(s string, n int) string { return string(bytes.Repeat([]byte(s), n)) }

func TestEveryPacketIsPutWhereItBelongs(t *testing.T) {
	const frame = 20 * time.Millisecond
	at := func(n int) time.Duration { return time.Duration(n) * frame }
	rows := []struct {
		name string
		say  func(r *taping)
		want string // from the first second on, 50 signs
	}{
		{"as it came", func(r *taping) {
			for n := range 20 {
				r.say(false, g722, time.Second+at(n), r.tone(false, g722, 1000, n))
			}
		}, times("x", 20) + times(".", 30)},
		{"what is lost is silence", func(r *taping) {
			for n := range 20 {
				if p := r.tone(false, pcma, 1000, n); n < 5 || n > 9 {
					r.say(false, pcma, time.Second+at(n), p)
				}
			}
		}, times("x", 5) + times(".", 5) + times("x", 10) + times(".", 30)},
		{"out of order and uneven", func(r *taping) {
			for n := range 10 {
				a, b := r.tone(false, pcmu, 1000, 2*n), r.tone(false, pcmu, 1000, 2*n+1)
				r.say(false, pcmu, time.Second+at(2*n+1), b)
				r.say(false, pcmu, time.Second+at(2*n+1)+time.Millisecond, a)
			}
		}, times("x", 20) + times(".", 30)},
		{"twice", func(r *taping) {
			for n := range 20 {
				p := r.tone(false, pcmu, 1000, n)
				r.say(false, pcmu, time.Second+at(n), p)
				r.say(false, pcmu, time.Second+at(n)+time.Millisecond, p)
			}
		}, times("x", 20) + times(".", 30)},
		{"a stall of the network brings all at once and late", func(r *taping) {
			for n := range 45 {
				r.say(false, pcmu, time.Second+max(at(n), min(at(40), at(n)+700*time.Millisecond)), r.tone(false, pcmu, 1000, n))
			}
		}, times(".", 5) + times(".", 30) + times("x", 15)},
		{"timestamps that stood still", func(r *taping) {
			for n := range 20 {
				p := r.tone(false, pcmu, 1000, n)
				at := at(n)
				if n >= 5 {
					at += 400 * time.Millisecond
				}
				p.ts += 1 << 31 // they wrap too
				r.say(false, pcmu, at, p)
			}
			for n := 20; n < 110; n++ { // behind for longer than a stall lasts
				r.say(false, pcmu, at(n)+400*time.Millisecond, r.tone(false, pcmu, 1000, n))
			}
		}, ""},
		{"another sender and another codec go on at once", func(r *taping) {
			for n := range 10 {
				r.say(false, pcmu, time.Second+at(n), r.tone(false, pcmu, 1000, n))
			}
			for n := range 10 {
				p := r.tone(false, g722, 1000, n)
				p.ssrc, p.ts, p.seq = 99, p.ts+77777777, p.seq+400
				r.say(false, g722, time.Second+at(n+10), p)
			}
		}, times("x", 20) + times(".", 30)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := newTaping()
			row.say(r)
			_, caller := r.played(t, 3*time.Second)
			if len(caller) != 3*mixRate {
				t.Fatalf("%d samples", len(caller))
			}
			got := sounding(caller)
			if row.want != "" && got[50:100] != row.want {
				t.Errorf("sound  %s\nwanted %s", got[50:100], row.want)
			}
			if row.want == "" && got[100:120] != times("x", 20) { // in step again by then
				t.Errorf("sound %s", got)
			}
		})
	}
}

func TestHoldAndSilenceKeepTheirLength(t *testing.T) {
	r := newTaping()
	for n := range 10 {
		r.say(true, pcmu, time.Duration(n)*20*time.Millisecond, r.tone(true, pcmu, 700, n))
	}
	for n := range 10 {
		r.say(true, pcmu, 20*time.Second+time.Duration(n)*20*time.Millisecond, r.tone(true, pcmu, 700, n+1000))
	}
	agent, caller := r.played(t, 21*time.Second)
	if got := sounding(agent); got != times("x", 10)+times(".", 990)+times("x", 10)+times(".", 40) {
		t.Error(got)
	}
	if got := sounding(caller); got != times(".", 1050) {
		t.Error(got)
	}
}

func TestACardNumberIsNotRecordedAndItsTimeIsKept(t *testing.T) {
	r := newTaping()
	for n := range 150 {
		at := time.Duration(n) * 20 * time.Millisecond
		switch n {
		case 50:
			r.pause(true, r.begun.Add(at))
			r.pause(true, r.begun.Add(at))
		case 100:
			r.pause(false, r.begun.Add(at))
		}
		hz := 1000
		if n >= 50 && n < 100 {
			hz = 1750 // the card number
		}
		r.say(false, g722, at, r.tone(false, g722, hz, n))
		r.say(true, pcmu, at, r.tone(true, pcmu, hz, n))
	}
	agent, caller := r.played(t, 3*time.Second)
	for who, pcm := range map[string][]int16{"agent": agent, "caller": caller} {
		if got := sounding(pcm); got != times("x", 50)+times(".", 50)+times("x", 50) {
			t.Errorf("%s: %s", who, got)
		}
		if card, voice := strength(pcm, 1750, mixRate), strength(pcm, 1000, mixRate); card > voice/200 {
			t.Errorf("%s: the card number is heard: %.1f beside %.1f", who, card, voice)
		}
	}
}

func TestOpusIsRecordedAsItPassed(t *testing.T) {
	ogg, err := os.ReadFile("testdata/tone-600.opus")
	if err != nil {
		t.Fatal(err)
	}
	r := newTaping()
	for n, p := range opusPackets(t, ogg) {
		if n < 40 {
			r.say(false, opus, time.Duration(n)*20*time.Millisecond, packet{ssrc: 1, seq: uint16(n), ts: uint32(n) * opus.frame(), payload: p})
		}
	}
	_, caller := r.played(t, time.Second)
	if s := strength(caller[mixRate/4:mixRate/2], 600, mixRate); s < 1000 {
		t.Fatalf("600 Hz at %.0f", s)
	}
}

func TestASlowDiskLosesTheRestAndSaysSo(t *testing.T) {
	r := newTaping()
	payload := bytes.Repeat([]byte{0x55}, 1000)
	for n := range 200 {
		r.tapped(false, opus, packet{seq: uint16(n), payload: payload}, r.begun)
	}
	block := r.take(nil, r.begun.Add(time.Second))
	b := blocks{in: bufio.NewReader(bytes.NewReader(block))}
	list, err := b.next()
	if err != nil {
		t.Fatal(err)
	}
	if kept := len(list) - 2; kept != recordRoom/(packetHead+1000) || list[kept].kind != markLost {
		t.Fatalf("%d kept, then %#x", kept, list[kept].kind)
	}
	if again := r.take(nil, r.begun.Add(2*time.Second)); len(again) != blockHead+markHead {
		t.Fatalf("%d bytes of nothing", len(again))
	}
}

func TestRecordingAPacketMakesNoGarbage(t *testing.T) {
	r := newRecorder(time.Now())
	p := packet{payload: make([]byte, 160)}
	now := time.Now()
	if n := testing.AllocsPerRun(2000, func() { r.tapped(false, pcmu, p, now); r.tapped(true, pcmu, p, now) }); n != 0 {
		t.Fatalf("%.1f allocations", n)
	}
}

func BenchmarkRecordPacket(b *testing.B) {
	r := newRecorder(time.Now())
	p, now := packet{payload: make([]byte, 160)}, time.Now()
	var block []byte
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%100 == 0 {
			block = r.take(block[:0], now)
		}
		r.tapped(false, pcmu, p, now)
	}
}

// BenchmarkReadRecording reads a minute of a call in G.722.
func BenchmarkReadRecording(b *testing.B) {
	r := newTaping()
	for n := range 3000 {
		at := time.Duration(n) * 20 * time.Millisecond
		r.say(false, g722, at, packet{seq: uint16(n), ts: uint32(n) * 160, payload: make([]byte, 160)})
		r.say(true, g722, at, packet{seq: uint16(n), ts: uint32(n) * 160, payload: make([]byte, 160)})
	}
	r.to(time.Minute)
	for b.Loop() {
		if err := ReadRecording(bytes.NewReader(r.blocks.Bytes()), func([]int16) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func TestAWAVFileIsAsLongAsItSays(t *testing.T) {
	r := newTaping()
	r.say(true, pcmu, 0, r.tone(true, pcmu, 700, 0))
	r.to(2 * time.Second)
	length, err := RecordLength(bytes.NewReader(r.blocks.Bytes()))
	if err != nil || length != 2*mixRate {
		t.Fatal(length, err)
	}
	var file bytes.Buffer
	if err := WriteWAV(&file, bytes.NewReader(r.blocks.Bytes()), length); err != nil {
		t.Fatal(err)
	}
	if int64(file.Len()) != WAVHead+4*length || !bytes.HasPrefix(file.Bytes(), []byte("RIFF")) || string(file.Bytes()[36:40]) != "data" {
		t.Fatalf("%d bytes: %q", file.Len(), file.Bytes()[:WAVHead])
	}
}

func TestWhatIsNoRecordingIsAnError(t *testing.T) {
	r := newTaping()
	r.say(true, pcmu, 0, r.tone(true, pcmu, 700, 0))
	r.to(time.Second)
	good := r.blocks.Bytes()
	for name, bad := range map[string][]byte{
		"another version": append([]byte{9}, good[1:]...),
		"half a block":    good[:len(good)-3],
		"a long block":    {1, 0xff, 0xff, 0xff, 0xff},
		"no such entry":   {1, 0, 0, 0, 5, 0x77, 0, 0, 0, 0},
		"no such codec":   append([]byte{1, 0, 0, 0, packetHead, 0x0f}, make([]byte, packetHead-1)...),
		"a payload's end": append([]byte{1, 0, 0, 0, packetHead, 0x03}, bytes.Repeat([]byte{0, 9}, packetHead/2)...),
		"weeks of it":     {1, 0, 0, 0, 5, markTick, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := RecordLength(bytes.NewReader(bad)); !errors.Is(err, ErrRecording) {
			t.Errorf("%s: %v", name, err)
		}
		if err := ReadRecording(bytes.NewReader(bad), func([]int16) error { return nil }); !errors.Is(err, ErrRecording) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ReadRecording(bytes.NewReader(good), func([]int16) error { return io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func FuzzReadRecording(f *testing.F) {
	r := newTaping()
	for n := range 60 {
		at := time.Duration(n) * 20 * time.Millisecond
		r.say(false, g722, at, r.tone(false, g722, 500, n))
		r.say(true, pcma, at, r.tone(true, pcma, 500, n))
	}
	r.to(time.Second)
	f.Add(r.blocks.Bytes())
	f.Add([]byte{1, 0, 0, 0, 5, markTick, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		length, err := RecordLength(bytes.NewReader(data))
		if err != nil || length > 10*mixRate {
			return
		}
		got := int64(0)
		err = ReadRecording(bytes.NewReader(data), func(stereo []int16) error { got += int64(len(stereo) / 2); return nil })
		if err != nil || got != length {
			t.Fatalf("%d samples of %d: %v", got, length, err)
		}
	})
}
