package stack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	penaltyTime = 5 * time.Minute // a target that failed is tried after the others
	targetsMax  = 16
)

// ErrNoServer: the names say that there is no such service.
var ErrNoServer = errors.New("no SIP server found")

// Target is one place where a server may be reached.
type Target struct {
	Addr    netip.AddrPort
	Network string // udp, tcp, tls, wss
	Name    string // the host that was asked for: whose certificate it must show (RFC 5922 §7.1)
}

// Resolver finds a server's targets (RFC 3263) and remembers which of them failed. It may be used by every goroutine.
type Resolver struct {
	dns *names
	now func() time.Time

	mu        sync.Mutex
	penalties map[Target]time.Time // until then
}

// NewResolver asks these DNS servers (host:port), or the system's when there are none.
func NewResolver(servers ...string) *Resolver {
	return &Resolver{dns: newNames(servers), now: time.Now, penalties: map[Target]time.Time{}}
}

// Resolve gives the targets of a server, best first; those that failed lately stand last. server is a host, host:port or an
// address; transport "" lets the names decide. An address needs no lookup, a port no SRV (RFC 3263 §4.1, §4.2).
func (r *Resolver) Resolve(ctx context.Context, server, transport string) ([]Target, error) {
	host, port, err := splitServer(server)
	if err != nil {
		return nil, err
	}
	transport = lower(transport)
	var found []Target
	if addr, err := netip.ParseAddr(host); err == nil {
		network := cmp.Or(transport, "udp")
		found = []Target{{netip.AddrPortFrom(addr.Unmap(), portOr(port, network)), network, host}}
	} else if found, err = r.byName(ctx, host, port, transport); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w", server, ErrNoServer)
	}
	r.sort(found)
	return found[:min(len(found), targetsMax)], nil
}

func (r *Resolver) byName(ctx context.Context, host string, port uint16, transport string) ([]Target, error) {
	var places []place
	if port == 0 && !local(host) {
		places = r.places(ctx, host, transport)
	}
	if len(places) == 0 {
		network := cmp.Or(transport, "udp")
		addrs, err := r.dns.addrs(ctx, host)
		return targets(addrs, place{network: network, port: portOr(port, network)}, host), err
	}
	var found []Target
	var failed error
	for _, p := range places {
		if p.host == "" || len(found) >= targetsMax {
			continue
		}
		addrs, err := r.dns.addrs(ctx, p.host)
		failed = cmp.Or(failed, err)
		found = append(found, targets(addrs, p, host)...)
	}
	if len(found) > 0 {
		failed = nil
	}
	return found, failed
}

// place is a host that serves one transport; an empty host says that the service is not there (RFC 2782).
type place struct {
	network string
	host    string
	port    uint16
}

// services are the transports we speak and the SRV names that stand for them, the ones we like best first.
var services = [...]struct{ network, naptr, srv string }{
	{"tls", "SIPS+D2T", "_sips._tcp."}, {"tcp", "SIP+D2T", "_sip._tcp."}, {"udp", "SIP+D2U", "_sip._udp."},
}

// places follows NAPTR and SRV (RFC 3263 §4.1): what the domain prefers where it says so, else what we prefer.
func (r *Resolver) places(ctx context.Context, host, transport string) []place {
	var found []place
	if transport == "" {
		for _, n := range r.dns.naptr(ctx, host) {
			for _, s := range services {
				if strings.EqualFold(s.naptr, n.service) {
					found = append(found, r.srv(ctx, n.replacement, s.network)...)
				}
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	lists := make([][]place, len(services))
	var asking sync.WaitGroup
	for i, s := range services {
		if transport == "" || transport == s.network {
			asking.Go(func() { lists[i] = r.srv(ctx, s.srv+host, s.network) })
		}
	}
	asking.Wait()
	return slices.Concat(lists...)
}

func (r *Resolver) srv(ctx context.Context, name, network string) []place {
	var found []place
	for _, s := range weighted(r.dns.srv(ctx, name)) {
		found = append(found, place{network, s.host, s.port})
	}
	return found
}

// targets puts IPv4 first, as media does, and only what the address family allows.
func targets(addrs []netip.Addr, p place, name string) []Target {
	var found []Target
	for _, a := range addrs {
		found = append(found, Target{netip.AddrPortFrom(a.Unmap(), p.port), p.network, name})
	}
	slices.SortStableFunc(found, func(a, b Target) int { return family(a) - family(b) })
	return found
}

func family(t Target) int {
	if t.Addr.Addr().Is4() {
		return 4
	}
	return 6
}

// sort puts what cannot be routed and what failed lately behind the others.
func (r *Resolver) sort(found []Target) {
	rank := map[Target]int{}
	for _, t := range found {
		if _, err := LocalAddr(t.Addr); err != nil {
			rank[t] = 2
		} else if r.Penalized(t) {
			rank[t] = 1
		}
	}
	slices.SortStableFunc(found, func(a, b Target) int { return rank[a] - rank[b] })
}

// Penalize puts a target that failed behind the others for five minutes.
func (r *Resolver) Penalize(t Target) {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for old, until := range r.penalties {
		if now.After(until) {
			delete(r.penalties, old)
		}
	}
	r.penalties[t] = now.Add(penaltyTime)
}

// Forgive ends the penalty of a target that works.
func (r *Resolver) Forgive(t Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.penalties, t)
}

// Penalized says whether a target failed lately.
func (r *Resolver) Penalized(t Target) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.penalties[t]
	return ok && r.now().Before(until)
}

// Forget drops what was learnt: another network has other names and other ways.
func (r *Resolver) Forget() {
	r.mu.Lock()
	clear(r.penalties)
	r.mu.Unlock()
	r.dns.forget()
}

// splitServer reads host, host:port, [v6]:port and a bare IPv6 address; port 0 is none.
func splitServer(server string) (host string, port uint16, err error) {
	host = server
	if h, p, e := net.SplitHostPort(server); e == nil {
		n, e := strconv.ParseUint(p, 10, 16)
		if e != nil || n == 0 {
			return "", 0, fmt.Errorf("server %q: bad port", server)
		}
		host, port = h, uint16(n)
	}
	host = strings.TrimSuffix(trimBrackets(host), ".")
	addr, e := netip.ParseAddr(host)
	if zone := addr.Zone(); e != nil && !hostName(host) || zone != "" && !hostName(zone) {
		return "", 0, fmt.Errorf("server %q: not a host", server)
	}
	return host, port, nil
}

// hostName: letters, digits, hyphens and, for the names of services, underscores, in parts.
func hostName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for part := range strings.SplitSeq(host, ".") {
		if part == "" || len(part) > 63 || strings.Trim(lower(part), "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// local names have no services in DNS.
func local(host string) bool {
	host = lower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || !strings.Contains(host, ".")
}

func portOr(port uint16, network string) uint16 {
	switch {
	case port != 0:
		return port
	case network == "tls":
		return 5061
	case network == "wss":
		return 443 // RFC 7118 §5.2.2 leaves it to RFC 6455 §3
	}
	return 5060
}
