package roster

import (
	"context"
	"slices"
	"time"

	"zaseki/cmd/center/roster/code"
	"zaseki/web/wire"
)

// asker is who sets up a second factor: somebody who signs in and must, or who is signed in already.
type asker struct {
	account string
	session string // of the phone that asks; "" by ticket
	address string
	ticket  ticket
}

// StartFactor begins to set up what AuthenticateAt found missing, at the administration. Its error is a wire.Problem.
func (r *Roster) StartFactor(ctx context.Context, in wire.FactorRequest, address string) (wire.FactorStart, error) {
	k, err := r.ticket(in.Ticket, stageEnrol)
	if err != nil {
		return wire.FactorStart{}, err
	}
	return r.startFactor(ctx, asker{account: k.Account, address: address, ticket: k}, in)
}

// ConfirmFactor ends it: with a right code of the new one the person is let in and gets ten recovery codes.
func (r *Roster) ConfirmFactor(ctx context.Context, in wire.FactorRequest, address string) (Person, []string, error) {
	k, err := r.ticket(in.Ticket, stageEnrol)
	if err == nil && k.For != forAdmin {
		err = wire.Problem{Code: wire.ProblemTicket}
	}
	if err != nil {
		return Person{}, nil, err
	}
	codes, err := r.confirmFactor(ctx, asker{account: k.Account, address: address, ticket: k}, in)
	if err != nil {
		return Person{}, nil, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return person(r.view.accounts[k.Account].v), codes, nil
}

// startFactor makes a secret, or sends a code, that counts once it is confirmed. Where an authenticator is set up already, a code of it
// is wanted: a phone that was left alone gives nobody a key for later.
func (r *Roster) startFactor(ctx context.Context, who asker, in wire.FactorRequest) (wire.FactorStart, error) {
	if in.Way == wire.WayMail {
		if err := r.post(ctx, who.account, in.Lang); err != nil {
			return wire.FactorStart{}, err
		}
		r.mu.RLock()
		defer r.mu.RUnlock()
		return wire.FactorStart{Mail: maskMail(r.view.accounts[who.account].v.Mail)}, nil
	}
	secret := code.NewSecret()
	sealed, err := r.vault.seal(secret, "factor "+who.account)
	if err != nil {
		return wire.FactorStart{}, err
	}
	err = r.withCode(ctx, who, func(d *draft) error {
		if len(d.factors[who.account].v.App) > 0 {
			if refused := d.proveAny(r.vault, who.account, in.Code); refused != nil {
				return refused
			}
		}
		d.factor(who.account, "authenticator begun").Pending = sealed
		return nil
	})
	if err != nil {
		return wire.FactorStart{}, err
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return wire.FactorStart{Secret: secret, URL: code.URL(r.view.site.v.Name, who.account, secret)}, nil
}

// confirmFactor lets the new one count. Recovery codes are new, trusted devices are forgotten, other sessions end.
func (r *Roster) confirmFactor(ctx context.Context, who asker, in wire.FactorRequest) ([]string, error) {
	papers := code.Paper()
	err := r.withCode(ctx, who, func(d *draft) error {
		f, why := d.factors[who.account].v, "authenticator set up"
		if in.Way == wire.WayMail {
			why = "codes by mail set up"
			if refused := d.prove(r.vault, who.account, wire.WayMail, in.Code); refused != nil {
				return refused
			}
		}
		put := d.factor(who.account, why)
		if in.Way != wire.WayMail {
			step, refused := r.pending(f, in.Code, d.now)
			if refused != nil {
				return refused
			}
			put.App, put.Pending, put.Last, put.Burnt = f.Pending, nil, step, nil
		}
		put.Mail = put.Mail || in.Way == wire.WayMail
		put.Codes = r.marks(who.account, papers)
		d.provenAnew(who, put)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if who.session == "" && !r.tickets.spend(who.ticket) {
		return nil, wire.Problem{Code: wire.ProblemTicket}
	}
	r.log.Info("second factor set up", "account", who.account, "peer", who.address)
	return papers, nil
}

// pending compares a code with the authenticator that is being set up.
func (r *Roster) pending(f Factor, typed string, now time.Time) (step uint64, refused error) {
	if len(f.Pending) == 0 {
		return 0, wire.Problem{Code: wire.ProblemTicket}
	}
	secret, err := r.vault.open(f.Pending, "factor "+f.Account)
	if err != nil {
		return 0, err
	}
	d := draft{view: newView(), now: now}
	d.factors[f.Account] = row[Factor]{v: Factor{App: f.Pending}}
	if refused := d.proveApp(r.vault, f.Account, f.Pending, typed); refused != nil {
		return 0, refused
	}
	_, step, _ = code.Check(secret, typed, now, 0, nil)
	return step, nil
}

// provenAnew ends all that was begun with other proofs, but for the session that asks.
func (d *draft) provenAnew(who asker, f *Factor) {
	f.Devices, f.Sent, f.Since = nil, nil, d.now
	if s := d.agents[who.account].v.Session; s != nil && s.ID == who.session {
		d.agent(who.account, "second factor changed").Session.Stamp = stampOf(d.accounts[who.account].v, *f)
	}
}

// factorOff takes away what in.Way names, with a code; not the last one where the center demands one.
func (r *Roster) factorOff(ctx context.Context, who asker, in wire.FactorRequest) error {
	return r.withCode(ctx, who, func(d *draft) error {
		f := d.factors[who.account].v
		if refused := d.proveAny(r.vault, who.account, in.Code); refused != nil {
			return refused
		}
		put := d.factor(who.account, "second factor off")
		if in.Way == wire.WayMail {
			put.Mail = false
		} else {
			put.App, put.Pending, put.Last, put.Burnt = nil, nil, 0, nil
		}
		if f.set() && !put.set() {
			if d.demanded(who.account) {
				return wire.Problem{Code: wire.ProblemFactorNeeded}
			}
			put.Codes = nil
		}
		d.provenAnew(who, put)
		return nil
	})
}

// newCodes makes ten new recovery codes, with a code of what is set up; the old ones count no more. Sessions and devices stay.
func (r *Roster) newCodes(ctx context.Context, who asker, in wire.FactorRequest) ([]string, error) {
	papers := code.Paper()
	err := r.withCode(ctx, who, func(d *draft) error {
		if !d.factors[who.account].v.set() { // a code of paper alone is no second factor
			return wire.Problem{Code: wire.ProblemFactor}
		}
		if refused := d.proveAny(r.vault, who.account, in.Code); refused != nil {
			return refused
		}
		d.factor(who.account, "new recovery codes").Codes = r.marks(who.account, papers)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.log.Info("new recovery codes", "account", who.account, "peer", who.address)
	return papers, nil
}

// marks are what is kept of codes on paper.
func (r *Roster) marks(account string, papers []string) []string {
	all := make([]string, len(papers))
	for i, p := range papers {
		all[i] = r.vault.mark(account, code.Clean(p))
	}
	return all
}

// demanded says that the center wants a second factor somewhere where the account may sign in.
func (v *view) demanded(account string) bool {
	return v.demand(account, forAgent) == factorRequired ||
		v.accounts[account].v.Role != "agent" && v.demand(account, forAdmin) == factorRequired
}

// proveAny takes a code of whatever is set up.
func (d *draft) proveAny(v vault, account, typed string) error {
	if code.Clean(typed) == "" {
		return wire.Problem{Code: wire.ProblemFactor}
	}
	ways := []string{wire.WayApp, wire.WayMail, wire.WayRecovery}
	var refused error
	for _, way := range ways {
		err := d.prove(v, account, way, typed)
		if err == nil {
			return nil
		}
		if p, ok := err.(wire.Problem); refused == nil || ok && p.Code != wire.ProblemFactor {
			refused = err
		}
	}
	return refused
}

// withCode is a change that a typed code decides; it counts as one of a few.
func (r *Roster) withCode(ctx context.Context, who asker, rule func(*draft) error) error {
	name := "session " + who.account
	if wait, ok := r.codes.take(name, time.Now()); !ok {
		return limited(wait)
	}
	var refused error
	err := r.change(ctx, who.account, func(d *draft) error {
		if s := d.agents[who.account].v.Session; who.session != "" && (s == nil || s.ID != who.session) {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		refused = rule(d)
		if refused != nil {
			d.changes = slices.DeleteFunc(d.changes, func(c change) bool { return c.why != burnt })
		}
		return nil
	})
	if err != nil {
		return err
	}
	if refused == nil {
		r.codes.give(name)
		return nil
	}
	if p, ok := refused.(wire.Problem); ok && p.Code == wire.ProblemFactor {
		p.Holes = map[string]string{"left": r.codes.left(name)}
		return p
	}
	return refused
}

// ResetFactor takes away all that an account has set up: its sessions end, and the next sign-in asks for a new one where the center
// demands one.
func (r *Roster) ResetFactor(ctx context.Context, account, by string) error {
	return r.change(ctx, by, func(d *draft) error {
		if _, ok := d.accounts[account]; !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": account}}
		}
		*d.factor(account, "second factor reset") = Factor{Account: account, Since: d.now}
		return nil
	})
}

// ForgetDevice ends the trust in a device; "" in all of them.
func (r *Roster) ForgetDevice(ctx context.Context, account, id, by string) error {
	return r.change(ctx, by, func(d *draft) error {
		keeps := func(dev Device) bool { return id != "" && dev.id() != id }
		if !slices.ContainsFunc(d.factors[account].v.Devices, func(dev Device) bool { return !keeps(dev) }) {
			return nil
		}
		f := d.factor(account, "device forgotten")
		f.Devices = slices.DeleteFunc(f.Devices, func(dev Device) bool { return !keeps(dev) })
		return nil
	})
}

// id names a device in lists.
func (d Device) id() string { return d.Hash[:min(16, len(d.Hash))] }

// FactorOf is what an account has set up.
func (r *Roster) FactorOf(account string) wire.FactorState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f := r.view.factors[account].v
	s := wire.FactorState{App: len(f.App) > 0, Codes: len(f.Codes), Devices: []wire.TrustedDevice{},
		CanMail: r.view.mailable(account), Demand: r.view.demanded(account)}
	if f.Mail {
		s.Mail = maskMail(r.view.accounts[account].v.Mail)
	}
	now := time.Now()
	for _, d := range f.Devices {
		if now.Before(d.Until) {
			s.Devices = append(s.Devices, wire.TrustedDevice{ID: d.id(), Label: d.Label, Since: d.Since, Until: d.Until})
		}
	}
	return s
}
