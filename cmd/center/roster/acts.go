package roster

import (
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// What a supervisor changes in somebody's day (PRODUCT E3, E5), and how that person hears of it. The ledger keeps who did it.

// Causes of an agent's record that others hear of.
const (
	setByOther  = "set by supervisor"
	nextByOther = "next status set by supervisor"
	handLowered = "hand lowered"
	handRaised  = "hand raised"
)

// setStatusOf is a supervisor's wish for somebody. In a call it is refused, and can be said again as the next status, which is taken when
// the call ends.
func (d *draft) setStatusOf(by string, m wire.SetStatusOf, op string) error {
	if err := d.noAct(by, m.Account); err != nil {
		return err
	}
	if !d.accounts[m.Account].v.Agent {
		return d.about(wire.ProblemNoStatus, m.Account)
	}
	if err := d.pickable(m.Account, m.To); err != nil {
		return err
	}
	now := d.agents[m.Account].v
	called := now.inCall() && d.profile().RefuseInCall
	switch {
	case now.Session == nil:
		d.doubt(KindAgent, m.Account) // it may have signed in at another node a moment ago
		return d.about(wire.ProblemSignedOut, m.Account)
	case slices.Contains(now.Ops, op):
	case called && !m.Next:
		d.doubt(KindAgent, m.Account)
		p := d.about(wire.ProblemInCallOf, m.Account)
		p.Holes["status"] = m.To
		return p
	case now.inCall() && m.Next:
		if now.Next != m.To {
			a := d.agent(m.Account, nextByOther)
			a.done(op)
			a.Next = m.To
		}
	case now.Status != m.To || !now.Until.IsZero():
		d.pick(m.Account, m.To, op)
		d.find(KindAgent, m.Account, setByOther)
	}
	return nil
}

// lowerHandOf is a supervisor's answer to a raised hand, from a phone.
func (d *draft) lowerHandOf(by, account, op string) error {
	if err := d.noAct(by, account); err != nil {
		return err
	}
	if now := d.agents[account].v; !now.Hand.IsZero() && !slices.Contains(now.Ops, op) {
		d.hand(account, nil, false).done(op)
	}
	return nil
}

// tellActLocked tells somebody what another has done with the own record.
func (r *Roster) tellActLocked(account string, e ledger.Event) {
	a, code, status := r.view.agents[account].v, "", ""
	switch e.Why {
	case setByOther:
		code, status = wire.ProblemStatusSetBy, a.Status
	case nextByOther:
		code, status = wire.ProblemNextSetBy, a.Next
	case handLowered:
		code = wire.ProblemHandSeen
	}
	l := r.links[account]
	if code == "" || l == nil || e.By == account || e.By == bySystem {
		return
	}
	p := r.view.about(code, e.By)
	if status != "" {
		p.Holes["status"] = status
	}
	l.notify(wire.Notice{ID: code, Level: "info", At: time.Now().UTC(), Problem: p})
}
