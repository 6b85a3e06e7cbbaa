package media

import "testing"

// cast gives a line a role that must be there.
func (p *party) cast(name string, role Role) {
	p.t.Helper()
	if err := p.e.Attend(name, role); err != nil {
		p.t.Fatal(err)
	}
}

func (p *party) card(name string, on bool) {
	p.t.Helper()
	if err := p.e.Card(name, on); err != nil {
		p.t.Fatal(err)
	}
}

// TestThreeTonesProveWhoHearsWhom goes through a supervised call: a is the caller, b the supervisor, c a colleague.
func TestThreeTonesProveWhoHearsWhom(t *testing.T) {
	const pair = "a<page page<a"
	p := newParty(t, pcmu, g722)
	p.e.Focus("a")
	for _, step := range []struct {
		name  string
		do    func()
		heard string
	}{
		{"talk", func() {}, pair},
		{"listen", func() { p.cast("b", RoleListen); p.e.Mix("a", "b") }, pair + " b<a b<page"},
		{"whisper", func() { p.cast("b", RoleWhisper) }, pair + " b<a b<page page<b"},
		{"join", func() { p.cast("b", RoleJoin) }, pair + " b<a b<page page<b a<b"},
		{"an ordinary member", func() { p.cast("b", RoleTalk) }, pair + " b<a b<page page<b a<b"},
		{"whisper again", func() { p.cast("b", RoleWhisper) }, pair + " b<a b<page page<b"},
		{"card", func() { p.card("a", true) }, pair + " page<b"},
		{"card, listen", func() { p.cast("b", RoleListen) }, pair},
		{"card, join", func() { p.cast("b", RoleJoin) }, pair},
		{"card over", func() { p.cast("b", RoleListen); p.card("a", false) }, pair + " b<a b<page"},
		{"hold", func() { p.hold("a", true) }, "b<page"},
		{"resumed", func() { p.hold("a", false) }, pair + " b<a b<page"},
		{"muted", func() { p.e.Mute(true) }, "page<a b<a"},
		{"not muted", func() { p.e.Mute(false) }, pair + " b<a b<page"},
		{"consultation", func() { p.add("c", pcma); p.e.Focus("c") }, "page<c c<page b<a"},
		{"conference", func() { p.e.Focus("a"); p.e.Mix("a", "b", "c") }, pair + " page<c c<page a<c c<a b<a b<c b<page"},
		{"transferred: the caller is gone", func() { p.e.CloseLine("a") }, "page<c c<page b<c b<page"},
		{"all are gone but who listens", func() { p.e.CloseLine("c") }, ""},
		{"the page asks for who listens", func() { p.e.Focus("b") }, ""},
		{"who stays may whisper to nobody", func() { p.cast("b", RoleWhisper) }, ""},
		{"nor join nobody", func() { p.cast("b", RoleJoin) }, ""},
		{"but become an ordinary call", func() { p.cast("b", RoleTalk) }, "page<b b<page"},
	} {
		step.do()
		p.pass(10)
		p.check(step.name, step.heard, p.ears(50))
	}
	for _, k := range p.all() {
		if k.seams > 0 {
			t.Errorf("%s got a stream with %d seams", k.name, k.seams)
		}
	}
	if p.e.mixer.Load() != nil {
		t.Error("a mixer for an ordinary call")
	}
	if p.e.Attend("z", RoleListen) != ErrNoLine || p.e.Card("z", true) != ErrNoLine {
		t.Error("a line that is not there has a role")
	}
}

func TestListenerBringsNoMicrophoneToLife(t *testing.T) {
	p := newParty(t, pcmu, pcmu)
	p.cast("b", RoleListen)
	p.e.Mix("a", "b")
	if !p.live() {
		t.Error("the call is not live")
	}
	p.hold("a", true)
	if p.live() {
		t.Error("on hold a listener asks for the microphone")
	}
	p.hold("a", false)
	p.e.CloseLine("a")
	if p.live() {
		t.Error("without a caller a listener asks for the microphone")
	}
}

// hold lets a line's far end hold, or resume.
func (p *party) hold(name string, on bool) {
	p.t.Helper()
	dir := "sendrecv"
	if on {
		dir = "inactive"
	}
	for _, k := range p.lines {
		if k.name == name {
			if _, err := p.e.Reanswer(name, k.sdp(dir)); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// live says that the page is asked for sound.
func (p *party) live() bool {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	return p.e.liveLocked()
}
