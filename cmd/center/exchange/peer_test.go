package exchange

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// sipp is where the program stands.
func sipp(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	tool, err := exec.LookPath("sipp")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("sipp must be there in CI")
		}
		t.Skip("sipp is not installed (Debian: sip-tester)")
	}
	return tool
}

func TestAForeignPhoneCallsTheQueue(t *testing.T) {
	tool := sipp(t)
	for name, flag := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, func(c *Config) { c.Digests = []string{"MD5"} }) // it knows no other and does not look further
			agent := f.phone("1001", name)
			f.available("1001")
			answered := make(chan error, 1)
			go func() {
				in := next[sip.Incoming](agent)
				agent.Ring(in.Call)
				answered <- agent.Answer(t.Context(), in.Call, reply)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 2*long)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool, f.x.Addr(), "-sf", "testdata/trunk.xml", "-s", "7000", "-t", flag, "-i", "127.0.0.1",
				"-m", "1", "-nostdin", "-trace_err", "-trace_msg", "-error_file", "/dev/stderr", "-message_file", t.TempDir()+"/messages")
			cmd.Env = append(os.Environ(), "TERM=dumb")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("sipp: %v\n%s", err, out)
			}
			if err := <-answered; err != nil {
				t.Fatal(err)
			}
			if r := f.record(); r.Result != "answered" || r.From != "0312345678" || r.Name != "Suzuki" || r.Queue != "Support" {
				t.Fatalf("record %+v", r)
			}
		})
	}
}

func TestAForeignTrunkIsSentOn(t *testing.T) {
	tool := sipp(t)
	for name, flag := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, func(c *Config) { c.Digests = []string{"MD5"} })
			agent, colleague := f.speaker("1001", 40010), f.speaker("1002", 40020)
			ctx, cancel := context.WithTimeout(t.Context(), 2*long)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool, f.x.Addr(), "-sf", "testdata/customer.xml", "-s", "1001", "-t", flag, "-i", "127.0.0.1",
				"-mp", "40000", "-m", "1", "-nostdin", "-trace_err", "-error_file", "/dev/stderr")
			cmd.Env = append(os.Environ(), "TERM=dumb")
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			call := agent.take().Call
			agent.hold(call, true)
			done := make(chan error, 1)
			go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
			in := colleague.take()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if to, sends := colleague.sound(in.Call); to != "40000" || !sends {
				t.Errorf("the colleague sends %v to %s", sends, to)
			}
			colleague.Hangup(ctxFor(t), in.Call)
			if err := cmd.Wait(); err != nil {
				t.Fatalf("sipp: %v\n%s", err, said.String())
			}
			if r := f.record(); r.Result != "answered" || r.TransferredBy != "1001" || r.Account != "1002" || !r.Outside {
				t.Fatalf("record %+v", r)
			}
		})
	}
}

// raw is a UDP socket that says what it likes.
type raw struct {
	t    *testing.T
	conn *net.UDPConn
	n    int
	hops string // Max-Forwards
}

func (f *floor) raw() *raw {
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(f.x.Addr()))
	conn, err := net.DialUDP("udp", nil, to)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	return &raw{t: f.t, conn: conn, hops: "70"}
}

// ask sends a request and returns the final answer; "" when there is none in the time.
func (r *raw) ask(method, uri, to string, wait time.Duration, headers ...string) string {
	r.t.Helper()
	r.n++
	local := r.conn.LocalAddr()
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d%p;rport\r\nFrom: <%s>;tag=x\r\nTo: <%s>\r\nCall-ID: %p\r\nCSeq: %d %s\r\nMax-Forwards: %s\r\n",
		method, uri, local, r.n, r, to, to, r, r.n, method, r.hops)
	for _, h := range headers {
		msg += h + "\r\n"
	}
	if !strings.Contains(msg, "Content-Length") {
		msg += "Content-Length: 0\r\n\r\n"
	}
	if _, err := r.conn.Write([]byte(msg)); err != nil {
		r.t.Fatal(err)
	}
	r.conn.SetReadDeadline(time.Now().Add(wait))
	buf := make([]byte, 65536)
	for {
		n, err := r.conn.Read(buf)
		if err != nil {
			return ""
		}
		if answer := string(buf[:n]); !strings.HasPrefix(answer, "SIP/2.0 1") && strings.Contains(answer, fmt.Sprintf("CSeq: %d ", r.n)) {
			return answer
		}
	}
}

