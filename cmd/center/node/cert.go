package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"zaseki/cmd/center/ledger"
)

const (
	caLife    = 20 * 365 * 24 * time.Hour
	leafLife  = 397 * 24 * time.Hour // browsers accept no longer one
	leafRenew = 30 * 24 * time.Hour  // before its end
	// clockSlack is how far the clock of a phone or of another node may be behind ours.
	clockSlack = 48 * time.Hour
	caFile     = "ca.pem" // key and certificate, 0600
)

// authority is the center's own certificate authority, kept in the data folder. Phones pin its key by the join link, or get
// its certificate with their SIP account, so that a renewed leaf changes nothing for them.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// openAuthority reads the authority of the data folder or makes it.
func openAuthority(dir string) (*authority, error) {
	path := filepath.Join(dir, caFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if data, err = newAuthority(time.Now()); err == nil {
			err = ledger.WriteFile(path, string(data))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority: %w", err)
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, fmt.Errorf("certificate authority %s: %w", path, err)
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("certificate authority %s: not an ECDSA key", path)
	}
	return &authority{cert: pair.Leaf, key: key}, nil
}

func newAuthority(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Zaseki center"},
		NotBefore: now.Add(-clockSlack), NotAfter: now.Add(caLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pemBlock("PRIVATE KEY", raw), pemBlock("CERTIFICATE", der)...), nil
}

func pemBlock(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// pin is what a join link carries: the SHA-256 of the authority's public key.
func (a *authority) pin() string {
	sum := sha256.Sum256(a.cert.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// public is the authority's certificate in PEM, without its key.
func (a *authority) public() string {
	return string(pemBlock("CERTIFICATE", a.cert.Raw))
}

// leaf is the certificate of one listener, renewed before it ends and when the names change.
type leaf struct {
	ca    *authority
	names func() []string
	usage []x509.ExtKeyUsage // nil: of a server

	mu   sync.Mutex
	cert *tls.Certificate
	of   []string
}

// config serves TLS of at least that version with a leaf that is good for names.
func (a *authority) config(least uint16, names func() []string) *tls.Config {
	l := &leaf{ca: a, names: names}
	return &tls.Config{MinVersion: least, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.get(time.Now()) }}
}

func (l *leaf) get(now time.Time) (*tls.Certificate, error) {
	names := l.names()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cert != nil && l.cert.Leaf.NotAfter.Sub(now) >= leafRenew && slices.Equal(l.of, names) {
		return l.cert, nil
	}
	cert, err := l.ca.issue(now, names, l.usage...)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	l.cert, l.of = cert, names
	return cert, nil
}

func (a *authority) issue(now time.Time, names []string, usage ...x509.ExtKeyUsage) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if len(usage) == 0 {
		usage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Zaseki center"},
		NotBefore: now.Add(-clockSlack), NotAfter: now.Add(leafLife - clockSlack),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: usage,
	}
	for _, h := range names {
		if ip := net.ParseIP(h); ip != nil {
			tmpl.IPAddresses = append(tmpl.IPAddresses, ip)
		} else {
			tmpl.DNSNames = append(tmpl.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)) // crypto/rand does not fail
	return n
}
