package roster

import (
	"context"
	"encoding/json"
	"net/http"

	"zaseki/web/wire"
)

// What somebody who is signed in, or about to be, changes of the own account.

// asks is who a request is from: by its ticket, or by its session.
func (r *Roster) asks(req *http.Request, sealed string) (asker, error) {
	if sealed != "" {
		k, err := r.ticket(sealed, stageEnrol)
		if err == nil && k.For != forAgent {
			err = wire.Problem{Code: wire.ProblemTicket}
		}
		return asker{account: k.Account, address: address(req), ticket: k}, err
	}
	account, session, err := r.bearer(req)
	return asker{account: account, session: session, address: address(req)}, err
}

func (r *Roster) factorStart(req *http.Request, in wire.FactorRequest) (wire.FactorStart, error) {
	who, err := r.asks(req, in.Ticket)
	if err != nil {
		return wire.FactorStart{}, err
	}
	return r.startFactor(req.Context(), who, in)
}

func (r *Roster) factorConfirm(req *http.Request, in wire.FactorRequest) (wire.FactorCodes, error) {
	who, err := r.asks(req, in.Ticket)
	if err != nil {
		return wire.FactorCodes{}, err
	}
	codes, err := r.confirmFactor(req.Context(), who, in)
	if err != nil || who.session != "" {
		return wire.FactorCodes{Recovery: codes}, err
	}
	next, err := r.choose(who.account, "")
	return wire.FactorCodes{Recovery: codes, Checked: &next}, err
}

func (r *Roster) factorGone(req *http.Request, in wire.FactorRequest) error {
	who, err := r.asks(req, "")
	if err != nil {
		return err
	}
	return r.factorOff(req.Context(), who, in)
}

func (r *Roster) factorCodes(req *http.Request, in wire.FactorRequest) (wire.FactorCodes, error) {
	who, err := r.asks(req, "")
	if err != nil {
		return wire.FactorCodes{}, err
	}
	codes, err := r.newCodes(req.Context(), who, in)
	return wire.FactorCodes{Recovery: codes}, err
}

func (r *Roster) factorForget(req *http.Request, in wire.FactorForget) error {
	who, err := r.asks(req, "")
	if err != nil {
		return err
	}
	return r.ForgetDevice(req.Context(), who.account, in.Device, who.account)
}

func (r *Roster) factorState(w http.ResponseWriter, req *http.Request) {
	account, _, err := r.bearer(req)
	if err != nil {
		r.refused(w, req, err)
		return
	}
	reply(w, http.StatusOK, r.FactorOf(account))
}

// newPassword changes the own password; the old one is asked for, with the limits of a sign-in.
func (r *Roster) newPassword(req *http.Request, in wire.PasswordRequest) error {
	who, err := r.asks(req, "")
	if err != nil {
		return err
	}
	if _, err := r.password(req.Context(), wire.CheckRequest{Account: who.account, Password: in.Old}, who.address); err != nil {
		return err
	}
	return r.setPassword(req.Context(), who, wire.Secret(in.New), who.account)
}

// SetPassword changes the password of an account: its sessions end, and no device is trusted any more.
func (r *Roster) SetPassword(ctx context.Context, account string, password wire.Secret, by string) error {
	return r.setPassword(ctx, asker{account: account}, password, by)
}

func (r *Roster) setPassword(ctx context.Context, who asker, password wire.Secret, by string) error {
	if err := goodPassword(who.account, password.Reveal()); err != nil {
		return wire.Problem{Code: wire.ProblemPassword, Holes: map[string]string{"reason": err.Error()}}
	}
	hash, err := r.passwords.hash(ctx, password.Reveal())
	if err != nil {
		return err
	}
	return r.change(ctx, by, func(d *draft) error {
		row, ok := d.accounts[who.account]
		if !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": who.account}}
		}
		a := row.v
		a.Hash, a.Was = hash, ""
		d.add(KindAccount, who.account, row.seq, &a, "password set")
		if len(d.factors[who.account].v.Devices) > 0 {
			d.factor(who.account, "password set").Devices = nil
		}
		if s := d.agents[who.account].v.Session; s != nil && s.ID == who.session {
			d.agent(who.account, "password set").Session.Stamp = stampOf(a, d.factors[who.account].v)
		}
		return nil
	})
}

// body reads a request; it has answered when it is false.
func body(w http.ResponseWriter, req *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, req.Body, maxBody)).Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, wire.Problem{Code: wire.ProblemCenter})
		return false
	}
	return true
}

// done carries out what is answered with no content.
func done[In any](r *Roster, do func(*http.Request, In) error) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		var in In
		if !body(w, req, &in) {
			return
		}
		if err := do(req, in); err != nil {
			r.refused(w, req, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
