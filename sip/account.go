package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
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
	Server    string // host:port
	Transport string // udp, tcp
	Password  interface{ Reveal() string }
	Expires   time.Duration // what we ask for; 0: five minutes
	Instance  string        // a UUID that stays with the installation (RFC 5626 §4.1); empty: none
}

// check fills what may be left out and refuses what cannot be.
func (a *Account) check() error {
	for _, text := range []string{a.User, a.AuthUser, a.Domain, a.Display, a.Instance} {
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
	return nil
}

// resolve gives the first address of host:port, IPv4 before IPv6.
func resolve(ctx context.Context, server string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(server)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("server %q: %w", server, err)
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("server %q: %w", server, err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("server: %w", err)
	}
	best := ips[0].Unmap()
	for _, ip := range ips {
		if ip = ip.Unmap(); ip.Is4() && !best.Is4() {
			best = ip
		}
	}
	return netip.AddrPortFrom(best, uint16(port)), nil
}
