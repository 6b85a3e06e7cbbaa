// Package mailtest is a mail server for tests.
package mailtest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"math/big"
	"net"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Post is an SMTP server (RFC 5321) on loopback that keeps what comes.
type Post struct {
	Addr  string         // host:port
	Roots *x509.CertPool // who signs for its certificate

	mu   sync.Mutex
	said []string
	mail string
}

// Said is every line of its clients, but for the mails.
func (p *Post) Said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

// Mail is the newest mail as it came; "" none.
func (p *Post) Mail() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mail
}

// Code is the six digits in the newest mail.
func (p *Post) Code(t testing.TB) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(p.Mail()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		t.Fatal(err)
	}
	six := regexp.MustCompile(`[0-9]{6}`).FindString(string(plain))
	if six == "" {
		t.Fatalf("no code in the mail:\n%s", plain)
	}
	return six
}

// New is one that lives as long as the test; starttls: it offers encryption (RFC 3207).
func New(t testing.TB, starttls bool) *Post {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cert, pool := certificate(t)
	p := &Post{Addr: ln.Addr().String(), Roots: pool}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.serve(conn, starttls, cert)
		}
	}()
	t.Cleanup(func() { ln.Close(); <-done })
	return p
}

func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (p *Post) serve(conn net.Conn, starttls bool, cert tls.Certificate) {
	defer func() { conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	in := bufio.NewReader(conn)
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	say("220 test")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		p.mu.Lock()
		p.said = append(p.said, line)
		p.mu.Unlock()
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			say("250-test")
			if starttls {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			conn, in, starttls = secure, bufio.NewReader(secure), false
		case "AUTH":
			say("235 welcome")
		case "DATA":
			say("354 go on")
			var b strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				b.WriteString(l)
			}
			p.mu.Lock()
			p.mail = b.String()
			p.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
