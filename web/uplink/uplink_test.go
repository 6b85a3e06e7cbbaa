package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"zaseki/web/wire"
)

// The uplink's life with a real center is proven in cmd/center/roster, since nothing outside cmd knows it.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func wantProblem(t *testing.T, err error, code string) {
	t.Helper()
	var p wire.Problem
	if !errors.As(err, &p) || p.Code != code {
		t.Fatalf("err = %v, want the problem %s", err, code)
	}
}

func TestWhatIsNotACenterIsToldApart(t *testing.T) {
	rows := []struct {
		name   string
		status int
		body   string
		code   string
	}{
		{"a captive portal", 200, "<html>Welcome to the hotel</html>", wire.ProblemCenter},
		{"another server", 404, "404 page not found", wire.ProblemCenter},
		{"a broken proxy", 502, "", wire.ProblemCenter},
		{"a problem", 429, `{"code":"signin.limited","holes":{"seconds":"3"}}`, wire.ProblemLimited},
		{"a problem without a code", 401, `{}`, wire.ProblemCenter},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(r.status)
				fmt.Fprint(w, r.body)
			}))
			defer srv.Close()
			u := New(Config{URL: srv.URL + "/"})
			defer u.client.CloseIdleConnections()
			_, err := u.Check(t.Context(), "alice", "secret")
			wantProblem(t, err, r.code)
		})
	}
}

func TestAPasswordIsNotSentAfterARedirect(t *testing.T) {
	asked := make(chan struct{}, 1)
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- struct{}{} }))
	defer thief.Close()
	srv := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	defer srv.Close()
	u := New(Config{URL: srv.URL})
	defer u.client.CloseIdleConnections()
	_, err := u.Check(t.Context(), "alice", "secret")
	wantProblem(t, err, wire.ProblemCenter)
	if len(asked) > 0 {
		t.Fatal("the redirect was followed")
	}
}

func TestSignedOutNothingWaits(t *testing.T) {
	u := New(Config{URL: "http://127.0.0.1:1"})
	wantProblem(t, u.Ask(t.Context(), wire.SetStatus{To: "break"}), wire.ProblemExpired)
	u.Report(wire.CallReport{ID: "c1"})
	if len(u.queue) != 0 {
		t.Fatal("a report waits for nobody")
	}
	if err := u.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err := u.Check(t.Context(), "alice", "secret")
	wantProblem(t, err, wire.ProblemUnreachable)
}

func TestAWishIsAnsweredWhateverTheConnectionDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := New(Config{URL: "http://127.0.0.1:1"})
		u.enter(&session{ended: make(chan struct{})})
		began := time.Now()
		wantProblem(t, u.Ask(t.Context(), wire.SetStatus{To: "break"}), wire.ProblemOffline)
		if took := time.Since(began); took != askTime || len(u.queue) != 0 {
			t.Fatalf("after %v, %d wait", took, len(u.queue))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantProblem(t, u.Ask(ctx, wire.SetStatus{To: "break"}), wire.ProblemOffline)
		done := make(chan error, 1)
		go func() { done <- u.Ask(t.Context(), wire.SetStatus{To: "break"}) }()
		synctest.Wait()
		u.enter(nil)
		wantProblem(t, <-done, wire.ProblemExpired)
	})
}

func TestOfTooManyReportsTheOldestGoAndNoWishDoes(t *testing.T) {
	u := New(Config{URL: "http://127.0.0.1:1"})
	u.enter(&session{ended: make(chan struct{})})
	wish := &item{op: "wish", m: wire.ExtendWork{}, reply: make(chan error, 1)}
	u.queue = append(u.queue, wish)
	for i := range maxQueue + 10 {
		u.Report(wire.CallReport{ID: fmt.Sprint(i)})
	}
	last := u.queue[len(u.queue)-1].m.(wire.CallReport)
	if len(u.queue) != maxQueue || u.queue[0] != wish || u.queue[1].m.(wire.CallReport).ID != "11" || last.ID != fmt.Sprint(maxQueue+9) {
		t.Fatalf("%d wait, first %+v, last %+v", len(u.queue), u.queue[1].m, last)
	}
}

func TestOfFloorsTheNewestWins(t *testing.T) {
	u := New(Config{URL: "http://127.0.0.1:1"})
	ctx, cancel := context.WithCancel(t.Context())
	slow, turn := u.WatchFloor(ctx, wire.WatchFloor{On: true})
	defer turn(wire.WatchFloor{})
	for rev := range uint64(5) {
		u.floorCame(wire.Floor{Rev: rev})
	}
	if f := <-slow; f.Rev != 4 {
		t.Fatalf("rev %d", f.Rev)
	}
	late, turnLate := u.WatchFloor(t.Context(), wire.WatchFloor{On: true})
	if f := <-late; f.Rev != 4 {
		t.Fatal("who comes late sees nothing")
	}
	turnLate(wire.WatchFloor{})
	turnLate(wire.WatchFloor{})
	if _, open := <-late; open {
		t.Fatal("open after stop")
	}
	cancel()
	if _, open := <-slow; open {
		t.Fatal("open after its context")
	}
}

func FuzzAnswerOfTheCenter(f *testing.F) {
	f.Add(200, []byte(`{"ticket":"x"}`))
	f.Add(409, []byte(`{"code":"seat.taken"}`))
	f.Fuzz(func(t *testing.T, status int, data []byte) {
		var out wire.Checked
		err := understand(status, data, &out)
		var p wire.Problem
		if err != nil && (!errors.As(err, &p) || p.Code == "") {
			t.Fatal("an error nobody can read")
		}
		if err == nil && status == 200 && !json.Valid(data) {
			t.Fatal("understood what is not JSON")
		}
	})
}
