package media

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCryptoLines(t *testing.T) {
	key := func(n int) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, n)) }
	rows := []struct {
		name, value, suite string // "": not usable
	}{
		{"the usual", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30), "AES_CM_128_HMAC_SHA1_80"},
		{"short tag", "1 AES_CM_128_HMAC_SHA1_32 inline:" + key(30), "AES_CM_128_HMAC_SHA1_32"},
		{"256 bits", "12 AES_256_CM_HMAC_SHA1_80 inline:" + key(46), "AES_256_CM_HMAC_SHA1_80"},
		{"256 bits, short tag", "12 AES_256_CM_HMAC_SHA1_32 inline:" + key(46), "AES_256_CM_HMAC_SHA1_32"},
		{"GCM", "1 AEAD_AES_128_GCM inline:" + key(28), "AEAD_AES_128_GCM"},
		{"GCM 256", "1 AEAD_AES_256_GCM inline:" + key(44), "AEAD_AES_256_GCM"},
		{"any case", "1 aes_cm_128_hmac_sha1_80 INLINE:" + key(30), "AES_CM_128_HMAC_SHA1_80"},
		{"no padding", "1 AEAD_AES_128_GCM inline:" + strings.TrimRight(key(28), "="), "AEAD_AES_128_GCM"},
		{"lifetime 2^48", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^48", "AES_CM_128_HMAC_SHA1_80"},
		{"lifetime 2^20", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^20", "AES_CM_128_HMAC_SHA1_80"},
		{"lifetime in packets", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|1048576", "AES_CM_128_HMAC_SHA1_80"},
		{"window hint", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " WSH=64", "AES_CM_128_HMAC_SHA1_80"},
		{"may be ignored", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " -X=1", "AES_CM_128_HMAC_SHA1_80"},
		{"lifetime of seconds", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^8", ""},
		{"lifetime beyond the standard", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^49", ""},
		{"master key identifier", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|1:4", ""},
		{"lifetime and identifier", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^20|1:4", ""},
		{"two keys", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + "|2^20|1:4;inline:" + key(30) + "|2^20|2:4", ""},
		{"not encrypted", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " UNENCRYPTED_SRTP", ""},
		{"not authenticated", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " UNAUTHENTICATED_SRTP", ""},
		{"reports not encrypted", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " UNENCRYPTED_SRTCP", ""},
		{"keys derived anew", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " KDR=0", ""},
		{"error correction", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30) + " FEC_ORDER=FEC_SRTP", ""},
		{"unknown suite", "1 F8_128_HMAC_SHA1_80 inline:" + key(30), ""},
		{"key too short", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(29), ""},
		{"key too long", "1 AES_CM_128_HMAC_SHA1_80 inline:" + key(31), ""},
		{"not base64", "1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("!", 40), ""},
		{"another method", "1 AES_CM_128_HMAC_SHA1_80 uri:" + key(30), ""},
		{"no tag", "AES_CM_128_HMAC_SHA1_80 inline:" + key(30), ""},
		{"negative tag", "-1 AES_CM_128_HMAC_SHA1_80 inline:" + key(30), ""},
		{"empty", "", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			line, ok := parseCrypto(row.value)
			if ok != (row.suite != "") || ok && line.suite.name != row.suite {
				t.Errorf("%v %v", ok, line)
			}
			if text := fmt.Sprintf("%v %+v %#v %s %x %q", line, line, line, line.key, line.key, line.key); strings.Contains(text, "\a") || strings.Contains(text, "0707") {
				t.Errorf("the key prints: %s", text)
			}
		})
	}
}

func FuzzCrypto(f *testing.F) {
	f.Add("1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("A", 40) + "|2^20 WSH=64")
	f.Fuzz(func(t *testing.T, value string) {
		line, ok := parseCrypto(value)
		if !ok {
			return
		}
		again, ok := parseCrypto(strings.TrimPrefix(strings.TrimSpace(line.written()), "a=crypto:"))
		if !ok || again.tag != line.tag || again.suite != line.suite || !again.key.same(line.key) {
			t.Errorf("our own line: %v", line)
		}
	})
}

// sealed is a far end with a key of its own for one suite.
type sealed struct {
	*peer
	line cryptoLine
	lock *shield
	seq  uint16
}

func newSealed(t *testing.T, s *suite) *sealed {
	return &sealed{peer: newPeer(t, "127.0.0.1:0"), line: newCrypto(3, s)}
}

// sdp is its session description with all of these key lines.
func (s *sealed) sdp(proto string, list ...cryptoLine) string {
	l := []string{"m=audio " + s.addr().String()[len("127.0.0.1:"):] + " " + proto + " 0"}
	for _, c := range list {
		l = append(l, strings.TrimSpace(c.written()))
	}
	return lines(l...)
}

// agree reads the key in what we say and locks and opens with it.
func (s *sealed) agree(sdp string) cryptoLine {
	s.t.Helper()
	all, err := parseSDP(sdp)
	if err != nil || len(all[0].crypto) != 1 {
		s.t.Fatalf("%v: one key line wanted\n%s", err, sdp)
	}
	theirs := all[0].crypto[0]
	s.lock = &shield{}
	if err := s.lock.lock("far", theirs.suite, s.line.key, theirs.key); err != nil {
		s.t.Fatal(err)
	}
	return theirs
}

// say sends n packets.
func (s *sealed) say(l *line, n int) {
	b := make([]byte, 400)
	for range n {
		s.seq++
		size, ok := s.lock.seal(b, speech160(s.seq, uint32(s.seq)*160).put(b))
		if !ok {
			s.t.Fatal("not sealed")
		}
		l.receive(b[:size], s.addr(), time.Now())
	}
}

func TestAnswerTakesTheirTagAndOurOwnKey(t *testing.T) {
	for i := range suites {
		t.Run(suites[i].name, func(t *testing.T) {
			far := newSealed(t, &suites[i])
			e, _ := running(t, "PCMU")
			offer := far.sdp(protoKeys, far.line) // and one before it that we cannot use
			offer = strings.Replace(offer, "a=crypto", "a=crypto:1 F8_128_HMAC_SHA1_80 inline:"+strings.Repeat("A", 40)+"\r\na=crypto", 1)
			answer, err := e.AnswerLine("a", local, offer, Security{PolicyRequired, true})
			if err != nil {
				t.Fatal(err)
			}
			ours := far.agree(answer)
			if ours.tag != far.line.tag || ours.suite != far.line.suite || ours.key.same(far.line.key) {
				t.Errorf("answer:\n%s", answer)
			}
			far.say(e.lines["a"], 5)
			if st := e.Stats("a"); st.Received.Packets != 5 || st.Bad != 0 || st.Secure != suites[i].name {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestKeysOutliveHoldAndWraps: after more than 65,536 packets each way a context made anew would know no packet any more.
func TestKeysOutliveHoldAndWraps(t *testing.T) {
	far := newSealed(t, &suites[0])
	far.seq = 60000
	e, _ := running(t, "PCMU")
	answer, err := e.AnswerLine("a", local, far.sdp(protoKeys, far.line), Security{PolicyRequired, true})
	if err != nil {
		t.Fatal(err)
	}
	ours, l := far.agree(answer), e.lines["a"]
	far.say(l, 2*65536) // wraps twice
	if st := e.Stats("a"); st.Received.Packets != 2*65536 || st.Bad != 0 {
		t.Fatalf("%+v", st)
	}
	b := make([]byte, 400)
	sent := func(n int) { // as far.lock opens them; nothing goes over the network
		t.Helper()
		for range n {
			l.mu.Lock()
			p := l.out.own(pcmu, pcmu.silence(160), 160, time.Now())
			size, ok := l.route.Load().shield.seal(b, p.put(b))
			l.mu.Unlock()
			if ok {
				_, ok = far.lock.open(b[:size], time.Now())
			}
			if !ok {
				t.Fatalf("packet %d is not what it was", p.seq)
			}
		}
	}
	sent(2 * 65536)
	hold, err := e.HoldOffer("a", true)
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := parseSDP(hold); len(all[0].crypto) != 1 || !all[0].crypto[0].key.same(ours.key) || all[0].crypto[0].suite != ours.suite {
		t.Errorf("a re-offer says the key in use, and only that:\n%s", hold)
	}
	if err := e.SetAnswer("a", far.sdp(protoKeys, far.line)); err != nil {
		t.Fatal(err)
	}
	sent(10)
	if _, err := e.HoldOffer("a", false); err != nil {
		t.Fatal(err)
	}
	if err := e.SetAnswer("a", strings.Replace(far.sdp(protoKeys, far.line), "RTP/SAVP 0\r\n", "RTP/SAVP 0\r\na=sendrecv\r\n", 1)); err != nil {
		t.Fatal(err)
	}
	sent(10)
	again, err := e.Reanswer("a", far.sdp(protoKeys, newCrypto(1, &suites[2]), far.line)) // our suite stays though theirs come in another order
	if err != nil {
		t.Fatal(err)
	}
	if all, _ := parseSDP(again); !all[0].crypto[0].key.same(ours.key) {
		t.Errorf("our key changed:\n%s", again)
	}
	sent(10)
	far.say(l, 100)
	if st := e.Stats("a"); st.Received.Packets != 2*65536+100 || st.Bad != 0 {
		t.Errorf("%+v", st)
	}
}

func TestNewKeyOfTheirsIsTakenAndTheOldOneHeardALittle(t *testing.T) {
	far := newSealed(t, &suites[0])
	e, _ := running(t, "PCMU")
	answer, err := e.AnswerLine("a", local, far.sdp(protoKeys, far.line), Security{PolicyRequired, true})
	if err != nil {
		t.Fatal(err)
	}
	ours, l := far.agree(answer), e.lines["a"]
	far.say(l, 3)
	old := far.lock
	far.line = newCrypto(1, &suites[0])
	answer, err = e.Reanswer("a", far.sdp(protoKeys, far.line))
	if err != nil {
		t.Fatal(err)
	}
	if mine := far.agree(answer); !mine.key.same(ours.key) || mine.tag != 1 {
		t.Errorf("answer:\n%s", answer)
	}
	fresh := far.lock
	far.say(l, 3)
	far.lock = old
	far.say(l, 3) // still under way
	if st := e.Stats("a"); st.Received.Packets != 9 || st.Bad != 0 {
		t.Errorf("%+v", st)
	}
	l.shield.inMu.Lock()
	l.shield.until = time.Now()
	l.shield.inMu.Unlock()
	far.say(l, 3)
	if st := e.Stats("a"); st.Received.Packets != 9 || st.Bad != 3 {
		t.Errorf("later: %+v", st)
	}
	far.lock = fresh
	far.say(l, 3)
	if st := e.Stats("a"); st.Received.Packets != 12 {
		t.Errorf("%+v", st)
	}
}

// TestNewKeyMayGoOnCountingWraps: after a wrap some begin with none under a new key, others go on.
func TestNewKeyMayGoOnCountingWraps(t *testing.T) {
	for _, goesOn := range []bool{false, true} {
		for i := range suites {
			far := newSealed(t, &suites[i])
			far.seq = 65000
			e, _ := running(t, "PCMU")
			answer, err := e.AnswerLine("a", local, far.sdp(protoKeys, far.line), Security{PolicyRequired, true})
			if err != nil {
				t.Fatal(err)
			}
			far.agree(answer)
			l := e.lines["a"]
			far.say(l, 1000)
			far.line = newCrypto(1, &suites[i])
			if answer, err = e.Reanswer("a", far.sdp(protoKeys, far.line)); err != nil {
				t.Fatal(err)
			}
			far.agree(answer)
			out, err := newContext(&suites[i], far.line.key)
			if err != nil {
				t.Fatal(err)
			}
			if goesOn {
				out.SetROC(7, 1)
			}
			far.lock.out = out
			far.say(l, 100)
			if st := e.Stats("a"); st.Received.Packets != 1100 || st.Bad != 0 {
				t.Errorf("%s, goes on %v: %+v", suites[i].name, goesOn, st)
			}
		}
	}
}

func TestForgedAndRepeatedPacketsAreDropped(t *testing.T) {
	for i := range suites {
		far := newSealed(t, &suites[i])
		e, _ := running(t, "PCMU")
		answer, err := e.AnswerLine("a", local, far.sdp(protoKeys, far.line), Security{PolicyRequired, true})
		if err != nil {
			t.Fatal(err)
		}
		far.agree(answer)
		l := e.lines["a"]
		b := make([]byte, 400)
		n, _ := far.lock.seal(b, speech160(9, 160).put(b))
		for at := range n { // every byte counts
			forged := bytes.Clone(b[:n])
			forged[at] ^= 0x10
			l.receive(forged, far.addr(), time.Now())
		}
		l.receive(bytes.Clone(b[:n]), far.addr(), time.Now())
		l.receive(bytes.Clone(b[:n]), far.addr(), time.Now())
		l.receive([]byte{0x80, 0, 0, 1}, far.addr(), time.Now())
		if st := e.Stats("a"); st.Received.Packets != 1 || st.Bad < uint64(n-1) {
			t.Errorf("%s: %+v", suites[i].name, st)
		}
	}
}

func TestReportsAreLockedToo(t *testing.T) {
	for _, sec := range []Security{{PolicyRequired, true}, {PolicyDTLS, false}} {
		a, _ := running(t, "PCMU")
		b, _ := running(t, "PCMU")
		if _, _, err := call(t, a, sec, b, sec); err != nil {
			t.Fatal(err)
		}
		la, lb := a.lines["a"], b.lines["b"]
		eventually(t, "keys", func() bool { return a.Stats("a").Secure != "" && b.Stats("b").Secure != "" })
		passes(t, la, lb)
		la.sendReport(time.Now(), false)
		eventually(t, "a sender report", func() bool {
			lb.quality.mu.Lock()
			defer lb.quality.mu.Unlock()
			return lb.quality.reportNTP != 0
		})
		lb.sendReport(time.Now(), false)
		eventually(t, "its echo", func() bool {
			la.quality.mu.Lock()
			defer la.quality.mu.Unlock()
			return la.quality.theirs.rtt > 0
		})
		if st := a.Stats("a"); st.Bad != 0 {
			t.Errorf("%s: %+v", sec.Policy, st)
		}
	}
}

func TestLockingAllocatesNothing(t *testing.T) {
	far := newSealed(t, &suites[0])
	for i := range suites {
		far.line = newCrypto(1, &suites[i])
		e, _ := running(t, "PCMU")
		answer, err := e.AnswerLine("a", local, far.sdp(protoKeys, far.line), Security{PolicyRequired, true})
		if err != nil {
			t.Fatal(err)
		}
		far.agree(answer)
		l, now := e.lines["a"], time.Now()
		b, seq := make([]byte, 400), uint16(0)
		far.say(l, 1)
		out := testing.AllocsPerRun(1000, func() {
			seq++
			l.speak(pcmu, packet{seq: seq, ts: uint32(seq) * 160, ssrc: 5, payload: b[200:360]}, false, now)
		})
		from := far.addr()
		in := testing.AllocsPerRun(1000, func() {
			far.seq++
			n, _ := far.lock.seal(b, packet{seq: far.seq, ssrc: 7, payload: b[200:360]}.put(b))
			l.receive(b[:n], from, now)
		})
		if out > 0 || in > poolForgets {
			t.Errorf("%s: %v allocations a packet out, %v in", suites[i].name, out, in)
		}
	}
}
