package stage

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

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
