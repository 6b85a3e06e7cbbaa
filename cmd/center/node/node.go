// Package node is one node of the center: its rooms opened, wired together and run. The program and the demo start it alike.
package node

import (
	"context"
	"crypto/ecdh"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/admin"
	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/exchange/pbx"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/cmd/center/vault"
	"zaseki/web/wire"
)

// secureOff in Config.SIPS: telephones are not served with TLS.
const secureOff = "off"

// aloneTime is how long the log of a single node may take to open.
const aloneTime = 30 * time.Second

// Config is a node.
type Config struct {
	Data    string   // folder of everything that is kept; made when missing
	HTTP    string   // host:port; plain on a loopback address, TLS with the center's own authority elsewhere
	SIP     string   // host:port for UDP and TCP
	SIPS    string   // host:port for TLS; "" the host and the next port of SIP, "off" none
	NATS    []string // of an outside cluster; empty: the embedded engine
	Cluster Cluster  // empty: this node is the center
	Version string   // shown to administrators
	Public  Public   // names with certificates that every browser knows
	Log     *slog.Logger
	Timing  roster.Timing // zero fields are the defaults
}

// SecureSIP is where telephones are served with TLS, or "off".
func (c Config) SecureSIP() string {
	if c.SIPS != "" {
		return c.SIPS
	}
	host, port, err := net.SplitHostPort(c.SIP)
	number, wrong := strconv.ParseUint(port, 10, 16)
	if err != nil || wrong != nil || number == 65535 {
		return secureOff // the exchange says what is wrong with the address
	}
	if number > 0 {
		number++
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10))
}

// Node is an opened center: it listens already, and serves with Run.
type Node struct {
	cfg      Config
	log      *slog.Logger
	lock     *lock
	ledger   *ledger.Ledger
	roster   *roster.Roster
	exchange *exchange.Exchange
	pbxs     *pbx.Jobs
	report   *report.Report
	vault    *vault.Vault
	recent   *admin.Recent
	seal     *ecdh.PrivateKey // of recordings
	key      []byte           // the center's
	admin    *admin.Admin
	ca       *authority
	secure   bool // HTTP with TLS: off loopback, and for public names
	public   *public
	history  *history
	others   *others // nil: this node is the center
	echo     *echo   // nil: no network tests
	listener net.Listener
	hosts    []string
	operator wire.Secret

	account, code string // the administrator made by a very first start
	first         bool
	ready, closed atomic.Bool
}

// New opens the data folder and the listeners. Run must follow, or Close.
func New(cfg Config) (*Node, error) { return Open(context.Background(), cfg) }

// Open is New that stops waiting for the other nodes of a cluster when ctx ends.
func Open(ctx context.Context, cfg Config) (n *Node, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n = &Node{cfg: cfg, recent: &admin.Recent{}}
	n.log = slog.New(n.recent.Handler(cfg.Log.Handler()))
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open center: %w", err), n.Close())
	}
	return n, nil
}

func (n *Node) open(ctx context.Context) error {
	if err := n.claim(); err != nil {
		return err
	}
	if err := n.bind(); err != nil {
		return err
	}
	if err := n.openLedger(ctx); err != nil {
		return err
	}
	if err := n.openRooms(); err != nil {
		return err
	}
	return n.firstStart()
}

// openData opens what is kept and nothing else.
func (n *Node) openData(ctx context.Context) error {
	if err := n.claim(); err != nil {
		return err
	}
	return n.openLedger(ctx)
}

// claim makes the data folder and keeps others off it.
func (n *Node) claim() error {
	if err := os.MkdirAll(n.cfg.Data, 0o700); err != nil {
		return err
	}
	var err error
	n.lock, err = lockData(n.cfg.Data)
	return err
}

// bind opens the HTTP listener, so that a taken port is found out before anything else is touched.
func (n *Node) bind() error {
	var err error
	if n.listener, err = net.Listen("tcp", n.cfg.HTTP); err != nil {
		return fmt.Errorf("listen for HTTP: %w", err)
	}
	addr := n.addr()
	n.hosts = names(addr)
	n.secure = !addr.Addr().IsLoopback() || len(n.cfg.Public.Names) > 0
	if n.ca, err = openAuthority(n.cfg.Data); err != nil {
		return err
	}
	n.public, err = newPublic(n.cfg.Public, n.cfg.Data, n.ca.config(tls.VersionTLS13, func() []string { return n.hosts }))
	return err
}

