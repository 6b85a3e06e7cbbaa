package report

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// plan shows the faces as they come, on seats of two floors.
type plan struct {
	seats []wire.SeatState
	blind bool
}

func (p plan) MayLook(account string) bool { return !p.blind }

func (p plan) FloorOf(floor string, faces map[string]wire.SeatState, at time.Time) wire.Floor {
	f := wire.Floor{Only: floor, At: at, Queues: []wire.QueueLoad{{ID: "7000", Name: "Support"}}}
	for _, s := range p.seats {
		if floor == "" || s.Floor == floor {
			past := faces[s.ID]
			past.ID, past.Floor = s.ID, s.Floor
			f.Seats = append(f.Seats, past)
		}
	}
	return f
}

func floorOf[Out any](t testing.TB, r *Report, p Plan, path string, live ...exchange.CallRecord) (code int, out Out) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Floors(func(*http.Request) (string, error) { return "aoki", nil }, p, func() *time.Location { return time.UTC }, func() []exchange.CallRecord { return live }).
		ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/"+path, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Code, out
}

func moment(at time.Time) string { return "floor?at=" + url.QueryEscape(at.Format(time.RFC3339Nano)) }

// TestTheFloorAsItWas: who sat where in what, who waited, who listened, and when nobody knows.
func TestTheFloorAsItWas(t *testing.T) {
	b := newBook(t)
	minute := func(n float64) time.Time { return day.Add(time.Duration(n * float64(time.Minute))) }
	p := plan{seats: []wire.SeatState{{ID: "1", Floor: "f1"}, {ID: "2", Floor: "f2"}}}
	b.write(roster.KindSeat, "1", -10, roster.Seat{ID: "1", Floor: "f1"})
	b.write(roster.KindSeat, "2", -10, roster.Seat{ID: "2", Floor: "f2"})
	sits := func(n int, account, seat, status string, change ...func(*roster.Agent)) {
		a := roster.Agent{Account: account, Status: status, Since: minute(float64(n)), Seat: seat, Terminal: "1001", Session: &roster.Session{ID: "s"}}
		for _, c := range change {
			c(&a)
		}
		b.write(roster.KindAgent, account, n, a)
	}
	sits(0, "aoki", "1", wire.StatusAvailable)
	sits(2, "baba", "2", wire.StatusBreak, func(a *roster.Agent) { a.Hand, a.Next = minute(2), wire.StatusAway })
	sits(5, "aoki", "1", wire.StatusAvailable, func(a *roster.Agent) {
		a.Calls = []roster.Call{{ID: "c", Phase: wire.CallTalking, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support", Began: minute(5), Answered: minute(5), At: minute(5)}}
	})
	b.write(roster.KindAttend, "doi", 6, roster.Attendance{Account: "aoki", Mode: wire.SuperviseListen, Asked: minute(6), Begun: minute(6)})
	b.write(roster.KindAttend, "doi", 7, roster.Attendance{Account: "aoki", Mode: wire.SuperviseListen, Asked: minute(6), Begun: minute(6), Ended: minute(7)})
	sits(8, "aoki", "1", wire.StatusWork)
	sits(9, "aoki", "2", wire.StatusAvailable) // moves; baba was put away
	sits(9, "baba", "", wire.StatusBreak)
	b.write(KindAway, "center", 11, Away{minute(10), minute(11)})
	b.write(roster.KindAgent, "aoki", 12, roster.Agent{Account: "aoki", Status: wire.StatusOff})
	b.came(3, 150, 30, nil) // waits from 9:03:00 to 9:05:30
	b.came(4, 90, 0, left)  // and one from 9:04:00 to 9:05:30
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	for _, m := range []struct {
		at   float64
		want string
	}{
		{-1, "1: 2:"},
		{0, "1:available@0 2:"},
		{1.99, "1:available@0 2:"},
		{2, "1:available@0 2:break@2✋>away"},
		{5, "1:talking@5☎talking 2:break@2✋>away waits 2 since 3"},
		{6.5, "1:talking@5☎talking👂 2:break@2✋>away"},
		{7, "1:talking@5☎talking 2:break@2✋>away"},
		{8, "1:acw@8 2:break@2✋>away"},
		{9.5, "1: 2:available@9"},
		{12, "1: 2:"},
	} {
		code, f := floorOf[wire.Floor](t, r, p, moment(minute(m.at)))
		got := ""
		for _, s := range f.Seats {
			got += " " + s.ID + ":" + s.Status
			if s.Status != "" {
				got += fmt.Sprintf("@%d", int(s.Since.Sub(day).Minutes()))
			}
			for sign, on := range map[string]bool{"✋": !s.Hand.IsZero()} {
				if on {
					got += sign
				}
			}
			if s.Next != "" {
				got += ">" + s.Next
			}
			if s.Call != "" {
				got += "☎" + s.Call
			}
			if s.Attended > 0 {
				got += "👂"
			}
		}
		if q := f.Queues[0]; q.Waiting > 0 {
			got += fmt.Sprintf(" waits %d since %d", q.Waiting, int(q.Since.Sub(day).Minutes()))
		}
		if code != 200 || got != " "+m.want || !f.At.Equal(minute(m.at)) {
			t.Errorf("9:00 + %.2f: %d%s, want %s", m.at, code, got, m.want)
		}
	}
	if _, f := floorOf[wire.Floor](t, r, p, moment(minute(3))+"&floor=f2"); len(f.Seats) != 1 || f.Seats[0].Account != "baba" {
		t.Errorf("one floor: %+v", f.Seats)
	}
	r.now = func() time.Time { return minute(3).Add(20 * time.Second) }
	if code, f := floorOf[wire.Floor](t, r, p, moment(minute(3).Add(59*time.Second))); code != 200 || !f.At.Equal(r.now()) || f.Seats[1].Account != "baba" {
		t.Errorf("the minute that is not over: %d %s %+v", code, f.At, f.Seats)
	}
	if code, said := floorOf[wire.Problem](t, r, p, moment(minute(6))); code != 400 || said.Code != wire.ProblemNoRow {
		t.Errorf("a time to come: %d %+v", code, said)
	}
	r.now = time.Now
	for _, path := range []string{"floor", "floor?at=now", "floor?at=2099-01-01T00:00:00Z", "floor/day", "floor/day?day=1", "floor/day?day=2099-01-01"} {
		if code, p := floorOf[wire.Problem](t, r, p, path); code != 400 || p.Code != wire.ProblemNoRow {
			t.Errorf("%s: %d %+v", path, code, p)
		}
	}
	if code, p := floorOf[wire.Problem](t, r, plan{blind: true}, moment(day)); code != 403 || p.Code != wire.ProblemForbidden {
		t.Errorf("who may not see the seat view: %d %+v", code, p)
	}
	nine := 9 * 60
	_, d := floorOf[wire.FloorDay](t, r, p, "floor/day?day=2026-04-01")
	want := func(name string, got []int, from int, want ...int) {
		t.Helper()
		if len(got) != 24*60 || !slices.Equal(got[from:from+len(want)], want) {
			t.Errorf("%s: %v, want %v", name, got[min(from, len(got)):min(from+len(want), len(got))], want)
		}
	}
	want("available", d.Counts["available"], nine-1, -1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0)
	want("pause", d.Counts["pause"], nine, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0)
	want("talking", d.Talking, nine, 0, 0, 0, 0, 0, 1, 1, 1, 0)
	want("waiting", d.Waiting, nine, 0, 0, 0, 1, 2, 2, 0, 0)
	if len(d.Gaps) != 1 || d.Gaps[0] != (wire.Span{From: minute(10), Until: minute(11)}) || !d.Kept.Equal(day) || d.Minutes != 24*60 {
		t.Errorf("%+v %s", d.Gaps, d.Kept)
	}
	_, d = floorOf[wire.FloorDay](t, r, p, "floor/day?day=2026-04-01&floor=f2")
	want("available on the second floor", d.Counts["available"], nine+8, 0, 1, 1, 1, 0)
	_, d = floorOf[wire.FloorDay](t, r, p, "floor/day?day=2026-04-02") // nothing has changed since
	want("the day after", d.Talking, 0, 0, 0, 0)
}

// crowded is a log of one day: agents on ten floors with so many changes of status and calls each, evenly over ten hours.
func crowded(agents, changes, calls int) memory {
	var log memory
	add := func(kind, id string, at time.Time, v any) {
		data, _ := json.Marshal(v) // plain values
		log = append(log, ledger.Event{Subject: ledger.Subject(kind, id), At: at, By: "system", Why: "drawn", Data: data})
	}
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range agents {
		add(roster.KindSeat, fmt.Sprint(i), day.Add(-time.Hour), roster.Seat{ID: fmt.Sprint(i), Floor: fmt.Sprint(i / 100)})
	}
	statuses := []string{wire.StatusAvailable, wire.StatusBreak, wire.StatusAway, wire.StatusWork}
	shift := 10 * time.Hour
	for i := range agents {
		account := fmt.Sprint("agent", i)
		a := roster.Agent{Account: account, Status: wire.StatusAvailable, Seat: fmt.Sprint(i), Terminal: fmt.Sprint(2000 + i), Session: &roster.Session{ID: "s"}}
		tell := func(at time.Time) { add(roster.KindAgent, account, at, a) }
		for n := range changes {
			a.Status, a.Since = statuses[draw.IntN(4)], day.Add(shift*time.Duration(n)/time.Duration(changes)+time.Duration(draw.IntN(int(time.Minute))))
			tell(a.Since)
		}
		for n := range calls {
			at := day.Add(shift*time.Duration(n)/time.Duration(calls) + time.Duration(draw.IntN(int(5*time.Minute))))
			c := roster.Call{ID: fmt.Sprint("c", n), Phase: wire.CallOffered, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support", Began: at, At: at}
			for _, phase := range []string{wire.CallOffered, wire.CallTalking, ""} {
				if a.Calls = nil; phase != "" {
					c.Phase = phase
					a.Calls = []roster.Call{c}
				}
				tell(at)
				at = at.Add(time.Duration(3+draw.IntN(170)) * time.Second)
			}
			add(KindCalls, "center", at, exchange.CallRecord{ID: account + c.ID, From: "0312345678", To: "7000", Queue: "Support", Account: account, Outside: true, Result: "answered",
				Began: c.Began.Add(-time.Duration(draw.IntN(60)) * time.Second), Answered: c.Began, Ended: at, Offers: []exchange.OfferRecord{{Account: account, At: c.Began, Result: "answered"}}})
		}
	}
	slices.SortStableFunc(log, func(a, b ledger.Event) int { return a.At.Compare(b.At) })
	for i := range log {
		log[i].Seq = ledger.Seq(i + 1)
	}
	return log
}

// thousand is a center of a thousand agents after so much of a day.
func thousand(t testing.TB, changes, calls int) (*Report, plan) {
	t.Helper()
	log := crowded(1000, changes, calls)
	r, err := Open(filepath.Join(t.TempDir(), "report.db"), memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	w, err := r.writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for i := 0; i < len(log); i += batchMost {
		if err := w.take(log[i:min(i+batchMost, len(log))]); err != nil {
			t.Fatal(err)
		}
	}
	var p plan
	for i := range 1000 {
		p.seats = append(p.seats, wire.SeatState{ID: fmt.Sprint(i), Floor: fmt.Sprint(i / 100)})
	}
	return r, p
}

// ofTheDay are what the slider asks, and how long each may take.
var ofTheDay = []struct {
	name, path string
	most       time.Duration
}{
	{"a moment", moment(day.Add(5*time.Hour + 13*time.Minute)), 100 * time.Millisecond},
	{"a moment of one floor", moment(day.Add(9*time.Hour)) + "&floor=3", 100 * time.Millisecond},
	{"the day", "floor/day?day=2026-04-01", 300 * time.Millisecond},
	{"the day of one floor", "floor/day?day=2026-04-01&floor=3", 300 * time.Millisecond},
}

// look asks once.
func look(t testing.TB, r *Report, p plan, path string) {
	w := httptest.NewRecorder()
	r.Floors(func(*http.Request) (string, error) { return "aoki", nil }, p, func() *time.Location { return time.UTC }, func() []exchange.CallRecord { return nil }).
		ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/"+path, nil))
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"talking":[`) && !strings.Contains(w.Body.String(), `"account":"agent399"`) {
		t.Fatalf("%s: %d %.200s", path, w.Code, w.Body)
	}
}

// TestAThousandAgentsOfThePastAreThereInTime: a moment within 100 ms, the day within 300. A tenth of a day's events: BenchmarkADay has all.
func TestAThousandAgentsOfThePastAreThereInTime(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("measures: neither with -short nor with -race")
	}
	r, p := thousand(t, 10, 6)
	for _, m := range ofTheDay {
		var took []time.Duration
		for range 9 {
			began := time.Now()
			look(t, r, p, m.path)
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%s: %s, the longest %s", m.name, took[4].Round(time.Millisecond), took[8].Round(time.Millisecond))
		if took[4] > m.most {
			t.Errorf("%s took %s, promised %s", m.name, took[4], m.most)
		}
	}
}

// BenchmarkADay of a thousand agents with a hundred changes of status and sixty calls each.
func BenchmarkADay(b *testing.B) {
	r, p := thousand(b, 100, 60)
	for _, m := range ofTheDay {
		b.Run(m.name, func(b *testing.B) {
			for b.Loop() {
				look(b, r, p, m.path)
			}
		})
	}
}
