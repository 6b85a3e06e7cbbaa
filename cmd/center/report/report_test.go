package report

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// day is the morning on which everything here happens, long ago, so that no span is cut by now.
var day = time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)

// book is a ledger with a working day's writes.
type book struct {
	*ledger.Ledger
	t    *testing.T
	last map[string]ledger.Seq
}

func newBook(t *testing.T) *book {
	t.Helper()
	l, err := ledger.Open(ledger.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return &book{l, t, map[string]ledger.Seq{}}
}

func (b *book) write(kind, id string, minute int, v any) {
	b.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	subject, at := ledger.Subject(kind, id), day.Add(time.Duration(minute)*time.Minute)
	seq, err := b.Commit(b.t.Context(), subject+at.String(), []ledger.Write{
		{Subject: subject, Expect: b.last[subject], By: "system", Why: "test", At: at, Data: data},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.last[subject] = seq
}

func (b *book) agent(minute int, status string, change ...func(*roster.Agent)) {
	a := roster.Agent{Account: "aoki", Status: status, Session: &roster.Session{ID: "s"}}
	for _, c := range change {
		c(&a)
	}
	b.write(roster.KindAgent, "aoki", minute, a)
}

// run opens the report and runs it until the test ends.
func (b *book) run(path string) (*Report, func()) {
	b.t.Helper()
	r, err := Open(path, b.Ledger, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			b.t.Errorf("run: %v", err)
		}
		if err := r.Close(); err != nil {
			b.t.Error(err)
		}
	}
	b.t.Cleanup(stop)
	return r, stop
}

func everybody(*http.Request) Scope { return Scope{All: true} }

func get(t *testing.T, r *Report, target string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler(everybody).ServeHTTP(w, httptest.NewRequest("GET", target, nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(body)
}

const april1 = "from=2026-04-01&to=2026-04-02"

func TestTimeInStatusIsWhatTheLogSays(t *testing.T) {
	b := newBook(t)
	b.agent(0, wire.StatusAvailable)
	b.agent(30, wire.StatusBreak)
	b.agent(31, wire.StatusBreak) // another change of the same status makes no new span
	b.agent(45, wire.StatusAvailable)
	// Lost at 60, noticed at 62: the dead minutes are not Available.
	b.agent(62, wire.StatusAvailable, func(a *roster.Agent) { a.Conn, a.LostAt = "lost", day.Add(60*time.Minute) })
	b.agent(70, wire.StatusAvailable)
	b.agent(90, wire.StatusOff, func(a *roster.Agent) { a.Session = nil })
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	code, body := get(t, r, "/api/v1/reports/status-time?"+april1)
	var page Page[StatusRow]
	if err := json.Unmarshal([]byte(body), &page); code != 200 || err != nil {
		t.Fatal(code, body, err)
	}
	got := map[string]float64{}
	for _, row := range page.Rows {
		got[row.Status] = row.Seconds / 60
	}
	want := map[string]float64{wire.StatusAvailable: 30 + 15 + 20, wire.StatusBreak: 15, wire.StatusLost: 10}
	if len(got) != len(want) {
		t.Fatalf("minutes %v, want %v", got, want)
	}
	for status, minutes := range want {
		if got[status] != minutes {
			t.Errorf("%s: %v minutes, want %v", status, got[status], minutes)
		}
	}
	if page.AsOf.IsZero() {
		t.Error("the report does not say as of when it is")
	}
}

func TestAPeriodCutsSpans(t *testing.T) {
	b := newBook(t)
	b.agent(0, wire.StatusAvailable)
	b.agent(60, wire.StatusOff, func(a *roster.Agent) { a.Session = nil })
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	_, body := get(t, r, "/api/v1/reports/status-time?from=2026-04-01T09:10:00Z&to=2026-04-01T09:25:00Z&format=csv")
	if want := "\ufeffaccount,status,seconds\naoki,available,900\n"; body != want {
		t.Fatalf("%q, want %q", body, want)
	}
}

func callAt(minute int, change func(*exchange.CallRecord)) exchange.CallRecord {
	at := day.Add(time.Duration(minute) * time.Minute)
	r := exchange.CallRecord{
		ID: "x", From: "0312345678", To: "7000", Queue: "Support", Account: "aoki", Outside: true, Result: "answered", Code: 200,
		Began: at, Answered: at.Add(10 * time.Second), Ended: at.Add(70 * time.Second),
	}
	if change != nil {
		change(&r)
	}
	return r
}

func TestCallsAreCountedAndCannotBeFormulas(t *testing.T) {
	b := newBook(t)
	b.write(KindCalls, "center", 0, callAt(0, nil))
	b.write(KindCalls, "center", 5, callAt(5, func(r *exchange.CallRecord) {
		r.From, r.Name, r.Result, r.Code, r.Answered = "+81312345678", `=HYPERLINK("http://evil")`, "missed", 480, time.Time{}
		r.Why, r.Message, r.Offers = "late", "20260401-X", []exchange.OfferRecord{{Account: "aoki", At: day, Result: "silent"}}
	}))
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	_, body := get(t, r, "/api/v1/reports/calls?"+april1)
	var page Page[CallRow]
	if err := json.Unmarshal([]byte(body), &page); err != nil || len(page.Rows) != 2 {
		t.Fatal(body, err)
	}
	if c := page.Rows[1]; c.Talk != 60 || c.Wait != 10 || c.Result != "answered" {
		t.Errorf("answered call: %+v", c)
	}
	if c := page.Rows[0]; c.Talk != 0 || c.Wait != 70 || c.Result != "missed" || c.Why != "late" || c.Message == "" || !strings.Contains(string(c.Offers), "silent") {
		t.Errorf("missed call: %+v", c)
	}
	_, body = get(t, r, "/api/v1/reports/calls?format=csv&result=missed&"+april1)
	if !strings.Contains(body, `,'+81312345678,"'=HYPERLINK(""http://evil"")",`) || strings.Contains(body, "answered") {
		t.Errorf("csv: %s", body)
	}
}

func TestBadQuestionsAreToldSo(t *testing.T) {
	b := newBook(t)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	for _, q := range []string{"from=yesterday", "tz=Mars/Base", "from=2026-04-02&to=2026-04-01", "from=2020-01-01&to=2026-01-01",
		"order=began%3B--", "order=began;--", "account=%zz", "tz=Local", "tz=../../etc/passwd", "result=lost", "format=xml", "limit=0", "limit=10001", "limit=many", "cursor=x", "cursor=1.%27", "account=a&account=b"} {
		if code, body := get(t, r, "/api/v1/reports/calls?"+q); code != 400 {
			t.Errorf("%s: %d %s", q, code, body)
		}
	}
	for _, q := range []string{"queues?by=minute", "queues?within=0", "queues?cursor=-1", "queues?cursor=1", "agents?result=answered", "missed?reason=bored", "status-time?limit=x"} {
		if code, body := get(t, r, "/api/v1/reports/"+q); code != 400 || !strings.Contains(body, `"error"`) {
			t.Errorf("%s: %d %s", q, code, body)
		}
	}
	if code, body := get(t, r, "/api/v1/reports/calls?account="+`%27%3B+DROP+TABLE+call%3B--`); code != 200 {
		t.Errorf("a hostile account: %d %s", code, body)
	}
}

func TestReportsGoOnAndAreRebuilt(t *testing.T) {
	b := newBook(t)
	path := filepath.Join(t.TempDir(), "report.db")
	b.write(KindCalls, "center", 0, callAt(0, nil))
	count := func(r *Report) int {
		_, body := get(t, r, "/api/v1/reports/calls?"+april1)
		var page Page[CallRow]
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			t.Fatal(body, err)
		}
		return len(page.Rows)
	}
	for i, damage := range []func(){
		func() {},
		func() {},
		func() { os.Remove(path) },
		func() { os.WriteFile(path, []byte("this is no database, and long enough to be read as one"), 0o600) },
	} {
		damage()
		r, stop := b.run(path)
		if got := count(r); got != i+1 {
			t.Fatalf("round %d: %d calls", i, got)
		}
		b.write(KindCalls, "center", i+1, callAt(i+1, nil))
		if got := count(r); got != i+2 {
			t.Fatalf("round %d: %d calls after another one", i, got)
		}
		stop()
	}
}

func TestAReplacedLogMakesNewReports(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.db")
	old := newBook(t)
	for i := range 5 {
		old.write(KindCalls, "center", i, callAt(i, nil))
	}
	r, stop := old.run(path)
	r.catchUp(t.Context())
	stop()
	other := newBook(t)
	other.write(KindCalls, "center", 0, callAt(0, nil))
	r, _ = other.run(path)
	if lag, err := r.Lag(t.Context()); err != nil || lag > 1 {
		t.Fatal(lag, err)
	}
	_, body := get(t, r, "/api/v1/reports/calls?"+april1)
	if strings.Count(body, `"began"`) != 1 {
		t.Fatal(body)
	}
}
