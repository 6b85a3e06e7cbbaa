package sip_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"github.com/miekg/dns"

	"zaseki/sip"
	"zaseki/sip/stack"
)

// registering begins a registration and returns what it will say.
func (s *server) registering(p *phone, change func(*sip.Account)) chan error {
	a := p.account(s.conn.LocalAddr().String(), "udp")
	if change != nil {
		change(&a)
	}
	done := make(chan error, 1)
	go func() { done <- p.Register(p.context(), a) }()
	return done
}

// takes answers a REGISTER with 200 and its own Contact, with these parameters.
func (s *server) takes(req *sipgo.Request, params string, headers ...string) {
	contact, _, _ := strings.Cut(stack.Header(req, "Contact"), ",")
	s.says(req, 200, append(headers, "Contact", contact+params)...)
}

func TestRegistrarsWordsAreKept(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	done := s.registering(p, func(a *sip.Account) { a.GRUU = true })
	first := s.gets(sipgo.REGISTER)
	for _, tag := range []string{"path", "outbound", "gruu"} {
		if !strings.Contains(stack.Header(first, "Supported"), tag) {
			t.Errorf("%s is not supported: %s", tag, stack.Header(first, "Supported"))
		}
	}
	if c := stack.Header(first, "Contact"); !strings.Contains(c, `;+sip.instance="<urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8>";reg-id=1`) {
		t.Error(c)
	}
	// Several challenges, of which the strongest of our realm is answered.
	s.says(first, 401, "WWW-Authenticate", `Digest realm="zaseki.test", nonce="weak", algorithm=MD5, qop="auth,auth-int"`,
		"WWW-Authenticate", `Digest realm="zaseki.test", nonce="strong", algorithm=SHA-512-256, qop="auth"`, "WWW-Authenticate", `Basic realm="zaseki.test"`)
	again := s.gets(sipgo.REGISTER)
	if a := stack.Header(again, "Authorization"); !strings.Contains(a, `nonce="strong"`) || !strings.Contains(a, "SHA-512-256") || !strings.Contains(a, "nc=00000001") {
		t.Error(a)
	}
	s.takes(again, `;expires=60;pub-gruu="sip:alice@zaseki.test;gr=urn:uuid:6ba7";temp-gruu="sip:tgruu@zaseki.test;gr"`,
		"Service-Route", "<sip:edge.zaseki.test;lr>, <sip:core.zaseki.test;lr>", "Authentication-Info", `nextnonce="next", qop=auth`)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect[sip.Registered](p)

	if err := p.Dial(p.context(), "out", "100", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	invite := s.gets(sipgo.INVITE)
	if c := stack.Header(invite, "Contact"); c != "<sip:alice@zaseki.test;gr=urn:uuid:6ba7>" {
		t.Errorf("Contact of the call: %s", c)
	}
	if r := strings.Join(stack.Headers(invite, "Route"), ", "); r != "<sip:edge.zaseki.test;lr>, <sip:core.zaseki.test;lr>" {
		t.Errorf("Route of the call: %q", r)
	}
	s.says(invite, 486)

	// The nonce that was given is used before anybody asks, and the next one is challenged as ever.
	p.Refresh()
	given := s.gets(sipgo.REGISTER)
	if a := stack.Header(given, "Authorization"); !strings.Contains(a, `nonce="next"`) || !strings.Contains(a, "nc=00000001") {
		t.Error(a)
	}
	if stack.Header(given, "Route") != "" {
		t.Error("a Service-Route is not for REGISTER")
	}
	s.says(given, 401, "WWW-Authenticate", `Digest realm="zaseki.test", nonce="n2", algorithm=SHA-512-256, stale=true, qop="auth"`)
	last := s.gets(sipgo.REGISTER)
	if a := stack.Header(last, "Authorization"); !strings.Contains(a, `nonce="n2"`) {
		t.Error(a)
	}
	s.takes(last, ";expires=60")
}

func TestRedirectionIsFollowedOnceAndOnlyHome(t *testing.T) {
	for name, row := range map[string]struct {
		contact string
		follows bool
	}{
		"to the named host":   {"<sip:127.0.0.1:%s>", true},
		"to a stranger":       {"<sip:evil.test>", false},
		"to nowhere":          {"", false},
		"to a namesake":       {"<sip:evilzaseki.test>", false},
		"stranger, then us":   {"<sip:evil.test>, <sip:127.0.0.1:%s>", true},
		"to a telephone":      {"<tel:+8112345>", false},
		"over and over":       {"<sip:127.0.0.1:%s>", true},
		"away from transport": {"<sip:127.0.0.1:%s;transport=tcp>", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, other, p := newServer(t), newServer(t), newPhone(t, "alice")
			done := s.registering(p, nil)
			_, port, _ := net.SplitHostPort(other.conn.LocalAddr().String())
			s.says(s.gets(sipgo.REGISTER), 302, "Contact", strings.ReplaceAll(row.contact, "%s", port))
			var refused sip.Refused
			if !row.follows {
				if err := <-done; !errors.As(err, &refused) || refused.Code != 302 {
					t.Errorf("%v", err)
				}
				return
			}
			there := other.gets(sipgo.REGISTER)
			if got := there.Recipient.String(); got != "sip:127.0.0.1:"+port {
				t.Error(got)
			}
			if name == "over and over" {
				other.says(there, 301, "Contact", "<sip:127.0.0.1:9>")
				if err := <-done; !errors.As(err, &refused) || refused.Code != 301 {
					t.Errorf("%v", err)
				}
				return
			}
			other.takes(there, ";expires=60")
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			expect[sip.Registered](p)
		})
	}
}

func TestServerSaysWhenToAskAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	s, p := newServer(t), newPhone(t, "alice")
	done := s.registering(p, nil)
	s.takes(s.gets(sipgo.REGISTER), ";expires=1")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect[sip.Registered](p)
	s.says(s.gets(sipgo.REGISTER), 503, "Retry-After", "2 (maintenance);duration=60")
	refused := time.Now()
	s.takes(s.gets(sipgo.REGISTER), ";expires=60")
	if took := time.Since(refused); took < 2*time.Second || took > 4*time.Second {
		t.Errorf("asked again after %v", took)
	}
}

func TestAddressThatTheServerSeesIsOurContactWhenAskedFor(t *testing.T) {
	for _, nat := range []bool{true, false} {
		t.Run(fmt.Sprint(nat), func(t *testing.T) {
			s, p := newServer(t), newPhone(t, "alice")
			done := s.registering(p, func(a *sip.Account) { a.NAT = nat })
			first := s.gets(sipgo.REGISTER)
			seen := func(req *sipgo.Request) {
				req.Via().Params.Remove("rport")
				req.Via().Params.Add("rport", "40000")
				req.Via().Params.Add("received", "192.0.2.9")
			}
			was, _, _ := strings.Cut(stack.Header(first, "Contact"), ";+")
			seen(first)
			s.takes(first, ";expires=60")
			want := was
			if nat {
				again := s.gets(sipgo.REGISTER)
				got := stack.Headers(again, "Contact")
				if want = "<sip:alice@192.0.2.9:40000>"; len(got) != 2 || !strings.HasPrefix(got[0], want) || got[1] != was+";expires=0" {
					t.Errorf("%q after %q", got, was)
				}
				seen(again)
				s.takes(again, ";expires=60")
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if err := p.Dial(p.context(), "out", "100", ""); err != nil {
				t.Fatal(err)
			}
			invite := s.gets(sipgo.INVITE)
			if got := stack.Header(invite, "Contact"); got != want {
				t.Errorf("Contact of the call: %s, want %s", got, want)
			}
			s.says(invite, 486)
		})
	}
}

// names is a DNS server of the test's own.
func names(t *testing.T, records ...string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up, done := make(chan struct{}), make(chan struct{})
	d := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, ask *dns.Msg) {
		reply := new(dns.Msg).SetReply(ask)
		for _, text := range records {
			if rr, err := dns.NewRR(text); err == nil && rr.Header().Name == ask.Question[0].Name && rr.Header().Rrtype == ask.Question[0].Qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		_ = w.WriteMsg(reply)
	})}
	go func() { defer close(done); _ = d.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = d.Shutdown(); <-done })
	return conn.LocalAddr().String()
}

// TestNextServerIsTriedAndTheBetterOneComesBack: one that is overloaded and one that is silent are passed over; they stay so
// while their five minutes last, and the first refresh afterwards goes to the best again.
func TestNextServerIsTriedAndTheBetterOneComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	busy, silent, good := newServer(t), newServer(t), newServer(t)
	port := func(s *server) string { _, p, _ := net.SplitHostPort(s.conn.LocalAddr().String()); return p }
	p := newPhone(t, "alice", names(t,
		"_sip._udp.zaseki.test. 60 IN SRV 1 0 "+port(busy)+" a.zaseki.test.",
		"_sip._udp.zaseki.test. 60 IN SRV 2 0 "+port(silent)+" a.zaseki.test.",
		"_sip._udp.zaseki.test. 60 IN SRV 3 0 "+port(good)+" a.zaseki.test.",
		"a.zaseki.test. 60 IN A 127.0.0.1"))
	a := p.account("", "")
	done := make(chan error, 1)
	begun := time.Now()
	go func() { done <- p.Register(p.context(), a) }()
	busy.says(busy.gets(sipgo.REGISTER), 503)
	silent.gets(sipgo.REGISTER)
	good.takes(good.gets(sipgo.REGISTER), ";expires=1")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 6*time.Second {
		t.Errorf("it took %v", took)
	}
	expect[sip.Registered](p)
	good.takes(good.gets(sipgo.REGISTER), ";expires=1") // the others are in penalty
	expect[sip.Registered](p)
	p.ForgetServers()
	busy.takes(busy.gets(sipgo.REGISTER), ";expires=60")
	expect[sip.Registered](p)
}

