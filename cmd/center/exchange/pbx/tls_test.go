package pbx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate is one for that address, signed by itself, and its PEM.
func certificate(t *testing.T, ip string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.ParseIP(ip)}, IsCA: true, BasicConstraintsValid: true},
		&x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestAsteriskByTLS: what passes is told over TLS, to whom the authority has signed for and to nobody else.
func TestAsteriskByTLS(t *testing.T) {
	cert, ca := certificate(t, "127.0.0.1")
	other, _ := certificate(t, "127.0.0.1")
	elsewhere, itself := certificate(t, "192.0.2.1")
	for name, row := range map[string]struct {
		shown tls.Certificate
		ca    string
		says  string // "": connected
	}{
		"the right one":                 {cert, ca, ""},
		"a stranger":                    {other, ca, "certificate"},
		"of no authority of the system": {cert, "", "unknown authority"},
		"of another address":            {elsewhere, itself, "certificate is valid for 192.0.2.1, not 127.0.0.1"},
		"no authority at all":           {cert, "nonsense", "no certificate in PEM"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{row.shown}})
			if err != nil {
				t.Fatal(err)
			}
			m := manages(t, l)
			var f floor
			f.set(agent("1001", "Available", true))
			jobs, _ := f.run(t, Box{ID: "main", Kind: Asterisk, Addr: "tls://" + m.addr, CA: row.ca, User: "zaseki", Secret: secret("ami-secret"),
				Queues: map[string]string{"7000": "support"}})
			if row.says == "" {
				until(t, "Asterisk knows who takes calls", func() bool { return slices.Equal(m.shows(), []string{"support PJSIP/1001 0 Available 0"}) })
				return
			}
			until(t, "it is refused in words", func() bool {
				s := jobs.States()
				return len(s) == 1 && !s[0].Connected && strings.Contains(s[0].Error, row.says)
			})
			if shown := m.shows(); len(shown) != 0 {
				t.Errorf("it was told %v", shown)
			}
		})
	}
}
