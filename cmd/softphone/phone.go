package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// phone is one agent with its instruments: the connection to the center, the line and the sound. A person's phone has faces
// on top, a simulated agent of the demo has a robot; both go the same way.
type phone struct {
	cfg     phoneConfig
	log     *slog.Logger
	agent   *agent.Agent
	uplink  *uplink.Uplink
	line    *sip.Phone
	sound   *media.Engine
	journal journal
	kept    *recordings
	devices *devices
	jobs    sync.WaitGroup // what news sets off beside the agent
	out     chan struct{}  // signed out

	saving sync.Mutex // while the saved account changes; the keyring may keep one waiting

	mixer  sync.Mutex // while calls are joined
	mixing []string   // the calls of the last Mix

	mu         sync.Mutex
	account    wire.SIPAccount // of the last Welcome
	plan       wire.Plan       // of the last Welcome
	probe      *wire.Probe     // of the last Welcome
	policy     wire.Policy     // of the last Welcome, with its key
	registered bool            // sign-in without a center did it already
	trusted    wire.Secret     // of this machine, from the code step until it is signed in
	entry      entrant         // who signs in just now
	signingOn  *signOn         // nil: the browser is not waited for
	stopEnrol  func()          // ends the tries for the first registration
	calls      map[string]*leg
	book       wire.Phonebook // shared, of the center
}

// leg is what the line needs to remember of a call between two effects.
type leg struct {
	number  string      // we dialled
	permit  wire.Secret // shown with it; "" none
	offer   string      // the far side's, of an INVITE not answered yet
	answer  string      // ours to it, prepared while it rings
	forced  bool        // called again with encryption required, since the far side wants nothing less
	dropped bool        // hung up by us
}

// phoneConfig says who a phone talks to.
type phoneConfig struct {
	center  center
	machine string
	log     *slog.Logger
	codecs  []string          // see media.Config
	heard   func(media.Event) // also told what the sound does; nil: nobody

	instance string // see sip.Account
	kept     *settings
	store    store
	show     func()                                   // opens a page that can carry the sound; nil: there is none to open
	raise    func(ours func(title string) bool) error // brings the page that is open to the front; nil: there is no way
	browse   func(url string)                         // opens a page of somebody else; nil: nobody looks
	port     int                                      // of the panel, where the browser comes back to

	appliers map[string]applier // by a setting's name or kind, see apply
	updates  updater            // nil: nobody updates this phone
}

func newPhone(cfg phoneConfig) (*phone, error) {
	p := &phone{cfg: cfg, log: cfg.log, stopEnrol: func() {}, calls: map[string]*leg{}, out: make(chan struct{}, 1)}
	p.devices = newDevices(cfg.center.url, cfg.kept, cfg.log)
	start, inBand := agent.Start(cfg.center.url), false
	start.Run = strings.ToLower(rand.Text()[:8]) + "-"
	if cfg.kept != nil {
		kept := cfg.kept.get()
		start = start.Keeping(kept.kept(cfg.center.url))
		start.Devices, inBand = kept.Devices, start.Held.On(wire.SetInBand)
		if kept.SIP != (wire.SIPForm{}) {
			start.SIP = &kept.SIP
		}
	}
	sound, err := media.New(media.Config{Log: cfg.log, Codecs: cfg.codecs, InBand: inBand, Tell: func(e media.Event) {
		p.journal.sounded(e)
		p.tellSound(e)
		if cfg.heard != nil {
			cfg.heard(e)
		}
	}})
	if err != nil {
		return nil, err
	}
	p.sound = sound
	p.line = sip.New(sip.Config{UserAgent: "Zaseki/" + wire.Version, Log: cfg.log, Tell: p.tellLine, Reoffer: p.reoffer})
	p.uplink = uplink.New(uplink.Config{URL: cfg.center.url, TLS: cfg.center.tls, Machine: cfg.machine, Version: wire.Version, Log: cfg.log, Tell: p.tellCenter})
	p.kept = newRecordings(cfg.store.dir, cfg.log)
	p.agent = agent.New(start, p.do)
	return p, nil
}

// Run blocks until the agent has quit (an event) or ctx ends (the plug); the instruments outlive the agent, since its last
// effects need them.
func (p *phone) Run(ctx context.Context) error {
	tools, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, tools := errgroup.WithContext(tools)
	g.Go(func() error { return p.sound.Run(tools) })
	g.Go(func() error { return p.line.Run(tools) })
	g.Go(func() error { return p.uplink.Run(tools) })
	g.Go(func() error { return p.handOver(tools) })
	g.Go(func() error { return p.offer(tools) })
	g.Go(func() error { return p.keepOrphans(tools) })
	g.Go(func() error {
		defer stop()
		live, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(tools, cancel)() // an instrument that broke takes the agent along
		p.agent.Run(live)
		return nil
	})
	err := g.Wait()
	p.jobs.Wait()
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// face is the agent as faces see it.
type face struct{ *phone }

func (f face) Post(c wire.Command) {
	f.journal.wanted(c)
	f.agent.Post(c)
}

func (f face) Watch() (<-chan wire.Snapshot, func()) { return f.agent.Watch() }

func (p *phone) leg(call string) *leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.calls[call]
	if l == nil {
		l = &leg{}
		p.calls[call] = l
	}
	return l
}

// again is the leg of a call of ours that may be called once more, and takes that one chance; nil for a call that was hung up or
// is forgotten already: its news comes late.
func (p *phone) again(call string) *leg {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.calls[call]
	if l == nil || l.forced || l.dropped || l.number == "" {
		return nil
	}
	l.forced = true
	return l
}

// dropping marks a call as hung up by us.
func (p *phone) dropping(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.calls[call]; l != nil {
		l.dropped = true
	}
}

// legs are the calls that the line knows now.
func (p *phone) legs() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.calls))
}

func (p *phone) forget(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, call)
}
