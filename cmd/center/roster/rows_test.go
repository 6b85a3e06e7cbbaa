package roster

import (
	"encoding/json"
	"strings"
	"testing"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

func ptr[T any](v T) *T { return &v }

func (c *center) revOf(kind, id string) *Rev {
	row, _ := c.Row(kind, id)
	return &row.Rev
}

// full is a center with one of everything, and a secret wherever one can be.
func full(s *Setup) {
	s.Site.OIDC = SiteOIDC{Issuer: "https://id.example", Client: "center", Secret: "oidc-secret-word"}
	s.Site.Mail = SiteMail{Server: "127.0.0.1:25", From: "center@example.jp", User: "center", Secret: "mail-secret-word"}
	s.Groups = []Group{{ID: "g1", Name: "Sales"}, {ID: "g2", Name: "Help"}}
	s.Accounts[0].Groups = []string{"g1"}
	s.Calendars = []Calendar{{ID: "day", Name: "Day", Hours: []Hours{{Days: "mon", From: "09:00", To: "18:00"}}}}
	s.Queues = []QueueSetup{{Extension: "7001", Name: "Support", Groups: []string{"g1"}, Calendar: "day"},
		{Extension: "7002", Name: "Second", Agents: []string{"bob"}, Rules: []QueueRule{{When: "late", After: 60, Do: "queue", To: "7001"}}}}
	s.Policies = []Policy{{ID: "p", Name: "Sales rules", Groups: []string{"g1"}, Set: PolicySet{Record: ptr(wire.RecordAlways)}}}
	s.PBXs = []PBXSetup{{PBX: PBX{ID: "pbx", Name: "Old one", Kind: "asterisk", Addr: "127.0.0.1:5038", User: "zaseki"}, Secret: "pbx-secret-word"}}
}

var kinds = []string{KindSite, KindAccount, KindTerminal, KindStatus, KindFloor, KindSeat, KindQueue, KindGroup, KindPolicy, KindCalendar, KindPBX}

func TestNoRowHoldsASecret(t *testing.T) {
	c := newCenter(t, nil, full)
	for _, kind := range kinds {
		rows := c.Rows(kind)
		if len(rows) == 0 {
			t.Errorf("no rows of %s", kind)
		}
		data, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"argon2", "secret-word", "desk-secret", "trunk-secret", `"sealed"`, `"hash"`, `"token"`} {
			if strings.Contains(string(data), secret) {
				t.Errorf("the rows of %s hold %s: %s", kind, secret, data)
			}
		}
	}
	if row, ok := c.Row(KindPBX, "pbx"); !ok || !row.Data.(PBXRow).Fixed {
		t.Errorf("a secret that is there is not told: %+v", row)
	}
}

func TestAChangeNamesWhatItWasDecidedOn(t *testing.T) {
	c := newCenter(t, nil, full)
	first := c.revOf(KindQueue, "7001")
	put := func(name string, expect *Rev) (Rev, error) {
		return c.Put(t.Context(), Setup{Queues: []QueueSetup{{Extension: "7001", Name: name}}}, expect, "root")
	}
	second, err := put("Help desk", first)
	if err != nil || second == *first {
		t.Fatal(second, err)
	}
	_, err = put("Somebody else's", first)
	wantProblem(t, err, wire.ProblemStale)
	_, err = put("A new one", ptr(Rev("")))
	wantProblem(t, err, wire.ProblemExists)
	wantProblem(t, c.Remove(t.Context(), KindQueue, "7001", first, "root"), wire.ProblemStale)
	if again, err := put("Help desk", &second); err != nil || again != second {
		t.Fatalf("the same again: %s %v", again, err)
	}
	row, _ := c.Row(KindQueue, "7001")
	if q := row.Data.(Queue); q.Name != "Help desk" || len(q.Groups) != 0 {
		t.Errorf("what was left out is still there: %+v", q)
	}
	if _, err := c.Put(t.Context(), Setup{}, nil, "root"); err == nil {
		t.Error("nothing was put")
	}
}

