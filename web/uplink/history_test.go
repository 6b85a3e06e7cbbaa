package uplink

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"zaseki/web/wire"
)

func TestThePastIsAskedForByPages(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization")+" "+r.Method+" "+r.URL.RequestURI())
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"asOf":"2026-04-01T09:00:00Z","calls":[{"id":"c1"}],"spans":[{"status":"break"}],"next":"a.1"}`)
		case "a.1&limit=9":
			fmt.Fprint(w, `{"calls":[]}`)
		default:
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"agent.expired"}`)
		}
	}))
	defer srv.Close()
	u := New(Config{URL: srv.URL})
	defer u.client.CloseIdleConnections()
	_, err := u.CallHistory(t.Context(), "")
	wantProblem(t, err, wire.ProblemExpired)
	u.enter(&session{token: "secret", ended: make(chan struct{})})
	calls, err := u.CallHistory(t.Context(), "")
	if err != nil || len(calls.Calls) != 1 || calls.Next != "a.1" {
		t.Fatalf("%+v %v", calls, err)
	}
	if _, err := u.CallHistory(t.Context(), "a.1&limit=9"); err != nil {
		t.Fatal("a cursor is more than a cursor:", err)
	}
	_, err = u.StatusHistory(t.Context(), "b.2")
	wantProblem(t, err, wire.ProblemExpired)
	spans, err := u.StatusHistory(t.Context(), "")
	if err != nil || len(spans.Spans) != 1 {
		t.Fatalf("%+v %v", spans, err)
	}
	if _, err := u.OwnDay(t.Context(), "2026-04-01"); err != nil {
		t.Fatal(err)
	}
	if _, err := u.OwnDay(t.Context(), ""); err != nil || asked[4] != "Bearer secret GET /api/v1/reports/mine/day?day=2026-04-01" || asked[5] != "Bearer secret GET /api/v1/reports/mine/day?" {
		t.Fatalf("asked %q: %v", asked, err)
	}
	if len(asked) != 6 || asked[0] != "Bearer secret GET /api/v1/reports/mine/calls?limit=50" || asked[3] != "Bearer secret GET /api/v1/reports/mine/activity?limit=50" {
		t.Fatalf("asked %q", asked)
	}
	srv.Close()
	_, err = u.CallHistory(t.Context(), "")
	wantProblem(t, err, wire.ProblemUnreachable)
}
