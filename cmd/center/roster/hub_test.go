package roster

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/ledger"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

// gallery is a roster without ledger, with watchers that read when the test says so.
type gallery struct {
	*Roster
	t        *rapid.T
	seq      ledger.Seq
	watchers []*watcher
}

// watcher is a phone that puts together what it is told, as web/uplink does.
type watcher struct {
	*link
	home   string // the floor it watches most
	floor  string // and now
	on     bool
	now    *wire.Floor
	wholes int // times it got the floor whole
}

func newGallery(t *rapid.T) *gallery {
	r := &Roster{
		view: newView(), links: map[string]*link{}, reserved: map[string]*reservation{}, rota: newRota(), writers: socket.NewWriters(),
		kick: make(chan struct{}, 1), log: slog.New(slog.DiscardHandler), cfg: Config{Timing: Timing{}.filled()},
	}
	r.hub = newHub(r)
	g := &gallery{Roster: r, t: t}
	site := DefaultSite()
	g.write(KindSite, siteID, site)
	for _, id := range []string{"1", "2"} {
		g.write(KindFloor, id, Floor{ID: id, Name: "Floor " + id})
	}
	for i := range 6 {
		g.write(KindAccount, fmt.Sprint("a", i), Account{Account: fmt.Sprint("a", i), Name: fmt.Sprint("A", i), Role: "agent", Agent: true})
		g.write(KindAgent, fmt.Sprint("a", i), Agent{Account: fmt.Sprint("a", i), Status: wire.StatusAway, Conn: connUp, Session: &Session{ID: "s"}})
		g.write(KindSeat, fmt.Sprint(i), Seat{ID: fmt.Sprint(i), Floor: fmt.Sprint(1 + i%2)})
	}
	for i, floor := range []string{"", "1", "2", "1"} {
		w := &watcher{link: &link{account: fmt.Sprint("a", i), session: "s"}, home: floor, floor: floor}
		g.watchers = append(g.watchers, w)
		r.links[w.account] = w.link
	}
	return g
}

// write is an event of the ledger; nil removes.
func (g *gallery) write(kind, id string, v any) {
	data, err := json.Marshal(v)
	if err == nil {
		g.seq++
		err = g.take([]ledger.Event{{Seq: g.seq, Subject: ledger.Subject(kind, id), Data: data}})
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *gallery) pick(label string, of ...string) string {
	return rapid.SampledFrom(of).Draw(g.t, label)
}

func (g *gallery) account() string { return g.pick("account", "a0", "a1", "a2", "a3", "a4", "a5") }

func (g *gallery) seat() (string, Seat) {
	id := g.pick("seat", "0", "1", "2", "3", "4", "5", "new")
	s := g.view.seats[id].v
	s.ID, s.Floor = id, or(s.Floor, "1")
	return id, s
}

// sit is a sign-in as another node's events bring it: one after the other.
func (g *gallery) sit(account, seat string) {
	a := g.view.agents[account].v.clone()
	if old, ok := g.view.seats[a.Seat]; ok && a.Seat != seat {
		old.v.Holder = ""
		g.write(KindSeat, a.Seat, old.v)
	}
	row, ok := g.view.seats[seat]
	if !ok || row.v.Holder != "" && row.v.Holder != account {
		return
	}
	row.v.Holder = account
	a.Account, a.Seat, a.Status, a.Conn, a.Session = account, seat, wire.StatusAvailable, connUp, &Session{ID: "s"}
	g.write(KindAgent, account, a)
	g.write(KindSeat, seat, row.v)
}

func (g *gallery) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"status": func(*rapid.T) {
			account := g.account()
			a := g.view.agents[account].v.clone()
			a.Account, a.Status = account, g.pick("status", wire.StatusAvailable, wire.StatusBreak, wire.StatusAway)
			g.write(KindAgent, account, a)
		},
		"sit": func(*rapid.T) { g.sit(g.account(), g.pick("seat", "0", "1", "2", "3", "4", "5")) },
		"name": func(*rapid.T) {
			account := g.account()
			a := g.view.accounts[account].v
			a.Name = g.pick("name", "X", "Y", "Z")
			g.write(KindAccount, account, a)
		},
		"move": func(*rapid.T) { id, s := g.seat(); s.Floor = g.pick("floor", "1", "2"); g.write(KindSeat, id, s) },
		"remove": func(*rapid.T) {
			if id, s := g.seat(); s.Holder == "" {
				g.write(KindSeat, id, nil)
			}
		},
		"floor": func(*rapid.T) {
			id := g.pick("floor", "1", "2")
			g.write(KindFloor, id, Floor{ID: id, Name: g.pick("name", "P", "Q")})
		},
		"view": func(*rapid.T) {
			s := g.view.site.v
			s.SeatView = g.pick("on", "no", "yes", "yes", "yes") == "yes"
			g.write(KindSite, siteID, s)
		},
		"ready": func(*rapid.T) {
			g.lineSaid(g.links[g.pick("phone", "a0", "a1", "a2", "a3")], rapid.Bool().Draw(g.t, "line"), nil)
		},
		"hand": func(*rapid.T) {
			account := g.account()
			a := g.view.agents[account].v.clone()
			a.Account, a.Hand = account, time.Unix(rapid.Int64Range(0, 1).Draw(g.t, "hand"), 0)
			if a.Hand.Unix() == 0 {
				a.Hand = time.Time{}
			}
			g.write(KindAgent, account, a)
		},
		"count": func(*rapid.T) { g.hub.look() },
		"tell":  func(*rapid.T) { g.tellAll() },
		"many": func(*rapid.T) { // somebody falls behind
			for i := range keptFrames + rapid.IntRange(-2, 20).Draw(g.t, "more") {
				a := g.view.agents["a0"].v.clone()
				a.Account, a.Idle = "a0", time.Unix(int64(i), 0)
				g.write(KindAgent, "a0", a)
				g.tellAll()
			}
		},
		"read": func(*rapid.T) { g.read(g.one(), rapid.IntRange(1, 5).Draw(g.t, "frames")) },
		"watch": func(*rapid.T) { // anew, as after a break of the connection
			w := g.one()
			want := wire.WatchFloor{On: true, Floor: w.home}
			switch w.floor = w.home; g.pick("of", "a floor", "a floor", "mine", "none of ours") {
			case "mine":
				want.Mine, w.floor = true, or(g.view.seats[g.view.agents[w.account].v.Seat].v.Floor, "1")
			case "none of ours":
				want.Floor, w.floor = "x", ""
			}
			if w.on = g.watchFloor(w.link, want) == nil; w.on { // refused, it goes on with what it watched
				w.now = nil
			}
		},
		"leave": func(*rapid.T) {
			w := g.one()
			w.on, w.now = false, nil
			g.hub.watch(w.link, false, "")
		},
		"": func(*rapid.T) { g.rotaIsRight() },
	}
}

