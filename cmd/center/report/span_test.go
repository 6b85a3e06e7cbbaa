package report

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// ask is a report in JSON, which must be there.
func rowsOf[R row](t *testing.T, r *Report, target string) Page[R] {
	t.Helper()
	code, body := get(t, r, "/api/v1/reports/"+target)
	var page Page[R]
	if err := json.Unmarshal([]byte(body), &page); code != 200 || err != nil {
		t.Fatal(target, code, body, err)
	}
	return page
}

func TestTheActivitySaysFromWhenToWhenByWhomAndWhy(t *testing.T) {
	b := newBook(t)
	seat := func(id string) func(*roster.Agent) { return func(a *roster.Agent) { a.Seat = id } }
	talks := func(a *roster.Agent) {
		a.Seat, a.Calls = "2", []roster.Call{{ID: "c", Phase: wire.CallTalking, Inbound: true, Outside: true, Answered: day.Add(20 * time.Minute)}}
	}
	b.agent(0, wire.StatusAway, seat("1"))
	b.agent(10, wire.StatusAvailable, seat("2"))
	b.agent(20, wire.StatusAvailable, talks)
	b.agent(25, wire.StatusWork, seat("2"))
	b.agent(26, "training", seat("2")) // one of the center's own
	b.write(roster.KindAgent, "aoki", 40, nil)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	page := rowsOf[ActivityRow](t, r, "activity?"+april1)
	var got []string
	for _, a := range page.Rows {
		got = append(got, fmt.Sprintf("%s %s %.0f %v", a.Status, a.Seat, a.Seconds/60, a.Out))
		if a.By != "system" || a.Why != "test" || a.Account != "aoki" || a.EndWhy != "test" {
			t.Errorf("%+v", a)
		}
	}
	if want := "training 2 14 true, acw 2 1 false, talking 2 5 false, available 2 10 false, away 1 10 false"; strings.Join(got, ", ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, ", "), want)
	}
	// A page at a time is the same.
	var paged []ActivityRow
	for cursor := ""; ; {
		p := rowsOf[ActivityRow](t, r, "activity?limit=2&cursor="+cursor+"&"+april1)
		paged = append(paged, p.Rows...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if fmt.Sprint(paged) != fmt.Sprint(page.Rows) {
		t.Errorf("paged %v", paged)
	}
}

// wrote is an agent's event of a drawn day.
type wrote struct {
	agent roster.Agent
	at    time.Time
}

// drawDays draws two agents' events, on clocks that step back now and then.
func drawDays(t *rapid.T, round int) map[string][]wrote {
	drawn := map[string][]wrote{}
	statuses := []string{wire.StatusAvailable, wire.StatusWork, wire.StatusBreak, "training", wire.StatusOff}
	for _, account := range []string{fmt.Sprint("aoki", round, "-"), fmt.Sprint("baba", round, "-")} {
		at := day
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			at = at.Add(time.Duration(rapid.IntRange(-600, 4*3600).Draw(t, "seconds")) * time.Second)
			a := roster.Agent{Account: account, Status: rapid.SampledFrom(statuses).Draw(t, "status"), Seat: rapid.SampledFrom([]string{"", "1"}).Draw(t, "seat")}
			if rapid.IntRange(0, 4).Draw(t, "out") > 0 {
				a.Session = &roster.Session{ID: rapid.SampledFrom([]string{"s", "z"}).Draw(t, "session")}
			}
			if rapid.IntRange(0, 5).Draw(t, "lost") == 0 {
				a.Conn, a.LostAt = "lost", at.Add(-time.Duration(rapid.IntRange(-5, 900).Draw(t, "ago"))*time.Second)
			}
			drawn[account] = append(drawn[account], wrote{a, at})
		}
	}
	return drawn
}

// signedIn is the naive model: walk the events that change what the agent is in, and add up by day what lies between them while a
// session is there. An event that changes nothing tells nothing, not even what time it is: a clock that went back since counts.
func signedIn(events []wrote, zone *time.Location) map[string]time.Duration {
	sums := map[string]time.Duration{}
	clock, in, lost, before := time.Time{}, false, false, ""
	for _, e := range events {
		now, is := e.agent.Session != nil && e.agent.Status != wire.StatusOff, ""
		gone := now && !e.agent.LostAt.IsZero()
		if now {
			is = fmt.Sprint(e.agent.Status, gone, e.agent.Seat, e.agent.Session.ID)
			if gone {
				is = fmt.Sprint(gone, e.agent.Seat, e.agent.Session.ID)
			}
		}
		if is == before {
			continue
		}
		before = is
		at := e.at
		if gone && !lost && in && e.agent.LostAt.Before(at) {
			at = e.agent.LostAt
		}
		at = latest(at, clock)
		for t := clock; in && t.Before(at); {
			next := earliest(at, midnight(t.In(zone), 1))
			sums[t.In(zone).Format(time.DateOnly)] += next.Sub(t)
			t = next
		}
		if in || now {
			clock = at
		}
		in, lost = now, gone
	}
	return sums
}

// TestTheSpansOfADayAreTheSignedInTime is invariant 8 of the center, on days of 23, 24 and 25 hours, whatever the clock does.
func TestTheSpansOfADayAreTheSignedInTime(t *testing.T) {
	zones := []string{"Asia/Tokyo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"}
	r, err := Open(filepath.Join(t.TempDir(), "report.db"), memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.now = func() time.Time { return day.AddDate(0, 0, 20) }
	round := 0 // each has its own agents
	rapid.Check(t, func(rt *rapid.T) {
		round++
		drawn, zone := drawDays(rt, round), rapid.SampledFrom(zones).Draw(rt, "zone")
		var log memory
		for account, events := range drawn {
			for _, e := range events {
				data, err := json.Marshal(e.agent)
				if err != nil {
					rt.Fatal(err)
				}
				log = append(log, ledger.Event{Seq: ledger.Seq(len(log) + 1), Subject: ledger.Subject(roster.KindAgent, account), At: e.at, By: account, Data: data})
			}
		}
		for i, half := range [][]ledger.Event{log[:len(log)/2], log[len(log)/2:]} { // the second half as after a new start
			w, err := r.writer(t.Context())
			if err == nil && len(half) > 0 {
				err = w.take(half)
			}
			if err != nil {
				rt.Fatal(i, err)
			}
			w.close()
		}
		at, err := time.LoadLocation(zone)
		if err != nil {
			rt.Fatal(err)
		}
		got := map[string]float64{}
		for account, events := range drawn {
			for _, row := range rowsOf[AgentRow](t, r, "agents?from=2026-04-01&to=2026-04-23&account="+account+"&tz="+zone).Rows {
				got[row.Account+row.Day] = row.SignedIn
			}
			if n := len(events); n > 0 { // who is still in counts until now
				last := events[n-1]
				last.agent.Session, last.at, last.agent.LostAt = nil, r.now(), time.Time{}
				events = append(events, last)
			}
			for date, want := range signedIn(events, at) {
				if g := got[account+date]; g < want.Seconds()-.001 || g > want.Seconds()+.001 {
					rt.Fatalf("%s %s: %v, want %v", account, date, g, want.Seconds())
				}
				delete(got, account+date)
			}
		}
		if len(got) > 0 {
			rt.Fatalf("days nobody was in: %v", got)
		}
	})
}

func TestADayHasAsManyHoursAsItHas(t *testing.T) {
	b := newBook(t)
	berlin := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC) // summer begins on the 29th, and ends on 25 October
	for _, e := range []struct {
		at  time.Time
		out bool
	}{{berlin, false}, {berlin.AddDate(0, 0, 3), true}, {berlin.AddDate(0, 7, -4), false}, {berlin.AddDate(0, 7, -1), true}} {
		b.agent(int(e.at.Sub(day).Minutes()), wire.StatusAvailable, func(a *roster.Agent) {
			if e.out {
				a.Session = nil
			}
		})
	}
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	r.now = func() time.Time { return berlin.AddDate(0, 8, 0) }
	got := map[string]float64{}
	for _, row := range rowsOf[AgentRow](t, r, "agents?tz=Europe/Berlin&from=2026-03-01&to=2026-11-01").Rows {
		got[row.Day] = row.SignedIn / 3600
	}
	for date, hours := range map[string]float64{"2026-03-29": 23, "2026-03-30": 24, "2026-10-25": 25, "2026-10-26": 24} {
		if got[date] != hours {
			t.Errorf("%s has %v hours: %v", date, got[date], got)
		}
	}
}

// TestWhatPhonesToldAfterwardsStandsAtItsTime: the connection was lost at 60, the center heard of it at 62 and had it back at 70, and then learnt
// what was chosen meanwhile.
func TestWhatPhonesToldAfterwardsStandsAtItsTime(t *testing.T) {
	b := newBook(t)
	at := func(n int) time.Time { return day.Add(time.Duration(n) * time.Minute) }
	sits := func(a *roster.Agent) { a.Seat = "1" }
	b.agent(0, wire.StatusAvailable, sits)
	b.agent(62, wire.StatusAvailable, sits, func(a *roster.Agent) { a.Conn, a.LostAt = "lost", at(60) })
	b.agent(70, wire.StatusAvailable, sits)
	b.agent(71, wire.StatusBreak, sits, func(a *roster.Agent) { a.Since, a.Told = at(65), at(65) })
	b.agent(72, wire.StatusAvailable, sits, func(a *roster.Agent) {
		a.Told = at(66)
		a.Calls = []roster.Call{{ID: "c1", Phase: wire.CallTalking, Inbound: true, Outside: true, Peer: "0312345678", Began: at(66), Answered: at(66), At: at(66)}}
	})
	b.agent(73, wire.StatusAvailable, sits, func(a *roster.Agent) { a.Since, a.Told = at(68), at(68) })
	b.agent(90, wire.StatusOff, func(a *roster.Agent) { a.Session = nil })
	r, stop := b.run(filepath.Join(t.TempDir(), "report.db"))
	defer stop()
	got := ""
	for _, s := range rowsOf[ActivityRow](t, r, "activity?"+april1).Rows {
		told := ""
		if !s.Told.IsZero() {
			told = fmt.Sprintf(" told %d", int(s.Told.Sub(day).Minutes()))
		}
		got = fmt.Sprintf("%s %d-%d%s\n", s.Status, int(s.From.Sub(day).Minutes()), int(s.To.Sub(day).Minutes()), told) + got
	}
	if want := "available 0-60\nlost 60-65\nbreak 65-66 told 71\ntalking 66-68 told 72\navailable 68-90 told 73\n"; got != want {
		t.Errorf("%swant\n%s", got, want)
	}
	if calls := rowsOf[OutcomeRow](t, r, "outcomes?"+april1).Rows; len(calls) != 1 || calls[0].Talk != 120 {
		t.Errorf("%+v", calls)
	}
	p := plan{seats: []wire.SeatState{{ID: "1", Floor: "f1"}}}
	for minute, want := range map[int]string{61: "available", 62: "lost", 65: "break", 66: "talking", 67: "talking", 68: "available", 71: "available"} {
		if _, f := floorOf[wire.Floor](t, r, p, moment(at(minute))); f.Seats[0].Status != want {
			t.Errorf("at %d the floor has %s, not %s", minute, f.Seats[0].Status, want)
		}
	}
}
