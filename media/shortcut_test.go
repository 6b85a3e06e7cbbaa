package media

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"zaseki/media/load"
)

// nearPage is a page that measurements use, connected to an engine with a line to a far end.
type nearPage struct {
	e    *Engine
	l    *line
	far  *peer
	page *load.Page

	mu    sync.Mutex
	heard [][]byte
}

func newNear(t *testing.T) *nearPage {
	t.Helper()
	n := &nearPage{far: newPeer(t, "127.0.0.1:0")}
	n.e, n.l, _ = answered(t, n.far, "0")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	watch := load.Watch{Sent: func(uint16, time.Time) {}, Came: func(_ uint16, payload []byte, _ time.Time) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.heard = append(n.heard, slices.Clone(payload))
	}}
	var err error
	if n.page, err = load.Open(ctx, watch, func(offer string) (string, error) { return n.e.Offer(ctx, "a", offer, false) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.page.Close)
	return n
}

func (n *nearPage) conn() *conn { return n.e.pages["a"].conn.Load() }

func (n *nearPage) got() [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.heard)
}

func word(i int) []byte { return slices.Repeat([]byte{byte(i)}, 160) }

func TestSoundOfAPageGoesPastPion(t *testing.T) {
	n := newNear(t)
	eventually(t, "the keys are known", func() bool { return n.conn().cut.keys.Load() != nil && n.conn().cut.lane.Load() != nil })
	for i := range 50 {
		if err := n.page.Send(uint16(65520+i), word(i)); err != nil { // over the end of the numbers
			t.Fatal(err)
		}
		p, ok := n.far.next(time.Second)
		if !ok || !slices.Equal(p.payload, word(i)) {
			t.Fatalf("packet %d from the page: %v %+v", i, ok, p)
		}
		n.far.send(n.l.address(), packet{seq: uint16(65500 + i), ts: uint32(i) * 160, ssrc: 7, payload: word(100 + i)})
	}
	eventually(t, "the page hears everything", func() bool { return len(n.got()) == 50 })
	for i, payload := range n.got() {
		if !slices.Equal(payload, word(100+i)) {
			t.Errorf("packet %d to the page: %x", i, payload[:4])
		}
	}
	if c := n.conn(); !c.cut.used {
		t.Error("sound went pion's way")
	}
}

// TestPageStaysPionsWhereItsKeysAreHidden: with another pion everything goes as it would without a shortcut.
func TestPageStaysPionsWhereItsKeysAreHidden(t *testing.T) {
	n := newNear(t)
	cut := n.conn().cut
	eventually(t, "the keys are known", func() bool { return cut.keys.Load() != nil })
	cut.keys.Store(nil)
	for i := range 20 {
		if err := n.page.Send(uint16(i), word(i)); err != nil {
			t.Fatal(err)
		}
		p, ok := n.far.next(time.Second)
		if !ok || !slices.Equal(p.payload, word(i)) {
			t.Fatalf("packet %d from the page: %v %+v", i, ok, p)
		}
		n.far.send(n.l.address(), packet{seq: uint16(i), ts: uint32(i) * 160, ssrc: 7, payload: word(100 + i)})
	}
	eventually(t, "the page hears everything", func() bool { return len(n.got()) == 20 })
}

// TestForgedSoundIsNotThePages: whoever finds the port of a page can say nothing.
func TestForgedSoundIsNotThePages(t *testing.T) {
	n := newNear(t)
	cut := n.conn().cut
	eventually(t, "the way is known", func() bool { return cut.keys.Load() != nil && cut.lane.Load() != nil })
	thief := newPeer(t, "127.0.0.1:0")
	b := make([]byte, 200)
	for i := range 20 {
		packet{seq: uint16(i), ssrc: 9, payload: b[100:]}.put(b)
		_, _ = thief.conn.WriteToUDPAddrPort(b, cut.lane.Load().port.local())
	}
	if _, ok := n.far.next(50 * time.Millisecond); ok {
		t.Error("forged sound reached the line")
	}
	if err := n.page.Send(7, word(7)); err != nil {
		t.Fatal(err)
	}
	if p, ok := n.far.next(time.Second); !ok || !slices.Equal(p.payload, word(7)) {
		t.Errorf("%v %+v", ok, p)
	}
}
