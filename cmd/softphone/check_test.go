package main

import (
	"errors"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/sip/dialog"
	"zaseki/web/wire"
)

// checkHall is a hall with seats, and an agent whose terminal is only served encrypted.
func checkHall(t *testing.T) *hall {
	t.Helper()
	h := newHall(t)
	h.apply(roster.Setup{
		Floors:    []roster.FloorSetup{{ID: "f", Name: "Floor"}},
		Seats:     []roster.SeatSetup{{ID: "s1", Floor: "f"}, {ID: "s2", Floor: "f", X: 1}, {ID: "s3", Floor: "f", X: 2}, {ID: "s4", Floor: "f", X: 3}, {ID: "s5", Floor: "f", X: 4}},
		Terminals: []roster.TerminalSetup{{Extension: "2018", Type: "softphone-encrypted", Account: "sec"}},
		Accounts:  []roster.AccountSetup{{Account: "sec", Name: "Sec", Password: demoPassword, Terminals: []string{"2018"}, Groups: []string{"g1"}}},
	})
	return h
}

// sits is a colleague with a page at a seat.
func (h *hall) sits(name, account, seat string) *colleague {
	h.Helper()
	h.dir = h.TempDir()
	c := &colleague{name: name, ear: &ear{rate: 16000}}
	c.phone, c.until, c.end = h.start(h.node.HTTP())
	c.agent.Post(wire.CheckAccount{Account: account, Password: demoPassword})
	choice := c.until("step two", func(s wire.Snapshot) bool { return s.Choice != nil }).Choice
	c.agent.Post(wire.SignIn{Terminal: choice.Terminal, Status: wire.StatusBreak, Seat: seat})
	c.until("registered", in)
	c.page(h.T)
	c.until("the center knows that it is", func(s wire.Snapshot) bool { return s.Center.Online && s.Sound })
	return c
}

// checked asks what was found until that is so.
func (c *colleague) checked(t *testing.T, what string, is func(wire.DawnCheck) bool) wire.DawnCheck {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); ; pass(t, 20*time.Millisecond) {
		d, err := c.uplink.DawnCheck(t.Context())
		if err == nil && is(d) {
			return d
		}
		if time.Now().After(end) {
			t.Fatalf("never: %s: %+v, %v", what, d, err)
		}
	}
}

func over(d wire.DawnCheck) bool { return d.ID != "" && !d.Ended.IsZero() }

func seatOf(d wire.DawnCheck, seat string) wire.SeatCheck {
	for _, s := range d.Seats {
		if s.Seat == seat {
			return s
		}
	}
	return wire.SeatCheck{}
}

// TestEverySeatIsCalledBeforeTheShift: real center, phones, SIP and sound. One is plain, one encrypted, one in a call that goes on, one empty.
func TestEverySeatIsCalledBeforeTheShift(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := checkHall(t)
	mori, ono, boss, sec := h.sits("plain", "mori", "s1"), h.sits("agent", "ono", "s2"), h.sits("boss", "boss", "s3"), h.sits("sec", "sec", "s5")
	far := h.customer("2016", hzCaller, "PCMU")
	h.ears["caller"] = far.ear
	h.join(ono)
	far.calls(t, "2012")
	ono.talks()
	h.heard("two talk", pair)

	face{mori.phone}.Post(wire.Check{})
	mori.until("an agent may not", func(s wire.Snapshot) bool {
		return len(s.Notices) > 0 && s.Notices[0].Problem.Code == wire.ProblemForbidden
	})
	face{boss.phone}.Post(wire.Check{})
	d := boss.checked(t, "all seats are done", over)
	h.heard("and nobody has heard anything of it", pair)

	if len(d.Seats) != 5 || d.By != "boss" || d.Why != "" {
		t.Fatalf("%+v", d)
	}
	for _, seat := range []string{"s1", "s3", "s5"} {
		s := seatOf(d, seat)
		if s.State != wire.CheckOK && s.State != wire.CheckWeak || !s.Heard || s.Ring <= 0 || s.Secure != (seat == "s5") || s.Why == wire.ProblemCheckPhone || len(s.Missing) > 0 {
			t.Errorf("%s: %+v", seat, s)
		}
	}
	if s := seatOf(d, "s2"); s.State != wire.CheckBusy || s.Account != "ono" {
		t.Errorf("in a call: %+v", s)
	}
	if s := seatOf(d, "s4"); s.State != wire.CheckAbsent || s.Why != wire.ProblemCheckAbsent {
		t.Errorf("empty: %+v", s)
	}
	for _, c := range []*colleague{mori, boss, sec} {
		s := c.until("nothing is left of it", func(wire.Snapshot) bool { return len(c.legs()) == 0 })
		if len(s.Calls) != 0 || len(s.History) != 0 || s.Missed != 0 || s.Status.Shown != wire.StatusBreak || !s.Sound {
			t.Errorf("%s: calls %v, history %v, status %s", c.name, s.Calls, s.History, s.Status.Shown)
		}
	}
	var refused *dialog.Refused
	if _, err := h.node.Exchange().CheckPhone(t.Context(), exchange.CheckOrder{ID: "forged", User: "2011"}); !errors.As(err, &refused) || refused.Code != 403 {
		t.Errorf("a name that the center has not given: %v", err)
	}
	if calls := h.node.Exchange().Calls(); len(calls) != 1 {
		t.Errorf("the exchange has %+v", calls)
	}
}

// TestARealCallEndsACheck: it rings at once, and the seat was busy.
func TestARealCallEndsACheck(t *testing.T) {
	if testing.Short() {
		t.Skip("sound in real time: not with -short")
	}
	h := checkHall(t)
	mori, boss := h.sits("agent", "mori", "s1"), h.sits("boss", "boss", "s3")
	far := h.customer("2016", hzCaller, "PCMU")
	h.ears["caller"] = far.ear
	h.join(mori)
	face{boss.phone}.Post(wire.Check{Seats: []string{"s1"}})
	for end := time.Now().Add(30 * time.Second); len(mori.legs()) == 0; pass(t, 5*time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the seat is not called")
		}
	}
	far.calls(t, "2011")
	mori.talks()
	if s := seatOf(boss.checked(t, "the check is over", over), "s1"); s.State != wire.CheckBusy {
		t.Errorf("%+v", s)
	}
	h.heard("the two talk", pair)
	if legs := mori.legs(); len(legs) != 1 {
		t.Errorf("the phone has %v", legs)
	}
}
