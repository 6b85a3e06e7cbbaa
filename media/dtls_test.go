package media

import (
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/webrtc/v3"
)

func TestFingerprints(t *testing.T) {
	sum := func(n int) string { return strings.TrimSuffix(strings.Repeat("0f:", n), ":") }
	for value, ok := range map[string]bool{
		"sha-256 " + sum(32): true, "SHA-256 " + strings.ToUpper(sum(32)): true, "sha-384 " + sum(48): true, "Sha-512 " + sum(64): true,
		"sha-1 " + sum(20): false, "md5 " + sum(16): false, "sha-256 " + sum(31): false, "sha-256": false, "sha-256 xx": false, "": false,
	} {
		if _, got := parseFingerprint(value); got != ok {
			t.Errorf("%q: %v", value, got)
		}
	}
}

// TestWrongCertificateGetsNoSound: whoever stands between shakes hands with a certificate of their own.
func TestWrongCertificateGetsNoSound(t *testing.T) {
	for _, liar := range []string{"who is called", "who calls"} {
		t.Run(liar, func(t *testing.T) {
			a, toldA := running(t, "PCMU")
			b, toldB := running(t, "PCMU")
			sec := Security{Policy: PolicyDTLS}
			offer, err := a.OpenLine("a", local, sec)
			if err != nil {
				t.Fatal(err)
			}
			forge := func(sdp string) string {
				i := strings.Index(sdp, "a=fingerprint:sha-256 ") + len("a=fingerprint:sha-256 ")
				return sdp[:i] + "00" + sdp[i+2:]
			}
			if liar == "who calls" {
				offer = forge(offer)
			}
			answer, err := b.AnswerLine("b", local, offer, sec)
			if err != nil {
				t.Fatal(err)
			}
			if liar == "who is called" {
				answer = forge(answer)
			}
			if err := a.SetAnswer("a", answer); err != nil {
				t.Fatal(err)
			}
			failed := func(w *told) bool {
				w.mu.Lock()
				defer w.mu.Unlock()
				for _, ev := range w.all {
					if s, ok := ev.(Secured); ok && s.Err != nil {
						return true
					}
				}
				return false
			}
			eventually(t, "the betrayed side says so", func() bool { return failed(map[string]*told{"who calls": toldB, "who is called": toldA}[liar]) })
			betrayed := map[string]Stats{"who calls": b.Stats("b"), "who is called": a.Stats("a")}[liar]
			if betrayed.Secure != "" || betrayed.Sent.Packets != 0 {
				t.Errorf("%+v", betrayed)
			}
		})
	}
}

func TestHoldKeepsTheAssociation(t *testing.T) {
	a, told := running(t, "PCMU")
	b, _ := running(t, "PCMU")
	sec := Security{Policy: PolicyDTLS}
	if _, _, err := call(t, a, sec, b, sec); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys", func() bool { return a.Stats("a").Secure != "" && b.Stats("b").Secure != "" })
	passes(t, a.lines["a"], b.lines["b"])
	for i, who := range []string{"a", "a", "b", "b"} { // hold and resume, by each side
		near, far, other := a, b, "b"
		if who == "b" {
			near, far, other = b, a, "a"
		}
		offer, err := near.HoldOffer(who, i%2 == 0)
		if err != nil || !strings.Contains(offer, "a=setup:actpass\r\n") {
			t.Fatalf("%v\n%s", err, offer)
		}
		answer, err := far.Reanswer(other, offer)
		if err != nil {
			t.Fatal(err)
		}
		if err := near.SetAnswer(who, answer); err != nil {
			t.Fatal(err)
		}
	}
	passes(t, a.lines["a"], b.lines["b"])
	if n := len(told.all); n > 3 || a.Stats("a").Bad != 0 {
		t.Errorf("%d events, %+v: another handshake?", n, a.Stats("a"))
	}
}

// TestHelloBeforeTheAnswerIsKept: the called side may begin before its answer went through the proxies.
func TestHelloBeforeTheAnswerIsKept(t *testing.T) {
	a, _ := running(t, "PCMU")
	b, _ := running(t, "PCMU")
	sec := Security{Policy: PolicyDTLS}
	offer, err := a.OpenLine("a", local, sec)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.AnswerLine("b", local, offer, sec)
	if err != nil {
		t.Fatal(err)
	}
	la := a.lines["a"]
	eventually(t, "the hello", func() bool {
		la.mu.Lock()
		defer la.mu.Unlock()
		return len(la.early) > 0
	})
	began := time.Now()
	if err := a.SetAnswer("a", answer); err != nil {
		t.Fatal(err)
	}
	eventually(t, "keys", func() bool { return a.Stats("a").Secure != "" && b.Stats("b").Secure != "" })
	t.Logf("encrypted %v after the answer", time.Since(began))
}

// TestGatewayOfTheWebIsAnsweredWithICE lets pion's WebRTC call us, as a gateway would: ICE, DTLS, one port, a bundle.
func TestGatewayOfTheWebIsAnsweredWithICE(t *testing.T) {
	e, _ := running(t, "PCMU")
	w := newWeb(t, false)
	if _, err := w.pc.CreateDataChannel("not ours", nil); err != nil {
		t.Fatal(err)
	}
	d, err := w.pc.CreateOffer(nil)
	offer := w.describe(t, d, err)
	answer, err := e.AnswerLine("a", local, offer, Security{Policy: PolicyOptional})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a=ice-ufrag:", "a=group:BUNDLE 0\r\n", "a=mid:0\r\n", "a=rtcp-mux\r\n", "a=setup:active\r\n", "m=application 0 ", "UDP/TLS/RTP/SAVPF 0"} {
		if !strings.Contains(answer, want) {
			t.Errorf("answer lacks %q:\n%s", want, answer)
		}
	}
	if err := w.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatalf("%v\n%s", err, answer)
	}
	eventually(t, "keys", func() bool { return e.Stats("a").Secure != "" })
	w.talks(t, e)
	if st := e.Stats("a"); st.Bad != 0 {
		t.Errorf("%+v", st)
	}
}

func TestChecksWithoutOurPasswordAreNotAnswered(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _ := running(t, "PCMU")
	answer, err := e.AnswerLine("a", local, lines("m=audio "+far.addr().String()[len("127.0.0.1:"):]+" UDP/TLS/RTP/SAVPF 0", "a=setup:active",
		"a=ice-ufrag:abcd", "a=ice-pwd:"+strings.Repeat("x", 22), "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":")), Security{Policy: PolicyDTLS})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := parseSDP(answer)
	l := e.lines["a"]
	asks := func(name, password string) bool {
		if _, err := far.conn.WriteToUDPAddrPort(check(t, name, password), l.address()); err != nil {
			t.Fatal(err)
		}
		_ = far.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		b := make([]byte, 1500)
		n, _, err := far.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return false
		}
		r := &stun.Message{Raw: b[:n]}
		return r.Decode() == nil && r.Type == stun.BindingSuccess && stun.NewShortTermIntegrity(password).Check(r) == nil
	}
	if asks(all[0].ufrag+":abcd", "guess") || asks("other:abcd", all[0].pass) || l.askedFrom(far.addr()) {
		t.Error("a guess was answered")
	}
	if !asks(all[0].ufrag+":abcd", all[0].pass) || !l.askedFrom(far.addr()) || l.open.Load() {
		t.Error("a good check was not answered")
	}
}
