package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// center is where a phone belongs: the address, and for a center with an authority of its own what pins it.
type center struct {
	url string
	tls *tls.Config // nil: the system's authorities
}

// join reads what -center may be: http://host:port on this machine, https://host:port, or the join link
// center://host:port/#pin, whose pin is the SHA-256 of the center's authority (its SubjectPublicKeyInfo, RFC 5280 §4.1.2.7).
func join(link string) (center, error) {
	u, err := url.Parse(strings.TrimSpace(link))
	if err != nil || u.Host == "" || u.User != nil {
		return center{}, fmt.Errorf("-center %s: not an address; the center prints it as \"join\"", link)
	}
	switch u.Scheme {
	case "http", "https":
		return center{url: u.Scheme + "://" + u.Host}, nil
	case "center":
		pin, err := base64.RawURLEncoding.DecodeString(u.Fragment)
		if err != nil || len(pin) != sha256.Size {
			return center{}, fmt.Errorf("-center %s: the part behind # is not whole; copy the link again", link)
		}
		return center{url: "https://" + u.Host, tls: pinned([sha256.Size]byte(pin), u.Hostname())}, nil
	}
	return center{}, fmt.Errorf("-center %s: it begins with http, https or center", link)
}

// pinned trusts the one authority with that key and no other. The check stands in VerifyConnection, which resumed sessions
// run through too; InsecureSkipVerify only switches off the system's authorities before it.
func pinned(pin [sha256.Size]byte, name string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, InsecureSkipVerify: true, ServerName: name, VerifyConnection: func(s tls.ConnectionState) error {
		for _, ca := range s.PeerCertificates {
			if !ca.IsCA || sha256.Sum256(ca.RawSubjectPublicKeyInfo) != pin {
				continue
			}
			roots := x509.NewCertPool()
			roots.AddCert(ca)
			_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
			return err
		}
		return errors.New("the center's certificate is not of the authority in the join link")
	}}
}
