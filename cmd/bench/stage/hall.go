package stage

import (
	"context"
	"fmt"
	"sync"
	"time"

	"zaseki/web"
	"zaseki/web/wire"
)

// Hall is a phone that only shows: a real panel, and behind it a supervisor at rest and a hall full of people as the center would tell of
// them, who change as often as they are told to.
type Hall struct {
	panel *web.Server
	snap  wire.Snapshot

	mu    sync.Mutex
	floor wire.Floor // all of it
	first int        // seats of the first floor
	turn  int
	looks map[*looker]struct{}
}

type looker struct {
	out  chan wire.Floor
	want wire.WatchFloor
}

// NewHall has so many floors; the first of them so many seats, each other a hundred.
func NewHall(floors, seats int, ja bool) (*Hall, error) {
	h := &Hall{first: seats, looks: map[*looker]struct{}{}}
	now := time.Now().Add(-time.Minute)
	h.floor = wire.Floor{Rev: 1, Statuses: wire.StandardStatuses(), Mine: "1-3", At: time.Now()}
	say := func(en, jp string) string {
		if ja {
			return jp
		}
		return en
	}
	h.floor.Groups = []wire.Group{{ID: "orders", Name: say("Orders", "ご注文")}, {ID: "repairs", Name: say("Repairs", "修理受付")}}
	h.floor.Queues = []wire.QueueLoad{{ID: "7000", Name: say("Orders", "ご注文"), Waiting: 3, Since: now.Add(-20 * time.Second), Free: 4},
		{ID: "7001", Name: say("Repairs", "修理受付"), Waiting: 7, Since: now.Add(-2 * time.Minute)}, {ID: "7002", Name: say("Questions", "お問い合わせ"), Free: 12}}
	for f := range floors {
		h.floor.Floors = append(h.floor.Floors, plan(f, seatsOn(f, seats), say))
		for i := range seatsOn(f, seats) {
			h.floor.Seats = append(h.floor.Seats, h.sits(f, i, now, say))
		}
	}
	role := "supervisor"
	h.snap = wire.Snapshot{Rev: 1, Phase: wire.PhaseIn, Account: "mori", Mic: "open", Statuses: wire.StandardStatuses(), Profile: wire.ProfileOf(""),
		Me:     &wire.Me{Account: "mori", Name: say("Mori", "森"), Role: role, All: true, Terminal: wire.Terminal{ID: "2001", Extension: "2001", Type: "softphone"}},
		Center: wire.CenterLink{Name: say("Test Center", "テストセンター"), Online: true}, Line: wire.Line{State: "registered", Proven: time.Now()},
		Status: wire.StatusView{Now: wire.StatusAway, Shown: wire.StatusAway, Since: now}, Seat: "1-3", SeatName: "1-3", Desk: &wire.Desk{View: true}}
	var err error
	h.panel, err = web.New(web.Config{Addr: "127.0.0.1:0", Agent: h, Floor: h})
	return h, err
}

func seatsOn(floor, first int) int {
	if floor == 0 {
		return first
	}
	return 100
}

// columns of a floor's map: blocks of ten, with an aisle after each.
func columns(seats int) int { return max(4, min(40, seats/10)) }

func place(i, seats int) (x, y int) {
	x, y = i%columns(seats), i/columns(seats)
	return x + x/10 + 1, y + y/5 + 1
}

func plan(f, seats int, say func(en, jp string) string) wire.FloorPlan {
	w, _ := place(columns(seats)-1, seats)
	_, d := place(seats-1, seats)
	p := wire.FloorPlan{ID: fmt.Sprint(f + 1), Name: say(fmt.Sprint("Floor ", f+1), fmt.Sprintf("%d階", f+1)), Width: w + 6, Height: d + 2}
	p.Shapes = []wire.FloorPart{{Kind: "room", X: w + 2, Y: 1, Width: 4, Height: 3, Text: say("Meeting room", "会議室")}, {Kind: "room", X: w + 2, Y: 4, Width: 4, Height: 2, Text: say("Break room", "休憩室")},
		{Kind: "wall", X: 0, Y: 0, Width: w + 6, Height: 1}, {Kind: "text", X: 1, Y: d + 1, Width: 5, Height: 1, Text: say("Entrance", "入口")}}
	for y := 1; y <= d; y += 6 {
		for x := 1; x <= w; x += 11 {
			p.Shapes = append(p.Shapes, wire.FloorPart{Kind: "desk", X: x, Y: y, Width: min(10, w-x+1), Height: min(5, d-y+1)})
		}
	}
	return p
}

