package roster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/exchange/voice"
	"zaseki/web/wire"
)

// caller stands where the exchange does, whose own tests call real phones: a check of a terminal lasts until it is let go.
type caller struct {
	mu    sync.Mutex
	at    int // at once
	most  int
	users []string
	hold  chan struct{} // nil: nobody is held
	got   exchange.Checked
	err   error
	said  func(o exchange.CheckOrder)
}

var fine = exchange.Checked{Ring: 20 * time.Millisecond, Sounding: voice.Sounding{Sent: 150, Received: 150, Delay: 40 * time.Millisecond, Heard: true}}

func (k *caller) CheckPhone(ctx context.Context, o exchange.CheckOrder) (exchange.Checked, error) {
	k.mu.Lock()
	k.at++
	k.most, k.users = max(k.most, k.at), append(k.users, o.User)
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.at--
		k.mu.Unlock()
	}()
	if k.hold != nil {
		select {
		case <-k.hold:
		case <-ctx.Done():
			return exchange.Checked{}, ctx.Err()
		}
	}
	if k.said != nil {
		k.said(o)
	}
	return k.got, k.err
}

func (k *caller) calls() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.users)
}

// dawnFor is what that account may see of the check.
func (c *center) dawnFor(who string) wire.DawnCheck {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.view.dawnOf(who)
}

func (c *center) dawnOver(t *testing.T) wire.DawnCheck {
	t.Helper()
	eventually(t, "the check is over", func() bool { d := c.dawnFor("root"); return d.ID != "" && !d.Ended.IsZero() })
	return c.dawnFor("root")
}

func states(d wire.DawnCheck) string {
	var all []string
	for _, s := range d.Seats {
		all = append(all, s.Seat+" "+s.State+" "+s.Why)
	}
	return strings.Join(all, "; ")
}

// answers has a phone report whatever it is to be checked for.
func (p *phone) answers(r wire.CheckReport) func(exchange.CheckOrder) {
	return func(o exchange.CheckOrder) {
		if word, ok := last[wire.CheckCall](p); ok && word.ID == o.ID {
			r.ID = o.ID
			p.Report(r)
		}
	}
}

func (p *phone) refusedWith(code string, m wire.Check) {
	p.t.Helper()
	if err := p.ask(m); !errors.Is(err, wire.Problem{Code: code}) {
		p.t.Errorf("%+v of %s: %v, not %s", m, p.account, err, code)
	}
}

