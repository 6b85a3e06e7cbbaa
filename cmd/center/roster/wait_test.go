package roster

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// hall is a roster without ledger and phones, for the list of who waits: agents are free or not as the test says.
type hall struct {
	*Roster
	began time.Time
}

func newHall(agents []Account, queues ...Queue) *hall {
	r := &Roster{view: newView(), links: map[string]*link{}, reserved: map[string]*reservation{}}
	h := &hall{r, time.Now().Add(-time.Hour)}
	for i, a := range agents {
		a.Agent = true
		r.view.accounts[a.Account] = row[Account]{1, a}
		ext := fmt.Sprint(2000 + i)
		r.view.terminals[ext] = row[Terminal]{1, Terminal{Extension: ext, Type: "softphone", Account: a.Account, Holder: a.Account}}
		r.view.agents[a.Account] = row[Agent]{1, Agent{Account: a.Account, Status: wire.StatusAway, Terminal: ext, Conn: connUp, Session: &Session{ID: "s"}}}
		r.links[a.Account] = &link{account: a.Account, session: "s", line: true}
	}
	for _, q := range queues {
		r.view.queues[q.Extension] = row[Queue]{1, q}
	}
	return h
}

// frees makes an agent Available since so many seconds after the beginning.
func (h *hall) frees(account string, since int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.view.agents[account]
	a.v.Status, a.v.Since = wire.StatusAvailable, h.began.Add(time.Duration(since)*time.Second)
	h.view.agents[account] = a
	h.view.judge(account)
	h.wakeThoseLocked([]string{account}, false)
}

func (h *hall) pauses(account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := h.view.agents[account]
	a.v.Status = wire.StatusBreak
	h.view.agents[account] = a
	h.view.judge(account)
}

// waits is a caller who came so many seconds after the beginning.
func (h *hall) waits(queue string, came int) exchange.Waiter {
	w := h.Wait(queue, h.began.Add(time.Duration(came)*time.Second))
	w.Want()
	return w
}

// got is who the caller was given, "" nobody.
func got(w exchange.Waiter) (exchange.Offer, bool) {
	select {
	case o := <-w.Offers():
		return o, true
	default:
		return exchange.Offer{}, false
	}
}

func wantAgent(t *testing.T, w exchange.Waiter, want string) exchange.Offer {
	t.Helper()
	o, ok := got(w)
	if ok != (want != "") || o.Account != want {
		t.Fatalf("offered %q, want %q", o.Account, want)
	}
	return o
}

func people(names ...string) (all []Account) {
	for _, n := range names {
		all = append(all, Account{Account: n})
	}
	return all
}

func TestWhomACallerIsGiven(t *testing.T) {
	agents := []Account{{Account: "a"}, {Account: "b", Groups: []string{"night"}}, {Account: "c", Groups: []string{"night", "vip"}}}
	rows := []struct {
		name  string
		queue Queue
		free  map[string]int // since when
		want  []string       // in this order
	}{
		{"nobody named is everybody, the longest idle first", Queue{}, map[string]int{"a": 3, "b": 1, "c": 2}, []string{"b", "c", "a"}},
		{"only who is named", Queue{Agents: []string{"a", "c"}}, map[string]int{"a": 3, "b": 1, "c": 2}, []string{"c", "a"}},
		{"groups", Queue{Groups: []string{"night"}}, map[string]int{"a": 1, "b": 3, "c": 2}, []string{"c", "b"}},
		{"who is named and groups", Queue{Agents: []string{"a"}, Groups: []string{"vip"}}, map[string]int{"a": 1, "b": 2, "c": 3}, []string{"a", "c"}},
		{"the best level before the longest idle", Queue{Levels: map[string]int{"a": 1, "b": 2, "c": 2}}, map[string]int{"a": 3, "b": 2, "c": 1}, []string{"a", "c", "b"}},
		{"who is not named has level 1", Queue{Levels: map[string]int{"b": 9}}, map[string]int{"a": 3, "b": 1}, []string{"a", "b"}},
		{"a level without somebody free is passed over", Queue{Levels: map[string]int{"a": 1, "b": 5, "c": 9}}, map[string]int{"c": 1}, []string{"c"}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			r.queue.Extension = "7000"
			h := newHall(agents, r.queue)
			for account, since := range r.free {
				h.frees(account, since)
			}
			for _, want := range append(r.want, "") {
				wantAgent(t, h.waits("7000", 0), want)
			}
		})
	}
}

