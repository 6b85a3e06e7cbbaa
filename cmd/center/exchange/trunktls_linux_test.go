package exchange

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// signed is a new authority, and what it signed for that name: PEM of the authority, of the certificate and of its key.
func signed(t *testing.T, name string) (ca, cert, key string) {
	t.Helper()
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	sign := func(template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
		own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = own
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &own.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return der, own
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	rootDER, rootKey := sign(root, root, nil)
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	leafDER, leafKey := sign(leaf, root, rootKey)
	keyDER, err := x509.MarshalECPrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	return block("CERTIFICATE", rootDER), block("CERTIFICATE", leafDER), block("EC PRIVATE KEY", keyDER)
}

// kamailioTLS is the provider with TLS too, at the address it gives.
func kamailioTLS(t *testing.T, cert, key string) (udp, tls string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tls = free.Addr().String()
	free.Close()
	text, err := os.ReadFile("testdata/provider.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := strings.NewReplacer("listen=tcp:IPADDR:PORT", "listen=tcp:IPADDR:PORT\nenable_tls=yes\nlisten=tls:"+tls,
		`loadmodule "nathelper.so"`, `loadmodule "nathelper.so"
loadmodule "tls.so"
modparam("tls", "certificate", "`+write(t, dir, "cert.pem", cert)+`")
modparam("tls", "private_key", "`+write(t, dir, "key.pem", key)+`")
modparam("tls", "verify_certificate", 0)
modparam("tls", "require_certificate", 0)
modparam("tls", "tls_method", "TLSv1.2+")`).Replace(string(text))
	udp, _ = kamailio(t, write(t, dir, "tls.cfg", config), "127.0.0.1")
	return udp, tls
}

// TestATrunkByTLS registers at a real Kamailio whose certificate its authority has signed, and calls go both ways.
func TestATrunkByTLS(t *testing.T) {
	ca, cert, key := signed(t, "provider.test")
	udp, tls := kamailioTLS(t, cert, key)
	f := newFloor(t, stands(Outside{Trunks: []Provider{{User: "trunk", Server: tls, Transport: "tls", CA: ca, Account: "zaseki", Domain: "provider.test",
		Secret: secret("zaseki-secret"), Register: true, Numbers: map[string]string{"0312345678": "1001"}, Caller: "0312345678"}}}))
	until(t, "the trunk registers", func() bool { s := f.x.Trunks(); return len(s) == 1 && s[0].State == "registered" })
	agent, customer := f.phone("1001", "udp"), f.subscriber("0398765432", udp)
	if err := agent.Dial(ctxFor(t), "out", "0398765432", offer); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](customer)
	customer.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](agent)
	customer.Hangup(ctxFor(t), in.Call)
	next[sip.Ended](agent)
	if err := customer.Dial(ctxFor(t), "in", "0312345678", offer); err != nil {
		t.Fatal(err)
	}
	in = next[sip.Incoming](agent)
	agent.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
	agent.Hangup(ctxFor(t), in.Call)
	next[sip.Ended](customer)
}

// TestAStrangerIsNoProvider: its certificate is of another authority, or of another name. Nothing is sent to it, and the page says why.
func TestAStrangerIsNoProvider(t *testing.T) {
	ca, cert, key := signed(t, "stranger.test")
	_, stranger := kamailioTLS(t, cert, key)
	_, cert, key = signed(t, "provider.test")
	_, unknown := kamailioTLS(t, cert, key)
	for name, row := range map[string]struct{ server, ca, says string }{
		"of another name":      {stranger, ca, "valid for stranger.test, not provider.test"},
		"of another authority": {unknown, ca, "signed by unknown authority"},
		"of no known one":      {unknown, "", "signed by unknown authority"},
		"no authority at all":  {unknown, "nonsense", "holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, stands(Outside{Trunks: []Provider{{User: "trunk", Server: row.server, Transport: "tls", CA: row.ca, Account: "zaseki",
				Domain: "provider.test", Secret: secret("zaseki-secret"), Register: true}}}))
			until(t, "the stranger is refused", func() bool {
				s := f.x.Trunks()
				return len(s) == 1 && s[0].State == "failed" && strings.Contains(s[0].Reason, row.says)
			})
		})
	}
}
