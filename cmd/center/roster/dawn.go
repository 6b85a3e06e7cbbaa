package roster

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// The dawn check (PRODUCT G10): the center calls every seat before the shift. KindDawn is the check, one record whose events are who had
// which made; KindSeatCheck is what was found at a seat, and on the way there the call that the seat's phone is to take. Both go through the
// log, since the phones may be on other nodes than the one that serves the telephones and calls them.
const (
	KindDawn      = "dawn"
	KindSeatCheck = "seatcheck"
	dawnID        = "check"
)

// Causes of the record of a check.
const (
	dawnBegun   = "check of the seats"
	dawnStopped = "check of the seats stopped"
	dawnEnded   = "check of the seats over"
)

const (
	dawnAtOnce = 20               // seats that are called at the same time
	dawnCall   = 15 * time.Second // for one of them, at the most
	dawnWord   = 2 * time.Second  // for what its phone has to say after the call
)

// Dawn is a check of seats, the last one or the one that runs.
type Dawn struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Ended time.Time `json:"ended,omitzero"`
	By    string    `json:"by,omitempty"` // account; "" the schedule
	Why   string    `json:"why,omitempty"`
	Node  string    `json:"node"` // that calls: the one that serves the telephones
	Floor string    `json:"floor,omitempty"`
	Seats []string  `json:"seats"` // in the order in which they are called
	Count int       `json:"count"` // of them
	Stop  bool      `json:"stop,omitempty"`
}

func (d Dawn) runs() bool { return d.ID != "" && d.Ended.IsZero() }

// SeatCheck is a seat's part in the check of that ID.
type SeatCheck struct {
	Check   string            `json:"check"`
	Found   wire.SeatCheck    `json:"found"`
	Sealed  []byte            `json:"sealed,omitempty"` // wire.CheckCall.ID, while it is called
	Session string            `json:"session,omitempty"`
	Until   time.Time         `json:"until,omitzero"`
	Report  *wire.CheckReport `json:"report,omitempty"` // of the phone
}

func checkName(seat, check string) string { return "check " + seat + " " + check }

// dawn is the check as it is.
func (v *view) dawn() Dawn { return v.dawns[dawnID].v }

func (d *draft) putDawn(c Dawn, why string) {
	d.add(KindDawn, dawnID, max(d.dawns[dawnID].seq, d.gone[ledger.Subject(KindDawn, dawnID)]), &c, why)
}

func (d *draft) putSeatCheck(seat string, c SeatCheck, why string) {
	d.add(KindSeatCheck, seat, max(d.seatChecks[seat].seq, d.gone[ledger.Subject(KindSeatCheck, seat)]), &c, why)
}

// beginCheck decides a wish for a check: by an account, or by the schedule (""). node is to call.
func (d *draft) beginCheck(by, node string, m wire.Check) error {
	if now := d.dawn(); now.runs() {
		if now.By == "" {
			return wire.Problem{Code: wire.ProblemCheckRunsOwn}
		}
		return d.about(wire.ProblemCheckRuns, now.By)
	}
	seats, err := d.toCheck(by, m)
	if err != nil {
		return err
	}
	d.putDawn(Dawn{ID: rand.Text(), At: d.now, By: by, Node: node, Floor: clip(m.Floor), Seats: seats, Count: len(seats)}, dawnBegun)
	return nil
}

