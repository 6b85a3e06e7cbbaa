package cmd_test

import (
	"context"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/ledger/clocktest"
	"zaseki/media/hear"
	"zaseki/sip"
	"zaseki/web/wire"
)

// post is a phone in trouble: built, at a center, with a customer outside, and a page without a browser that sees all of it.
type post struct {
	*kiosk
	customer *stage.Customer
	heard    *flow // by the customer, on the line of the newest call
	line     string
}

func newPost(t *testing.T) *post {
	t.Helper()
	need(t)
	p := &post{kiosk: newKiosk(t), heard: &flow{}}
	ctx, cancel := context.WithCancel(context.Background())
	tone := make([]int16, 8000)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*700*float64(i)/8000))
	}
	var err error
	if p.customer, err = stage.NewCustomer(ctx, p.center, tone); err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() { gone <- p.customer.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-gone; err != nil {
			t.Errorf("the customer: %v", err)
		}
	})
	if err := p.customer.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return p
}

// enter signs in at that account's second seat, Available, and waits for the line.
func (p *post) enter(account string) (seat string) {
	p.Helper()
	p.say("account.check", map[string]any{"account": account, "password": stage.Password})
	s := p.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	seat = s.Choice.Seats[1].ID
	p.handle.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusAvailable, Seat: seat})
	p.registered()
	return seat
}

func (p *post) registered() wire.Snapshot {
	p.Helper()
	return p.until("registered", func(s wire.Snapshot) bool {
		return s.Phase == wire.PhaseIn && s.Line.State == "registered" && s.Center.Online
	})
}

// calls has the customer call the agent's own extension and the agent answer. Sound flows from then on.
func (p *post) calls(extension string) {
	p.Helper()
	if _, err := p.customer.Call(p.ctx, extension); err != nil {
		p.Fatal(err)
	}
	s := p.until("an offered call", func(s wire.Snapshot) bool { _, ok := s.Ringing(); return ok })
	ringing, _ := s.Ringing()
	p.handle.post(wire.Answer{Call: ringing.ID})
	p.until("talking", func(s wire.Snapshot) bool { _, ok := s.Talking(); return ok })
	select {
	case p.line = <-p.customer.Talks:
	case <-time.After(30 * time.Second):
		p.Fatal("no sound flows")
	}
	p.customer.Sound.Listen(p.line, p.heard.hear)
	p.eventually("packets come", func() bool { p.heard.mu.Lock(); defer p.heard.mu.Unlock(); return !p.heard.last.IsZero() })
	p.heard.packets()
}

// eventually waits for what others do.
func (k *kiosk) eventually(what string, ok func() bool) {
	k.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			k.Fatalf("never: %s\n%s", what, tail(k.phone))
		}
	}
}

// steady asks that the line was never without a packet for longer than that, while this process itself was in time.
func (p *post) steady(when string, most time.Duration, happen func()) {
	p.Helper()
	p.eventually("packets come", func() bool {
		p.heard.mu.Lock()
		defer p.heard.mu.Unlock()
		return time.Since(p.heard.last) < 100*time.Millisecond
	})
	p.heard.packets()
	machine := hear.WatchMachine()
	happen()
	gap, late := p.heard.packets(), machine.Late()
	machine.End()
	p.Logf("%s: no packet for %v, this process late by %v", when, gap.Round(time.Millisecond), late.Round(time.Millisecond))
	if gap == 0 {
		p.Errorf("%s: no packets came at all", when)
	}
	if gap-late > most {
		p.Errorf("%s: no packet for %v, want %v at most", when, gap, most)
	}
}

// TestAPhoneKilledInACallIsBackAtOnce: kill -9 in a call (reliability (E1)). Started again it signs in by itself, is registered in
// five seconds, at the same seat; nothing of the old call rings or stays at the center, the call list has it, and the next one comes.
//
//ci:still
func TestAPhoneKilledInACallIsBackAtOnce(t *testing.T) {
	need(t, "dbus-daemon", "gnome-keyring-daemon", "dbus-send")
	p := newPost(t)
	p.env[0] = "DBUS_SESSION_BUS_ADDRESS=" + newKeyring(t, t.TempDir())
	folder := filepath.Join(p.dir, "phone")
	p.start(folder)
	p.until("a keyring", func(s wire.Snapshot) bool { return s.Saved.Can })
	p.say("account.check", map[string]any{"account": "agent1", "password": stage.Password, "keep": true})
	s := p.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	seat := s.Choice.Seats[1].ID
	p.handle.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusAvailable, Seat: seat})
	p.until("saved", func(s wire.Snapshot) bool { return s.Saved.Account == "agent1" && s.Line.State == "registered" })
	p.choose(wire.Values{wire.SetAutoSignIn: true, wire.SetStartStatus: wire.StatusAvailable})
	p.kept(folder, `"sign.auto": true`, `"account": "agent1"`)
	p.calls("2001")

	p.phone.Kill()
	killed := time.Now()
	p.start(folder)
	s = p.registered()
	took := time.Since(killed)
	t.Logf("registered %v after the kill; status %s, seat %q, notices %v", took, s.Status.Now, s.Seat, s.Notices)
	if took > 5*time.Second {
		t.Errorf("registered %v after the kill, want five seconds", took)
	}
	if s.Seat != seat {
		t.Errorf("the seat is %q, was %q", s.Seat, seat)
	}
	if len(s.Calls) > 0 {
		t.Errorf("the new process has calls: %+v", s.Calls)
	}
	p.eventually("the caller is told", func() bool { return len(p.customer.Calls()) == 0 })
	t.Logf("the caller is hung up %v after the kill", time.Since(killed))
	p.until("the person is told", func(s wire.Snapshot) bool { return noticed(s, wire.ProblemCallLost) })
	p.eventually("no call is left at the center", func() bool { return p.metric("center_calls") == "0" })
	p.eventually("the note of it is gone", func() bool { _, err := os.Stat(filepath.Join(folder, "calls.json")); return err != nil })
	p.until("ready for the next", func(s wire.Snapshot) bool { return s.Status.Shown == wire.StatusAvailable })
	p.calls("2001")
	p.steady("the next call", time.Second, func() { time.Sleep(2 * time.Second) })
}

