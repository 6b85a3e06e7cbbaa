package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/sip"
	"zaseki/web/uplink"
	"zaseki/web/wire"
)

const (
	routeCalls  = 200
	routeSecret = "shared-with-the-pbx"
)

// TestAPBXAsksWhoTakesTheCall: two hundred callers reach a queue of a real Kamailio, which asks the center each time and follows its
// 302. None is lost, four agents get the same share, and nobody is rung who is in a break or not ready. Their phones registered at
// Kamailio with passwords that expire. When the center is killed Kamailio knows what to do.
func TestAPBXAsksWhoTakesTheCall(t *testing.T) {
	need(t, "kamailio", "sipp")
	needEphemeral(t)
	dir := t.TempDir()
	build(t, dir, "center")
	pbx := freePort(t, "127.0.9.21")
	center, err := stage.StartCenter(t.Context(), filepath.Join(dir, "center"), dir, routeFloor(t, dir, pbx))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { center.Stop() })
	routeKamailio(t, pbx, center.String("sip"))

	var seats []*seat
	for i := range 6 {
		s := newSeat(t, center.String("http"), fmt.Sprintf("agent%d", i+1), fmt.Sprintf("200%d", i+1))
		seats = append(seats, s)
		status, missing := wire.StatusAvailable, []string(nil)
		switch i {
		case 4:
			status = wire.StatusBreak
		case 5:
			missing = []string{"mic"}
		}
		s.begin(status, missing)
	}
	if out, err := routeSipp(t, pbx, "-m", fmt.Sprint(routeCalls), "-l", "2", "-r", "40"); err != nil {
		t.Fatalf("a caller was lost: %v\n%s\n%s", err, out, center.Log())
	}
	rang := make([]int64, len(seats))
	for i, s := range seats {
		rang[i] = s.rang.Load()
	}
	t.Logf("rang %v", rang)
	for i, n := range rang {
		if share := int64(routeCalls / 4); i < 4 && (n < share*8/10 || n > share*12/10) || i >= 4 && n != 0 {
			t.Errorf("agent%d was rung %d times of %d", i+1, n, routeCalls)
		}
	}

	center.Kill()
	began := time.Now()
	out, err := routeSipp(t, pbx, "-m", "1")
	if err == nil || !strings.Contains(out, "503") {
		t.Errorf("without the center: %v\n%s", err, out)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the fallback came after %v", took)
	}
}