// TestLineMovesWithTheAddress changes our address in a network namespace: the line is there again at once, and the call is told.
func TestLineMovesWithTheAddress(t *testing.T) {
	if os.Getenv("ZASEKI_TEST_NETNS") == "" {
		inside(t)
		return
	}
	ip := func(args string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", args, err, out)
		}
	}
	for _, args := range []string{"link set lo up", "addr add 192.0.2.1/32 dev lo", "addr add 10.9.0.1/32 dev lo", "addr add 10.9.0.2/32 dev lo",
		"route replace local 192.0.2.1 dev lo table local src 10.9.0.1"} {
		ip(args)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s, p := &server{t: t, conn: conn}, newPhone(t, "alice")
	s.registers(p)
	if got := p.LocalAddr().String(); got != "10.9.0.1" {
		t.Fatal(got)
	}
	if err := p.Dial(p.context(), "out", "100", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	s.says(s.gets(sipgo.INVITE), 200, "Contact", "<sip:100@192.0.2.1>")
	expect[sip.Answered](p)

	begun := time.Now()
	ip("route replace local 192.0.2.1 dev lo table local src 10.9.0.2")
	ip("addr del 10.9.0.1/32 dev lo")
	expect[sip.LineLost](p)
	if m := expect[sip.Moved](p); m.Local.String() != "10.9.0.2" {
		t.Errorf("%+v", m)
	}
	again := s.gets(sipgo.REGISTER)
	if took := time.Since(begun); took > 500*time.Millisecond {
		t.Errorf("registered anew after %v", took)
	} else {
		t.Logf("registered anew after %v", took)
	}
	if c := stack.Header(again, "Contact"); !strings.Contains(c, "@10.9.0.2:") {
		t.Error(c)
	}
	s.takes(again, ";expires=60")
	expect[sip.Registered](p)
	if got := p.LocalAddr().String(); got != "10.9.0.2" {
		t.Error(got)
	}
}

// inside runs this test once more where it may change the network.
func inside(t *testing.T) {
	t.Helper()
	tool(t, "unshare")
	tool(t, "ip")
	flags := "-n"
	if os.Getuid() != 0 {
		flags = "-rn"
	}
	if err := exec.Command("unshare", flags, "true").Run(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no network namespaces: ", err)
		}
		t.Skip("no network namespaces here: ", err)
	}
	cmd := exec.Command("unshare", flags, os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "60s")
	cmd.Env = append(os.Environ(), "ZASEKI_TEST_NETNS=1")
	out, err := cmd.CombinedOutput()
	t.Log(string(out))
	if err != nil {
		t.Error(err)
	}
}

// TestLineOverIPv6: brackets where they belong, over datagrams and connections.
func TestLineOverIPv6(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no IPv6: ", err)
		}
		t.Skip("no IPv6: ", err)
	}
	defer conn.Close()
	s, p := &server{t: t, conn: conn}, newPhone(t, "alice")
	done := s.registering(p, nil)
	req := s.gets(sipgo.REGISTER)
	local := s.far.String()
	if c := stack.Header(req, "Contact"); !strings.HasPrefix(c, "<sip:alice@"+local+">") {
		t.Errorf("%s, from %s", c, local)
	}
	if v := stack.Header(req, "Via"); !strings.HasPrefix(v, "SIP/2.0/UDP "+local+";") {
		t.Errorf("%s, from %s", v, local)
	}
	s.takes(req, ";expires=60")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect[sip.Registered](p)
	s.sends(strings.NewReplacer("127.0.0.1", "[::1]", "INVITE", "OPTIONS", "bKleak", "bKsix").Replace(inviteHead))
	if tag := s.toTag(); tag == "" {
		t.Error("OPTIONS of our server is not answered")
	}
}

// TestCertificateOfAnotherIsNotBelieved: no word of ours goes to a server that is not the one.
func TestCertificateOfAnotherIsNotBelieved(t *testing.T) {
	k := kamailio(t)
	p := newPhone(t, "alice")
	for name, change := range map[string]func(*sip.Account){
		"unknown authority": func(a *sip.Account) { a.TLS = nil },
		"another domain":    func(a *sip.Account) { a.TLS = &tls.Config{RootCAs: k.roots, ServerName: "elsewhere.test"} },
		"another pin": func(a *sip.Account) {
			a.TLS = &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return errors.New("not pinned") }}
		},
		"no verification": func(a *sip.Account) { a.TLS = &tls.Config{InsecureSkipVerify: true} },
	} {
		a := p.over(k, "tls")
		change(&a)
		if err := p.Register(p.context(), a); err == nil {
			t.Errorf("%s: registered", name)
		} else if errors.As(err, new(sip.Refused)) {
			t.Errorf("%s: it was asked: %v", name, err)
		}
	}
}
