package roster

import (
	"time"

	"zaseki/web/wire"
)

// claim is step two of sign-in: who wants what.
type claim struct {
	account  string
	terminal string
	status   string
	seat     string
	takeover bool
	session  Session
	// live says whether the account's phone is connected just now.
	live func(account string) bool
}

// claim takes terminal and seat for the agent, all or nothing (PRODUCT A6–A8, A11). Whoever had them is told by the change of
// the own record.
func (d *draft) claim(c claim) error {
	acct, ok := d.accounts[c.account]
	if !ok {
		return wire.Problem{Code: wire.ProblemSignIn}
	}
	if acct.v.Off {
		return wire.Problem{Code: wire.ProblemAccountOff}
	}
	if err := d.mayClaim(c); err != nil {
		return err
	}
	if c.seat == "" && !d.profile().LeaveSeat { // ≤3.5: the old seat stays occupied
		c.seat = d.agents[c.account].v.Seat
	}
	if !c.takeover {
		if err := d.held(c); err != nil { // unless who had it has just left, at another node
			d.doubt(KindAgent, c.account)
			d.doubt(KindTerminal, c.terminal)
			if c.seat != "" {
				d.doubt(KindSeat, c.seat)
			}
			return err
		}
	}
	d.evict(c)
	if !acct.v.Agent {
		c.status = ""
	}
	d.occupy(c)
	return nil
}

// mayClaim checks that terminal, status and seat exist and are this account's to choose.
func (d *draft) mayClaim(c claim) error {
	if t, ok := d.terminals[c.terminal]; !ok || !t.v.offeredTo(c.account) {
		return wire.Problem{Code: wire.ProblemTerminalUnknown, Holes: map[string]string{"terminal": c.terminal}}
	}
	if d.accounts[c.account].v.Agent {
		if err := d.pickable(c.account, c.status); err != nil {
			return err
		}
	}
	if _, ok := d.seats[c.seat]; c.seat != "" && (!ok || !d.site.v.SeatView) {
		return wire.Problem{Code: wire.ProblemSeatUnknown, Holes: map[string]string{"seat": c.seat}}
	}
	return nil
}

// held refuses what somebody else has; the same with takeover gets it.
func (d *draft) held(c claim) error {
	if s := d.agents[c.account].v.Session; s != nil && c.live(c.account) {
		return wire.Problem{Code: wire.ProblemElsewhere, Holes: map[string]string{
			"machine": s.Machine, "since": clock(s.Began)}}
	}
	if t := d.terminals[c.terminal].v; t.Holder != "" && t.Holder != c.account {
		return wire.Problem{Code: wire.ProblemTerminalTaken, Holes: map[string]string{
			"terminal": t.Extension, "who": d.name(t.Holder), "since": clock(t.HeldSince)}}
	}
	if s := d.seats[c.seat].v; s.Holder != "" && s.Holder != c.account {
		return wire.Problem{Code: wire.ProblemSeatTaken, Holes: map[string]string{
			"seat": s.Name, "who": d.name(s.Holder), "since": clock(s.Since)}}
	}
	return nil
}

// clock is a time as a sentence names it: the center's hours and minutes.
func clock(t time.Time) string { return t.Local().Format("15:04") }

// evict ends the session of whoever has the terminal, and takes the seat from whoever sits there.
func (d *draft) evict(c claim) {
	who := d.name(c.account)
	if h := d.terminals[c.terminal].v.Holder; h != "" && h != c.account {
		d.end(h, who, "terminal taken over by "+c.account)
	}
	if c.seat == "" {
		return
	}
	if s := d.seat(c.seat, "claimed"); s.Holder != "" && s.Holder != c.account {
		a := d.agent(s.Holder, "seat taken over by "+c.account)
		a.Seat = ""
		s.Holder = ""
	}
}

// occupy writes the new session into agent, terminal and seat, and frees what the agent had before.
func (d *draft) occupy(c claim) {
	before := d.agents[c.account].v
	a := d.agent(c.account, "signed in")
	if before.Terminal != "" && before.Terminal != c.terminal {
		d.release(before.Terminal, c.account)
	}
	if before.Seat != "" && before.Seat != c.seat {
		d.leave(before.Seat, c.account)
	}
	if before.Session != nil {
		a.Ended = d.name(c.account)
		if c.session.Machine != "" {
			a.Ended += " (" + c.session.Machine + ")"
		}
	}
	a.enter(c.status, d.now)
	a.Next, a.Picked, a.Calls, a.Wrap, a.Ops, a.Misses = "", c.status, nil, false, nil, 0
	a.Terminal, a.LastTerminal, a.Seat, a.LastSeat = c.terminal, c.terminal, c.seat, c.seat
	a.Conn, a.LostAt, a.Lacks = connUp, time.Time{}, []string{missingLine}
	a.Epoch++
	a.Hand, a.HandCall, a.Ring = time.Time{}, nil, ""
	s := c.session
	s.Terms = d.terms(c.account, c.terminal)
	a.Session = &s
	t := d.terminal(c.terminal, "claimed")
	t.Holder, t.HeldSince = c.account, d.now
	t.Epoch++
	if c.seat != "" {
		s := d.seat(c.seat, "claimed")
		s.Holder, s.Since = c.account, d.now
	}
}

// end closes a session: logged off, seat and terminal free. by names who did it, unless it was the agent.
func (d *draft) end(account, by, why string) {
	a := d.agent(account, why)
	if a.Terminal != "" {
		d.release(a.Terminal, account)
	}
	if a.Seat != "" {
		d.leave(a.Seat, account)
	}
	if d.accounts[account].v.Agent {
		a.enter(wire.StatusOff, d.now)
	}
	a.Terminal, a.Seat, a.Next, a.Conn, a.Ended = "", "", "", "", by
	a.Until, a.LostAt, a.Calls, a.Session, a.Wrap, a.Hand = time.Time{}, time.Time{}, nil, nil, false, time.Time{}
	a.HandCall, a.Ring = nil, ""
}

// release frees the terminal; the new epoch ends whatever is registered with its secret.
func (d *draft) release(extension, account string) {
	if d.terminals[extension].v.Holder != account { // half of a claim has reached us
		d.doubt(KindTerminal, extension)
		return
	}
	t := d.terminal(extension, "released")
	t.Holder, t.HeldSince = "", time.Time{}
	t.Epoch++
}

func (d *draft) leave(seat, account string) {
	if d.seats[seat].v.Holder != account {
		d.doubt(KindSeat, seat)
		return
	}
	s := d.seat(seat, "left")
	s.Holder, s.Since = "", time.Time{}
}

// resume gives a session new tokens (PRODUCT D11). The token of the last rotation counts for another minute, since the answer may
// have been lost on its way.
func (d *draft) resume(account, hash, token, resume string, expires time.Time) error {
	s := d.agents[account].v.Session
	const again = time.Minute
	if s == nil || hash != s.Resume && (hash != s.Before || d.now.Sub(s.Rotated) > again) {
		return wire.Problem{Code: wire.ProblemExpired}
	}
	a := d.agent(account, "session resumed")
	a.Session.Before, a.Session.Resume, a.Session.Token = hash, resume, token
	a.Session.Rotated, a.Session.Expires, a.Session.Terms = d.now, expires, d.terms(account, a.Terminal)
	return nil
}
