package media

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestConferenceHearsAllOthersAndNobodyThemselves(t *testing.T) {
	p := newParty(t, g722, pcmu, pcma)
	p.e.Focus("a")
	p.pass(5)
	p.e.Mix("a", "b", "c")
	p.pass(25)
	everybody := "a<b a<c a<page b<a b<c b<page c<a c<b c<page page<a page<b page<c"
	p.check("all", everybody, p.ears(50))
	for _, k := range p.all() {
		if k.seams > 0 {
			t.Errorf("%s gets a stream with %d seams", k.name, k.seams)
		}
		for at := 0; at+mixFrame <= len(k.heard); at += mixFrame {
			for _, from := range p.all() {
				if d := decibels(strength(k.heard[at:at+mixFrame], from.hz, mixRate), 6000); from != k && (d < -2 || d > 1) {
					t.Errorf("%s hears %s at %.1f dB in frame %d", k.name, from.name, d, at/mixFrame)
				}
			}
		}
	}
	if p.e.likely != g722 {
		t.Errorf("the page is to speak %v", p.e.likely)
	}
	p.e.Mute(true)
	p.pass(4)
	p.check("muted", "a<b a<c b<a b<c c<a c<b page<a page<b page<c", p.ears(50))
	p.e.Mute(false)
	p.pass(8)
	p.check("not muted any more", everybody, p.ears(50))
	p.e.Focus("b") // of the conference: nothing changes
	p.pass(4)
	p.check("focus within", everybody, p.ears(50))
	p.e.CloseLine("a")
	p.pass(8)
	p.check("a has left", "b<c b<page c<b c<page page<b page<c", p.ears(50))
	if p.e.likely != pcmu {
		t.Errorf("without a wide line the page is to speak %v", p.e.likely)
	}
	p.e.Mix()
	p.pass(8)
	p.check("over: b is in focus", "b<page page<b", p.ears(50))
	for _, k := range p.all() {
		if k.seams > 0 {
			t.Errorf("in the end %s got a stream with %d seams", k.name, k.seams)
		}
	}
	if p.e.mixer.Load() != nil || p.e.lines["c"].part.Load() != nil {
		t.Error("there is still a mixer")
	}
}

func TestHeldLineIsOutOfTheConferenceUntilResumed(t *testing.T) {
	p := newParty(t, pcmu, g722)
	p.e.Mix("a", "b")
	p.pass(25)
	for _, dir := range []string{"sendonly", "inactive"} {
		if _, err := p.e.Reanswer("a", p.lines[0].sdp(dir)); err != nil {
			t.Fatal(err)
		}
		p.pass(8)
		p.check("held, they send "+dir, "b<page page<b", p.ears(50))
		if _, err := p.e.Reanswer("a", p.lines[0].sdp("sendrecv")); err != nil {
			t.Fatal(err)
		}
		p.pass(8)
		p.check("resumed", "a<b a<page b<a b<page page<a page<b", p.ears(50))
	}
	if _, err := p.e.HoldOffer("b", true); err != nil {
		t.Fatal(err)
	}
	if err := p.e.SetAnswer("b", p.lines[1].sdp("recvonly")); err != nil {
		t.Fatal(err)
	}
	p.pass(8)
	p.check("we hold", "a<page page<a", p.ears(50))
	before := p.lines[1].last.seq
	p.pass(50)
	if n := p.lines[1].last.seq - before; n < 45 {
		t.Errorf("whom we hold gets %d packets a second", n)
	}
}

func TestFocusElsewhereTakesThePageOutOfTheConference(t *testing.T) {
	p := newParty(t, pcmu, pcmu, pcma)
	p.e.Mix("a", "b")
	p.e.Focus("c")
	p.pass(10)
	p.check("focus on c", "a<b b<a c<page page<c", p.ears(50))
	p.e.Focus("a")
	p.pass(10)
	p.check("focus on a", "a<b a<page b<a b<page page<a page<b", p.ears(50))
	p.e.CloseLine("a") // the one in focus: the page stays with the other
	p.pass(10)
	p.check("one left", "b<page page<b", p.ears(50))
	if p.e.mixer.Load() == nil {
		t.Error("nobody carries the one that is left")
	}
	p.e.Focus("b")
	p.pass(10)
	p.check("passed through", "b<page page<b", p.ears(50))
	if p.e.mixer.Load() != nil {
		t.Error("a mixer for one")
	}
}

func TestLineOpenedLaterJoins(t *testing.T) {
	p := newParty(t, pcmu)
	p.e.Mix("a", "b")
	p.add("b", pcma)
	p.pass(25)
	p.check("later", "a<b a<page b<a b<page page<a page<b", p.ears(50))
}