// status is the answer's code.
func status(answer string) string {
	if f := strings.Fields(answer); len(f) > 1 {
		return f[1]
	}
	return "none"
}

// header is the value of the first header of that name.
func header(answer, name string) string {
	s := bufio.NewScanner(bytes.NewReader([]byte(answer)))
	for s.Scan() {
		if v, ok := strings.CutPrefix(s.Text(), name+": "); ok {
			return v
		}
	}
	return ""
}

// register sends a REGISTER that is right but for the headers given.
func (r *raw) register(f *floor, user string, headers ...string) string {
	r.t.Helper()
	aor := "sip:" + user + "@" + domain
	first := r.ask("REGISTER", "sip:"+domain, aor, long, headers...)
	if status(first) != "401" {
		return first
	}
	return r.ask("REGISTER", "sip:"+domain, aor, long, append(headers, "Authorization: "+answerTo(r.t, header(first, "WWW-Authenticate"), "REGISTER", "sip:"+domain, user))...)
}

func TestTheRegistrarAnswersWhatIsAsked(t *testing.T) {
	rows := []struct {
		name    string
		headers []string
		code    string
		left    int
	}{
		{"a contact with its time", []string{"Contact: <sip:1004@127.0.0.1:9>;expires=90"}, "200", 1},
		{"two in one header", []string{`Contact: "a, b" <sip:1@127.0.0.1:9>;expires=90;q=0.5, <sip:2@127.0.0.1:9>`, "Expires: 90"}, "200", 2},
		{"none asks what there is", nil, "200", 0},
		{"too short", []string{"Contact: <sip:1004@127.0.0.1:9>;expires=5"}, "423", 0},
		{"too short by header", []string{"Contact: <sip:1004@127.0.0.1:9>", "Expires: 59"}, "423", 0},
		{"the star", []string{"Contact: *", "Expires: 0"}, "200", 0},
		{"the star with a time", []string{"Contact: *", "Expires: 60"}, "400", 0},
		{"the star and another", []string{"Contact: *", "Contact: <sip:1004@127.0.0.1:9>", "Expires: 0"}, "400", 0},
		{"another scheme", []string{"Contact: <javascript:alert(1)>;expires=90"}, "400", 0},
		{"a name in angle brackets that never ends", []string{"Contact: <sip:1004@127.0.0.1:9;expires=90"}, "400", 0},
		{"a preference that is none", []string{"Contact: <sip:1004@127.0.0.1:9>;expires=90;q=7"}, "400", 0},
		{"a time that is none", []string{"Contact: <sip:1004@127.0.0.1:9>", "Expires: soon"}, "400", 0},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, nil)
			answer := f.raw().register(f, "1004", r.headers...)
			if got := status(answer); got != r.code {
				t.Fatalf("%s, want %s:\n%s", got, r.code, answer)
			}
			if got := len(f.x.Registered()); got != r.left {
				t.Fatalf("%d contacts, want %d", got, r.left)
			}
			if r.code == "423" && header(answer, "Min-Expires") != "60" {
				t.Fatalf("no Min-Expires:\n%s", answer)
			}
		})
	}
}

