package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"zaseki/web/wire"
)

// serveTLS shows a certificate of its own authority for pbx.test, valid between these times, on a loopback address.
func serveTLS(t *testing.T, from, until time.Time) (addr string, own *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	is := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"pbx.test"}, NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, is, is, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	own = x509.NewCertPool()
	own.AddCert(parsed)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), own
}

// TestWhyAServerIsNotTrustedIsSaidInWords with what a real handshake fails for.
func TestWhyAServerIsNotTrustedIsSaidInWords(t *testing.T) {
	now := time.Now()
	const hours = 48 * time.Hour
	for _, row := range []struct {
		name        string
		from, until time.Time
		known       bool
		asked       string
		code        string
		hole, says  string
	}{
		{"expired", now.Add(-2 * hours), now.Add(-hours), true, "pbx.test", wire.ProblemSIPExpired, "date", day(now.Add(-hours))},
		{"not yet valid", now.Add(hours), now.Add(2 * hours), true, "pbx.test", wire.ProblemSIPEarly, "date", day(now.Add(hours))},
		{"of another name", now.Add(-hours), now.Add(hours), true, "other.test", wire.ProblemSIPName, "names", "pbx.test"},
		{"of a strange authority", now.Add(-hours), now.Add(hours), false, "pbx.test", wire.ProblemSIPStranger, "server", "pbx:5061"},
	} {
		t.Run(row.name, func(t *testing.T) {
			addr, roots := serveTLS(t, row.from, row.until)
			if !row.known {
				roots = x509.NewCertPool()
			}
			_, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: roots, ServerName: row.asked})
			p, ok := untrusted("pbx:5061", fmt.Errorf("register: %w", err), now)
			if !ok || p.Code != row.code || p.Holes[row.hole] != row.says || p.Holes["reason"] != "" {
				t.Errorf("%v became %v, %+v", err, ok, p)
			}
		})
	}
	_, err := net.Dial("tcp", "127.0.0.1:1")
	if p, ok := untrusted("pbx", err, now); ok {
		t.Errorf("%v became %+v", err, p)
	}
	odd := &tls.CertificateVerificationError{Err: errors.New("odd")}
	if p, ok := untrusted("pbx", odd, now); !ok || p.Code != wire.ProblemSIPTLS || p.Holes["reason"] != "odd" {
		t.Errorf("an odd reason became %+v", p)
	}
}
