package roster

import (
	"context"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

// Needed says that the password is right and a second factor is missing.
type Needed struct{ wire.Need }

func (Needed) Error() string { return "a second factor is needed" }

// check is step one of sign-in (PRODUCT A1–A3, A5).
func (r *Roster) check(req *http.Request, in wire.CheckRequest) (wire.Checked, error) {
	p, err := r.password(req.Context(), in, address(req))
	if err != nil {
		return wire.Checked{}, err
	}
	return r.passed(ticket{Account: p.Account, For: forAgent}, in.Device)
}

// passed goes on with somebody whose password was right, or whom the provider knows.
func (r *Roster) passed(k ticket, device string) (wire.Checked, error) {
	need, err := r.needOf(k, device)
	if need != nil || err != nil {
		return wire.Checked{Need: need}, err
	}
	return r.choose(k.Account, "")
}

// needOf is what is missing besides what is proven, with the ticket to bring it.
func (r *Roster) needOf(k ticket, device string) (*wire.Need, error) {
	r.mu.RLock()
	need, mfa := r.view.need(k.Account, k.For, device, time.Now()), r.view.site.v.OIDC.Mfa
	r.mu.RUnlock()
	if need == nil || k.Mfa && mfa {
		return nil, nil
	}
	k.Stage = stageProve
	if need.Enrol {
		k.Stage = stageEnrol
	}
	var err error
	need.Ticket, err = r.issue(k, r.cfg.Timing.Ticket)
	return need, err
}

// choose is the end of step one: all is proven.
func (r *Roster) choose(account, device string) (wire.Checked, error) {
	r.mu.RLock()
	choice := r.view.choice(account)
	r.mu.RUnlock()
	if len(choice.Terminals) == 0 {
		return wire.Checked{}, wire.Problem{Code: wire.ProblemNoTerminal}
	}
	sealed, err := r.issue(ticket{Account: account, For: forAgent, Stage: stageChoose}, r.cfg.Timing.Ticket)
	return wire.Checked{Ticket: sealed, Choice: choice, Device: device}, err
}

// AuthenticateAt checks a password for the administration, with the limits of a sign-in from that address. device is the secret of
// a device that may be trusted, as Prove gave it; "" none. Its error is a wire.Problem, the same for an unknown account and a wrong
// password; or Needed: then Prove, or StartFactor and ConfirmFactor, go on.
func (r *Roster) AuthenticateAt(ctx context.Context, account string, password, device wire.Secret, address string) (Person, error) {
	p, err := r.password(ctx, wire.CheckRequest{Account: account, Password: password.Reveal()}, address)
	if err != nil {
		return Person{}, err
	}
	return r.admitted(p, ticket{Account: p.Account, For: forAdmin}, device)
}

func (r *Roster) admitted(p Person, k ticket, device wire.Secret) (Person, error) {
	need, err := r.needOf(k, device.Reveal())
	switch {
	case err != nil:
		return Person{}, err
	case need != nil:
		return Person{}, Needed{*need}
	}
	return p, nil
}

// password is who an account and its password are.
func (r *Roster) password(ctx context.Context, in wire.CheckRequest, address string) (Person, error) {
	p, err := r.rightPassword(ctx, in, address)
	if err != nil {
		r.tally.refuse(err)
	}
	return p, err
}

func (r *Roster) rightPassword(ctx context.Context, in wire.CheckRequest, address string) (Person, error) {
	r.mu.RLock()
	profile := r.view.profile()
	r.mu.RUnlock()
	account, plain, err := clean(profile, in.Account, in.Password)
	if err != nil {
		return Person{}, err
	}
	if err := r.admit(account, address); err != nil {
		return Person{}, err
	}
	r.mu.RLock()
	row, ok := r.view.accounts[account]
	only := r.view.site.v.OIDC.Issuer != "" && r.view.site.v.OIDC.Only
	r.mu.RUnlock()
	right, err := r.passwords.right(ctx, row.v.Hash, plain)
	if err != nil {
		return Person{}, err
	}
	if !right || !ok {
		r.log.Info("sign-in refused", "peer", address)
		return Person{}, wire.Problem{Code: wire.ProblemSignIn}
	}
	r.welcomeBack(account, address)
	switch {
	case row.v.Off:
		return Person{}, wire.Problem{Code: wire.ProblemAccountOff}
	case only && row.v.Role != "administrator":
		return Person{}, wire.Problem{Code: wire.ProblemPasswordOff}
	}
	return person(row.v), r.rehash(ctx, account, row.v.Hash, plain)
}

// rehash keeps a password with the parameters of today, since now it is known.
func (r *Roster) rehash(ctx context.Context, account, hash, plain string) error {
	if r.passwords.today(hash) {
		return nil
	}
	fresh, err := r.passwords.hash(ctx, plain)
	if err != nil {
		return err
	}
	return r.change(ctx, bySystem, func(d *draft) error {
		row, ok := d.accounts[account]
		if !ok || row.v.Hash != hash {
			return nil
		}
		a := row.v
		a.Hash, a.Was = fresh, or(a.Was, hash)
		d.add(KindAccount, account, row.seq, &a, "password hashed anew")
		return nil
	})
}

// clean removes pasted tabs and line breaks (PRODUCT A2), or says that they are there (A3).
func clean(p wire.Profile, account, password string) (string, string, error) {
	const invisible = "\t\r\n"
	if p.StripPasted {
		strip := strings.NewReplacer("\t", "", "\r", "", "\n", "")
		return strip.Replace(account), strip.Replace(password), nil
	}
	if strings.ContainsAny(account, invisible) || strings.ContainsAny(password, invisible) {
		return "", "", wire.Problem{Code: wire.ProblemInvisible}
	}
	return account, password, nil
}

// admit keeps guessing slow: before the password is looked at, and without locking anybody out for good.
// Somebody who guesses elsewhere does not delay a person where that account was signed in before.
func (r *Roster) admit(account, address string) error {
	now := time.Now()
	if wait, ok := r.addresses.take(place(address), now); !ok {
		return limited(wait)
	}
	if wait, ok := r.accounts.take(r.counted(account, address), now); !ok {
		return limited(wait)
	}
	return nil
}

// welcomeBack gives back what a right password took, and remembers where.
func (r *Roster) welcomeBack(account, address string) {
	r.accounts.give(r.counted(account, address))
	r.addresses.give(place(address))
	r.usual.add(usually(account, address))
}

// counted is by what name attempts for an account are counted: all together, but for those from where it was signed in before.
func (r *Roster) counted(account, address string) string {
	if name := usually(account, address); r.usual.has(name) {
		return name
	}
	return account
}

func usually(account, address string) string { return account + "\x00" + place(address) }

// place is the part of an address that one customer of a provider has: of IPv6 the first 64 bits.
func place(address string) string {
	at, err := netip.ParseAddr(address)
	if err != nil || at.Unmap().Is4() {
		return address
	}
	p, err := at.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

func limited(wait time.Duration) error {
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return wire.Problem{Code: wire.ProblemLimited, Holes: map[string]string{"seconds": seconds}}
}