func (n *Node) openLedger(ctx context.Context) error {
	if n.clustered() && n.cfg.Cluster.Name == "" {
		return errors.New("a node of several needs a name (-name)")
	}
	var err error
	if n.ca == nil {
		if n.ca, err = openAuthority(n.cfg.Data); err != nil {
			return err
		}
	}
	key, err := roster.LoadKey(filepath.Join(n.cfg.Data, centerKey))
	if err != nil {
		return err
	}
	if !n.clustered() { // it needs nobody
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, aloneTime)
		defer cancel()
	}
	if n.ledger, err = ledger.OpenContext(ctx, n.ledgerConfig(key)); err != nil {
		return err
	}
	if len(n.cfg.Cluster.Peers) > 0 && !n.cfg.Cluster.Restoring {
		if err := n.ledger.Begun(ctx); err != nil {
			return err
		}
	}
	n.key = key
	if n.seal, err = vault.LoadKey(n.cfg.Data); err != nil {
		return err
	}
	probe := func(host string) string { return n.echo.addr(host) }
	n.roster, err = roster.New(roster.Config{Ledger: n.ledger, Log: n.log, Node: n.cfg.Cluster.Name, Key: key, SIP: n.registrar, Probe: probe, Seal: n.seal.PublicKey().Bytes(), Registered: n.registered, Beside: n.lookBeside, Timing: n.cfg.Timing})
	return err
}

func (n *Node) openRooms() error {
	var err error
	if n.clustered() {
		n.others = &others{node: n, cards: map[string]card{}, seen: map[string]time.Time{}, from: time.Now()}
	}
	n.history = &history{node: n, mail: make(chan exchange.CallRecord, historyMost)}
	n.exchange, err = exchange.New(exchange.Config{
		Listen: n.cfg.SIP, Domain: func() string { return n.roster.Site().Domain }, Numbers: n.numbers,
		Desk: n.roster, Outside: n.roster.Outside, Hold: n.hold, Log: n.log, Told: n.history.told, Secure: n.cfg.SecureSIP(), TLS: n.ca.config(tls.VersionTLS12, n.sipNames),
		Music: filepath.Join(n.cfg.Data, "music"), Message: n.message, Book: filepath.Join(n.cfg.Data, "calls"),
		PhoneCalls: n.roster.PhoneCalls, Elsewhere: n.elsewhere, Key: n.key,
	})
	if err != nil {
		return err
	}
	n.roster.CheckWith(n.exchange)
	if n.echo, err = openEcho(n.addr(), n.roster.Probing); err != nil {
		n.log.Warn("phones cannot test their network", "err", err)
	}
	n.report, err = report.Open(filepath.Join(n.cfg.Data, "report.db"), n.ledger, n.log)
	if err != nil {
		return err
	}
	n.openPBXs()
	n.operator = wire.Secret(randomCode(32))
	n.admin = admin.New(admin.Config{
		Staff: n.roster, Lines: n.exchange, Ledger: n.ledger, History: n.report, Join: n.Join,
		Parts: n.parts, Recent: n.recent, Operator: n.operator, Secure: n.secure, Version: n.cfg.Version, Log: n.log,
	})
	n.vault, err = vault.Open(vault.Config{
		Dir: n.cfg.Data, Key: n.seal, Phone: n.roster.Bearer, Staff: n.admin.Staff, Ledger: n.ledger, Log: n.log,
		Policy: n.roster.PolicyOf,
	})
	return err
}

