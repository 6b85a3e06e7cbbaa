package uplink

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"

	"zaseki/web/wire"
)

// Passed is what a step of sign-in led to: Choice for step two, or with Need what is missing before it. The ticket stays here.
type Passed struct {
	wire.Choice
	Need   *wire.Need
	Device wire.Secret // of a device that is trusted from now on; "" none
}

// Check is step one of sign-in; the ticket for what follows is kept. Its error is a wire.Problem, as everywhere here.
func (u *Uplink) Check(ctx context.Context, account string, password wire.Secret) (Passed, error) {
	return u.CheckAt(ctx, account, password, "")
}

// CheckAt is Check at a device that may be trusted: nobody is asked for a code there.
func (u *Uplink) CheckAt(ctx context.Context, account string, password, device wire.Secret) (Passed, error) {
	in := wire.CheckRequest{Account: account, Password: password.Reveal(), Version: u.cfg.Version, Device: device.Reveal()}
	var out wire.Checked
	if err := u.post(ctx, "/api/v1/check", in, "", &out); err != nil {
		return Passed{}, err
	}
	return u.passed(out), nil
}

// Prove takes a code for what Check found missing. Trust has the center trust this device from now on.
func (u *Uplink) Prove(ctx context.Context, way string, code wire.Secret, trust bool) (Passed, error) {
	in := wire.CodeRequest{Ticket: u.kept().Reveal(), Way: way, Code: code.Reveal(), Trust: trust, Label: u.cfg.Machine}
	var out wire.Checked
	if err := u.post(ctx, "/api/v1/code", in, "", &out); err != nil {
		return Passed{}, err
	}
	return u.passed(out), nil
}

// MailCode has a code sent to whoever is signing in.
func (u *Uplink) MailCode(ctx context.Context, lang string) error {
	return u.post(ctx, "/api/v1/mail", wire.MailRequest{Ticket: u.kept().Reveal(), Lang: lang}, "", nil)
}

// SingleSignOn is how else one can sign in; nil: not at all.
func (u *Uplink) SingleSignOn(ctx context.Context) (*wire.SingleSignOn, error) {
	var out wire.SingleSignOn
	status, err := u.ask(ctx, http.MethodGet, "/api/v1/oidc", nil, "", &out)
	if status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// Generation is the profile of the center, which decides how its form of sign-in looks (PRODUCT A4); a center of before tells none.
func (u *Uplink) Generation(ctx context.Context) (wire.Profile, error) {
	var out wire.Profile
	status, err := u.ask(ctx, http.MethodGet, "/api/v1/profile", nil, "", &out)
	if status == http.StatusNotFound {
		return wire.ProfileOf(""), nil
	}
	return out, err
}

// SignOnURL is what the browser opens to sign in elsewhere. It comes back to that loopback port with a code, which only who has the
// verifier can use: see Handoff.
func (u *Uplink) SignOnURL(verifier wire.Secret, port int) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	q := url.Values{"handoff": {base64.RawURLEncoding.EncodeToString(sum[:])}, "port": {strconv.Itoa(port)}}
	return u.base() + "/auth/oidc/start?" + q.Encode()
}

// Handoff takes over from the browser, in place of Check. A code that does not belong to the verifier gives the problem
// signin.expired.
func (u *Uplink) Handoff(ctx context.Context, code string, verifier, device wire.Secret) (Passed, error) {
	in := wire.Handoff{Code: code, Verifier: verifier.Reveal(), Device: device.Reveal()}
	var out wire.Checked
	if err := u.post(ctx, "/api/v1/handoff", in, "", &out); err != nil {
		return Passed{}, err
	}
	return u.passed(out), nil
}

func (u *Uplink) passed(c wire.Checked) Passed {
	p := Passed{Choice: c.Choice, Need: c.Need, Device: wire.Secret(c.Device)}
	ticket := c.Ticket
	if c.Need != nil {
		need := *c.Need
		ticket, need.Ticket = need.Ticket, ""
		p.Need = &need
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ticket = wire.Secret(ticket)
	return p
}

func (u *Uplink) kept() wire.Secret {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.ticket
}
