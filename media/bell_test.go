package media

import "testing"

// bells is how loud each hears the bell, in dB of how it begins, while so many frames pass.
func (p *party) bells(frames int) map[string]float64 {
	p.t.Helper()
	for _, k := range p.all() {
		k.heard = nil
	}
	p.pass(frames)
	levels := map[string]float64{}
	for _, k := range p.all() {
		levels[k.name] = -100
		if len(k.heard) > 0 {
			levels[k.name] = decibels(strength(k.heard, bellHz, mixRate), bellLoud)
		}
	}
	return levels
}

// TestAgentAndCallerHearThatSomebodyTakesPart: a is the caller, b the supervisor, c another caller. The tone is louder where it begins, and
// again for whoever comes later; who takes part does not hear it.
func TestAgentAndCallerHearThatSomebodyTakesPart(t *testing.T) {
	p := newParty(t, pcmu, g722)
	for _, k := range p.all() {
		k.dumb = true
	}
	hear := func(when string, frames int, least, most float64, who ...string) {
		t.Helper()
		levels := p.bells(frames)
		for name, level := range levels {
			in := false
			for _, w := range who {
				in = in || w == name
			}
			if in && (level < least || level > most) || !in && level > -40 {
				t.Errorf("%s: %s hears it at %.1f dB", when, name, level)
			}
		}
	}
	const begin = 2*bellOn + bellGap
	if err := p.e.Bell("b", true); err != nil || p.e.Bell("z", true) != ErrNoLine {
		t.Fatal(err)
	}
	p.cast("b", RoleListen)
	p.e.Focus("a")
	hear("before", begin, 0, 0)
	p.e.Mix("a", "b")
	hear("begin", begin, -8, 1, "a", "page")
	p.cast("b", RoleWhisper)
	hear("another role", bellEvery-begin-2, 0, 0)
	hear("after 15 s", bellOn+4, -20, -11, "a", "page")
	hear("between", bellEvery-bellOn-4, 0, 0)
	hear("after 30 s", bellOn+4, -20, -11, "a", "page")
	p.add("c", pcma).dumb = true
	p.e.Mix("a", "b", "c")
	hear("one more comes", begin, -8, 1, "a", "c", "page")
	p.e.CloseLine("c")
	p.e.CloseLine("a")
	hear("no call", bellEvery+begin, 0, 0)
	p.add("d", pcmu).dumb = true
	p.e.Focus("d")
	p.e.Mix("d", "b")
	hear("the next call", begin, -8, 1, "d", "page")
	if err := p.e.Bell("b", false); err != nil {
		t.Fatal(err)
	}
	hear("silenced", bellEvery+begin, 0, 0)
}