func noticed(s wire.Snapshot, code string) bool {
	return slices.ContainsFunc(s.Notices, func(n wire.Notice) bool { return n.Problem.Code == code })
}

// metric is a figure of the center.
func (k *kiosk) metric(name string) string {
	k.Helper()
	res, err := http.Get(k.center.String("http") + "/metrics")
	if err != nil {
		k.Fatal(err)
	}
	defer res.Body.Close()
	var all strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := res.Body.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			break
		}
	}
	for line := range strings.Lines(all.String()) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestAPhoneThatIsEndedInACallSaysGoodbye: SIGTERM in a call (reliability (E2)): the caller gets a BYE and the registrar a REGISTER with
// Expires 0 within two seconds, the process ends with status 0, and the seat is free.
//
//ci:still
func TestAPhoneThatIsEndedInACallSaysGoodbye(t *testing.T) {
	p := newPost(t)
	p.start(filepath.Join(p.dir, "phone"))
	p.enter("agent1")
	p.eventually("both are registered", func() bool { return p.metric("center_registrations") == "2" })
	p.calls("2001")
	for len(p.customer.Events) > 0 {
		<-p.customer.Events
	}
	began := time.Now()
	if err := syscall.Kill(p.phone.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	bye := false
	for end := time.After(30 * time.Second); !bye; {
		select {
		case e := <-p.customer.Events:
			ended, ok := e.(sip.Ended)
			bye = ok && ended.ByPeer
		case <-end:
			t.Fatalf("the caller hears no BYE\n%s", tail(p.phone))
		}
	}
	said := time.Since(began)
	p.eventually("only the trunk is registered", func() bool { return p.metric("center_registrations") == "1" })
	left := time.Since(began)
	select {
	case <-p.phone.Done():
	case <-time.After(30 * time.Second):
		t.Fatalf("the phone does not end\n%s", tail(p.phone))
	}
	t.Logf("BYE after %v, unregistered after %v, ended after %v", said, left, time.Since(began))
	if max(said, left) > 2*time.Second {
		t.Errorf("BYE after %v, unregistered after %v, want two seconds", said, left)
	}
	if code := p.phone.Code(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if n := p.metric("center_calls"); n != "0" {
		t.Errorf("%s calls are left at the center", n)
	}
	if n := p.metric("center_phones"); n != "0" {
		t.Errorf("%s phones are left at the center", n)
	}
}

// TestShortFreezesEndNothing: a hundred times the system gives the process no time for up to 300 ms, in a call (reliability (E16)).
//
//ci:still
func TestShortFreezesEndNothing(t *testing.T) {
	p := newPost(t)
	p.start(filepath.Join(p.dir, "phone"))
	p.enter("agent1")
	p.calls("2001")
	p.steady("a hundred freezes", time.Second, func() {
		for n := range 100 {
			p.pause(time.Duration(30+n*27%271) * time.Millisecond)
			time.Sleep(50 * time.Millisecond)
		}
	})
	s := p.registered()
	if len(s.Calls) != 1 || len(p.customer.Calls()) != 1 {
		t.Fatalf("the call is gone: %+v", s.Calls)
	}
	p.steady("afterwards", time.Second, func() { time.Sleep(2 * time.Second) })
}

// TestAMachineThatSleptGoesOn: for 40 seconds the process gets no time, as a laptop with its lid closed (reliability (E6)). The center has
// noticed meanwhile; five seconds after waking the phone is registered and connected at the same seat, and the next call rings. Once more
// in a call: it is there still, or told as over, and the line is free for the next. Its clock is eight hours on when it wakes, and set back
// by nine in the call, as by NTP: nothing that was to happen meanwhile happens all at once, and nothing waits for hours.
//
//ci:still
func TestAMachineThatSleptGoesOn(t *testing.T) {
	p := newPost(t)
	p.start(filepath.Join(p.dir, "phone"))
	seat := p.enter("agent1")
	p.clock(8 * time.Hour)
	p.pause(40 * time.Second)
	woke := time.Now()
	http.DefaultClient.CloseIdleConnections()
	p.handle = openHandle(t, p.phone.String("panel")) // its websocket was silent for too long, as a real page's
	p.eventually("the center sees the phone", func() bool { return p.metric("center_phones") == "1" })
	s := p.until("registered anew", func(s wire.Snapshot) bool {
		return s.Line.State == "registered" && s.Center.Online && s.Seat == seat && s.Status.Shown == wire.StatusAvailable
	})
	took := time.Since(woke)
	t.Logf("registered and connected %v after waking, proven %v ago", took, time.Since(s.Line.Proven))
	if took > 5*time.Second {
		t.Errorf("back %v after waking, want five seconds", took)
	}
	p.calls("2001")
	p.pause(8 * time.Second)
	p.steady("after a nap in a call", time.Second, func() { time.Sleep(2 * time.Second) })
	p.steady("its clock is set back", time.Second, func() { p.clock(-time.Hour); time.Sleep(2 * time.Second) })
	if s = p.registered(); len(s.Calls) != 1 || len(p.customer.Calls()) != 1 {
		t.Fatalf("the call is gone: %+v", s.Calls)
	}
	p.handle.post(wire.HangUp{Call: s.Calls[0].ID})
	p.until("after-call work", func(s wire.Snapshot) bool { return len(s.Calls) == 0 && s.Status.Now == wire.StatusWork })
	p.clock(0)
	p.handle.post(wire.SetStatus{To: wire.StatusAvailable})
	p.until("a status", func(s wire.Snapshot) bool { return s.Status.Shown == wire.StatusAvailable })
	p.calls("2001")
	if n := p.metric("center_registrations"); n != "2" {
		t.Errorf("%s registrations", n)
	}
}

// clock has the phone see the wall clock that far from the true one.
func (p *post) clock(by time.Duration) {
	p.Helper()
	if runtime.GOARCH != "amd64" {
		p.Log("clocks are stepped on amd64 only")
		return
	}
	err := clocktest.Step(p.phone.PID(), by)
	switch {
	case err != nil && os.Getenv("CI") != "":
		p.Fatal(err)
	case err != nil:
		p.Skip(err)
	}
}

// TestALogThatCannotBeWrittenIsNotHeard: the phone's log goes to a full disk, to a file that is taken away, and to a pipe that nobody reads,
// with every step logged (reliability (E14)). The line has no gap, and the phone goes on.
//
//ci:still
func TestALogThatCannotBeWrittenIsNotHeard(t *testing.T) {
	p := newPost(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		mayNot(t, "nobody may mount here: "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	pipe := filepath.Join(p.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(pipe, os.O_RDWR, 0) // and never reads
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	for i, log := range []string{filepath.Join(disk, "log"), filepath.Join(p.dir, "log"), pipe} {
		phone, err := stage.Start(context.Background(), "sh", p.env, "-c", `log=$1; shift; exec "$@" 2>>"$log"`, "sh", log,
			filepath.Join(p.dir, "softphone"), "-v", "-config", filepath.Join(p.dir, "phone"+strconv.Itoa(i)), "-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-center", p.center.String("http"))
		if err != nil {
			t.Fatal(err)
		}
		p.phone, p.handle = phone, openHandle(t, phone.String("panel"))
		p.enter("agent1")
		p.calls("2001")
		p.steady(log, time.Second, func() {
			if i == 1 {
				if err := os.Rename(log, log+".1"); err != nil {
					t.Error(err)
				}
				if err := os.Remove(log + ".1"); err != nil {
					t.Error(err)
				}
			}
			for n := range 150 { // each step is some lines, and the panel takes thirty in a second
				p.handle.post(wire.Mute{On: n%2 == 0})
			}
			time.Sleep(6 * time.Second)
		})
		if s := p.snap(); s.Muted || len(s.Calls) != 1 {
			t.Errorf("%s: muted %t, %d calls", log, s.Muted, len(s.Calls))
		}
		p.handle.post(wire.SignOut{Sure: true})
		p.until("out", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut })
		if !phone.Stop() {
			t.Errorf("%s: the phone does not end", log)
		}
	}
}

// pause stops the phone's process for that long.
func (p *post) pause(long time.Duration) {
	p.Helper()
	if err := syscall.Kill(p.phone.PID(), syscall.SIGSTOP); err != nil {
		p.Fatal(err)
	}
	time.Sleep(long)
	if err := syscall.Kill(p.phone.PID(), syscall.SIGCONT); err != nil {
		p.Fatal(err)
	}
}
