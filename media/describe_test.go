package media

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

func TestPacketTimesAreWhatTheyAskFor(t *testing.T) {
	rows := []struct {
		name       string
		attributes []string
		frame      int // milliseconds
	}{
		{"nothing said", nil, 20},
		{"10 ms", []string{"a=ptime:10"}, 10},
		{"30 ms", []string{"a=ptime:30"}, 30},
		{"60 ms", []string{"a=ptime:60"}, 60},
		{"more than we make", []string{"a=ptime:120"}, 60},
		{"less than we make", []string{"a=ptime:5"}, 10},
		{"with a fraction", []string{"a=ptime:20.0"}, 20},
		{"between two of ours", []string{"a=ptime:25"}, 20},
		{"maxptime below ptime", []string{"a=ptime:40", "a=maxptime:30"}, 30},
		{"maxptime alone", []string{"a=maxptime:10"}, 10},
		{"nonsense", []string{"a=ptime:x", "a=maxptime:-1"}, 20},
	}
	codecs := []struct {
		c       codec
		formats string
	}{{pcmu, "0"}, {g722, "9"}, {opus, "111"}}
	for _, row := range rows {
		for _, k := range codecs {
			t.Run(row.name+" "+k.c.String(), func(t *testing.T) {
				far := newPeer(t, "127.0.0.1:0")
				e, l, _ := answered(t, far, k.formats, append([]string{"a=rtpmap:111 opus/48000/2"}, row.attributes...)...)
				if got := l.route.Load().frame; got != row.frame {
					t.Fatalf("%d ms", got)
				}
				step := specs[k.c].clock / 1000 * uint32(row.frame)
				size := row.frame * 8
				if k.c == opus {
					size = len(opusQuiet[row.frame/10-1])
				} else {
					e.Play("a", hum{})
				}
				begin := l.route.Load().since.Add(time.Second)
				var last packet
				for i := range 6 {
					l.tick(begin.Add(time.Duration(i*row.frame) * time.Millisecond))
					p, ok := far.next(time.Second)
					if !ok || len(p.payload) != size {
						t.Fatalf("packet %d: %v, %d bytes", i, ok, len(p.payload))
					}
					if i > 0 && (p.seq != last.seq+1 || p.ts != last.ts+step) {
						t.Errorf("%+v after %+v", p, last)
					}
					last = p
				}
			})
		}
	}
}

func TestSourceEndsWithItsLastSamples(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, w := answered(t, far, "0", "a=ptime:30")
	e.Play("a", ULaw(make([]byte, 160*4))) // 80 ms: two packets of 30 ms, and one with 10 ms of silence
	begin := time.Now().Add(time.Second)
	for i := range 4 {
		l.tick(begin.Add(time.Duration(30*i) * time.Millisecond))
	}
	for i, loud := range []int{240, 240, 160, 0} {
		p, ok := far.next(time.Second)
		if n := strings.Count(string(p.payload), "\x00"); !ok || len(p.payload) != 240 || n != loud {
			t.Errorf("packet %d: %d bytes, %d of the source", i, len(p.payload), n)
		}
	}
	if !w.has(Played{"a"}) {
		t.Error("the end was not told")
	}
}

func TestDigitsFollowThePacketTime(t *testing.T) {
	for ms, packets := range map[string]int{"10": 13, "20": 8, "30": 6, "60": 5} { // 100 ms down at least in two packets, and three ends
		far := newPeer(t, "127.0.0.1:0")
		e, l, _ := answered(t, far, "0 101", "a=rtpmap:101 telephone-event/8000", "a=ptime:"+ms)
		if err := e.Digits("a", "7"); err != nil {
			t.Fatal(err)
		}
		begin, frame := time.Now(), l.route.Load().frame
		for i := range 15 {
			l.tick(begin.Add(time.Duration(i*frame) * time.Millisecond))
		}
		var n int
		var last packet
		for p, ok := far.next(50 * time.Millisecond); ok; p, ok = far.next(50 * time.Millisecond) {
			if p.pt == 101 {
				n, last = n+1, p
			}
		}
		length := int(last.payload[2])<<8 | int(last.payload[3])
		if n != packets || length != (packets-3)*frame*8 {
			t.Errorf("%s ms: %d packets, %d long", ms, n, length)
		}
	}
}