func needEphemeral(t *testing.T) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/*/kamailio/modules/auth_ephemeral.so")
	switch {
	case len(found) > 0:
	case os.Getenv("CI") != "":
		t.Fatal("kamailio-autheph-modules must be there in CI")
	default:
		t.Skip("kamailio-autheph-modules is not installed")
	}
}

// routeFloor writes a floor whose phones register at the PBX, which may ask.
func routeFloor(t *testing.T, dir, pbx string) string {
	t.Helper()
	ip, _, _ := net.SplitHostPort(pbx)
	var accounts, terminals []map[string]any
	for i := range 6 {
		ext, name := fmt.Sprintf("200%d", i+1), fmt.Sprintf("agent%d", i+1)
		accounts = append(accounts, map[string]any{"account": name, "name": name, "password": stage.Password, "terminals": []string{ext}})
		terminals = append(terminals, map[string]any{"extension": ext, "account": name})
	}
	data, err := json.Marshal(map[string]any{
		"site": map[string]any{"name": "Beside a PBX", "domain": "pbx.test", "afterWorkSeconds": 0,
			"sip": map[string]any{"server": pbx, "transport": "udp", "domain": "pbx.test", "expires": 60}},
		"accounts": accounts, "terminals": terminals, "queues": []map[string]any{{"extension": "7000", "name": "Orders"}},
		"pbxs": []map[string]any{
			{"id": "main", "name": "Main", "kind": "route", "accept": []string{ip}, "domain": "pbx.test"},
			{"id": "edge", "name": "Edge", "kind": "kamailio", "ephemeral": true, "secret": routeSecret},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "route.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func routeKamailio(t *testing.T, pbx, center string) {
	t.Helper()
	ip, port, _ := net.SplitHostPort(pbx)
	text, err := os.ReadFile("testdata/route.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	filled := strings.NewReplacer("IPADDR", ip, "PORT", port, "CENTER", center, "SECRET", routeSecret).Replace(string(text))
	if err := os.WriteFile(file, []byte(filled), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("kamailio", "-DD", "-E", "-f", file, "-Y", dir, "-P", filepath.Join(dir, "pid"), "-m", "32", "-M", "4")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("kamailio: %s", log.String())
		}
	})
	soon(t, "kamailio answers", func() bool { return stage.Answers(pbx) })
}

func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-tick.C {
		if so() {
			return
		}
	}
	t.Fatalf("%s: it never came to that", what)
}

func routeSipp(t *testing.T, pbx string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	scenario, err := filepath.Abs("testdata/queuer.xml")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, "sipp", append([]string{pbx, "-sf", scenario, "-i", "127.0.9.22", "-p", "0", "-nostdin", "-trace_err", "-error_file", "/dev/stderr",
		"-recv_timeout", "15000"}, args...)...)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "TERM=dumb")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	return out.String(), err
}

// seat is an agent with a phone of ours, without its page: uplink and SIP.
type seat struct {
	t        *testing.T
	account  string
	terminal string
	up       *uplink.Uplink
	phone    *sip.Phone
	events   chan sip.Event
	rang     atomic.Int64
	online   chan struct{}
}

func newSeat(t *testing.T, center, account, terminal string) *seat {
	s := &seat{t: t, account: account, terminal: terminal, events: make(chan sip.Event, 64), online: make(chan struct{}, 1)}
	s.up = uplink.New(uplink.Config{URL: center, Machine: account, Version: "test", Tell: func(e uplink.Event) {
		if _, ok := e.(uplink.Online); ok {
			select {
			case s.online <- struct{}{}:
			default:
			}
		}
	}})
	ctx, cancel := context.WithCancel(context.Background())
	s.phone = sip.New(sip.Config{UserAgent: "test", Tell: func(e sip.Event) {
		select {
		case s.events <- e:
		case <-ctx.Done():
		}
	}})
	done := make(chan struct{}, 3)
	go func() { _ = s.up.Run(ctx); done <- struct{}{} }()
	go func() { _ = s.phone.Run(ctx); done <- struct{}{} }()
	go func() { s.work(ctx); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		for range 3 {
			<-done
		}
	})
	return s
}

// begin signs in, registers as the center says, and tells what is proven.
func (s *seat) begin(status string, missing []string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if _, err := s.up.Check(ctx, s.account, wire.Secret(stage.Password)); err != nil {
		s.t.Fatal(err)
	}
	w, err := s.up.SignIn(ctx, wire.SignIn{Terminal: s.terminal, Status: status})
	if err != nil {
		s.t.Fatal(err)
	}
	a := w.SIP
	err = s.phone.Register(ctx, sip.Account{User: a.User, AuthUser: a.AuthUser, Domain: a.Domain, Server: a.Server, Transport: a.Transport,
		Password: wire.Secret(a.Secret), Expires: time.Duration(a.Expires) * time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.online:
	case <-ctx.Done():
		s.t.Fatalf("%s is not connected", s.account)
	}
	s.up.Report(wire.LineReport{Registered: true, Missing: missing})
}

// work answers every call, at once: a 180 may be overtaken by the 200 in Kamailio, which sipp takes for a fault. It reports each call
// as the phone does.
func (s *seat) work(ctx context.Context) {
	report := func(id, phase string) {
		s.up.Report(wire.CallReport{ID: id, Phase: phase, Inbound: true, Outside: true, Peer: "0312345678", At: time.Now()})
	}
	for {
		var e sip.Event
		select {
		case <-ctx.Done():
			return
		case e = <-s.events:
		}
		switch e := e.(type) {
		case sip.Incoming:
			s.rang.Add(1)
			report(e.Call, wire.CallOffered)
			_ = s.phone.Answer(ctx, e.Call, "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n")
			report(e.Call, wire.CallTalking)
		case sip.Ended:
			report(e.Call, wire.PhaseEnded)
		}
	}
}