func TestOpusTakesPartOnceRenegotiated(t *testing.T) {
	p := newParty(t, opus, pcmu, g722)
	p.e.Mix("a", "b", "c")
	p.pass(25)
	p.check("before", "b<a b<c b<page c<a c<b c<page page<a page<b page<c", p.ears(50)) // heard at once
	offer, needed, err := p.e.MixOffer("a")
	if err != nil || !needed || strings.Contains(offer, "opus") || strings.Contains(offer, "/48000") || !strings.Contains(offer, "G722") ||
		!strings.Contains(offer, "telephone-event/8000") || !strings.Contains(offer, "a=sendrecv") {
		t.Errorf("%v %v\n%s", needed, err, offer)
	}
	p.lines[0].c = pcma
	if err := p.e.SetAnswer("a", p.lines[0].sdp("sendrecv")); err != nil {
		t.Fatal(err)
	}
	p.pass(10)
	p.check("renegotiated", "a<b a<c a<page b<a b<c b<page c<a c<b c<page page<a page<b page<c", p.ears(50))
	if _, needed, err := p.e.MixOffer("a"); needed || err != nil {
		t.Errorf("again: %v %v", needed, err)
	}
	if _, _, err := p.e.MixOffer("z"); err != ErrNoLine {
		t.Errorf("no line: %v", err)
	}
}

func TestConferenceKeepsItsCodecsInReoffers(t *testing.T) {
	p := newParty(t, pcmu, pcmu)
	p.e.Mix("a", "b")
	a := p.lines[0]
	answer, err := p.e.Reanswer("a", lines(fmt.Sprintf("m=audio %d RTP/AVP 111 0", a.peer.addr().Port()), "a=rtpmap:111 opus/48000/2"))
	if err != nil || strings.Contains(answer, "opus") || !strings.Contains(answer, "RTP/AVP 0\r") {
		t.Errorf("%v\n%s", err, answer)
	}
	if offer, err := p.e.HoldOffer("a", true); err != nil || strings.Contains(offer, "opus") {
		t.Errorf("%v\n%s", err, offer)
	}
	p.e.Mix()
	if offer, err := p.e.HoldOffer("a", false); err != nil || !strings.Contains(offer, "opus") {
		t.Errorf("after the conference: %v\n%s", err, offer)
	}
}

func TestConferenceSendsPacketsAsLongAsWanted(t *testing.T) {
	for _, ms := range []int{10, 30, 40, 60} {
		p := newParty(t, pcmu, pcma)
		a := p.lines[0]
		if _, err := p.e.Reanswer("a", a.sdp("sendrecv")+fmt.Sprintf("a=ptime:%d\r\n", ms)); err != nil {
			t.Fatal(err)
		}
		p.e.Mix("a", "b")
		p.pass(25)
		p.check(fmt.Sprint(ms), "a<b a<page b<a b<page page<a page<b", p.ears(60))
		if len(a.last.payload) != ms*8 || a.seams > 0 {
			t.Errorf("ptime %d: %d octets, %d seams", ms, len(a.last.payload), a.seams)
		}
		p.end()
	}
}

func TestDigitsPassWhileMixing(t *testing.T) {
	told := &told{}
	p := newParty(t, pcmu, pcmu)
	p.e.cfg.Tell = told.tell
	events := "m=audio %d RTP/AVP 0 101"
	if _, err := p.e.Reanswer("a", lines(fmt.Sprintf(events, p.lines[0].peer.addr().Port()), "a=rtpmap:101 telephone-event/8000")); err != nil {
		t.Fatal(err)
	}
	p.e.Mix("a", "b")
	p.pass(10)
	if err := p.e.Digits("a", "7"); err != nil {
		t.Fatal(err)
	}
	a := p.lines[0].l
	var got []packet
	for range 20 {
		p.now = p.now.Add(20 * time.Millisecond)
		p.e.mixer.Load().tick(p.now)
		a.tick(p.now)
		for {
			pk, ok := p.lines[0].peer.next(time.Millisecond)
			if !ok {
				break
			}
			got = append(got, pk)
		}
	}
	keys := 0
	for i, pk := range got {
		if i > 0 && pk.seq != got[i-1].seq+1 {
			t.Errorf("sequence %d after %d", pk.seq, got[i-1].seq)
		}
		if pk.pt == 101 {
			keys++
		}
	}
	if keys != 8 || len(got) != 20-6+8 { // a key of five packets and three ends takes the place of six frames
		t.Errorf("%d packets, %d of the key", len(got), keys)
	}
	b := make([]byte, 200)
	n := packet{pt: 101, seq: 9999, ts: 5, payload: []byte{3, 0x8a, 3, 32}}.put(b)
	a.receive(b[:n], p.lines[0].peer.addr(), p.now)
	if !told.has(Digit{"a", "3"}) {
		t.Error("their digit is not told")
	}
}