func (g *gallery) one() *watcher { return rapid.SampledFrom(g.watchers).Draw(g.t, "watcher") }

func (g *gallery) tellAll() {
	for _, t := range slices.Collect(maps.Values(g.hub.topics)) {
		if t.changed() {
			if err := g.hub.tell(t); err != nil {
				g.t.Fatal(err)
			}
		}
	}
}

// read takes so many frames at most.
func (g *gallery) read(w *watcher, most int) {
	for range most {
		m, ok := g.next(w.link)
		if !ok {
			return
		}
		var e wire.Envelope
		if err := json.Unmarshal(m.Text(), &e); err != nil {
			g.t.Fatal(err)
		}
		said, err := wire.ParseCenter(e)
		if err != nil {
			g.t.Fatal(err)
		}
		switch said := said.(type) {
		case wire.Floor:
			if len(said.Floors) == 0 && said.Rev == 0 { // it may not look any more
				w.now, w.on = nil, false
				continue
			}
			w.rises(g.t, said.Rev)
			w.now = &said
			w.wholes++
		case wire.FloorChange:
			if w.now == nil {
				g.t.Fatal("a change before the whole")
			}
			w.rises(g.t, said.Rev)
			now := said.On(*w.now)
			w.now = &now
		}
	}
}

func (w *watcher) rises(t *rapid.T, rev uint64) {
	if w.now != nil && rev <= w.now.Rev {
		t.Fatalf("%s: rev %d after %d", w.account, rev, w.now.Rev)
	}
}

