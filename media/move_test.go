package media

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/media/hear"
)

// hum is a sound without end.
type hum struct{}

func (hum) Next(frame []int16) bool {
	for i := range frame {
		frame[i] = int16(i%8*1000 - 3500)
	}
	return true
}

// gaps measures the longest pause between two packets heard.
type gaps struct {
	mu      sync.Mutex
	last    time.Time
	longest time.Duration
	count   int
}

func (g *gaps) hear([]int16) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if !g.last.IsZero() {
		g.longest = max(g.longest, now.Sub(g.last))
	}
	g.last = now
	g.count++
}

func (g *gaps) seen() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.count
}

// started lets an engine run until the test ends.
func started(t *testing.T) *Engine {
	t.Helper()
	e, err := New(Config{Codecs: []string{"PCMU"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return e
}

func TestMovedLineGoesOnWithoutASeam(t *testing.T) {
	before, after := netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
	for _, sec := range []Security{{}, {PolicyRequired, true}, {PolicyDTLS, false}} {
		t.Run("policy "+sec.Policy, func(t *testing.T) {
			a, b := started(t), started(t)
			offer, err := a.OpenLine("a", before, sec)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := b.AnswerLine("b", local, offer, sec)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.SetAnswer("a", answer); err != nil {
				t.Fatal(err)
			}
			machine := hear.WatchMachine()
			defer machine.End()
			var atA, atB gaps
			a.Listen("a", atA.hear)
			b.Listen("b", atB.hear)
			a.Play("a", hum{})
			b.Play("b", hum{})
			eventually(t, "sound", func() bool { return atA.seen() > 10 && atB.seen() > 10 })
			ssrc := a.lines["a"].out.ssrc

			move, err := a.MoveOffer("a", after)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(move, "c=IN IP4 127.0.0.3\r\n") || origin(move) != origin(offer)+1 {
				t.Errorf("offer:\n%s", move)
			}
			heardA, heardB := atA.seen(), atB.seen()
			eventually(t, "sound before the answer, on the old address", func() bool { return atA.seen() > heardA+5 && atB.seen() > heardB+5 })
			if answer, err = b.Reanswer("b", move); err != nil {
				t.Fatal(err)
			}
			if err := a.SetAnswer("a", answer); err != nil {
				t.Fatal(err)
			}
			heardA, heardB = atA.seen(), atB.seen()
			eventually(t, "sound on the new address", func() bool { return atA.seen() > heardA+10 && atB.seen() > heardB+10 })
			st := b.Stats("b")
			if st.Received.Lost != 0 || st.Bad != 0 || a.Stats("a").Bad != 0 || a.lines["a"].out.ssrc != ssrc || st.Secure != a.Stats("a").Secure {
				t.Errorf("%+v", st)
			}
			if to := b.lines["b"].to.Load(); to.Addr() != after {
				t.Errorf("b sends to %v", to)
			}
			late := machine.Late()
			t.Logf("longest pause: %v at the one that moved, %v at the other; the machine was late by %v", atA.longest, atB.longest, late)
			if most := 60*time.Millisecond + 2*late; atA.longest > most || atB.longest > most { // who sends was late, then who hears
				t.Errorf("a pause of %v and %v", atA.longest, atB.longest)
			}
		})
	}
}

func TestSendingLeavesTheLostAddressAtOnce(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, far, "0")
	l.mu.Lock()
	l.ownLocked(l.route.Load(), pcmu.silence(160), time.Now())
	l.mu.Unlock()
	first, ok := far.next(time.Second)
	if !ok {
		t.Fatal("nothing sent")
	}
	if _, err := e.MoveOffer("a", netip.MustParseAddr("127.0.0.3")); err != nil {
		t.Fatal(err)
	}
	l.rtp.close() // as an address that is gone: no write succeeds
	l.mu.Lock()
	l.ownLocked(l.route.Load(), pcmu.silence(160), time.Now())
	l.mu.Unlock()
	p, ok := far.next(time.Second)
	if !ok || p.seq != first.seq+1 || p.ssrc != first.ssrc {
		t.Errorf("%v %+v after %+v", ok, p, first)
	}
	if present(netip.MustParseAddr("203.0.113.7")) || !present(netip.MustParseAddr("127.0.0.9")) {
		t.Error("present addresses")
	}
}

func TestMoveOfNothingAndMoveTwice(t *testing.T) {
	e, _ := running(t, "PCMU")
	if _, err := e.MoveOffer("a", local); err != ErrNoLine {
		t.Error(err)
	}
	if _, err := e.OpenLine("a", local, Security{}); err != nil {
		t.Fatal(err)
	}
	for range 3 { // nobody answers
		if _, err := e.MoveOffer("a", local); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.SetAnswer("a", lines("m=audio 4000 RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	if l := e.lines["a"]; l.next != nil || l.left != nil || l.talk.local.Port() != l.address().Port() {
		t.Error("ports are left")
	}
}
