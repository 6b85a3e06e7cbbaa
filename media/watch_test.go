package media

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

// attached is a page with a connection that the test moves by hand.
func attached(t *testing.T, e *Engine, id string) (*page, *conn) {
	t.Helper()
	pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.page(id)
	if err != nil {
		t.Fatal(err)
	}
	c := &conn{page: p, pc: pc, track: newTrack(), since: time.Now()}
	c.up.Store(true)
	if err := e.attach(p, c); err != nil {
		t.Fatal(err)
	}
	return p, c
}

func TestSilentPageIsAskedToRestartThenToConnectAnew(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, w := answered(t, far, "0")
	orders, stop := e.Orders("a")
	defer stop()
	p, c := attached(t, e, "a")
	now := e.liveAt
	c.take(pcmu, speech160(1, 1), now)
	for _, row := range []struct {
		after          time.Duration
		restart, renew bool
	}{
		{250 * time.Millisecond, false, false}, {320 * time.Millisecond, true, false}, {600 * time.Millisecond, true, false},
		{1100 * time.Millisecond, true, true}, {2 * time.Second, true, true},
	} {
		e.watch(now.Add(row.after))
		if o := p.last; (o.Restart > 0) != row.restart || (o.Renew > 0) != row.renew || !o.Owner || !o.Live {
			t.Errorf("after %v: %+v", row.after, o)
		}
	}
	before := p.last.Renew
	if e.watch(now.Add(3200 * time.Millisecond)); p.last.Renew <= before {
		t.Error("not asked again")
	}
	if o := <-orders; o != p.last {
		t.Errorf("order %+v is not the newest %+v", o, p.last)
	}
	if !w.has(PageLive{Page: "a", Way: "webrtc"}) {
		t.Error("nobody was told that the page is silent")
	}
	c.take(pcmu, speech160(2, 161), now.Add(4*time.Second))
	e.watch(now.Add(4 * time.Second))
	if !w.has(PageLive{Page: "a", Live: true, Way: "webrtc"}) || p.asked != askedNothing {
		t.Error("its voice is back, yet it counts as silent")
	}
}

func TestPageWithoutMicrophoneIsLeftAlone(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, far, "0")
	p, c := attached(t, e, "a")
	if e.watch(time.Now().Add(time.Minute)); p.last.Restart+p.last.Renew != 0 {
		t.Errorf("%+v", p.last)
	}
	c.up.Store(false) // but one that does not connect is asked anew
	if e.watch(time.Now().Add(time.Minute)); p.last.Renew == 0 {
		t.Errorf("%+v", p.last)
	}
}

func TestSoundGoesToTheNextPage(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, far, "0")
	a, ca := attached(t, e, "a")
	b, _ := attached(t, e, "b")
	if !a.last.Owner || b.last.Owner || !b.last.Taken {
		t.Errorf("the first page owns the sound: a %+v, b %+v", a.last, b.last)
	}
	now := time.Now()
	ca.take(pcmu, speech160(1, 1), now)
	e.Gone("a")
	if !a.last.Owner {
		t.Error("a page whose voice flows lost the sound with its socket")
	}
	e.watch(now.Add(250 * time.Millisecond))
	if !b.last.Owner || e.pages["a"] != nil {
		t.Errorf("a page without socket and voice keeps the sound: b %+v", b.last)
	}
	e.Claim("c")
	if b.last.Owner || !b.last.Taken {
		t.Errorf("claimed, yet b has %+v", b.last)
	}
	if b.conn.Load() != nil {
		t.Error("who lost the sound keeps its connection")
	}
}

func TestSilentOwnerLosesTheSoundToANewerPage(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, _ := answered(t, far, "0")
	_, ca := attached(t, e, "a")
	b, _ := attached(t, e, "b")
	now := time.Now()
	ca.take(pcmu, speech160(1, 1), now)
	if e.watch(now.Add(900 * time.Millisecond)); b.last.Owner {
		t.Error("too early")
	}
	if e.watch(now.Add(1100 * time.Millisecond)); !b.last.Owner {
		t.Error("a page silent for a second keeps the sound")
	}
}

func TestACallWithoutPageSoundIsToldAfterTwoSeconds(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _, w := answered(t, far, "0")
	e.watch(e.liveAt.Add(1900 * time.Millisecond))
	if w.has(Gone{}) {
		t.Error("too early")
	}
	e.watch(e.liveAt.Add(4 * time.Second)) // no page since the beginning: counted from when that was seen
	if !w.has(Gone{}) {
		t.Fatal("not told that no page is there")
	}
	_, c := attached(t, e, "a")
	if !w.has(Gone{Back: true}) {
		t.Fatal("not told that a page is there again")
	}
	w.mu.Lock()
	w.all = nil
	w.mu.Unlock()
	now := time.Now()
	c.take(pcmu, speech160(1, 1), now)
	for _, after := range []time.Duration{350, 1900, 2050} {
		e.watch(now.Add(after * time.Millisecond))
		if w.has(Gone{}) != (after >= 2000) {
			t.Errorf("after %d ms without its voice: told %v", after, w.has(Gone{}))
		}
	}
	e.Focus("") // the call is over
	if !w.has(Gone{Back: true}) {
		t.Error("the call is over, and still it is missed")
	}
}
