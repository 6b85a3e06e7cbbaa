package media

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// running is an engine that runs until the test ends, with what it told.
func running(t *testing.T, codecs ...string) (*Engine, *told) {
	t.Helper()
	w := &told{}
	e, err := New(Config{Codecs: codecs, Tell: w.tell})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.shut)
	return e, w
}

// call lets a call b; the error is that of the first step refused.
func call(t *testing.T, a *Engine, secA Security, b *Engine, secB Security) (offer, answer string, err error) {
	t.Helper()
	if offer, err = a.OpenLine("a", local, secA); err != nil {
		return "", "", err
	}
	if answer, err = b.AnswerLine("b", local, offer, secB); err != nil {
		return offer, "", err
	}
	return offer, answer, a.SetAnswer("a", answer)
}

// passes sends ten packets each way and wants them all.
func passes(t *testing.T, la, lb *line) {
	t.Helper()
	for _, way := range [][2]*line{{la, lb}, {lb, la}} {
		before := way[1].quality.flow().Packets
		now := time.Now()
		for range 10 {
			now = now.Add(20 * time.Millisecond)
			way[0].mu.Lock()
			way[0].ownLocked(way[0].route.Load(), pcmu.silence(160), now)
			way[0].mu.Unlock()
		}
		eventually(t, "ten packets arrive", func() bool { return way[1].quality.flow().Packets == before+10 })
	}
}

func TestPoliciesMeet(t *testing.T) {
	const sdes, dtls = "AES_CM_128_HMAC_SHA1_80", "DTLS AES_CM_128_HMAC_SHA1_80"
	off, none := Security{}, error(nil)
	optional, bare := Security{PolicyOptional, true}, Security{PolicyOptional, false}
	required, mute := Security{PolicyRequired, true}, Security{PolicyRequired, false}
	handshake, keyed := Security{PolicyDTLS, false}, Security{PolicyDTLS, true}
	rows := []struct {
		name   string
		a, b   Security
		err    error
		secure string
		proto  string // of the offer
	}{
		{"off calls off", off, off, none, "", protoPlain},
		{"off calls optional", off, optional, none, "", protoPlain},
		{"off calls required", off, required, ErrNotSecure, "", protoPlain},
		{"off calls dtls", off, handshake, ErrNotSecure, "", protoPlain},
		{"optional calls off: plain (RFC 8643)", optional, off, none, "", protoPlain},
		{"optional calls optional", optional, optional, none, sdes, protoPlain},
		{"optional calls required", optional, required, none, sdes, protoPlain},
		{"optional without keys calls optional", bare, optional, none, "", protoPlain},
		{"optional without keys calls required", bare, required, ErrNotSecure, "", protoPlain},
		{"optional calls optional without keys", optional, bare, none, "", protoPlain},
		{"optional calls dtls", optional, handshake, ErrNotSecure, "", protoPlain},
		{"required calls off", required, off, ErrNoCodec, "", protoKeys},
		{"required calls optional", required, optional, none, sdes, protoKeys},
		{"required calls required", required, required, none, sdes, protoKeys},
		{"required calls optional without keys", required, bare, ErrNoKeys, "", protoKeys},
		{"required without keys cannot call", mute, required, ErrNoKeys, "", ""},
		{"required calls dtls that may use keys", required, keyed, none, sdes, protoKeys},
		{"dtls calls off", handshake, off, ErrNoCodec, "", protoDTLS},
		{"dtls calls optional without keys", handshake, bare, none, dtls, protoDTLS},
		{"dtls calls required without keys", handshake, mute, none, dtls, protoDTLS},
		{"dtls calls dtls", handshake, handshake, none, dtls, protoDTLS},
		{"an unknown policy encrypts or fails", Security{Policy: "on"}, off, ErrNotSecure, "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a, _ := running(t, "PCMU")
			b, _ := running(t, "PCMU")
			offer, answer, err := call(t, a, row.a, b, row.b)
			if !errors.Is(err, row.err) || (err == nil) != (row.err == nil) {
				t.Fatalf("%v, wanted %v\n%s\n%s", err, row.err, offer, answer)
			}
			if row.proto != "" && !strings.Contains(offer, " "+row.proto+" 0") {
				t.Errorf("offer:\n%s", offer)
			}
			if err != nil {
				return
			}
			if !strings.Contains(answer, " "+row.proto+" 0") { // the answer keeps the profile
				t.Errorf("answer:\n%s", answer)
			}
			eventually(t, "the suites", func() bool { return a.Stats("a").Secure == row.secure && b.Stats("b").Secure == row.secure })
			passes(t, a.lines["a"], b.lines["b"])
			if bad := a.Stats("a").Bad + b.Stats("b").Bad; bad != 0 {
				t.Errorf("%d bad packets", bad)
			}
		})
	}
}