func TestAnAgentWhoFreesTakesWhoHasTheBestRight(t *testing.T) {
	h := newHall(people("a", "b"), Queue{Extension: "7000"}, Queue{Extension: "7001", Priority: 1, Agents: []string{"a"}}, Queue{Extension: "7002", Priority: 9})
	last, first := h.waits("7000", 20), h.waits("7000", 10) // who came first need not have asked first
	low, high := h.waits("7002", 0), h.waits("7001", 30)
	h.frees("b", 0) // does not serve the best queue
	o := wantAgent(t, first, "b")
	wantAgent(t, high, "")
	h.frees("a", 0)
	wantAgent(t, high, "a")
	o.Release() // was not taken, or is over
	wantAgent(t, last, "b").Release()
	wantAgent(t, low, "b")
}

func TestAnOfferThatWasNotTakenIsNotMadeAgain(t *testing.T) {
	h := newHall(people("a", "b"), Queue{Extension: "7000"})
	h.frees("a", 0)
	w := h.waits("7000", 0)
	o := wantAgent(t, w, "a")
	w.Spare("a", 0)
	o.Release()
	w.Want()
	wantAgent(t, w, "")
	other := h.waits("7000", 1)
	wantAgent(t, other, "a").Release()
	h.frees("b", 1)
	o = wantAgent(t, w, "b")
	w.Spare("b", 20*time.Millisecond) // its phone was busy
	o.Release()
	w.Want()
	eventually(t, "tried again", func() bool {
		w.Want()
		o, ok := got(w)
		return ok && o.Account == "b"
	})
}

func TestWhoLeavesGivesItsAgentToTheNext(t *testing.T) {
	h := newHall(people("a"), Queue{Extension: "7000"})
	first, second := h.waits("7000", 0), h.waits("7000", 1)
	if first.Place() != 1 || second.Place() != 2 {
		t.Fatalf("places %d and %d", first.Place(), second.Place())
	}
	h.frees("a", 0)
	first.Leave() // hung up in that moment
	if second.Place() != 1 {
		t.Fatal("nobody moved up")
	}
	wantAgent(t, second, "a")
	second.Leave()
	if s := h.State("7000"); s.Waiting != 0 || s.Empty {
		t.Fatalf("%+v", s)
	}
}

// TestTwoAgentsFreeForOneCall: reliability H7. Exactly one is given to the caller, the other to whoever comes next.
func TestTwoAgentsFreeForOneCall(t *testing.T) {
	for range 200 {
		h := newHall(people("a", "b"), Queue{Extension: "7000"})
		w := h.waits("7000", 0)
		start := make(chan struct{})
		var all sync.WaitGroup
		for _, account := range []string{"a", "b"} {
			all.Go(func() {
				<-start
				h.frees(account, 0)
			})
		}
		close(start)
		all.Wait()
		o, ok := got(w)
		if _, twice := got(w); !ok || twice {
			t.Fatalf("offered %v, twice %v", ok, twice)
		}
		other := map[string]string{"a": "b", "b": "a"}[o.Account]
		wantAgent(t, h.waits("7000", 1), other)
	}
}

