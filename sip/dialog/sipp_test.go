package dialog_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/sip/dialog"
)

// sipp runs a scenario and returns its address and a function that waits for its verdict.
func sipp(t *testing.T, file string, args ...string) (addr netip.AddrPort, wait func()) {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	program, err := exec.LookPath("sipp")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("sipp is not installed")
		}
		t.Skip("sipp is not installed")
	}
	path, _ := filepath.Abs(filepath.Join("testdata", file))
	host := address()
	cmd := exec.Command(program, append([]string{"-sf", path, "-i", host, "-p", "5060", "-m", "1", "-nostdin", "-timeout", "20s", "-timeout_error"}, args...)...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TERM=dumb")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	addr = netip.MustParseAddrPort(host + ":5060")
	if file != "uac.xml" {
		awaitUDP(t, addr)
	}
	return addr, func() {
		t.Helper()
		if err := next(t, ended); err != nil {
			text := out.String()
			t.Errorf("sipp %s: %v\n%s", file, err, text[max(0, len(text)-2500):])
		}
	}
}

// awaitUDP waits until somebody holds that port.
func awaitUDP(t *testing.T, addr netip.AddrPort) {
	t.Helper()
	ip := addr.Addr().As4()
	want := fmt.Sprintf(" %02X%02X%02X%02X:%04X ", ip[3], ip[2], ip[1], ip[0], addr.Port())
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); ; {
		if table, err := os.ReadFile("/proc/net/udp"); err != nil || strings.Contains(string(table), want) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("nobody listens on %s", addr)
		}
	}
}

func TestAnswerThatCrossesOurCancelIsHungUp(t *testing.T) {
	addr, wait := sipp(t, "uas_cancel200.xml")
	a := newAgent(t)
	c := a.invite(addr, "udp")
	expect[dialog.Progress](t, a.out)
	if err := c.Cancel(); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Failed](t, a.out); e.Code != 487 {
		t.Errorf("%+v", e)
	}
	wait()
}

func TestSecondBranchOfAForkIsHungUp(t *testing.T) {
	addr, wait := sipp(t, "uas_fork2xx.xml")
	a := newAgent(t)
	c := a.invite(addr, "udp")
	expect[dialog.Answered](t, a.out)
	// sipp checks that the second branch's BYE comes first; then it waits for ours
	select {
	case e := <-a.out:
		t.Fatalf("%T", e)
	case <-time.After(500 * time.Millisecond):
	}
	if err := c.Bye(a.context()); err != nil {
		t.Error(err)
	}
	wait()
}

func TestSippCalls(t *testing.T) {
	b := newAgent(t)
	for _, transport := range []string{"u1", "t1"} {
		t.Run(transport, func(t *testing.T) {
			_, wait := sipp(t, "uac.xml", "-t", transport, "-d", "100", "-s", "bob", b.addr.String())
			in := next(t, b.calls)
			if err := in.Ring(180, ""); err != nil {
				t.Fatal(err)
			}
			if err := in.Answer(b.context(), answer); err != nil {
				t.Fatal(err)
			}
			if e := expect[dialog.Ended](t, b.in); !e.ByPeer {
				t.Errorf("%+v", e)
			}
			wait()
		})
	}
}

func TestSippAnswers(t *testing.T) {
	addr, wait := sipp(t, "uas.xml")
	a := newAgent(t)
	c := a.invite(addr, "udp")
	expect[dialog.Progress](t, a.out)
	expect[dialog.Answered](t, a.out)
	if err := c.Bye(a.context()); err != nil {
		t.Error(err)
	}
	wait()
}
