package hear

import (
	"math"
	"math/rand/v2"
	"time"
)

// Tones are a row of tones that says by itself where it is: each lasts 100 ms, no two neighbours are alike, and all lie well
// apart within the telephone band. What a network and its concealment do to sound is counted with it tone by tone, through any
// codec and any jitter buffer.
const (
	toneStep  = 100 * time.Millisecond
	toneCount = 16
	toneCycle = 240 // steps, until it begins anew: 24 s
)

const (
	toneHop   = inner / 100 // samples that a tone is named by
	hopsStep  = int(toneStep / (10 * time.Millisecond))
	hopsCycle = toneCycle * hopsStep
	toneDrift = 80 // hops that a jitter buffer may wander from where the whole fits best
)

// toneHz is the frequency of a tone.
func toneHz(k int) float64 { return 400 + 180*float64(k) }

// toneRow is the row: the same at every call.
func toneRow() []int {
	dice := rand.New(rand.NewPCG(1, 2))
	row := make([]int, toneCycle)
	for i := 1; i < toneCycle; i++ {
		row[i] = (row[i-1] + 1 + dice.IntN(toneCount-1)) % toneCount // any but the one before
	}
	if row[toneCycle-1] == row[0] {
		row[toneCycle-1] = (row[0] + row[toneCycle-2] + 1) % toneCount
	}
	return row
}

// Tones is one cycle at 8 kHz.
func Tones() []int16 {
	pcm := make([]int16, 0, toneCycle*int(toneStep*inner/time.Second))
	phase := 0.0
	for _, k := range toneRow() {
		for range int(toneStep * inner / time.Second) {
			phase += 2 * math.Pi * toneHz(k) / inner
			pcm = append(pcm, int16(9000*math.Sin(phase)))
		}
	}
	return pcm
}

// Heard is how much of Tones arrived.
type Heard struct {
	Tones int     // that lie wholly within what was heard
	Right float64 // share of them of which more than half was heard in its place
	Exact float64 // share of the moments, each 10 ms, at which the right tone is heard; where one tone follows another is left out
	Quiet float64 // share of them at which nothing is heard
}

// HearTones finds out what of Tones is in a sound of that rate: where it is in the row, following a jitter buffer that stretches
// and squeezes time, and which tones are right.
func HearTones(pcm []int16, rate int) Heard {
	names := nameTones(floats(Resample(pcm, rate, inner)))
	if len(names) < 2*hopsStep {
		return Heard{}
	}
	row := toneRow()
	at := func(hop int) int { return row[((hop%hopsCycle)+hopsCycle)%hopsCycle/hopsStep] }
	path := followTones(names, firstHop(names, at), at)
	h := Heard{}
	right := map[int]int{} // by step: moments at which it was heard
	within := 0.0
	for i, hop := range path {
		if at(hop-1) != at(hop+1) {
			continue
		}
		within++
		switch names[i] {
		case at(hop):
			h.Exact++
			right[floorDiv(hop, hopsStep)]++
		case quiet:
			h.Quiet++
		}
	}
	h.Exact, h.Quiet = h.Exact/max(1, within), h.Quiet/max(1, within)
	for step := floorDiv(path[0], hopsStep) + 1; step < floorDiv(path[len(path)-1], hopsStep); step++ {
		h.Tones++
		if right[step] > (hopsStep-2)/2 {
			h.Right++
		}
	}
	h.Right /= float64(max(1, h.Tones))
	return h
}

func floorDiv(a, b int) int { return int(math.Floor(float64(a) / float64(b))) }

const quiet = -1 // nothing is heard; -2: something, but no tone

// nameTones names the tone of each moment.
func nameTones(x []float64) []int {
	var names []int
	for at := 0; at+toneHop <= len(x); at += toneHop {
		w := x[at : at+toneHop]
		all := energy(w) / toneHop
		name := quiet
		if all > 150*150 {
			name = -2
			best, second := 0.0, 0.0
			for k := range toneCount {
				if g := goertzel(w, toneHz(k)); g > best {
					best, second, name = g, best, k
				} else {
					second = max(second, g)
				}
			}
			if best < 3*second || best*2 < all*0.3 {
				name = -2
			}
		}
		names = append(names, name)
	}
	return names
}

// goertzel is the power of one frequency in x.
func goertzel(x []float64, hz float64) float64 {
	w := 2 * math.Cos(2*math.Pi*hz/inner)
	var a, b float64
	for _, v := range x {
		a, b = v+w*a-b, a
	}
	return (a*a + b*b - w*a*b) / float64(len(x)) / float64(len(x))
}

// firstHop is where in the row the whole fits best.
func firstHop(names []int, at func(int) int) (best int) {
	most := -1
	for lag := range hopsCycle {
		n := 0
		for i, name := range names {
			if name == at(lag+i) {
				n++
			}
		}
		if n > most {
			best, most = lag, n
		}
	}
	return best
}

// followTones gives each moment its place in the row, near where the whole fits best: time may be squeezed or stretched, which
// costs as much as half a moment that does not fit.
func followTones(names []int, first int, at func(int) int) []int {
	const width = 2*toneDrift + 1 // lags; a lag that grows by one means a moment of the row was left out
	score, next := make([]float64, width), make([]float64, width)
	from := make([][width]int8, len(names))
	for i, name := range names {
		for lag := range width {
			best, step := score[lag], int8(0)
			if lag > 0 && score[lag-1]-0.5 > best {
				best, step = score[lag-1]-0.5, -1
			}
			if lag < width-1 && score[lag+1]-0.5 > best {
				best, step = score[lag+1]-0.5, 1
			}
			if name == at(first+lag-toneDrift+i) {
				best++
			}
			next[lag], from[i][lag] = best, step
		}
		score, next = next, score
	}
	lag := 0
	for l := range width {
		if score[l] > score[lag] {
			lag = l
		}
	}
	path := make([]int, len(names))
	for i := len(names) - 1; i >= 0; i-- {
		path[i] = first + lag - toneDrift + i
		lag += int(from[i][lag])
	}
	return path
}
