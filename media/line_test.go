package media

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// told keeps events.
type told struct {
	mu  sync.Mutex
	all []Event
}

func (w *told) tell(ev Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, ev)
}

func (w *told) has(ev Event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.all, ev)
}

// peer is a far end with a socket of its own.
type peer struct {
	t    testing.TB
	conn *net.UDPConn
}

func newPeer(t testing.TB, at string) *peer {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &peer{t, conn}
}

func (p *peer) addr() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p *peer) send(to netip.AddrPort, pk packet) {
	p.t.Helper()
	b := make([]byte, rtpHeader+len(pk.payload))
	pk.put(b)
	if _, err := p.conn.WriteToUDPAddrPort(b, to); err != nil {
		p.t.Fatal(err)
	}
}

// next is the next packet that arrives; false: none within that time.
func (p *peer) next(within time.Duration) (packet, bool) {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 2000)
	n, _, err := p.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		return packet{}, false
	}
	pk, ok := parseRTP(b[:n])
	if !ok {
		p.t.Fatalf("not RTP: %x", b[:n])
	}
	return pk, true
}

// answered is an engine with a line to that peer, in focus; nothing runs but the line's readers.
func answered(t *testing.T, p *peer, formats string, attributes ...string) (*Engine, *line, *told) {
	t.Helper()
	w := &told{}
	e, err := New(Config{Tell: w.tell})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.shut)
	m := "m=audio " + p.addr().String()[len("127.0.0.1:"):] + " RTP/AVP " + formats
	if _, err := e.AnswerLine("a", local, lines(append([]string{m}, attributes...)...), Security{}); err != nil {
		t.Fatal(err)
	}
	e.Focus("a")
	return e, e.lines["a"], w
}

func (l *line) address() netip.AddrPort { return l.rtp.local() }

func speech160(seq uint16, ts uint32) packet {
	return packet{seq: seq, ts: ts, ssrc: 7, payload: make([]byte, 160)}
}

func TestThirdPartyNeitherHearsNorSpeaks(t *testing.T) {
	far, thief, neighbour := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.2:0"), newPeer(t, "127.0.0.1:0")
	_, l, w := answered(t, far, "0 101", "a=rtpmap:101 telephone-event/8000")
	thief.send(l.address(), speech160(1, 160))
	thief.send(l.address(), packet{pt: 101, ts: 1, payload: []byte{5, 0x0a, 0, 160}})
	far.send(l.address(), speech160(1, 160))
	eventually(t, "the far end is heard", func() bool { return l.quality.flow().Packets == 1 })
	neighbour.send(l.address(), speech160(9, 160)) // the same address, another port, while the far end speaks
	far.send(l.address(), speech160(2, 320))
	eventually(t, "the far end is heard", func() bool { return l.quality.flow().Packets == 2 })
	if w.has(Digit{"a", "5"}) {
		t.Error("a third party pressed a key")
	}
	l.speak(pcmu, speech160(1, 0), false, time.Now())
	if _, ok := far.next(time.Second); !ok {
		t.Error("the far end hears nothing")
	}
	for name, p := range map[string]*peer{"thief": thief, "neighbour": neighbour} {
		if _, ok := p.next(50 * time.Millisecond); ok {
			t.Errorf("the %s hears us", name)
		}
	}
}

func TestPacketsGoWhereTheFarEndSendsFrom(t *testing.T) {
	signalled, real := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
	_, l, _ := answered(t, signalled, "0")
	real.send(l.address(), speech160(1, 160))
	eventually(t, "latched", func() bool { return *l.to.Load() == real.addr() })
	l.speak(pcmu, speech160(1, 0), false, time.Now())
	if _, ok := real.next(time.Second); !ok {
		t.Error("symmetric RTP does not come back")
	}
}

