package report

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
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

// memory is a log of which nothing follows.
type memory []ledger.Event

func (m memory) End(context.Context) (ledger.Seq, error) { return 0, nil }

func (m memory) Follow(ctx context.Context, after ledger.Seq, tell func(ledger.Event)) error {
	for _, e := range m[min(int(after), len(m)):] {
		tell(e)
	}
	<-ctx.Done()
	return ctx.Err()
}

// came is a call of a queue at a minute of the day that waited and talked for seconds; talk 0: nobody answered.
func (b *book) came(minute, wait, talk int, change func(*exchange.CallRecord)) {
	b.write(KindCalls, "center", minute, callAt(minute, func(r *exchange.CallRecord) {
		at := time.Duration(wait) * time.Second
		r.ID, r.Answered, r.Ended = fmt.Sprint("c", minute), r.Began.Add(at), r.Began.Add(at+time.Duration(talk)*time.Second)
		if talk == 0 {
			r.Answered, r.Result, r.Code = time.Time{}, "missed", 480
		}
		if change != nil {
			change(r)
		}
	}))
}

func left(r *exchange.CallRecord) { r.Result, r.Code = "cancelled", 487 }

func TestQueuesAreCountedByTheHour(t *testing.T) {
	b := newBook(t)
	b.came(0, 10, 60, nil)
	b.came(1, 20, 120, nil)
	b.came(2, 90, 30, nil)
	b.came(3, 5, 0, left)
	b.came(4, 45, 0, left)
	b.came(5, 1, 0, func(r *exchange.CallRecord) { r.Why = "closed" })
	b.came(6, 300, 0, func(r *exchange.CallRecord) { r.Why, r.Result, r.Message = "late", "voice", "m" })
	b.came(7, 30, 0, nil)
	b.came(61, 4, 10, func(r *exchange.CallRecord) { r.Queue = "Sales" })
	b.came(62, 4, 10, func(r *exchange.CallRecord) { r.Queue = "" }) // of no queue
	b.came(15*60-1, 10, 180, nil)                                    // over midnight: 23:59 UTC
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	page := rowsOf[QueueRow](t, r, "queues?within=20&"+april1)
	if len(page.Rows) != 3 || page.Rows[0].Queue != "Sales" || page.Rows[2].At != time.Date(2026, 4, 1, 23, 0, 0, 0, time.UTC) || page.Rows[2].TalkAverage != 180 {
		t.Fatalf("%+v", page.Rows)
	}
	got := page.Rows[1]
	got.TalkAverage, got.Level = float64(int(got.TalkAverage)), float64(int(got.Level*10))/10
	want := QueueRow{Queue: "Support", At: day, Offered: 8, Answered: 3, Abandoned: 2, Voice: 1, Closed: 1, Lost: 1,
		Level: 33.3, WaitAverage: 40, WaitMedian: 20, WaitP90: 90, WaitLongest: 300, AbandonAverage: 25, TalkAverage: 70} // 2 of 8-1-1
	if got != want {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if half := rowsOf[QueueRow](t, r, "queues?by=half&queue=Support&"+april1); len(half.Rows) != 2 || half.Rows[0].At != day || half.Rows[0].Offered != 8 ||
		half.Rows[1].At != time.Date(2026, 4, 1, 23, 30, 0, 0, time.UTC) {
		t.Errorf("by half hour: %+v", half.Rows)
	}
	if day := rowsOf[QueueRow](t, r, "queues?by=day&queue=Support&tz=Asia/Kathmandu&from=2026-04-01&to=2026-04-03"); len(day.Rows) != 2 || day.Rows[0].Offered != 8 ||
		day.Rows[1].At != time.Date(2026, 4, 1, 18, 15, 0, 0, time.UTC) {
		t.Errorf("by day: %+v", day.Rows)
	}
	if all := rowsOf[QueueRow](t, r, "queues?by=total&"+april1); len(all.Rows) != 2 || all.Rows[1].Offered != 9 {
		t.Errorf("total: %+v", all.Rows)
	}
}

func TestTheHourThatComesTwiceIsTwo(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	a := ask{zone: zone}
	first := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC) // 02:30, and an hour later again
	x, y := a.bucket(first), a.bucket(first.Add(time.Hour))
	if x.Format("15:04 MST") != "02:00 CEST" || y.Format("15:04 MST") != "02:00 CET" {
		t.Errorf("%s, %s", x, y)
	}
}

