// Softphone is the agent's phone: tray, panel, line and sound in one process. With -demo it brings a center, colleagues and
// a customer along.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/adrg/xdg"
	"golang.org/x/sync/errgroup"

	"zaseki/static"
	"zaseki/tray"
	"zaseki/tray/agent"
	"zaseki/web"
	"zaseki/web/wire"
)

func main() { os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) }

type options struct {
	demo, noTray, noBrowser, version, notices, verbose bool
	config, panel, center, lang, link                  string
}

func flags(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("softphone", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.demo, "demo", false, "bring an embedded center, eight simulated colleagues and a calling customer along; nothing else is needed")
	f.StringVar(&o.config, "config", usualConfig(), "`folder` for settings, and for the demo's data")
	f.StringVar(&o.panel, "panel", "", "loopback `address` of the panel (default "+web.DefaultAddr+": browsers remember the microphone's permission by port)")
	f.BoolVar(&o.noTray, "no-tray", false, "show no icon in the tray")
	f.BoolVar(&o.noBrowser, "no-browser", false, "open no page; its address is in the line on stdout")
	f.StringVar(&o.center, "center", "", "`URL` or join link of the center, such as http://127.0.0.1:8080; remembered for the next start")
	f.StringVar(&o.lang, "lang", "", "language of tray and pages: en or ja; remembered (default: the system's, and the browser's for the pages)")
	f.BoolVar(&o.version, "version", false, "print the version and end")
	f.BoolVar(&o.notices, "notices", false, "print the licences of the libraries in this program and end")
	f.BoolVar(&o.verbose, "v", false, "log every step")
	f.Usage = func() {
		fmt.Fprint(stderr, "Softphone for call-centre agents: sits in the tray, speaks through a page in the browser.\n\n"+
			"  softphone -demo          try it: center, colleagues and a customer in one process\n"+
			"  softphone -center URL    work at that center\n"+
			"  softphone                work at any SIP server: the page asks for the account\n"+
			"  softphone tel:NUMBER     ask whether to call (also callto: and sip:); a phone that runs already asks\n\n"+
			"When ready it prints one line of JSON: the panel's address (keep it to yourself, it opens the phone) and the process.\n\n")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.link = f.Arg(0)
	switch {
	case f.NArg() > 1 || o.link != "" && !dialLink(o.link):
		return o, fmt.Errorf("unknown argument %q: see -h", f.Arg(f.NArg()-1))
	case o.lang != "" && o.lang != "en" && o.lang != "ja":
		return o, fmt.Errorf("-lang %s: en or ja", o.lang)
	case o.demo && o.center != "":
		return o, errors.New("-demo brings its own center: leave -center away")
	}
	return o, nil
}

// Main is the whole program; tests start it.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := flags(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err == nil && o.version {
		fmt.Fprintln(stdout, "softphone", wire.Version)
		return 0
	}
	if err == nil && o.notices {
		fmt.Fprint(stdout, static.Notices)
		return 0
	}
	if err == nil {
		err = run(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintln(stderr, "softphone:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, o options, stdout, stderr io.Writer) error {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	aside := newLogAside(stderr)
	go aside.Run()
	defer aside.end()
	tail := &logTail{to: aside}
	log := slog.New(slog.NewTextHandler(tail, &slog.HandlerOptions{Level: level}))
	debug.SetGCPercent(50) // the phone idles all day; a smaller heap is worth the few collections

	opener := newOpener(log, o.noBrowser)
	lock, first, err := aloneSomewhere(o.config, log)
	if err != nil {
		return err
	}
	if lock == nil { // another one runs: show that one
		if o.link != "" {
			if err := first.hand(ctx, o.link); err != nil {
				return err
			}
		}
		opener.openAndLeave(first.Panel)
		return json.NewEncoder(stdout).Encode(first)
	}
	defer lock.end()
	kept, err := openSettings(o.config, log)
	if o.lang != "" {
		err = errors.Join(err, kept.change(func(c *config) {
			c.Settings = maps.Clone(c.Settings)
			if c.Settings == nil {
				c.Settings = wire.Values{}
			}
			c.Settings[wire.SetLang] = o.lang
		}))
	}
	if err != nil {
		log.Warn("settings hold until the phone ends", "err", err)
	}
	kept.broken = err
	return serve(ctx, o, kept, lock, opener, log, tail, stdout, stderr)
}

// serve runs the phone until its agent quits.
func serve(ctx context.Context, o options, kept *settings, lock *single, opener *opener, log *slog.Logger, tail *logTail, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	end := func(err error) error {
		cancel()
		return errors.Join(err, g.Wait())
	}

	lang := language(kept.get().Settings.Text(wire.SetLang))
	home, demo, err := theCenter(ctx, g, o, kept, lang, log)
	if err != nil {
		return end(err)
	}
	instance, unkept := kept.instance()
	p, err := newPhone(phoneConfig{center: home, machine: machine(), log: log, instance: instance, kept: kept, store: store{o.config, log}})
	if err != nil {
		return end(err)
	}
	opener.chooses(p.held)
	p.cfg.appliers = appliers(o, opener, log)
	keys := newHotkeys(face{p}, p.show, log)
	p.cfg.appliers["hotkey"] = keys
	p.cfg.updates = newUpdates(p.agent, opener.reveal, log)
	p.cfg.appliers[wire.SetInBand] = applyFunc(func(_ context.Context, name string, v wire.Values) *wire.Problem {
		p.sound.InBand(v.On(name))
		return nil
	})
	panel, err := web.New(web.Config{Addr: o.panel, Agent: face{p}, Floor: p.uplink, Sound: pageSound{p.sound},
		Metrics: http.HandlerFunc(p.metrics), Why: why{p, kept, tail}, Recordings: p, Proofs: p, Past: p.uplink, Book: p, Guests: guests{p},
		Lang: func() string { return p.held().Text(wire.SetLang) }, Log: log})
	if err != nil {
		return end(err)
	}
	p.cfg.show = func() { opener.page(panel.OneTimeURL("")) }
	p.cfg.browse, p.cfg.raise = opener.open, raiseWindow
	if a, err := netip.ParseAddrPort(panel.Addr()); err == nil {
		p.cfg.port = int(a.Port())
	}
	say := ready{Panel: panel.URL(), PID: os.Getpid()}
	if err := lock.say(say); err != nil {
		log.Warn("a second start will not find this phone", "err", err)
	}
	g.Go(func() error { return panel.Run(ctx) })
	g.Go(func() error {
		defer cancel() // the agent has quit: everything else may end
		return p.Run(ctx)
	})
	g.Go(func() error { return keys.Run(ctx) })
	g.Go(func() error { p.begin(); return nil })
	g.Go(func() error { return quitOnSignal(ctx, p, log) })
	g.Go(func() error {
		return memoryGuard{limitMemory("/", log), memoryUsed, debug.FreeOSMemory, p.agent.Post, log}.run(ctx)
	})
	if demo != nil {
		demo.user = p
		g.Go(func() error { return demo.Run(ctx) })
		demo.explain(stderr)
	}
	if err := json.NewEncoder(stdout).Encode(say); err != nil {
		return end(err)
	}
	if p.held().On(wire.SetOpenPage) {
		opener.page(panel.OneTimeURL(""))
	}
	if err := errors.Join(kept.broken, unkept); err != nil {
		p.notKept(err)
	}
	if o.link != "" {
		p.agent.Post(wire.DialLink{URI: o.link})
	}
	noticed := func() bool {
		was := kept.get().Noticed
		p.note("remember", kept.change(func(c *config) { c.Noticed = true }))
		return was
	}
	err = tray.Run(ctx, tray.Config{Agent: face{p}, Lang: language(""), Off: o.noTray, Log: log, Noticed: noticed,
		Open: func(view string) {
			open := func() { opener.page(panel.OneTimeURL(view)) }
			if view != "" {
				open()
				return
			}
			p.raiseOr(open)
		},
		Rings: func(names []string) { p.agent.Post(agent.RingDevices{Names: names}) }})
	return end(err)
}

// appliers are who makes settings hold outside of the phone.
func appliers(o options, opener *opener, log *slog.Logger) map[string]applier {
	all := map[string]applier{wire.SetWindow: opener}
	var args []string
	if o.demo {
		args = []string{"-demo"}
	}
	l, err := newLaunch(o.config, usualConfig(), args...)
	if err != nil {
		log.Warn("the system cannot start this phone by itself", "err", err)
		return all
	}
	all[wire.SetAutostart] = autostart{l}
	for _, k := range linkKinds() {
		all[k.setting] = links{l}
	}
	return all
}

// usualConfig is the folder of a phone that is started without -config.
func usualConfig() string { return filepath.Join(xdg.ConfigHome, "zaseki") }

// theCenter is where the phone belongs, and the demo around it when asked for.
func theCenter(ctx context.Context, g *errgroup.Group, o options, kept *settings, lang string, log *slog.Logger) (center, *demo, error) {
	if o.demo {
		d, err := newDemo(filepath.Join(o.config, "demo"), lang, log)
		if err != nil {
			return center{}, nil, err
		}
		g.Go(func() error { return d.node.Run(ctx) })
		if err := d.prepare(ctx); err != nil {
			return center{}, nil, err
		}
		return center{url: d.node.HTTP()}, d, nil
	}
	if o.center == "" {
		o.center = kept.get().Center
	}
	if o.center == "" {
		return center{}, nil, nil // the page offers a SIP account
	}
	home, err := join(o.center)
	if err != nil {
		return center{}, nil, err
	}
	if err := kept.change(func(c *config) { c.Center = o.center }); err != nil {
		log.Warn("the center is not remembered", "err", err)
	}
	return home, nil, nil
}

// quitOnSignal: the first signal is an Exit with everything it means, the second pulls the plug.
func quitOnSignal(ctx context.Context, p *phone, log *slog.Logger) error {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case s := <-signals:
			log.Info("signal", "signal", s.String())
			if n > 0 {
				return errors.New("ended by a second signal")
			}
			p.agent.Post(wire.Exit{Sure: true})
		}
	}
}

func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return "?"
	}
	return name
}

// language is what was chosen, or what the system speaks.
func language(chosen string) string {
	for _, l := range []string{chosen, os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")} {
		switch {
		case len(l) >= 2 && l[:2] == "ja":
			return "ja"
		case len(l) >= 2 && l[:2] == "en":
			return "en"
		}
	}
	return "en"
}
