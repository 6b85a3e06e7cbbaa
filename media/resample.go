package media

import "math"

// Between 8 and 16 kHz by a half-band filter: linear phase, passes 3.4 kHz, and takes at least 60 dB away above 4.6 kHz.

const halfTaps = 24 // of the one branch; the other is a delay

// halfBand is the odd branch, a windowed sinc whose sum is one.
var halfBand = func() *[halfTaps]float32 {
	var t [halfTaps]float32
	sum := 0.0
	raw := [halfTaps]float64{}
	for i := range raw {
		x := float64(i) - float64(halfTaps-1)/2
		raw[i] = math.Sin(math.Pi*x) / (math.Pi * x) * kaiser(x/(halfTaps/2))
		sum += raw[i]
	}
	for i := range t {
		t[i] = float32(raw[i] / sum)
	}
	return &t
}()

// kaiser is the window of that name for 60 dB, x from -1 to 1.
func kaiser(x float64) float64 {
	bessel := func(v float64) float64 {
		sum, term := 1.0, 1.0
		for k := 1.0; term > 1e-9*sum; k++ {
			term *= v * v / 4 / (k * k)
			sum += term
		}
		return sum
	}
	const beta = 5.65
	return bessel(beta*math.Sqrt(max(0, 1-x*x))) / bessel(beta)
}

func branch(x []float32) (sum float32) {
	for i, c := range halfBand {
		sum += c * x[i]
	}
	return sum
}

// widener turns 8 kHz into 16 kHz, one stream's state; 12 samples late.
type widener struct{ past [halfTaps]float32 }

// widen appends two samples for every one.
func (w *widener) widen(dst, pcm []int16) []int16 {
	for _, s := range pcm {
		copy(w.past[:], w.past[1:])
		w.past[halfTaps-1] = float32(s)
		dst = append(dst, round(w.past[halfTaps/2-1]), round(branch(w.past[:])))
	}
	return dst
}

// narrower turns 16 kHz into 8 kHz, one stream's state; 11 samples late. Its filter stands on the first of two samples, where widener
// puts what it was given: there and back is a whole number of samples late, and nearly the same.
type narrower struct{ even, odd [halfTaps]float32 }

// narrow appends one sample for every two; an odd last one is left out.
func (n *narrower) narrow(dst, pcm []int16) []int16 {
	for i := 0; i+1 < len(pcm); i += 2 {
		copy(n.even[:], n.even[1:])
		copy(n.odd[:], n.odd[1:])
		n.even[halfTaps-1], n.odd[halfTaps-1] = float32(pcm[i]), float32(pcm[i+1])
		dst = append(dst, round((n.even[halfTaps/2]+branch(n.odd[:]))/2))
	}
	return dst
}

func round(v float32) int16 {
	switch {
	case v >= 32767:
		return 32767
	case v <= -32768:
		return -32768
	case v < 0:
		return int16(v - 0.5)
	}
	return int16(v + 0.5)
}
