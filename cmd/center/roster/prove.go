package roster

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"zaseki/cmd/center/roster/code"
	"zaseki/cmd/center/roster/mail"
	"zaseki/static"
	"zaseki/web/wire"
)

// code takes what was missing besides the password, at a phone.
func (r *Roster) code(req *http.Request, in wire.CodeRequest) (wire.Checked, error) {
	p, device, err := r.prove(req.Context(), in, forAgent, address(req))
	if err != nil {
		return wire.Checked{}, err
	}
	return r.choose(p.Account, device.Reveal())
}

// Prove takes the code that AuthenticateAt found missing. device is the secret of a device that is trusted from now on, for
// AuthenticateAt; "" when that was not asked for. Its error is a wire.Problem: factor.wrong, factor.used and factor.clock leave the
// ticket good, signin.expired begins again.
func (r *Roster) Prove(ctx context.Context, in wire.CodeRequest, address string) (p Person, device wire.Secret, err error) {
	return r.prove(ctx, in, forAdmin, address)
}

func (r *Roster) prove(ctx context.Context, in wire.CodeRequest, use, address string) (Person, wire.Secret, error) {
	k, err := r.ticket(in.Ticket, stageProve)
	if err == nil && k.For != use {
		err = wire.Problem{Code: wire.ProblemTicket}
	}
	if err == nil {
		err = r.admitCode(k.Account, in.Way, address)
	}
	if err != nil {
		return Person{}, "", err
	}
	left, ok := r.tickets.try(k)
	if !ok {
		return Person{}, "", wire.Problem{Code: wire.ProblemTicket}
	}
	secret, refused, err := r.decideCode(ctx, k, in)
	if err != nil {
		return Person{}, "", err
	}
	if refused != nil {
		r.tally.refuse(refused)
		return Person{}, "", r.refusedCode(k, refused, left, address)
	}
	if !r.tickets.spend(k) {
		return Person{}, "", wire.Problem{Code: wire.ProblemTicket}
	}
	r.admittedCode(k.Account, in.Way, address)
	r.mu.RLock()
	defer r.mu.RUnlock()
	return person(r.view.accounts[k.Account].v), secret, nil
}

// decideCode decides on the code and writes what follows before anybody is let in: of two at once one wins.
func (r *Roster) decideCode(ctx context.Context, k ticket, in wire.CodeRequest) (device wire.Secret, refused, err error) {
	plain, hash := token()
	err = r.change(ctx, k.Account, func(d *draft) error {
		need := d.need(k.Account, k.For, "", d.now)
		if need == nil || !slices.Contains(need.Ways, in.Way) {
			refused = wire.Problem{Code: wire.ProblemFactor}
			return nil
		}
		device = ""
		refused = d.prove(r.vault, k.Account, in.Way, in.Code)
		if days := need.Days; refused == nil && in.Trust && days > 0 {
			device = plain
			d.trust(k.Account, Device{Hash: hash, For: k.For, Label: label(in.Label), Since: d.now, Until: d.now.AddDate(0, 0, days)})
		}
		return nil
	})
	return device, refused, err
}

// refusedCode says how many tries are left. A right code of another time was no guess.
func (r *Roster) refusedCode(k ticket, refused error, left int, address string) error {
	r.log.Info("code refused", "account", k.Account, "peer", address, "err", refused)
	switch p, _ := refused.(wire.Problem); p.Code {
	case wire.ProblemFactor:
		p.Holes = map[string]string{"left": strconv.Itoa(left)}
		return p
	case wire.ProblemFactorClock:
		r.tickets.untry(k)
	}
	return refused
}

// label is a device's name as a person may read it.
func label(s string) string {
	all := []rune(s)
	return string(all[:min(len(all), maxLabel)])
}

// admitCode keeps guessing codes slow, from one address and from many; a code of paper has so many bits that only the address counts.
func (r *Roster) admitCode(account, way, address string) error {
	now := time.Now()
	if wait, ok := r.codes.take(way+" "+account+" "+place(address), now); !ok {
		return limited(wait)
	}
	if way == wire.WayRecovery {
		return nil
	}
	if wait, ok := r.allCodes.take(account, now); !ok {
		return limited(wait)
	}
	return nil
}

func (r *Roster) admittedCode(account, way, address string) {
	r.codes.give(way + " " + account + " " + place(address))
	r.allCodes.give(account)
}

// mail sends a code to whoever is signing in.
func (r *Roster) mail(req *http.Request, in wire.MailRequest) error {
	return r.SendCode(req.Context(), in)
}

// SendCode sends the code that Need offers by mail, for a phone and for the administration. Its error is a wire.Problem.
func (r *Roster) SendCode(ctx context.Context, in wire.MailRequest) error {
	k, err := r.ticket(in.Ticket, stageProve)
	if err != nil {
		return err
	}
	return r.post(ctx, k.Account, in.Lang)
}

// post sends a new code to the account's mail address; an earlier one counts no more.
func (r *Roster) post(ctx context.Context, account, lang string) error {
	if wait, ok := r.mails.take(account, time.Now()); !ok {
		return limited(wait)
	}
	r.mu.RLock()
	site, to, able := r.view.site.v, r.view.accounts[account].v.Mail, r.view.mailable(account)
	r.mu.RUnlock()
	if !able {
		return wire.Problem{Code: wire.ProblemFactorMail}
	}
	six := code.Six()
	err := r.change(ctx, account, func(d *draft) error {
		d.factor(account, "code sent by mail").Sent = &Sent{r.vault.mark(account, "mail "+six), d.now.Add(mailLife)}
		return nil
	})
	if err != nil {
		return err
	}
	holes := map[string]string{"center": site.Name, "code": six, "minutes": strconv.Itoa(int(mailLife.Minutes()))}
	err = mail.Send(ctx, r.mailServer(site), mail.Message{
		To: to, Subject: static.Say(lang, "mail.code.subject", holes), Text: static.Say(lang, "mail.code.text", holes) + "\n"})
	r.postbox.went(err)
	if err != nil {
		r.log.Error("send a code", "account", account, "err", err)
		return wire.Problem{Code: wire.ProblemFactorMail}
	}
	return nil
}

func (r *Roster) mailServer(site Site) mail.Server {
	s := mail.Server{Addr: site.Mail.Server, User: site.Mail.User, From: site.Mail.From}
	if len(site.Mail.Sealed) > 0 {
		if plain, err := r.vault.open(site.Mail.Sealed, "mail"); err == nil {
			s.Password = wire.Secret(plain)
		}
	}
	return s
}