// TestLatePacketsOfWhoHasLeftDoNotTakeTheSoundAlong: a transfer leads the sound elsewhere, and who sent it on still sends. Two far
// sides that both followed its last packets would hear nothing of each other, for ever.
func TestLatePacketsOfWhoHasLeftDoNotTakeTheSoundAlong(t *testing.T) {
	before, next, mapped := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, before, "0")
	now := time.Now()
	packet := func(seq uint16) []byte {
		b := make([]byte, 200)
		p := speech160(seq, 160*uint32(seq))
		return b[:p.put(b)]
	}
	arrives := func(p *peer, seq uint16, at time.Time, want *peer) {
		t.Helper()
		l.receive(packet(seq), p.addr(), at)
		if to := *l.to.Load(); to != want.addr() {
			t.Fatalf("packet %d: sound goes to %v, want %v", seq, to, want.addr())
		}
	}
	arrives(before, 1, now, before)
	if _, err := e.Reanswer("a", lines("m=audio "+next.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	since := l.route.Load().since
	arrives(before, 2, since, next)
	if n := l.quality.flow().Packets; n != 2 {
		t.Errorf("%d packets were heard, want the last one too (RFC 3264 §8.3.1)", n)
	}
	arrives(mapped, 1, since, mapped) // a network may have given the new one another port
	arrives(next, 1, since.Add(relatch/2), next)
	arrives(before, 3, since.Add(relatch-1), next)

	// One that goes on sending from where it was, and from nowhere else, is no other one.
	if _, err := e.Reanswer("a", lines("m=audio "+mapped.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	since = l.route.Load().since
	arrives(next, 2, since, mapped)
	arrives(next, 3, since.Add(relatch), next)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}

func TestSilenceKeepsEveryLineAlive(t *testing.T) {
	rows := []struct {
		codec   codec
		formats string
		first   byte
		size    int
		step    uint32
	}{
		{pcmu, "0", 0xff, 160, 160}, {pcma, "8", 0xd5, 160, 160}, {g722, "9", g722Silence[0], 160, 160}, {opus, "111", 0xf8, 3, 960},
	}
	for _, row := range rows {
		t.Run(row.codec.String(), func(t *testing.T) {
			far := newPeer(t, "127.0.0.1:0")
			_, l, _ := answered(t, far, row.formats, "a=rtpmap:111 opus/48000/2")
			begin := l.route.Load().since
			l.tick(begin.Add(50 * time.Millisecond))
			if _, ok := far.next(20 * time.Millisecond); ok {
				t.Error("silence before 60 ms")
			}
			var last packet
			for i := range 5 {
				l.tick(begin.Add(time.Duration(70+20*i) * time.Millisecond))
				p, ok := far.next(time.Second)
				if !ok || len(p.payload) != row.size || p.payload[0] != row.first || p.pt != l.route.Load().pt {
					t.Fatalf("packet %d: %v %+v", i, ok, p)
				}
				if i > 0 && (p.seq != last.seq+1 || p.ts != last.ts+row.step || p.ssrc != last.ssrc || p.marker) {
					t.Errorf("a seam: %+v after %+v", p, last)
				}
				last = p
			}
			// The page comes back: no seam but the marker, and silence ends.
			now := begin.Add(170 * time.Millisecond)
			l.speak(row.codec, packet{seq: 40000, ts: 99, ssrc: 3, payload: []byte{1, 2, 3}}, false, now)
			p, ok := far.next(time.Second)
			if !ok || p.seq != last.seq+1 || int32(p.ts-last.ts) < int32(row.step) || !p.marker || p.ssrc != last.ssrc {
				t.Errorf("%+v after %+v", p, last)
			}
			l.tick(now.Add(40 * time.Millisecond))
			if _, ok := far.next(20 * time.Millisecond); ok {
				t.Error("silence beside the voice")
			}
		})
	}
}

func TestHeldLineSendsSilenceAndAHoldingOneNothing(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, far, "0")
	if _, err := e.Reanswer("a", lines("m=audio "+far.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 0", "a=sendonly")); err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(time.Second)
	l.tick(now)
	l.speak(pcmu, speech160(1, 0), false, now)
	if _, ok := far.next(50 * time.Millisecond); ok {
		t.Error("we send to somebody who holds us")
	}
	if !l.route.Load().hear {
		t.Error("their music is not heard")
	}
}

func TestMuteReplacesWhatIsSaid(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, far, "8")
	e.Mute(true)
	p := &page{e: e}
	c := &conn{page: p}
	p.conn.Store(c)
	e.owner.Store(p)
	c.take(pcma, packet{seq: 1, ts: 1, ssrc: 1, payload: make([]byte, 240)}, time.Now())
	got, ok := far.next(time.Second)
	if !ok || len(got.payload) != 240 || slices.ContainsFunc(got.payload, func(b byte) bool { return b != 0xd5 }) {
		t.Errorf("%v %x", ok, got.payload)
	}
	_ = l
}

func TestDigitsAreSentAsTheStandardSays(t *testing.T) {
	for _, row := range []struct {
		name    string
		formats string
		hz      uint16
	}{{"PCMU", "0 101", 8}, {"opus", "111 110 101", 48}, {"opus with slow events", "111 101", 8}} {
		t.Run(row.name, func(t *testing.T) {
			far := newPeer(t, "127.0.0.1:0")
			e, l, _ := answered(t, far, row.formats, "a=rtpmap:111 opus/48000/2", "a=rtpmap:110 telephone-event/48000", "a=rtpmap:101 telephone-event/8000")
			if err := e.Digits("a", "5#"); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			var got []packet
			for i := range 40 {
				l.tick(now.Add(time.Duration(i) * 20 * time.Millisecond))
				l.speak(l.route.Load().codec, speech160(uint16(i), uint32(i*160)), false, now.Add(time.Duration(i)*20*time.Millisecond))
			}
			for {
				p, ok := far.next(50 * time.Millisecond)
				if !ok {
					break
				}
				if len(got) > 0 && p.seq != got[len(got)-1].seq+1 {
					t.Errorf("sequence %d after %d", p.seq, got[len(got)-1].seq)
				}
				got = append(got, p)
			}
			events := slices.DeleteFunc(slices.Clone(got), func(p packet) bool { return p.pt != l.route.Load().digit })
			if len(events) != 16 {
				t.Fatalf("%d packets of two keys", len(events))
			}
			for i, p := range events[:8] {
				want := row.hz * 20 * uint16(min(i+1, 5))
				if p.ts != events[0].ts || p.marker != (i == 0) || p.payload[0] != 5 || (p.payload[1]&keyEnd != 0) != (i >= 5) ||
					uint16(p.payload[2])<<8|uint16(p.payload[3]) != want {
					t.Errorf("packet %d: %+v, duration wanted %d", i, p, want)
				}
			}
			if events[8].payload[0] != 11 || events[8].ts == events[0].ts || !events[8].marker {
				t.Errorf("second key: %+v", events[8])
			}
			for i := range got[1:] {
				if got[i].pt != got[i+1].pt && int32(got[i+1].ts-got[i].ts) <= 0 {
					t.Errorf("time goes back: %+v after %+v", got[i+1], got[i])
				}
			}
		})
	}
	far := newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, far, "0")
	if err := e.Digits("a", "1"); err != ErrNoDigits {
		t.Errorf("without telephone-event: %v", err)
	}
}

// written is where pion would take over.
type written struct{ n int }

func (w *written) WriteRTP(*rtp.Header, []byte) (int, error) { w.n++; return 0, nil }
func (w *written) Write([]byte) (int, error)                 { return 0, nil }

func TestForwardingAllocatesNothing(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, far, "0")
	sink := &written{}
	p := &page{e: e}
	c := &conn{page: p, track: newTrack()}
	c.track.change(func(o *outlet) { o.w, o.has[pcmu] = sink, true })
	p.conn.Store(c)
	e.owner.Store(p)
	b := make([]byte, rtpHeader+160)
	seq := uint16(0)
	from := far.addr()
	now := time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		speech160(seq, uint32(seq)*160).put(b)
		l.receive(b, from, now)
	}); n != 0 {
		t.Errorf("line to page: %v allocations a packet", n)
	}
	if sink.n < 1000 {
		t.Errorf("%d packets reached the page", sink.n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		c.take(pcmu, speech160(seq, uint32(seq)*160), now)
	}); n > 1 { // the one is the payload made by this test
		t.Errorf("page to line: %v allocations a packet", n)
	}
}

