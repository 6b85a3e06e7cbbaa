package exchange

import (
	"bytes"
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/sip"
)

// kamailio runs a real one with that configuration on a port of its own. What it gives kills it and starts it again.
func kamailio(t *testing.T, config, ip string) (addr string, again func()) {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	if _, err := exec.LookPath("kamailio"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("kamailio must be there in CI")
		}
		t.Skip("kamailio is not installed")
	}
	free, err := net.ListenPacket("udp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	addr = free.LocalAddr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := write(t, dir, "kamailio.cfg", strings.NewReplacer("IPADDR", ip, "PORT", port).Replace(string(text)))
	var log bytes.Buffer
	var cmd *exec.Cmd
	start := func() {
		cmd = exec.Command("kamailio", "-DD", "-E", "-f", file, "-Y", dir, "-P", filepath.Join(dir, "pid"), "-m", "32", "-M", "4")
		cmd.Stdout, cmd.Stderr = &log, &log
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "kamailio answers", func() bool { return stage.Answers(addr) })
	}
	kill := func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() }
	start()
	t.Cleanup(func() {
		kill()
		if t.Failed() {
			t.Logf("kamailio: %s", log.String())
		}
	})
	return addr, func() { kill(); start() }
}

// subscriber is a telephone at the provider.
func (f *floor) subscriber(number, server string) *phone {
	p := f.unregistered(number)
	ctx, cancel := context.WithTimeout(f.t.Context(), long)
	defer cancel()
	err := p.Register(ctx, sip.Account{User: number, AuthUser: "x", Domain: "provider.test", Server: server, Transport: "udp", Password: secret("zaseki-secret"), Expires: time.Minute})
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// TestATrunkRegistersAtItsProvider, a real Kamailio: with digest, over UDP and TCP; it calls out with the number it shows and with
// digest, and its number leads where the table says. When the exchange ends it is gone there.
func TestATrunkRegistersAtItsProvider(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			addr, again := kamailio(t, "testdata/provider.cfg", "127.0.0.1")
			f := newFloor(t, stands(Outside{Trunks: []Provider{{
				User: "trunk", Server: addr, Transport: network, Account: "zaseki", Domain: "provider.test", Secret: secret("zaseki-secret"),
				Register: true, Numbers: map[string]string{"0312345678": "7000"}, Caller: "0312345678",
			}}}))
			registered := func() bool { s := f.x.Trunks(); return len(s) == 1 && s[0].State == "registered" }
			until(t, "the trunk registers", registered)
			if network == "tcp" { // the connection tells that the provider was started anew
				before := f.x.Trunks()[0].Since
				again()
				until(t, "the trunk registers again", func() bool { return registered() && f.x.Trunks()[0].Since != before })
			}
			agent, customer := f.phone("1001", network), f.subscriber("0398765432", addr)

			if err := agent.Dial(ctxFor(t), "out", "0398765432", offer); err != nil {
				t.Fatal(err)
			}
			in := next[sip.Incoming](customer)
			if in.User != "0312345678" || in.Header("P-Asserted-Identity") != "<sip:0312345678@provider.test>" {
				t.Errorf("the customer sees %s, asserted %s", in.User, in.Header("P-Asserted-Identity"))
			}
			if err := customer.Answer(ctxFor(t), in.Call, reply); err != nil {
				t.Fatal(err)
			}
			next[sip.Answered](agent)
			customer.Hangup(ctxFor(t), in.Call)
			next[sip.Ended](agent)
			if r := f.record(); r.Result != "answered" || !r.Outside || r.Callee != "trunk" || r.To != "0398765432" {
				t.Errorf("record %+v", r)
			}

			f.available("1001")
			if err := customer.Dial(ctxFor(t), "in", "0312345678", offer); err != nil {
				t.Fatal(err)
			}
			in = next[sip.Incoming](agent)
			if in.User != "0398765432" || in.Header("X-Center-Call") != "Support" {
				t.Errorf("the agent sees %s for %s", in.User, in.Header("X-Center-Call"))
			}
			if err := agent.Answer(ctxFor(t), in.Call, reply); err != nil {
				t.Fatal(err)
			}
			next[sip.Answered](customer)
			agent.Hangup(ctxFor(t), in.Call)
			next[sip.Ended](customer)
			if r := f.record(); r.Result != "answered" || r.To != "0312345678" || r.Queue != "Support" || r.Caller != "trunk" {
				t.Errorf("record %+v", r)
			}
			f.stop()
			if err := customer.Dial(ctxFor(t), "gone", "0312345678", offer); err != nil {
				t.Fatal(err)
			}
			if e := next[sip.Failed](customer); e.Code != 480 {
				t.Errorf("after the exchange ended its number gives %d", e.Code)
			}
		})
	}
}

