package voice

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// shelf is the music there is. A file is read when a caller first hears it, and again when it was replaced.
type shelf struct {
	dir string
	log *slog.Logger
	own func() []int16

	mu    sync.Mutex
	files map[string]disc
}

// disc is a file as it was when it was read; without sound it cannot be played.
type disc struct {
	at   time.Time
	size int64
	pcm  []int16
}

func newShelf(dir string, log *slog.Logger) *shelf {
	return &shelf{dir: dir, log: log, own: sync.OnceValue(compose), files: map[string]disc{}}
}

// of is the music of a queue.
func (s *shelf) of(queue string) []int16 {
	if pcm := s.read(filepath.Base(queue) + ".wav"); pcm != nil {
		return pcm
	}
	return s.own()
}

// words are what a queue tells its callers in that case; nil: it has none of its own.
func (s *shelf) words(queue, why string) []int16 {
	return s.read(filepath.Base(queue) + "-" + filepath.Base(why) + ".wav")
}

// read is the sound of a file; nil when there is none.
func (s *shelf) read(name string) []int16 {
	if s.dir == "" {
		return nil
	}
	path := filepath.Join(s.dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, known := s.files[path]
	if !known || !d.at.Equal(info.ModTime()) || d.size != info.Size() {
		d = disc{at: info.ModTime(), size: info.Size()}
		if d.pcm, err = readWAV(path); err != nil {
			s.log.Error("a file cannot be played: callers hear the center's own", "file", path, "err", err)
		}
		s.files[path] = d
	}
	if len(d.pcm) == 0 {
		return nil
	}
	return d.pcm
}

// The piece is ours: four soft chords of four seconds, and over them plucked notes of the same scale.
const (
	barSeconds = 4
	bars       = 4
	padLevel   = 900.0 // peak of each of a chord's voices
	noteLevel  = 2600.0
	noteEvery  = rate / 2
	noteFade   = 0.7 // seconds to a third
)

// chords are in half tones above C4.
func chords() [bars][4]float64 {
	return [bars][4]float64{{-12, 4, 7, 11}, {-15, 0, 4, 7}, {-19, -3, 0, 5}, {-17, -5, 2, 7}}
}

// melody are half tones above C4, one each half second; silence is left where there is NaN.
func melody() []float64 {
	rest := math.NaN()
	return []float64{
		12, rest, 16, 19, rest, 16, 14, rest,
		12, rest, 9, 12, rest, 16, 12, rest,
		9, rest, 12, 16, rest, 14, 12, rest,
		14, rest, 11, 14, rest, 19, 16, rest,
	}
}

// compose makes the piece, a loop of 16 s whose end goes over into its beginning.
func compose() []int16 {
	length := bars * barSeconds * rate
	sum := make([]float64, length)
	for i, chord := range chords() {
		for _, tone := range chord {
			pad(sum, i*barSeconds*rate, hertz(tone))
		}
	}
	for i, tone := range melody() {
		if !math.IsNaN(tone) {
			pluck(sum, i*noteEvery, hertz(tone))
		}
	}
	pcm := make([]int16, length)
	for i, v := range sum {
		pcm[i] = int16(math.Max(-32000, math.Min(32000, v)))
	}
	return pcm
}

func hertz(tone float64) float64 { return 261.63 * math.Exp2(tone/12) }

// pad swells and goes within a bar, and a little into the next.
func pad(sum []float64, at int, hz float64) {
	length := barSeconds*rate + rate/2
	for i := range length {
		swell := math.Sin(math.Pi * float64(i) / float64(length))
		v := math.Sin(2*math.Pi*hz*float64(i)/rate) + 0.2*math.Sin(4*math.Pi*hz*float64(i)/rate)
		sum[(at+i)%len(sum)] += padLevel * swell * v
	}
}

// pluck begins within 4 ms and fades.
func pluck(sum []float64, at int, hz float64) {
	for i := range 3 * rate {
		t := float64(i) / rate
		level := noteLevel * math.Min(1, t/0.004) * math.Exp(-t/noteFade)
		sum[(at+i)%len(sum)] += level * (math.Sin(2*math.Pi*hz*t) + 0.3*math.Exp(-t*4)*math.Sin(4*math.Pi*hz*t))
	}
}
