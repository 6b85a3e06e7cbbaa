// Package hear compares sound with sound, for tests and measurements: is what arrived what was said, how late, and where
// is it missing. Sound is mono, 16 bits.
package hear

import (
	"math"
	"math/bits"
	"math/cmplx"
	"time"
)

// inner is the rate at which sounds are compared, in Hz: telephone speech has its energy so low that half a sample of lag
// costs a hundredth.
const inner = 8000

// Match is how well a probe was found in another sound.
type Match struct {
	Coefficient float64       // normalised cross-correlation, -1 to 1; 1 is the same sound
	Lag         time.Duration // of the probe's beginning, from the other sound's beginning
	Drift       time.Duration // how far the lag wandered from the first window to the last
	Lost        float64       // share of the probe's windows that were not found at all
}

const (
	window = inner * 3 / 10   // compared at a time
	near   = inner * 8 / 1000 // how far the lag may move from window to window
	far    = inner / 4        // how far it may jump
	found  = 0.5              // a window that matches so well leads the lag
	sure   = 0.8              // so well it must match for a jump
	plain  = 0.95             // so well it matches where nothing happened
)

// Find looks for probe in other, both of rate Hz. One lag is sought for the whole, then every 300 ms may move a little, as
// a jitter buffer stretches time; windows that are silent in the probe do not count.
func Find(probe, other []int16, rate int) Match {
	p, o := floats(Resample(probe, rate, inner)), floats(Resample(other, rate, inner))
	if len(p) < window || len(o) < window {
		return Match{}
	}
	lag := bestLag(p, o)
	m := Match{Lag: samples(lag)}
	loud := energy(p) / float64(len(p)) / 100 // 20 dB below the mean is silence
	var dot, ep, eo float64
	windows, lost, first, last := 0, 0, lag, lag
	for at := 0; at+window <= len(p); at += window {
		w := p[at : at+window]
		if energy(w)/window < loud {
			continue
		}
		to, ok := follow(w, o, at+last)
		if to -= at; ok {
			last = to
		} else {
			lost++
		}
		if windows == 0 {
			first = last
		}
		windows++
		d, e := products(w, o, at+last)
		dot, ep, eo = dot+d, ep+energy(w), eo+e
	}
	if windows == 0 {
		return m
	}
	m.Drift, m.Lost = samples(last-first), float64(lost)/float64(windows)
	if ep > 0 && eo > 0 {
		m.Coefficient = dot / math.Sqrt(ep*eo)
	}
	return m
}

// follow finds where w lies in o, near the place where it is expected. Voiced speech is nearly periodic, so that a middling match
// near by may be a neighbour of the true place: then a further look decides.
func follow(w, o []float64, at int) (int, bool) {
	best, place := search(w, o, at, near)
	if best >= plain {
		return place, true
	}
	if wide, other := search(w, o, at, far); wide >= sure {
		return other, true
	}
	return place, best >= found
}

func search(w, o []float64, at, reach int) (best float64, place int) {
	best, place = -1, at
	ew, step := energy(w), 1
	if reach > near {
		step = 3 // roughly first, then exactly
	}
	try := func(i int) {
		if d, eo := products(w, o, i); eo > 0 && d > best*math.Sqrt(ew*eo) {
			best, place = d/math.Sqrt(ew*eo), i
		}
	}
	for i := at - reach; i <= at+reach; i += step {
		try(i)
	}
	for i, rough := 1-step, place; i < step; i++ {
		try(rough + i)
	}
	return best, place
}

// products are the sums needed for the correlation of w with o from place at; what lies outside o is silence.
func products(w, o []float64, at int) (dot, eo float64) {
	from, to := max(0, -at), min(len(w), len(o)-at)
	if from >= to {
		return 0, 0
	}
	o = o[at+from : at+to]
	for i, v := range w[from:to] {
		dot += v * o[i]
		eo += o[i] * o[i]
	}
	return dot, eo
}

func energy(w []float64) (sum float64) {
	for _, v := range w {
		sum += v * v
	}
	return sum
}

