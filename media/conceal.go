package media

// patch makes up sound where a packet is missing: the last period of the voice again and again, fading to nothing within
// 60 ms, and blended into what comes next, so that a loss is a weakness and never a click.
type patch struct {
	past   [640]int16 // played last: 40 ms
	period int        // of what is repeated
	made   int        // samples made up since the last real one; 0: none
}

const (
	patchFade  = 60 * mixRate / 1000
	patchBlend = 5 * mixRate / 1000
)

// begin is before any sound: what comes first is faded in.
func (p *patch) begin() { p.made = patchFade }

// fill makes up the next samples.
func (p *patch) fill(dst []int16) {
	for i := range dst {
		dst[i] = p.next()
	}
}

func (p *patch) next() int16 {
	if p.made >= patchFade {
		return 0
	}
	if p.made == 0 {
		p.period = p.pitch()
	}
	v := int(p.past[len(p.past)-p.period+p.made%p.period])
	p.made++
	return int16(v * (patchFade - p.made) / patchFade)
}

// join blends real sound into what was made up, and remembers it.
func (p *patch) join(pcm []int16) {
	if p.made > 0 {
		n := min(patchBlend, len(pcm))
		for i := range n {
			pcm[i] = int16((int(p.next())*(n-i) + int(pcm[i])*i) / n)
		}
		p.made = 0
	}
	if n := len(p.past) - len(pcm); n > 0 {
		copy(p.past[:], p.past[len(pcm):])
		copy(p.past[n:], pcm)
	} else {
		copy(p.past[:], pcm[-n:])
	}
}

// skip says that sound is left out here: what comes next is blended into what would have come.
func (p *patch) skip() {
	if p.made == 0 {
		p.next()
	}
}

// pitch is the distance, 2.5 to 20 ms, at which the past resembles itself most.
func (p *patch) pitch() int {
	const window, least, most = 160, 40, 320
	tail := p.past[len(p.past)-window:]
	best, at := 0.0, most
	for lag := least; lag <= most; lag++ {
		if q := resemblance(tail, p.past[len(p.past)-window-lag:]); q > best {
			best, at = q, lag
		}
	}
	return at
}

// resemblance is the normalised correlation of a with the beginning of b, signed and squared.
func resemblance(a, b []int16) float64 {
	var dot, energy int64
	b = b[:len(a)]
	for i, v := range a {
		dot += int64(v) * int64(b[i])
		energy += int64(b[i]) * int64(b[i])
	}
	if dot <= 0 || energy == 0 {
		return 0
	}
	return float64(dot) * float64(dot) / float64(energy)
}

// shortened takes 5 to 20 ms out of pcm where it resembles itself, and blends the ends. It needs 30 ms to look at.
func shortened(pcm []int16) []int16 {
	const window, least, most = 160, 80, 320
	if len(pcm) < window+most {
		return pcm
	}
	best, cut := -1.0, most
	for lag := least; lag <= most; lag++ {
		if q := resemblance(pcm[:window], pcm[lag:]); q > best {
			best, cut = q, lag
		}
	}
	for i := range window {
		pcm[cut+i] = int16((int(pcm[i])*(window-i) + int(pcm[cut+i])*i) / window)
	}
	return pcm[cut:]
}
