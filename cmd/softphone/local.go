package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"zaseki/media"
	"zaseki/sip"
	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// signInLocal signs in at a SIP server without a center: the server itself says whether the password is right. What a center
// would say of statuses and numbers is said here.
func (p *phone) signInLocal(ctx context.Context, e agent.AskLocal) {
	a := localAccount(e)
	ca, err := p.authority()
	a.CA = ca
	p.mu.Lock()
	p.account, p.plan = a, p.planFor(e.Form, a.Domain)
	plan := p.plan
	p.mu.Unlock()
	var account sip.Account
	if err == nil {
		account, err = p.sipAccount(a)
	}
	if err == nil {
		err = p.line.Register(ctx, account)
	}
	if err != nil {
		p.log.Info("sip sign-in", "peer", a.Server, "err", err)
		p.agent.Post(agent.CheckFailed{Problem: p.enrolProblem(err)})
		return
	}
	p.mu.Lock()
	p.registered = true
	p.mu.Unlock()
	p.note("remember", p.cfg.kept.change(func(c *config) { c.SIP = e.Form }))
	p.agent.PostAll(agent.Welcomed{Welcome: localWelcome(e.Form, a, plan)}, p.cfg.store.recall())
}

// authority is what the settings trust instead of the system, "" nothing; the error is for people.
func (p *phone) authority() (pem string, err error) {
	file := p.cfg.kept.get().CA
	if file == "" {
		return "", nil
	}
	data, err := os.ReadFile(file)
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(data) {
		p.log.Warn("certificate authority unusable", "file", file, "err", err)
		return "", wire.Problem{Code: wire.ProblemSIPAuthority, Holes: map[string]string{"file": file}}
	}
	return string(data), nil
}

// localAccount is what the form means to the line.
func localAccount(e agent.AskLocal) wire.SIPAccount {
	domain := e.Form.Domain
	if domain == "" {
		domain = e.Form.Server
		if host, _, err := net.SplitHostPort(domain); err == nil {
			domain = host
		}
	}
	return wire.SIPAccount{
		User: e.Form.User, AuthUser: e.Form.AuthUser, Display: e.Form.Display, Domain: domain, Server: e.Form.Server, Transport: e.Form.Transport,
		Secret: e.Password.Reveal(), Expires: 300, Voice: e.Form.Voice, KeysInClear: e.Form.KeysInClear,
	}
}

func localWelcome(form wire.SIPForm, a wire.SIPAccount, plan wire.Plan) wire.Welcome {
	account := a.User + "@" + a.Domain
	name, kind := form.Display, "softphone"
	if name == "" {
		name = a.User
	}
	if a.Voice == wire.VoiceRequired {
		kind = "softphone-encrypted"
	}
	a.Secret = ""
	return wire.Welcome{
		Center: a.Domain, Statuses: wire.StandardStatuses(), SIP: a, Profile: wire.ProfileOf(""), Plan: plan,
		Me: wire.Me{Account: account, Name: name, Role: "agent", Encrypted: kind == "softphone-encrypted",
			Terminal: wire.Terminal{ID: a.User, Extension: a.User, Type: kind}},
		State: wire.AgentState{Account: account, Status: wire.StatusAway, Since: time.Now()}, // A7: never Available by itself
	}
}

// planFor is how a site without a center numbers its extensions, unless the settings say it: as long as one's own.
func (p *phone) planFor(form wire.SIPForm, domain string) wire.Plan {
	if plan := p.cfg.kept.get().Plan; plan != nil {
		kept := *plan
		kept.Domain = cmp.Or(kept.Domain, domain)
		return kept
	}
	digits := 4
	if strings.Trim(form.User, "0123456789") == "" {
		digits = max(len(form.User), 2)
	}
	return wire.Plan{Domain: domain, Digits: digits}
}

// sipAccount is the account as the line wants it.
func (p *phone) sipAccount(a wire.SIPAccount) (sip.Account, error) {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.CA != "" {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM([]byte(a.CA)) { // what the settings name was looked at already
			return sip.Account{}, wire.Problem{Code: wire.ProblemCenter}
		}
	}
	if a.AuthUser == "" {
		a.AuthUser = a.User
	}
	return sip.Account{User: a.User, AuthUser: a.AuthUser, Display: a.Display, Domain: a.Domain, Server: a.Server, Transport: a.Transport, TLS: trust,
		Password: wire.Secret(a.Secret), Expires: time.Duration(a.Expires) * time.Second, Instance: p.cfg.instance}, nil
}

// final are the answers to a REGISTER after which asking again is no use.
var final = [...]int{401, 403, 404, 407}

// enrolProblem is why the terminal could not be registered, in words.
func (p *phone) enrolProblem(err error) wire.Problem {
	var no sip.Refused
	if errors.As(err, &no) {
		return p.lineProblem(no.Code, no.Reason)
	}
	var words wire.Problem
	if errors.As(err, &words) {
		return words
	}
	p.mu.Lock()
	server := p.account.Server
	p.mu.Unlock()
	if words, ok := untrusted(server, err, time.Now()); ok {
		return words
	}
	return wire.Problem{Code: wire.ProblemSIPUnreachable, Holes: map[string]string{"server": server}}
}

func isFinal(code int) bool { return slices.Contains(final[:], code) }

// security is how the sound of a line is to be encrypted: keys stand in an SDP only where nobody on the way can read them.
func (p *phone) security() media.Security {
	p.mu.Lock()
	a := p.account
	p.mu.Unlock()
	return media.Security{Policy: a.Voice, Keys: a.KeysInClear || p.line.Secure()}
}