// TestEverySeatIsCheckedAndSeenByWhoMay: by real phones' words, with absent and busy seats; agents may not, supervisors for theirs.
func TestEverySeatIsCheckedAndSeenByWhoMay(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, grouped)
	alice := newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusBreak, "1")
	bob := newPhone(t, c, "bob", "pc2").ready("2002", wire.StatusAvailable, "2")
	carol := newPhone(t, c, "carol", "pc3").in("2003", wire.StatusAway, "3")
	dave := newPhone(t, c, "dave", "pc4").ready("2004", wire.StatusAway, "")
	bob.talks("c1")
	eventually(t, "they are ready", func() bool {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.lineLocked("alice") && c.view.agents["bob"].v.inCall()
	})
	calls := &caller{got: fine, hold: make(chan struct{})}
	calls.said = func(o exchange.CheckOrder) {
		eventually(t, "the phone knows", func() bool { w, ok := last[wire.CheckCall](alice); return ok && w.ID == o.ID })
		alice.answers(wire.CheckReport{Received: 150, Jitter: 2, Missing: []string{"mic", "<b>"}})(o)
	}
	c.CheckWith(calls)

	alice.refusedWith(wire.ProblemForbidden, wire.Check{})
	dave.refusedWith(wire.ProblemNotLed, wire.Check{Seats: []string{"1"}})
	carol.refusedWith(wire.ProblemSeatUnknown, wire.Check{Seats: []string{"99"}})
	carol.refusedWith(wire.ProblemCheckNone, wire.Check{Floor: "9"})
	carol.refusedWith(wire.ProblemCheckIdle, wire.Check{Stop: true})
	must(t, carol.ask(wire.Check{}))
	eventually(t, "one is called", func() bool { return len(calls.calls()) == 1 })
	if err := dave.ask(wire.Check{}); !errors.Is(err, wire.Problem{Code: wire.ProblemCheckRuns}) || err.(wire.Problem).Holes["who"] != "Carol" {
		t.Errorf("a second one: %v", err)
	}
	dave.refusedWith(wire.ProblemForbidden, wire.Check{Stop: true})
	close(calls.hold)

	d := c.dawnOver(t)
	if got, want := states(d), "1 weak check.missing; 2 busy check.busy; 3 absent check.away; 10 absent check.absent"; got != want {
		t.Errorf("found %s\nwant  %s", got, want)
	}
	if s := d.Seats[0]; d.By != "carol" || d.Name != "Carol" || s.Account != "alice" || s.Name != "Alice 山田" || s.Extension != "2001" || s.Ring != 20 || s.Delay != 40 || s.Jitter != 2 || !s.Heard || !slices.Equal(s.Missing, []string{"mic"}) {
		t.Errorf("%+v of %+v", s, d)
	}
	if got := states(c.dawnFor("dave")); got != "10 absent check.absent" {
		t.Errorf("who leads nobody of them sees %s", got)
	}
	if a := c.agent("alice"); a.Status != wire.StatusBreak || len(a.Calls) != 0 {
		t.Errorf("the agent's record has %+v", a)
	}
	if got := calls.calls(); !slices.Equal(got, []string{"2001"}) {
		t.Errorf("called %v", got)
	}
}

// TestTheCheckIsReadByItsAPI: as JSON and as a table, by staff only.
func TestTheCheckIsReadByItsAPI(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, nil)
	alice := newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusBreak, "1")
	root := newPhone(t, c, "root", "pc9").ready("2099", wire.StatusBreak, "")
	eventually(t, "she is ready", func() bool {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.lineLocked("alice")
	})
	c.CheckWith(&caller{err: exchange.ErrUnanswered})
	must(t, root.ask(wire.Check{Seats: []string{"10", "1", "1"}}))
	c.dawnOver(t)
	d, err := root.DawnCheck(t.Context())
	if must(t, err); states(d) != "1 failed check.unanswered; 10 absent check.absent" {
		t.Errorf("%s", states(d))
	}
	if _, err := alice.DawnCheck(t.Context()); !errors.Is(err, wire.Problem{Code: wire.ProblemForbidden}) {
		t.Errorf("an agent: %v", err)
	}
	var step wire.Checked
	must(t, ask(t, c, "/api/v1/check", "", wire.CheckRequest{Account: "root", Password: password}, &step))
	var w wire.Welcome
	must(t, ask(t, c, "/api/v1/signin", "", wire.SignInRequest{Ticket: step.Ticket, Terminal: "2099", Status: wire.StatusBreak, Machine: "pc9", Takeover: true}, &w))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/api/v1/check?format=csv", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+w.Token)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if res.StatusCode != 200 || !strings.HasPrefix(string(body), "\ufeffseat,account,") || !strings.Contains(string(body), "\n1,alice,Alice 山田,2001,failed,") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