// bestLag is where p as a whole fits into o best, by one transform there and back.
func bestLag(p, o []float64) int {
	n := 1 << bits.Len(uint(len(p)+len(o)))
	a, b := make([]complex128, n), make([]complex128, n)
	for i, v := range o {
		a[i] = complex(v, 0)
	}
	for i, v := range p {
		b[i] = complex(v, 0)
	}
	fft(a)
	fft(b)
	for i := range a {
		a[i] = cmplx.Conj(a[i] * cmplx.Conj(b[i])) // conjugated: the same transform goes back
	}
	fft(a)
	lag, best := 0, math.Inf(-1)
	for i := range a {
		at, v := i, real(a[i])
		if at > n-len(p) {
			at -= n
		}
		if at < 0 || at+len(p) > len(o) {
			v *= 0.9 // of equal places in a sound that repeats itself, one that holds the whole probe
		}
		if v > best {
			best, lag = v, at
		}
	}
	return lag
}

// fft transforms in place; the length is a power of two.
func fft(x []complex128) {
	n := len(x)
	shift := 64 - bits.Len(uint(n-1))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for size := 2; size <= n; size *= 2 {
		step := cmplx.Rect(1, -2*math.Pi/float64(size))
		for at := 0; at < n; at += size {
			turn := complex(1, 0)
			for i := at; i < at+size/2; i++ {
				u, v := x[i], x[i+size/2]*turn
				x[i], x[i+size/2] = u+v, u-v
				turn *= step
			}
		}
	}
}

// Gap is a stretch of silence.
type Gap struct{ At, Length time.Duration }

// Gaps finds stretches of at least that length in which no sample is louder than quiet.
func Gaps(pcm []int16, rate int, length time.Duration, quiet int16) []Gap {
	var gaps []Gap
	begin := 0
	note := func(end int) {
		if d := span(end-begin, rate); d >= length {
			gaps = append(gaps, Gap{span(begin, rate), d})
		}
	}
	for i, s := range pcm {
		if s > quiet || s < -quiet {
			note(i)
			begin = i + 1
		}
	}
	note(len(pcm))
	return gaps
}

// Level is the root of the mean square, 0 to 32768.
func Level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	return math.Sqrt(energy(floats(pcm)) / float64(len(pcm)))
}

// Resample changes the rate, in Hz, by windowed sinc interpolation.
func Resample(pcm []int16, from, to int) []int16 {
	if from == to || len(pcm) == 0 {
		return pcm
	}
	const taps = 16
	reach := int(math.Ceil(taps / min(1, float64(to)/float64(from))))
	rows := weights(from, to, reach)
	out := make([]int16, int(int64(len(pcm))*int64(to)/int64(from)))
	for i := range out {
		begin, sum := i*from/to-reach, 0.0
		row := rows[i%len(rows)]
		row = row[max(0, -begin):max(0, min(len(row), len(pcm)-begin))]
		for k, v := range pcm[max(0, begin):][:len(row)] {
			sum += float64(v) * row[k]
		}
		out[i] = int16(max(-32768, min(32767, math.Round(sum))))
	}
	return out
}

// weights are what the samples around a place count for, reach of them before it; after so many samples of the new rate the places
// lie between the old ones as before.
func weights(from, to, reach int) [][]float64 {
	phases := to
	for rest := from; rest != 0; { // Euclid: phases becomes the greatest common divisor
		phases, rest = rest, phases%rest
	}
	cut := min(1, float64(to)/float64(from))
	rows := make([][]float64, to/phases)
	for i := range rows {
		at := float64(i) * float64(from) / float64(to)
		rows[i] = make([]float64, 2*reach+2)
		for k := range rows[i] {
			x := at - math.Floor(at) + float64(reach-k)
			if w := x / float64(reach+1); w > -1 && w < 1 {
				rows[i][k] = cut * sinc(cut*x) * (0.5 + 0.5*math.Cos(math.Pi*w))
			}
		}
	}
	return rows
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

func floats(pcm []int16) []float64 {
	f := make([]float64, len(pcm))
	for i, v := range pcm {
		f[i] = float64(v)
	}
	return f
}

func samples(n int) time.Duration { return span(n, inner) }

func span(n, rate int) time.Duration { return time.Duration(n) * time.Second / time.Duration(rate) }
