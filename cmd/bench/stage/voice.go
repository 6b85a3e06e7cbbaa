package stage

import (
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"zaseki/media/hear"
)

// Say makes a WAV of synthesised speech: 16 bits, mono, at that rate. It needs espeak-ng and sox.
func Say(dir, name, voice, words string, rate int) (string, error) {
	raw, file := filepath.Join(dir, name+".raw.wav"), filepath.Join(dir, name+".wav")
	if out, err := exec.Command("espeak-ng", "-v", voice, "-s", "150", "-w", raw, words).CombinedOutput(); err != nil {
		return "", fmt.Errorf("espeak-ng: %w: %s", err, out)
	}
	if out, err := exec.Command("sox", raw, "-r", fmt.Sprint(rate), "-c", "1", "-b", "16", file, "norm", "-6").CombinedOutput(); err != nil {
		return "", fmt.Errorf("sox: %w: %s", err, out)
	}
	return file, nil
}

// Often makes a file that says the same a dozen times without a seam: a browser that plays a file over and over pauses where
// it begins again.
func Often(file string) (string, error) {
	often := strings.TrimSuffix(file, ".wav") + "-often.wav"
	if out, err := exec.Command("sox", file, often, "repeat", "11").CombinedOutput(); err != nil {
		return "", fmt.Errorf("sox: %w: %s", err, out)
	}
	return often, nil
}

// PCM reads a WAV at 8 kHz, what a telephone line carries.
func PCM(file string) ([]int16, error) {
	pcm, rate, err := hear.ReadWAV(file)
	if err != nil {
		return nil, err
	}
	return hear.Resample(pcm, rate, 8000), nil
}

// Tape plays samples at 8 kHz over and over: a media.Source.
type Tape struct {
	pcm []int16
	at  int
}

// NewTape is a tape at its beginning.
func NewTape(pcm []int16) *Tape { return &Tape{pcm: pcm} }

// Next fills the frame; a tape never ends.
func (t *Tape) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = t.pcm[t.at]
		t.at = (t.at + 1) % len(t.pcm)
	}
	return true
}

// Tone is a sine at 8 kHz without end: a media.Source.
type Tone struct {
	Hz int
	at int
}

// Next fills the frame.
func (s *Tone) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = int16(8000 * math.Sin(2*math.Pi*float64(s.Hz*s.at)/8000))
		s.at = (s.at + 1) % 8000
	}
	return true
}

// Gap notes how long a line was without sound: frames with no peak over 2000, a quarter of a Tone.
type Gap struct {
	mu      sync.Mutex
	last    time.Time
	longest time.Duration
}

// Hear takes a frame.
func (g *Gap) Hear(frame []int16) {
	if !slices.ContainsFunc(frame, func(v int16) bool { return v > 2000 }) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.last.IsZero() {
		g.longest = max(g.longest, now.Sub(g.last))
	}
	g.last = now
}

// Longest is the longest time without sound that has ended since it was asked for last, and how long ago the last sound was.
func (g *Gap) Longest() (gap, since time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gap, g.longest = g.longest, 0
	return gap, time.Since(g.last)
}

// Since is how long ago the last sound was; long, before the first.
func (g *Gap) Since() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Since(g.last)
}

// Ear records what a line hears, at 8 kHz.
type Ear struct {
	mu  sync.Mutex
	pcm []int16
}

// Hear takes a frame.
func (e *Ear) Hear(frame []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pcm = append(e.pcm, frame...)
}

// Heard is everything since From, which counts in samples.
func (e *Ear) Heard(from int) []int16 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]int16(nil), e.pcm[min(from, len(e.pcm)):]...)
}

// Now is how many samples were heard so far.
func (e *Ear) Now() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.pcm)
}
