package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"zaseki/web/wire"
)

type past map[string]any // by cursor: wire.CallHistory or an error

func (p past) CallHistory(_ context.Context, cursor string) (wire.CallHistory, error) {
	err, _ := p[cursor].(error)
	page, _ := p[cursor].(wire.CallHistory)
	return page, err
}

func (p past) OwnDay(_ context.Context, day string) (wire.OwnDay, error) {
	err, _ := p[day].(error)
	return wire.OwnDay{Day: day, Taken: 7}, err
}

func (past) FloorPast(_ context.Context, at time.Time, floor string) (json.RawMessage, error) {
	if floor == "theirs" {
		return nil, wire.Problem{Code: wire.ProblemForbidden}
	}
	return json.RawMessage(`{"at":"` + at.Format(time.RFC3339) + `","only":"` + floor + `"}`), nil
}

func (past) DawnCheck(context.Context) (wire.DawnCheck, error) {
	return wire.DawnCheck{ID: "d1", By: "root", Seats: []wire.SeatCheck{{Seat: "7", Name: "=1+1", State: wire.CheckWeak, LossThere: 2.5, Missing: []string{"mic", "ring"}, Why: wire.ProblemCheckLoss}}}, nil
}

func (past) FloorDay(_ context.Context, day, floor string) (json.RawMessage, error) {
	if floor == "away" {
		return nil, wire.Problem{Code: wire.ProblemUnreachable}
	}
	return json.RawMessage(`{"day":"` + day + `","only":"` + floor + `"}`), nil
}

// TestThePastIsHandedThrough as the center says it, to whoever has a session; nothing of it stays in the browser.
func TestThePastIsHandedThrough(t *testing.T) {
	r := startWith(t, func(c *Config) {
		c.Past = past{"2026-04-02": wire.Problem{Code: wire.ProblemForbidden}, "2026-04-03": wire.Problem{Code: wire.ProblemUnreachable}}
	})
	for _, row := range []struct {
		path    string
		session bool
		code    int
		has     string
	}{
		{"/floor/past?at=2026-04-01T10:32:00Z&floor=3f", true, 200, `{"at":"2026-04-01T10:32:00Z","only":"3f"}`},
		{"/floor/past?at=2026-04-01T10:32:00%2B09:00", true, 200, `"at":"2026-04-01T10:32:00+09:00","only":""`},
		{"/floor/past?at=2026-04-01T10:32:00Z", false, 401, ""},
		{"/floor/past?at=yesterday", true, 400, "RFC 3339"},
		{"/floor/past?at=2026-04-01T10:32:00Z&floor=theirs", true, 403, "forbidden"},
		{"/floor/day?day=2026-04-01&floor=3f", true, 200, `{"day":"2026-04-01","only":"3f"}`},
		{"/floor/day?day=2026-04-01", false, 401, ""},
		{"/floor/day?day=2026-13-01", true, 400, "a date"},
		{"/check", true, 200, `"id":"d1"`},
		{"/check?format=csv", true, 200, "\ufeffseat,account,name,extension,state,ring,delay,lossThere,lossBack,jitter,secure,heard,missing,why,at\n7,,'=1+1,,weak,0,0,2.5,0.0,0.0,false,false,mic ring,check.loss,\n"},
		{"/check", false, 401, ""},
		{"/history/day", true, 200, `"day":""`},
		{"/history/day?day=2026-04-01", true, 200, `"day":"2026-04-01","today":"","taken":7`},
		{"/history/day?day=2026-04-01", false, 401, ""},
		{"/history/day?day=2026-04-01%26account=baba", true, 400, "a date"},
		{"/history/day?day=2026-04-02", true, 404, "row.unknown"}, // a center before this
		{"/history/day?day=2026-04-03", true, 502, "unreachable"},
		{"/floor/day?day=2026-04-01&floor=away", true, 502, "unreachable"},
	} {
		resp := r.do(t, "GET", row.path, "", map[string]string{"Origin": r.own}, row.session)
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != row.code || !strings.Contains(string(body), row.has) || row.code == 200 && resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s session %t: %d %.80s", row.path, row.session, resp.StatusCode, body)
		}
	}
}

func TestThePastIsReadPageByPage(t *testing.T) {
	r := startWith(t, func(c *Config) {
		c.Past = past{"": wire.CallHistory{Calls: []wire.HistoryCall{{ID: "c2"}}, Next: "a b&c"}, "a b&c": wire.CallHistory{Calls: []wire.HistoryCall{{ID: "c1"}}},
			"out": wire.Problem{Code: wire.ProblemExpired}, "gone": wire.Problem{Code: wire.ProblemUnreachable}, "odd": errors.New("odd")}
	})
	for query, want := range map[string]struct {
		code int
		say  string
	}{
		"": {200, "c2"}, "?cursor=a%20b%26c": {200, "c1"}, "?cursor=out": {404, wire.ProblemExpired},
		"?cursor=gone": {502, wire.ProblemUnreachable}, "?cursor=odd": {502, wire.ProblemInternal},
	} {
		for _, bearer := range []string{r.guard.Token().Reveal(), "wrong"} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.own+"/history"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+bearer)
			req.Close = true
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if bearer == "wrong" {
				if res.StatusCode != http.StatusUnauthorized {
					t.Errorf("%q without a session: %s", query, res.Status)
				}
				continue
			}
			var got struct {
				wire.CallHistory
				wire.Problem
			}
			if err != nil || json.Unmarshal(body, &got) != nil || res.StatusCode != want.code || got.Code != want.say && (len(got.Calls) != 1 || got.Calls[0].ID != want.say) {
				t.Errorf("%q: %s %s, %v", query, res.Status, body, err)
			}
		}
	}
}
