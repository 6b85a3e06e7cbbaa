package ledger

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/center/ledger/clocktest"
)

// TestAClockThatStepsTakesNoLeaseAndKeepsNone: one member's clock is set, by an hour and by a day, both ways; then whoever has the lease
// freezes. (C12)
func TestAClockThatStepsTakesNoLeaseAndKeepsNone(t *testing.T) {
	long(t)
	t.Parallel() // it mostly waits for elections
	if runtime.GOARCH != "amd64" {
		t.Skip("steps clocks on amd64 only")
	}
	cfgs := trio(t, nil)
	var kids []*child
	for i := range cfgs {
		kids = append(kids, startMember(t, cfgs[i]))
	}
	holder := -1
	until(t, "somebody holds the lease", patience, func() bool {
		for i, k := range kids {
			if k.said("job") > 3 {
				holder = i
			}
		}
		return holder >= 0
	})
	tenure := func(at time.Time) map[string]bool {
		all := map[string]bool{}
		for _, k := range kids {
			lines, _ := k.since(at, "job")
			for _, l := range lines {
				all[l[strings.LastIndexByte(l, ' ')+1:]] = true
			}
		}
		return all
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
		leader := -1
		for i, k := range kids {
			if k.last("leads", "follows") {
				leader = i
			}
		}
		for _, i := range []int{leader, holder, (leader + 1) % 3} { // the clock that counted before was the leader's
			if i < 0 {
				t.Fatal("nobody leads")
			}
			at := time.Now()
			if err := clocktest.Step(kids[i].cmd.Process.Pid, by); err != nil {
				if strings.Contains(err.Error(), "permission") {
					lacking(t, err.Error())
				}
				t.Fatal(err)
			}
			for _, k := range kids {
				k.more(t, "ack", 20, patience)
			}
			kids[holder].more(t, "job", 10, patience)
			if n := len(tenure(at)); n != 1 {
				t.Fatalf("the clock of %s was set by %v, and the lease had %d tenures", kids[i].name, by, n)
			}
		}
	}
	// All three are a day behind by now, or not: the time of a lease is nobody's wall clock's.
	frozen := time.Now()
	kids[holder].cmd.Process.Signal(syscall.SIGSTOP)
	took := -1
	until(t, "another takes the lease of one that froze", patience, func() bool {
		for i, k := range kids {
			if i != holder && k.said("job") > 0 {
				took = i
			}
		}
		return took >= 0
	})
	_, at := kids[took].since(frozen, "job")
	if waited := at.Sub(frozen); waited < testLease*2/3 {
		t.Errorf("%s worked %v after the holder froze, under a lease of %v", kids[took].name, waited, testLease)
	} else {
		t.Logf("%s took over after %v", kids[took].name, waited.Round(time.Millisecond))
	}
	kids[holder].cmd.Process.Signal(syscall.SIGCONT)
	kids[holder].more(t, "ack", 5, patience)
	for _, k := range kids {
		k.kill()
	}
	nodes := openAll(t, cfgs...)
	end, err := nodes[0].End(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events(t, nodes[1], end) { // their times are of stepped clocks, their order is not
		if e.Seq != Seq(i+1) {
			t.Fatalf("place %d: event %d", i+1, e.Seq)
		}
	}
}