// TestTwoHundredSeatsAreCheckedTwentyAtATime, in their order, and end when somebody stops it.
func TestTwoHundredSeatsAreCheckedTwentyAtATime(t *testing.T) {
	t.Parallel()
	const seats = 200
	c := newCenter(t, nil, func(s *Setup) {
		for i := range seats {
			s.Terminals = append(s.Terminals, TerminalSetup{Extension: strconv.Itoa(5000 + i), Account: "a" + strconv.Itoa(i)})
			s.Accounts = append(s.Accounts, AccountSetup{Account: "a" + strconv.Itoa(i), Name: "Agent", Hash: weakHash(password)})
			s.Seats = append(s.Seats, SeatSetup{ID: strconv.Itoa(1000 + i), Floor: "1", X: 5 + i%20, Y: i / 20})
		}
	})
	root := newPhone(t, c, "root", "pc9").ready("2099", wire.StatusBreak, "")
	must(t, c.change(t.Context(), "test", func(d *draft) error { // they sit there, and their phones are connected to another node that says that all is well
		for i := range seats {
			account, terminal, seat := "a"+strconv.Itoa(i), strconv.Itoa(5000+i), strconv.Itoa(1000+i)
			a := d.agent(account, "test")
			a.Account, a.Session, a.Conn, a.Terminal, a.Seat = account, &Session{ID: "s" + account, Node: "other", Began: d.now, Expires: d.now.Add(time.Hour)}, connUp, terminal, seat
			d.seat(seat, "test").Holder = account
		}
		return nil
	}))
	calls := &caller{got: fine, hold: make(chan struct{})}
	c.CheckWith(calls)
	must(t, root.ask(wire.Check{}))
	eventually(t, "as many as may be are called", func() bool { return len(calls.calls()) == dawnAtOnce })
	for range 30 {
		calls.hold <- struct{}{}
	}
	eventually(t, "others have their turn", func() bool { return len(calls.calls()) >= 30 })
	stopped := time.Now()
	must(t, root.ask(wire.Check{Stop: true}))
	d := c.dawnOver(t)
	if took := d.Ended.Sub(stopped); took > dawnCall/2 { // a second on a machine that does nothing else
		t.Errorf("stopped after %v: it waited for those it called", took)
	}
	calls.mu.Lock()
	most, users := calls.most, slices.Clone(calls.users)
	calls.mu.Unlock()
	if most != dawnAtOnce {
		t.Errorf("%d at once, not %d", most, dawnAtOnce)
	}
	for _, user := range users {
		if n, _ := strconv.Atoi(user); n >= 5000+dawnAtOnce+len(users) {
			t.Errorf("%s has had its turn among the first %d", user, len(users))
		}
	}
	waits := 0
	for _, s := range d.Seats {
		if s.State == wire.CheckWaiting {
			waits++
		}
		if s.State == wire.CheckCalling || s.State == wire.CheckFailed && s.Why != wire.ProblemCheckStopped {
			t.Errorf("stopped, and %+v", s)
		}
	}
	if d.Why != wire.ProblemCheckStopped || len(d.Seats) != seats+4 || waits == 0 {
		t.Errorf("%q, %d seats, %d wait", d.Why, len(d.Seats), waits)
	}
}

// TestACheckThatARestartCutOffSaysSo, and one that was over is kept.
func TestACheckThatARestartCutOffSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCenter(t, dir, nil)
	must(t, c.Apply(t.Context(), setup(), "test"))
	newPhone(t, c, "alice", "pc1").ready("2001", wire.StatusBreak, "1")
	root := newPhone(t, c, "root", "pc9").ready("2099", wire.StatusBreak, "")
	eventually(t, "she is ready", func() bool {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return c.lineLocked("alice")
	})
	calls := &caller{hold: make(chan struct{})}
	c.CheckWith(calls)
	must(t, root.ask(wire.Check{}))
	eventually(t, "she is called", func() bool { return len(calls.calls()) == 1 })
	c.stop()

	c = startCenter(t, dir, nil)
	d := c.dawnOver(t)
	if d.Why != wire.ProblemCheckCut || d.Seats[0].State != wire.CheckFailed || d.Seats[0].Why != wire.ProblemCheckCut {
		t.Errorf("%q: %s", d.Why, states(d))
	}
	c.stop()
	if again := startCenter(t, dir, nil).dawnFor("root"); states(again) != states(d) || !again.Ended.Equal(d.Ended) {
		t.Errorf("after a restart %+v, before %+v", again, d)
	}
}

