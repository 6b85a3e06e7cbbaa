// Center is the server of a call centre: accounts, terminals, statuses, seats and queues, and for small teams the telephone
// exchange. Everything it needs is in this program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/adrg/xdg"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/node"
	"zaseki/web/wire"
)

// serverGC lets the heap grow to five times what is in use before it is swept: it is small, memory is cheap for a server, and
// collecting costs each call 5 % of its time else.
const serverGC = 400

// serverMemory is how much it may have before it is swept more often than that, bytes: 10,000 phones have 120 MB in use.
const serverMemory = 256 << 20

// secureMemory is the same with TLS: then 10,000 phones have 150 MB in use and 60 MB of stacks, and below 256 MB a sixth of all
// work was sweeping.
const secureMemory = 384 << 20

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serverGC)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(serverMemory)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const usage = `Usage: center [flags]                 run the center
       center COMMAND [flags] ...     do something with its data

Flags:
  -data DIR       folder of everything that is kept (default %s)
  -http ADDR      address for pages and phones (default 127.0.0.1:8080). On a loopback address
                  plain HTTP; on any other TLS with the center's own authority, and the join
                  link carries its fingerprint
  -sip ADDR       address for telephones, UDP and TCP (default 127.0.0.1:5060)
  -sips ADDR      address for telephones with TLS, by the center's own authority; phones that sign in
                  get its certificate. Encrypted terminals register only here. "off" for none
                  (default the host of -sip and its next port)
  -name NAME      of this center among several; it stays for ever
  -peer NAME=ADDR a center of a cluster and the address for its log (not for phones), host:port. Given once for
                  each of the three (or five), this one too, alike on all of them. See "Three centers" below
  -nats URLS      log of an outside NATS cluster, nats://a,nats://b,nats://c (default: built in); with -name
  -nats-monitor URLS
                  monitoring addresses of that cluster, http://a:8222,…: the center asks whether it keeps what
                  it acknowledges (sync_interval: always) and does not start otherwise. Without them the
                  durability is shown as unverified
  -i-may-lose-data
                  start although that cluster may lose what it acknowledged; or, with -peer, although this data folder
                  is empty and too few others have the whole log: what only missing ones have is gone then
  -public NAMES   host names of this center on the internet, comma-separated: they get certificates that
                  every browser knows (ACME, RFC 8555), kept in DATA/acme. Port 443 of the names must
                  lead to -http. Who uses this agrees to the terms of the ACME server
  -acme-server URL  directory of another ACME server than Let's Encrypt
  -acme-roots FILE  certificate authority (PEM) of that server, when the system does not know it
  -acme-mail ADDR   where the ACME server may write to
  -log-json       log as JSON, a line each
  -debug          log steps too, with telephone numbers
  -version        print the version
  -h              print this

Commands:
  import FILE     take accounts, terminals, statuses, floors, seats and queues from a JSON file, or
                  from a folder or zip of accounts.csv, terminals.csv, statuses.csv, floors.csv,
                  seats.csv, queues.csv. What is there already is changed, nothing is removed
  passwd ACCOUNT [-]
                  give an account a new random password and print it; with - read it from stdin
  factor ACCOUNT  take away the account's second factor: its device and its recovery codes are lost
  doctor          check data folder, disk, ports, the other nodes, and when the last backup was made
  backup FILE     write the whole log to FILE (zstd, one JSON object a line). Passwords are in it as
                  hashes. What it does not hold: the keys (see below), and recordings: copy the folder
                  recordings of every node
  restore FILE    fill an empty log from a backup; every event keeps its sequence
  keys FILE       write the keys of the data folder to FILE, sealed with a passphrase that is printed:
                  center.key (SIP secrets), recording.key (recordings) and ca.pem (certificates). Without
                  them a backup is of little use; keep them apart from it
  adopt FILE      put the keys from FILE into an empty data folder; the passphrase is read from stdin

import, passwd, factor and backup work on a running center too.

Three centers (one may fail, and nothing that was acknowledged is lost):
  1. On the old center, or on the first machine: center keys KEYS; and center backup BACKUP if there is one.
     Stop the old center for good.
  2. On each machine, into a new data folder: center adopt KEYS.
  3. On the first by name: center restore BACKUP -name a -peer a=10.0.0.1:6222 -peer b=… -peer c=…
     while the other two are started already: center -name b -peer … -http ADDR -sip ADDR. (Without a backup
     start the first like the others: it makes the administrator.)
  4. Start the first one too. The first start needs all three, later ones two of them.
  Any node answers any phone, and a phone goes to another one when its node is gone. Telephones register at one
  node at a time, whose exchange has the calls; when it fails another takes its place within half a minute,
  and calls that it had go on without it but cannot be transferred any more. Recordings lie on the node
  that received them; reports are made by each node from the log.
  A data folder of one center is never taken by a cluster, nor the other way round.

The first start makes an administrator and prints the code to sign in with at the -http address.
There make accounts, terminals and seats, or import them: cmd/center/testdata/floor.json shows how.
A phone joins with: softphone -center LINK, with the link that is printed as "join".
`

// options are the flags.
type options struct {
	data, http, sip, sips, nats, monitor, name string
	peers                                      []ledger.Member
	debug, version, jsonLog, mayLose           bool
	public                                     node.Public
	names                                      string
	args                                       []string
}

