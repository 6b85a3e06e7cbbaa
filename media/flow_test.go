package media

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	openWord  = 0x11 // what the agent says
	mutedWord = 0x22 // what the agent says while muted
)

// stormy is how many packets a storm is judged by, a second of a quiet machine's.
const stormy = 250

// storm is a line on which everything happens at once.
type storm struct {
	e    *Engine
	l    *line
	page *page
	work sync.WaitGroup
	rate int // one in so many packets of a page is lost before us; 0: none

	mute  sync.RWMutex // held for reading while a page speaks
	muted bool
	lost  atomic.Int64
	over  chan struct{}
}

func (s *storm) running() bool {
	select {
	case <-s.over:
		return false
	default:
		return true
	}
}

// connect gives the page another connection, which counts on its own, and lets its reader speak until there is another.
func (s *storm) connect(seed uint64) {
	c := &conn{page: s.page, track: newTrack()}
	s.page.conn.Store(c)
	s.work.Go(func() { s.speak(c, seed) })
}

func (s *storm) speak(c *conn, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 1))
	seq, ssrc := uint16(dice.Uint32()), dice.Uint32()
	for ts := uint32(0); s.running() && s.page.conn.Load() == c; ts += 160 {
		if seq++; s.rate > 0 && dice.IntN(s.rate) == 0 {
			s.lost.Add(1)
			continue
		}
		s.mute.RLock()
		word := byte(openWord)
		if s.muted {
			word = mutedWord
		}
		c.take(pcmu, packet{seq: seq, ts: ts, ssrc: ssrc, payload: bytes.Repeat([]byte{word}, 160)}, time.Now())
		s.mute.RUnlock()
		<-time.After(time.Duration(dice.IntN(400)) * time.Microsecond)
	}
}

// pace is the pacer, far faster than in life.
func (s *storm) pace(dice *rand.Rand) {
	for now := time.Now(); s.running(); now = now.Add(5 * time.Millisecond) {
		s.l.tick(now)
		if dice.IntN(20) == 0 {
			s.l.sendReport(time.Now(), false)
		}
		<-time.After(100 * time.Microsecond)
	}
}

// act does what an agent and a far side do.
func (s *storm) act(dice *rand.Rand, offer func(dir string) string) {
	acts := []func(){
		func() { _ = s.e.Digits("a", "7") },
		func() { s.e.Play("a", &tape{data: bytes.Repeat([]byte{0x33}, 400)}) },
		func() { s.e.Play("a", nil) },
		func() { _, _ = s.e.Reanswer("a", offer("sendonly")) },
		func() { _, _ = s.e.Reanswer("a", offer("sendrecv")) },
		func() { s.connect(dice.Uint64()) },
		func() { s.e.Stats("a") },
		func() {
			s.mute.Lock()
			defer s.mute.Unlock()
			s.muted = !s.muted
			s.e.Mute(s.muted)
		},
	}
	for s.running() {
		acts[dice.IntN(len(acts))]()
		<-time.After(time.Duration(dice.IntN(8000)) * time.Microsecond)
	}
}

// TestNumbersAreInARowWhateverHappens: pages that change, keys, sources, hold and mute at once: every number that leaves a line is
// there once, none is missing but what a page had lost, and nothing that was said while muted is among them.
func TestNumbersAreInARowWhateverHappens(t *testing.T) {
	Long(t)
	for _, rate := range []int{0, 10} {
		for seed := range uint64(3) {
			far := newPeer(t, "127.0.0.1:0")
			_ = far.conn.SetReadBuffer(4 << 20)
			e, l, _ := answered(t, far, "0 101", "a=rtpmap:101 telephone-event/8000")
			s := &storm{e: e, l: l, rate: rate, over: make(chan struct{})}
			s.page = &page{id: "page", e: e, watchers: map[chan Order]struct{}{}}
			e.owner.Store(s.page)
			s.connect(seed)
			offer := func(dir string) string {
				_, port, _ := net.SplitHostPort(far.addr().String())
				return lines("m=audio "+port+" RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a="+dir)
			}
			s.work.Go(func() { s.pace(rand.New(rand.NewPCG(seed, 2))) })
			s.work.Go(func() { s.act(rand.New(rand.NewPCG(seed, 3)), offer) })
			var got []packet
			for end := time.Now().Add(30 * time.Second); len(got) < stormy && time.Now().Before(end); {
				if p, ok := far.next(50 * time.Millisecond); ok {
					got = append(got, p)
				}
			}
			close(s.over)
			s.work.Wait()
			for {
				p, ok := far.next(50 * time.Millisecond)
				if !ok {
					break
				}
				got = append(got, p)
			}
			s.judge(t, got)
		}
	}
}

