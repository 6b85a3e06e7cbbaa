package roster

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/web/wire"
)

// loadOf waits until the floor that is watched shows so many callers in the queue, and gives the row.
func loadOf(t *testing.T, floors <-chan wire.Floor, queue string, waiting, free int) wire.QueueLoad {
	t.Helper()
	end := time.After(10 * time.Second)
	var last []wire.QueueLoad
	for {
		select {
		case f := <-floors:
			last = f.Queues
			for _, q := range last {
				if q.ID == queue && q.Waiting == waiting && q.Free == free {
					return q
				}
			}
		case <-end:
			t.Fatalf("the seat view shows %+v, want %d waiting for %s and %d free", last, waiting, queue, free)
		}
	}
}

// TestTheSeatViewShowsWhoWaits: since when, and how many agents are free, at every node of the center.
func TestTheSeatViewShowsWhoWaits(t *testing.T) {
	a, b, lost := twoNodes(t, Timing{})
	s := setup()
	grouped(&s)
	s.Queues = append(s.Queues, QueueSetup{Extension: "7002", Name: "Night", Groups: []string{"night"}})
	must(t, b.Apply(t.Context(), s, "test"))
	eventually(t, "both know the queue", func() bool { _, ok := a.Queue("7002"); return ok })
	alice := newPhone(t, b, "alice", "pc1").ready("2001", wire.StatusBreak, "1")
	floors, turn := alice.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	loadOf(t, floors, "7001", 0, 0)
	came := time.Now().Add(-time.Minute)
	first, second := a.Wait("7001", came), a.Wait("7001", time.Now())
	if q := loadOf(t, floors, "7001", 2, 0); q.Since.Sub(came).Abs() > time.Millisecond || q.Name != "Support" {
		t.Fatalf("%+v", q)
	}
	here := b.Wait("7002", time.Now())
	loadOf(t, floors, "7002", 1, 0)
	here.Leave()
	first.Leave()
	loadOf(t, floors, "7001", 1, 0)
	must(t, alice.ask(wire.SetStatus{To: wire.StatusAvailable}))
	loadOf(t, floors, "7001", 1, 1)
	lost.Store(true) // the callers of a node that is gone are gone
	loadOf(t, floors, "7001", 0, 1)
	lost.Store(false)
	loadOf(t, floors, "7001", 1, 1)
	second.Leave()
	loadOf(t, floors, "7001", 0, 1)
	f := b.Floor()
	if len(f.Groups) != 2 || f.Groups[0] != (wire.Group{ID: "day", Name: "Day"}) || len(f.Queues) != 2 || f.Queues[0].Name != "Night" {
		t.Fatalf("groups %+v, queues %+v", f.Groups, f.Queues)
	}
	if row := b.seatState("1"); len(row.Groups) != 1 || row.Groups[0] != "day" {
		t.Fatalf("%+v", row)
	}
}

// TestTheLastReceiptStandsOnTheSeat until the next sign-in.
func TestTheLastReceiptStandsOnTheSeat(t *testing.T) {
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusAvailable, "1")
	for _, how := range []string{"rings", "rings", "silent", "rings", "unreached"} {
		c.Receipt("alice", how)
		eventually(t, how, func() bool { return c.seatState("1").Ring == how })
	}
	c.Receipt("bob", "rings") // who is not there
	must(t, alice.SignOut(t.Context()))
	alice.ready("2001", wire.StatusAvailable, "1")
	if s := c.seatState("1"); s.Ring != "" || s.Account != "alice" {
		t.Fatalf("%+v", s)
	}
}

// BenchmarkLoads: ten thousand agents who are free, fifty queues of groups.
func BenchmarkLoads(b *testing.B) {
	r := &Roster{view: newView(), links: map[string]*link{}, reserved: map[string]*reservation{}, cfg: Config{Node: soloNode}}
	for i := range 10_000 {
		id := fmt.Sprint("a", i)
		r.view.accounts[id] = row[Account]{v: Account{Account: id, Agent: true, Groups: []string{fmt.Sprint("g", i%50)}}}
		r.view.agents[id] = row[Agent]{v: Agent{Account: id, Status: wire.StatusAvailable, Conn: connUp, Terminal: id, Session: &Session{ID: "s", Node: soloNode}}}
		r.view.terminals[id] = row[Terminal]{v: Terminal{Extension: id, Type: "softphone", Holder: id}}
		r.links[id] = &link{account: id, session: "s", line: true}
		r.view.judge(id)
	}
	for i := range 50 {
		id := fmt.Sprint(7000 + i)
		r.view.queues[id] = row[Queue]{v: Queue{Extension: id, Name: id, Groups: []string{fmt.Sprint("g", i), fmt.Sprint("g", (i+1)%50)}}}
	}
	for b.Loop() {
		if all := r.loadsLocked(); all[0].Free != 400 {
			b.Fatal(all[0])
		}
	}
}

// TestFreeIsWhoMayBeOffered: counted kind by kind it is what one finds agent by agent.
func TestFreeIsWhoMayBeOffered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &Roster{view: newView(), links: map[string]*link{}, reserved: map[string]*reservation{}, cfg: Config{Node: soloNode}}
		groups := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"g1", "g2", "g3"}), 0, 2, rapid.ID[string])
		names := []string{"a", "b", "c", "d", "e"}
		for _, id := range names {
			r.view.accounts[id] = row[Account]{v: Account{Account: id, Agent: rapid.Bool().Draw(t, "agent"), Groups: groups.Draw(t, "groups")}}
			r.view.agents[id] = row[Agent]{v: Agent{Account: id, Status: wire.StatusAvailable, Conn: connUp, Session: &Session{ID: "s", Node: soloNode}}}
			if rapid.Bool().Draw(t, "connected") {
				r.links[id] = &link{account: id, session: "s"}
			}
			r.view.judge(id)
		}
		q := Queue{Extension: "7000", Groups: groups.Draw(t, "of"), Agents: rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 3, rapid.ID[string]).Draw(t, "named")}
		r.view.queues["7000"] = row[Queue]{v: q}
		want := 0
		for _, id := range names {
			if r.routableLocked(id, time.Now()) && r.view.level("7000", id) > 0 {
				want++
			}
		}
		if got := r.loadsLocked()[0].Free; got != want {
			t.Fatalf("%d free, not %d", got, want)
		}
	})
}
