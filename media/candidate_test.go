package media

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

func TestCandidatesWorthAsking(t *testing.T) {
	public, private, looped, six := netip.MustParseAddr("203.0.113.5"), netip.MustParseAddr("10.0.0.5"), local, netip.MustParseAddr("2001:db8::5")
	rows := []struct {
		name, value string
		local       netip.Addr
		worth       bool
	}{
		{"host", "1 1 UDP 2130706431 198.51.100.7 4000 typ host", public, true},
		{"lower case, relay", "a+/9 1 udp 1 198.51.100.7 4000 typ relay raddr 10.0.0.1 rport 9", public, true},
		{"RTCP", "1 2 UDP 2130706430 198.51.100.7 4001 typ host", public, true},
		{"with extensions", "1 1 udp 2122260223 198.51.100.7 4000 typ host generation 0 ufrag abcd network-id 1", public, true},
		{"private, from private", "1 1 UDP 1 192.168.1.9 4000 typ host", private, true},
		{"IPv6", "1 1 UDP 1 2001:db8::7 4000 typ host", six, true},
		{"IPv4 in IPv6's clothes", "1 1 UDP 1 ::ffff:198.51.100.7 4000 typ host", public, true},
		{"loopback from loopback", "1 1 UDP 1 127.0.0.1 4000 typ host", looped, true},
		{"network card from loopback", "1 1 UDP 1 198.51.100.7 4000 typ host", looped, true},
		{"this machine's own", "1 1 UDP 1 127.0.0.1 22 typ host", public, false},
		{"this machine's own, IPv6", "1 1 UDP 1 ::1 22 typ host", six, false},
		{"a cloud's secrets", "1 1 UDP 1 169.254.169.254 80 typ host", public, false},
		{"link-local", "1 1 UDP 1 fe80::1 4000 typ host", six, false},
		{"with a zone", "1 1 UDP 1 fe80::1%lo 4000 typ host", netip.MustParseAddr("fe80::2"), false},
		{"multicast", "1 1 UDP 1 224.0.0.251 5353 typ host", public, false},
		{"multicast, IPv6", "1 1 UDP 1 ff02::fb 5353 typ host", six, false},
		{"everybody", "1 1 UDP 1 255.255.255.255 4000 typ host", public, false},
		{"reserved", "1 1 UDP 1 240.0.0.1 4000 typ host", public, false},
		{"everybody on loopback", "1 1 UDP 1 127.255.255.255 4000 typ host", looped, false},
		{"nowhere", "1 1 UDP 1 0.0.0.0 4000 typ host", public, false},
		{"no port", "1 1 UDP 1 198.51.100.7 0 typ host", public, false},
		{"TCP", "1 1 TCP 1 198.51.100.7 9 typ host tcptype active", public, false},
		{"a name of mDNS", "1 1 UDP 1 6a5b9a5e-7c5c-4c3e-8f0a-0d2b2a3d4c5e.local 4000 typ host", public, false},
		{"a host name", "1 1 UDP 1 pbx.example.com 4000 typ host", public, false},
		{"the other family", "1 1 UDP 1 2001:db8::7 4000 typ host", public, false},
	}
	for _, row := range rows {
		if c, ok := parseCandidate(row.value); !ok || c.worth(row.local) != row.worth {
			t.Errorf("%s: %v %+v", row.name, ok, c)
		}
	}
	for _, bad := range []string{"", "1 1 UDP 1 198.51.100.7 4000", "1 0 UDP 1 198.51.100.7 4000 typ host", "1 3 UDP 1 198.51.100.7 4000 typ host",
		"1 1 UDP x 198.51.100.7 4000 typ host", "1 1 UDP 1 198.51.100.7 70000 typ host", "1 1 UDP 1 198.51.100.7 -1 typ host",
		"1 1 UDP 4294967296 198.51.100.7 1 typ host", "1 1 UDP 1 198.51.100.7 4000 type host", strings.Repeat("f", 33) + " 1 UDP 1 198.51.100.7 1 typ host"} {
		if c, ok := parseCandidate(bad); ok {
			t.Errorf("%q: %+v", bad, c)
		}
	}
}

func TestAListOfTenThousandIsCutShort(t *testing.T) {
	list := []string{"m=audio 4000 UDP/TLS/RTP/SAVPF 0", "a=ice-ufrag:abcd", "a=ice-pwd:" + strings.Repeat("x", 22)}
	for i := range 600 {
		list = append(list, fmt.Sprintf("a=candidate:1 1 UDP %d 192.168.%d.%d 80 typ host", i+1, i/250, i%250+1))
	}
	all, err := parseSDP(lines(list...))
	if err != nil || len(all[0].candidates) != maxCandidates {
		t.Fatalf("%v, %d", err, len(all[0].candidates))
	}
	for len(list) < 10000 {
		list = append(list, list[len(list)-1])
	}
	if _, err := parseSDP(lines(list...)); err == nil {
		t.Error("half a megabyte was read")
	}
}

func TestWhoSpoilsICEGetsTheSound(t *testing.T) {
	ice := []string{"a=ice-ufrag:abcd", "a=ice-pwd:" + strings.Repeat("x", 22), "a=candidate:1 1 UDP 1 198.51.100.7 5000 typ host"}
	rows := []struct {
		name     string
		lines    []string
		ice, bad bool
	}{
		{"the default is another address", append([]string{"m=audio 4000 RTP/AVP 0"}, ice...), false, true},
		{"the default is one of them", append([]string{"m=audio 5000 RTP/AVP 0", "c=IN IP4 198.51.100.7"}, ice...), true, false},
		{"no address yet", append([]string{"m=audio 9 RTP/AVP 0", "c=IN IP4 0.0.0.0"}, ice...), true, false},
		{"no candidates", append([]string{"m=audio 4000 RTP/AVP 0"}, ice[:2]...), true, false},
		{"no password", append([]string{"m=audio 4000 RTP/AVP 0"}, ice[0]), false, false},
		{"a name as long as a book", append([]string{"m=audio 4000 RTP/AVP 0", "a=ice-ufrag:" + strings.Repeat("u", 300)}, ice[1]), false, false},
		{"only a name of mDNS", append([]string{"m=audio 4000 RTP/AVP 0"}, ice[0], ice[1], "a=candidate:1 1 UDP 1 x.local 5000 typ host"), true, false},
	}
	for _, row := range rows {
		e, _ := running(t, "PCMU")
		answer, err := e.AnswerLine("a", local, lines(row.lines...), Security{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(answer, "a=ice-ufrag:") != row.ice || strings.Contains(answer, "a=ice-mismatch\r\n") != row.bad {
			t.Errorf("%s:\n%s", row.name, answer)
		}
	}
}

func FuzzCandidate(f *testing.F) {
	f.Add("1 1 UDP 2130706431 198.51.100.7 4000 typ host")
	f.Add("1 1 TCP 1 2001:db8::7 9 typ host tcptype active")
	f.Fuzz(func(t *testing.T, value string) {
		c, ok := parseCandidate(value)
		if !ok || !c.worth(c.at.Addr()) {
			return
		}
		again, ok := parseCandidate(strings.TrimPrefix(strings.TrimSpace(c.written()), "a=candidate:"))
		if !ok || again != c {
			t.Errorf("%+v became %+v", c, again)
		}
	})
}
