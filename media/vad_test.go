package media

import (
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// spokenFile is one of the demo's voices at 8 kHz; each begins with 300 ms of silence.
func spokenFile(t testing.TB, name string) []int16 {
	t.Helper()
	b, err := os.ReadFile("../cmd/softphone/speech/" + name + ".ulaw")
	if err != nil {
		t.Fatal(err)
	}
	return DecodeULaw(b)
}

var spokenFiles = []string{"customer-en", "customer-ja", "colleague-en", "colleague-ja"}

func louder(pcm []int16, db float64) []int16 {
	out, gain := make([]int16, len(pcm)), math.Pow(10, db/20)
	for i, s := range pcm {
		out[i] = int16(sat(int(float64(s) * gain)))
	}
	return out
}

// both is a and, as long as it lasts and again, b.
func both(a, b []int16) []int16 {
	out := make([]int16, len(a))
	for i := range a {
		out[i] = int16(sat(int(a[i]) + int(b[i%len(b)])))
	}
	return out
}

// pink is the noise of a room, db below full scale.
func pink(n int, db float64) []int16 {
	noise := rand.New(rand.NewPCG(5, 1))
	raw, power := make([]float64, n), 0.0
	var slow, mid, fast float64
	for i := range raw {
		w := noise.NormFloat64()
		slow, mid, fast = 0.99765*slow+w*0.0990460, 0.963*mid+w*0.2965164, 0.57*fast+w*1.0526913
		raw[i] = slow + mid + fast + w*0.1848
		power += raw[i] * raw[i]
	}
	gain := math.Pow(10, db/20) * 32768 / math.Sqrt(power/float64(n))
	pcm := make([]int16, n)
	for i, v := range raw {
		pcm[i] = int16(sat(int(v * gain)))
	}
	return pcm
}

// typing is a keyboard, so many keys a second: down and up, each a knock of the case and a click of 4 to 16 ms.
func typing(n int, each, loud float64, seed uint64) []int16 {
	noise := rand.New(rand.NewPCG(seed, 2))
	raw := make([]float64, n)
	for at := 0; at < n; at += int(8000 / each * (0.4 + 1.2*noise.Float64())) {
		for k, size := range []float64{1, 0.5} {
			hz, fade, begin := 1200+2000*noise.Float64(), 0.004+0.012*noise.Float64(), at+k*(400+noise.IntN(400))
			size *= loud * (0.5 + 0.5*noise.Float64())
			for i := 0; i < 1200 && begin+i < n; i++ {
				s := float64(i) / 8000
				raw[begin+i] += size * math.Exp(-s/fade) * (0.6*noise.NormFloat64() + 0.4*math.Sin(2*math.Pi*hz*s) + 0.5*math.Sin(2*math.Pi*180*s))
			}
		}
	}
	pcm := make([]int16, n)
	for i, v := range raw {
		pcm[i] = int16(sat(int(v)))
	}
	return pcm
}

// babble is twelve people talking elsewhere in the room.
func babble(t testing.TB, n int, db float64) []int16 {
	sum := make([]int16, n)
	for i, name := range spokenFiles {
		voice := louder(spokenFile(t, name), -6)
		for k := range 3 {
			cut := k*9000 + i*3333
			sum = both(sum, append(append([]int16(nil), voice[cut:]...), voice[:cut]...))
		}
	}
	return louder(sum, db-loudness(sum))
}

// pulsed is a tone that is on and off for so many milliseconds.
func pulsed(n int, hz float64, on, off int) []int16 {
	pcm := sine(n, hz, 8000, 8000)
	for i := range pcm {
		if i/8%(on+off) >= on {
			pcm[i] = 0
		}
	}
	return pcm
}

// talked says in which share of the time talking was heard, when first, and how long it was missed at the most.
func talked(pcm []int16) (share float64, first, missed time.Duration) {
	var v vad
	first = -1
	hits, all, off := 0, 0, time.Duration(0)
	for at := 0; at+160 <= len(pcm); at += 160 {
		all++
		if v.hear(pcm[at : at+160]) {
			if hits++; first < 0 {
				first = time.Duration(all) * 20 * time.Millisecond
			}
			off = 0
		} else {
			off += 20 * time.Millisecond
			missed = max(missed, off)
		}
	}
	return float64(hits) / float64(all), first, missed
}

func TestTalkingIsHeardSoon(t *testing.T) {
	for _, name := range spokenFiles {
		voice := spokenFile(t, name)
		for what, pcm := range map[string][]int16{
			"as it is":            voice,
			"20 dB quieter":       louder(voice, -20),
			"in a room":           both(voice, pink(len(voice), -45)),
			"beside the keyboard": both(voice, typing(len(voice), 7, 6000, 1)),
			"in a loud room":      both(voice, pink(len(voice), -35)),
		} {
			share, first, missed := talked(pcm)
			t.Logf("%s, %s: %.0f %% of the time, after %v, missed for %v", name, what, 100*share, first-300*time.Millisecond, missed)
			if first < 0 || first > time.Second || share < 0.25 || missed > mutedTalkOff {
				t.Errorf("%s, %s: %.0f %% of the time, first after %v, missed for %v", name, what, 100*share, first, missed)
			}
		}
	}
}

func TestWhatIsNoTalkingIsNotTakenForIt(t *testing.T) {
	Computes(t)
	const n = 8000 * 30
	ring := sine(n, 440, 8000, 6000)
	keys := sine(n, 770, 8000, 6000)
	rows := map[string][]int16{
		"digital silence": make([]int16, n), "quiet room": pink(n, -60), "room": pink(n, -45), "loud room": pink(n, -30), "street": pink(n, -20),
		"others far away": both(babble(t, n, -55), pink(n, -60)), "others": both(babble(t, n, -45), pink(n, -60)), "others near": babble(t, n, -32),
		"hum": both(sine(n, 50, 8000, 1000), sine(n, 150, 8000, 500)), "low tone": sine(n, 150, 8000, 8000), "tone": sine(n, 440, 8000, 8000), "high tone": sine(n, 1000, 8000, 20000),
		"ringing": both(ring, sine(n, 480, 8000, 6000)), "busy": pulsed(n, 425, 500, 500), "beeps": pulsed(n, 1000, 200, 200), "consent tone": pulsed(n, 1400, 500, 15000),
		"keys of a telephone": both(keys, sine(n, 1336, 8000, 6000)),
	}
	for seed := range uint64(3) {
		for _, loud := range []float64{1000, 3000, 10000, 25000} {
			for _, each := range []float64{4, 7, 12} {
				rows["keyboard"+string(rune('a'+seed))+time.Duration(loud).String()+time.Duration(each).String()] = both(typing(n, each, loud, seed), pink(n, -60))
			}
		}
	}
	for name, pcm := range rows {
		if share, first, _ := talked(pcm); share > 0 {
			t.Errorf("%s is talking after %v, %.1f %% of the time", name, first, 100*share)
		}
	}
}

func BenchmarkVad(b *testing.B) {
	voice := spokenFile(b, "customer-en")
	var v vad
	at := 0
	for b.Loop() {
		v.hear(voice[at : at+160])
		if at += 160; at+160 > len(voice) {
			at = 0
		}
	}
}
