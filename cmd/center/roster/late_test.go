package roster

import (
	"fmt"
	"testing"
	"time"

	"zaseki/web/wire"
)

// TestWhatAPhoneKeptIsOfItsTime: as long ago as the phone says, never before what is known already, and no more than a day.
func TestWhatAPhoneKeptIsOfItsTime(t *testing.T) {
	const minute = int64(60_000)
	d := newDesk(t, setup())
	d.in(t, "available", func(a *Agent) { a.Session.Began = nine.Add(-time.Hour) })
	n := 0
	set := func(now time.Time, to string, late int64) Agent {
		t.Helper()
		n++
		_, err := d.do(now, func(dr *draft) error {
			return dr.told("alice", late, func() error { return dr.setStatus("alice", to, fmt.Sprint(n)) })
		})
		if err != nil {
			t.Fatal(err)
		}
		return d.agents["alice"].v
	}
	at := nine.Add(30 * time.Minute)
	for _, r := range []struct {
		to    string
		late  int64
		since time.Duration // of nine
		kept  bool
	}{
		{"break", 20 * minute, 10 * time.Minute, true},
		{"away", 15 * minute, 15 * time.Minute, true},
		{"break", 25 * minute, 15 * time.Minute, true}, // not before the one before it
		{"away", 1 << 62, 15 * time.Minute, true},      // nor ever so long ago
		{"break", 2000, 30 * time.Minute, false},       // just said
		{"away", -5 * minute, 30 * time.Minute, false}, // nobody knows what will be
	} {
		a := set(at, r.to, r.late)
		if a.Status != r.to || !a.Since.Equal(nine.Add(r.since)) || a.Told.IsZero() == r.kept || r.kept && !a.Told.Equal(a.Since) {
			t.Errorf("%s %d: since %s, told %s", r.to, r.late, a.Since.Sub(nine), a.Told)
		}
	}
	_, err := d.do(at.Add(10*time.Minute), func(dr *draft) error {
		return dr.told("alice", 5*minute, func() error {
			return dr.report("alice", wire.CallReport{ID: "c1", Phase: wire.CallTalking, Inbound: true, Outside: true}, "o")
		})
	})
	if c := d.agents["alice"].v.Calls; err != nil || len(c) != 1 || !c[0].Answered.Equal(at.Add(5*time.Minute)) {
		t.Errorf("%v %+v", err, c)
	}
	_, err = d.do(at.Add(11*time.Minute), func(dr *draft) error {
		return dr.told("alice", 2*minute, func() error { return dr.setStatus("alice", "nonsense", "p") })
	})
	if a := d.agents["alice"].v; err == nil || !a.Told.Equal(at.Add(5*time.Minute)) {
		t.Errorf("%v %+v", err, a)
	}
	d.in(t, "available", nil)
	if a := d.agents["alice"].v; !a.Told.IsZero() { // of that change only
		t.Errorf("%s", a.Told)
	}
}
