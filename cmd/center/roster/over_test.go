package roster

import (
	"testing"
	"time"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func TestWhoStaysTooLongInAStatusIsTold(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Site.Minutes = map[string]int{wire.StatusBreak: 1}
		s.Groups = []Group{{ID: "day", Name: "Day"}, {ID: "night", Name: "Night"}}
		s.Accounts[0].Groups = []string{"day"}
		for i, a := range s.Accounts {
			switch a.Account {
			case "bob":
				s.Accounts[i].Role, s.Accounts[i].Groups = "supervisor", []string{"day"}
			case "carol":
				s.Accounts[i].Role, s.Accounts[i].Groups = "supervisor", []string{"night"}
			}
		}
	})
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusBreak, "1")
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "")
	carol := newPhone(t, c, "carol", "pc3").in("2003", wire.StatusAway, "")
	for _, p := range []*phone{alice, bob, carol} {
		p.connected()
	}
	if a, _ := told[uplink.Notice](alice); a.ID != "" {
		t.Fatalf("told at once: %+v", a)
	}
	must(t, c.change(t.Context(), "test", func(d *draft) error { // two minutes ago
		d.agent("alice", "test").Since = d.now.Add(-2 * time.Minute)
		return nil
	}))
	eventually(t, "alice is told", func() bool {
		n, _ := told[uplink.Notice](alice)
		return n.Problem.Code == wire.ProblemStatusOver && n.Problem.Holes["minutes"] == "1"
	})
	eventually(t, "the supervisor of the group is told", func() bool {
		n, _ := told[uplink.Notice](bob)
		return n.Problem.Code == wire.ProblemStatusOverOf && n.Problem.Holes["who"] != "" && n.Account == "alice" // so that it hides no other's
	})
	if n, ok := told[uplink.Notice](carol); ok {
		t.Errorf("the supervisor of another group is told: %+v", n)
	}
	if s := c.seatState("1"); !s.Over || s.Status != wire.StatusBreak {
		t.Errorf("the seat shows %+v", s)
	}
	must(t, alice.ask(wire.SetStatus{To: wire.StatusAvailable}))
	if s := c.seatState("1"); s.Over {
		t.Errorf("the seat still shows %+v", s)
	}
}

func (c *center) seatState(id string) wire.SeatState {
	for _, s := range c.Floor().Seats {
		if s.ID == id {
			return s
		}
	}
	return wire.SeatState{}
}
