package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"zaseki/web/wire"
)

// untrusted says in words why a server's certificate was not taken, and what to do about it; x509 says it in English, and only that
// it is so. False: that is not why the server was not reached.
func untrusted(server string, err error, now time.Time) (wire.Problem, bool) {
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) {
		return wire.Problem{}, false
	}
	p := wire.Problem{Code: wire.ProblemSIPTLS, Holes: map[string]string{"server": server}}
	var (
		invalid  x509.CertificateInvalidError
		name     x509.HostnameError
		stranger x509.UnknownAuthorityError
	)
	switch {
	case errors.As(refused.Err, &invalid) && invalid.Reason == x509.Expired && now.Before(invalid.Cert.NotBefore):
		p.Code, p.Holes["date"] = wire.ProblemSIPEarly, day(invalid.Cert.NotBefore)
	case errors.As(refused.Err, &invalid) && invalid.Reason == x509.Expired:
		p.Code, p.Holes["date"] = wire.ProblemSIPExpired, day(invalid.Cert.NotAfter)
	case errors.As(refused.Err, &name):
		p.Code, p.Holes["host"], p.Holes["names"] = wire.ProblemSIPName, name.Host, namesOf(name.Certificate)
	case errors.As(refused.Err, &stranger):
		p.Code = wire.ProblemSIPStranger
	default:
		p.Holes["reason"] = refused.Err.Error()
	}
	return p, true
}

func day(t time.Time) string { return t.Local().Format(time.DateOnly) }

// namesOf are the first names a certificate is for; "–" when it is for none.
func namesOf(c *x509.Certificate) string {
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "–"
	}
	return strings.Join(names[:min(3, len(names))], ", ")
}
