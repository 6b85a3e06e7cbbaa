package media

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// becomes lets a talker go on with another tone.
func (k *talker) becomes(t testing.TB, hz float64) {
	k.hz = hz
	if k.c == opus {
		k.made = opusTone(t, hz)
	}
}

// replaying is a call with a that began with a tone of 600 Hz and goes on with one of 1200, and has a listener b.
func replaying(t *testing.T, c codec) (*party, *told) {
	said := &told{}
	p := newParty(t, c, pcmu)
	p.e.cfg.Tell = said.tell
	p.e.KeepReplay(true)
	p.e.Focus("a")
	p.pass(150)
	p.lines[0].becomes(t, 1200)
	p.lines[1].hz = 900
	p.pass(50)
	return p, said
}

// hears says how loud somebody hears a tone in the next frames, in dB of what was said.
func (p *party) hears(k *talker, frames int, hz ...float64) []float64 {
	k.heard = nil
	p.pass(frames)
	var levels []float64
	for _, f := range hz {
		levels = append(levels, decibels(strength(k.heard, f, mixRate), 6000))
	}
	return levels
}

func TestReplayIsInTheAgentsEarOnlyAndEndsByItself(t *testing.T) {
	for _, c := range []codec{pcmu, pcma, g722, opus} {
		t.Run(c.String(), func(t *testing.T) {
			p, said := replaying(t, c)
			defer p.end()
			if err := p.e.Replay("a", true); err != nil {
				t.Fatal(err)
			}
			p.page.heard = nil
			p.pass(25)
			begin := p.page.heard
			got := p.hears(p.page, 100, 600, 1200)
			if math.Abs(got[0]) > 1 || math.Abs(got[1]+12) > 1 {
				t.Errorf("what was said is heard at %.1f dB, the call at %.1f", got[0], got[1])
			}
			if !said.has(Replaying{"a", true}) || said.has(Replaying{"a", false}) {
				t.Error("the beginning is not told")
			}
			p.lines[0].heard = nil
			p.pass(25) // the rest of three seconds
			if d := decibels(strength(p.lines[0].heard, 600, mixRate), 6000); c != opus && d > -50 {
				t.Errorf("the caller hears the own voice at %.0f dB", d)
			}
			p.page.heard = nil
			p.pass(75 + besideRest) // a tone has no pauses
			end := p.page.heard
			if !said.has(Replaying{"a", false}) || p.e.beside.Load() != nil {
				t.Error("it does not end")
			}
			if got := p.hears(p.page, 50, 600, 1200); got[0] > -40 || math.Abs(got[1]) > 1 {
				t.Errorf("afterwards %.1f and %.1f dB", got[0], got[1])
			}
			for name, pcm := range map[string][]int16{"begin": begin, "end": end} {
				for at := 0; at+640 <= len(pcm); at += 160 {
					if peak(pcm[at:at+640]) < 1000 {
						t.Errorf("40 ms of silence at its %s, %d ms", name, at/16)
					}
				}
			}
			if p.page.seams > 0 {
				t.Errorf("%d seams", p.page.seams)
			}
		})
	}
}

func peak(pcm []int16) (top int) {
	for _, v := range pcm {
		top = max(top, int(v), -int(v))
	}
	return top
}

func TestReplayEndsWithTheCall(t *testing.T) {
	for name, end := range map[string]func(p *party){
		"off":          func(p *party) { _ = p.e.Replay("a", false) },
		"held":         func(p *party) { p.hold("a", true); p.pass(1); p.hold("a", false) },
		"closed":       func(p *party) { p.e.CloseLine("a") },
		"focus":        func(p *party) { p.e.Focus("b") },
		"no focus":     func(p *party) { p.e.Focus("") },
		"card":         func(p *party) { p.card("a", true) },
		"not kept":     func(p *party) { p.e.KeepReplay(false) },
		"another's":    func(p *party) { p.e.Focus("b"); p.pass(20); _ = p.e.Replay("b", true) },
		"the engine's": func(p *party) { p.e.shut() },
	} {
		t.Run(name, func(t *testing.T) {
			p, said := replaying(t, pcmu)
			defer p.end()
			if err := p.e.Replay("a", true); err != nil {
				t.Fatal(err)
			}
			p.pass(20)
			end(p)
			if p.pass(3); name != "the engine's" && !said.has(Replaying{"a", false}) {
				t.Error("its end is not told")
			}
			if got := p.hears(p.page, 20, 600); got[0] > -20 && name != "another's" {
				t.Errorf("still heard at %.0f dB", got[0])
			}
		})
	}
}

func TestReplayInConferenceIsHeardByNobodyElse(t *testing.T) {
	p, _ := replaying(t, g722)
	defer p.end()
	p.add("c", pcma).hz = 1700
	p.cast("b", RoleListen)
	p.e.Mix("a", "b", "c")
	p.pass(10)
	if err := p.e.Replay("a", true); err != nil {
		t.Fatal(err)
	}
	p.pass(10)
	for _, k := range p.lines {
		k.heard = nil
	}
	if got := p.hears(p.page, 50, 600, 1200, 1700); math.Abs(got[0]) > 1 || math.Abs(got[1]+12) > 1 || math.Abs(got[2]+12) > 1 {
		t.Errorf("the page hears %.1f", got)
	}
	for _, k := range p.lines {
		if d := decibels(strength(k.heard, 600, mixRate), 6000); d > -50 {
			t.Errorf("%s hears it at %.0f dB", k.name, d)
		}
	}
	p.e.Mix() // goes on in the call alone
	p.pass(10)
	if got := p.hears(p.page, 25, 600, 1200); math.Abs(got[0]) > 1 || math.Abs(got[1]+12) > 1 {
		t.Errorf("after the conference the page hears %.1f", got)
	}
}

