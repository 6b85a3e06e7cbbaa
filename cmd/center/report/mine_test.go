package report

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// ownDay asks for the day of whoever it is, in a zone.
func ownDay(t *testing.T, r *Report, account, query string, zone *time.Location) (code int, d wire.OwnDay) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Mine(func(*http.Request) (string, error) {
		if account == "" {
			return "", wire.Problem{Code: wire.ProblemExpired}
		}
		return account, nil
	}, func() *time.Location { return zone }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/mine/day"+query, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%s: %d %s %v", query, w.Code, w.Body, w.Header())
	}
	return w.Code, d
}

// TestAnAgentsOwnDayIsAsSupervisorsSeeIt, with the center's midnight, and nobody else's.
func TestAnAgentsOwnDayIsAsSupervisorsSeeIt(t *testing.T) {
	b := newBook(t)
	b.write(roster.KindTerminal, "1001", 0, roster.Terminal{Extension: "1001", Type: "softphone", Account: "aoki"})
	b.write(roster.KindStatus, "lunch", 0, map[string]any{"id": "lunch", "class": "pause"})
	offered := func(results ...string) func(*exchange.CallRecord) {
		return func(r *exchange.CallRecord) {
			for i, result := range results {
				r.Offers = append(r.Offers, exchange.OfferRecord{Account: []string{"aoki", "baba"}[i], At: r.Began, Result: result})
			}
		}
	}
	b.agent(0, wire.StatusAvailable)
	b.came(1, 5, 100, nil)
	b.came(5, 5, 50, func(r *exchange.CallRecord) { r.Queue, r.Caller, r.From, r.To = "", "1001", "1001", "0377777777" })
	b.agent(10, wire.StatusWork)
	b.agent(12, "lunch")
	b.agent(30, wire.StatusBreak)
	b.agent(40, wire.StatusAvailable)
	b.came(41, 20, 0, offered("missed", "declined"))
	b.came(42, 20, 0, offered("silent"))
	b.came(43, 20, 0, offered("silent", "missed"))
	b.came(44, 20, 0, offered("declined"))
	b.came(45, 20, 0, offered("cancelled")) // the caller gave up: nobody's fault
	b.came(46, 20, 60, func(r *exchange.CallRecord) { r.Account = "baba" })
	b.agent(60, wire.StatusOff, func(a *roster.Agent) { a.Session = nil })
	b.came(15*60+1, 5, 30, nil) // one minute past midnight, UTC
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	r.now = func() time.Time { return day.Add(20 * time.Hour) } // the next day at 5
	code, got := ownDay(t, r, "aoki", "?day=2026-04-01", time.UTC)
	got.AsOf = time.Time{}
	want := wire.OwnDay{Day: "2026-04-01", Today: "2026-04-02", Taken: 1, Made: 1, Talk: 150, Average: 75, Work: 120, Pause: 28 * 60, SignedIn: 3600,
		Missed: map[string]int{notTaken: 1, "silent": 2, "declined": 1}}
	if code != 200 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d %+v\nwant %+v", code, got, want)
	}
	row := rowsOf[AgentRow](t, r, "agents?account=aoki&"+april1).Rows[0]
	sum := 0
	for _, n := range got.Missed {
		sum += n
	}
	if row.SignedIn != got.SignedIn || row.TalkIn+row.TalkOut != got.Talk || row.Missed+row.Declined != sum {
		t.Errorf("a supervisor sees %+v", row)
	}
	if _, d := ownDay(t, r, "aoki", "", time.UTC); d.Day != "2026-04-02" || d.Taken != 1 || d.Talk != 30 || d.Missed != nil {
		t.Errorf("today: %+v", d)
	}
	if _, d := ownDay(t, r, "aoki", "?day=2026-04-01", time.FixedZone("", -2*3600)); d.Taken != 2 || d.Today != "2026-04-02" {
		t.Errorf("where it is two hours earlier: %+v", d)
	}
	if _, d := ownDay(t, r, "chiba", "?day=2026-04-01", time.UTC); d.SignedIn != 0 || d.Missed != nil || d.Average != 0 {
		t.Errorf("who was not there: %+v", d)
	}
	for _, query := range []string{"?account=baba", "?day=2026-04-01&account=baba", "?day=2026-04-01&day=2026-04-02", "?day=yesterday", "?day=", "?day=2026-04-03",
		"?from=2026-04-01", "?day=2026-04-01;account=baba", "?day=" + strings.Repeat("9", 10000)} {
		if code, d := ownDay(t, r, "aoki", query, time.UTC); code != 400 || d.Day != "" {
			t.Errorf("%.40s: %d %+v", query, code, d)
		}
	}
	if code, d := ownDay(t, r, "", "?day=2026-04-01", time.UTC); code != 401 || d.Day != "" {
		t.Errorf("nobody: %d %+v", code, d)
	}
}
