package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"zaseki/web/wire"
)

// TestAPhoneReadsItsOwnPast of a real center, pages and all.
func TestAPhoneReadsItsOwnPast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	c := start(t, dir)
	p := join(t, c.line.HTTP, "baba", "1002", "1")
	p.wait("connection", long, online)
	for i, to := range []string{"break", "away", "available"} {
		if err := p.Ask(t.Context(), wire.SetStatus{To: to}); err != nil {
			t.Fatal(i, err)
		}
	}
	h, err := p.StatusHistory(t.Context(), "")
	if err != nil || len(h.Spans) < 4 || h.Spans[0].Status != "available" || !h.Spans[0].To.IsZero() || h.Spans[1].Status != "away" || time.Since(h.AsOf) > time.Minute {
		t.Fatalf("%+v %v", h, err)
	}
	calls, err := p.CallHistory(t.Context(), "")
	if err != nil || calls.Calls == nil || len(calls.Calls) != 0 || calls.Next != "" {
		t.Fatalf("%+v %v", calls, err)
	}
	if _, err := p.CallHistory(t.Context(), "none of theirs"); err == nil || err.Error() != "row.unknown id=none of theirs" {
		t.Fatal(err)
	}
	own, err := p.OwnDay(t.Context(), "")
	if err != nil || own.Day != own.Today || own.SignedIn < h.AsOf.Sub(h.Spans[len(h.Spans)-1].From).Seconds()/2 || own.Taken != 0 || own.Missed != nil {
		t.Fatalf("%+v %v", own, err)
	}
	if past, err := p.OwnDay(t.Context(), "2026-01-02"); err != nil || past.Day != "2026-01-02" || past.SignedIn != 0 {
		t.Fatalf("%+v %v", past, err)
	}
	var now wire.Floor
	if raw, err := p.FloorPast(t.Context(), h.Spans[1].From, ""); err != nil || json.Unmarshal(raw, &now) != nil {
		t.Fatalf("%s %v", raw, err)
	}
	i := slices.IndexFunc(now.Seats, func(s wire.SeatState) bool { return s.Account == "baba" })
	if i < 0 || now.Seats[i].Status != "away" || now.Seats[i].Agent == "" || len(now.Floors) == 0 {
		t.Fatalf("%+v", now)
	}
	var day wire.FloorDay
	if raw, err := p.FloorDay(t.Context(), time.Now().Format(time.DateOnly), ""); err != nil || json.Unmarshal(raw, &day) != nil || len(day.Talking) != day.Minutes || day.Kept.IsZero() {
		t.Fatalf("%s %v", raw, err)
	}
	if _, err := p.FloorPast(t.Context(), time.Now().Add(time.Hour), ""); err == nil {
		t.Fatal("the floor of a time to come")
	}
	if _, err := p.Story(t.Context(), "no such call"); err == nil || err.Error() != "row.unknown id=no such call" {
		t.Fatal(err)
	}
	if err := p.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CallHistory(t.Context(), ""); err == nil || err.Error() != wire.ProblemExpired {
		t.Fatal(err)
	}
	if _, err := p.OwnDay(t.Context(), ""); err == nil || err.Error() != wire.ProblemExpired {
		t.Fatal(err)
	}
	p.stop()
	c.stop()
}
