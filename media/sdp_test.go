package media

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
)

var local = netip.MustParseAddr("127.0.0.1")

// lines is an SDP of those lines after the usual head.
func lines(l ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" + strings.Join(l, "\r\n") + "\r\n"
}

// still is an engine that does not run: offer and answer need no more.
func still(t *testing.T, codecs ...string) *Engine {
	t.Helper()
	e, err := New(Config{Codecs: codecs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.shut)
	return e
}

func TestOfferIsAnsweredWithOneCodecAndItsDirection(t *testing.T) {
	rows := []struct {
		name   string
		offer  string
		want   []string // of the answer
		codec  codec
		digit  uint8
		hz     uint32
		send   bool
		hear   bool
		remote string
	}{
		{"static types without rtpmap", lines("m=audio 4000 RTP/AVP 0 8"),
			[]string{" RTP/AVP 0\r\n", "a=rtpmap:0 PCMU/8000\r\n", "a=sendrecv\r\n"}, pcmu, 0, 0, true, true, "127.0.0.1:4000"},
		{"the offerer's order counts", lines("m=audio 4000 RTP/AVP 8 0 9"), []string{" RTP/AVP 8\r\n"}, pcma, 0, 0, true, true, "127.0.0.1:4000"},
		{"unknown codecs are passed over", lines("m=audio 4000 RTP/AVP 18 97 0", "a=rtpmap:97 iLBC/8000"), []string{" RTP/AVP 0\r\n"}, pcmu, 0, 0, true, true, "127.0.0.1:4000"},
		{"dynamic types are theirs", lines("m=audio 4000 RTP/AVP 107 96 97", "a=rtpmap:107 opus/48000/2", "a=rtpmap:96 telephone-event/8000", "a=rtpmap:97 telephone-event/48000"),
			[]string{" RTP/AVP 107 97\r\n", "a=rtpmap:107 opus/48000/2\r\n", "a=rtpmap:97 telephone-event/48000\r\n"}, opus, 97, 48000, true, true, "127.0.0.1:4000"},
		{"opus with events at 8 kHz only", lines("m=audio 4000 RTP/AVP 107 96", "a=rtpmap:107 OPUS/48000/2", "a=rtpmap:96 telephone-event/8000"),
			[]string{" RTP/AVP 107 96\r\n"}, opus, 96, 8000, true, true, "127.0.0.1:4000"},
		{"address at media level wins", lines("m=audio 4000 RTP/AVP 0", "c=IN IP4 127.0.0.9"), nil, pcmu, 0, 0, true, true, "127.0.0.9:4000"},
		{"hold is answered with recvonly", lines("m=audio 4000 RTP/AVP 0", "a=sendonly"), []string{"a=recvonly\r\n"}, pcmu, 0, 0, false, true, "127.0.0.1:4000"},
		{"recvonly is answered with sendonly", lines("m=audio 4000 RTP/AVP 0", "a=recvonly"), []string{"a=sendonly\r\n"}, pcmu, 0, 0, true, false, "127.0.0.1:4000"},
		{"inactive stays inactive", lines("m=audio 4000 RTP/AVP 0", "a=inactive"), []string{"a=inactive\r\n"}, pcmu, 0, 0, false, false, "127.0.0.1:4000"},
		{"direction at session level", lines("a=sendonly", "m=audio 4000 RTP/AVP 0"), []string{"a=recvonly\r\n"}, pcmu, 0, 0, false, true, "127.0.0.1:4000"},
		{"hold as of RFC 2543", lines("m=audio 4000 RTP/AVP 0", "c=IN IP4 0.0.0.0"), []string{"a=recvonly\r\n"}, pcmu, 0, 0, false, true, "0.0.0.0:4000"},
		{"video is refused in its place", lines("m=video 5000 RTP/AVP 31", "m=audio 4000 RTP/AVP 0"), []string{"m=video 0 RTP/AVP 31\r\nm=audio "}, pcmu, 0, 0, true, true, "127.0.0.1:4000"},
		{"a refused audio section is passed over", lines("m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 8"), []string{"m=audio 0 RTP/AVP 0\r\nm=audio "}, pcma, 0, 0, true, true, "127.0.0.1:4000"},
		{"secure audio is refused beside plain", lines("m=audio 4002 RTP/SAVP 0", "m=audio 4000 RTP/AVP 0"), []string{"m=audio 0 RTP/SAVP 0\r\n"}, pcmu, 0, 0, true, true, "127.0.0.1:4000"},
		{"no line end at the end", strings.TrimSpace(lines("m=audio 4000 RTP/AVP 0", "a=sendonly")), []string{"a=recvonly\r\n"}, pcmu, 0, 0, false, true, "127.0.0.1:4000"},
		{"bare line feeds", strings.ReplaceAll(lines("m=audio 4000 RTP/AVP 0"), "\r\n", "\n"), nil, pcmu, 0, 0, true, true, "127.0.0.1:4000"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := still(t)
			answer, err := e.AnswerLine("a", local, row.offer, Security{})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range row.want {
				if !strings.Contains(answer, want) {
					t.Errorf("answer lacks %q:\n%s", want, answer)
				}
			}
			r := e.lines["a"].route.Load()
			if r.codec != row.codec || r.digit != row.digit || r.hz != row.hz || r.send != row.send || r.hear != row.hear || r.remote.String() != row.remote {
				t.Errorf("route %+v", *r)
			}
			if _, err := parseSDP(answer); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOfferWithoutUsIsRefused(t *testing.T) {
	rows := []struct {
		name, offer string
		want        error
	}{
		{"no codec in common", lines("m=audio 4000 RTP/AVP 18"), ErrNoCodec},
		{"port 0", lines("m=audio 0 RTP/AVP 0"), ErrNoCodec},
		{"video alone", lines("m=video 4000 RTP/AVP 31"), ErrNoCodec},
		{"secure only", lines("m=audio 4000 RTP/SAVP 0"), ErrNoCodec},
		{"a host name for an address", lines("m=audio 4000 RTP/AVP 0", "c=IN IP4 phone.example"), ErrNoCodec},
		{"no media", lines(), ErrBadSDP},
		{"empty", "", ErrBadSDP},
		{"not a description", "hello", ErrBadSDP},
		{"no number for a port", lines("m=audio x RTP/AVP 0"), ErrBadSDP},
		{"m= too short", lines("m=audio 4000"), ErrBadSDP},
		{"too long", lines("m=audio 4000 RTP/AVP 0", strings.Repeat("a=x\r\n", maxSDP)), ErrBadSDP},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := still(t)
			if answer, err := e.AnswerLine("a", local, row.offer, Security{}); !errors.Is(err, row.want) {
				t.Errorf("%v\n%s", err, answer)
			}
			if len(e.lines) != 0 {
				t.Error("a line is left")
			}
		})
	}
}

// origin is the version in o=.
func origin(sdp string) (version int) {
	_, _ = fmt.Sscanf(sdp[strings.Index(sdp, "o="):], "o=- %d %d", new(uint64), &version)
	return version
}

func TestHoldAndResumeOverTheTable(t *testing.T) {
	e := still(t, "PCMU")
	offer, err := e.OpenLine("a", local, Security{})
	if err != nil {
		t.Fatal(err)
	}
	answer := lines("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000")
	if err := e.SetAnswer("a", answer); err != nil {
		t.Fatal(err)
	}
	if err := e.SetAnswer("a", answer); err != nil {
		t.Errorf("the same answer again: %v", err)
	}
	route := func() *route { return e.lines["a"].route.Load() }
	same, _ := e.HoldOffer("a", false)
	if origin(same) != origin(offer) {
		t.Errorf("nothing changed, but the version did:\n%s%s", offer, same)
	}
	hold, _ := e.HoldOffer("a", true)
	if !strings.Contains(hold, "a=sendonly") || origin(hold) != origin(offer)+1 {
		t.Errorf("hold:\n%s", hold)
	}
	if !route().speak {
		t.Error("an offer alone takes effect")
	}
	if err := e.SetAnswer("a", lines("m=audio 4000 RTP/AVP 0", "a=recvonly")); err != nil {
		t.Fatal(err)
	}
	if r := route(); r.speak || r.hear || !r.send {
		t.Errorf("held: %+v", r)
	}
	back, _ := e.Reanswer("a", lines("m=audio 4000 RTP/AVP 0", "a=sendonly"))
	if !strings.Contains(back, "a=inactive") {
		t.Errorf("both hold:\n%s", back)
	}
	if again, _ := e.HoldOffer("a", true); !strings.Contains(again, "a=inactive") {
		t.Errorf("hold while held:\n%s", again)
	}
	resume, _ := e.HoldOffer("a", false)
	if !strings.Contains(resume, "a=sendrecv") {
		t.Errorf("resume:\n%s", resume)
	}
	if err := e.SetAnswer("a", answer); err != nil {
		t.Fatal(err)
	}
	if r := route(); !r.speak || !r.hear || r.digit != 101 {
		t.Errorf("resumed: %+v", r)
	}
	if err := e.SetAnswer("a", lines("m=audio 0 RTP/AVP 0")); !errors.Is(err, ErrNoCodec) {
		t.Errorf("port 0 in the answer: %v", err)
	}
}

func TestPayloadTypesStayWhenWeOfferLater(t *testing.T) {
	e := still(t)
	if _, err := e.AnswerLine("a", local, lines("m=audio 4000 RTP/AVP 101 96", "a=rtpmap:101 opus/48000/2", "a=rtpmap:96 telephone-event/48000"), Security{}); err != nil {
		t.Fatal(err)
	}
	offer, err := e.HoldOffer("a", false)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parseSDP(offer)
	if err != nil {
		t.Fatal(err)
	}
	if list := all[0].list; list[0] != (format{101, "opus", 48000}) || list[1] != (format{96, "telephone-event", 48000}) {
		t.Errorf("%v\n%s", list, offer)
	}
	seen := map[uint8]bool{}
	for _, f := range all[0].list {
		if seen[f.pt] {
			t.Errorf("payload type %d twice:\n%s", f.pt, offer)
		}
		seen[f.pt] = true
	}
}

func TestPortsComeFromTheRange(t *testing.T) {
	e, err := New(Config{PortLow: 31001, PortHigh: 31006})
	if err != nil {
		t.Fatal(err)
	}
	defer e.shut()
	used := map[uint16]bool{}
	for _, id := range []string{"a", "b"} {
		offer, err := e.OpenLine(id, local, Security{})
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("the ports are taken: %v", err)
			}
			t.Skipf("the ports are taken: %v", err)
		}
		all, _ := parseSDP(offer)
		port := all[0].port
		if port%2 != 0 || port < 31001 || port > 31006 || used[port] {
			t.Errorf("port %d", port)
		}
		used[port] = true
	}
	if _, err := e.OpenLine("c", local, Security{}); err == nil {
		t.Error("a third pair in a range of two")
	}
}

