package report

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/static"
	"zaseki/web/wire"
)

// viewer sees these accounts, and calls of these queues.
func viewer(account string, queues bool, others ...string) Viewer {
	return Viewer{Account: account, Sees: func(a string) bool { return a == account || slices.Contains(others, a) }, Queue: func(string) bool { return queues }}
}

func asked(t *testing.T, r *Report, v Viewer, call string, live ...exchange.CallRecord) (int, wire.Timeline, wire.Problem) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Why(func(*http.Request) (Viewer, error) {
		if v.Account == "" {
			return v, wire.Problem{Code: wire.ProblemExpired}
		}
		return v, nil
	}, func() []exchange.CallRecord { return live }).ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/why?call="+url.QueryEscape(call), nil))
	var line wire.Timeline
	var p wire.Problem
	into := any(&line)
	if w.Code != http.StatusOK {
		into = &p
	}
	if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Code, line, p
}

// said is a timeline in words of one language, with the seconds since the day's begin.
func said(t *testing.T, l wire.Timeline, lang string) (all []string) {
	t.Helper()
	for _, m := range l.Lines {
		key := "moment." + strings.NewReplacer(": ", "_", " ", "_").Replace(m.Title)
		text := static.Say(lang, key, m.Holes)
		if text == key || strings.Contains(text, "{") && lang == "en" {
			t.Errorf("%q has no words in %s: %s", m.Title, lang, text)
		}
		all = append(all, fmt.Sprintf("%d %s", int(m.At.Sub(day).Seconds()), text))
	}
	return all
}

