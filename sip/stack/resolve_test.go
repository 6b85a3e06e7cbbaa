package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone is a DNS server of the test's own, on loopback; it counts the questions.
func zone(t *testing.T, records string) (addr string, asked *atomic.Int32) {
	t.Helper()
	known := map[string][]dns.RR{}
	for line := range strings.Lines(records) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		key := fmt.Sprint(rr.Header().Name, rr.Header().Rrtype)
		known[key] = append(known[key], rr)
	}
	asked = new(atomic.Int32)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, ask *dns.Msg) {
		asked.Add(1)
		reply := new(dns.Msg).SetReply(ask)
		reply.Answer = known[fmt.Sprint(lower(ask.Question[0].Name), ask.Question[0].Qtype)]
		if len(reply.Answer) == 0 {
			reply.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(reply)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = server.Shutdown(); <-done })
	return conn.LocalAddr().String(), asked
}

const exampleZone = `
	a.test.            60 IN A     127.0.0.1
	a.test.            60 IN AAAA  ::1
	b.test.            60 IN A     127.0.0.2
	six.test.          60 IN AAAA  ::1
	full.test.         60 IN NAPTR 20 10 "s" "SIP+D2U"  "" _sip._udp.full.test.
	full.test.         60 IN NAPTR 10 20 "s" "SIP+D2T"  "" _sip._tcp.full.test.
	full.test.         60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.full.test.
	full.test.         60 IN NAPTR 1  1  "s" "SIP+D2S"  "" _sip._sctp.full.test.
	full.test.         60 IN NAPTR 1  1  "u" "E2U+sip"  "!^.*$!sip:x@evil.test!" .
	_sips._tcp.full.test. 60 IN SRV 0 0 5061 a.test.
	_sip._tcp.full.test.  60 IN SRV 0 0 5060 a.test.
	_sip._udp.full.test.  60 IN SRV 0 0 5060 a.test.
	_sip._udp.srv.test.   60 IN SRV 20 0 5080 a.test.
	_sip._udp.srv.test.   60 IN SRV 10 0 5070 b.test.
	_sip._tcp.srv.test.   60 IN SRV 10 0 5070 b.test.
	srv.test.             60 IN A 127.0.0.9
	_sip._udp.gone.test.  60 IN SRV 0 0 0 .
	plain.test.           60 IN A 127.0.0.3
	_sip._udp.dead.test.  60 IN SRV 0 0 5060 nowhere.test.
`

func list(targets []Target) string {
	var b []string
	for _, t := range targets {
		b = append(b, t.Network+" "+t.Addr.String())
	}
	return strings.Join(b, ", ")
}

// TestServersAreFound are the rules of RFC 3263 §4.
func TestServersAreFound(t *testing.T) {
	dnsServer, _ := zone(t, exampleZone)
	for _, row := range []struct{ server, transport, want string }{
		{"192.0.2.1", "", "udp 192.0.2.1:5060"},
		{"192.0.2.1", "tls", "tls 192.0.2.1:5061"},
		{"192.0.2.1:5080", "TCP", "tcp 192.0.2.1:5080"},
		{"2001:db8::1", "", "udp [2001:db8::1]:5060"},
		{"[2001:db8::1]:5070", "tls", "tls [2001:db8::1]:5070"},
		{"[2001:db8::1]", "", "udp [2001:db8::1]:5060"},
		{"::ffff:192.0.2.1", "", "udp 192.0.2.1:5060"},
		{"192.0.2.1", "wss", "wss 192.0.2.1:443"},
		{"a.test:5090", "", "udp 127.0.0.1:5090, udp [::1]:5090"},
		{"a.test.:5090", "tcp", "tcp 127.0.0.1:5090, tcp [::1]:5090"},
		{"six.test:5060", "tls", "tls [::1]:5060"},
		{"plain.test", "", "udp 127.0.0.3:5060"},
		{"plain.test", "tls", "tls 127.0.0.3:5061"},
		{"plain.test", "wss", "wss 127.0.0.3:443"},
		{"full.test", "", "tls 127.0.0.1:5061, tls [::1]:5061, tcp 127.0.0.1:5060, tcp [::1]:5060, udp 127.0.0.1:5060, udp [::1]:5060"},
		{"FULL.test", "udp", "udp 127.0.0.1:5060, udp [::1]:5060"},
		{"srv.test", "", "tcp 127.0.0.2:5070, udp 127.0.0.2:5070, udp 127.0.0.1:5080, udp [::1]:5080"},
		{"srv.test", "udp", "udp 127.0.0.2:5070, udp 127.0.0.1:5080, udp [::1]:5080"},
		{"srv.test", "tls", "tls 127.0.0.9:5061"},
		{"srv.test:5060", "udp", "udp 127.0.0.9:5060"},
		{"gone.test", "udp", "ErrNoServer"},
		{"dead.test", "udp", "ErrNoServer"},
		{"nowhere.test", "", "ErrNoServer"},
		{"bad host", "", "error"},
		{"a.test:0", "", "error"},
		{"a.test:70000", "", "error"},
		{"evil\r\n.test", "", "error"},
		{"", "", "error"},
	} {
		got, err := NewResolver(dnsServer).Resolve(context.Background(), row.server, row.transport)
		have := list(got)
		if errors.Is(err, ErrNoServer) {
			have = "ErrNoServer"
		} else if err != nil {
			have = "error"
		}
		// What the machine has no route to stands last, so the order of families may differ where there is no IPv6.
		if have != row.want {
			t.Errorf("%s %s: %s (%v), want %s", row.server, row.transport, have, err, row.want)
		}
		for _, target := range got {
			if !strings.EqualFold(target.Name, strings.Trim(strings.TrimSuffix(strings.Split(row.server, ":5")[0], "."), "[]")) {
				t.Errorf("%s: certificate of %q", row.server, target.Name)
			}
		}
	}
}

