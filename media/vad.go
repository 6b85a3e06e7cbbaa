package media

import (
	"math"
	"math/bits"
)

// vad knows talking from whatever else a microphone hears. A frame of 20 ms counts as voice when it is well above the noise, when
// it repeats itself at the pitch of a voice, and when neither its loudness nor its sound stands still as a tone's does; enough such
// frames within two thirds of a second are talking. Keys and clicks have no pitch, fans and streets are the noise, tones stand still.
type vad struct {
	floor  float64 // of the noise, dB of full scale
	before float64 // level of the frame before
	past   [2 * vadFrame]float32
	frames int
	voice  uint32 // the last 32 frames, newest lowest
	lively uint32
}

const (
	vadFrame  = 80 // samples at 4 kHz: 20 ms
	vadLeast  = -50.0
	vadAbove  = 10.0 // dB over the noise
	vadRise   = 0.06 // dB a frame the noise is thought to grow: 3 dB a second
	vadFall   = 0.3  // of the way down, a frame
	vadPitch  = 0.55 // likeness to itself
	vadPure   = 0.99 // only a tone is so like itself
	vadStill  = 0.5  // dB
	vadVoices = 8    // frames of voice
	vadLively = 5    // of which so many move
	vadStart  = 10   // frames before anything is said
)

// hear takes 20 ms at 8 kHz and says whether somebody talks.
func (v *vad) hear(pcm []int16) bool {
	level := loudness(pcm)
	copy(v.past[:], v.past[vadFrame:])
	for i := range vadFrame {
		v.past[vadFrame+i] = (float32(pcm[2*i]) + float32(pcm[2*i+1])) / 2
	}
	v.frames++
	switch {
	case v.frames == 1:
		v.floor = max(level, -90)
	case level < v.floor:
		v.floor += max(vadFall*(level-v.floor), -90-v.floor)
	default:
		v.floor += vadRise
	}
	moves := math.Abs(level-v.before) > vadStill
	v.before = level
	v.voice, v.lively = v.voice<<1, v.lively<<1
	if level > vadLeast && level > v.floor+vadAbove {
		p := v.pitch()
		if p > vadPitch {
			v.voice |= 1
		}
		if p > vadPitch && p < vadPure && moves {
			v.lively |= 1
		}
	}
	long := v.voice & (v.voice << 1) // two in a row and more: a key is shorter
	return v.frames > vadStart && bits.OnesCount32(long) >= vadVoices && bits.OnesCount32(v.lively) >= vadLively
}

// begin forgets who talked, but not the noise.
func (v *vad) begin() { v.voice, v.lively = 0, 0 }

// product is the scalar product of two equally long pieces of sound, four sums at a time: one has to wait for itself.
func product(a, b []float32) float32 {
	var sums [4]float32
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		sums[0] += a[i] * b[i]
		sums[1] += a[i+1] * b[i+1]
		sums[2] += a[i+2] * b[i+2]
		sums[3] += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		sums[0] += a[i] * b[i]
	}
	return sums[0] + sums[1] + sums[2] + sums[3]
}

// loudness is the level in dB of full scale, at least -100.
func loudness(pcm []int16) float64 {
	sum := int64(0)
	for _, s := range pcm {
		sum += int64(s) * int64(s)
	}
	if sum == 0 || len(pcm) == 0 {
		return -100
	}
	return max(-100, 10*math.Log10(float64(sum)/float64(len(pcm))/(1<<30)))
}

// pitch is how much the last 40 ms are like themselves one period of a voice, 2.5 to 16 ms, before: 0 to 1.
func (v *vad) pitch() float64 {
	const least, most = 10, 66
	x := v.past
	mean := float32(0)
	for _, s := range x {
		mean += s
	}
	mean /= float32(len(x))
	for i := range x {
		x[i] -= mean
	}
	best := float32(0)
	tail := x[most:]
	energy := product(tail, tail)
	first := x[most-least:][:len(tail)]
	other := float64(product(first, first)) // energy of what lies lag before
	for lag := least; lag <= most; lag++ {
		dot := product(tail, x[most-lag:][:len(tail)])
		if dot > 0 && other > 0 {
			best = max(best, dot*dot/float32(other))
		}
		if lag < most { // one sample further back
			came, went := float64(x[most-lag-1]), float64(x[most-lag-1+len(tail)])
			other += came*came - went*went
		}
	}
	if energy == 0 {
		return 0
	}
	return math.Sqrt(float64(best / energy))
}
