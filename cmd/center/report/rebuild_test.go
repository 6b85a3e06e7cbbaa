package report

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// scroll is a log that is read by the reports as a ledger's.
type scroll struct{ memory }

func (s scroll) End(context.Context) (ledger.Seq, error) { return ledger.Seq(len(s.memory)), nil }

// drawLog draws what a center writes: agents' days, calls, terminals, settings, what is removed, and what nobody can read.
func drawLog(t *rapid.T) (log memory) {
	at := day
	person := rapid.SampledFrom([]string{"aoki", "baba", "chiba"})
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		at = at.Add(time.Duration(rapid.IntRange(-60, 1800).Draw(t, "seconds")) * time.Second)
		account := person.Draw(t, "account")
		kind, id, v := roster.KindAgent, account, any(nil)
		switch rapid.SampledFrom([]string{"agent", "agent", "agent", "agent", "call", "terminal", "queue", "gone", "bad", "note", "note", "outcome", "book", "seat", "status", "attend", "away"}).Draw(t, "kind") {
		case "agent":
			a := roster.Agent{Account: account, Status: rapid.SampledFrom([]string{wire.StatusAvailable, wire.StatusBreak, wire.StatusOff}).Draw(t, "status"), Seat: rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "seat")}
			if rapid.Bool().Draw(t, "in") {
				a.Session = &roster.Session{ID: rapid.SampledFrom([]string{"s", "t"}).Draw(t, "session"), Machine: "pc"}
			}
			if rapid.IntRange(0, 4).Draw(t, "late") == 0 {
				a.Told = at.Add(-time.Duration(rapid.IntRange(3, 4000).Draw(t, "ago")) * time.Second)
			}
			if rapid.IntRange(0, 5).Draw(t, "sounded") == 0 {
				a.Sound = &roster.Sound{Peer: "1", Ended: at, MOS: 4}
			}
			for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"out1", "c2"}), 0, 2, rapid.ID).Draw(t, "calls") {
				c := roster.Call{ID: name, Began: at.Truncate(time.Hour), Peer: rapid.SampledFrom([]string{"0312345678", "1002"}).Draw(t, "peer"), Queue: "Support"}
				if rapid.Bool().Draw(t, "answered") {
					c.Answered = c.Began.Add(time.Minute)
				}
				a.Calls = append(a.Calls, c)
			}
			v = a
		case "note":
			kind = roster.KindNote
			v = roster.Note{Call: rapid.SampledFrom([]string{"out1", "c2"}).Draw(t, "of"), Outcome: rapid.SampledFrom([]string{"", "sold"}).Draw(t, "outcome"),
				Text: rapid.SampledFrom([]string{"", "=1"}).Draw(t, "text"), At: at.Add(time.Duration(rapid.IntRange(-7200, 60).Draw(t, "late")) * time.Second)}
		case "outcome":
			kind, id, v = roster.KindOutcome, "sold", roster.Outcome{ID: "sold", Name: wire.Words{"en": account}}
		case "book":
			kind, id, v = roster.KindBook, "a0", map[string]roster.Contact{"a01": {ID: "a01", Name: account, Number: "1"}}
		case "call":
			r := callAt(len(log), func(r *exchange.CallRecord) {
				r.Account, r.Caller, r.Callee = account, "1001", rapid.SampledFrom([]string{"1002", ""}).Draw(t, "callee")
				r.Outside, r.Queue = rapid.Bool().Draw(t, "outside"), rapid.SampledFrom([]string{"", "Support"}).Draw(t, "queue")
				r.Offers = []exchange.OfferRecord{{Account: account, At: at, Result: "missed"}}
			})
			kind, id, v = KindCalls, "center", r
		case "terminal":
			id = rapid.SampledFrom([]string{"1001", "1002"}).Draw(t, "extension")
			kind, v = roster.KindTerminal, roster.Terminal{Extension: id, Type: rapid.SampledFrom([]string{"trunk", "desk"}).Draw(t, "type"), Account: account}
		case "queue":
			kind, id, v = roster.KindQueue, "7000", map[string]string{"name": account}
		case "seat":
			id = rapid.SampledFrom([]string{"1", "2"}).Draw(t, "of")
			kind, v = roster.KindSeat, roster.Seat{ID: id, Floor: rapid.SampledFrom([]string{"f1", "f2"}).Draw(t, "floor"), Holder: account}
		case "status":
			kind, id, v = roster.KindStatus, wire.StatusBreak, map[string]string{"class": rapid.SampledFrom([]string{"pause", "work"}).Draw(t, "class")}
		case "attend":
			kind, v = roster.KindAttend, map[string]any{"account": person.Draw(t, "agent"), "mode": "listen", "asked": at.Truncate(time.Hour), "begun": at}
		case "away":
			kind, id, v = KindAway, "center", Away{at.Add(-time.Minute), at}
		case "bad":
			kind, v = rapid.SampledFrom([]string{roster.KindAgent, roster.KindQueue, KindCalls}).Draw(t, "of"), "?"
		}
		data, _ := json.Marshal(v) // plain values
		log = append(log, ledger.Event{Seq: ledger.Seq(len(log) + 1), Subject: ledger.Subject(kind, id), At: at, By: person.Draw(t, "by"), Why: "drawn", Data: data})
	}
	return log
}

