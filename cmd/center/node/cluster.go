package node

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// Cluster is how a node is one of several.
type Cluster struct {
	Name    string          // of this node; it stays for ever
	Peers   []ledger.Member // all nodes, this one too; empty: alone, or with an outside cluster
	Monitor []string        // see ledger.Config
	MayLose bool
	// Restoring: the log is opened to be filled from a backup.
	Restoring bool
}

// Leases of a cluster. A node that is not heard of for leaseTime is lost.
const (
	nodeLease     = "node."
	presenceLease = "job.presence" // who ends the sessions of lost nodes
	exchangeLease = "job.exchange" // whose exchange the telephones use
	leaseTime     = 10 * time.Second
	lookEvery     = time.Second
	// lostAfter is how long a lease may be over before its node counts as lost: an election that takes long ends all leases at once, and
	// they are back within a renewal.
	lostAfter = 5 * time.Second
)

// ledgerConfig is the log as the node's flags say.
func (n *Node) ledgerConfig(key []byte) ledger.Config {
	c := n.cfg.Cluster
	cfg := ledger.Config{
		Dir: filepath.Join(n.cfg.Data, "ledger"), URLs: n.cfg.NATS, Monitor: c.Monitor, MayLose: c.MayLose, Restoring: c.Restoring, Log: n.log,
	}
	if len(c.Peers) > 0 {
		cfg.Cluster = &ledger.Cluster{Name: c.Name, Members: c.Peers, Secret: clusterSecret(key), TLS: n.ca.routes(c.Peers)}
	}
	return cfg
}

// clusterSecret follows from the center's key, which all nodes have: nothing more needs to be carried about.
func clusterSecret(key []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("cluster"))
	return h.Sum(nil)
}