// sipNames are the names a phone may check the exchange's certificate for: the SIP domain above all (RFC 5922 §7.2).
func (n *Node) sipNames() []string {
	site := n.roster.Site()
	want := []string{site.Domain, site.SIP.Domain}
	if addr, err := netip.ParseAddrPort(n.exchange.Secure()); err == nil {
		want = append(want, names(addr)...)
	}
	var all []string
	for _, name := range append(want, n.hosts...) {
		if name != "" && ascii(name) && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// ascii: no other name can stand in a certificate.
func ascii(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}

// numbers is the site's number plan as the exchange goes by it.
func (n *Node) numbers() exchange.Numbers {
	site := n.roster.Site()
	return exchange.Numbers{Digits: site.ExtensionDigits, Line: site.Plan.Line, Short: site.Plan.Short}
}

// registrar is where phones that reached us as host register, and who signs for its certificate.
func (n *Node) registrar(host string, secure bool) (server, ca string) {
	at := n.exchange.Addr()
	if secure {
		at, ca = n.exchange.Secure(), n.ca.public()
	}
	if other, ok := n.elsewhere(secure); ok {
		at = other
	}
	addr, err := netip.ParseAddrPort(at)
	if err != nil { // no such listener: a phone that needs it says that it cannot register
		return net.JoinHostPort(host, "5061"), ca
	}
	if !addr.Addr().IsUnspecified() {
		return addr.String(), ca
	}
	return net.JoinHostPort(host, strconv.Itoa(int(addr.Port()))), ca
}

// Run serves until the context ends, then ends cleanly: calls, phones, pages, and the ledger last.
func (n *Node) Run(ctx context.Context) error {
	written, stop := context.WithCancel(context.WithoutCancel(ctx))
	var history errgroup.Group
	history.Go(func() error { return n.history.run(written) })
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return named("ledger", n.ledger.Run(gctx)) })
	if n.others != nil {
		g.Go(func() error { return named("nodes", n.others.run(gctx)) })
	}
	g.Go(func() error { return named("roster", n.roster.Run(gctx)) })
	g.Go(func() error { return named("exchange", n.exchange.Run(gctx)) })
	g.Go(func() error { return named("pbx", n.pbxs.Run(gctx)) })
	g.Go(func() error { return named("report", n.report.Run(gctx)) })
	g.Go(func() error { return named("vault", n.vault.Run(gctx)) })
	g.Go(func() error { return named("past", n.watch(gctx)) })
	if n.echo != nil {
		g.Go(func() error { return named("echo", n.echo.run(gctx)) })
	}
	if n.public != nil {
		g.Go(func() error { return named("certificates", n.public.run(gctx, n.certified)) })
	}
	g.Go(func() error { return named("http", n.serve(gctx)) })
	if err := n.announce(); err != nil {
		n.log.Warn("the command line will not find this center", "err", err)
	}
	n.ready.Store(true)
	err := g.Wait()
	n.ready.Store(false)
	stop() // the last calls have ended
	return errors.Join(err, history.Wait(), n.Close())
}

func named(room string, err error) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", room, err)
	}
	return nil
}

// Close frees what New opened. Run does it too; a second time does nothing.
func (n *Node) Close() error {
	if !n.closed.CompareAndSwap(false, true) {
		return nil
	}
	var errs []error
	if n.listener != nil {
		n.listener.Close() // closed by the server already, or never served
	}
	if n.echo != nil {
		n.echo.conn.Close() // closed by Run already, or never ran
	}
	if n.exchange != nil {
		errs = append(errs, n.exchange.Close()) // nothing after Run
	}
	if n.report != nil {
		errs = append(errs, n.report.Close())
	}
	if n.ledger != nil {
		n.ledger.Close()
	}
	if n.lock != nil {
		errs = append(errs, n.lock.release())
	}
	return errors.Join(errs...)
}

func (n *Node) addr() netip.AddrPort { return n.listener.Addr().(*net.TCPAddr).AddrPort() }

// HTTP is the base URL for pages and phones, without a slash at its end.
func (n *Node) HTTP() string {
	scheme := "http"
	if n.secure {
		scheme = "https"
	}
	return scheme + "://" + n.host()
}

func (n *Node) host() string {
	addr := n.addr()
	host := addr.Addr().String()
	if addr.Addr().IsUnspecified() {
		host = outward(n.hosts)
	}
	return net.JoinHostPort(host, strconv.Itoa(int(addr.Port())))
}

// SIP is where phones register, host:port, UDP and TCP.
func (n *Node) SIP() string { return n.exchange.Addr() }

// SIPS is where phones register with TLS, host:port; "" nowhere.
func (n *Node) SIPS() string { return n.exchange.Secure() }

// Join is what a phone is given to find the center: the URL on loopback and of a public name, else a link that pins the center's
// authority.
func (n *Node) Join() string {
	switch {
	case n.public != nil:
		return "https://" + n.public.cfg.Names[0]
	case !n.secure:
		return n.HTTP()
	}
	return "center://" + n.host() + "/#" + n.ca.pin()
}

// Admin is the administrator that the very first start made, with the code to sign in; later first is false and code empty.
func (n *Node) Admin() (account, code string, first bool) { return n.account, n.code, n.first }

// Apply imports accounts, terminals, statuses, seats and queues.
func (n *Node) Apply(ctx context.Context, s roster.Setup) error {
	return n.roster.Apply(ctx, s, "system")
}

// Roster is the staff list.
func (n *Node) Roster() *roster.Roster { return n.roster }

// Exchange is the telephone side.
func (n *Node) Exchange() *exchange.Exchange { return n.exchange }