// theCall is one of a queue with all that can happen to one, told by the exchange, two phones and a supervisor's record.
func theCall(t *testing.T) *book {
	t.Helper()
	b := newBook(t)
	for _, a := range []struct{ account, name string }{{"aoki", "Aoki Yui"}, {"baba", "Baba Ken"}, {"chiba", "Chiba Ryo"}, {"doi", "Doi Mei"}} {
		b.write(roster.KindAccount, a.account, -60, roster.Account{Account: a.account, Name: a.name, Role: "agent", Agent: true})
	}
	b.agent(0, wire.StatusAvailable)
	b.write(roster.KindAgent, "aoki", 1, roster.Agent{Account: "aoki", Status: wire.StatusAvailable, Session: &roster.Session{ID: "s"},
		Calls: []roster.Call{{ID: "phone1", Center: "x1@trunk", Phase: wire.CallOffered, Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support", Began: day.Add(70 * time.Second), Answered: day.Add(75 * time.Second)}}})
	b.write(roster.KindAttend, "doi", 2, map[string]any{"account": "aoki", "mode": wire.SuperviseWhisper, "asked": day.Add(118 * time.Second), "begun": day.Add(120 * time.Second), "ended": day.Add(130 * time.Second)})
	b.agent(3, wire.StatusWork, func(a *roster.Agent) {
		a.Sound = &roster.Sound{Peer: "0312345678", Ended: day.Add(180 * time.Second), MOS: 3.9, Loss: 1.5, Jitter: 12, Delay: 90}
	})
	b.write(KindCalls, "center", 4, callAt(1, func(r *exchange.CallRecord) {
		at := func(s int) time.Time { return day.Add(time.Duration(s) * time.Second) }
		r.ID, r.From, r.To, r.Name, r.Account, r.Callee, r.Queue, r.Began, r.Answered, r.Ended, r.HungUp = "x1@trunk", "0312345678", "0501234", "Yamada", "aoki", "1001", "Support", at(60), at(75), at(180), "caller"
		r.TransferredBy = "chiba"
		r.Offers = []exchange.OfferRecord{
			{Account: "baba", At: at(62), Receipt: 400, Took: 5000, Result: "declined", Code: 603, Why: "idle"},
			{Account: "aoki", At: at(68), Receipt: 300, Took: 7000, Result: "answered", Why: "only", Passed: map[string]string{"chiba": "break", "baba": "tried"}},
		}
		r.Moments = []exchange.Moment{{At: at(61), What: "queued", To: "Support", Place: 2}, {At: at(100), What: "hold", By: "aoki"}, {At: at(105), What: "resume", By: "aoki"},
			{At: at(106), What: "hold"}, {At: at(110), What: "transfer", By: "aoki", To: "1003"}, {At: at(112), What: "untransferred", By: "aoki", Code: 486},
			{At: at(113), What: "restart"}, {At: at(114), What: "rings", To: "chiba", Took: 200}, {At: at(115), What: "transferred", By: "aoki", To: "chiba"}}
	}))
	b.noted("phone1", "sold", "wants two", 5, day.Add(190*time.Second))
	return b
}

func TestACallTellsItsStory(t *testing.T) {
	b := theCall(t)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	lead := viewer("doi", true, "aoki", "baba", "chiba")
	want := `0 Aoki Yui: available
60 Aoki Yui: ringing
60 Call from 0312345678 to 0501234
61 In the queue Support, at place 2
62 Offered to Baba Ken: free for the longest
62 Rings at Baba Ken after 400 ms
67 Baba Ken declined
68 Offered to Aoki Yui: nobody else was free
68 Rings at Aoki Yui after 300 ms
75 Aoki Yui took it
75 Answered by Aoki Yui
100 Aoki Yui puts the call on hold
105 Aoki Yui takes it back from hold
106 Yamada puts the call on hold
110 Aoki Yui transfers to 1003
112 Aoki Yui’s transfer failed (486)
113 The center was restarted and went on with the call
114 Rings at Chiba Ryo after 200 ms
115 Transferred by Aoki Yui to Chiba Ryo
120 Doi Mei takes part with Aoki Yui: whisper
130 Doi Mei takes no part any more
180 How it sounded: MOS 3.90, 1.5 % lost, 12 ms jitter, 90 ms delay
180 Aoki Yui: acw
180 The caller hung up
190 Aoki Yui wrote: sold wants two`
	code, line, _ := asked(t, r, lead, "x1@trunk")
	said(t, line, "ja")
	if got := strings.Join(said(t, line, "en"), "\n"); code != 200 || got != want {
		t.Fatalf("%d\n%s\nwant\n%s", code, got, want)
	}
	f := line.Facts
	if f.Agent != "Aoki Yui" || f.HungUp != "caller" || f.Holds != 2 || f.SentBy != "Chiba Ryo" || f.SentTo != "Chiba Ryo" || f.Sound == nil || f.Sound.MOS != 3.9 || len(f.Offers) != 2 ||
		f.Offers[0].Rang != day.Add(62*time.Second+400*time.Millisecond) || f.Offers[1].Passed["chiba"] != "break" || f.Offers[1].Names["chiba"] != "Chiba Ryo" {
		t.Errorf("%+v", f)
	}
	for name, call := range map[string]string{"the phone's name": "phone1", "as history names it": wire.CenterCall + "x1@trunk"} {
		if _, l, _ := asked(t, r, lead, call); l.Facts == nil || l.Facts.ID != "x1@trunk" || len(l.Lines) != len(line.Lines) {
			t.Errorf("by %s: %+v", name, l)
		}
	}
}

// TestWhoMayHearAStory: who had to do with the call, who leads one of those, and who leads its queue; each as much as they may know.
func TestWhoMayHearAStory(t *testing.T) {
	b := theCall(t)
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	for _, w := range []struct {
		name string
		who  Viewer
		code int
		said string // with whose lines
	}{
		{"who took it", viewer("aoki", false), 200, "Aoki Yui: acw, Aoki Yui wrote"},
		{"whom it was offered to in vain", viewer("baba", false), 200, ""},
		{"a colleague", viewer("chiba", false), 403, ""},
		{"who leads another group", viewer("doi", false, "chiba"), 403, ""},
		{"who leads the queue", viewer("doi", true), 200, ""},
		{"nobody", viewer("", false), 401, ""},
	} {
		code, line, p := asked(t, r, w.who, "x1@trunk")
		var own []string
		for _, l := range line.Lines {
			if l.Title == "status" || l.Title == "noted" {
				own = append(own, l.Holes["who"])
			}
			if f := line.Facts; l.Title == "offered: only" && (len(f.Offers[1].Passed) > 0) != w.who.Sees("baba") {
				t.Errorf("%s: passed over %v", w.name, f.Offers[1].Passed)
			}
		}
		if code != w.code || (len(own) > 0) != (w.said != "") || code == 403 && p.Code != wire.ProblemForbidden {
			t.Errorf("%s: %d %v %+v", w.name, code, own, p)
		}
	}
	for _, call := range []string{"", "nothing", strings.Repeat("x", 400), "x1@trunk' OR 1=1 --"} {
		if code, _, p := asked(t, r, viewer("aoki", false), call); code != 404 && code != 400 || p.Code != wire.ProblemNoRow {
			t.Errorf("%.20q: %d %+v", call, code, p)
		}
	}
}

// TestStoriesThatAreNotWhole: a call that goes on, one that only a phone knows, and one that an earlier version wrote.
func TestStoriesThatAreNotWhole(t *testing.T) {
	b := newBook(t)
	b.rang("elsewhere1", "0312345678", 1, 2)
	b.agent(5, wire.StatusWork)
	b.came(10, 12, 0, func(r *exchange.CallRecord) { r.ID, r.Account = "old", "aoki" })
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	aoki := viewer("aoki", false)
	if code, l, _ := asked(t, r, aoki, "elsewhere1"); code != 200 || l.Facts.Account != "aoki" || l.Facts.From != "0312345678" || l.Facts.Result != "answered" || len(l.Lines) < 3 {
		t.Errorf("%d %+v %+v", code, l.Facts, l.Lines)
	}
	if code, l, _ := asked(t, r, aoki, "old"); code != 200 || l.Lines[len(l.Lines)-1].Title != "not taken" || l.Facts.Reason == "" {
		t.Errorf("%d %+v %+v", code, l.Facts, l.Lines)
	}
	now := exchange.CallRecord{ID: "now", From: "0312345678", To: "7000", Queue: "Support", Account: "aoki", Outside: true, Began: time.Now().Add(-time.Minute),
		Moments: []exchange.Moment{{At: time.Now().Add(-time.Minute), What: "queued", To: "Support", Place: 1}}}
	code, l, _ := asked(t, r, aoki, "now", now)
	if code != 200 || !l.Facts.Ended.IsZero() || len(l.Lines) != 2 || l.Lines[1].Title != "call queued" {
		t.Errorf("%d %+v %+v", code, l.Facts, l.Lines)
	}
}
