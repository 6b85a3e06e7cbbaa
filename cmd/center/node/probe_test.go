package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/media"
	"zaseki/web/wire"
)

// echoing is a running echo that knows one key.
func echoing(t testing.TB, key roster.ProbeKey) (*echo, *net.UDPConn) {
	t.Helper()
	e := echoingOn(t, "127.0.0.1:0", key)
	return e, calling(t, e.addr(""))
}

// calling is a connected socket: it hears only whom it speaks to.
func calling(t testing.TB, addr string) *net.UDPConn {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.UDPConn)
}

func echoingOn(t testing.TB, addr string, key roster.ProbeKey) *echo {
	t.Helper()
	e, err := openEcho(netip.MustParseAddrPort(addr), func(k roster.ProbeKey) bool { return k == key })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("echo ended: %v", err)
		}
	})
	return e
}

// answered says whether a datagram comes back within that time, and as it was.
func answered(t *testing.T, c *net.UDPConn, b []byte, within time.Duration) bool {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(within))
	got := make([]byte, 2048)
	n, err := c.Read(got)
	if err == nil && !bytes.Equal(got[:n], b) {
		t.Errorf("%d bytes came back changed", n)
	}
	return err == nil
}

func TestOnlyAKeyIsAnsweredAndWithNoByteMore(t *testing.T) {
	t.Parallel()
	key := roster.ProbeKey([]byte("0123456789abcdef"))
	_, c := echoing(t, key)
	sized := func(n int) []byte { return append(key[:len(key):len(key)], make([]byte, n-len(key))...) }
	wrong := sized(172)
	wrong[15] ^= 1
	for _, row := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"as a call", sized(172), true}, {"the smallest", sized(probeLeast), true}, {"the biggest", sized(probeMost), true},
		{"a key and nothing else", sized(16), false}, {"too small", sized(probeLeast - 1), false}, {"empty", nil, false}, {"one byte", []byte{0}, false},
		{"too big", sized(probeMost + 1), false}, {"much too big", sized(1400), false}, {"one bit wrong", wrong, false},
		{"no key", make([]byte, 172), false}, {"STUN", []byte("\x00\x01\x00\x00\x21\x12\xa4\x42............"), false}, {"still there", sized(100), true},
	} {
		within := 100 * time.Millisecond
		if row.want {
			within = 10 * time.Second // on a busy machine
		}
		if got := answered(t, c, row.b, within); got != row.want {
			t.Errorf("%s: answered %v", row.name, got)
		}
	}
}

// TestAnEchoOnEveryAddressAnswersFromTheOneAsked: a phone behind a router or a firewall hears only whom it spoke to.
func TestAnEchoOnEveryAddressAnswersFromTheOneAsked(t *testing.T) {
	key := roster.ProbeKey([]byte("0123456789abcdef"))
	for _, on := range []string{"0.0.0.0:0", "[::]:0"} {
		e := echoingOn(t, on, key)
		for _, host := range []string{"127.0.0.1", "127.0.0.2", "127.9.9.9", "::1"} {
			if host == "::1" && !sixHere() && os.Getenv("CI") == "" {
				continue
			}
			if !answered(t, calling(t, e.addr(host)), append(key[:len(key):len(key)], make([]byte, 156)...), 10*time.Second) {
				t.Errorf("on %s: no answer from %s", on, host)
			}
		}
	}
}