// TestAProviderIsKnownByItsAddress: sipp calls a number without digest and reaches who it leads to.
func TestAProviderIsKnownByItsAddress(t *testing.T) {
	tool := sipp(t)
	f := newFloor(t, stands(Outside{Trunks: []Provider{{
		User: "trunk", Account: "trunk", Domain: "provider.test", Accept: nets("127.0.8.0/24"), Numbers: map[string]string{"0312345678": "1001"},
	}}}))
	agent := f.phone("1001", "udp")
	answered := make(chan string, 1)
	go func() {
		in := next[sip.Incoming](agent)
		agent.Ring(in.Call)
		agent.Answer(t.Context(), in.Call, reply)
		answered <- in.User + " " + in.Header("X-Center-Call")
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 2*long)
	defer cancel()
	cmd := exec.CommandContext(ctx, tool, f.x.Addr(), "-sn", "uac", "-s", "0312345678", "-i", "127.0.8.2", "-m", "1", "-d", "100", "-nostdin", "-trace_err", "-error_file", "/dev/stderr")
	cmd.Env = append(os.Environ(), "TERM=dumb")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sipp: %v\n%s", err, out)
	}
	if who := <-answered; who != "sipp direct" {
		t.Errorf("the agent saw %s", who)
	}
	if r := f.record(); r.Result != "answered" || !r.Outside || r.Caller != "trunk" || r.Account != "1001" {
		t.Errorf("record %+v", r)
	}
}

// TestWhoMayCallWithoutDigest: nobody but a provider, and that only what is its own.
func TestWhoMayCallWithoutDigest(t *testing.T) {
	f := newFloor(t, stands(Outside{Trunks: []Provider{
		{User: "trunk", Account: "trunk", Domain: "provider.test", Accept: nets("127.0.8.2/32"), Numbers: map[string]string{"0312345678": "1001"}},
	}}))
	f.mu.Lock()
	f.term["trunk2"] = Terminal{User: "trunk2", Type: "trunk", HA1: secretOf("trunk2")}
	f.mu.Unlock()
	rows := []struct{ name, from, number, want string }{
		{"a stranger", "127.0.8.3", "0312345678", "407"},
		{"a stranger wants an agent", "127.0.0.1", "1001", "407"},
		{"the provider's number, nobody registered there", "127.0.8.2", "0312345678", "480"},
		{"the provider as people write it", "127.0.8.2", "03-1234-5678", "480"},
		{"a number that is not ours", "127.0.8.2", "0399999999", "404"},
		{"an extension that no number leads to", "127.0.8.2", "1002", "404"},
		{"from outside to outside", "127.0.8.2", "0990123456", "404"},
		{"another trunk", "127.0.8.2", "trunk2", "404"},
		{"itself", "127.0.8.2", "trunk", "404"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got := status(f.rawFrom(r.from).ask("INVITE", "sip:"+r.number+"@"+domain, "sip:"+r.number+"@"+domain, long, "Contact: <sip:x@"+r.from+":9>")); got != r.want {
				t.Errorf("%s, want %s", got, r.want)
			}
		})
	}
}

