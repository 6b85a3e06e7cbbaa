package roster

import (
	"fmt"
	"testing"
	"time"

	"zaseki/web/wire"
)

func TestACallThatBecomesAnOutsideOneIsFollowedByWork(t *testing.T) {
	d := newDesk(t, setup())
	d.in(t, "available", nil)
	for i, r := range []struct {
		report wire.CallReport
		why    string
	}{
		{wire.CallReport{ID: "a", Phase: wire.CallOffered, Inbound: true, Peer: "2002"}, "call offered"},
		{wire.CallReport{ID: "a", Phase: wire.CallTalking, Inbound: true, Peer: "2002"}, "call talking"},
		{wire.CallReport{ID: "a", Phase: wire.CallTalking, Inbound: true, Outside: true, Peer: "0312345678"}, "call changed hands"},
		{wire.CallReport{ID: "a", Phase: wire.CallTalking, Inbound: true, Outside: true, Peer: "0312345678"}, ""},
		{wire.CallReport{ID: "a", Phase: wire.PhaseEnded, Inbound: true, Outside: true, Peer: "0312345678", Result: "answered"}, "call ended"},
	} {
		why, err := d.do(nine.Add(time.Duration(i)*time.Minute), func(dr *draft) error { return dr.report("alice", r.report, fmt.Sprint(i)) })
		if err != nil || why != r.why {
			t.Fatalf("report %d: %q, %v", i, why, err)
		}
		a := d.agents["alice"].v
		if i == 3 && (!a.Calls[0].Outside || a.Calls[0].Peer != "0312345678" || !a.Calls[0].At.Equal(nine.Add(time.Minute))) {
			t.Fatalf("%+v", a.Calls[0])
		}
	}
	if got := d.agents["alice"].v.Status; got != "acw" {
		t.Fatal(got)
	}
}
