package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/ledger/clocktest"
	"zaseki/cmd/center/roster/code"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// TestAClockThatStepsSignsNobodyOut: the center's clock is set by an hour and by a day, both ways, while phones are signed in. (C12)
func TestAClockThatStepsSignsNobodyOut(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes, half a minute")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("steps clocks on amd64 only")
	}
	dir := filepath.Join(t.TempDir(), "center")
	p := start(t, dir)
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	baba, chiba := join(t, p.line.HTTP, "baba", "1002", "1"), join(t, p.line.HTTP, "chiba", "1003", "2")
	baba.wait("connection", 10*time.Second, online)
	chiba.wait("connection", 10*time.Second, online)
	others := []struct{ account, terminal, seat string }{{"doi", "1004", "4"}, {"endo", "1005", "5"}, {"fujita", "1006", "6"}, {"goto", "1007", "7"}, {"hara", "1008", "8"}}
	for i, by := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, 0} {
		if err := clocktest.Step(p.cmd.Process.Pid, by); err != nil {
			lacks(t, err)
		}
		for _, to := range []string{"lunch", "available"} {
			if err := baba.Ask(t.Context(), wire.SetStatus{To: to}); err != nil {
				t.Fatalf("clock by %v, status %s: %v", by, to, err)
			}
			baba.wait("status "+to, 5*time.Second, status(to))
		}
		o := others[i]
		late := join(t, p.line.HTTP, o.account, o.terminal, o.seat) // signs in while the clock is wrong
		late.wait("connection", 10*time.Second, online)
		late.stop()
		if s := seen(t, dir, "chiba"); s != "available" {
			t.Fatalf("clock by %v: chiba is %q", by, s)
		}
		quiet(chiba)
	}
	p.stop() // and the phones find the center again after a restart, with its clock as it should be
	chiba.wait("goodbye", 10*time.Second, offline)
}

// TestTheClockOfOneNodeStepsAndNobodyIsSignedOut is row C12 on three real centers, while phones are signed in at all of them: one node's
// clock is set by an hour and by a day, both ways.
func TestTheClockOfOneNodeStepsAndNobodyIsSignedOut(t *testing.T) {
	if testing.Short() {
		t.Skip("three real processes, half a minute")
	}
	if runtime.GOARCH != "amd64" {
		t.Skip("steps clocks on amd64 only")
	}
	c := fresh(t, t.TempDir(), "hara", "testdata/floor.json")
	phones := map[string]*phone{
		"a": join(t, c.nodes["a"].line.HTTP, "baba", "1002", "1"),
		"b": join(t, c.nodes["b"].line.HTTP, "chiba", "1003", "2"),
		"c": join(t, c.nodes["c"].line.HTTP, "doi", "1004", "4"),
	}
	for _, p := range phones {
		p.wait("connection", long, online)
	}
	hara, secret := enrolled(t, c.nodes["c"].line.HTTP)
	for _, by := range []time.Duration{5 * time.Minute, time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, 0} {
		if err := clocktest.Step(c.nodes["a"].cmd.Process.Pid, by); err != nil {
			lacks(t, err)
		}
		for name, p := range phones {
			for _, to := range []string{"lunch", "available"} {
				until(t, "a status that is taken", 2*long, func() bool { return p.Ask(t.Context(), wire.SetStatus{To: to}) == nil })
				p.wait(fmt.Sprintf("status %s at %s, its clock of a by %v", to, name, by), 2*long, status(to))
			}
			quiet(p)
		}
		oneSeat(t, c, by)
		if by > 0 {
			if code := prove(t, hara, c.nodes["a"].line.HTTP, code.At(secret, code.StepAt(time.Now()))); code != wire.ProblemFactor && code != wire.ProblemFactorClock ||
				by < 10*time.Minute && code != wire.ProblemFactorClock {
				t.Fatalf("the clock of a by %v: a code of now is told %q there", by, code)
			}
		}
	}
	if code := prove(t, hara, c.nodes["a"].line.HTTP, code.At(secret, code.StepAt(time.Now())+1)); code != "" {
		t.Fatalf("the clock of a is right again: a code is told %q", code)
	}
}

// enrolled has an authenticator set up; secret is what it makes its codes of.
func enrolled(t *testing.T, at string) (account, secret string) {
	t.Helper()
	p := join(t, at, "hara", "1008", "7")
	start, err := p.StartFactor(t.Context(), wire.FactorRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.ConfirmFactor(t.Context(), wire.FactorRequest{Code: code.At(start.Secret, code.StepAt(time.Now())-1)}); err != nil {
		t.Fatal(err)
	}
	if err := p.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	return "hara", start.Secret
}

// prove says what a code is told at that node; "" well.
func prove(t *testing.T, account, at, typed string) string {
	t.Helper()
	u := uplink.New(uplink.Config{URL: at, Machine: "pc", Version: "test", Tell: func(uplink.Event) {}})
	passed, err := u.Check(t.Context(), account, wire.Secret(account+"-change-me"))
	if err != nil || passed.Need == nil {
		t.Fatalf("no code was asked for: %+v %v", passed, err)
	}
	_, err = u.Prove(t.Context(), wire.WayApp, wire.Secret(typed), false)
	var why wire.Problem
	if err != nil && !errors.As(err, &why) {
		t.Fatal(err)
	}
	return why.Code
}

// oneSeat has agents want one seat at all three nodes at once: one of them gets it, and all nodes agree who.
func oneSeat(t *testing.T, c *trio, by time.Duration) {
	t.Helper()
	want := map[string]struct{ account, terminal string }{"a": {"endo", "1005"}, "b": {"fujita", "1006"}, "c": {"goto", "1007"}}
	told := map[string]string{}
	var winner *uplink.Uplink
	var mu sync.Mutex
	var g sync.WaitGroup
	for name, w := range want {
		g.Go(func() {
			u := uplink.New(uplink.Config{URL: c.nodes[name].line.HTTP, Machine: "pc", Version: "test", Tell: func(uplink.Event) {}})
			_, err := u.Check(t.Context(), w.account, wire.Secret(w.account+"-change-me"))
			if err == nil {
				_, err = u.SignIn(t.Context(), wire.SignIn{Terminal: w.terminal, Status: "away", Seat: "8"})
			}
			mu.Lock()
			defer mu.Unlock()
			var why wire.Problem
			switch {
			case err == nil:
				told[name], winner = "in", u
			case errors.As(err, &why):
				told[name] = why.Code
			default:
				told[name] = err.Error()
			}
		})
	}
	g.Wait()
	in, taken := 0, 0
	for _, what := range told {
		switch what {
		case "in":
			in++
		case wire.ProblemSeatTaken:
			taken++
		}
	}
	if in != 1 || in+taken != len(want) {
		t.Fatalf("the clock of a by %v: one seat was wanted at three nodes: %v", by, told)
	}
	if err := winner.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// quiet fails when the phone was told that its session is over.
func quiet(p *phone) {
	p.t.Helper()
	for {
		select {
		case e := <-p.events:
			switch e := e.(type) {
			case uplink.Expired, uplink.Revoked:
				p.t.Fatalf("the session ended: %+v", e)
			}
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}

func lacks(t *testing.T, err error) {
	t.Helper()
	if strings.Contains(err.Error(), "permi") && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	t.Fatal(err)
}