func TestReloadedPageIsBackInTheConference(t *testing.T) {
	p := newParty(t, pcmu, g722)
	p.e.Mix("a", "b")
	p.pass(25)
	old := p.conn
	p.conn = &conn{page: old.page, track: newTrack()}
	p.conn.learn([]format{{9, "G722", 8000}, {0, "PCMU", 8000}})
	p.conn.track.change(func(o *outlet) { o.w = p })
	p.page.last = packet{}
	old.page.conn.Store(nil)
	p.pass(15)
	p.check("away", "a<b b<a", p.ears(25))
	old.page.conn.Store(p.conn)
	p.page.seq += 1000
	p.pass(8)
	p.check("back", "a<b a<page b<a b<page page<a page<b", p.ears(50))
	if p.page.seams > 0 {
		t.Errorf("%d seams", p.page.seams)
	}
}

// TestNobodyHearsThemselvesWhateverHappens lets things happen to a conference at random and holds what everybody hears, frame
// by frame, against what they may hear.
func TestNobodyHearsThemselvesWhateverHappens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		begin := func() *party {
			p := newParty(t, g722, pcmu, pcma, opus)
			p.e.Mix("a", "b", "c", "d")
			return p
		}
		p := begin()
		defer p.end()
		var moves []func(*party)
		// without is what is heard of somebody who says nothing: what the beginning of other tones leaves at that pitch.
		without := func(from string) map[string]float64 {
			q := begin()
			defer q.end()
			for _, k := range append([]*talker{q.page}, q.lines...) {
				k.dumb = k.name == from
			}
			for _, m := range moves[:len(moves)-1] {
				m(q)
				q.ears(8)
			}
			moves[len(moves)-1](q)
			return q.ears(8)
		}
		held, muted := map[string]bool{}, false
		names := []string{"a", "b", "c", "d"}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			n := rapid.IntRange(0, len(p.lines)-1).Draw(r, "line")
			k := p.lines[n]
			move := func(*party) {}
			switch act := rapid.SampledFrom([]string{"hold", "mute", "close", "mix", "focus", "unmix"}).Draw(r, "act"); act {
			case "hold":
				if held[k.name] = !held[k.name]; p.e.lines[k.name] == k.l {
					dir := map[bool]string{true: rapid.SampledFrom([]string{"sendonly", "inactive"}).Draw(r, "how"), false: "sendrecv"}[held[k.name]]
					move = func(p *party) {
						if _, err := p.e.Reanswer(k.name, p.lines[n].sdp(dir)); err != nil {
							r.Fatal(err)
						}
					}
				}
			case "mute":
				muted = !muted
				on := muted
				move = func(p *party) { p.e.Mute(on) }
			case "close":
				move = func(p *party) { p.e.CloseLine(k.name) }
			case "mix":
				from := rapid.IntRange(0, 2).Draw(r, "from")
				move = func(p *party) { p.e.Mix(names[from:]...) }
			case "focus":
				move = func(p *party) { p.e.Focus(k.name) }
			case "unmix":
				move = func(p *party) { p.e.Mix() }
			}
			moves = append(moves, move)
			move(p)
			levels := p.ears(8)
			part := func(name string) bool { l := p.e.lines[name]; return l != nil && l.part.Load() != nil && !held[name] }
			for pair, level := range levels {
				to, from, _ := strings.Cut(pair, "<")
				allowed := to != from
				switch {
				case from == "page":
					allowed = allowed && !muted
				case to != "page":
					allowed = allowed && part(to) && part(from) && to != "d" // we cannot speak Opus
				}
				if level > -25 && !allowed && level > without(from)[pair]+3 {
					r.Errorf("%s at %.0f dB; muted %v, held %v, conference %v, focus %q", pair, level, muted, held, p.e.mixed, p.e.wanted)
				}
			}
		}
		p.pass(12)
		m := p.e.mixer.Load()
		for pair, level := range p.ears(10) {
			to, from, _ := strings.Cut(pair, "<")
			here := func(name string) bool {
				if name == "page" {
					return m != nil && m.withPage.Load()
				}
				l := p.e.lines[name]
				return l != nil && l.part.Load() != nil && !held[name]
			}
			if to != from && to != "d" && here(to) && here(from) && (from != "page" || !muted) && level < -3 {
				r.Errorf("in the end %s at %.0f dB; muted %v, held %v, conference %v, focus %q", pair, level, muted, held, p.e.mixed, p.e.wanted)
			}
		}
	})
}
