package main

import (
	"context"
	"strings"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// applier makes settings hold on this machine. It is asked for each that changes, and for each once at the start: those of a kind one
// after the other, kinds side by side. What it gives says why the setting does not work here; nil: it does.
type applier interface {
	Apply(ctx context.Context, name string, v wire.Values) *wire.Problem
}

// applyFunc is an applier.
type applyFunc func(ctx context.Context, name string, v wire.Values) *wire.Problem

func (f applyFunc) Apply(ctx context.Context, name string, v wire.Values) *wire.Problem {
	return f(ctx, name, v)
}

// updater fetches newer versions of this phone; it tells what it does as agent.Updated. Latest and Get come one after the other, Stop
// at any time.
type updater interface {
	Latest(ctx context.Context, newest wire.Release)
	Get(ctx context.Context)
	Stop()
}

// begin tells the agent that the phone runs. Whether there is a keyring takes a moment to find out.
func (p *phone) begin() {
	began := agent.Started{Keyring: p.devices.lasts()}
	if !began.Keyring {
		began.Why = "no keyring"
	}
	p.agent.Post(began)
}

// show opens the page.
func (p *phone) show() {
	if p.cfg.show != nil {
		p.cfg.show()
	}
}

// guests are the sites whose pages may ask this phone to dial.
type guests struct{ *phone }

// Origins implements web.Guests.
func (g guests) Origins() (listed []string, on bool) {
	held := g.held()
	if !held.On(wire.SetLocalAPI) {
		return nil, false
	}
	return held.List(wire.SetLocalOrigins), true
}

// held are the settings as they hold now, by the snapshot that faces have.
func (p *phone) held() wire.Values {
	news, stop := p.agent.Watch()
	defer stop()
	return (<-news).Settings
}

// machineEffect carries out what the agent wants of this machine. A robot has none.
func (p *phone) machineEffect(ctx context.Context, e agent.Effect) {
	if p.cfg.kept == nil {
		return
	}
	switch e := e.(type) {
	case agent.KeepSettings:
		p.remember(func(c *config) { c.Settings = e.Chosen })
	case agent.KeepRules:
		p.rememberHere(func(l *lastCenter) { l.Rules = e.Rules })
	case agent.KeepOnce:
		p.rememberHere(func(l *lastCenter) { l.Once = e.Offer })
	case agent.DropSaved:
		p.dropSaved()
	case agent.ApplySetting:
		p.apply(ctx, e)
	case agent.Latest, agent.GetUpdate, agent.StopUpdate:
		p.updateEffect(ctx, e)
	}
}

func (p *phone) updateEffect(ctx context.Context, e agent.Effect) {
	if p.cfg.updates == nil {
		return
	}
	switch e := e.(type) {
	case agent.Latest:
		p.cfg.updates.Latest(ctx, e.Release)
	case agent.GetUpdate:
		p.cfg.updates.Get(ctx)
	case agent.StopUpdate:
		p.cfg.updates.Stop()
	}
}

// apply asks who makes that setting hold: by its whole name, else by its kind, the word before the dot. Most are read by agent and
// faces where they matter, and nobody needs to be asked.
func (p *phone) apply(ctx context.Context, e agent.ApplySetting) {
	kind, _, _ := strings.Cut(e.Name, ".")
	a := p.cfg.appliers[e.Name]
	if a == nil {
		a = p.cfg.appliers[kind]
	}
	if a == nil {
		return
	}
	problem := a.Apply(ctx, e.Name, e.Values)
	if problem == nil || ctx.Err() != nil {
		return
	}
	p.log.Warn("setting", "name", e.Name, "err", problem)
	p.agent.Post(agent.SettingFailing{Name: e.Name, Problem: problem})
}

// remember writes a change of the config; what could not be written holds until the phone ends, and is told.
func (p *phone) remember(to func(*config)) {
	if err := p.cfg.kept.change(to); err != nil {
		p.notKept(err)
	}
}

func (p *phone) notKept(err error) {
	p.log.Warn("settings not written", "err", err)
	p.agent.Post(agent.Warned{Problem: wire.Problem{Code: wire.ProblemSettingKept, Holes: map[string]string{"reason": reason(err)}}})
}

// rememberHere does so with what is known of this center.
func (p *phone) rememberHere(to func(*lastCenter)) {
	p.remember(func(c *config) {
		c.Last = c.at(p.cfg.center.url)
		to(&c.Last)
	})
}

// reason is the last link of an error, as the system says it.
func reason(err error) string {
	text := err.Error()
	return strings.TrimSpace(text[strings.LastIndex(text, ": ")+1:])
}
