package voice

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
)

// What a file of music may be.
const (
	wavMost     = 64 << 20 // bytes
	secondsMost = 600      // what is longer is cut
)

var errWAV = errors.New("this is no WAV file of 16-bit samples")

// readWAV reads a file of 16-bit PCM, one or two channels, 8 to 48 kHz, as 8 kHz.
func readWAV(path string) ([]int16, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, wavMost+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > wavMost:
		return nil, fmt.Errorf("longer than %d MB", wavMost>>20)
	}
	return parseWAV(data)
}

func parseWAV(data []byte) ([]int16, error) {
	if len(data) < 12 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		return nil, errWAV
	}
	channels, hz := 0, 0
	for rest := data[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		body = body[:min(size, len(body))]
		switch {
		case name == "fmt " && len(body) >= 16:
			channels, hz = int(binary.LittleEndian.Uint16(body[2:])), int(binary.LittleEndian.Uint32(body[4:]))
			if kind := binary.LittleEndian.Uint16(body); kind != 1 && kind != 0xfffe || binary.LittleEndian.Uint16(body[14:]) != 16 {
				return nil, errWAV
			}
		case name == "data":
			if channels < 1 || channels > 2 || hz < rate || hz > 48000 {
				return nil, errWAV
			}
			return to8k(mono(body, channels, secondsMost*hz), hz), nil
		}
		rest = rest[8+min(size+size&1, len(rest)-8):]
	}
	return nil, errWAV
}

func mono(data []byte, channels, most int) []float64 {
	pcm := make([]float64, min(len(data)/2/channels, most))
	for i := range pcm {
		for c := range channels {
			pcm[i] += float64(int16(binary.LittleEndian.Uint16(data[2*(i*channels+c):]))) / float64(channels)
		}
	}
	return pcm
}

const taps = 24 // on each side, at 8 kHz

// to8k brings it to 8 kHz through a low-pass at 3.6 kHz, a windowed sinc.
func to8k(in []float64, hz int) []int16 {
	if len(in) == 0 {
		return nil
	}
	step := float64(hz) / rate
	out := make([]int16, int(float64(len(in))/step))
	reach := int(taps * step)
	for i := range out {
		at := float64(i) * step
		middle, sum, weight := int(at), 0.0, 0.0
		for k := max(0, middle-reach); k <= min(len(in)-1, middle+reach); k++ {
			w := window((float64(k) - at) / step)
			sum += w * in[k]
			weight += w
		}
		if weight != 0 {
			out[i] = int16(math.Max(-32768, math.Min(32767, math.Round(sum/weight))))
		}
	}
	return out
}

// window is the filter at x samples of 8 kHz from its middle: half of 3.6 kHz over 4, with a Hann window.
func window(x float64) float64 {
	if math.Abs(x) >= taps {
		return 0
	}
	const cut = 0.9
	sinc := cut
	if x != 0 {
		sinc = math.Sin(math.Pi*cut*x) / (math.Pi * x)
	}
	return sinc * (0.5 + 0.5*math.Cos(math.Pi*x/taps))
}
