package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/sip"
)

// locked is a desk telephone over TLS that says a key of its own.
type locked struct {
	*sip.Phone
	t      *testing.T
	port   int
	events chan sip.Event
	mu     sync.Mutex
	heard  string // the far side's description
}

func (l *locked) sdp() string {
	return fmt.Sprintf("v=0\r\no=- %[1]d %[2]d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %[1]d RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%[3]s\r\na=sendrecv\r\n",
		l.port, time.Now().UnixNano(), strings.Repeat(string(rune('A'+l.port%26)), 40))
}

// hears says whose description it has: the port in it, with its key.
func (l *locked) hears(of *locked) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.heard, fmt.Sprintf("m=audio %d ", of.port)) && strings.Contains(l.heard, "inline:"+strings.Repeat(string(rune('A'+of.port%26)), 40))
}

func (l *locked) takes(sdp string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sdp != "" {
		l.heard = sdp
	}
}

func newLocked(t *testing.T, user string, port int, server string, roots *x509.CertPool) *locked {
	t.Helper()
	l := &locked{t: t, port: port, events: make(chan sip.Event, 100)}
	l.Phone = sip.New(sip.Config{UserAgent: "test", Reoffer: func(_, sdp string) (string, error) { l.takes(sdp); return l.sdp(), nil },
		Tell: func(e sip.Event) {
			switch e := e.(type) {
			case sip.Incoming:
				l.takes(e.SDP)
			case sip.Answered:
				l.takes(e.SDP)
			}
			l.events <- e
		}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	within, end := context.WithTimeout(ctx, long)
	defer end()
	err := l.Register(within, sip.Account{User: user, Domain: crowdDomain, Server: server, Transport: "tls", TLS: &tls.Config{RootCAs: roots}, Password: crowdSecret})
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	return l
}

// heardOf waits for an event of that kind.
func heardOf[E sip.Event](l *locked, what string) E {
	l.t.Helper()
	for end := time.After(30 * time.Second); ; {
		select {
		case e := <-l.events:
			if got, ok := e.(E); ok {
				return got
			}
		case <-end:
			l.t.Fatal("never: " + what)
		}
	}
}

// TestAnEncryptedCallThatWasTakenUpIsSentOn: the center is killed in a call whose keys it never wrote down, starts again, and the call is
// transferred all the same, each side with the other's own key.
func TestAnEncryptedCallThatWasTakenUpIsSentOn(t *testing.T) {
	if testing.Short() {
		t.Skip("a real center, killed")
	}
	base := t.TempDir()
	dir, file := filepath.Join(base, "data"), filepath.Join(base, "desks.json")
	desk := `{"extension":%q,"type":"desk","secret":%q}`
	var desks []string
	for _, user := range []string{"3001", "3002", "3003"} {
		desks = append(desks, fmt.Sprintf(desk, user, crowdSecret.Reveal()))
	}
	setup := fmt.Sprintf(`{"site":{"name":"Test","domain":%q},"terminals":[%s]}`, crowdDomain, strings.Join(desks, ","))
	if err := os.WriteFile(file, []byte(setup), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, said, code := run(t, "-data", dir, "import", file); code != 0 {
		t.Fatal(said)
	}
	free := freePorts(t, 3)
	flags := []string{"-http", free[0], "-sip", free[1], "-sips", free[2]}
	p, ready := launch(t, dir, flags...)
	readyAll(t, ready)
	pem, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal("ca.pem: ", err)
	}
	caller, agent, other := newLocked(t, "3001", 40000, p.line.SIPS, roots), newLocked(t, "3002", 40010, p.line.SIPS, roots), newLocked(t, "3003", 40020, p.line.SIPS, roots)
	if err := caller.Dial(t.Context(), "c", "3002", caller.sdp()); err != nil {
		t.Fatal(err)
	}
	in := heardOf[sip.Incoming](agent, "the call")
	if err := agent.Answer(t.Context(), in.Call, agent.sdp()); err != nil {
		t.Fatal(err)
	}
	heardOf[sip.Answered](caller, "the answer")
	until(t, "the call is in the book", long, func() bool {
		calls, _ := filepath.Glob(filepath.Join(dir, "calls", "*.json"))
		for _, file := range calls {
			if data, err := os.ReadFile(file); err == nil && strings.Contains(string(data), `"b":`) {
				if strings.Contains(string(data), "inline:") {
					t.Fatal("keys reached the disk")
				}
				return true
			}
		}
		return false
	})
	p.cmd.Process.Kill()
	p.cmd.Wait()
	for _, l := range []*locked{caller, agent, other} {
		heardOf[sip.LineLost](l, "the loss of the line")
	}
	_, ready = launch(t, dir, flags...)
	readyAll(t, ready)
	for _, l := range []*locked{caller, agent, other} {
		heardOf[sip.Registered](l, "the line again")
	}
	moved := make(chan error, 1)
	go func() { moved <- agent.Transfer(t.Context(), in.Call, "3003") }()
	third := heardOf[sip.Incoming](other, "the transferred call")
	if err := other.Answer(t.Context(), third.Call, other.sdp()); err != nil {
		t.Fatal(err)
	}
	if err := <-moved; err != nil {
		t.Fatal("the transfer: ", err)
	}
	until(t, "both have each other's keys", long, func() bool { return caller.hears(other) && other.hears(caller) })
	heardOf[sip.Ended](agent, "the end for who sent it on")
	if err := caller.Hangup(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	heardOf[sip.Ended](other, "the end")
}