func TestLineOverIPv6(t *testing.T) {
	six := netip.MustParseAddr("::1")
	for _, sec := range []Security{{}, {PolicyRequired, true}, {PolicyDTLS, false}} {
		a, _ := running(t, "PCMU")
		b, _ := running(t, "PCMU")
		offer, err := a.OpenLine("a", six, sec)
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("no IPv6 here: %v", err)
			}
			t.Skipf("no IPv6 here: %v", err)
		}
		if !strings.Contains(offer, "c=IN IP6 ::1\r\n") || !strings.Contains(offer, " IN IP6 ::1\r\ns=") {
			t.Errorf("offer:\n%s", offer)
		}
		answer, err := b.AnswerLine("b", six, offer, sec)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.SetAnswer("a", answer); err != nil {
			t.Fatal(err)
		}
		if sec.Policy != "" {
			eventually(t, "keys", func() bool { return a.Stats("a").Secure != "" && b.Stats("b").Secure != "" })
		}
		passes(t, a.lines["a"], b.lines["b"])
		if _, err := a.AnswerLine("c", six, lines("m=audio 4000 RTP/AVP 0"), Security{}); !errors.Is(err, ErrNoCodec) {
			t.Errorf("an offer from the other family: %v", err)
		}
		if answer, err := a.AnswerLine("c", six, strings.Replace(lines("m=audio 4000 RTP/AVP 0"), "s=-\r\nc=IN IP4 127.0.0.1", "s=-\r\nc=IN IP6 ::", 1), Security{}); err != nil || !strings.Contains(answer, "a=recvonly") {
			t.Errorf("hold: %v\n%s", err, answer)
		}
	}
	e, _ := running(t, "PCMU")
	if offer, err := e.OpenLine("a", netip.MustParseAddr("::1%lo"), Security{}); err == nil && strings.Contains(offer, "%") {
		t.Errorf("the zone is nobody's business:\n%s", offer)
	}
}