func FuzzSDP(f *testing.F) {
	f.Add(lines("m=audio 4000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=sendonly"))
	e := &Engine{cname: "fuzz"}
	f.Add("v=0\nm=audio 1/2 RTP/AVP 0\nc=IN IP6 ::1\na=rtcp:9 IN IP4 1.1.1.1")
	f.Add(lines("a=group:BUNDLE x", "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "m=audio 4000 UDP/TLS/RTP/SAVPF 0",
		"a=mid:x", "a=rtcp-mux", "a=setup:actpass", "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=ptime:60"))
	f.Add(lines("m=audio 4000 RTP/SAVP 0", "a=crypto:1 AEAD_AES_128_GCM inline:"+strings.Repeat("A", 40)+"|2^20 WSH=64", "b=RS:0", "b=RR:0", "a=maxptime:10"))
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseSDP(text)
		if err != nil {
			return
		}
		for _, s := range all {
			c, _ := s.chosen(usual)
			s.digits(c)
			s.rtcpPort()
			if p := s.pace(); p < 10 || p > maxPace || p%10 != 0 {
				t.Errorf("%d ms", p)
			}
		}
		for _, policy := range []string{PolicyOff, PolicyOptional, PolicyRequired, PolicyDTLS} {
			l := &line{e: e}
			l.talk.begin(netip.AddrPortFrom(local, 4000), usual)
			if err := l.prepareLocked(Security{policy, true}, false); err != nil {
				t.Fatal(err)
			}
			answer, err := l.answerLocked(text)
			if err != nil {
				continue
			}
			again, err := parseSDP(answer)
			if err != nil || len(again) != len(all) {
				t.Errorf("our own answer: %v\n%q", err, answer)
			}
			if r := l.route.Load(); !l.talk.sec.plain() && r.shield == nil {
				t.Errorf("%s, and not encrypted:\n%q", policy, answer)
			}
			_ = l.answeredLocked(text)
		}
	})
}
