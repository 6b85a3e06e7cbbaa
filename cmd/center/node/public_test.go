package node

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// pebbleVersion is Let's Encrypt's own server for tests of clients; it asks the name's port as the real one does.
const pebbleVersion = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1"

// TestAPublicNameGetsACertificate: a real ACME server asks us on the name's port and signs; other names keep the own authority's leaf;
// a restart takes what is kept and asks nobody.
func TestAPublicNameGetsACertificate(t *testing.T) {
	if testing.Short() {
		t.Skip("builds an ACME server")
	}
	const name = "Center.Example.org"
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(freeTCP(t)))
	server := startPebble(t, at)
	cfg := Config{Data: t.TempDir(), HTTP: at, SIP: "127.0.0.1:0", Version: "test", Log: slog.New(slog.DiscardHandler),
		Public: Public{Names: []string{name}, Directory: server.directory, Roots: server.ca, Mail: "root@example.org"}}
	roots := server.roots(t)

	n, stop := begin(t, cfg)
	if got := n.Join(); got != "https://center.example.org" {
		t.Errorf("phones are told %s", got)
	}
	first := eventually(t, 30*time.Second, func() (*x509.Certificate, error) { return shown(at, "center.example.org", roots) })
	if err := first.VerifyHostname("center.example.org"); err != nil {
		t.Error(err)
	}
	own := x509.NewCertPool()
	own.AddCert(n.ca.cert)
	if _, err := shown(at, "127.0.0.1", own); err != nil {
		t.Errorf("by its address: %v", err)
	}
	if _, err := shown(at, "stranger.example.org", roots); err == nil {
		t.Error("a stranger's name has a public certificate")
	}
	for host, want := range map[string]int{"center.example.org": 200, "stranger.example.org": 421} {
		if got := asked(t, at, host, roots); got != want {
			t.Errorf("as %s: %d, not %d", host, got, want)
		}
	}
	stop()

	server.stop()
	_, stop = begin(t, cfg)
	again := eventually(t, 10*time.Second, func() (*x509.Certificate, error) { return shown(at, "center.example.org", roots) })
	if !again.Equal(first) {
		t.Error("a restart has another certificate")
	}
	stop()
}

// TestWithoutAnACMEServerTheOwnCertificateIsShown: and the center ends at once though the ACME server never answers.
func TestWithoutAnACMEServerTheOwnCertificateIsShown(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	n, stop := begin(t, Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Version: "test",
		Public: Public{Names: []string{"center.example.org"}, Directory: "https://" + deaf.Addr().String() + "/dir"}})
	own := x509.NewCertPool()
	own.AddCert(n.ca.cert)
	for _, name := range []string{"127.0.0.1", "localhost"} {
		if _, err := shown(n.addr().String(), name, own); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > closeWait+3*time.Second {
		t.Errorf("it ended after %v", took)
	}
}

func TestPublicNamesThatAreNone(t *testing.T) {
	for _, name := range []string{"localhost", "10.0.0.1:443", "*.example.org", "a b.example.org", "https://example.org"} {
		n, err := New(Config{Data: t.TempDir(), HTTP: "127.0.0.1:0", SIP: "127.0.0.1:0", Public: Public{Names: []string{name}}})
		if err == nil {
			n.Close()
			t.Errorf("%q is taken", name)
		} else if !strings.Contains(err.Error(), "is no public host name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// begin runs a node; stop ends it and waits.
func begin(t *testing.T, cfg Config) (*Node, func()) {
	t.Helper()
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the center ended: %v", err)
		}
	}
	t.Cleanup(stop)
	return n, stop
}

// shown is the certificate a client that trusts roots gets for the name.
func shown(addr, name string, roots *x509.CertPool) (*x509.Certificate, error) {
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0], nil
}

// asked is the status of a page that is asked for by that host name.
func asked(t *testing.T, addr, host string, roots *x509.CertPool) int {
	t.Helper()
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true,
		DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
			return tls.Dial("tcp", addr, &tls.Config{ServerName: "center.example.org", RootCAs: roots})
		}}}
	res, err := c.Get("https://" + host + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func eventually[T any](t *testing.T, most time.Duration, ask func() (T, error)) T {
	t.Helper()
	for end := time.Now().Add(most); ; {
		v, err := ask()
		if err == nil {
			return v
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func freeTCP(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// pebble is an ACME server that finds every name on this machine.
type pebble struct {
	directory, management string
	ca                    string // file: who signs for the server itself
	stop                  func()
}

func startPebble(t *testing.T, target string) pebble {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "install", pebbleVersion)
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no ACME server: %v\n%s", err, out)
		}
		t.Skipf("no ACME server: %v\n%s", err, out)
	}
	ca, err := openAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.issue(time.Now(), []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	p := pebble{ca: filepath.Join(dir, "server-ca.pem"), directory: fmt.Sprintf("https://127.0.0.1:%d/dir", freeTCP(t)),
		management: fmt.Sprintf("https://127.0.0.1:%d", freeTCP(t))}
	_, port, _ := net.SplitHostPort(target)
	tlsPort, _ := strconv.Atoi(port)
	config, _ := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": strings.TrimSuffix(strings.TrimPrefix(p.directory, "https://"), "/dir"), "managementListenAddress": strings.TrimPrefix(p.management, "https://"),
		"certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"), "httpPort": freeTCP(t), "tlsPort": tlsPort,
		"retryAfter": map[string]int{"authz": 1, "order": 1}, "profiles": map[string]any{"default": map[string]any{"description": "tests", "validityPeriod": 7776000}},
	}})
	cert, key := pemOf(t, leaf)
	for name, data := range map[string][]byte{"pebble.json": config, "cert.pem": cert, "key.pem": key, "server-ca.pem": []byte(ca.public())} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "pebble"), "-config", filepath.Join(dir, "pebble.json"), "-dnsserver", here(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			if strings.Contains(s.Text(), "ACME directory available") {
				close(up)
			}
		}
	}()
	stopped := false
	p.stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Kill()
			cmd.Wait()
		}
	}
	t.Cleanup(p.stop)
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		t.Fatal("the ACME server does not start")
	}
	return p
}

func pemOf(t *testing.T, c *tls.Certificate) (cert, key []byte) {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, der := range c.Certificate {
		b.Write(pemBlock("CERTIFICATE", der))
	}
	return b.Bytes(), pemBlock("PRIVATE KEY", raw)
}

// roots is who signs certificates there: made anew at each start of the server.
func (p pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	trust, err := readRoots(p.ca)
	if err != nil {
		t.Fatal(err)
	}
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trust}}}
	pem := eventually(t, 10*time.Second, func() ([]byte, error) { // it says that it is up before its own listener is
		res, err := c.Get(p.management + "/roots/0")
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		return io.ReadAll(res.Body)
	})
	all := x509.NewCertPool()
	if !all.AppendCertsFromPEM(pem) {
		t.Fatal("the ACME server's root is none")
	}
	return all
}

// here is a DNS server for which every name is this machine. It is asked by TCP (RFC 1035 §4.2.2).
func here(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(5 * time.Second))
				if err := answerDNS(conn); err != nil {
					t.Errorf("DNS: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return l.Addr().String()
}

func answerDNS(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	question := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil {
		return err
	}
	m.Response, m.Additionals = true, nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
	}
	out, err := m.Pack()
	if err != nil {
		return err
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	return err
}
