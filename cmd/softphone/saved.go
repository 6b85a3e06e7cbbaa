package main

import (
	"context"
	"errors"

	"github.com/zalando/go-keyring"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// keyringSaved names the passwords for auto sign-in in the keyring (PRODUCT A14). There alone they lie; the settings say whose it is, so
// that no keyring is opened for nothing.
const keyringSaved = "zaseki sign-in"

// entrant is who signs in just now, until the center has said what may be kept of it.
type entrant struct {
	account  string
	password wire.Secret // "" the browser vouched
	keep     bool
	byHand   bool // a person typed it: without keep, what is saved of this account goes
	in       wire.SignIn
}

// entering notes something of whoever signs in.
func (p *phone) entering(change func(*entrant)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.entry)
}

// checkSaved is step one with what is saved. A keyring that is locked may ask the person first.
func (p *phone) checkSaved(ctx context.Context, account string) {
	password, err := patiently(ctx, func() (string, error) { return keyring.Get(keyringSaved, p.devices.name(account)) })
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, keyring.ErrNotFound): // somebody took it out there
		p.dropSaved()
		p.agent.Post(agent.CheckFailed{Problem: noKeyring("no password of " + account)})
	case err != nil:
		p.log.Warn("keyring: read the saved password", "account", account, "err", err)
		p.agent.Post(agent.CheckFailed{Problem: noKeyring(reason(err))})
	default:
		p.entering(func(e *entrant) { *e = entrant{account: account, password: wire.Secret(password), keep: true} })
		p.check(ctx, account, wire.Secret(password))
	}
}

func noKeyring(why string) wire.Problem {
	return wire.Problem{Code: wire.ProblemNoKeyring, Holes: map[string]string{"reason": why}}
}

// keepSaved does with the account that has just signed in what was asked, as far as the center's policy and this machine allow.
func (p *phone) keepSaved(w wire.Welcome) {
	p.mu.Lock()
	e := p.entry
	p.entry = entrant{}
	p.mu.Unlock()
	p.saving.Lock()
	defer p.saving.Unlock()
	saved := p.cfg.kept.get().at(p.cfg.center.url).Saved
	account := w.Me.Account
	switch {
	case !w.Desk.Keep: // the agent has what is saved dropped
		if e.keep && e.byHand {
			p.agent.Post(agent.Warned{Problem: wire.Problem{Code: wire.ProblemAccountNotKept}})
		}
	case e.keep && e.password != "" && (e.byHand || saved.Account == account):
		p.saveLocked(account, e)
	case e.byHand && saved.Account == account:
		p.dropSavedLocked()
	}
}

// saveLocked puts the password into the keyring, and whose it is, with terminal and seat, into the settings. The one before goes.
func (p *phone) saveLocked(account string, e entrant) {
	if !p.devices.lasts() {
		p.agent.Post(agent.Warned{Problem: noKeyring("no keyring")})
		return
	}
	last := p.cfg.kept.get().at(p.cfg.center.url).Saved.Account
	if e.byHand {
		_, err := patiently(context.Background(), func() (string, error) {
			return "", keyring.Set(keyringSaved, p.devices.name(account), e.password.Reveal())
		})
		if err != nil {
			p.log.Warn("keyring: keep the password", "account", account, "err", err)
			p.agent.Post(agent.Warned{Problem: noKeyring(reason(err))})
			return
		}
	}
	if last != "" && last != account {
		p.deleteSavedLocked(last)
	}
	p.filed(wire.Saved{Account: account, Terminal: e.in.Terminal, Seat: e.in.Seat})
}

// dropSaved takes what is saved out of settings and keyring.
func (p *phone) dropSaved() {
	p.saving.Lock()
	defer p.saving.Unlock()
	p.dropSavedLocked()
}

func (p *phone) dropSavedLocked() {
	if account := p.cfg.kept.get().at(p.cfg.center.url).Saved.Account; account != "" {
		p.deleteSavedLocked(account)
	}
	p.filed(wire.Saved{})
}

func (p *phone) deleteSavedLocked(account string) {
	if !p.devices.lasts() {
		return
	}
	_, err := patiently(context.Background(), func() (string, error) { return "", keyring.Delete(keyringSaved, p.devices.name(account)) })
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		p.log.Warn("keyring: delete the saved password", "account", account, "err", err)
	}
}

func (p *phone) filed(saved wire.Saved) {
	p.rememberHere(func(l *lastCenter) { l.Saved = saved })
	p.agent.Post(agent.Filed{Saved: saved})
}

// resave keeps the new password of who has just changed it here, if the old one is saved.
func (p *phone) resave(password string) {
	account := p.cfg.kept.get().at(p.cfg.center.url).Saved.Account
	if account == "" || account != p.signedIn() || !p.devices.lasts() {
		return
	}
	_, err := patiently(context.Background(), func() (string, error) {
		return "", keyring.Set(keyringSaved, p.devices.name(account), password)
	})
	if err != nil {
		p.log.Warn("keyring: keep the new password", "account", account, "err", err)
	}
}

// signedIn is the account that is signed in; "" nobody.
func (p *phone) signedIn() string {
	news, stop := p.agent.Watch()
	defer stop()
	if me := (<-news).Me; me != nil {
		return me.Account
	}
	return ""
}
