package media

import (
	"math"
	"slices"
)

// bell tells agent and callers, by a tone in their conversation, that somebody else takes part in it: twice when that begins, for the
// conversation or for one who comes into it, and softly again and again while it lasts. It counts frames and knows no clock.
type bell struct {
	told  []*part // who has heard it begin; nil: nobody takes part for whom it rings
	at    int     // frames since it began
	loud  bool    // it rings the begin
	frame seat
	on    bool // there is something in frame
}

const (
	bellHz    = 950
	bellLoud  = 4500 // peak: 16 dB below full scale, as the tone of a recording
	bellSoft  = bellLoud / 4
	bellOn    = 8                 // frames that a tone lasts
	bellGap   = 6                 // frames between the two of the begin
	bellEvery = 15000 / frameTime // frames
	bellFade  = mixRate / 200     // samples
)

// settle begins anew when somebody is there who has not heard the begin.
func (b *bell) settle(parts []*part) {
	rings, call := false, false
	for _, p := range parts {
		rings = rings || p.role != RoleTalk && p.line.aside.bell
		call = call || p.role == RoleTalk
	}
	if !rings || !call {
		b.told = nil
		return
	}
	fresh := slices.ContainsFunc(parts, func(p *part) bool {
		return !slices.Contains(b.told, p) && (p.role == RoleTalk || p.line.aside.bell)
	})
	if b.told = slices.Clone(parts); fresh {
		b.at, b.loud = 0, true
	}
}

// step makes the next frame.
func (b *bell) step() {
	b.on = false
	if b.told == nil {
		return
	}
	at, peak := b.at, float64(bellSoft)
	if b.loud {
		peak = bellLoud
		if at >= bellOn+bellGap {
			at -= bellOn + bellGap
		}
	}
	if at < bellOn {
		b.on = true
		for i := range b.frame {
			n := at*mixFrame + i
			edge := float64(min(n+1, bellOn*mixFrame-n, bellFade)) / bellFade
			b.frame[i] = int16(peak * edge * math.Sin(2*math.Pi*bellHz*float64(n)/mixRate))
		}
	}
	if b.at++; b.at >= bellEvery {
		b.at, b.loud = 0, false
	}
}

// add puts it into what somebody hears.
func (b *bell) add(pcm []int16, hears bool) {
	if b.on && hears {
		addTo(pcm, b.frame[:])
	}
}