// Main is the program. It returns the exit code: 0 well, 1 an error, 2 wrong usage.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case o.version:
		fmt.Fprintln(stdout, "center", wire.Version)
		return 0
	}
	level := slog.LevelInfo
	if o.debug {
		level = slog.LevelDebug
	}
	var form slog.Handler = slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})
	if o.jsonLog {
		form = slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: level})
	}
	if err := o.check(); err != nil {
		fmt.Fprintf(stderr, "center: %v (center -h tells more)\n", err)
		return 2
	}
	log := slog.New(form)
	c := command{o: o, log: log, in: stdin, out: stdout, err: stderr}
	if len(o.args) == 0 {
		err = c.run(ctx)
	} else {
		err = c.do(ctx, o.args[0], o.args[1:])
	}
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "center: %s (center -h tells more)\n", wrong)
		return 2
	case err != nil:
		fmt.Fprintln(stderr, "center:", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (options, error) {
	o := options{}
	data := filepath.Join(xdg.DataHome, "zaseki-center")
	f := flag.NewFlagSet("center", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() { fmt.Fprintf(stderr, usage, data) }
	f.StringVar(&o.data, "data", data, "")
	f.StringVar(&o.http, "http", "127.0.0.1:8080", "")
	f.StringVar(&o.sip, "sip", "127.0.0.1:5060", "")
	f.StringVar(&o.sips, "sips", "", "")
	f.StringVar(&o.nats, "nats", "", "")
	f.StringVar(&o.monitor, "nats-monitor", "", "")
	f.StringVar(&o.name, "name", "", "")
	f.Func("peer", "", o.addPeer)
	f.BoolVar(&o.mayLose, "i-may-lose-data", false, "")
	f.StringVar(&o.names, "public", "", "")
	f.StringVar(&o.public.Directory, "acme-server", "", "")
	f.StringVar(&o.public.Roots, "acme-roots", "", "")
	f.StringVar(&o.public.Mail, "acme-mail", "", "")
	f.BoolVar(&o.jsonLog, "log-json", false, "")
	f.BoolVar(&o.debug, "debug", false, "")
	f.BoolVar(&o.version, "version", false, "")
	err := f.Parse(args)
	for err == nil && f.NArg() > 0 { // flags may stand behind the command too
		o.args = append(o.args, f.Arg(0))
		err = f.Parse(f.Args()[1:])
	}
	return o, err
}

func (o options) config(log *slog.Logger) node.Config {
	o.public.Names = split(o.names)
	return node.Config{Public: o.public, Data: o.data, HTTP: o.http, SIP: o.sip, SIPS: o.sips, NATS: split(o.nats),
		Cluster: node.Cluster{Name: o.name, Peers: o.peers, Monitor: split(o.monitor), MayLose: o.mayLose}, Version: wire.Version, Log: log}
}

// check refuses flags that do not go together.
func (o options) check() error {
	switch {
	case len(o.peers) > 0 && o.nats != "":
		return errors.New("either -peer or -nats")
	case (len(o.peers) > 0 || o.nats != "") && o.name == "":
		return errors.New("one center of several needs a -name")
	case len(o.peers) > 0 && len(o.peers) != 3 && len(o.peers) != 5:
		return fmt.Errorf("a cluster has 3 or 5 centers, each with a -peer, not %d", len(o.peers))
	}
	return nil
}

// addPeer reads NAME=ADDR.
func (o *options) addPeer(s string) error {
	name, addr, ok := strings.Cut(s, "=")
	if !ok || name == "" || addr == "" {
		return errors.New("not NAME=HOST:PORT")
	}
	m := ledger.Member{Name: name, Addr: addr}
	if slices.Contains(o.peers, m) { // a flag may stand before and behind the command
		return nil
	}
	o.peers = append(o.peers, m)
	return nil
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

// ready is the line on stdout that tells programs where we are.
type ready struct {
	HTTP  string      `json:"http"`
	SIP   string      `json:"sip"`
	SIPS  string      `json:"sips,omitempty"` // with TLS
	Join  string      `json:"join"`
	Admin *firstAdmin `json:"admin,omitempty"` // on the very first start only
	PID   int         `json:"pid"`
}

type firstAdmin struct {
	Account string `json:"account"`
	Code    string `json:"code"`
}

// run is the center itself.
func (c command) run(ctx context.Context) error {
	n, err := node.Open(ctx, c.o.config(c.log))
	if err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" && strings.HasPrefix(n.HTTP(), "https:") {
		debug.SetMemoryLimit(secureMemory)
	}
	line := ready{HTTP: n.HTTP(), SIP: n.SIP(), SIPS: n.SIPS(), Join: n.Join(), PID: os.Getpid()}
	account, code, first := n.Admin()
	if first {
		line.Admin = &firstAdmin{account, code}
	}
	if err := json.NewEncoder(c.out).Encode(line); err != nil {
		return errors.Join(err, n.Close())
	}
	fmt.Fprintf(c.err, "The center is ready: %s, telephones at %s.\n", line.HTTP, line.SIP)
	if first {
		fmt.Fprintf(c.err, "First start: open %s and sign in as %s with the code in the line above.\n", line.HTTP, account)
	}
	return n.Run(ctx)
}