func TestMissedCallsSayWhy(t *testing.T) {
	offers := func(results ...string) func(*exchange.CallRecord) {
		return func(r *exchange.CallRecord) {
			for i, result := range results {
				r.Offers = append(r.Offers, exchange.OfferRecord{Account: []string{"aoki", "baba"}[i%2], At: r.Began.Add(time.Second), Took: 5000, Result: result})
			}
		}
	}
	rows := []struct {
		change func(*exchange.CallRecord)
		want   string
	}{
		{left, "left"},
		{offers("silent", "declined"), "declined"},
		{offers("declined", "silent"), "silent"},
		{offers("missed"), "unanswered"},
		{offers("unreached"), "unreached"},
		{offers("refused"), "refused"},
		{func(r *exchange.CallRecord) { offers("cancelled")(r); left(r) }, "left"},
		{nil, "nobody"},
		{func(r *exchange.CallRecord) { r.Why = "closed" }, "closed"},
		{func(r *exchange.CallRecord) { r.Why = "full" }, "full"},
		{func(r *exchange.CallRecord) { r.Why, r.Result, r.Message = "late", "voice", "m" }, "late"},
		{func(r *exchange.CallRecord) { r.Queue, r.Result, r.Code = "", "refused", 486 }, "busy"},
		{func(r *exchange.CallRecord) { r.Queue, r.Code = "", 480 }, "unanswered"},
		{func(r *exchange.CallRecord) { r.Queue, r.Result, r.Code = "", "refused", 603 }, "declined"},
	}
	b := newBook(t)
	b.write(roster.KindTerminal, "1001", 0, roster.Terminal{Extension: "1001", Type: "softphone", Account: "aoki"})
	for i, row := range rows {
		b.came(i, 30, 0, row.change)
	}
	b.came(100, 1, 30, func(r *exchange.CallRecord) { r.Queue, r.Caller, r.From, r.To = "", "1001", "1001", "0312345678" }) // calls back
	b.came(101, 1, 0, func(r *exchange.CallRecord) { r.Queue, r.Caller, r.Result = "", "1001", "refused" })                 // an outbound call is not missed
	b.came(102, 1, 0, func(r *exchange.CallRecord) {
		r.Queue, r.Outside, r.Caller, r.Callee, r.Account = "", false, "2", "1001", "baba"
	}) // nor an inside one
	b.came(103, 9, 0, func(r *exchange.CallRecord) { r.From = "0399999999" })
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	page := rowsOf[MissedRow](t, r, "missed?"+april1)
	if len(page.Rows) != len(rows)+1 {
		t.Fatalf("%d rows: %+v", len(page.Rows), page.Rows)
	}
	if m := page.Rows[0]; m.Caller != "0399999999" || !m.Back.IsZero() {
		t.Errorf("nobody has called back: %+v", m)
	}
	slices.Reverse(page.Rows)
	for i, row := range rows {
		m := page.Rows[i]
		if m.Reason != row.want || m.Wait != 30 || !m.Back.Equal(day.Add(100*time.Minute)) || !slices.Contains(reasons, m.Reason) {
			t.Errorf("%d: %+v, want %s", i, m, row.want)
		}
	}
	if by := rowsOf[MissedRow](t, r, "missed?account=baba&reason=silent&"+april1); len(by.Rows) != 1 {
		t.Errorf("of baba: %+v", by.Rows)
	}
	if out := rowsOf[CallRow](t, r, "calls?direction=out&"+april1); len(out.Rows) != 2 {
		t.Errorf("outbound: %+v", out.Rows)
	}
}