// all is everything in the file.
func all(t *rapid.T, r *Report) string {
	var lines []string
	for _, table := range []string{"sqlite_master", "cursor", "status_span", "call", "offer", "sound", "phone_call", "attend", "face", "sitter", "minute", "away", "audit", "setting"} {
		columns := "*"
		if table == "sqlite_master" {
			columns = "type, name, tbl_name, sql"
		}
		rows, err := r.db.Query("SELECT " + columns + " FROM " + table)
		if err != nil {
			t.Fatal(err)
		}
		names, err := rows.Columns()
		for rows.Next() && err == nil {
			row, at := make([]any, len(names)), make([]any, len(names))
			for i := range row {
				at[i] = &row[i]
			}
			err = rows.Scan(at...)
			lines = append(lines, fmt.Sprint(table, row))
		}
		if err != nil || rows.Err() != nil {
			t.Fatal(err, rows.Err())
		}
		rows.Close()
	}
	var is int
	if err := r.db.QueryRow("PRAGMA user_version").Scan(&is); err != nil || is != version {
		t.Fatalf("version %d %v", is, err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// feed gives the writer events in batches that are drawn.
func feed(t *rapid.T, w *writer, log memory) {
	for len(log) > 0 {
		n := rapid.IntRange(1, len(log)).Draw(t, "batch")
		if err := w.take(log[:n]); err != nil {
			t.Fatal(err)
		}
		log = log[n:]
	}
}

// TestReportsMadeAnewAreThoseMadeEventByEvent, also when the making was interrupted.
func TestReportsMadeAnewAreThoseMadeEventByEvent(t *testing.T) {
	dir := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		log := drawLog(rt)
		var said strings.Builder
		open := func(name string, l Log) (*Report, *writer) {
			r, err := Open(filepath.Join(dir, fmt.Sprint(round, name)), l, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn})))
			if err != nil {
				rt.Fatal(err)
			}
			w, err := r.writer(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			return r, w
		}
		day, w := open("by day", memory{}) // whole from the beginning
		for i := range log {
			if err := w.take(log[i : i+1]); err != nil {
				rt.Fatal(err)
			}
		}
		w.close()
		defer day.Close()

		cut := rapid.IntRange(0, len(log)).Draw(rt, "interrupted")
		anew, w := open("anew", scroll{log})
		feed(rt, w, log[:cut])
		w.close()
		anew.Close()
		anew, w = open("anew", scroll{log})
		defer anew.Close()
		if at := int(anew.cursor.Load()); at != cut {
			rt.Fatalf("goes on at %d, not %d: %s", at, cut, said.String())
		}
		feed(rt, w, log[cut:])
		w.close()
		if got, want := all(rt, anew), all(rt, day); got != want {
			rt.Fatalf("made anew:\n%s\nby day:\n%s", got, want)
		}
	})
}

// TestAFileWhoseMakingWasCutOffIsThrownAway: nothing of it had to be on the disk.
func TestAFileWhoseMakingWasCutOffIsThrownAway(t *testing.T) {
	b := newBook(t)
	for i := range 5 {
		b.write(KindCalls, "center", i, callAt(i, nil))
	}
	path := filepath.Join(t.TempDir(), "report.db")
	r, err := Open(path, b.Ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.writer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var events []ledger.Event
	ctx, cancel := context.WithCancel(t.Context())
	_ = b.Follow(ctx, 0, func(e ledger.Event) {
		if events = append(events, e); len(events) == 3 {
			cancel()
		}
	})
	if err := w.take(events[:3]); err != nil {
		t.Fatal(err)
	}
	if lag, err := r.Lag(t.Context()); err != nil || lag != 2 {
		t.Fatalf("lag %d %v", lag, err)
	}
	w.conn.Close() // as if killed: nothing is said of how far it was
	r.Close()
	r, err = Open(path, b.Ledger, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.cursor.Load() != 0 || r.until.Load() != 5 {
		t.Fatalf("goes on at %d, until %d", r.cursor.Load(), r.until.Load())
	}
	r.Close()
	r, _ = b.run(path)
	if page := rowsOf[CallRow](t, r, "calls?"+april1); len(page.Rows) != 5 {
		t.Fatalf("%d calls", len(page.Rows))
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); ; <-tick.C { // the indexes are made after the last event
		lag, err := r.Lag(t.Context())
		if err == nil && lag == 0 {
			return
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("lag %d %v", lag, err)
		}
	}
}