// toCheck are the seats that the asker means and may have checked, in order.
func (v *view) toCheck(by string, m wire.Check) ([]string, error) {
	if by != "" && !v.checks(by) {
		return nil, wire.Problem{Code: wire.ProblemForbidden}
	}
	var seats []string
	for _, id := range m.Seats {
		s, ok := v.seats[id]
		switch {
		case !ok:
			return nil, wire.Problem{Code: wire.ProblemSeatUnknown, Holes: map[string]string{"seat": clip(id)}}
		case !v.mayCheck(by, s.v.Holder):
			return nil, v.about(wire.ProblemNotLed, s.v.Holder)
		case !slices.Contains(seats, id):
			seats = append(seats, id)
		}
	}
	for id, s := range v.seats {
		if len(m.Seats) == 0 && (m.Floor == "" || s.v.Floor == m.Floor) && v.mayCheck(by, s.v.Holder) {
			seats = append(seats, id)
		}
	}
	if len(seats) == 0 {
		return nil, wire.Problem{Code: wire.ProblemCheckNone}
	}
	slices.SortFunc(seats, func(a, b string) int {
		return cmp.Or(strings.Compare(v.seats[a].v.Floor, v.seats[b].v.Floor), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
	return seats, nil
}

// checks says that somebody may have seats checked, and see what was found.
func (v *view) checks(who string) bool {
	a := v.accounts[who].v
	return !a.Off && (a.Role == "administrator" || a.Role == "supervisor")
}

// mayCheck says it of the seat of an account; "" nobody sits there. The schedule ("") may check all.
func (v *view) mayCheck(by, holder string) bool {
	return by == "" || holder == "" || holder == by || v.mayAct(by, holder)
}

// stopCheck ends the check that runs: one's own, and an administrator any.
func (d *draft) stopCheck(by string) error {
	now := d.dawn()
	switch {
	case !d.checks(by):
		return wire.Problem{Code: wire.ProblemForbidden}
	case !now.runs():
		return wire.Problem{Code: wire.ProblemCheckIdle}
	case now.By != by && d.accounts[by].v.Role != "administrator":
		return wire.Problem{Code: wire.ProblemForbidden}
	case !now.Stop:
		now.Stop = true
		d.putDawn(now, dawnStopped)
	}
	return nil
}

// endCheck writes down that it is over; why is a problem's code, "" it came to its end. One that is not that check any more stays as it is.
func (d *draft) endCheck(id, why string) {
	now := d.dawn()
	if now.ID != id || !now.runs() {
		return
	}
	now.Ended, now.Why = d.now, why
	d.putDawn(now, dawnEnded)
}

// callSeat gives the seat's phone the call that it is to take, or writes down why it is not called. id is the call's; "" not called.
func (d *draft) callSeat(v vault, check, seat string, ready func(account string) bool) (call, user string, err error) {
	account := d.seats[seat].v.Holder
	a := d.agents[account].v
	found := wire.SeatCheck{Seat: seat, Account: account, Extension: a.Terminal, At: d.now}
	c := SeatCheck{Check: check}
	switch {
	case account == "" || a.Session == nil:
		found.State, found.Why, found.Account, found.Extension = wire.CheckAbsent, wire.ProblemCheckAbsent, "", ""
	case !d.terminals[a.Terminal].v.wire().Soft():
		found.State, found.Why = wire.CheckAbsent, wire.ProblemCheckDesk
	case a.Conn != connUp || !ready(account):
		found.State, found.Why = wire.CheckAbsent, wire.ProblemCheckAway
	case a.inCall():
		found.State, found.Why = wire.CheckBusy, wire.ProblemCheckBusy
	default:
		call, user = rand.Text(), a.Terminal
		found.State, c.Session, c.Until = wire.CheckCalling, a.Session.ID, d.now.Add(dawnCall)
		if c.Sealed, err = v.seal(call, checkName(seat, check)); err != nil {
			return "", "", err
		}
	}
	c.Found = found
	d.putSeatCheck(seat, c, dawnBegun)
	return call, user, nil
}

// foundAt writes down what was found at a seat that was called.
func (d *draft) foundAt(check, seat string, found wire.SeatCheck) {
	c := d.seatChecks[seat].v
	if c.Check != check || c.Found.State != wire.CheckCalling {
		return
	}
	found.Seat, found.Account, found.Extension, found.At = seat, c.Found.Account, c.Found.Extension, d.now
	d.putSeatCheck(seat, SeatCheck{Check: check, Found: found}, dawnEnded)
}

// checkReport takes over what a phone says of the call that it was given. False: it was given none of that name.
func (d *draft) checkReport(v vault, account, session string, m wire.CheckReport) bool {
	for seat, c := range d.seatChecks {
		if c.v.Session != session || c.v.Found.Account != account || c.v.Found.State != wire.CheckCalling {
			continue
		}
		if id, err := v.open(c.v.Sealed, checkName(seat, c.v.Check)); err != nil || id != m.ID {
			continue
		}
		if c.v.Report == nil {
			now := c.v
			now.Report = &m
			d.putSeatCheck(seat, now, "phone's report")
		}
		return true
	}
	return false
}

// dawnOf is the check as somebody may see it.
func (v *view) dawnOf(who string) wire.DawnCheck {
	c := v.dawn()
	all := wire.DawnCheck{ID: c.ID, At: c.At, Ended: c.Ended, By: c.By, Why: c.Why, Seats: []wire.SeatCheck{}}
	if c.By != "" {
		all.Name = v.name(c.By)
	}
	for _, seat := range c.Seats {
		found := wire.SeatCheck{Seat: seat, State: wire.CheckWaiting}
		if row := v.seatChecks[seat].v; row.Check == c.ID {
			found = row.Found
		} else if s := v.seats[seat].v; s.Holder != "" {
			found.Account, found.Extension = s.Holder, v.agents[s.Holder].v.Terminal
		}
		if !v.mayCheck(who, found.Account) {
			continue
		}
		if found.State == wire.CheckCalling && !c.runs() {
			found.State, found.Why = wire.CheckFailed, c.Why
		}
		if found.Account != "" {
			found.Name = v.name(found.Account)
		}
		all.Seats = append(all.Seats, found)
	}
	return all
}
