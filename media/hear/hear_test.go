package hear

import (
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// speech is that text spoken by espeak-ng, at 8 kHz.
func speech(t *testing.T, voice, text string) []int16 {
	t.Helper()
	tool, err := exec.LookPath("espeak-ng")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("espeak-ng is missing")
		}
		t.Skip("espeak-ng is not installed")
	}
	path := filepath.Join(t.TempDir(), "say.wav")
	if out, err := exec.Command(tool, "-v", voice, "-w", path, text).CombinedOutput(); err != nil {
		t.Fatalf("espeak-ng: %v\n%s", err, out)
	}
	pcm, rate, err := ReadWAV(path)
	if err != nil {
		t.Fatal(err)
	}
	return Resample(pcm, rate, 8000)
}

const (
	one = "The quick brown fox jumps over the lazy dog, and then it sleeps for a while near the old wooden bridge."
	two = "Please tell me your customer number, and I shall look up which of our branches has your order today."
)

func TestSpeechIsFoundInItself(t *testing.T) {
	a := speech(t, "en", one)
	noise := rand.New(rand.NewPCG(1, 2))
	later := make([]int16, 4000, 4000+len(a))
	for _, s := range a {
		later = append(later, s/2+int16(noise.NormFloat64()*20))
	}
	m := Find(a, later, 8000)
	if m.Coefficient < 0.99 || m.Lag != 500*time.Millisecond || m.Lost > 0 {
		t.Errorf("shifted by 500 ms, halved, with noise: %+v", m)
	}
	if m := Find(later, a, 8000); m.Coefficient < 0.99 || m.Lag != -500*time.Millisecond {
		t.Errorf("the other way round: %+v", m)
	}
}

func TestStretchedSpeechIsFound(t *testing.T) {
	a := speech(t, "en", one)
	var b []int16
	for at := 0; at+2400 <= len(a); at += 2400 { // every 300 ms a jitter buffer gives 5 ms more, and later takes them back
		b = append(b, a[at:at+2400]...)
		if at < len(a)/2 {
			b = append(b, a[at+2360:at+2400]...)
		} else {
			b = b[:len(b)-40]
		}
	}
	if m := Find(a, b, 8000); m.Coefficient < 0.9 {
		t.Errorf("stretched by 5 ms in 300: %+v", m)
	}
}

func TestOtherSpeechIsNotFound(t *testing.T) {
	a := speech(t, "en", one)
	for _, b := range [][]int16{speech(t, "en", two), speech(t, "en+f3", one), speech(t, "ja", "お電話ありがとうございます。お名前をどうぞ。")} {
		if m := Find(a, b, 8000); m.Coefficient > 0.3 {
			t.Errorf("other speech: %+v", m)
		}
	}
	if m := Find(a, make([]int16, len(a)), 8000); m.Coefficient != 0 {
		t.Errorf("silence: %+v", m)
	}
}

func TestGapIsFound(t *testing.T) {
	pcm := make([]int16, 16000)
	for i := range pcm {
		pcm[i] = int16(10000 * math.Sin(float64(i)*0.3+0.1))
	}
	clear(pcm[4000:8000])
	gaps := Gaps(pcm, 8000, 100*time.Millisecond, 10)
	if len(gaps) != 1 || gaps[0].Length.Round(time.Millisecond) != 500*time.Millisecond || gaps[0].At.Round(time.Millisecond) != 500*time.Millisecond {
		t.Errorf("gaps %v", gaps)
	}
}

func TestResamplingKeepsTone(t *testing.T) {
	pcm := make([]int16, 8000)
	for i := range pcm {
		pcm[i] = int16(10000 * math.Sin(2*math.Pi*440*float64(i)/8000))
	}
	back := Resample(Resample(pcm, 8000, 48000), 48000, 8000)
	if m := Find(pcm[400:7600], back, 8000); m.Coefficient < 0.999 || math.Abs(Level(back)/Level(pcm)-1) > 0.02 {
		t.Errorf("there and back: %+v, level %.0f of %.0f", m, Level(back), Level(pcm))
	}
}

func TestWAVIsReadAsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.wav")
	if err := WriteWAV(path, []int16{1, -2, 32767, -32768}, 8000); err != nil {
		t.Fatal(err)
	}
	pcm, rate, err := ReadWAV(path)
	if err != nil || rate != 8000 || len(pcm) != 4 || pcm[3] != -32768 || pcm[1] != -2 {
		t.Errorf("%v %d %v", pcm, rate, err)
	}
}

func FuzzWAV(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00abcd"))
	f.Fuzz(func(t *testing.T, b []byte) { _, _, _ = parseWAV(b) })
}