func TestWhoSitsDownMakesNoFormStale(t *testing.T) {
	c := newCenter(t, nil, nil)
	seat, terminal, account := c.revOf(KindSeat, "2"), c.revOf(KindTerminal, "2001"), c.revOf(KindAccount, "alice")
	newPhone(t, c, "alice", "pc").in("2001", wire.StatusAway, "2")
	for _, s := range []struct {
		set    Setup
		expect *Rev
	}{
		{Setup{Seats: []SeatSetup{{ID: "2", Name: "Window", Floor: "1", X: 1}}}, seat},
		{Setup{Terminals: []TerminalSetup{{Extension: "2001", Account: "alice", Name: "Alice's"}}}, terminal},
		{Setup{Accounts: []AccountSetup{{Account: "alice", Name: "Alice Y", Terminals: []string{"2001"}}}}, account},
	} {
		if _, err := c.Put(t.Context(), s.set, s.expect, "root"); err != nil {
			t.Error(err)
		}
	}
	if a := c.agent("alice"); a.Session == nil || a.Seat != "2" {
		t.Errorf("alice was moved: %+v", a)
	}
}

func TestWhatIsUsedIsNotRemoved(t *testing.T) {
	c := newCenter(t, nil, full)
	for _, row := range []struct{ kind, id, by string }{
		{KindGroup, "g1", "7001 Support, Alice 山田, Sales rules"},
		{KindCalendar, "day", "7001 Support"},
		{KindQueue, "7001", "7002 Second"},
		{KindAccount, "bob", "7002 Second"},
		{KindFloor, "1", "1, 10, 2, 3"},
	} {
		p := wantProblem(t, c.Remove(t.Context(), row.kind, row.id, nil, "root"), wire.ProblemInUse)
		if p.Holes["by"] != row.by {
			t.Errorf("%s %s is used by %q, want %q", row.kind, row.id, p.Holes["by"], row.by)
		}
	}
	wantProblem(t, c.Remove(t.Context(), KindGroup, "nobody", nil, "root"), wire.ProblemNoRow)
	wantProblem(t, c.Remove(t.Context(), KindStatus, wire.StatusAway, nil, "root"), wire.ProblemNoRow) // standard ones stay
	wantProblem(t, c.Remove(t.Context(), KindAccount, "root", nil, "root"), wire.ProblemLastAdmin)
	_, err := c.Put(t.Context(), Setup{Accounts: []AccountSetup{{Account: "root", Role: "agent"}}}, nil, "root")
	wantProblem(t, err, wire.ProblemLastAdmin)
	for _, row := range [][2]string{{KindPolicy, "p"}, {KindQueue, "7002"}, {KindQueue, "7001"}, {KindCalendar, "day"}, {KindPBX, "pbx"}, {KindGroup, "g2"}, {KindStatus, "vip"}} {
		if err := c.Remove(t.Context(), row[0], row[1], c.revOf(row[0], row[1]), "root"); err != nil {
			t.Error(err)
		}
		if _, ok := c.Row(row[0], row[1]); ok {
			t.Errorf("%v is still there", row)
		}
	}
	if _, err := c.Put(t.Context(), Setup{Queues: []QueueSetup{{Extension: "7001", Name: "Again"}}}, ptr(Rev("")), "root"); err != nil {
		t.Errorf("a new one of a removed name: %v", err)
	}
}

func TestRemovingFreesWhoIsThere(t *testing.T) {
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc").in("2001", wire.StatusAway, "2")
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "3")
	carol := newPhone(t, c, "carol", "pc3").in("2003", wire.StatusAway, "1")
	if err := c.Remove(t.Context(), KindSeat, "2", nil, "root"); err != nil {
		t.Fatal(err)
	}
	if a := c.agent("alice"); a.Seat != "" || a.Session == nil {
		t.Errorf("alice sits at %q, session %v", a.Seat, a.Session)
	}
	if err := c.Remove(t.Context(), KindTerminal, "2002", nil, "root"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "bob is told", func() bool { _, ok := told[uplink.Revoked](bob); return ok })
	if b := c.agent("bob"); b.Session != nil || b.Seat != "" || b.Ended != "Root" {
		t.Errorf("bob: %+v", b)
	}
	if err := c.Remove(t.Context(), KindAccount, "carol", nil, "root"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "carol is told", func() bool { _, ok := told[uplink.Revoked](carol); return ok })
	if row, _ := c.Row(KindTerminal, "2003"); row.Data.(TerminalRow).Account != "" || row.Data.(TerminalRow).Holder != "" {
		t.Errorf("carol's terminal: %+v", row.Data)
	}
	if _, err := c.Put(t.Context(), Setup{Accounts: []AccountSetup{{Account: "alice", Off: true}}}, nil, "root"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "alice is told", func() bool { _, ok := told[uplink.Revoked](alice); return ok })
	if err := c.SignOut(t.Context(), "nobody", "root"); err == nil {
		t.Error("nobody was signed out")
	}
}

