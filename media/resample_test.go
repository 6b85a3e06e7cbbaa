package media

import (
	"math"
	"testing"
)

// sine is n samples of a tone.
func sine(n int, hz, rate, size float64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(math.Round(size * math.Sin(2*math.Pi*hz*float64(i)/rate)))
	}
	return pcm
}

// strength is the amplitude of a tone in pcm, seen through a Hann window.
func strength(pcm []int16, hz, rate float64) float64 {
	var re, im float64
	for i, s := range pcm {
		w := 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(pcm)))
		a := 2 * math.Pi * hz * float64(i) / rate
		re, im = re+w*float64(s)*math.Cos(a), im+w*float64(s)*math.Sin(a)
	}
	return 4 * math.Hypot(re, im) / float64(len(pcm))
}

func decibels(a, b float64) float64 { return 20 * math.Log10(max(a, 1e-3)/max(b, 1e-3)) }

func TestResamplingIsFlatAndClean(t *testing.T) {
	for _, hz := range []float64{100, 300, 1000, 2000, 3000, 3400} {
		var w widener
		up := w.widen(nil, sine(8000, hz, 8000, 10000))[400:]
		if d := decibels(strength(up, hz, 16000), 10000); math.Abs(d) > 0.1 {
			t.Errorf("up: %.0f Hz changes by %.2f dB", hz, d)
		}
		if d := decibels(strength(up, 8000-hz, 16000), 10000); d > -58 {
			t.Errorf("up: %.0f Hz has its image at %.1f dB", hz, d)
		}
		var n narrower
		down := n.narrow(nil, sine(16000, hz, 16000, 10000))[200:]
		if d := decibels(strength(down, hz, 8000), 10000); math.Abs(d) > 0.1 {
			t.Errorf("down: %.0f Hz changes by %.2f dB", hz, d)
		}
		n = narrower{}
		folded := n.narrow(nil, sine(16000, 8000-hz, 16000, 10000))[200:]
		if d := decibels(strength(folded, hz, 8000), 10000); d > -58 {
			t.Errorf("down: %.0f Hz folds to %.0f Hz at %.1f dB", 8000-hz, hz, d)
		}
	}
}

func TestResamplingIsThreeMillisecondsLateThereAndBack(t *testing.T) {
	var w widener
	var n narrower
	in := make([]int16, 400)
	in[100] = 30000
	at, peak := 0, int16(0)
	for i, v := range n.narrow(nil, w.widen(nil, in)) {
		if v > peak {
			at, peak = i, v
		}
	}
	if late := at - 100; late != 23 || peak < 27000 {
		t.Errorf("an impulse comes %d samples late", late)
	}
}
