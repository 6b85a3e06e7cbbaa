package report

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"zaseki/cmd/center/roster"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// scenery is a roster that phones sign in to, on the book's ledger.
func (b *book) scenery() (*roster.Roster, string) {
	b.t.Helper()
	s, err := roster.New(roster.Config{Ledger: b.Ledger, Key: make([]byte, 32), Cost: roster.Cost{Time: 1, Memory: 8}})
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	server := httptest.NewServer(s.Handler())
	b.t.Cleanup(func() {
		cancel()
		<-ran
		server.Close()
	})
	site := roster.DefaultSite()
	site.AfterWorkSeconds = 0
	setup := roster.Setup{Site: &site, Floors: []roster.FloorSetup{{ID: "f1", Name: "1F"}, {ID: "f2", Name: "2F"}}}
	for i, account := range []string{"aoki", "baba", "chiba"} {
		id := fmt.Sprint(i + 1)
		setup.Accounts = append(setup.Accounts, roster.AccountSetup{Account: account, Name: account, Password: roster.Plain("correct horse " + account)})
		setup.Terminals = append(setup.Terminals, roster.TerminalSetup{Extension: "200" + id, Account: account})
		setup.Seats = append(setup.Seats, roster.SeatSetup{ID: id, Floor: []string{"f1", "f2"}[i%2]})
	}
	if err := s.Apply(b.t.Context(), setup, "test"); err != nil {
		b.t.Fatal(err)
	}
	return s, server.URL
}

func (b *book) enters(url, account, id string) *uplink.Uplink {
	b.t.Helper()
	u := uplink.New(uplink.Config{URL: url, Machine: account, Tell: func(uplink.Event) {}})
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- u.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		<-ran
	})
	_, err := u.Check(b.t.Context(), account, wire.Secret("correct horse "+account))
	if err == nil {
		_, err = u.SignIn(b.t.Context(), wire.SignIn{Terminal: "200" + id, Status: wire.StatusAway, Seat: id})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return u
}

// kept is what a row of the live view has that is kept.
func kept(s wire.SeatState) wire.SeatState {
	s.Missing, s.Attended = nil, 0
	s.Since, s.Hand, s.Talks = s.Since.UTC().Truncate(time.Microsecond), s.Hand.UTC().Truncate(time.Microsecond), s.Talks.UTC().Truncate(time.Microsecond)
	return s
}

// TestThePastIsWhatTheLiveViewSaid at every moment of a drawn day of a real roster with real phones.
func TestThePastIsWhatTheLiveViewSaid(t *testing.T) {
	b := newBook(t)
	s, url := b.scenery()
	r, _ := b.run(filepath.Join(t.TempDir(), "report.db"))
	people := []string{"aoki", "baba", "chiba"}
	phones := map[string]*uplink.Uplink{}
	type view struct {
		at    time.Time
		floor wire.Floor
	}
	var views []view
	draw := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	settle := func(what string, done func(wire.SeatState) bool, seat int) {
		t.Helper()
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(30 * time.Second); !done(s.Floor().Seats[seat]); <-tick.C {
			if time.Now().After(end) {
				t.Fatalf("%s is not shown: %+v", what, s.Floor().Seats[seat])
			}
		}
	}
	calls := map[string]int{} // begun by each; odd: it goes on
	for range 60 {
		i := draw.IntN(3)
		account, id := people[i], fmt.Sprint(i+1)
		u := phones[account]
		ask := func(m interface{ Type() string }) {
			if err := u.Ask(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		call := wire.CallReport{ID: fmt.Sprint("c", calls[account]/2), Inbound: true, Outside: true, Peer: "0312345678", Queue: "Support"}
		switch n := draw.IntN(6); {
		case u == nil:
			phones[account] = b.enters(url, account, id)
		case n == 0 && calls[account]%2 == 0:
			if err := u.SignOut(t.Context()); err != nil {
				t.Fatal(err)
			}
			delete(phones, account)
			settle("the sign-out", func(s wire.SeatState) bool { return s.Account == "" }, i)
		case n <= 2 && calls[account]%2 == 0:
			ask(wire.SetStatus{To: []string{wire.StatusAvailable, wire.StatusBreak, wire.StatusAway}[draw.IntN(3)]})
		case n == 3:
			ask(wire.RaiseHand{On: draw.IntN(2) == 0})
		case calls[account]%2 == 0:
			calls[account]++
			call.Phase = wire.CallTalking
			u.Report(call)
			settle("the call", func(s wire.SeatState) bool { return s.Call == wire.CallTalking }, i)
		default:
			calls[account]++
			call.Phase, call.Result = wire.PhaseEnded, "answered"
			u.Report(call)
			settle("the call's end", func(s wire.SeatState) bool { return s.Call == "" }, i)
		}
		views = append(views, view{time.Now(), s.Floor()})
	}
	for n, v := range views {
		_, past := floorOf[wire.Floor](t, r, s, moment(v.at))
		for i, seat := range v.floor.Seats {
			if got, want := fmt.Sprintf("%+v", kept(past.Seats[i])), fmt.Sprintf("%+v", kept(seat)); got != want {
				t.Fatalf("view %d at %s:\nwas  %s\nsaid %s", n, v.at, want, got)
			}
		}
		if !slices.EqualFunc(past.Floors, v.floor.Floors, func(a, b wire.FloorPlan) bool { return a.ID == b.ID && a.Name == b.Name }) {
			t.Fatalf("%+v, not %+v", past.Floors, v.floor.Floors)
		}
	}
}