func TestReportsMeasureLossJitterAndDelay(t *testing.T) {
	a, b := still(t, "PCMU"), still(t, "PCMU")
	offer, err := a.OpenLine("a", local, Security{})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.AnswerLine("b", local, offer, Security{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetAnswer("a", answer); err != nil {
		t.Fatal(err)
	}
	la, lb := a.lines["a"], b.lines["b"]
	now := time.Now()
	for i := range 100 {
		if i%10 != 5 { // one in ten is lost on the way to the line
			la.speak(pcmu, speech160(uint16(i), uint32(i*160)), false, now)
		}
	}
	eventually(t, "90 packets", func() bool { return lb.quality.flow().Packets == 90 })
	if f := lb.quality.flow(); f.Lost != 10 || f.Bytes != 90*160 {
		t.Errorf("received %+v", f)
	}
	la.sendReport(time.Now(), false)
	eventually(t, "sender report", func() bool {
		lb.quality.mu.Lock()
		defer lb.quality.mu.Unlock()
		return lb.quality.reportNTP != 0
	})
	lb.sendReport(time.Now(), false)
	eventually(t, "receiver report", func() bool { return a.Stats("a").Sent.Lost == 10 })
	if st := a.Stats("a"); st.RTT < 0 || st.RTT > 500*time.Millisecond || st.Sent.Packets != 90 {
		t.Errorf("%+v", st)
	}
}

func TestSilentLineIsTold(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, w := answered(t, far, "0")
	e.watch(time.Now().Add(4 * time.Second))
	if w.has(LineSilent{"a", true}) {
		t.Error("told too early")
	}
	e.watch(time.Now().Add(6 * time.Second))
	if !w.has(LineSilent{"a", true}) {
		t.Error("not told")
	}
	far.send(l.address(), speech160(1, 1))
	eventually(t, "heard", func() bool { return l.heard.Load() > 0 })
	e.watch(time.Now())
	if !w.has(LineSilent{"a", false}) {
		t.Error("not taken back")
	}
}

func TestOnlyTheLineInFocusCarriesThePage(t *testing.T) {
	one, two := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, one, "0")
	if _, err := e.AnswerLine("b", local, lines("m=audio "+two.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 0"), Security{}); err != nil {
		t.Fatal(err)
	}
	sink := &written{}
	p := &page{e: e}
	c := &conn{page: p, track: newTrack()}
	c.track.change(func(o *outlet) { o.w, o.has[pcmu] = sink, true })
	p.conn.Store(c)
	e.owner.Store(p)
	for i, focus := range []string{"a", "b", ""} {
		e.Focus(focus)
		c.track.gate.enter()
		sink.n = 0
		c.track.gate.leave()
		c.take(pcmu, speech160(uint16(i), uint32(i*160)), time.Now())
		for far, line := range map[*peer]string{one: "a", two: "b"} {
			if _, ok := far.next(50 * time.Millisecond); ok != (line == focus) {
				t.Errorf("focus on %q: line %s got the voice: %v", focus, line, ok)
			}
			heard := e.lines[line].quality.flow().Packets
			far.send(e.lines[line].address(), speech160(uint16(i), uint32(i*160)))
			eventually(t, "heard", func() bool { return e.lines[line].quality.flow().Packets > heard })
		}
		want := 1
		if focus == "" {
			want = 0
		}
		eventually(t, "the page hears one line", func() bool {
			c.track.gate.enter()
			defer c.track.gate.leave()
			return sink.n == want
		})
	}
}
