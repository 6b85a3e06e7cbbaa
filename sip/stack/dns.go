package stack

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	askTime     = 2 * time.Second
	recordsMax  = 32               // of one answer
	ttlMax      = time.Hour        // we look again, whatever a zone says
	ttlNone     = 30 * time.Second // for an answer that says "no"
	ttlSystem   = time.Minute      // for the system's, which does not tell
	answersMax  = 256
	payloadSize = 1232 // bytes of an answer over UDP that no network takes apart
)

type naptr struct {
	order, preference    uint16
	service, replacement string
}

type srv struct {
	priority, weight, port uint16
	host                   string
}

// names asks DNS and keeps answers for their time.
type names struct {
	servers []string // host:port; empty: the system's
	now     func() time.Time

	mu      sync.Mutex
	answers map[question]answer
}

type question struct {
	name string
	kind uint16
}

type answer struct {
	records []dns.RR
	addrs   []netip.Addr
	until   time.Time
}

func newNames(servers []string) *names {
	return &names{servers: servers, now: time.Now, answers: map[question]answer{}}
}

func (n *names) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.answers)
}

func (n *names) naptr(ctx context.Context, host string) []naptr {
	return naptrs(n.records(ctx, question{host, dns.TypeNAPTR}))
}

func naptrs(records []dns.RR) []naptr {
	var found []naptr
	for _, r := range records {
		// RFC 3263 §4.1: the flag is "s", there is no regular expression
		if v, ok := r.(*dns.NAPTR); ok && strings.EqualFold(v.Flags, "s") && v.Regexp == "" && hostName(trimDot(v.Replacement)) {
			found = append(found, naptr{v.Order, v.Preference, v.Service, trimDot(v.Replacement)})
		}
	}
	slices.SortStableFunc(found, func(a, b naptr) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.preference, b.preference))
	})
	return found
}

func (n *names) srv(ctx context.Context, name string) []srv {
	if len(n.askable()) > 0 {
		return srvs(n.records(ctx, question{name, dns.TypeSRV}))
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	_, list, err := net.DefaultResolver.LookupSRV(ctx, "", "", name) // where the system keeps its servers to itself
	if err != nil {
		return nil
	}
	var found []srv
	for _, v := range list {
		found = append(found, srv{v.Priority, v.Weight, v.Port, trimDot(v.Target)})
	}
	return found
}

func srvs(records []dns.RR) []srv {
	var found []srv
	for _, r := range records {
		if v, ok := r.(*dns.SRV); ok && (v.Target == "." || hostName(trimDot(v.Target)) && v.Port != 0) {
			found = append(found, srv{v.Priority, v.Weight, v.Port, trimDot(v.Target)})
		}
	}
	return found
}

// weighted orders records by priority and, within one, by chance in proportion to their weights (RFC 2782).
func weighted(list []srv) []srv {
	slices.SortStableFunc(list, func(a, b srv) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.weight, b.weight))
	})
	for from := 0; from < len(list); from++ {
		to, sum := from, 0
		for ; to < len(list) && list[to].priority == list[from].priority; to++ {
			sum += int(list[to].weight)
		}
		pick, run := rand.IntN(sum+1), 0
		for i := from; i < to; i++ {
			if run += int(list[i].weight); run >= pick {
				chosen := list[i]
				copy(list[from+1:i+1], list[from:i])
				list[from] = chosen
				break
			}
		}
	}
	return list
}

// addrs are the addresses of a host. Without servers of our own the system answers, which knows /etc/hosts and its like.
func (n *names) addrs(ctx context.Context, host string) ([]netip.Addr, error) {
	if len(n.servers) == 0 {
		return n.systemAddrs(ctx, host)
	}
	var found []netip.Addr
	for _, kind := range []uint16{dns.TypeA, dns.TypeAAAA} {
		for _, r := range n.records(ctx, question{host, kind}) {
			switch v := r.(type) {
			case *dns.A:
				if a, ok := netip.AddrFromSlice(v.A); ok {
					found = append(found, a.Unmap())
				}
			case *dns.AAAA:
				if a, ok := netip.AddrFromSlice(v.AAAA); ok {
					found = append(found, a)
				}
			}
		}
	}
	return found, ctx.Err()
}

func (n *names) systemAddrs(ctx context.Context, host string) ([]netip.Addr, error) {
	q := question{lower(host), dns.TypeNone}
	if known, ok := n.known(q); ok {
		return known.addrs, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err == nil {
		n.learn(q, answer{addrs: found}, ttlSystem)
	}
	return found, err
}

// records are what DNS says, from memory while it is valid; none when it says nothing.
func (n *names) records(ctx context.Context, q question) []dns.RR {
	q.name = lower(dns.Fqdn(q.name))
	if known, ok := n.known(q); ok {
		return known.records
	}
	ask := new(dns.Msg).SetQuestion(q.name, q.kind)
	ask.SetEdns0(payloadSize, false)
	for _, server := range n.askable() {
		reply := exchange(ctx, ask, server)
		if reply == nil || reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
			continue // no answer, or the server's trouble: the next one may know
		}
		records, ttl := usable(reply, q)
		n.learn(q, answer{records: records}, ttl)
		return records
	}
	return nil
}

func exchange(ctx context.Context, ask *dns.Msg, server string) *dns.Msg {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	reply, _, err := (&dns.Client{Timeout: askTime, UDPSize: payloadSize}).ExchangeContext(ctx, ask, server)
	if err == nil && reply.Truncated {
		reply, _, err = (&dns.Client{Net: "tcp", Timeout: askTime}).ExchangeContext(ctx, ask, server)
	}
	if err != nil {
		return nil
	}
	return reply
}

// usable are the records of the kind that was asked for, whatever alias leads to them, and how long they hold.
func usable(reply *dns.Msg, q question) ([]dns.RR, time.Duration) {
	var records []dns.RR
	ttl := ttlMax
	for _, r := range reply.Answer {
		ttl = min(ttl, time.Duration(r.Header().Ttl)*time.Second)
		if r.Header().Rrtype == q.kind && len(records) < recordsMax {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		ttl = ttlNone
	}
	return records, ttl
}

func (n *names) known(q question) (answer, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a, ok := n.answers[q]
	return a, ok && n.now().Before(a.until)
}

func (n *names) learn(q question, a answer, ttl time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.answers) >= answersMax {
		clear(n.answers)
	}
	a.until = n.now().Add(ttl)
	n.answers[q] = a
}

// askable are the servers to ask directly; none where the system does not tell them.
func (n *names) askable() []string {
	if len(n.servers) > 0 {
		return n.servers
	}
	conf, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	var servers []string
	for _, s := range conf.Servers {
		servers = append(servers, net.JoinHostPort(s, conf.Port))
	}
	return servers
}

func trimDot(name string) string { return strings.TrimSuffix(name, ".") }
