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
	"strings"
	"syscall"

	"github.com/adrg/xdg"

	"zaseki/cmd/center/node"
	"zaseki/web/wire"
)

// serverGC lets the heap grow to five times what is in use before it is swept: it is small, memory is cheap for a server, and
// collecting costs each call 5 % of its time else.
const serverGC = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serverGC)
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
  -nats URLS      log of an outside NATS cluster, nats://a,nats://b,nats://c (default: built in)
  -peer NAME=ADDR another center of a cluster; not in this version
  -debug          log steps too, with telephone numbers
  -version        print the version
  -h              print this

Commands:
  import FILE     take accounts, terminals, statuses, floors, seats and queues from a JSON file, or
                  from a folder or zip of accounts.csv, terminals.csv, statuses.csv, floors.csv,
                  seats.csv, queues.csv. What is there already is changed, nothing is removed
  passwd ACCOUNT [-]
                  give an account a new random password and print it; with - read it from stdin
  doctor          check data folder, disk and ports
  backup FILE     write the whole log to FILE (gzip, one JSON object a line). Keep center.key of
                  the data folder too: SIP secrets are sealed with it
  restore FILE    fill an empty data folder from a backup

import, passwd and backup work on a running center too.

The first start makes an administrator and prints the code to sign in with at the -http address.
There make accounts, terminals and seats, or import them: cmd/center/testdata/floor.json shows how.
A phone joins with: softphone -center LINK, with the link that is printed as "join".
`

// options are the flags.
type options struct {
	data, http, sip, sips, nats, peer string
	debug, version                    bool
	args                              []string
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
	case o.peer != "":
		fmt.Fprintln(stderr, "center: -peer: clusters of centers are not in this version (issue 5); -nats takes an outside cluster")
		return 2
	}
	level := slog.LevelInfo
	if o.debug {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
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
	f.StringVar(&o.peer, "peer", "", "")
	f.BoolVar(&o.debug, "debug", false, "")
	f.BoolVar(&o.version, "version", false, "")
	if err := f.Parse(args); err != nil || f.NArg() == 0 {
		return o, err
	}
	command := f.Arg(0)
	err := f.Parse(f.Args()[1:]) // flags may stand behind the command too
	o.args = append([]string{command}, f.Args()...)
	return o, err
}

func (o options) config(log *slog.Logger) node.Config {
	return node.Config{Data: o.data, HTTP: o.http, SIP: o.sip, SIPS: o.sips, NATS: split(o.nats), Version: wire.Version, Log: log}
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
	n, err := node.New(c.o.config(c.log))
	if err != nil {
		return err
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
