package main

import (
	"context"
	"errors"
	"log/slog"
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
	jobs    sync.WaitGroup // what news sets off beside the agent

	mu         sync.Mutex
	account    wire.SIPAccount // of the last Welcome
	plan       wire.Plan       // of the last Welcome
	registered bool            // sign-in without a center did it already
	stopEnrol  func()          // ends the tries for the first registration
	calls      map[string]*leg
}

// leg is what the line needs to remember of a call between two effects.
type leg struct {
	number string // we dialled
	offer  string // the far side's, of an INVITE not answered yet
	answer string // ours to it, prepared while it rings
	forced bool   // called again with encryption required, since the far side wants nothing less
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
}

func newPhone(cfg phoneConfig) (*phone, error) {
	p := &phone{cfg: cfg, log: cfg.log, stopEnrol: func() {}, calls: map[string]*leg{}}
	sound, err := media.New(media.Config{Log: cfg.log, Codecs: cfg.codecs, Tell: func(e media.Event) {
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
	start := agent.Start(cfg.center.url)
	if cfg.kept != nil && cfg.kept.get().SIP != (wire.SIPForm{}) {
		form := cfg.kept.get().SIP
		start.SIP = &form
	}
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

func (p *phone) forget(call string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, call)
}
