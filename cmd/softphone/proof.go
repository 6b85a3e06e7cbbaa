package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"time"

	"zaseki/tray/agent"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

const (
	mailTime   = 20 * time.Second // for a mail to be on its way
	offerFirst = time.Second      // between two questions how one can sign in, doubled up to offerMost
	offerMost  = 30 * time.Second
)

// signOn is a sign-in that waits for the browser. The verifier is what stands for it: a code that did not come from it is of no use.
type signOn struct{ verifier wire.Secret }

// prove carries out the steps of sign-in before the choice of terminal, status and seat.
func (p *phone) prove(ctx context.Context, e agent.Effect) {
	switch e := e.(type) {
	case agent.AskCheck:
		p.entering(func(n *entrant) {
			*n = entrant{account: e.Account, password: e.Password, keep: e.Keep, byHand: true}
		})
		p.check(ctx, e.Account, e.Password)
	case agent.AskSaved:
		p.checkSaved(ctx, e.Account)
	case agent.AskCode:
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		passed, err := p.uplink.Prove(ctx, e.Way, e.Code, e.Trust)
		if err != nil {
			p.agent.Post(agent.CodeFailed{Problem: p.problem("code", err)})
			return
		}
		p.passed(passed)
	case agent.AskMail:
		ctx, cancel := context.WithTimeout(ctx, mailTime)
		defer cancel()
		if err := p.uplink.MailCode(ctx, e.Lang); err != nil {
			p.agent.Post(agent.CodeFailed{Problem: p.problem("mail", err)})
			return
		}
		p.agent.Post(agent.MailSent{})
	case agent.AskSignOn:
		p.entering(func(n *entrant) { *n = entrant{} })
		on := &signOn{wire.Secret(rand.Text() + rand.Text())}
		p.mu.Lock()
		p.signingOn = on
		p.mu.Unlock()
		to := p.uplink.SignOnURL(on.verifier, p.cfg.port)
		p.browse(to)
		p.agent.Post(agent.SignOnOpened{URL: to})
	case agent.DropSignOn:
		p.mu.Lock()
		p.signingOn = nil
		p.mu.Unlock()
	}
}

// check is step one. Its answer is not told once somebody has broken it off.
func (p *phone) check(ctx context.Context, account string, password wire.Secret) {
	device := p.devices.of(ctx, account) // before the clock runs: a keyring may ask the person
	limited, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	passed, err := p.uplink.CheckAt(limited, account, password, device)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		p.agent.Post(agent.CheckFailed{Problem: p.problem("check", err)})
	default:
		p.passed(passed)
	}
}

// passed tells what a step led to. That this machine is trusted is kept once the center has said whether it may be.
func (p *phone) passed(to uplink.Passed) {
	p.mu.Lock()
	p.trusted = to.Device
	p.mu.Unlock()
	p.agent.Post(agent.Checked{Choice: to.Choice, Need: to.Need, Keeps: to.Need != nil && p.devices.lasts()})
}

// settle keeps that this machine is trusted, or nothing at all where the center's policy forbids it.
func (p *phone) settle(w wire.Welcome) {
	p.mu.Lock()
	device := p.trusted
	p.trusted = ""
	p.mu.Unlock()
	account := w.Me.Account
	switch {
	case !w.Desk.Keep:
		p.devices.forget(account)
	case device != "":
		p.devices.keep(account, device)
	}
	if p.cfg.kept != nil {
		p.keepSaved(w)
	}
	if device != "" && !w.Desk.Keep {
		p.agent.Post(agent.Noticed{Notice: wire.Notice{Level: "info", Problem: wire.Problem{Code: wire.ProblemNotKept}}})
	}
}

// browse opens a page that is not ours, if it is one of the web at all.
func (p *phone) browse(address string) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		p.log.Warn("not an address of the web: not opened", "err", err)
		return
	}
	if p.cfg.browse != nil {
		p.cfg.browse(address)
	}
}

// offer asks the center how one can sign in, until it answers, and again after each sign-out.
func (p *phone) offer(ctx context.Context) error {
	if p.cfg.center.url == "" || p.cfg.kept == nil { // no center, or a robot, which has a password
		return nil
	}
	for wait := offerFirst; ; wait = min(2*wait, offerMost) {
		limited, cancel := context.WithTimeout(ctx, askTime)
		on, err := p.uplink.SingleSignOn(limited)
		profile, err2 := p.uplink.Generation(limited)
		cancel()
		err = errors.Join(err, err2)
		again := time.After(wait)
		if err == nil {
			p.agent.Post(agent.SignOnOffered{SignOn: on, Profile: profile})
			again, wait = nil, offerFirst/2
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.out:
		case <-again:
		}
	}
}

// Factor and what follows implement web.Proofs.
func (p *phone) Factor(ctx context.Context) (wire.FactorState, error) { return p.uplink.Factor(ctx) }

func (p *phone) StartFactor(ctx context.Context, in wire.FactorRequest) (wire.FactorStart, error) {
	out, err := p.uplink.StartFactor(ctx, in)
	p.late(err)
	return out, err
}

func (p *phone) ConfirmFactor(ctx context.Context, in wire.FactorRequest) ([]string, error) {
	papers, passed, err := p.uplink.ConfirmFactor(ctx, in)
	p.late(err)
	if passed != nil {
		p.passed(*passed)
	}
	return papers, err
}

// late: who set up a factor at sign-in for too long begins anew. Who is signed in is past that.
func (p *phone) late(err error) {
	if ticket := (wire.Problem{Code: wire.ProblemTicket}); errors.Is(err, ticket) {
		p.agent.Post(agent.CodeFailed{Problem: ticket})
	}
}

func (p *phone) NewCodes(ctx context.Context, in wire.FactorRequest) ([]string, error) {
	return p.uplink.NewCodes(ctx, in)
}

func (p *phone) DropFactor(ctx context.Context, in wire.FactorRequest) error {
	return p.uplink.DropFactor(ctx, in)
}

func (p *phone) ForgetDevice(ctx context.Context, id string) error {
	return p.uplink.ForgetDevice(ctx, id)
}

func (p *phone) ChangePassword(ctx context.Context, in wire.PasswordRequest) error {
	err := p.uplink.ChangePassword(ctx, in)
	if err == nil && p.cfg.kept != nil {
		p.resave(in.New)
	}
	return err
}

// SignedOn is the browser that comes back. Any page of any site can open that address: a code that is not of our sign-in changes
// nothing, the phone goes on waiting.
func (p *phone) SignedOn(ctx context.Context, code string, refused *wire.Problem) error {
	p.mu.Lock()
	on := p.signingOn
	p.mu.Unlock()
	if on == nil {
		return wire.Problem{Code: wire.ProblemTicket}
	}
	var passed uplink.Passed
	var err error
	if refused != nil {
		err = *refused
	} else {
		passed, err = p.uplink.Handoff(ctx, code, on.verifier, p.devices.of(ctx, ""))
	}
	if refused == nil && errors.Is(err, wire.Problem{Code: wire.ProblemTicket}) {
		return err
	}
	p.mu.Lock()
	given := p.signingOn != on
	if !given {
		p.signingOn = nil
	}
	p.mu.Unlock()
	switch {
	case given:
		return wire.Problem{Code: wire.ProblemTicket}
	case err != nil:
		p.agent.Post(agent.CheckFailed{Problem: p.problem("single sign-on", err)})
		return err
	}
	p.passed(passed)
	return nil
}
