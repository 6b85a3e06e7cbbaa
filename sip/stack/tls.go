package stack

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
)

// ErrUnverified refuses a configuration that would believe every certificate.
var ErrUnverified = errors.New("tls without verification")

// ListenTLS is ListenTCP for TLS 1.2 and above; cfg brings the certificate. Hands are shaken on the connection's own
// goroutine and within the time that a first message has.
func (s *Stack) ListenTLS(addr string, cfg *tls.Config) (netip.AddrPort, error) {
	if cfg == nil {
		return netip.AddrPort{}, errors.New("listen tls: no certificate")
	}
	own := cfg.Clone()
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	return s.listen("tls", addr, own)
}

// DialTLS opens a TLS connection like DialTCP. names are what the certificate may be for: the SIP domain, or the host that the
// person named (RFC 5922 §7); the first one is asked for. cfg brings private roots or, in VerifyConnection, a pin; nil is
// the system's roots. A ServerName of cfg stands for all names.
func (s *Stack) DialTLS(ctx context.Context, addr string, cfg *tls.Config, names ...string) (*Link, error) {
	own, err := verifying(cfg, names)
	if err != nil {
		return nil, fmt.Errorf("dial tls: %w", err)
	}
	conn, err := (&tls.Dialer{NetDialer: dialer(), Config: own}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return s.dialled("tls", conn)
}

// verifying is a client's configuration that checks the certificate in every case: by the caller's own check, or against
// one of the names.
func verifying(cfg *tls.Config, names []string) (*tls.Config, error) {
	own := &tls.Config{}
	if cfg != nil {
		own = cfg.Clone()
	}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	if own.ServerName != "" {
		names = nil // the caller knows better
	} else if len(names) > 0 {
		own.ServerName = names[0]
	}
	if own.InsecureSkipVerify {
		if own.VerifyConnection == nil && own.VerifyPeerCertificate == nil {
			return nil, ErrUnverified
		}
		return own, nil
	}
	if own.ServerName == "" {
		return nil, fmt.Errorf("%w: no name", ErrUnverified)
	}
	if len(names) < 2 {
		return own, nil
	}
	more, roots := own.VerifyConnection, own.RootCAs
	own.InsecureSkipVerify = true // the library checks one name only; the check below is as strict
	own.VerifyConnection = func(state tls.ConnectionState) error {
		if err := isOneOf(state, roots, names); err != nil {
			return err
		}
		if more != nil {
			return more(state)
		}
		return nil
	}
	return own, nil
}

func isOneOf(state tls.ConnectionState, roots *x509.CertPool, names []string) error {
	chain := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		chain.AddCert(c)
	}
	var failed error
	for _, name := range names {
		_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: chain, DNSName: name})
		if err == nil {
			return nil
		}
		if failed == nil {
			failed = err
		}
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: failed}
}
