package report

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// rang has the phone of aoki tell of a call by a name of its own, from a minute on; answered and gone are seconds later, 0: not.
func (b *book) rang(name, peer string, minute, answered int, change ...func(*roster.Call)) {
	c := roster.Call{ID: name, Phase: wire.CallTalking, Inbound: true, Outside: true, Peer: peer, Queue: "Support", Began: day.Add(time.Duration(minute)*time.Minute + time.Second)}
	if answered > 0 {
		c.Answered = c.Began.Add(time.Duration(answered) * time.Second)
	}
	for _, f := range change {
		f(&c)
	}
	b.agent(minute, wire.StatusAvailable, func(a *roster.Agent) { a.Calls = []roster.Call{c} })
}

func (b *book) noted(name, outcome, text string, minute int, at time.Time) {
	b.write(roster.KindNote, "aoki", minute, roster.Note{Call: name, Outcome: outcome, Text: text, At: at})
}

// TestNotesStandWithTheirCalls though the phone knows a call by another name than the exchange, and uses a name again.
func TestNotesStandWithTheirCalls(t *testing.T) {
	b := newBook(t)
	minute := func(n int) time.Time { return day.Add(time.Duration(n) * time.Minute) }
	b.rang("out1", "0312345678", 1, 9)
	b.noted("out1", "sold", "=cmd|' /C calc'!A0\nsecond line", 2, minute(2))
	b.agent(3, wire.StatusWork)
	b.came(1, 10, 60, nil) // the exchange's row of it comes when it is over
	b.noted("out1", "asked", "later", 4, minute(4))
	b.noted("out1", "old", "earlier, and late", 5, minute(3)) // not the newest
	b.rang("out1", "0399999999", 10, 5, func(c *roster.Call) { c.Inbound, c.Queue = false, "" })
	b.agent(11, wire.StatusWork)
	b.noted("out1", "", "another call of that name", 12, minute(12))
	b.came(10, 2, 30, func(r *exchange.CallRecord) { r.Queue, r.Caller, r.From, r.To = "", "1001", "1001", "0399999999" })
	b.noted("nothing", "sold", "of no call", 13, minute(13))
	b.rang("c7", "0355555555", 20, 0)
	b.agent(21, wire.StatusAvailable)
	b.came(20, 12, 0, left)
	path := filepath.Join(t.TempDir(), "report.db")
	r, stop := b.run(path)
	check := func(r *Report) {
		t.Helper()
		rows := rowsOf[CallRow](t, r, "calls?"+april1).Rows
		if len(rows) != 3 || rows[0].Remarks != nil || len(rows[1].Remarks) != 1 || rows[1].Remarks[0].Text != "another call of that name" ||
			len(rows[2].Remarks) != 1 || rows[2].Remarks[0] != (Remark{"aoki", "asked", "later", minute(4)}) {
			t.Errorf("%+v", rows)
		}
		if rows := rowsOf[CallRow](t, r, "calls?outcome=asked&"+april1).Rows; len(rows) != 1 || rows[0].Caller != "0312345678" {
			t.Errorf("those that ended so: %+v", rows)
		}
		counts := rowsOf[OutcomeRow](t, r, "outcomes?"+april1).Rows
		if len(counts) != 2 || counts[0] != (OutcomeRow{"asked", "Support", "aoki", 1, 110}) || counts[1].Outcome != "" || counts[1].Calls != 1 {
			t.Errorf("%+v", counts)
		}
		w := httptest.NewRecorder()
		r.Mine(func(*http.Request) (string, error) { return "aoki", nil }, func() *time.Location { return time.UTC }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/mine/calls?"+april1, nil))
		var h wire.CallHistory
		if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil || len(h.Calls) != 3 || h.Calls[2].Outcome != "asked" || h.Calls[2].Note != "later" || h.Calls[0].Note != "" {
			t.Errorf("%s", w.Body)
		}
	}
	check(r)
	changes, err := r.Audit(t.Context(), AuditQuery{From: day, To: day.AddDate(0, 0, 1), Kind: roster.KindNote, Most: 9})
	if err != nil || len(changes) != 1 || string(changes[0].Fields[0].Was) != `"sold"` || string(changes[0].Fields[0].Is) != `"asked"` {
		t.Errorf("what was written before: %+v %v", changes, err)
	}
	for call, want := range map[string]bool{"out1": true, "c7": true, "nothing": false} {
		if _, ok := ownCall(t, r, "aoki", call, day); ok != want {
			t.Errorf("%s is own: %v", call, ok)
		}
	}
	if _, ok := ownCall(t, r, "aoki", "c7", day.AddDate(0, 0, 1)); ok {
		t.Error("a day later")
	}
	if _, ok := ownCall(t, r, "baba", "out1", day); ok {
		t.Error("another's")
	}
	stop()
	again, _ := b.run(path)
	check(again)
}

// TestANoteStandsWithACallThatFailedAtOnce: the exchange has written it down before the phone told that it began.
func TestANoteStandsWithACallThatFailedAtOnce(t *testing.T) {
	b := newBook(t)
	out := func(r *exchange.CallRecord) {
		r.Queue, r.Caller, r.From, r.To, r.Offers = "", "1001", "1001", "2002", nil
	}
	b.came(1, 1, 0, func(r *exchange.CallRecord) { out(r); r.Result, r.Code = "failed", 480 })
	b.rang("out1", "2002", 1, 0, func(c *roster.Call) { c.Inbound, c.Outside, c.Queue = false, false, "" })
	b.agent(2, wire.StatusAvailable)
	b.noted("out1", "later", "try again", 3, day.Add(3*time.Minute))
	b.rang("out2", "2002", 30, 0, func(c *roster.Call) { c.Inbound, c.Outside, c.Queue = false, false, "" }) // that one is another call
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	rows := rowsOf[CallRow](t, r, "calls?"+april1).Rows
	if len(rows) != 1 || len(rows[0].Remarks) != 1 || rows[0].Remarks[0].Text != "try again" {
		t.Errorf("%+v", rows)
	}
}

// ownCall asks until the reports are as far as the log.
func ownCall(t *testing.T, r *Report, account, call string, since time.Time) (queue string, own bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		queue, own, err := r.OwnCall(t.Context(), account, call, since)
		if err == nil {
			return queue, own
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		r.catchUp(t.Context())
	}
}

// TestNotesAboutCallsThatOnlyTheCenterKnows: of one that the phone had, by the center's name for it; of one that was missed while no
// phone was there; and of nobody else's.
func TestNotesAboutCallsThatOnlyTheCenterKnows(t *testing.T) {
	b := newBook(t)
	minute := func(n int) time.Time { return day.Add(time.Duration(n) * time.Minute) }
	b.rang("c1", "0312345678", 1, 9)
	b.agent(3, wire.StatusWork)
	b.came(1, 10, 60, func(r *exchange.CallRecord) { r.ID = "x1@trunk" })
	b.came(10, 12, 0, func(r *exchange.CallRecord) {
		left(r)
		r.ID, r.Account, r.Queue, r.Offers = "x2@trunk", "aoki", "", nil
	})
	b.came(20, 5, 30, func(r *exchange.CallRecord) { r.ID, r.Account, r.Offers = "x3@trunk", "baba", nil })
	b.noted(wire.CenterCall+"x1@trunk", "sold", "at another seat", 30, minute(30))
	b.noted(wire.CenterCall+"x2@trunk", "", "called back later", 31, minute(31))
	b.noted(wire.CenterCall+"x2@trunk", "", "never called back", 32, minute(32))
	r, stop := b.run(filepath.Join(t.TempDir(), "report.db"))
	defer stop()
	w := httptest.NewRecorder()
	r.Mine(func(*http.Request) (string, error) { return "aoki", nil }, func() *time.Location { return time.UTC }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/reports/mine/calls?"+april1, nil))
	var h wire.CallHistory
	if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil || len(h.Calls) != 2 || h.Calls[0].Note != "never called back" || h.Calls[0].Result != "missed" ||
		h.Calls[1].Note != "at another seat" || h.Calls[1].Outcome != "sold" {
		t.Errorf("%s", w.Body)
	}
	if rows := rowsOf[CallRow](t, r, "calls?"+april1).Rows; len(rows) != 3 || rows[0].Remarks != nil || len(rows[1].Remarks) != 1 || len(rows[2].Remarks) != 1 {
		t.Errorf("%+v", rows)
	}
	if counts := rowsOf[OutcomeRow](t, r, "outcomes?"+april1).Rows; len(counts) != 1 || counts[0] != (OutcomeRow{"sold", "Support", "aoki", 1, 110}) {
		t.Errorf("%+v", counts)
	}
	for call, want := range map[string]string{"x1@trunk": "Support", "x2@trunk": "", "x3@trunk": "no", "x4@trunk": "no"} {
		queue, own := ownCall(t, r, "aoki", wire.CenterCall+call, day)
		if own != (want != "no") || own && queue != want {
			t.Errorf("%s: %q %v", call, queue, own)
		}
	}
	if _, own := ownCall(t, r, "aoki", wire.CenterCall+"x1@trunk", day.AddDate(0, 0, 1)); own {
		t.Error("a day later")
	}
}

func TestNotesCannotBeFormulas(t *testing.T) {
	b := newBook(t)
	b.rang("c1", "0312345678", 1, 9)
	b.noted("c1", "sold", "=HYPERLINK(\"http://evil\")", 2, day.Add(2*time.Minute))
	b.agent(3, wire.StatusWork)
	b.came(1, 10, 60, nil)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	_, body := get(t, r, "/api/v1/reports/calls?format=csv&"+april1)
	if !strings.Contains(body, `sold,"'=HYPERLINK(""http://evil"")"`) {
		t.Errorf("%s", body)
	}
	if code, body := get(t, r, "/api/v1/reports/outcomes?format=csv&"+april1); code != 200 || !strings.Contains(body, "outcome,queue,account,calls,talk_seconds\nsold,Support,aoki,1,") {
		t.Errorf("%d %s", code, body)
	}
}
