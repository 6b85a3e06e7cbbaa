package roster

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zaseki/web/wire"
)

// A raised hand asks a supervisor to come (手上げ). It is a part of the agent's record, so that the log says who raised and lowered it
// and when; a sign-out lowers it.

// raiseHand is an agent's own hand. Said again while it is up it tells more of the call, such as the clip that has come meanwhile.
func (d *draft) raiseHand(account string, m wire.RaiseHand, op string) error {
	now := d.agents[account].v
	call := handCall(m.Call)
	switch {
	case now.Session == nil || slices.Contains(now.Ops, op) || !m.On && now.Hand.IsZero():
	case m.On && !now.Hand.IsZero():
		if call != nil && !reflect.DeepEqual(call, now.HandCall) {
			a := d.agent(account, handRaised)
			a.HandCall = call
			a.done(op)
		}
	default:
		d.hand(account, call, m.On).done(op)
	}
	return nil
}

func (d *draft) hand(account string, call *wire.HandCall, on bool) *Agent {
	if !on {
		a := d.agent(account, handLowered)
		a.Hand, a.HandCall = time.Time{}, nil
		return a
	}
	a := d.agent(account, handRaised)
	a.Hand, a.HandCall = d.now, call
	return a
}

// mostHandText bounds what a phone may write into each field of HandCall: it comes from callers.
const mostHandText = 64

// handCall is what a phone says of its call, cleaned; nil: nothing.
func handCall(said *wire.HandCall) *wire.HandCall {
	if said == nil {
		return nil
	}
	c := wire.HandCall{Queue: oneLine(said.Queue, mostHandText), Number: oneLine(said.Number, mostHandText), Name: oneLine(said.Name, mostHandText),
		Since: said.Since.UTC().Truncate(time.Microsecond), Clip: said.Clip}
	if now := time.Now(); c.Since.After(now) || now.Sub(c.Since) > 24*time.Hour {
		c.Since = time.Time{}
	}
	if !clipName(c.Clip) {
		c.Clip = ""
	}
	if c == (wire.HandCall{}) {
		return nil
	}
	return &c
}

// clipName says whether that can be the name of a recording.
func clipName(s string) bool {
	return len(s) <= 64 && !strings.ContainsFunc(s, func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}

// oneLine is plainText on one line of at most so many characters.
func oneLine(s string, most int) string {
	if len(s) > 8*most { // no more is looked at
		s = s[:8*most]
	}
	s = plainText(s)
	line := make([]rune, 0, min(utf8.RuneCountInString(s), most))
	for _, c := range s {
		if len(line) == most {
			break
		}
		if c == '\n' {
			c = ' '
		}
		line = append(line, c)
	}
	return string(line)
}

// LowerHand is a supervisor's answer to a raised hand. One that is down stays so.
func (r *Roster) LowerHand(ctx context.Context, account, by string) error {
	return r.change(ctx, by, func(d *draft) error {
		if _, ok := d.accounts[account]; !ok {
			return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": account}}
		}
		if !d.agents[account].v.Hand.IsZero() {
			d.hand(account, nil, false)
		}
		return nil
	})
}

// handNotice tells that a hand is up, with the call that the agent is in the middle of. Numbers stand here and not in the seat view,
// which is the same for all who watch it.
func (r *Roster) handNoticeLocked(account string) wire.Notice {
	a := r.view.agents[account].v
	return wire.Notice{ID: "hand." + account, Level: "warn", At: a.Hand, Account: account, Hand: a.HandCall, Problem: r.view.about(wire.ProblemHand, account)}
}

// tellHandLocked tells those who lead the agent that a hand is up, or more of its call.
func (r *Roster) tellHandLocked(account string) {
	n := r.handNoticeLocked(account)
	for who, l := range r.links {
		if who != account && r.view.leads(who, account) {
			l.notify(n)
		}
	}
}

// handsUpLocked tells somebody who leads, and has just come, of the hands that are up.
func (r *Roster) handsUpLocked(l *link) {
	if r.view.accounts[l.account].v.Role != "supervisor" {
		return
	}
	for account, a := range r.view.agents {
		if !a.v.Hand.IsZero() && account != l.account && r.view.leads(l.account, account) {
			l.notify(r.handNoticeLocked(account))
		}
	}
}