// TestNobodyWaitsBesideAFreeAgent: whatever happens, no caller who wants an agent is left while one is free for it, none of two
// callers has the same agent, and nobody is passed over.
func TestNobodyWaitsBesideAFreeAgent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		queues := []Queue{{Extension: "7000"}, {Extension: "7001", Priority: 2, Agents: []string{"a", "b"}}, {Extension: "7002", Groups: []string{"g"}, Priority: 7}}
		agents := append(people("a", "b", "c"), Account{Account: "d", Groups: []string{"g"}})
		h := newHall(agents, queues...)
		type caller struct {
			w     exchange.Waiter
			queue string
			came  int
			has   *exchange.Offer
		}
		var callers []*caller
		clock := 0
		name := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		t.Repeat(map[string]func(*rapid.T){
			"comes": func(t *rapid.T) {
				clock++
				q := rapid.SampledFrom(queues).Draw(t, "queue").Extension
				callers = append(callers, &caller{w: h.waits(q, clock), queue: q, came: clock})
			},
			"frees":  func(t *rapid.T) { clock++; h.frees(name.Draw(t, "agent"), clock) },
			"pauses": func(t *rapid.T) { h.pauses(name.Draw(t, "agent")) },
			"leaves": func(t *rapid.T) {
				if len(callers) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(callers)-1).Draw(t, "caller")
				callers[i].w.Leave()
				if o := callers[i].has; o != nil {
					o.Release()
				}
				callers = slices.Delete(callers, i, i+1)
			},
			"": func(t *rapid.T) {
				taken := map[string]bool{}
				for _, c := range callers {
					if o, ok := got(c.w); ok {
						c.has = &o
					}
					if c.has != nil {
						if taken[c.has.Account] {
							t.Fatalf("%s has two callers", c.has.Account)
						}
						taken[c.has.Account] = true
					}
				}
				h.mu.Lock()
				defer h.mu.Unlock()
				for _, c := range callers {
					if best, _ := h.bestLocked(c.queue, time.Now(), func(string) bool { return true }); c.has == nil && best != "" {
						t.Fatalf("a caller of %s waits beside a free agent", c.queue)
					}
					for _, o := range callers {
						if c.has == nil && o.has != nil && o.queue == c.queue && o.came > c.came {
							t.Fatalf("who came at %d was passed over by %d", c.came, o.came)
						}
					}
				}
			},
		})
	})
}

func TestAPhoneThatLacksSomethingIsNotRung(t *testing.T) {
	c := newCenter(t, nil, nil)
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "")
	floors, turn := bob.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "1")
	lacks := func(want ...string) {
		t.Helper()
		end := time.After(10 * time.Second)
		for shown := false; !shown; {
			select {
			case f := <-floors:
				shown = slices.ContainsFunc(f.Seats, func(s wire.SeatState) bool {
					return s.ID == "1" && s.Account == "alice" && slices.Equal(s.Missing, want)
				})
			case <-end:
				t.Fatalf("the seat does not show that %v is missing", want)
			}
		}
		_, release, ok := c.Offer("7001", nil)
		release()
		if ok != (len(want) == 0) {
			t.Fatalf("offered %v while %v is missing", ok, want)
		}
	}
	lacks("line")
	alice.Report(wire.LineReport{Registered: true, Missing: []string{"mic", "page"}})
	lacks("mic", "page")
	w := c.Wait("7001", time.Now())
	w.Want()
	alice.Report(wire.LineReport{Registered: true})
	eventually(t, "the caller has alice as soon as her phone is ready", func() bool {
		o, ok := got(w)
		return ok && o.Account == "alice"
	})
	w.Leave()
}

// BenchmarkOffer is one offer of a center with ten thousand agents, of whom every twentieth is free.
func BenchmarkOffer(b *testing.B) {
	var agents []Account
	for i := range 10000 {
		agents = append(agents, Account{Account: fmt.Sprint("agent", i), Groups: []string{fmt.Sprint("g", i%50)}})
	}
	h := newHall(agents, Queue{Extension: "7000"}, Queue{Extension: "7001", Groups: []string{"g1", "g2"}})
	for i := range 500 {
		h.frees(fmt.Sprint("agent", 20*i), i)
	}
	for _, queue := range []string{"7000", "7001"} {
		b.Run(queue, func(b *testing.B) {
			for b.Loop() {
				_, release, _ := h.Offer(queue, nil)
				release()
			}
		})
	}
}
