package admin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/node"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// morning is when the day in the reports begins.
var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.Local)

// past is a log in the folder of a center with a day of two agents and their calls.
func past(t *testing.T, data string) {
	t.Helper()
	l, err := ledger.Open(ledger.Config{Dir: filepath.Join(data, "ledger")})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	last := map[string]ledger.Seq{}
	write := func(kind, id, by, why string, at time.Time, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		subject := ledger.Subject(kind, id)
		last[subject], err = l.Commit(t.Context(), fmt.Sprint(subject, len(last), at), []ledger.Write{{Subject: subject, Expect: last[subject], By: by, Why: why, At: at, Data: data}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, account := range []string{"alice", "bob"} {
		at := morning.Add(time.Duration(i) * 20 * time.Minute)
		for n, status := range []string{wire.StatusAway, wire.StatusAvailable, "talking", wire.StatusWork, wire.StatusAvailable, wire.StatusBreak, "training", wire.StatusAvailable, "talking", wire.StatusWork} {
			a := roster.Agent{Account: account, Status: status, Seat: fmt.Sprint(i + 1), Terminal: fmt.Sprint(2001 + i), Session: &roster.Session{ID: "s", Machine: "pc-7"}}
			if status == "talking" {
				a.Status, a.Calls = wire.StatusAvailable, []roster.Call{{Phase: wire.CallTalking, Inbound: true, Outside: true, Answered: at}}
			}
			if status == wire.StatusBreak { // the center was away, and heard of it two minutes later
				a.Told = at.Add(-2 * time.Minute)
			}
			why := "chosen"
			if n == 0 {
				why = "signed in"
			}
			write(roster.KindAgent, account, account, why, at, a)
			at = at.Add(time.Duration(10+7*n) * time.Minute)
		}
		write(roster.KindAgent, account, account, "signed out", at, roster.Agent{Account: account, Status: wire.StatusOff})
	}
	for i := range 90 {
		at := morning.Add(time.Duration(i*i%600) * time.Minute)
		r := exchange.CallRecord{ID: fmt.Sprint("c", i), From: fmt.Sprintf("03123456%02d", i), Name: "=1+1", To: "7000", Queue: "代表", Caller: "trunk", Account: []string{"alice", "bob"}[i%2],
			Outside: true, Result: "answered", Code: 200, Began: at, Answered: at.Add(time.Duration(3+i%50) * time.Second), Ended: at.Add(4 * time.Minute)}
		offer := exchange.OfferRecord{Account: r.Account, At: at, Took: 3000, Result: "answered"}
		switch i % 7 {
		case 1:
			r.Result, r.Code, r.Answered, offer.Result = "cancelled", 487, time.Time{}, "cancelled"
		case 4:
			r.Result, r.Code, r.Answered, offer.Result = "missed", 480, time.Time{}, []string{"silent", "declined", "missed"}[i%3]
		case 6:
			r.Result, r.Why, r.Answered, r.Message, offer.Result = "voice", "late", time.Time{}, "m", "missed"
		}
		r.Offers = []exchange.OfferRecord{offer}
		if i%3 == 0 { // the phone tells of it, and the agent writes something
			told := roster.Agent{Account: r.Account, Status: wire.StatusOff, Calls: []roster.Call{{ID: r.ID, Inbound: true, Outside: true, Peer: r.From, Queue: r.Queue, Began: at, Answered: r.Answered}}}
			write(roster.KindAgent, r.Account, r.Account, "call talking", at, told)
			write(roster.KindAgent, r.Account, r.Account, "call ended", r.Ended, roster.Agent{Account: r.Account, Status: wire.StatusOff})
			write(roster.KindNote, r.Account, r.Account, "call note", r.Ended, roster.Note{Call: r.ID, Outcome: []string{"sold", "gone", ""}[i/3%3], Text: fmt.Sprintf("=1+%d\n明日の午前に折り返し、担当は青木さん。見積書の送付先も確認する。", i), At: r.Ended})
		}
		write(report.KindCalls, "center", "system", "call ended", r.Ended, r)
	}
}

// openPast is a desk at a center with that day behind it.
func openPast(t *testing.T) *desk {
	t.Helper()
	return before(t, func() *node.Node {
		data := t.TempDir()
		past(t, data)
		n := run(t, data)
		if err := n.Apply(t.Context(), setup()); err != nil {
			t.Fatal(err)
		}
		return n
	})
}

// thatDay is the address of a report page with the period of the fixture; what look adds lands in a word that nobody reads.
func thatDay(page string, more ...string) string {
	return "/admin/reports/" + page + "?from=2026-04-01&to=2026-04-01&" + strings.Join(append(more, "z="), "&")
}

func TestReportsAreShown(t *testing.T) {
	d := openPast(t)
	d.as("boss")
	d.visit("Reports")
	d.must(d.page.Wait("StaticText", "Nothing in this period."))
	_, err := stage.Eval[string](d.page, `document.querySelector("#report-from").value = document.querySelector("#report-to").value = "2026-04-01"`)
	d.must(err)
	d.must(d.page.Click("button", "Show"))
	d.must(d.page.Wait("heading", "代表"))
	d.must(d.page.Wait("image", "代表 – Calls by the hour"))
	for _, sum := range []struct{ page, script string }{
		// What the charts draw and what the tables say is the same.
		{"queues", `[...document.querySelectorAll("tbody tr")].reduce((n, tr) => n + Number(tr.cells[2].textContent), 0) === 90
			&& document.querySelectorAll(".chart-box svg").length === 2 && document.querySelectorAll(".chart-box rect[data-colour=green]").length >= 8`},
		{"agents", `document.querySelectorAll(".bars svg").length === 2 && document.body.innerText.includes("Training") && /Sold \d+, gone \d+|gone \d+, Sold \d+/.test(document.body.innerText) && document.querySelectorAll("style, [style]").length === 0`},
		{"missed", `document.querySelectorAll("tbody tr").length === 38 && document.body.innerText.includes("Phone did not ring") && document.body.innerText.includes("Message left")`},
		{"calls", `document.querySelectorAll("tbody tr").length === 90 && document.body.innerText.includes("=1+1") && document.body.innerText.includes("=1+87\n明日") && document.body.innerText.includes("Sold")`},
		{"outcomes", `[...document.querySelectorAll("tbody tr")].reduce((n, tr) => n + Number(tr.cells[3].textContent), 0) >= 20 && document.body.innerText.includes("Not said") && document.body.innerText.includes("Sold")`},
		{"activity", `document.querySelectorAll("tbody tr").length === 20 && document.body.innerText.includes("Signed out (Alice)") && document.body.innerText.includes("pc-7")
			&& document.body.innerText.match(/the phone told of it at/g).length === 2`},
	} {
		d.goes(thatDay(sum.page), sum.script)
	}
	d.goes(thatDay("missed", "reason=silent"), `document.querySelectorAll("tbody tr").length > 0 && [...document.querySelectorAll("tbody tr")].every((tr) => tr.innerText.includes("Phone did not ring"))`)
	saved, err := stage.Eval[string](d.page, `fetch([...document.querySelectorAll("a.button")].find((a) => a.href.includes("csv")).href).then((r) => r.text())`)
	if d.must(err); !strings.Contains(saved, "'=1+1") || strings.Contains(saved, "declined") {
		t.Errorf("%s", saved)
	}
}

func TestASupervisorsReportsAreOfTheOwnGroups(t *testing.T) {
	d := openPast(t)
	d.as("carol")
	d.goes(thatDay("activity"), `document.querySelectorAll("tbody tr").length === 10 && document.body.innerText.includes("Alice") && !document.body.innerText.includes("bob")`)
	c := newClient(t, d.node, "carol", password)
	const period = "?from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z"
	for _, of := range []string{"activity", "status-time", "agents"} {
		if said, _ := c.want(200, "GET", "/api/v1/reports/"+of+period, nil); strings.Contains(said, "bob") || !strings.Contains(said, "alice") {
			t.Errorf("%s: %s", of, said)
		}
	}
	// The calls of the queue that her group serves are hers to see.
	if said, _ := c.want(200, "GET", "/api/v1/reports/queues"+period+"&by=total", nil); !strings.Contains(said, `"offered":90`) {
		t.Error(said)
	}
	c.want(400, "GET", "/api/v1/reports/calls?order=began;--", nil)
	c.want(401, "GET", "/api/v1/reports/mine/calls", nil) // for phones
	newClient(t, d.node, "", "").want(401, "GET", "/api/v1/reports/missed", nil)
}

// TestReportPagesAreForEverybody is TestEveryPageInBothLanguagesLightAndDark with something on the pages.
func TestReportPagesAreForEverybody(t *testing.T) {
	d := openPast(t)
	axe := axe(t)
	d.as("boss")
	shots := os.Getenv("ZASEKI_SHOTS")
	views := map[string][]stage.View{"en": {{Width: 320, Height: 1400}}, "ja": {{Width: 1280, Height: 1400, Dark: true}}}
	if shots != "" {
		views = map[string][]stage.View{"en": {{Width: 360, Height: 1400}, {Width: 1280, Height: 1400}}, "ja": {{Width: 1280, Height: 1400, Dark: true}, {Width: 360, Height: 1400, Dark: true}}}
	}
	for _, lang := range []string{"en", "ja"} {
		for _, v := range views[lang] {
			var paths []string
			for _, page := range []string{"queues", "agents", "missed", "calls", "outcomes", "activity"} {
				paths = append(paths, thatDay(page))
			}
			d.look("/", lang, v, axe, "", slices.Clip(paths)...)
			if shots == "" {
				continue
			}
			for _, path := range paths {
				page, err := d.browser.Open(d.node.HTTP()+path+"&lang="+lang, v)
				d.must(err)
				d.must(page.Wait("rowheader", "…"))
				name, _, _ := strings.Cut(strings.TrimPrefix(path, "/admin/reports/"), "?")
				d.must(page.Shot(filepath.Join(shots, fmt.Sprintf("%s-%s-%d.png", name, lang, v.Width))))
				page.Close()
			}
		}
	}
}