// same is the floor without what changes by itself; seats in order.
func same(f wire.Floor) wire.Floor {
	f.Rev, f.At, f.Mine, f.Statuses = 0, time.Time{}, "", nil
	data, _ := json.Marshal(f)
	var out wire.Floor
	_ = json.Unmarshal(data, &out)
	slices.SortFunc(out.Seats, func(a, b wire.SeatState) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
	return out
}

// rotaIsRight: whoever has a turn by the rules has it in the rota, and nobody else.
func (g *gallery) rotaIsRight() {
	g.due()
	for account := range g.view.agents {
		d := &draft{view: g.view, now: time.Now().UTC()}
		if at := d.lapse(account, g.presenceLocked(account), g.cfg.Timing); !g.rota.at[account].Equal(at) {
			g.t.Fatalf("%s: its turn is %v, in the rota %v", account, at, g.rota.at[account])
		}
	}
}

func TestEveryWatcherEndsWithTheRostersOwnView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGallery(t)
		t.Repeat(g.actions())
		g.hub.look()
		g.tellAll()
		for _, w := range g.watchers {
			if g.read(w, 10*keptFrames); !w.on {
				continue
			}
			g.hub.mu.Lock()
			want := same(g.hub.floorLocked(w.floor))
			g.hub.mu.Unlock()
			if w.now == nil {
				t.Fatalf("%s was told nothing", w.account)
			}
			if got := same(*w.now); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s on %q sees\n%+v, not\n%+v", w.account, w.floor, got, want)
			}
		}
	})
}

// countsOf is who sits where, counted at once.
func countsOf(f wire.Floor) []wire.FloorCount {
	if len(f.Floors) < 2 {
		return nil
	}
	counts := make([]wire.FloorCount, len(f.Floors))
	for i, plan := range f.Floors {
		n := wire.FloorCount{Floor: plan.ID}
		for _, s := range f.Seats {
			if s.Floor != plan.ID {
				continue
			}
			n.Seats++
			if s.Account == "" {
				continue
			}
			n.In++
			if s.Status == wire.StatusAvailable && len(s.Missing) == 0 {
				n.Free++
			}
			if !s.Hand.IsZero() {
				n.Hands++
			}
		}
		counts[i] = n
	}
	return counts
}

func TestEveryWatcherIsToldHowManySitOnEachFloor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGallery(t)
		acts := g.actions()
		acts["floors"] = func(*rapid.T) { // of one alone nothing is counted
			if _, two := g.view.floors["2"]; two {
				g.write(KindFloor, "2", nil)
			} else {
				g.write(KindFloor, "2", Floor{ID: "2", Name: "Floor 2"})
			}
		}
		t.Repeat(acts)
		g.hub.look()
		g.tellAll()
		want := countsOf(g.Floor())
		for _, w := range g.watchers {
			g.read(w, 10*keptFrames)
			if !w.on {
				continue
			}
			got := slices.SortedFunc(slices.Values(w.now.Counts), func(a, b wire.FloorCount) int { return compareIDs(a.Floor, b.Floor) })
			if !slices.Equal(got, want) {
				t.Fatalf("%s on %q is told %+v, not %+v", w.account, w.floor, got, want)
			}
		}
	})
}

func TestOneThatIsFarBehindGetsTheFloorWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := newGallery(t)
		w := g.watchers[1]
		g.sit("a0", "0")
		if err := g.watchFloor(w.link, wire.WatchFloor{On: true, Floor: "1"}); err != nil {
			t.Fatal(err)
		}
		g.read(w, 1)
		behind := rapid.IntRange(1, 3*keptFrames).Draw(t, "behind")
		for i := range behind {
			a := g.view.agents["a0"].v.clone()
			a.Since = time.Unix(int64(i), 0)
			g.write(KindAgent, "a0", a)
			g.tellAll()
		}
		g.read(w, 10*keptFrames)
		if want := 1 + min(1, behind/(keptFrames+1)); w.wholes != want {
			t.Fatalf("%d frames behind: %d times whole, want %d", behind, w.wholes, want)
		}
		if s := w.now.Seats[0]; !s.Since.Equal(time.Unix(int64(behind-1), 0)) {
			t.Fatal(s)
		}
	})
}

func TestTheMoreWatchTheLongerTheWindow(t *testing.T) {
	h := newHub(&Roster{cfg: Config{Timing: Timing{}.filled()}})
	for _, r := range []struct {
		here, all int
		want      time.Duration
	}{{1, 1, 20 * time.Millisecond}, {200, 1000, 20 * time.Millisecond}, {200, 10_000, 100 * time.Millisecond}, {10_000, 10_000, 250 * time.Millisecond}, {200, 50_000, 250 * time.Millisecond}} {
		to := &topic{watchers: map[*link]struct{}{}}
		for range r.here {
			to.watchers[&link{}] = struct{}{}
		}
		h.watching = r.all
		if got := h.windowLocked(to); got != r.want {
			t.Errorf("%d of %d: %v, want %v", r.here, r.all, got, r.want)
		}
	}
}
