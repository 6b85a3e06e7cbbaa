package sip

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"zaseki/sip/stack"
)

// Account is how a line registers.
type Account struct {
	User      string
	AuthUser  string // digest user name; empty: User
	Domain    string
	Display   string
	From      string // user part of the From of calls, as a trunk has it; empty: User
	Server    string // host, host:port, an address, or wss://host:port/path; empty: Domain. RFC 3263 finds the rest
	Transport string // udp, tcp, tls, wss; empty: what the server's names say, and large requests by TCP
	// TLS brings private roots, or a pin in VerifyConnection; nil is the system's roots. Without a check of its own
	// InsecureSkipVerify is refused. Certificates are for Server's host or for Domain (RFC 5922).
	TLS      *tls.Config
	Password interface{ Reveal() string }
	Expires  time.Duration // what we ask for; 0: five minutes
	Instance string        // a UUID that stays with the installation (RFC 5626 §4.1); empty: none
	NAT      bool          // say in Contact the address that the server sees (RFC 3581), not our own
	Session  time.Duration // session timer to ask calls for (RFC 4028); 0: half an hour
	GRUU     bool          // the server routes calls by the GRUU it gives (RFC 5627): say that in their Contact
}

// check fills what may be left out and refuses what cannot be.
func (a *Account) check() error {
	for _, text := range []string{a.User, a.AuthUser, a.Domain, a.Display, a.From, a.Instance, a.Server} {
		if !stack.Clean(text) || strings.ContainsAny(text, "\"<>") {
			return fmt.Errorf("account: %q cannot stand in a header", text)
		}
	}
	if a.User == "" || a.Domain == "" || a.Password == nil {
		return errors.New("account: user, domain or password missing")
	}
	if a.AuthUser == "" {
		a.AuthUser = a.User
	}
	if a.Expires == 0 {
		a.Expires = 5 * time.Minute
	}
	a.Server = cmp.Or(a.Server, a.Domain)
	a.Transport = strings.ToLower(a.Transport)
	if strings.HasPrefix(strings.ToLower(a.Server), "wss://") && a.Transport == "" {
		a.Transport = "wss"
	}
	switch a.Transport {
	case "", "udp", "tcp", "tls", "wss":
		return nil
	}
	return fmt.Errorf("account: unknown transport %q", a.Transport)
}

// at takes the server apart: what the names are asked for and, for a WebSocket, its URL.
func (a *Account) at() (server string, ws *url.URL, err error) {
	if !strings.Contains(a.Server, "://") {
		return a.Server, &url.URL{Scheme: "wss", Host: a.Server}, nil
	}
	ws, err = url.Parse(a.Server)
	if err != nil || a.Transport != "wss" || !strings.EqualFold(ws.Scheme, "wss") || ws.Host == "" || ws.User != nil || ws.Fragment != "" {
		return "", nil, fmt.Errorf("server %q: not a WebSocket of SIP", a.Server)
	}
	return ws.Host, ws, nil
}

// names are what the server's certificate may be for: the host that the person named, and the SIP domain. The first is asked for,
// so an address, of which no certificate is chosen, stands last.
func (a *Account) names(host string) []string {
	domain := a.Domain
	if h, _, err := net.SplitHostPort(domain); err == nil {
		domain = h
	}
	if strings.EqualFold(host, domain) {
		return []string{domain}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{domain, host}
	}
	return []string{host, domain}
}