func TestAMapIsSavedWhole(t *testing.T) {
	c := newCenter(t, nil, func(s *Setup) {
		s.Floors = append(s.Floors, FloorSetup{ID: "2", Name: "Second"})
		s.Seats = append(s.Seats, SeatSetup{ID: "20", Floor: "2"})
	})
	newPhone(t, c, "alice", "pc").in("2001", wire.StatusAway, "2")
	m, rev, ok := c.Map("1")
	if !ok || len(m.Seats) != 4 {
		t.Fatalf("%+v %v", m, ok)
	}
	m.Floor.Shapes = []wire.FloorPart{{Kind: "wall", Width: 4, Height: 1}}
	m.Seats = []SeatSetup{m.Seats[0], m.Seats[3], {ID: "11", X: 5, Y: 5}} // 2 and 3 go
	next, err := c.PutMap(t.Context(), m, &rev, "root")
	if err != nil {
		t.Fatal(err)
	}
	if now, at, _ := c.Map("1"); len(now.Seats) != 3 || at != next || len(now.Floor.Shapes) != 1 {
		t.Errorf("%+v", now)
	}
	if a := c.agent("alice"); a.Seat != "" {
		t.Errorf("alice sits on seat %s, which is gone", a.Seat)
	}
	_, err = c.PutMap(t.Context(), m, &rev, "root")
	wantProblem(t, err, wire.ProblemStale)
	m.Seats = append(m.Seats, SeatSetup{ID: "20"})
	if _, err = c.PutMap(t.Context(), m, &next, "root"); len(Faults(err)) != 1 || Faults(err)[0].Field != "id" {
		t.Errorf("a seat of another floor: %v", err)
	}
}

func TestStatusesKeepTheirOrder(t *testing.T) {
	c := newCenter(t, nil, nil)
	if err := c.Sort(t.Context(), []string{"vip", "training"}, "root"); err != nil {
		t.Fatal(err)
	}
	_, err := c.Put(t.Context(), Setup{Statuses: []wire.StatusDef{{ID: "training", Name: wire.Words{"en": "Class", "ja": "研修"}, Class: "pause"}}}, nil, "root")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Put(t.Context(), Setup{Statuses: []wire.StatusDef{{ID: "new", Name: wire.Words{"en": "New", "ja": "新"}, Class: "pause"}}}, nil, "root")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, row := range c.Rows(KindStatus) {
		ids = append(ids, row.ID)
	}
	wantList(t, ids, "vip", "training", "new")
	wantProblem(t, c.Sort(t.Context(), []string{"vip"}, "root"), wire.ProblemStale)
}

func TestAPreviewSaysWhomAPolicyTouches(t *testing.T) {
	c := newCenter(t, nil, full)
	touched := c.Preview(Policy{ID: "new", Order: 9, Groups: []string{"g1"}, Set: PolicySet{Misses: ptr(7)}})
	if len(touched) != 1 || touched[0].Account != "alice" || len(touched[0].Fields) != 1 || touched[0].Fields[0] != (Shift{"misses", 3, 7}) {
		t.Errorf("%+v", touched)
	}
	gone := c.Preview(Policy{ID: "p", Accounts: []string{"bob"}, Set: PolicySet{Record: ptr(wire.RecordAlways)}})
	if len(gone) != 2 || gone[0].Account != "alice" || gone[0].Fields[0].Is != "" || gone[1].Account != "bob" {
		t.Errorf("who is touched no more is not named: %+v", gone)
	}
}
