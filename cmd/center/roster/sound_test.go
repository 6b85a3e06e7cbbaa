package roster

import (
	"testing"
	"time"

	"zaseki/web/wire"
)

func TestACallsSoundIsInTheEventThatEndsItOnly(t *testing.T) {
	flow := func(mos, loss float64) wire.QualityFlow {
		return wire.QualityFlow{Known: mos > 0, MOS: mos, Loss: loss, Jitter: 2 * loss}
	}
	end := nine.Add(time.Minute)
	for _, row := range []struct {
		name string
		q    *wire.Quality
		at   time.Time
		want *Sound
	}{
		{"nothing measured", nil, end, nil},
		{"nothing known", &wire.Quality{MOS: 3}, end, nil},
		{"the far side says nothing", &wire.Quality{MOS: 4.2, In: flow(4.2, 1), Delay: 120}, end, &Sound{"c1", "0312345678", end, 4.2, 1, 2, 120}},
		{"the far side hears worse", &wire.Quality{MOS: 2.1, In: flow(4.2, 1), Out: flow(2.1, 17)}, end, &Sound{"c1", "0312345678", end, 2.1, 17, 34, 0}},
		{"the agent hears worse", &wire.Quality{MOS: 2.1, In: flow(2.1, 17), Out: flow(4.2, 1)}, end, &Sound{"c1", "0312345678", end, 2.1, 17, 34, 0}},
		{"impossible figures", &wire.Quality{MOS: 99, In: flow(99, -5), Delay: 1e300}, end, &Sound{"c1", "0312345678", end, 4.5, 0, 0, 60000}},
		{"told late", &wire.Quality{MOS: 4, In: flow(4, 1)}, nine, &Sound{"c1", "0312345678", nine, 4, 1, 2, 0}},
		{"a clock from another world", &wire.Quality{MOS: 4, In: flow(4, 1)}, nine.AddDate(-1, 0, 0), &Sound{"c1", "0312345678", end, 4, 1, 2, 0}},
	} {
		d := newDesk(t, setup())
		d.in(t, "available", inCall(wire.CallTalking, true, true))
		r := wire.CallReport{ID: "c1", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Peer: "0312345678", Quality: row.q, At: row.at}
		if _, err := d.do(end, func(dr *draft) error { return dr.report("alice", r, "op") }); err != nil {
			t.Fatal(err)
		}
		got := d.agents["alice"].v.Sound
		if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
			t.Errorf("%s: %+v, wanted %+v", row.name, got, row.want)
		}
		if _, err := d.do(end, func(dr *draft) error { return dr.setStatus("alice", "break", "op2") }); err != nil {
			t.Fatal(err)
		}
		if d.agents["alice"].v.Sound != nil {
			t.Errorf("%s: it is told again with the next change", row.name)
		}
	}
}