func TestNothingToReplayIsSaid(t *testing.T) {
	p, _ := replaying(t, pcmu)
	defer p.end()
	refused := func(what, id string, want error) {
		t.Helper()
		if err := p.e.Replay(id, true); err != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("not there", "z", ErrNoLine)
	refused("not in focus", "b", ErrNoReplay)
	p.card("a", true)
	refused("card number", "a", ErrNoReplay)
	p.card("a", false)
	refused("wiped", "a", ErrNoReplay)
	p.pass(10)
	p.hold("a", true)
	refused("held", "a", ErrNoReplay)
	p.hold("a", false)
	p.e.KeepReplay(false)
	refused("by policy", "a", ErrNoReplay)
	if p.e.lines["a"].taps.Load() != nil {
		t.Error("the line is still listened to")
	}
}

func TestCardNumberIsNotKept(t *testing.T) {
	p, _ := replaying(t, pcmu)
	defer p.end()
	k := p.e.lines["a"].aside.kept
	p.card("a", true)
	p.pass(50)
	p.card("a", false)
	p.lines[0].becomes(t, 600)
	p.pass(50)
	if peakByte(k.data) > 0 {
		t.Error("the memory is not wiped")
	}
	if err := p.e.Replay("a", true); err != nil {
		t.Fatal(err)
	}
	p.lines[0].becomes(t, 2000)
	if got := p.hears(p.page, 55, 1200); got[0] > -50 {
		t.Errorf("what was said before is heard at %.0f dB", got[0])
	}
}

func peakByte(b []byte) (top byte) {
	for _, v := range b {
		top = max(top, v)
	}
	return top
}

func TestMemoryHoldsTwentySecondsOfPacketsAndNoMoreThanItsRoom(t *testing.T) {
	noise := rand.New(rand.NewPCG(4, 20))
	for name, next := range map[string]func() (int, time.Duration){
		"G.711":            func() (int, time.Duration) { return 160, 20 * time.Millisecond },
		"10 ms":            func() (int, time.Duration) { return 80, 10 * time.Millisecond },
		"fastest":          func() (int, time.Duration) { return 40, time.Millisecond },
		"as large as Opus": func() (int, time.Duration) { return 1275, 20 * time.Millisecond },
		"anything": func() (int, time.Duration) {
			return 1 + noise.IntN(maxPayload), time.Duration(noise.IntN(3000)) * time.Millisecond
		},
	} {
		k := &keeper{data: make([]byte, replayRoom), list: make([]kept, replayMost)}
		var all [][]byte
		now := time.Unix(1000, 0)
		for i := range 5000 {
			size, later := next()
			now = now.Add(later)
			payload := bytes.Repeat([]byte{byte(i), byte(i >> 8)}, (size+1)/2)[:size]
			all = append(all, payload)
			k.tapped(false, pcmu, packet{seq: uint16(i), payload: payload}, now)
			k.tapped(true, pcmu, packet{seq: 7, payload: payload}, now)
		}
		p := k.player()
		bytesKept, span := 0, p.list[len(p.list)-1].at
		for i, one := range p.list {
			if want := all[len(all)-len(p.list)+i]; !bytes.Equal(one.payload, want) {
				t.Fatalf("%s: packet %d of %d is another", name, i, len(p.list))
			}
			bytesKept += len(one.payload)
		}
		t.Logf("%s: %d packets, %d bytes, %v", name, len(p.list), bytesKept, span)
		if span > replaySpan || span < 19*time.Second && len(p.list) < replayMost && bytesKept < replayRoom-2*maxPayload {
			t.Errorf("%s: %d packets, %d bytes, %v", name, len(p.list), bytesKept, span)
		}
	}
}

// TestSeamsOfReplayAreNotHeard begins replays at any place of a sentence and holds what the page gets against the two sounds it
// is made of.
func TestSeamsOfReplayAreNotHeard(t *testing.T) {
	Computes(t)
	source := spoken(t)
	for _, c := range []codec{pcmu, g722} {
		worst := 0
		for at := 40; at < 120; at += 3 {
			p := newParty(t, c)
			p.e.KeepReplay(true)
			p.e.Focus("a")
			p.lines[0].speech = source
			p.pass(at)
			if err := p.e.Replay("a", true); err != nil {
				t.Fatal(err)
			}
			p.pass(2*at + besideRest/2)
			if p.e.beside.Load() != nil {
				t.Errorf("begun after %d frames it does not end", at)
			}
			worst = max(worst, bend(p.page.heard))
			p.end()
		}
		r, w := reader{}, writer{}
		var plain []int16
		for i := 0; i+mixFrame <= len(source); i += mixFrame {
			plain = r.read(plain, c, w.write(nil, c, source[i:i+mixFrame]))
		}
		t.Logf("%v: the sharpest turn is %d, in speech %d", c, worst, bend(plain))
		if worst > 2*bend(plain) {
			t.Errorf("%v: a turn of %d, in speech the sharpest is %d", c, worst, bend(plain))
		}
	}
}

// bend is how sharply a sound turns at the most.
func bend(pcm []int16) (most int) {
	for i := 2; i < len(pcm); i++ {
		b := int(pcm[i]) - 2*int(pcm[i-1]) + int(pcm[i-2])
		most = max(most, b, -b)
	}
	return most
}