func (s *storm) judge(t *testing.T, got []packet) {
	t.Helper()
	if len(got) < stormy {
		t.Fatalf("only %d packets", len(got))
	}
	var row []int // numbers, wraps counted
	high := int(got[0].seq)
	for _, p := range got {
		if p.ssrc != got[0].ssrc {
			t.Fatalf("another source: %+v", p)
		}
		if slices.Contains(p.payload, mutedWord) {
			t.Fatal("what was said while muted left the line")
		}
		n := high + int(int16(p.seq-uint16(high)))
		high = max(high, n)
		row = append(row, n)
	}
	slices.Sort(row)
	missing := 0
	for i := range row[1:] {
		switch d := row[i+1] - row[i]; {
		case d == 0:
			t.Fatalf("number %d twice", row[i])
		case d > 1:
			missing += d - 1
		}
	}
	t.Logf("%d packets, %d missing of %d lost before us", len(got), missing, s.lost.Load())
	if missing > int(s.lost.Load()) {
		t.Errorf("%d numbers are missing, pages had lost %d", missing, s.lost.Load())
	}
}

// TestSoundCostsNoMemory: a packet from the page's socket to the line's and one from the line's to the page's, encryption included.
func TestSoundCostsNoMemory(t *testing.T) {
	for i := range suites {
		far, tab := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
		e, l, _ := answered(t, far, "0")
		p := &page{id: "page", e: e, watchers: map[chan Order]struct{}{}}
		c := &conn{page: p, track: newTrack()}
		key := newCrypto(1, &suites[i]).key
		fresh := func() *keyring {
			out, err := newContext(&suites[i], key)
			in, err2 := newContext(&suites[i], key)
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			return &keyring{suite: &suites[i], out: out, in: in}
		}
		c.cut = &shortcut{c: c}
		c.cut.keys.Store(fresh())
		near, err := e.ports.open(netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			t.Fatal(err)
		}
		defer near.close()
		c.cut.lane.Store(&lane{near, tab.addr()})
		c.track.cut = c.cut
		c.learn([]format{{0, "PCMU", 8000}})
		c.track.change(func(o *outlet) { o.w = &written{} })
		p.conn.Store(c)
		e.owner.Store(p)
		e.watch(time.Now()) // the meters begin
		e.watch(time.Now())
		b, from, now := make([]byte, 400), far.addr(), time.Now()
		heard := speech160(0, 0)
		line := func() {
			heard.seq, heard.ts = heard.seq+1, heard.ts+160
			l.receive(b[:heard.put(b)], from, now)
		}
		browser := fresh()
		sealed, said := make([]byte, 400), speech160(0, 0)
		fromPage := func() {
			said.seq, said.ts = said.seq+1, said.ts+160
			n := said.put(sealed)
			whole, err := browser.out.EncryptRTP(sealed[:0], sealed[:n], &browser.head)
			if err != nil || !c.cut.take(whole) {
				t.Fatal("not taken")
			}
		}
		for range 100 {
			line()
			fromPage()
		}
		sent := l.out.packets
		if n := testing.AllocsPerRun(500, line); n > poolForgets {
			t.Errorf("%s: line to page: %v allocations a packet", suites[i].name, n)
		}
		if n := testing.AllocsPerRun(500, fromPage); n > poolForgets {
			t.Errorf("%s: page to line: %v allocations a packet", suites[i].name, n)
		}
		if n := l.out.packets - sent; n < 500 {
			t.Errorf("%s: %d packets reached the line", suites[i].name, n)
		}
		if !c.cut.used {
			t.Errorf("%s: the page's packets went pion's way", suites[i].name)
		}
	}
}
