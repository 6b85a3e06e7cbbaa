package media

import (
	"math"
	"testing"
)

func TestAnnouncementTakesTheAgentsPlace(t *testing.T) {
	for _, c := range []codec{pcmu, pcma, g722} {
		t.Run(c.String(), func(t *testing.T) {
			said := &told{}
			p := newParty(t, c)
			defer p.end()
			p.e.cfg.Tell = said.tell
			p.e.Focus("a")
			p.pass(20)
			if err := p.e.Announce("a", Tone(1400, 500, 500, 2), true); err != nil {
				t.Fatal(err)
			}
			a := p.lines[0]
			a.heard = nil
			p.pass(5)
			if got := p.hears(a, 15, 1400, p.page.hz); math.Abs(got[0]-4.74) > 1 || got[1] > -40 { // 10362 of 6000
				t.Errorf("the caller hears the tone at %.1f dB, the agent at %.1f", got[0], got[1])
			}
			p.pass(8)
			if got := p.hears(a, 15, 1400, p.page.hz); got[0] > -40 || got[1] > -40 {
				t.Errorf("in the pause the caller hears the tone at %.1f dB, the agent at %.1f", got[0], got[1])
			}
			p.pass(7)
			got := p.hears(p.page, 15, 1400, a.hz)
			if math.Abs(got[0]-4.74+12) > 1 || math.Abs(got[1]) > 1 {
				t.Errorf("the agent hears the tone at %.1f dB, the caller at %.1f", got[0], got[1])
			}
			p.pass(40)
			if !said.has(Played{"a"}) {
				t.Error("its end is not told")
			}
			p.pass(besideRest)
			if p.e.beside.Load() != nil {
				t.Error("the agent's ear is not let go")
			}
			if got := p.hears(a, 25, 1400, p.page.hz); got[0] > -40 || math.Abs(got[1]) > 1 {
				t.Errorf("afterwards the caller hears the tone at %.1f dB, the agent at %.1f", got[0], got[1])
			}
			if a.seams+p.page.seams > 0 {
				t.Errorf("%d and %d seams", a.seams, p.page.seams)
			}
		})
	}
}

func TestAnnouncementWithoutEarLeavesTheAgentAlone(t *testing.T) {
	p := newParty(t, pcmu)
	p.e.Focus("a")
	if err := p.e.Announce("a", Tone(1400, 100, 0, 0), false); err != nil || p.e.beside.Load() != nil {
		t.Errorf("%v", err)
	}
	p.pass(10)
	if err := p.e.Announce("a", nil, true); err != nil {
		t.Fatal(err)
	}
	p.pass(5)
	if got := p.hears(p.lines[0], 25, 1400, p.page.hz); got[0] > -40 || math.Abs(got[1]) > 1 {
		t.Errorf("ended early: the caller hears the tone at %.1f dB, the agent at %.1f", got[0], got[1])
	}
	if err := p.e.Announce("z", nil, true); err != ErrNoLine {
		t.Errorf("no line: %v", err)
	}
}

func TestAnnouncementOnOpusIsForTheAgentAlone(t *testing.T) {
	said := &told{}
	p := newParty(t, opus)
	p.e.cfg.Tell = said.tell
	p.e.Focus("a")
	p.pass(20)
	if err := p.e.Announce("a", Tone(1400, 500, 0, 1), true); err != ErrUnspoken {
		t.Errorf("%v", err)
	}
	p.pass(5)
	if got := p.hears(p.page, 15, 1400, p.lines[0].hz); math.Abs(got[0]-4.74+12) > 1 || math.Abs(got[1]) > 1 {
		t.Errorf("the agent hears the tone at %.1f dB, the caller at %.1f", got[0], got[1])
	}
	p.pass(20)
	if !said.has(Played{"a"}) {
		t.Error("its end is not told")
	}
}

func TestAnnouncementWaitsWhileHeld(t *testing.T) {
	said := &told{}
	p := newParty(t, pcmu)
	p.e.cfg.Tell = said.tell
	p.e.Focus("a")
	p.hold("a", true)
	if err := p.e.Announce("a", Tone(1400, 500, 0, 1), true); err != nil {
		t.Fatal(err)
	}
	p.pass(60)
	if said.has(Played{"a"}) {
		t.Error("it sounds while held")
	}
	p.hold("a", false)
	p.pass(3)
	if got := p.hears(p.lines[0], 15, 1400); math.Abs(got[0]-4.74) > 1 {
		t.Errorf("resumed, the caller hears it at %.1f dB", got[0])
	}
	p.pass(15)
	if !said.has(Played{"a"}) {
		t.Error("its end is not told")
	}
}

func TestToneIsOnAndOffAsOftenAsAsked(t *testing.T) {
	s, frame := Tone(1400, 300, 100, 3), make([]int16, 160)
	var pcm []int16
	for s.Next(frame) {
		pcm = append(pcm, frame...)
	}
	if len(pcm) != 1200*8 {
		t.Fatalf("%d samples", len(pcm))
	}
	for at := 0; at < len(pcm); at += 80 {
		on := at/8%400 < 300
		if p := peak(pcm[at : at+80]); on && (p < 9000 || p > toneSize) || !on && p > 0 {
			t.Errorf("at %d ms a peak of %d", at/8, p)
		}
	}
	if Tone(1400, 0, 0, 1).Next(frame) {
		t.Error("a tone of no length sounds")
	}
}
