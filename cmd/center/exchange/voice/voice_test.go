package voice

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/media"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// line is a studio with one caller, who hears it with an engine of its own.
type line struct {
	*Studio
	t      *testing.T
	caller *media.Engine

	mu    sync.Mutex
	heard []int16
}

func newLine(t *testing.T, music string) *line {
	t.Helper()
	s, err := New(Config{Music: music, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{Studio: s, t: t}
	if l.caller, err = media.New(media.Config{Codecs: []string{"PCMU"}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var both sync.WaitGroup
	both.Go(func() { s.Run(ctx) })
	both.Go(func() { l.caller.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		both.Wait()
	})
	here := netip.MustParseAddr("127.0.0.1")
	offer, err := l.caller.OpenLine("c", here, media.Security{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := s.Answer("c", here, offer, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.caller.SetAnswer("c", answer); err != nil {
		t.Fatal(err)
	}
	l.caller.Listen("c", func(pcm []int16) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.heard = append(l.heard, pcm...)
	})
	return l
}

// last waits until the caller has heard so many samples from now on, and gives them.
func (l *line) last(n int) []int16 {
	l.t.Helper()
	l.mu.Lock()
	from := len(l.heard)
	l.mu.Unlock()
	for end := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		l.mu.Lock()
		if len(l.heard) >= from+n {
			defer l.mu.Unlock()
			return append([]int16(nil), l.heard[from:from+n]...)
		}
		l.mu.Unlock()
		if time.Now().After(end) {
			l.t.Fatal("the caller hears too little")
		}
	}
}

func loud(pcm []int16) float64 {
	sum := 0.0
	for _, v := range pcm {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(pcm)+1))
}

// like is how much b sounds like a, from 0 to 1, at the best of all shifts.
func like(a, b []int16) (best float64) {
	for shift := 0; shift+len(b) <= len(a); shift++ {
		var ab, aa, bb float64
		for i, v := range b {
			ab += float64(a[shift+i]) * float64(v)
			aa += float64(a[shift+i]) * float64(a[shift+i])
			bb += float64(v) * float64(v)
		}
		best = max(best, ab/math.Sqrt(aa*bb+1))
	}
	return best
}

func TestTheCallerHearsMusicAndItsPlace(t *testing.T) {
	l := newLine(t, "")
	l.Music("c", "7000")
	if got := loud(l.last(4000)); got < 300 || got > 8000 {
		t.Fatalf("the music has %0.f", got)
	}
	for _, language := range []string{"ja", "en"} {
		want := l.words()[language+"-3"]
		l.Place("c", 3, language)
		heard := l.last(len(l.words().place(3, language)) + rate)
		if got := like(heard, want[rate/10:rate/4]); got < 0.95 {
			t.Errorf("%s: the place is not heard (%.2f)", language, got)
		}
		if got := loud(heard[len(heard)-rate/4:]); got < 100 {
			t.Errorf("%s: no music after it", language)
		}
	}
	l.Close("c")
	l.Place("c", 1, "ja") // is gone
	l.Music("c", "7000")
	if _, err := l.Answer("d", netip.MustParseAddr("127.0.0.1"), "v=0\r\nm=audio 4000 RTP/AVP 111\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:111 opus/48000/2\r\n", false); !errors.Is(err, ErrUnheard) {
		t.Error(err)
	}
}

func TestAllWordsAreThere(t *testing.T) {
	w := loadWords()
	for _, language := range []string{"ja", "en"} {
		if len(w.sentence(language, "message")) < 3*rate {
			t.Errorf("%s: no words before a message", language)
		}
		for _, text := range []string{closedText, busyText} {
			if got := w.sentence(language, text); len(got) < 3*rate || loud(got) < 300 {
				t.Errorf("%s: %s has %d samples", language, text, len(got))
			}
		}
		for n := 1; n <= spoken+2; n++ {
			if got := w.place(n, language); len(got) < len(w[language+"-place"])+2*pauseFor+rate/3 || loud(got) < 300 {
				t.Errorf("%s: place %d: %d samples", language, n, len(got))
			}
		}
	}
	if len(w.place(1, "fr")) != len(w.place(1, "ja")) {
		t.Error("a language that is not known is no Japanese")
	}
}

func TestTheLoopOfTheMusicHasNoSeamAndNoClip(t *testing.T) {
	pcm := compose()
	if len(pcm) != 16*rate {
		t.Fatal(len(pcm))
	}
	step := 0
	for i := range pcm {
		if pcm[i] > 24000 || pcm[i] < -24000 {
			t.Fatalf("sample %d is %d", i, pcm[i])
		}
		step = max(step, abs(int(pcm[i])-int(pcm[(i+1)%len(pcm)])))
	}
	if seam := abs(int(pcm[len(pcm)-1]) - int(pcm[0])); seam > step/2 {
		t.Errorf("a step of %d at the seam, %d elsewhere", seam, step)
	}
	for i := 0; i < len(pcm); i += rate / 2 {
		if got := loud(pcm[i : i+rate/2]); got < 100 {
			t.Errorf("silence (%0.f) at %d s", got, i/rate)
		}
	}
}

func abs(n int) int { return max(n, -n) }

// wav is a file of a tone.
func wav(hz, channels int, tone float64, seconds float64) []byte {
	body := make([]byte, 2*channels*int(seconds*float64(hz)))
	for i := range len(body) / 2 {
		v := int16(8000 * math.Sin(2*math.Pi*tone*float64(i/channels)/float64(hz)))
		binary.LittleEndian.PutUint16(body[2*i:], uint16(v))
	}
	b := append([]byte("RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00\x01\x00"), byte(channels), 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(hz))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*hz*channels))
	b = append(b, byte(2*channels), 0, 16, 0)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	return append(b, body...)
}

func TestAFileOfMusic(t *testing.T) {
	for _, r := range []struct {
		hz, channels int
		tone         float64
		passes       bool
	}{{8000, 1, 1000, true}, {16000, 1, 1000, true}, {44100, 2, 3000, true}, {48000, 1, 300, true}, {48000, 2, 5000, false}, {44100, 1, 7000, false}} {
		pcm, err := parseWAV(wav(r.hz, r.channels, r.tone, 0.5))
		if err != nil || abs(len(pcm)-rate/2) > 1 {
			t.Fatalf("%+v: %d samples, %v", r, len(pcm), err)
		}
		got := loud(pcm[400 : len(pcm)-400])
		if want := 8000 / math.Sqrt2; r.passes && math.Abs(got/want-1) > 0.05 || !r.passes && got > want/100 {
			t.Errorf("%+v: %.0f is left", r, got)
		}
	}
	for name, data := range map[string][]byte{"nothing": nil, "no WAV": []byte("OggS and so on, long enough"), "96 kHz": wav(96000, 1, 500, 0.1),
		"no samples": wav(8000, 1, 500, 0.1)[:60], "a length that lies": append([]byte("RIFF____WAVEfmt \xff\xff\xff\xff"), 1, 2)} {
		if pcm, err := parseWAV(data); err == nil && len(pcm) > 20 {
			t.Errorf("%s is taken for music", name)
		}
	}
}

func FuzzWAV(f *testing.F) {
	f.Add(wav(8000, 1, 500, 0.01))
	f.Add(wav(44100, 2, 500, 0.01))
	f.Add([]byte("RIFF____WAVEdata\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if pcm, err := parseWAV(data); err == nil && len(pcm) > len(data) {
			t.Fatal("more samples than bytes")
		}
	})
}

func TestAQueueHasMusicOfItsOwn(t *testing.T) {
	dir := t.TempDir()
	s := newShelf(dir, slog.New(slog.DiscardHandler))
	ours := len(s.own())
	want := func(queue string, n int) {
		t.Helper()
		if got := len(s.of(queue)); got != n {
			t.Fatalf("%s: %d samples, want %d", queue, got, n)
		}
	}
	put := func(data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "7000.wav"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want("7000", ours)
	put(wav(8000, 1, 500, 0.5))
	want("7000", 4000)
	want("../7000", 4000) // a name is a name
	want("7001", ours)
	put(wav(8000, 1, 500, 0.25)) // replaced while the center runs
	want("7000", 2000)
	put([]byte("no music at all"))
	want("7000", ours)
}

func TestAnEarTellsSpeechFromNoise(t *testing.T) {
	say := func(e *ear, level float64, packets int) {
		for p := range packets {
			pcm := make([]int16, 160)
			for i := range pcm {
				v := level * math.Sin(2*math.Pi*300*float64(i)/rate)
				if p%12 > 8 { // between syllables
					v /= 8
				}
				pcm[i] = int16(v)
			}
			e.hear(pcm)
		}
	}
	noise := func(e *ear, packets int) {
		for range packets {
			pcm := make([]int16, 160)
			for i := range pcm {
				pcm[i] = int16(60 * math.Sin(float64(i*i)))
			}
			e.hear(pcm)
		}
	}
	quiet, soft, normal := &ear{}, &ear{}, &ear{}
	noise(quiet, 500)
	noise(soft, 50)
	say(soft, 600, 100)
	noise(normal, 50)
	say(normal, 6000, 100)
	if quiet.spoken() != 0 || soft.spoken() < time.Second || normal.spoken() < time.Second {
		t.Errorf("noise %v, soft %v, normal %v", quiet.spoken(), soft.spoken(), normal.spoken())
	}
	if begun := time.Now(); !(&ear{begun: begun}).done(begun.Add(firstWord+1)) || (&ear{begun: begun}).done(begun.Add(firstWord-1)) ||
		!(&ear{begun: begun, last: begun.Add(messageMost)}).done(begun.Add(messageMost+1)) ||
		!(&ear{begun: begun, last: begun.Add(time.Second)}).done(begun.Add(time.Second+lastWord+1)) {
		t.Error("a message does not end when it should")
	}
}
