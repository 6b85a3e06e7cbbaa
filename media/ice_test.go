package media

import (
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
)

// web is somebody's WebRTC, by pion.
type web struct {
	pc    *webrtc.PeerConnection
	track *webrtc.TrackLocalStaticSample
	heard atomic.Int64
}

func newWeb(t *testing.T, lite bool) *web {
	t.Helper()
	var set webrtc.SettingEngine
	set.SetIncludeLoopbackCandidate(true)
	set.SetLite(lite)
	set.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	codecs := &webrtc.MediaEngine{}
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(set), webrtc.WithMediaEngine(codecs)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	w := &web{pc: pc}
	if w.track, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}, "a", "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(w.track); err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := remote.ReadRTP(); err != nil {
				return
			}
			w.heard.Add(1)
		}
	})
	return w
}

// describe is its description once all its addresses are known.
func (w *web) describe(t *testing.T, d webrtc.SessionDescription, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(w.pc)
	if err := w.pc.SetLocalDescription(d); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return w.pc.LocalDescription().SDP
}

// talks lets five packets pass each way.
func (w *web) talks(t *testing.T, e *Engine) {
	t.Helper()
	heard, got := w.heard.Load(), e.Stats("a").Received.Packets
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(3 * time.Second); w.heard.Load() < heard+5 || e.Stats("a").Received.Packets < got+5; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("%d heard, %+v", w.heard.Load()-heard, e.Stats("a"))
		}
		e.lines["a"].tick(time.Now())
		if err := w.track.WriteSample(media.Sample{Data: make([]byte, 160), Duration: 20 * time.Millisecond}); err != nil && err != io.ErrClosedPipe {
			t.Fatal(err)
		}
	}
}

// TestWeOfferICE to who checks and to who does not, and restart it.
func TestWeOfferICE(t *testing.T) {
	for name, lite := range map[string]bool{"full": false, "lite": true} {
		t.Run(name, func(t *testing.T) {
			e, w := started(t), newWeb(t, lite)
			offer, err := e.OpenLine("a", local, Security{Policy: PolicyDTLS})
			if err != nil {
				t.Fatal(err)
			}
			answered := func(offer string) string {
				t.Helper()
				if err := w.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
					t.Fatalf("%v\n%s", err, offer)
				}
				d, err := w.pc.CreateAnswer(nil)
				answer := w.describe(t, d, err)
				if err := e.SetAnswer("a", answer); err != nil {
					t.Fatalf("%v\n%s", err, answer)
				}
				return answer
			}
			began := time.Now()
			if answer := answered(offer); strings.Contains(answer, "a=ice-lite") != lite {
				t.Errorf("answer:\n%s", answer)
			}
			eventually(t, "keys", func() bool { return e.Stats("a").Secure != "" })
			t.Logf("encrypted %v after the answer", time.Since(began))
			w.talks(t, e)
			if lite {
				return // pion's lite does not restart
			}
			move, err := e.MoveOffer("a", netip.MustParseAddr("127.0.0.3"))
			if err != nil {
				t.Fatal(err)
			}
			answered(move)
			w.talks(t, e)
			if l := e.lines["a"]; e.Stats("a").Bad != 0 || l.restarting() {
				t.Errorf("%+v, restarting %v", e.Stats("a"), l.restarting())
			}
		})
	}
}