func TestFailedTargetsStandLastForFiveMinutes(t *testing.T) {
	dnsServer, _ := zone(t, exampleZone)
	r := NewResolver(dnsServer)
	at := time.Now()
	r.now = func() time.Time { return at }
	find := func() []Target {
		t.Helper()
		got, err := r.Resolve(context.Background(), "srv.test", "udp")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first := find()[0]
	r.Penalize(first)
	if got := find(); got[0] == first || got[len(got)-1] != first {
		t.Error(list(got))
	}
	at = at.Add(penaltyTime + time.Second)
	if got := find(); got[0] != first {
		t.Error(list(got))
	}
	r.Penalize(first)
	r.Forgive(first)
	if got := find(); got[0] != first {
		t.Error(list(got))
	}
}

func TestAnswersAreKeptForTheirTime(t *testing.T) {
	dnsServer, asked := zone(t, exampleZone)
	r := NewResolver(dnsServer)
	at := time.Now()
	r.dns.now = func() time.Time { return at }
	find := func() int32 {
		t.Helper()
		asked.Store(0)
		if _, err := r.Resolve(context.Background(), "full.test", ""); err != nil {
			t.Fatal(err)
		}
		return asked.Load()
	}
	if find() == 0 || find() != 0 {
		t.Error("an answer was asked for twice")
	}
	at = at.Add(61 * time.Second)
	if find() == 0 {
		t.Error("an old answer was believed")
	}
	r.Forget()
	if find() == 0 {
		t.Error("another network was not asked")
	}
}

// TestTheNextServerIsAsked when the first does not answer.
func TestTheNextServerIsAsked(t *testing.T) {
	dead, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := dead.LocalAddr().String()
	dead.Close() // refused at once
	good, _ := zone(t, exampleZone)
	got, err := NewResolver(address, good).Resolve(context.Background(), "plain.test:5060", "")
	if err != nil || list(got) != "udp 127.0.0.3:5060" {
		t.Error(list(got), err)
	}
}

// TestWeightsAreShares of RFC 2782: three to one, within what chance allows for 2,000 draws.
func TestWeightsAreShares(t *testing.T) {
	first := map[string]int{}
	for range 2000 {
		got := weighted([]srv{{2, 100, 1, "later"}, {1, 75, 1, "heavy"}, {1, 25, 1, "light"}, {1, 0, 1, "none"}})
		first[got[0].host]++
		if got[3].host != "later" || len(got) != 4 {
			t.Fatal(got)
		}
	}
	if h := first["heavy"]; h < 1350 || h > 1650 || first["none"] > 60 {
		t.Error(first)
	}
}

func FuzzAnswers(f *testing.F) {
	for _, kind := range []uint16{dns.TypeNAPTR, dns.TypeSRV} {
		m := new(dns.Msg).SetQuestion("full.test.", kind)
		for line := range strings.Lines(exampleZone) {
			if rr, err := dns.NewRR(strings.TrimSpace(line)); err == nil && rr != nil && rr.Header().Rrtype == kind {
				m.Answer = append(m.Answer, rr)
			}
		}
		packed, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed, kind)
	}
	f.Fuzz(func(t *testing.T, data []byte, kind uint16) {
		var m dns.Msg
		if m.Unpack(data) != nil {
			return
		}
		records, ttl := usable(&m, question{"x.", kind})
		if ttl > ttlMax || len(records) > recordsMax {
			t.Errorf("%v, %d records", ttl, len(records))
		}
		for _, n := range naptrs(records) {
			if !hostName(n.replacement) {
				t.Errorf("%q", n.replacement)
			}
		}
		for _, s := range weighted(srvs(records)) {
			if s.host != "" && !hostName(s.host) {
				t.Errorf("%q", s.host)
			}
		}
	})
}

func FuzzServer(f *testing.F) {
	for _, s := range []string{"a.test:5060", "[::1]:5060", "::1", "a:b:c", "[", "a..b", "x:65536"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, server string) {
		host, _, err := splitServer(server)
		if err == nil && (!Clean(host) || slices.Contains([]string{"", "."}, host)) {
			t.Errorf("%q from %q", host, server)
		}
	})
}
