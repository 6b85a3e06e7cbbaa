package roster

import (
	"crypto/subtle"
	"regexp"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// KindAttend is who listens, whispers or has joined: one record for each supervisor, whose events are the history of it. Phones of both
// sides may be on other nodes of the center than the one that was asked, so that it goes through the log; the permission is sealed with
// the center's key.
const KindAttend = "attend"

// States of an Attendance.
const (
	AttendAsked = "asked" // the supervisor's phone may call until Until
	AttendBegun = "begun"
	AttendOver  = "over"
)

const (
	permitTime = 15 * time.Second // from the permission to the call
	permitLate = 5 * time.Second  // the agent's phone may tell of it so much later
	callOver   = 10 * time.Second // after the agent's call, if the agent's phone has not ended it by itself
)

// Attendance is a supervisor in somebody's conversation.
type Attendance struct {
	Sealed  []byte `json:"sealed"`  // Permit.ID
	Account string `json:"account"` // of the agent
	Mode    string `json:"mode"`    // a Supervise… constant, the last one
	Follow  bool   `json:"follow,omitempty"`
	Tone    bool   `json:"tone,omitempty"`
	State   string `json:"state"`

	Session string `json:"session"` // of the supervisor, and the agent's: it ends with either
	Other   string `json:"other"`
	From    string `json:"from"` // extension of the supervisor's terminal, and the agent's
	To      string `json:"to"`

	Asked time.Time `json:"asked"`
	Until time.Time `json:"until"`
	Begun time.Time `json:"begun,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	Why   string    `json:"why,omitempty"` // of the end: a problem's code; "" the supervisor wished it
	Ops   []string  `json:"ops,omitempty"`
}

func (a Attendance) live() bool { return a.State == AttendAsked || a.State == AttendBegun }

// same says that two states are of one permission.
func (a Attendance) same(b Attendance) bool { return string(a.Sealed) == string(b.Sealed) }

func attendName(by string) string { return "attend " + by }

// supervisor is what a wish to attend is decided with, beside the ledger's state.
type supervisor struct {
	account, session string
	vault            vault
	id               string                    // of a new permission
	linked           func(account string) bool // the account's phone is connected and its terminal registered
}

// attendance is the supervisor's record as it will be.
func (d *draft) attendance(by, why string) *Attendance {
	if c := d.find(KindAttend, by, why); c != nil {
		return c.value.(*Attendance)
	}
	row := d.attends[by]
	a := row.v
	d.add(KindAttend, by, max(row.seq, d.gone[ledger.Subject(KindAttend, by)]), &a, why)
	return &a
}

// supervise decides a wish. moved: somebody else was attended, whose part is over now; the wish is to be decided once more.
func (d *draft) supervise(s supervisor, m wire.Supervise) (moved bool, err error) {
	if m.Mode == "" {
		d.unattend(s.account, "")
		return false, nil
	}
	if err := d.mayAttend(s, m); err != nil {
		d.doubt(KindAgent, m.Account)
		return false, err
	}
	now := d.attends[s.account].v
	goes := now.live() && now.Session == s.session && d.attendOver(s.account) == "" && (now.State == AttendBegun || d.now.Before(now.Until))
	switch {
	case goes && now.Account == m.Account:
		if now.Mode != m.Mode || now.Follow != m.Follow {
			a := d.attendance(s.account, "attending changed")
			a.Mode, a.Follow = m.Mode, m.Follow
		}
		return false, nil
	case now.live():
		d.unattend(s.account, "")
		return true, nil
	}
	sealed, err := s.vault.seal(s.id, attendName(s.account))
	if err != nil {
		return false, err
	}
	other := d.agents[m.Account].v
	*d.attendance(s.account, "attending asked for") = Attendance{
		Sealed: sealed, Account: m.Account, Mode: m.Mode, Follow: m.Follow, Tone: d.rulesOf(m.Account).AttendTone, State: AttendAsked,
		Session: s.session, Other: other.Session.ID, From: d.agents[s.account].v.Terminal, To: other.Terminal, Asked: d.now, Until: d.now.Add(permitTime),
	}
	return false, nil
}

// mayAttend is why the wish cannot be carried out; nil: it can.
func (d *draft) mayAttend(s supervisor, m wire.Supervise) error {
	if m.Mode != wire.SuperviseListen && m.Mode != wire.SuperviseWhisper && m.Mode != wire.SuperviseJoin {
		return wire.Problem{Code: wire.ProblemCenter}
	}
	if err := d.noAct(s.account, m.Account); err != nil {
		return err
	}
	soft := func(a Agent) bool { return d.terminals[a.Terminal].v.wire().Soft() }
	switch other := d.agents[m.Account].v; {
	case s.account == m.Account:
		return wire.Problem{Code: wire.ProblemSelf}
	case !soft(d.agents[s.account].v) || !s.linked(s.account):
		return wire.Problem{Code: wire.ProblemAttendPhone}
	case other.Session == nil:
		return d.about(wire.ProblemSignedOut, m.Account)
	case !soft(other):
		return d.about(wire.ProblemAttendDesk, m.Account)
	case other.Conn != connUp || !s.linked(m.Account):
		return d.about(wire.ProblemPhoneAway, m.Account)
	case !m.Follow && !other.inCall():
		return d.about(wire.ProblemNoCall, m.Account)
	}
	return nil
}

// unattend ends what the supervisor attends, if there is anything.
func (d *draft) unattend(by, why string) {
	if !d.attends[by].v.live() {
		return
	}
	a := d.attendance(by, "attending over")
	a.State, a.Ended, a.Why = AttendOver, d.now, why
}

// attendOver is why it cannot go on: one of the two has signed out, lost the session or changed the terminal, or the supervisor has no
// right to it any more. "": it can.
func (v *view) attendOver(by string) (code string) {
	a := v.attends[by].v
	mine, other := v.agents[by].v, v.agents[a.Account].v
	switch {
	case !v.mayAct(by, a.Account):
		return wire.ProblemNotLed
	case mine.Session == nil || mine.Session.ID != a.Session || mine.Terminal != a.From:
		return wire.ProblemAttendPhone
	case other.Session == nil || other.Session.ID != a.Other:
		return wire.ProblemSignedOut
	case other.Terminal != a.To:
		return wire.ProblemPhoneAway
	}
	return ""
}

// attendDue is what is still to come by time alone: when it is over by then, and why.
func (v *view) attendDue(by string) (at time.Time, code string) {
	a := v.attends[by].v
	other := v.agents[a.Account].v
	switch {
	case a.State == AttendAsked:
		return a.Until.Add(permitLate), wire.ProblemSuperviseSilent
	case !a.Follow && !other.inCall():
		return later(other.Idle, a.Begun).Add(callOver), wire.ProblemCallOver
	}
	return time.Time{}, ""
}

// attendLapse ends what cannot go on; due is when to look again, zero: when something has happened.
func (d *draft) attendLapse(by string) (due time.Time) {
	if !d.attends[by].v.live() {
		return due
	}
	if why := d.attendOver(by); why != "" {
		d.unattend(by, why)
		return due
	}
	due, why := d.attendDue(by)
	if !due.IsZero() && !d.now.Before(due) {
		d.unattend(by, why)
		return time.Time{}
	}
	return due
}

// problemCode is what a phone may name as the cause.
var problemCode = regexp.MustCompile(`^[a-z]+(\.[a-z_]+){0,2}$`)

// attended is what the agent's phone says became of it. Only that phone is believed, and only of what was permitted for it.
func (d *draft) attended(account, session, by string, m wire.AttendReport) {
	now := d.attends[by].v
	if by == "" || !now.live() || now.Other != session || now.Account != account {
		return
	}
	why := m.Why
	if len(why) > 40 || !problemCode.MatchString(why) {
		why = ""
	}
	switch {
	case m.State == AttendBegun && now.State == AttendAsked:
		a := d.attendance(by, "attending begun")
		a.State, a.Begun = AttendBegun, d.now
	case m.State == AttendOver:
		d.unattend(by, or(why, wire.ProblemCallOver))
	case m.State == "refused" && now.State == AttendAsked:
		d.unattend(by, or(why, wire.ProblemForbidden))
	}
}

// attendBy is whose permission that is, among those that were given for the account's phone; "" nobody's.
func (v *view) attendBy(vault vault, account, id string) string {
	for by := range v.attended[account] {
		if plain, err := vault.open(v.attends[by].v.Sealed, attendName(by)); err == nil && subtle.ConstantTimeCompare([]byte(plain), []byte(id)) == 1 {
			return by
		}
	}
	return ""
}

// applyAttend keeps whom somebody attends, or did last, by the other one as well.
func (v *view) applyAttend(by string, e ledger.Event) (bool, error) {
	before := v.attends[by].v.Account
	changed, err := put(v.gone, v.attends, by, e)
	if !changed {
		return false, err
	}
	if delete(v.attended[before], by); len(v.attended[before]) == 0 {
		delete(v.attended, before)
	}
	if now := v.attends[by].v; now.Account != "" {
		if v.attended[now.Account] == nil {
			v.attended[now.Account] = map[string]struct{}{}
		}
		v.attended[now.Account][by] = struct{}{}
	}
	return true, nil
}

// listeners are how many take part in the agent's conversation.
func (v *view) listeners(account string) (n int) {
	for by := range v.attended[account] {
		if v.attends[by].v.State == AttendBegun {
			n++
		}
	}
	return n
}