func TestPlainIsRefusedWhereItMustBeSecure(t *testing.T) {
	plain := lines("m=audio 4000 RTP/AVP 0")
	for _, policy := range []string{PolicyRequired, PolicyDTLS} {
		e, _ := running(t, "PCMU")
		if _, err := e.OpenLine("a", local, Security{policy, true}); err != nil {
			t.Fatal(err)
		}
		for name, answer := range map[string]string{"plain": plain, "without a key": lines("m=audio 4000 RTP/SAVP 0"),
			"with a key for another line": lines("m=audio 4000 RTP/SAVP 0", "a=crypto:77 AES_CM_128_HMAC_SHA1_80 inline:"+strings.Repeat("A", 40)),
			"with another suite":          lines("m=audio 4000 RTP/SAVP 0", "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:"+strings.Repeat("A", 40))} {
			if err := e.SetAnswer("a", answer); !errors.Is(err, ErrNotSecure) {
				t.Errorf("%s, an answer %s: %v", policy, name, err)
			}
		}
		if e.lines["a"].route.Load() != nil {
			t.Errorf("%s: a route was made", policy)
		}
	}
}

func TestSecureCallIsNeverDowngraded(t *testing.T) {
	a, _ := running(t, "PCMU")
	b, _ := running(t, "PCMU")
	if _, _, err := call(t, a, Security{PolicyRequired, true}, b, Security{PolicyRequired, true}); err != nil {
		t.Fatal(err)
	}
	plain := lines("m=audio 4000 RTP/AVP 0")
	if answer, err := b.Reanswer("b", plain); !errors.Is(err, ErrNotSecure) {
		t.Errorf("%v\n%s", err, answer)
	}
	if _, err := a.HoldOffer("a", true); err != nil {
		t.Fatal(err)
	}
	if err := a.SetAnswer("a", plain); !errors.Is(err, ErrNotSecure) {
		t.Error(err)
	}
	if a.lines["a"].talk.hold {
		t.Error("a refused answer holds")
	}
	passes(t, a.lines["a"], b.lines["b"])
}

func TestNothingLeavesInPlainBeforeTheKeys(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _ := running(t, "PCMU")
	offer := lines("m=audio "+far.addr().String()[len("127.0.0.1:"):]+" UDP/TLS/RTP/SAVPF 0", "a=setup:active",
		"a=fingerprint:SHA-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":"))
	answer, err := e.AnswerLine("a", local, offer, Security{Policy: PolicyDTLS})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(answer, "a=setup:passive\r\n") || !strings.Contains(answer, "a=fingerprint:sha-256 ") {
		t.Errorf("answer:\n%s", answer)
	}
	l := e.lines["a"]
	now := time.Now().Add(time.Second)
	l.tick(now)
	l.speak(pcmu, speech160(1, 0), false, now)
	l.sendReport(now, false)
	far.send(l.address(), speech160(1, 160)) // plain, where it must be locked
	if p, ok := far.next(100 * time.Millisecond); ok {
		t.Errorf("sent before the handshake: %+v", p)
	}
	if st := e.Stats("a"); st.Received.Packets != 0 || st.Secure != "" || st.Sent.Packets != 0 {
		t.Errorf("%+v", st)
	}
}
