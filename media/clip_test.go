package media

import (
	"bytes"
	"testing"
	"time"
)

// clipped is what a clip of line a sounds like: agent and caller.
func (p *party) clipped() (agent, caller []int16) {
	p.t.Helper()
	k := p.e.lines["a"].aside.clip
	list, err := k.blocks(p.now)
	if err != nil {
		return nil, nil
	}
	err = ReadRecording(bytes.NewReader(bytes.Join(list, nil)), func(stereo []int16) error {
		for i := 0; i+1 < len(stereo); i += 2 {
			agent, caller = append(agent, stereo[i]), append(caller, stereo[i+1])
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return agent, caller
}

// TestClipIsTheLastHalfMinuteOfBothSides: and nothing of a card number, also where another line of the conference has it.
func TestClipIsTheLastHalfMinuteOfBothSides(t *testing.T) {
	p := newParty(t, pcmu, g722)
	if _, err := p.e.Clip("a"); err != ErrNoClip {
		t.Fatal(err)
	}
	p.e.KeepClip(true)
	p.now = p.e.lines["a"].aside.clip.begun
	p.e.Focus("a")
	p.pass(500)
	p.lines[0].hz = 1200
	p.pass(1600) // 32 s
	if _, err := p.e.Clip("z"); err != ErrNoLine {
		t.Error(err)
	}
	agent, caller := p.clipped()
	if length := time.Duration(len(agent)) * time.Second / RecordRate; len(agent) != len(caller) || length < 29*time.Second || length > 32*time.Second {
		t.Errorf("a clip of %v", length)
	}
	loud := func(pcm []int16, hz float64) float64 { return decibels(strength(pcm, hz, mixRate), 6000) }
	if a, old, now := loud(agent, 400), loud(caller, 600), loud(caller, 1200); a < -2 || old > -20 || now < -2 {
		t.Errorf("the agent is heard at %.1f dB, the caller at %.1f, long ago at %.1f", a, now, old)
	}

	p.e.Mix("a", "b")
	p.card("b", true) // a hears it too
	p.pass(100)
	if agent, caller := p.clipped(); len(agent)+len(caller) > 0 {
		t.Errorf("%d samples while a card number is said", len(agent))
	}
	p.card("b", false)
	p.pass(50)
	if agent, _ := p.clipped(); loud(agent[len(agent)-8000:], 400) < -3 || loud(agent[:8000], 400) > -40 {
		t.Error("afterwards it is not as it should be")
	}
	p.e.KeepClip(false)
	if _, err := p.e.Clip("a"); err != ErrNoClip {
		t.Error(err)
	}
}