func TestOtherRequests(t *testing.T) {
	f := newFloor(t, nil)
	r := f.raw()
	for method, want := range map[string]string{"OPTIONS": "200", "MESSAGE": "405", "SUBSCRIBE": "405"} {
		if got := status(r.ask(method, "sip:"+domain, "sip:1001@"+domain, long)); got != want {
			t.Errorf("%s: %s, want %s", method, got, want)
		}
	}
	if got := status(r.ask("INVITE", "sip:1001@"+domain, "sip:1001@"+domain, long, "Contact: <sip:x@127.0.0.1:9>")); got != "407" {
		t.Errorf("a stranger's INVITE: %s", got)
	}
	// Right credentials from a place that is not registered do not call.
	first := r.ask("INVITE", "sip:1001@"+domain, "sip:1001@"+domain, long, "Contact: <sip:x@127.0.0.1:9>")
	proof := answerTo(t, header(first, "Proxy-Authenticate"), "INVITE", "sip:1001@"+domain, "1002")
	if got := status(r.ask("INVITE", "sip:1001@"+domain, "sip:1001@"+domain, long, "Contact: <sip:x@127.0.0.1:9>", "Proxy-Authorization: "+proof)); got != "403" {
		t.Errorf("an unregistered caller: %s", got)
	}
	// Credentials for one number do not call another.
	if got := status(r.ask("INVITE", "sip:1003@"+domain, "sip:1003@"+domain, long, "Contact: <sip:x@127.0.0.1:9>", "Proxy-Authorization: "+proof)); got != "407" {
		t.Errorf("credentials for another number: %s", got)
	}
}

// TestLoopsEnd: a leg may be passed on once less than its caller's.
func TestLoopsEnd(t *testing.T) {
	f := newFloor(t, nil)
	caller, called := f.phone("1001", "udp"), f.phone("1002", "udp")
	if err := caller.Dial(ctxFor(t), "c1", "1002", offer); err != nil {
		t.Fatal(err)
	}
	if in := next[sip.Incoming](called); in.Header("Max-Forwards") != "69" {
		t.Errorf("Max-Forwards: %s", in.Header("Max-Forwards"))
	}
	r := f.raw()
	r.hops = "0"
	if got := status(r.ask("INVITE", "sip:1001@"+domain, "sip:1001@"+domain, long, "Contact: <sip:x@127.0.0.1:9>")); got != "483" {
		t.Errorf("without a hop left: %s", got)
	}
}

func TestGuessingSilencesTheAddressButNotItsRegisteredPhones(t *testing.T) {
	f := newFloor(t, nil)
	good, b := f.phone("1001", "udp"), f.phone("1002", "udp")
	r := f.raw()
	for range maxFailures {
		aor := "sip:1003@" + domain
		first := r.ask("REGISTER", "sip:"+domain, aor, long)
		r.ask("REGISTER", "sip:"+domain, aor, long, "Authorization: "+answerTo(t, header(first, "WWW-Authenticate"), "REGISTER", "sip:"+domain, "9999"))
	}
	if got := r.ask("OPTIONS", "sip:"+domain, "sip:"+domain, 300*time.Millisecond); got != "" {
		t.Fatalf("the guesser is still answered:\n%s", got)
	}
	if err := good.Dial(ctxFor(t), "c1", "1002", offer); err != nil {
		t.Fatal(err)
	}
	next[sip.Incoming](b)
}

func TestAFloodIsCutOff(t *testing.T) {
	f := newFlood()
	one, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	heard := 0
	for range 10 * floodBurst {
		if f.allow(one) {
			heard++
		}
	}
	if heard < floodBurst || heard > 2*floodBurst {
		t.Errorf("%d of %d heard", heard, 10*floodBurst)
	}
	if !f.allow(other) {
		t.Error("somebody else is cut off too")
	}
	for i := range maxBuckets + 10 {
		f.allow(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(f.of) > maxBuckets {
		t.Errorf("%d addresses remembered", len(f.of))
	}
}

// until looks again until it is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(2 * long); time.Now().Before(end); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("%s: it never came to that", what)
}

// stands says who stands beside the exchange.
func stands(o Outside) func(*Config) {
	return func(c *Config) { c.Outside = func() Outside { return o } }
}

func nets(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}