func TestSectionsAreAnsweredInTheirPlaces(t *testing.T) {
	key := "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + strings.Repeat("A", 40)
	rows := []struct {
		name  string
		sec   Security
		offer string
		want  []string
		err   error
	}{
		{"encrypted before plain, whatever the order", Security{PolicyOptional, true}, lines("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/SAVP 0", key),
			[]string{"m=audio 0 RTP/AVP 0\r\nm=audio ", "a=crypto:1 "}, nil},
		{"plain where keys may not be", Security{PolicyOptional, false}, lines("m=audio 4002 RTP/SAVP 0", key, "m=audio 4000 RTP/AVP 0"),
			[]string{"m=audio 0 RTP/SAVP 0\r\nm=audio "}, nil},
		{"the first of two alike", Security{}, lines("m=audio 4000 RTP/AVP 0", "m=audio 4002 RTP/AVP 8"), []string{"m=audio 0 RTP/AVP 8\r\n"}, nil},
		{"unknown profiles are refused in place", Security{}, lines("m=audio 4000 TCP/RTP/AVP 0", "m=image 5000 udptl t38", "m=audio 4002 RTP/AVPF 0", "m=application 9 DTLS/SCTP 5000"),
			[]string{"m=audio 0 TCP/RTP/AVP 0\r\nm=image 0 udptl t38\r\nm=audio ", " RTP/AVPF 0\r\n", "m=application 0 DTLS/SCTP 5000\r\n"}, nil},
		{"only keys of a telephone", Security{}, lines("m=audio 4000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), nil, ErrNoCodec},
		{"only comfort noise", Security{}, lines("m=audio 4000 RTP/AVP 13"), nil, ErrNoCodec},
		{"bandwidth lines change nothing", Security{}, lines("b=AS:80", "m=audio 4000 RTP/AVP 0", "b=TIAS:64000"), []string{" RTP/AVP 0\r\n"}, nil},
		{"one port when they offer it", Security{}, lines("m=audio 4000 RTP/AVP 0", "a=rtcp-mux"), []string{"a=rtcp-mux\r\n"}, nil},
		{"fingerprint in a plain profile", Security{PolicyOptional, true}, lines("m=audio 4000 RTP/AVP 0", key, "a=setup:actpass", "a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":")),
			[]string{" RTP/AVP 0\r\n", "a=fingerprint:sha-256 ", "a=setup:active\r\n"}, nil},
		{"fingerprint and setup at the top", Security{PolicyDTLS, false}, lines("a=setup:passive", "a=fingerprint:Sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "m=audio 4000 UDP/TLS/RTP/SAVP 0"),
			[]string{" UDP/TLS/RTP/SAVP 0\r\n", "a=setup:active\r\n"}, nil},
		{"only a weak hash", Security{PolicyDTLS, false}, lines("m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=setup:actpass", "a=fingerprint:sha-1 "+strings.TrimSuffix(strings.Repeat("AB:", 20), ":")), nil, ErrNotSecure},
		{"a key line that cannot be used", Security{PolicyRequired, true}, lines("m=audio 4000 RTP/SAVP 0", key+"|1:4"), nil, ErrNotSecure},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			e := still(t)
			answer, err := e.AnswerLine("a", local, row.offer, row.sec)
			if !errors.Is(err, row.err) || (err == nil) != (row.err == nil) {
				t.Fatalf("%v, wanted %v\n%s", err, row.err, answer)
			}
			for _, want := range row.want {
				if !strings.Contains(answer, want) {
					t.Errorf("answer lacks %q:\n%s", want, answer)
				}
			}
			if n := strings.Count(answer, "a=crypto") > 0 && !row.sec.Keys; n {
				t.Errorf("a key stands in the answer:\n%s", answer)
			}
		})
	}
}

func TestPortZeroPausesACallUnderWay(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, l, _ := answered(t, far, "0")
	answer, err := e.Reanswer("a", lines("m=audio 0 RTP/AVP 0"))
	if err != nil || !strings.Contains(answer, "m=audio 0 RTP/AVP 0\r\n") {
		t.Fatalf("%v\n%s", err, answer)
	}
	l.tick(time.Now().Add(time.Second))
	if _, ok := far.next(50 * time.Millisecond); ok {
		t.Error("sound to nobody")
	}
	if offer, _ := e.HoldOffer("a", false); !strings.Contains(offer, " RTP/AVP 0 ") || strings.Contains(offer, "m=audio 0 ") {
		t.Errorf("our own offer takes it up again:\n%s", offer)
	}
	if _, err := e.Reanswer("a", lines("m=audio "+far.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 0")); err != nil {
		t.Fatal(err)
	}
	l.tick(time.Now().Add(2 * time.Second))
	if _, ok := far.next(time.Second); !ok {
		t.Error("no sound after the pause")
	}
}

func TestReportsTakeThePortThatWasAgreed(t *testing.T) {
	for _, row := range []struct {
		name, attribute string
		mux, none       bool
	}{{"a port of their own", "a=x", false, false}, {"the port of the sound", "a=rtcp-mux", true, false}, {"none", "b=RS:0\r\nb=RR:0", false, true}} {
		t.Run(row.name, func(t *testing.T) {
			far := newPeer(t, "127.0.0.1:0")
			_, l, _ := answered(t, far, "0", row.attribute)
			r := l.route.Load()
			if r.mux != row.mux || r.rtcp.IsValid() == row.none {
				t.Fatalf("%+v", *r)
			}
			l.sendReport(time.Now(), false)
			if p, ok := far.next(100 * time.Millisecond); ok != row.mux || ok && p.pt&0x7f != 201&0x7f {
				t.Errorf("on the port of the sound: %v %+v", ok, p)
			}
		})
	}
}

func TestAnswerWithSeveralCodecsMayUseAnyOfThem(t *testing.T) {
	far := newPeer(t, "127.0.0.1:0")
	e, _ := running(t)
	if _, err := e.OpenLine("a", local, Security{}); err != nil {
		t.Fatal(err)
	}
	if err := e.SetAnswer("a", lines("m=audio "+far.addr().String()[len("127.0.0.1:"):]+" RTP/AVP 8 0 9")); err != nil {
		t.Fatal(err)
	}
	l := e.lines["a"]
	if r := l.route.Load(); r.codec != pcma {
		t.Errorf("we send %v, not their first", r.codec)
	}
	for i, pt := range []uint8{8, 0, 9} {
		far.send(l.address(), packet{pt: pt, seq: uint16(i), ts: uint32(i * 160), ssrc: 7, payload: make([]byte, 160)})
	}
	eventually(t, "all three", func() bool { return l.quality.flow().Packets == 3 })
}