// TestOnlyWhoAnsweredACheckIsHeard: with ICE the signalled address itself counts for nothing, and nobody's packets turn ours
// away.
func TestOnlyWhoAnsweredACheckIsHeard(t *testing.T) {
	far, stranger := newPeer(t, "127.0.0.1:0"), newPeer(t, "127.0.0.1:0")
	e, _ := running(t, "PCMU")
	port := far.addr().String()[len("127.0.0.1:"):]
	pass := strings.Repeat("x", 24)
	answer, err := e.AnswerLine("a", local, lines("m=audio "+port+" RTP/AVP 0", "a=rtcp-mux", "a=ice-lite", "a=ice-ufrag:abcd", "a=ice-pwd:"+pass,
		"a=candidate:1 1 UDP 2130706431 127.0.0.1 "+port+" typ host"), Security{})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := parseSDP(answer)
	l := e.lines["a"]
	far.send(l.address(), speech160(1, 160))
	l.tick(time.Now().Add(time.Second)) // silence would be due
	b := make([]byte, 1500)
	read := func() *stun.Message {
		t.Helper()
		_ = far.conn.SetReadDeadline(time.Now().Add(time.Second))
		n, _, err := far.conn.ReadFromUDPAddrPort(b)
		m := &stun.Message{Raw: slices.Clone(b[:n])}
		if err != nil || m.Decode() != nil {
			t.Fatalf("no check but %x, %v", b[:n], err)
		}
		return m
	}
	m := read()
	if st := e.Stats("a"); st.Received.Packets != 0 || st.Sent.Packets != 0 {
		t.Fatalf("sound before a check was answered: %+v", st)
	}
	if _, err := far.conn.WriteToUDPAddrPort(liteAnswer(t, m.Raw, newSecret(pass), l.address()), l.address()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a way", func() bool { return l.open.Load() })
	for m = read(); !m.Contains(stun.AttrUseCandidate); m = read() { // the one before may come again
	}
	far.send(l.address(), speech160(2, 320))
	eventually(t, "sound", func() bool { return e.Stats("a").Received.Packets == 1 })

	// A stranger on the same machine, with sound, with a choice of itself without proof, and with one that is repeated.
	stranger.send(l.address(), speech160(3, 480))
	for _, c := range [][]byte{check(t, all[0].ufrag+":abcd", "guess", attribute(stun.AttrUseCandidate, nil)), check(t, all[0].ufrag+":abcd", all[0].pass, attribute(stun.AttrUseCandidate, nil))} {
		if _, err := stranger.conn.WriteToUDPAddrPort(c, l.address()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the check is seen", func() bool { return l.askedFrom(stranger.addr()) })
	stranger.send(l.address(), speech160(4, 640))
	far.send(l.address(), speech160(5, 800))
	eventually(t, "more sound", func() bool { return e.Stats("a").Received.Packets == 2 })
	if to := l.to.Load(); to == nil || *to != far.addr() {
		t.Errorf("we send to %v", to)
	}
}

// TestNoWayIsTold: all candidates lead nowhere.
func TestNoWayIsTold(t *testing.T) {
	e, w := running(t, "PCMU")
	_, err := e.AnswerLine("a", local, lines("m=audio 9 UDP/TLS/RTP/SAVPF 0", "c=IN IP4 0.0.0.0", "a=setup:active", "a=rtcp-mux", "a=ice-ufrag:abcd",
		"a=ice-pwd:"+strings.Repeat("x", 22), "a=candidate:1 1 UDP 1 7d2f.local 4000 typ host", "a=candidate:1 1 UDP 1 203.0.113.1 4000 typ host",
		"a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":")), Security{Policy: PolicyDTLS})
	if err != nil {
		t.Fatal(err)
	}
	l := e.lines["a"]
	l.tick(time.Now().Add(handshakeTime - time.Second))
	if w.has(Secured{Line: "a", Err: errNoWay}) {
		t.Error("told too early")
	}
	for range 3 {
		l.tick(time.Now().Add(handshakeTime + time.Second))
	}
	n := 0
	w.mu.Lock()
	for _, ev := range w.all {
		if ev == (Secured{Line: "a", Err: errNoWay}) {
			n++
		}
	}
	w.mu.Unlock()
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

// TestALostWayIsToldOnceAndFoundByARestart to the same address: nobody has answered a check for half a minute.
func TestALostWayIsToldOnceAndFoundByARestart(t *testing.T) {
	e, told := running(t, "PCMU")
	w := newWeb(t, false)
	answered := func(offer string, err error) {
		t.Helper()
		if err == nil {
			err = w.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer})
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := w.pc.CreateAnswer(nil)
		if err := e.SetAnswer("a", w.describe(t, d, err)); err != nil {
			t.Fatal(err)
		}
	}
	answered(e.OpenLine("a", local, Security{Policy: PolicyDTLS}))
	l := e.lines["a"]
	eventually(t, "keys", func() bool { l.tick(time.Now()); return e.Stats("a").Secure != "" })
	w.talks(t, e)
	if told.has(WayLost{"a"}) {
		t.Error("told while there is a way")
	}
	for range 3 {
		l.tick(time.Now().Add(consentTime + time.Second))
	}
	lost := 0
	told.mu.Lock()
	for _, ev := range told.all {
		if ev == (WayLost{"a"}) {
			lost++
		}
	}
	told.mu.Unlock()
	if lost != 1 || l.to.Load() != nil {
		t.Fatalf("told %d times, we send to %v", lost, l.to.Load())
	}
	answered(e.MoveOffer("a", local))
	eventually(t, "a way", func() bool { l.tick(time.Now()); return l.open.Load() })
	w.talks(t, e)
}

func TestRefusedMoveKeepsTheWay(t *testing.T) {
	a, b := started(t), started(t)
	sec := Security{Policy: PolicyDTLS}
	if _, _, err := call(t, a, sec, b, sec); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys", func() bool { return a.Stats("a").Secure != "" && b.Stats("b").Secure != "" })
	for range 3 { // nobody answers
		if _, err := a.MoveOffer("a", netip.MustParseAddr("127.0.0.3")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(a.lines["a"].checkers()); n > 3 {
		t.Errorf("%d checkers", n)
	}
	var heard gaps
	b.Listen("b", heard.hear)
	a.Play("a", hum{})
	eventually(t, "sound goes on", func() bool { return heard.seen() > 10 })
	offer, err := b.HoldOffer("b", false) // and the other side's re-INVITE is answered
	if err != nil {
		t.Fatal(err)
	}
	answer, err := a.Reanswer("a", offer)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.SetAnswer("b", answer); err != nil {
		t.Fatal(err)
	}
	before := heard.seen()
	eventually(t, "sound goes on after it", func() bool { return heard.seen() > before+10 })
}