// TestAgentsSeeTheirOwnPast and nothing of others.
func TestAgentsSeeTheirOwnPast(t *testing.T) {
	b := newBook(t)
	b.write(roster.KindTerminal, "1001", 0, roster.Terminal{Extension: "1001", Type: "softphone", Account: "aoki"})
	b.agent(0, wire.StatusAvailable)
	offered := func(account, result string) exchange.OfferRecord {
		return exchange.OfferRecord{Account: account, At: day, Took: 12000, Result: result}
	}
	b.came(1, 20, 60, func(r *exchange.CallRecord) {
		r.Account, r.Offers = "baba", []exchange.OfferRecord{offered("aoki", "missed"), offered("baba", "answered")}
	})
	b.came(2, 20, 0, func(r *exchange.CallRecord) { left(r); r.Offers = []exchange.OfferRecord{offered("aoki", "cancelled")} })
	b.came(3, 20, 60, func(r *exchange.CallRecord) { r.Offers = []exchange.OfferRecord{offered("aoki", "answered")} })
	b.came(4, 20, 60, func(r *exchange.CallRecord) { r.Account = "baba" })
	b.came(5, 2, 9, func(r *exchange.CallRecord) { r.Queue, r.Caller, r.From, r.To = "", "1001", "1001", "0377777777" })
	b.came(6, 2, 9, func(r *exchange.CallRecord) {
		r.Queue, r.Outside, r.Account, r.Caller, r.From, r.To, r.Callee = "", false, "baba", "1002", "1002", "1001", "1001"
	})
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	whose := "aoki"
	ask := func(target string, into any) int {
		w := httptest.NewRecorder()
		r.Mine(func(*http.Request) (string, error) {
			if whose == "" {
				return "", wire.Problem{Code: wire.ProblemExpired}
			}
			return whose, nil
		}, func() *time.Location { return time.UTC }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/mine/"+target, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatal(target, w.Body, err)
		}
		return w.Code
	}
	var h wire.CallHistory
	ask("calls?"+april1, &h)
	var got []string
	for _, c := range h.Calls {
		got = append(got, fmt.Sprintf("%s %v %s %s %s %.0f %.0f %v", c.ID, c.Inbound, c.Dial, c.Result, c.Reason, c.Wait, c.Talk, c.Back))
	}
	want := []string{"c6 true 1002 answered  2 9 false", "c5 false 0377777777 answered  2 9 false", "c3 true 0312345678 answered  20 60 false",
		"c2 true 0312345678 missed left 12 0 true", "c1 true 0312345678 elsewhere unanswered 12 0 false"}
	if !slices.Equal(got, want) {
		t.Errorf("calls\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	ask("calls?limit=2&"+april1, &h)
	if len(h.Calls) != 2 || h.Next == "" {
		t.Errorf("a page: %+v", h)
	}
	r.now = func() time.Time { return day.Add(80 * 24 * time.Hour) }
	next := h.Next
	h = wire.CallHistory{}
	if ask("calls?limit=3&cursor="+next, &h); len(h.Calls) != 3 || h.Next != "" || h.Calls[0].ID != "c3" {
		t.Errorf("the rest, 80 days later: %+v", h)
	}
	r.now = func() time.Time { return day.Add(91 * 24 * time.Hour) }
	if ask("calls", &h); len(h.Calls) != 0 {
		t.Errorf("after 91 days: %+v", h)
	}
	var p wire.Problem
	if code := ask("calls?cursor=me", &p); code != 400 || p.Code != wire.ProblemNoRow {
		t.Errorf("a cursor of somebody else's: %d %+v", code, p)
	}
	var s wire.StatusHistory
	if ask("activity?"+april1, &s); len(s.Spans) != 1 || s.Spans[0].Status != wire.StatusAvailable {
		t.Errorf("%+v", s)
	}
	if code := ask("activity?account=baba", &map[string]any{}); code != 400 {
		t.Errorf("another's: %d", code)
	}
	whose = ""
	if code := ask("calls", &map[string]any{}); code != 401 {
		t.Errorf("nobody: %d", code)
	}
}

func TestSupervisorsSeeTheirGroupsOnly(t *testing.T) {
	b := newBook(t)
	b.agent(0, wire.StatusAvailable)
	b.write(roster.KindAgent, "baba", 0, roster.Agent{Account: "baba", Status: wire.StatusBreak, Session: &roster.Session{ID: "s"}})
	b.came(1, 5, 5, nil)
	b.came(2, 5, 5, func(r *exchange.CallRecord) { r.Queue, r.Account = "Sales", "baba" })
	b.came(3, 5, 0, func(r *exchange.CallRecord) { r.Queue, r.Account, r.From = "Sales", "", "0399999999" })
	b.came(4, 5, 0, func(r *exchange.CallRecord) {
		r.Queue, r.Account, r.Offers = "Other", "baba", []exchange.OfferRecord{{Account: "aoki", At: day, Result: "missed"}}
	})
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	seen := func(s Scope, target string) int {
		w := httptest.NewRecorder()
		r.Handler(func(*http.Request) Scope { return s }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/"+target+"?"+april1, nil))
		var page struct{ Rows []json.RawMessage }
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
			t.Fatal(target, w.Code, w.Body)
		}
		return len(page.Rows)
	}
	for _, row := range []struct {
		scope                                              Scope
		calls, missed, status, activity, queues, agentDays int
	}{
		{Scope{All: true}, 4, 2, 2, 2, 3, 2},
		{Scope{People: []string{"aoki"}}, 2, 1, 1, 1, 0, 1},
		{Scope{People: []string{"baba"}, Queues: []string{"Sales"}}, 3, 2, 1, 1, 1, 1},
		{Scope{}, 0, 0, 0, 0, 0, 0},
	} {
		got := [...]int{seen(row.scope, "calls"), seen(row.scope, "missed"), seen(row.scope, "status-time"), seen(row.scope, "activity"), seen(row.scope, "queues"), seen(row.scope, "agents")}
		if want := [...]int{row.calls, row.missed, row.status, row.activity, row.queues, row.agentDays}; got != want {
			t.Errorf("%+v: %v, want %v", row.scope, got, want)
		}
	}
}

func TestAgentsDaysAreAddedUp(t *testing.T) {
	b := newBook(t)
	b.write(roster.KindStatus, "mail", 0, map[string]any{"id": "mail", "class": "available"})
	talks := func(a *roster.Agent) {
		a.Calls = []roster.Call{{ID: "c", Phase: wire.CallTalking, Inbound: true, Outside: true, Answered: day}}
	}
	b.agent(0, wire.StatusAvailable)
	b.agent(20, wire.StatusAvailable, talks)
	b.agent(30, wire.StatusWork)
	b.agent(40, "mail")
	b.agent(60, wire.StatusBreak)
	b.agent(90, wire.StatusOff, func(a *roster.Agent) { a.Session = nil })
	b.came(20, 5, 595, nil)
	b.came(50, 5, 0, func(r *exchange.CallRecord) {
		r.Offers = []exchange.OfferRecord{{Account: "aoki", At: day.Add(50 * time.Minute), Result: "missed"}, {Account: "aoki", At: day.Add(51 * time.Minute), Result: "declined"}}
	})
	for i, outcome := range []string{"sold", "gone", "sold", ""} {
		name := fmt.Sprint("n", i)
		off := func(calls ...roster.Call) func(*roster.Agent) { // signed out: no time is added to the day
			return func(a *roster.Agent) { a.Session, a.Calls = nil, calls }
		}
		at := day.Add(time.Duration(100+3*i) * time.Minute)
		b.agent(100+3*i, wire.StatusOff, off(roster.Call{ID: name, Inbound: true, Outside: true, Peer: fmt.Sprint("03111100", i), Began: at, Answered: at}))
		b.agent(101+3*i, wire.StatusOff, off())
		b.noted(name, outcome, "", 102+3*i, day.Add(time.Duration(102+3*i)*time.Minute))
	}
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	page := rowsOf[AgentRow](t, r, "agents?"+april1)
	if len(page.Rows) != 1 {
		t.Fatalf("%+v", page.Rows)
	}
	g := page.Rows[0]
	// 10 minutes of calls and 10 of after-call work beside 40 of waiting, of which 20 in a status of the center's own.
	if g.SignedIn != 5400 || g.Taken != 1 || g.TalkIn != 595 || g.Work != 600 || g.Missed != 1 || g.Declined != 1 || fmt.Sprintf("%.1f", g.Occupancy) != "33.3" || len(g.Outcomes) != 2 || g.Outcomes["sold"] != 2 {
		t.Errorf("%+v", g)
	}
	_, csv := get(t, r, "/api/v1/reports/agents?format=csv&"+april1)
	if want := "aoki,2026-04-01,5400,1200,600,1800,0,0,600,0,0,1200,1,0,595,0,1,1,33.3,\"gone 1, sold 2\"\n"; !strings.HasSuffix(csv, want) {
		t.Errorf("%s, want %s", csv, want)
	}
}

func TestLongAnswersSayThatThereIsMoreAndTablesAreWhole(t *testing.T) {
	b := newBook(t)
	for i := range 7 {
		b.came(i, 1, 1, nil)
	}
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	first := rowsOf[CallRow](t, r, "calls?limit=3&"+april1)
	second := rowsOf[CallRow](t, r, "calls?limit=3&cursor="+first.Next+"&"+april1)
	third := rowsOf[CallRow](t, r, "calls?limit=3&cursor="+second.Next+"&"+april1)
	if len(first.Rows) != 3 || len(second.Rows) != 3 || len(third.Rows) != 1 || third.Next != "" || !second.Rows[0].Began.Before(first.Rows[2].Began) {
		t.Errorf("%d %d %d %q", len(first.Rows), len(second.Rows), len(third.Rows), third.Next)
	}
	a, err := question(april1, nil, time.Now(), 0)
	if err != nil {
		t.Fatal(err)
	}
	a.limit = 3 // as if it were mostRow
	a.narrow(Scope{All: true})
	w := httptest.NewRecorder()
	if err := table(w, httptest.NewRequest("GET", "/api/v1/reports/calls?format=csv", nil), a, r.Calls, callColumns); err != nil || strings.Count(w.Body.String(), "\n") != 8 {
		t.Errorf("%v %s", err, w.Body)
	}
	w = httptest.NewRecorder()
	r.Handler(everybody).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/calls?format=csv&limit=3&"+april1, nil))
	if strings.Count(w.Body.String(), "\n") != 4 || !strings.Contains(w.Header().Get("Link"), "cursor="+first.Next) {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

func TestAnEventThatCannotBeReadIsLeftOut(t *testing.T) {
	said := &strings.Builder{}
	at := func(seq int, kind, id, data string) ledger.Event {
		return ledger.Event{Seq: ledger.Seq(seq), Subject: ledger.Subject(kind, id), At: day, Data: []byte(data)}
	}
	log := memory{at(1, KindCalls, "center", `{"began":7}`), at(2, roster.KindAgent, "aoki", `[]`), at(3, roster.KindQueue, "7000", `"?"`), at(4, KindCalls, "center", "null"),
		at(5, roster.KindAgent, "aoki", "null"), {Seq: 6, Subject: "no-subject-of-ours"}, at(7, KindCalls, "center", `{"id":"x","result":"answered"}`)}
	r, err := Open(filepath.Join(t.TempDir(), "report.db"), log, slog.New(slog.NewTextHandler(said, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := r.writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	if err := w.take(log); err != nil {
		t.Fatal(err)
	}
	var calls int
	if err := r.db.QueryRow("SELECT count(*) FROM call").Scan(&calls); err != nil || calls != 1 || r.cursor.Load() != 7 {
		t.Errorf("%d calls, cursor %d, %v", calls, r.cursor.Load(), err)
	}
	if n := strings.Count(said.String(), "left out of the reports"); n != 3 {
		t.Errorf("%d told: %s", n, said)
	}
}
