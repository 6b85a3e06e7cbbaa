package sip_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"zaseki/sip"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var addresses atomic.Int32

// address is a loopback address of this test's own; the process number keeps runs side by side apart.
func address() string {
	return fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()/250%60, 1+os.Getpid()%250, addresses.Add(1))
}

// tool is a program that the test needs; where CI says it must be there, its absence fails.
func tool(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if path = "/usr/sbin/" + name; exec.Command("test", "-x", path).Run() == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// proxy is a Kamailio of the test's own.
type proxy struct {
	addr     string // host:port for UDP and TCP
	tls, wss string // the same for these
	roots    *x509.CertPool
	sipp     string // the address whose calls need no password, and where calls to "outside" go
	dir      string // its folder
	args     []string
	down     func() // kills it
}

func kamailio(t *testing.T, defines ...string) *proxy {
	t.Helper()
	program := tool(t, "kamailio")
	modules, _ := filepath.Glob("/usr/lib/*/kamailio/modules/tm.so")
	if len(modules) == 0 {
		t.Fatal("no kamailio modules")
	}
	host := address()
	p := &proxy{addr: host + ":5060", tls: host + ":5061", wss: host + ":5443", sipp: address()}
	run, err := os.MkdirTemp("", "kam") // a short path: it holds a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(run) })
	p.dir = run
	p.roots = certificate(t, run, "zaseki.test", host)
	cfg, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@IP@", host, "@RUN@", run, "@MODULES@", filepath.Dir(modules[0]), "@SIPP@", p.sipp).Replace(string(cfg))
	file := filepath.Join(run, "kamailio.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.args = []string{program, "-DD", "-E", "-f", file, "-Y", run, "-P", filepath.Join(run, "pid"), "-m", "32", "-M", "4"}
	for _, d := range defines {
		p.args = append(p.args, "-A", d)
	}
	p.up(t)
	return p
}

// up starts it, once more after down, and returns when it answers: it listens long before, for its workers come last.
func (p *proxy) up(t *testing.T) {
	t.Helper()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	stop := start(t, cmd)
	p.down = func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); stop() }
	within(t, 20*time.Second, "kamailio answers", func() bool { return answers(p.addr, "udp") && answers(p.addr, "tcp") })
}

// answers says that a SIP server there answers OPTIONS (RFC 3261 §11) at once.
func answers(addr, network string) bool {
	conn, err := net.DialTimeout(network, addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(conn, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nFrom: <sip:up@%s>;tag=1\r\nTo: <sip:%s>\r\n"+
		"Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 1\r\nContent-Length: 0\r\n\r\n",
		addr, strings.ToUpper(network), conn.LocalAddr(), rand.Text(), addr, addr, rand.Text())
	_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	n, err := conn.Read(make([]byte, 1500))
	return err == nil && n > 0
}

// certificate writes a new certificate for that domain and address, with its key, and returns the roots that vouch for it.
func certificate(t *testing.T, dir, domain, addr string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{domain}, IPAddresses: []net.IP{net.ParseIP(addr)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return roots
}

// start runs a program, and all that it starts, until the test ends or stop is called; its output is shown when the test fails.
func start(t *testing.T, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	out, err := os.CreateTemp(t.TempDir(), "out")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out // a file: a pipe would be held open by the children
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() { defer close(done); _ = cmd.Wait() }()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-done
		out.Close()
	})
	t.Cleanup(func() {
		stop()
		if text, err := os.ReadFile(out.Name()); err == nil && t.Failed() {
			t.Logf("%s:\n%s", cmd.Path, tail(string(text)))
		}
	})
	return stop
}

func tail(s string) string { return s[max(0, len(s)-3000):] }

// sipp runs a scenario of testdata on the proxy's sipp address and returns a function that waits for its verdict.
func (p *proxy) run(t *testing.T, args ...string) (wait func()) {
	t.Helper()
	return sipp(t, append([]string{"-i", p.sipp, "-p", "5060"}, args...)...)
}

func sipp(t *testing.T, args ...string) (wait func()) {
	t.Helper()
	cmd := exec.Command(tool(t, "sipp"), append(args, "-nostdin", "-timeout", "20s", "-timeout_error")...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TERM=dumb")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	var failed error
	end := func() { once.Do(func() { failed = cmd.Wait() }) }
	t.Cleanup(func() { _ = cmd.Process.Kill(); end() })
	return func() {
		t.Helper()
		if end(); failed != nil {
			t.Errorf("sipp: %v\n%s", failed, tail(out.String()))
		}
	}
}

func scenario(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func within(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(d); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, d)
		}
	}
}

type secret string

func (s secret) Reveal() string { return string(s) }

// phone is a real phone whose events are kept in order.
type phone struct {
	*sip.Phone
	t      *testing.T
	name   string
	events chan sip.Event
	offers chan string // what far sides offered later
	last   string      // the call that arrived last
	answer atomic.Pointer[func() (string, error)]
}

func newPhone(t *testing.T, name string, dns ...string) *phone {
	t.Helper()
	p := &phone{t: t, name: name, events: make(chan sip.Event, 100), offers: make(chan string, 10)}
	p.answers(func() (string, error) { return sdpOf(name, "sendrecv"), nil })
	p.Phone = sip.New(sip.Config{
		UserAgent: "Zaseki/test", DNS: dns, Tell: func(e sip.Event) { p.events <- e },
		Reoffer: func(_, sdp string) (string, error) { p.offers <- sdp; return (*p.answer.Load())() },
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// answers sets what the phone says to later offers.
func (p *phone) answers(f func() (string, error)) { p.answer.Store(&f) }

func (p *phone) account(server, transport string) sip.Account {
	return sip.Account{
		User: p.name, Domain: "zaseki.test", Display: "Test " + p.name, Server: server, Transport: transport,
		Password: secret("pw-" + p.name), Expires: time.Minute, Instance: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	}
}

func (p *phone) register(server, transport string) {
	p.t.Helper()
	if err := p.Register(p.context(), p.account(server, transport)); err != nil {
		p.t.Fatal(err)
	}
	expect[sip.Registered](p)
}

func (p *phone) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	p.t.Cleanup(cancel)
	return ctx
}

// expect is the next event, of that type.
func expect[E sip.Event](p *phone) E {
	p.t.Helper()
	var none E
	select {
	case e := <-p.events:
		if got, ok := e.(E); ok {
			return got
		}
		p.t.Fatalf("%s got %T%+v, want %T", p.name, e, e, none)
	case <-time.After(10 * time.Second):
		p.t.Fatalf("%s waits for %T", p.name, none)
	}
	return none
}

// awaits skips provisional answers.
func awaits[E sip.Event](p *phone) E {
	p.t.Helper()
	var none E
	for {
		select {
		case e := <-p.events:
			if got, ok := e.(E); ok {
				return got
			}
			if _, ok := e.(sip.Progress); !ok {
				p.t.Fatalf("%s got %T%+v, want %T", p.name, e, e, none)
			}
		case <-time.After(10 * time.Second):
			p.t.Fatalf("%s waits for %T", p.name, none)
		}
	}
}

func sdpOf(name, direction string) string {
	return "v=0\r\no=" + name + " 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=" + direction + "\r\n"
}