// TestOneNodeRegistersAtTheProvider: the other one of two calls out all the same, and takes over.
func TestOneNodeRegistersAtTheProvider(t *testing.T) {
	addr, _ := kamailio(t, "testdata/provider.cfg", "127.0.0.1")
	lease := make(chan struct{}, 1)
	node := func(c *Config) {
		stands(Outside{Trunks: []Provider{{User: "trunk", Server: addr, Transport: "udp", Account: "zaseki", Domain: "provider.test", Secret: secret("zaseki-secret"), Register: true}}})(c)
		c.Hold = func(ctx context.Context, name string, work func(context.Context) error) error {
			if name != "job.trunk.trunk" {
				t.Errorf("lease %s", name)
			}
			select {
			case lease <- struct{}{}:
				defer func() { <-lease }()
				return work(ctx)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	one := newFloor(t, node)
	state := func(f *floor, want string) func() bool {
		return func() bool { s := f.x.Trunks(); return len(s) == 1 && s[0].State == want }
	}
	until(t, "the first registers", state(one, "registered"))
	other := newFloor(t, node)
	until(t, "the second does not", state(other, "elsewhere"))
	agent, customer := other.phone("1001", "udp"), one.subscriber("0398765432", addr)
	if err := agent.Dial(ctxFor(t), "out", "0398765432", offer); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](customer)
	customer.Reject(ctxFor(t), in.Call, 486, "")
	if e := next[sip.Failed](agent); e.Code != 486 {
		t.Errorf("the caller hears %d", e.Code)
	}
	one.stop()
	until(t, "the second takes over", state(other, "registered"))
}

// TestWhoWeRegisterAtDoesNotRegisterHere: the provider knows the password too.
func TestWhoWeRegisterAtDoesNotRegisterHere(t *testing.T) {
	f := newFloor(t, stands(Outside{Trunks: []Provider{{User: "trunk", Server: "127.0.0.1:9", Account: "trunk", Domain: "provider.test"}}}))
	if got := status(f.raw().register(f, "trunk", "Contact: <sip:trunk@127.0.0.1:9>")); got != "403" {
		t.Errorf("answered %s", got)
	}
}

// rawFrom is raw from an address of its own.
func (f *floor) rawFrom(ip string) *raw {
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)}, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(f.x.Addr())))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	return &raw{t: f.t, conn: conn, hops: "70"}
}

// TestCallsLeaveByTheNextTrunk: the first provider says nothing, the second is overloaded, the third takes the call; the next call
// goes to the third at once.
func TestCallsLeaveByTheNextTrunk(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	busy := answering(t, "SIP/2.0 503 Service Unavailable")
	f := newFloor(t, nil)
	at := func(user, server string) Provider {
		return Provider{User: user, Server: server, Transport: "udp", Account: user, Domain: "provider.test"}
	}
	last := newFloor(t, stands(Outside{Trunks: []Provider{{User: "trunk", Account: "c", Domain: "p", Accept: nets("127.0.0.1/32"), Numbers: map[string]string{"*": "1001"}}}}))
	far := last.phone("1001", "udp")
	o := Outside{Trunks: []Provider{at("a", silent.LocalAddr().String()), at("b", busy), at("c", last.x.Addr())}}
	f.x.cfg.Outside = func() Outside { return o }
	f.x.Look()
	until(t, "the exchange knows its trunks", func() bool { return len(f.x.Trunks()) == 3 })
	phone := f.phone("1001", "udp")
	for round, most := range []time.Duration{quietTime + 3*time.Second, 2 * time.Second} {
		began := time.Now()
		if err := phone.Dial(ctxFor(t), "c", "0398765432", offer); err != nil {
			t.Fatal(err)
		}
		in := next[sip.Incoming](far)
		if took := time.Since(began); took > most {
			t.Errorf("call %d rang after %v", round, took)
		}
		far.Reject(ctxFor(t), in.Call, 486, "")
		if e := next[sip.Failed](phone); e.Code != 486 {
			t.Errorf("the caller hears %d", e.Code)
		}
	}
}

// answering says that to every request.
func answering(t *testing.T, line string) (addr string) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			head, _, _ := strings.Cut(string(buf[:n]), "\r\n\r\n")
			if strings.HasPrefix(head, "ACK") {
				continue
			}
			answer := line
			for _, h := range strings.Split(head, "\r\n")[1:] {
				switch name, _, _ := strings.Cut(h, ":"); name {
				case "Via", "From", "Call-ID", "CSeq":
					answer += "\r\n" + h
				case "To":
					answer += "\r\n" + h + ";tag=x"
				}
			}
			conn.WriteTo([]byte(answer+"\r\nContent-Length: 0\r\n\r\n"), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return conn.LocalAddr().String()
}
