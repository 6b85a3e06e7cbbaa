package uplink

import (
	"context"
	"net/http"

	"zaseki/web/wire"
)

// What a person sets up beside the password: at sign-in by the ticket of Check, and later by the session.

// Factor is what is set up. It wants a session.
func (u *Uplink) Factor(ctx context.Context) (wire.FactorState, error) {
	var out wire.FactorState
	token, err := u.bearer()
	if err == nil {
		_, err = u.ask(ctx, http.MethodGet, "/api/v1/factor", nil, token, &out)
	}
	return out, err
}

// StartFactor begins to set up another factor; it counts once ConfirmFactor has taken a code of it.
func (u *Uplink) StartFactor(ctx context.Context, in wire.FactorRequest) (wire.FactorStart, error) {
	var out wire.FactorStart
	token := u.as(&in)
	err := u.post(ctx, "/api/v1/factor/start", in, token, &out)
	return out, err
}

// ConfirmFactor gives ten codes for paper, shown once. At sign-in, passed is what it led to.
func (u *Uplink) ConfirmFactor(ctx context.Context, in wire.FactorRequest) (papers []string, passed *Passed, err error) {
	var out wire.FactorCodes
	token := u.as(&in)
	if err := u.post(ctx, "/api/v1/factor/confirm", in, token, &out); err != nil {
		return nil, nil, err
	}
	if out.Checked != nil && token == "" {
		p := u.passed(*out.Checked)
		passed = &p
	}
	return out.Recovery, passed, nil
}

// DropFactor takes away what in.Way names, with a code.
func (u *Uplink) DropFactor(ctx context.Context, in wire.FactorRequest) error {
	return u.change(ctx, "/api/v1/factor/off", in)
}

// ForgetDevice ends the trust in a device.
func (u *Uplink) ForgetDevice(ctx context.Context, id string) error {
	return u.change(ctx, "/api/v1/factor/forget", wire.FactorForget{Device: id})
}

// ChangePassword sets a new one; sessions elsewhere end.
func (u *Uplink) ChangePassword(ctx context.Context, in wire.PasswordRequest) error {
	return u.change(ctx, "/api/v1/password", in)
}

func (u *Uplink) change(ctx context.Context, path string, in any) error {
	token, err := u.bearer()
	if err != nil {
		return err
	}
	return u.post(ctx, path, in, token, nil)
}

// as fills in the ticket of whoever is signing in, or gives the token of who has.
func (u *Uplink) as(in *wire.FactorRequest) (token wire.Secret) {
	if token, err := u.bearer(); err == nil {
		return token
	}
	in.Ticket = u.kept().Reveal()
	return ""
}

// bearer is the session's token.
func (u *Uplink) bearer() (wire.Secret, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return "", wire.Problem{Code: wire.ProblemExpired}
	}
	return u.session.token, nil
}
