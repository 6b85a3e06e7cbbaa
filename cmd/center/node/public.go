package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Public is how the center gets certificates that every browser knows, by ACME (RFC 8555).
type Public struct {
	Names     []string // host names of this center that others reach on port 443; empty: none
	Directory string   // of the ACME server; "" Let's Encrypt
	Mail      string   // where the ACME server writes to; may be empty
	// Roots is a PEM file of who signs for the directory itself; "" the system's. For an ACME server in the own house.
	Roots string
}

// Pauses between two tries for a certificate: an ACME server counts failures.
const (
	acmeFirstPause = time.Minute
	acmeMostPause  = 6 * time.Hour
)

// public serves certificates of the public names; until there is one, and for every other name, the own authority's leaf is served.
type public struct {
	cfg     Public
	manager *autocert.Manager
	own     func(*tls.ClientHelloInfo) (*tls.Certificate, error)

	over chan struct{} // closed when the center ends

	mu   sync.Mutex
	have map[string]bool
}

// newPublic is nil without public names.
func newPublic(cfg Public, dir string, own *tls.Config) (*public, error) {
	if len(cfg.Names) == 0 {
		return nil, nil
	}
	cfg.Names = slices.Clone(cfg.Names)
	for i, name := range cfg.Names {
		cfg.Names[i] = strings.ToLower(strings.TrimSuffix(name, "."))
		if !strings.Contains(name, ".") || strings.ContainsAny(name, ":/* ") {
			return nil, fmt.Errorf("%q is no public host name", name)
		}
	}
	client := &acme.Client{DirectoryURL: cfg.Directory, UserAgent: "zaseki-center"}
	if cfg.Directory == "" {
		client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	var trust *tls.Config
	if cfg.Roots != "" {
		roots, err := readRoots(cfg.Roots)
		if err != nil {
			return nil, err
		}
		trust = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	p := &public{cfg: cfg, own: own.GetCertificate, have: map[string]bool{}, over: make(chan struct{})}
	client.HTTPClient = &http.Client{Timeout: time.Minute, Transport: mortal{&http.Transport{TLSClientConfig: trust, Proxy: http.ProxyFromEnvironment}, p.over}}
	cache := filepath.Join(dir, "acme")
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	p.manager = &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(cache),
		HostPolicy: autocert.HostWhitelist(cfg.Names...), Email: cfg.Mail, Client: client}
	return p, nil
}

func readRoots(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", path)
	}
	return roots, nil
}

// mortal ends requests when the center does: the manager takes no context.
type mortal struct {
	http.RoundTripper
	over <-chan struct{}
}

func (m mortal) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	done := make(chan struct{})
	go func() {
		defer cancel()
		select {
		case <-m.over:
		case <-done:
		}
	}()
	res, err := m.RoundTripper.RoundTrip(req.WithContext(ctx))
	if err != nil {
		close(done)
		return nil, err
	}
	res.Body = &lastRead{ReadCloser: res.Body, done: done}
	return res, nil
}

// lastRead tells when a body was closed.
type lastRead struct {
	io.ReadCloser
	once sync.Once
	done chan struct{}
}

func (l *lastRead) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.ReadCloser.Close()
}

// publicNames are the names that are served with public certificates.
func (n *Node) publicNames() []string {
	if n.public == nil {
		return nil
	}
	return n.public.cfg.Names
}

// config is the TLS of the pages: TLS-ALPN challenges (RFC 8737) are answered on the same port.
func (p *public) config(least uint16) *tls.Config {
	return &tls.Config{MinVersion: least, GetCertificate: p.get, NextProtos: []string{"h2", "http/1.1", acme.ALPNProto}}
}

func (p *public) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	p.mu.Lock()
	have := p.have[strings.ToLower(hello.ServerName)]
	p.mu.Unlock()
	if have || slices.Contains(hello.SupportedProtos, acme.ALPNProto) {
		return p.manager.GetCertificate(hello)
	}
	return p.own(hello)
}

// run gets a certificate for each name and tells how it went, until ctx ends. Renewals are the manager's. No handshake of a
// visitor ever waits for the ACME server, or makes us ask it again.
func (p *public) run(ctx context.Context, tell func(name string, err error, again time.Duration)) error {
	stop := context.AfterFunc(ctx, func() { close(p.over) })
	defer stop()
	var names sync.WaitGroup
	for _, name := range p.cfg.Names {
		names.Go(func() { p.obtain(ctx, name, tell) })
	}
	names.Wait()
	return ctx.Err()
}

func (p *public) obtain(ctx context.Context, name string, tell func(string, error, time.Duration)) {
	hello := &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}} // an ECDSA key
	for pause := acmeFirstPause; ctx.Err() == nil; pause = min(2*pause, acmeMostPause) {
		_, err := p.manager.GetCertificate(hello)
		if err == nil {
			p.mu.Lock()
			p.have[name] = true
			p.mu.Unlock()
			tell(name, nil, 0)
			return
		}
		if ctx.Err() != nil {
			return
		}
		tell(name, err, pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}