// routes is how nodes know each other: certificates of the center's own authority, which no phone has for a client.
func (a *authority) routes(peers []ledger.Member) *ledger.RouteTLS {
	var hosts []string
	for _, p := range peers {
		if host, _, err := net.SplitHostPort(p.Addr); err == nil && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	l := &leaf{ca: a, names: func() []string { return hosts }, usage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	return &ledger.RouteTLS{Roots: roots, Cert: func() (*tls.Certificate, error) { return l.get(time.Now()) }}
}

// clustered says whether there may be other nodes.
func (n *Node) clustered() bool { return len(n.cfg.Cluster.Peers) > 0 || len(n.cfg.NATS) > 0 }

// card is what a node says of itself in its lease.
type card struct {
	HTTP string `json:"http"` // base URL
	SIP  string `json:"sip"`  // host:port
	SIPS string `json:"sips,omitempty"`
}

// others is what this node knows about the nodes of its center.
type others struct {
	node *Node

	mu    sync.Mutex
	cards map[string]card      // alive
	seen  map[string]time.Time // when each was seen last
	from  time.Time            // since when we look
	duty  context.Context      // of the presence lease; nil: somebody else has it
	lines string               // node whose exchange the telephones use
	told  string               // what the roster was told last
}

// run keeps this node's lease, takes its turn at the single jobs and looks at the others, until ctx ends.
func (o *others) run(ctx context.Context) error {
	n := o.node
	mine, err := json.Marshal(card{n.HTTP(), reachable(n.SIP(), n.host()), reachable(n.SIPS(), n.host())})
	if err != nil {
		return err
	}
	o.mu.Lock()
	o.from = time.Now()
	o.mu.Unlock()
	g, ctx := errgroup.WithContext(ctx)
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	g.Go(func() error { return n.ledger.Hold(ctx, nodeLease+n.cfg.Cluster.Name, string(mine), leaseTime, wait) })
	g.Go(func() error { return n.ledger.Hold(ctx, exchangeLease, n.cfg.Cluster.Name, leaseTime, wait) })
	g.Go(func() error {
		return n.ledger.Hold(ctx, presenceLease, n.cfg.Cluster.Name, leaseTime, func(ctx context.Context) error {
			o.onDuty(ctx)
			defer o.offDuty()
			return wait(ctx)
		})
	})
	g.Go(func() error { return o.watch(ctx) })
	return g.Wait()
}

// reachable is an address as others reach it: a listener on all addresses is reached as the pages are.
func reachable(at, host string) string {
	addr, err := netip.ParseAddrPort(at)
	if err != nil || !addr.Addr().IsUnspecified() {
		return at
	}
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return at
	}
	return net.JoinHostPort(name, fmt.Sprint(addr.Port()))
}

func (o *others) onDuty(ctx context.Context) {
	o.mu.Lock()
	o.duty = ctx
	o.mu.Unlock()
	o.tell()
}

func (o *others) offDuty() {
	o.mu.Lock()
	o.duty = nil
	o.mu.Unlock()
	o.tell()
}

// watch looks at the leases. While the log cannot be asked nobody is declared lost.
func (o *others) watch(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		within, cancel := context.WithTimeout(ctx, leaseTime/3) // a busy machine is not one without others
		all, err := o.node.ledger.Holders(within, "")
		cancel()
		switch {
		case err == nil:
			o.saw(all)
			o.tell()
		case ctx.Err() == nil:
			o.node.log.Debug("leases of the nodes", "err", err)
			o.mu.Lock()
			o.from = time.Now() // what is not known is not lost
			o.mu.Unlock()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (o *others) saw(all map[string]string) {
	now := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.lines
	o.cards, o.lines = map[string]card{}, all[exchangeLease]
	for lease, value := range all {
		name, ok := strings.CutPrefix(lease, nodeLease)
		var c card
		if !ok || json.Unmarshal([]byte(value), &c) != nil {
			continue
		}
		if _, known := o.seen[name]; !known {
			o.node.log.Info("node is there", "node", name, "http", c.HTTP)
		}
		o.cards[name], o.seen[name] = c, now
	}
	if before != o.lines {
		o.node.log.Info("the telephones are served by", "node", o.lines)
	}
}

// tell gives the roster what it needs, when it is something new.
func (o *others) tell() {
	o.mu.Lock()
	k := roster.Nodes{Lost: o.lost, Duty: o.duty != nil, Lines: o.lines}
	gone := 0
	for name, at := range o.seen {
		if c, alive := o.cards[name]; alive && name != o.node.cfg.Cluster.Name {
			k.Others = append(k.Others, c.HTTP)
		} else if time.Since(at) > lostAfter {
			gone++
		}
	}
	slices.Sort(k.Others)
	strangers := time.Since(o.from) > lostAfter // those that were never seen count as lost now
	news := fmt.Sprint(k.Duty, k.Lines, k.Others, gone, strangers)
	same := news == o.told
	o.told = news
	o.mu.Unlock()
	if !same {
		o.node.roster.KnowNodes(k)
	}
}

// lost says since when a node is lost; ok is false for one that is alive, or may be.
func (o *others) lost(name string) (since time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen := o.seen[name]
	if seen.Before(o.from) {
		seen = o.from // the others had no chance yet
	}
	return seen.UTC(), time.Since(seen) > lostAfter && (o.duty == nil || o.duty.Err() == nil)
}

// elsewhere is the SIP address of the node whose exchange the telephones use, when it is another one that is known to be alive.
func (n *Node) elsewhere(secure bool) (addr string, ok bool) {
	if n.others == nil {
		return "", false
	}
	c, ok := n.others.exchangeAt()
	if addr = c.SIP; secure {
		addr = c.SIPS
	}
	return addr, ok && addr != ""
}

// exchangeAt is where the telephones of the whole center register; ok is false when it is not known, or here.
func (o *others) exchangeAt() (c card, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c, ok = o.cards[o.lines]
	return c, ok && o.lines != o.node.cfg.Cluster.Name
}
