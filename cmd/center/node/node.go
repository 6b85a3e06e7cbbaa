// Package node is one node of the center: its rooms opened, wired together and run. The program and the demo start it alike.
package node

import (
	"context"
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

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/admin"
	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// secureOff in Config.SIPS: telephones are not served with TLS.
const secureOff = "off"

// Config is a node.
type Config struct {
	Data    string   // folder of everything that is kept; made when missing
	HTTP    string   // host:port; plain on a loopback address, TLS with the center's own authority elsewhere
	SIP     string   // host:port for UDP and TCP
	SIPS    string   // host:port for TLS; "" the host and the next port of SIP, "off" none
	NATS    []string // of an outside cluster; empty: the embedded engine
	Version string   // shown to administrators
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
	report   *report.Report
	admin    *admin.Admin
	ca       *authority
	secure   bool // HTTP with TLS: off loopback
	history  *history
	listener net.Listener
	hosts    []string
	operator wire.Secret

	account, code string // the administrator made by a very first start
	first         bool
	ready, closed atomic.Bool
}

// New opens the data folder and the listeners. Run must follow, or Close.
func New(cfg Config) (n *Node, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	n = &Node{cfg: cfg, log: cfg.Log}
	if err := n.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open center: %w", err), n.Close())
	}
	return n, nil
}

func (n *Node) open() error {
	if err := n.claim(); err != nil {
		return err
	}
	if err := n.bind(); err != nil {
		return err
	}
	if err := n.openLedger(); err != nil {
		return err
	}
	if err := n.openRooms(); err != nil {
		return err
	}
	return n.firstStart()
}

// openData opens what is kept and nothing else.
func (n *Node) openData() error {
	if err := n.claim(); err != nil {
		return err
	}
	return n.openLedger()
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
	n.secure = !addr.Addr().IsLoopback()
	n.ca, err = openAuthority(n.cfg.Data)
	return err
}

func (n *Node) openLedger() error {
	var err error
	n.ledger, err = ledger.Open(ledger.Config{Dir: filepath.Join(n.cfg.Data, "ledger"), URLs: n.cfg.NATS, Log: n.log})
	if err != nil {
		return err
	}
	key, err := roster.LoadKey(filepath.Join(n.cfg.Data, "center.key"))
	if err != nil {
		return err
	}
	n.roster, err = roster.New(roster.Config{Ledger: n.ledger, Log: n.log, Key: key, SIP: n.registrar, Timing: n.cfg.Timing})
	return err
}

func (n *Node) openRooms() error {
	var err error
	n.history = &history{node: n, mail: make(chan exchange.CallRecord, historyMost)}
	n.exchange, err = exchange.New(exchange.Config{
		Listen: n.cfg.SIP, Domain: func() string { return n.roster.Site().Domain }, Numbers: n.numbers,
		Desk: n.roster, Log: n.log, Told: n.history.told, Secure: n.cfg.SecureSIP(), TLS: n.ca.config(tls.VersionTLS12, n.sipNames),
	})
	if err != nil {
		return err
	}
	n.report, err = report.Open(filepath.Join(n.cfg.Data, "report.db"), n.ledger, n.log)
	if err != nil {
		return err
	}
	n.operator = wire.Secret(randomCode(32))
	n.admin = admin.New(admin.Config{
		Staff: n.roster, Lines: n.exchange, Ledger: n.ledger, Operator: n.operator, Secure: n.secure, Version: n.cfg.Version, Log: n.log,
	})
	return nil
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
	g.Go(func() error { return named("roster", n.roster.Run(gctx)) })
	g.Go(func() error { return named("exchange", n.exchange.Run(gctx)) })
	g.Go(func() error { return named("report", n.report.Run(gctx)) })
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

// Join is what a phone is given to find the center: the URL on loopback, else a link that pins the center's authority.
func (n *Node) Join() string {
	if !n.secure {
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