// sits is who is on that seat: every seventh is empty.
func (h *Hall) sits(f, i int, now time.Time, say func(en, jp string) string) wire.SeatState {
	id := fmt.Sprintf("%d-%d", f+1, i+1)
	x, y := place(i, seatsOn(f, h.first))
	s := wire.SeatState{ID: id, Name: id, Floor: fmt.Sprint(f + 1), X: x, Y: y}
	if i%7 == 6 {
		return s
	}
	names := []string{say("Sato", "佐藤 花子"), say("Suzuki", "鈴木 一郎"), say("Takahashi", "高橋 ゆき"), say("Tanaka", "タナカ ケン"), say("Ito", "伊藤 さくら"), say("Watanabe", "渡辺 大輔"), say("Yamamoto-Nakagawa", "山本中川 美智子")}
	s.Account, s.Agent, s.Extension = "a"+id, names[i%len(names)], fmt.Sprint(2000+i)
	s.Groups = []string{[]string{"orders", "repairs"}[i%2]}
	s.Since = now.Add(-time.Duration(i%50) * 13 * time.Second)
	h.does(&s, i, now)
	return s
}

// does has somebody do the nth thing that people do.
func (h *Hall) does(s *wire.SeatState, n int, at time.Time) {
	s.Call, s.Queue, s.Talks, s.Inbound, s.Hand, s.Next, s.Missing, s.Over, s.Attended, s.Ring = "", "", time.Time{}, false, time.Time{}, "", nil, false, 0, ""
	queue := h.floor.Queues[n%3].Name
	switch n % 11 {
	case 0, 1, 2:
		s.Status = wire.StatusAvailable
		if n%5 == 2 {
			s.Missing = []string{"mic"}
		} else if n%4 == 0 {
			s.Ring = []string{"rings", "silent", "unreached"}[n%3]
		}
	case 3, 4, 5, 6:
		s.Status, s.Call, s.Queue, s.Talks, s.Inbound = wire.StatusTalking, wire.CallTalking, queue, at, true
		if n%11 == 4 {
			s.Call = wire.CallHeld
		}
		if n%22 == 5 {
			s.Next = wire.StatusBreak
		}
		if n%33 == 6 {
			s.Attended = 1
		}
		if n%44 == 3 {
			s.Hand = at
			s.HandCall = &wire.HandCall{Queue: queue, Number: "0312345678", Since: at}
		}
	case 7:
		s.Status, s.Call, s.Queue, s.Talks, s.Inbound = wire.StatusRinging, wire.CallOffered, queue, at, true
	case 8:
		s.Status = wire.StatusWork
	case 9:
		s.Status, s.Over = wire.StatusBreak, n%2 == 0
	case 10:
		s.Status = []string{wire.StatusAway, wire.StatusDialing, wire.StatusLost}[n%3]
	}
}

// URL opens a page that is signed in.
func (h *Hall) URL() string { return h.panel.URL() }

// Run serves until ctx ends.
func (h *Hall) Run(ctx context.Context) error { return h.panel.Run(ctx) }

// Post is for web.Agent: nothing that is asked happens.
func (h *Hall) Post(wire.Command) {}

// Watch is for web.Agent.
func (h *Hall) Watch() (<-chan wire.Snapshot, func()) {
	ch := make(chan wire.Snapshot, 1)
	ch <- h.snap
	return ch, func() {}
}

// WatchFloor is for web.Floor.
func (h *Hall) WatchFloor(_ context.Context, want wire.WatchFloor) (<-chan wire.Floor, func(wire.WatchFloor)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &looker{out: make(chan wire.Floor, 1), want: want}
	h.looks[l] = struct{}{}
	h.tellLocked(l)
	return l.out, func(want wire.WatchFloor) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if l.want = want; want.On {
			h.tellLocked(l)
		} else {
			delete(h.looks, l)
		}
	}
}

func (h *Hall) tellLocked(l *looker) {
	f := h.floor
	if only := l.want.Floor; only != "" || l.want.Mine {
		if only == "" {
			only = "1"
		}
		f.Only, f.Seats = only, nil
		for i, p := range f.Floors {
			if p.ID == only {
				from := max(0, i-1)*100 + min(i, 1)*h.first
				f.Seats = append(f.Seats, h.floor.Seats[from:from+seatsOn(i, h.first)]...)
			}
		}
	} else {
		f.Seats = append([]wire.SeatState(nil), f.Seats...)
	}
	select {
	case <-l.out:
	default:
	}
	l.out <- f
}

// Change has that many people of the first floor do something else, and gives the seats and the statuses that they are in now.
func (h *Hall) Change(n int) (seats, statuses []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for len(seats) < n {
		h.turn++
		s := &h.floor.Seats[h.turn*37%h.first]
		if s.Account == "" {
			continue
		}
		was := s.Status
		for k := h.turn; s.Status == was; k++ {
			h.does(s, k, now)
		}
		s.Since = now
		seats, statuses = append(seats, s.ID), append(statuses, s.Status)
	}
	h.floor.Rev++
	h.floor.At = now
	for l := range h.looks {
		h.tellLocked(l)
	}
	return seats, statuses
}