// sixHere: this machine speaks IPv6 with itself.
func sixHere() bool {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func TestAFloodIsAnsweredAtTheRateOfACall(t *testing.T) {
	key := roster.ProbeKey([]byte("0123456789abcdef"))
	e := &echo{good: func(k roster.ProbeKey) bool { return k == key || k[0] == 'm' }, byKey: map[roster.ProbeKey]*allowance{}}
	now := time.Now()
	flood := func(seconds, each int, b []byte) (passed int) {
		for i := range seconds * each {
			if e.admit(b, now.Add(time.Duration(i)*time.Second/time.Duration(each))) {
				passed++
			}
		}
		now = now.Add(time.Duration(seconds) * time.Second)
		return passed
	}
	one := append(key[:len(key):len(key)], make([]byte, 156)...)
	if n := flood(5, 50, one); n != 250 {
		t.Errorf("a test of five seconds: %d of 250", n)
	}
	if n := flood(10, 10000, one); n < 10*keyRate || n > 11*keyRate {
		t.Errorf("a flood with a good key: %d in ten seconds", n)
	}
	if n := flood(1, 10000, make([]byte, 172)); n != 0 || len(e.byKey) != 1 {
		t.Errorf("a flood without a key: %d, %d allowances", n, len(e.byKey))
	}
	passed := 0
	for i := range 100000 { // a thousand phones that all flood
		b := append([]byte{'m', byte(i), byte(i / 256 % 4)}, make([]byte, 169)...)
		if e.admit(b, now.Add(time.Duration(i)*10*time.Microsecond)) {
			passed++
		}
	}
	if passed > 2*allRate {
		t.Errorf("%d in a second from all together", passed)
	}
	if n := testing.AllocsPerRun(1000, func() { e.admit(one, now) }); n != 0 {
		t.Errorf("%v allocations for a datagram", n)
	}
}

func TestAllowancesDoNotPileUp(t *testing.T) {
	e := &echo{good: func(roster.ProbeKey) bool { return true }, byKey: map[roster.ProbeKey]*allowance{}}
	now := time.Now()
	for i := range 5 * keysMost {
		e.admit(append([]byte{byte(i), byte(i >> 8), byte(i >> 16)}, make([]byte, 169)...), now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(e.byKey) > keysMost {
		t.Errorf("%d are remembered", len(e.byKey))
	}
}

func TestNobodyIsTestedWhereThereIsNoEcho(t *testing.T) {
	var e *echo
	if addr := e.addr("center"); addr != "" {
		t.Errorf("%q", addr)
	}
	if _, err := openEcho(netip.MustParseAddrPort("192.0.2.1:0"), nil); err == nil {
		t.Error("listens on an address that is not ours")
	}
}

// TestAPhoneTestsItsNetwork goes the whole way: sign-in, the key it is given, the test, and the end of the session.
func TestAPhoneTestsItsNetwork(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir())
	if err := n.Apply(t.Context(), floor(t)); err != nil {
		t.Fatal(err)
	}
	p := enter(t, n)
	if p.welcome.Probe == nil || len(p.welcome.Probe.Key) != 16 {
		t.Fatalf("told of %+v", p.welcome.Probe)
	}
	got, err := media.Probe(t.Context(), p.welcome.Probe.Addr, p.welcome.Probe.Key, time.Second)
	if err != nil || got.Sent != 50 || got.Loss != 0 || got.MOS < 4.3 || got.Verdict != media.NetworkGood {
		t.Errorf("%+v, %v", got, err)
	}
	p.leave()
	if got, err := media.Probe(t.Context(), p.welcome.Probe.Addr, p.welcome.Probe.Key, time.Second); !errors.Is(err, media.ErrNoEcho) {
		t.Errorf("after sign-out: %+v, %v", got, err)
	}
}

// entered is a phone that is signed in.
type entered struct {
	b       *browser
	welcome wire.Welcome
}

func enter(t *testing.T, n *Node) *entered {
	t.Helper()
	p := &entered{b: open(t, n)}
	var c wire.Checked
	p.post("/api/v1/check", wire.CheckRequest{Account: "chiba", Password: "chiba-change-me"}, &c)
	p.post("/api/v1/signin", wire.SignInRequest{Ticket: c.Ticket, Terminal: "1003", Status: "away"}, &p.welcome)
	return p
}

func (p *entered) post(path string, in, out any) {
	p.b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		p.b.t.Fatal(err)
	}
	code, answer, _ := p.b.do("POST", path, string(body), nil)
	if code != 200 {
		p.b.t.Fatalf("%s: %d %s", path, code, answer)
	}
	if err := json.Unmarshal([]byte(answer), out); err != nil {
		p.b.t.Fatal(err)
	}
}

func (p *entered) leave() {
	p.b.t.Helper()
	code, answer, _ := p.b.do("POST", "/api/v1/signout", "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+p.welcome.Token) })
	if code != 204 {
		p.b.t.Fatalf("sign out: %d %s", code, answer)
	}
}