// TestTheNodeThatServesTheTelephonesChecks, wherever the wish comes from and the phone is; a node that is lost is named.
func TestTheNodeThatServesTheTelephonesChecks(t *testing.T) {
	a, b, lost := twoNodes(t, Timing{}) // a serves the telephones
	alice := newPhone(t, b, "alice", "pc1").ready("2001", wire.StatusBreak, "1")
	root := newPhone(t, b, "root", "pc9").ready("2099", wire.StatusBreak, "")
	eventually(t, "both know that she is ready", func() bool {
		a.mu.RLock()
		defer a.mu.RUnlock()
		return a.lineLocked("alice")
	})
	calls := &caller{got: fine}
	calls.said = func(o exchange.CheckOrder) {
		eventually(t, "the phone at the other node knows", func() bool { w, ok := last[wire.CheckCall](alice); return ok && w.ID == o.ID })
		alice.answers(wire.CheckReport{Received: 150})(o)
	}
	a.CheckWith(calls)
	b.CheckWith(&caller{err: errors.New("this node serves no telephones")})
	must(t, root.ask(wire.Check{Seats: []string{"1"}}))
	if d := b.dawnOver(t); states(d) != "1 ok " {
		t.Errorf("%s", states(d))
	}
	lost.Store(true)
	err := root.ask(wire.Check{})
	var p wire.Problem
	if !errors.As(err, &p) || p.Code != wire.ProblemCheckNode || p.Holes["node"] != "a" {
		t.Errorf("with that node lost: %v", err)
	}
}

// TestTheScheduleBeginsACheck at the center's own time, once.
func TestTheScheduleBeginsACheck(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 1, 22, 29, 59, 0, time.UTC) // 07:29:59 in Tokyo
	var mu sync.Mutex
	looks := 0
	c := newCenter(t, nil, func(s *Setup) { s.Site.Zone, s.Site.DawnCheck = "Asia/Tokyo", "07:30" })
	c.dawn.mu.Lock()
	c.dawn.clock = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		looks++
		return now
	}
	c.dawn.mu.Unlock()
	pass := func(d time.Duration) { // and the clock was looked at
		mu.Lock()
		now = now.Add(d)
		before := looks
		mu.Unlock()
		eventually(t, "the clock is looked at", func() bool {
			c.dawn.signal()
			mu.Lock()
			defer mu.Unlock()
			return looks >= before+2
		})
	}
	pass(0)
	pass(2 * time.Second)
	d := c.dawnOver(t)
	if d.By != "" || len(d.Seats) != 4 {
		t.Errorf("%+v", d)
	}
	pass(time.Minute)
	if next := c.dawnFor("root"); next.ID != d.ID {
		t.Errorf("a second one: %+v", next)
	}
	pass(24 * time.Hour)
	eventually(t, "the next day", func() bool { next := c.dawnFor("root"); return next.ID != d.ID && !next.Ended.IsZero() })
}

func TestWhenTheScheduleIsDue(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	must(t, err)
	at := func(clock string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-04-01 "+clock, tokyo)
		must(t, err)
		return v.UTC()
	}
	for _, row := range []struct {
		plan, looked, now string
		due               bool
	}{
		{"07:30", "07:29:59", "07:30:00", true}, {"07:30", "07:30:00", "07:30:01", false}, {"07:30", "07:29:00", "07:29:59", false},
		{"07:30", "07:00:00", "07:39:00", true}, {"07:30", "03:00:00", "09:00:00", false}, {"", "00:00:00", "23:59:59", false}, {"25:00", "00:00:00", "23:59:59", false},
	} {
		if got := dawnDue(row.plan, tokyo, at(row.looked), at(row.now)); got != row.due {
			t.Errorf("%s, looked at %s, now %s: %t", row.plan, row.looked, row.now, got)
		}
	}
}
