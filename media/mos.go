package media

import (
	"math"
	"time"
)

// The E-model (ITU-T G.107) rates a call from 0 to 100 by what is known about its way. All that belongs to the telephones
// themselves (loudness, noise, echo loss) has the default values of the Recommendation, table 2.

// Default values (G.107 table 2) and what follows from them.
const (
	signalToNoise = 94.77 // Ro: 15 − 1.5 (SLR 8 + No −61.18), §7.2
	simultaneous  = 1.41  // Is: loudness, side tone and quantizing of G.711, §7.3
	talkerEcho    = 65.0  // TELR, dB
	echoLoss      = 110.0 // WEPL, dB
)

// impairment is what a codec does to speech: Ie without loss, and Bpl, how well it bears loss (G.113).
type impairment struct{ ie, bpl float64 }

// impairments are all on the scale of a telephone band, which ends at 93.2: G.722 and Opus sound better than that without
// loss (129 is the top of the wide band's scale, G.107.1), and we give no credit for it, so that one colour means one thing
// whatever the codec.
//
// G.711 is G.113 table I.4, with concealment. For G.722 nothing is published that we could check: we assume G.711's, since
// browsers and our own ear conceal what was decoded, in the same way for both. Opus is what Al-Ahmadi, Počta and Melvin
// measured at 28 to 40 kbit/s with random loss and without forward correction (ISSC 2019): with it a call is better than we say.
var impairments = [codecs]impairment{opus: {0, 10.4}, g722: {0, 25.1}, pcmu: {0, 25.1}, pcma: {0, 25.1}}

// lookahead is what a codec needs to see beyond its frame (G.722 §1.4.3, RFC 6716 §2.1.8).
var lookahead = [codecs]time.Duration{opus: 6500 * time.Microsecond, g722: 1375 * time.Microsecond}

// way is one direction of a call as the E-model wants it.
type way struct {
	codec codec
	loss  float64       // percent of packets that were never played
	burst float64       // mean length of a run of losses over that of random loss, 1 and more
	delay time.Duration // from mouth to ear
}

// rating is R (G.107 §7.1), 0 to 93.2.
func (w way) rating() float64 {
	return max(0, signalToNoise-simultaneous-delayed(w.delay)-w.equipment())
}

// equipment is Ie,eff (G.107 §7.5): what codec and loss take away. The formula holds for bursts up to twice as long as random
// loss makes them, and beyond that for loss up to 2 % only.
func (w way) equipment() float64 {
	burst := max(1, w.burst)
	if w.loss > 2 {
		burst = min(burst, 2)
	}
	i := impairments[w.codec%codecs]
	if w.loss <= 0 {
		return i.ie
	}
	return i.ie + (95-i.ie)*w.loss/(w.loss/burst+i.bpl)
}

// delayed is Id (G.107 §7.4): talker echo, listener echo, and the delay itself, which hinders from 100 ms on.
func delayed(delay time.Duration) float64 {
	ms := float64(delay) / float64(time.Millisecond)
	terv := talkerEcho - 40*math.Log10((1+ms/10)/(1+ms/150)) + 6*math.Exp(-0.3*ms*ms)
	over := signalToNoise - (80 + 2.5*(terv-14))
	talker := (over/2 + math.Sqrt(over*over/4+100) - 1) * (1 - math.Exp(-ms))
	over = signalToNoise - 10.5*(echoLoss+7)*math.Pow(2*ms+1, -0.25)
	listener := over/2 + math.Sqrt(over*over/4+169)
	pure := 0.0
	if ms > 100 {
		x := math.Log2(ms / 100)
		pure = 25 * (math.Pow(1+math.Pow(x, 6), 1./6) - 3*math.Pow(1+math.Pow(x/3, 6), 1./6) + 2)
	}
	return talker + listener + pure
}

// score is the mean opinion of R, 1 to 4.5 (G.107 annex B).
func score(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
