package cmd_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// freePort is an address of that loopback address which nobody has at the moment, for UDP and TCP.
func freePort(t *testing.T, ip string) string {
	t.Helper()
	for range 100 {
		udp, err := net.ListenPacket("udp", ip+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer udp.Close() // kept until one is found: the next is another
		tcp, err := net.Listen("tcp", udp.LocalAddr().String())
		if err != nil {
			continue
		}
		defer tcp.Close()
		return udp.LocalAddr().String()
	}
	t.Fatal("no port is free for UDP and TCP")
	return ""
}

// kamailio starts a real Kamailio with testdata/kamailio.cfg on that address; edits are pairs of old and new text of it. What it
// gives pulls its plug.
func kamailio(t *testing.T, dir, server, password string, edits ...string) (kill func()) {
	t.Helper()
	ip, port, _ := net.SplitHostPort(server)
	cfg, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(append(edits, "IPADDR", ip, "PORT", port, `"PASSWORD"`, `"`+password+`"`)...).Replace(string(cfg))
	file := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command("kamailio", "-DD", "-E", "-f", file, "-Y", dir, "-P", filepath.Join(dir, "kamailio.pid"), "-m", "32", "-M", "4")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its children end with it, and nothing else does
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("kamailio: %s", log.String())
		}
	})
	soon(t, "kamailio answers", func() bool { return stage.Answers(server) })
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() }
}

// TestTheSameCallThroughKamailio: the center names a real Kamailio as SIP server; sipp calls from outside through it and says
// back what it hears, so that the page hears its own speech.
func TestTheSameCallThroughKamailio(t *testing.T) {
	need(t, "kamailio", "sipp")
	const secret = "fixed-secret-of-2001"
	server := freePort(t, "127.0.9.1")
	d := newDay(t, &stage.PBX{Server: server, Transport: "udp", Domain: "pbx.test", Secret: secret})
	d.signIn("agent1", "Available", "Not seated")
	// The telephone server starts late: that is told in words, and mended without a hand.
	d.must(d.page.Wait("StaticText", "The telephone server "+server+" does not answer…"))
	kill := kamailio(t, t.TempDir(), server, secret)
	d.must(d.page.Wait("StaticText", "Line registered…"))

	sipp := d.sipp(server, "2001")
	d.answerEcho()
	kill() // in a call: the sound goes on, and hanging up works once it is back
	kamailio(t, t.TempDir(), server, secret)
	d.same("the echo after Kamailio was killed and came back", d.agentSays, d.plays(d.page, 4*time.Second))
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))
	if err := sipp.Wait(); err != nil {
		t.Errorf("sipp saw something else than a call with hold, resume and hang-up: %v", err)
	}

	// In a break the phone itself refuses with 480, whatever the PBX sends.
	d.must(d.page.Wait("button", "Available…"))
	d.must(d.page.Click("button", "Available…"))
	d.must(d.page.Click("menuitemradio", "On break"))
	d.must(d.page.Wait("button", "On break…"))
	refused := d.sipp(server, "2001")
	if err := refused.Wait(); err == nil {
		t.Error("an outside call in On break was answered")
	}
	if out := refused.Stdout.(*bytes.Buffer).String() + refused.Stderr.(*bytes.Buffer).String(); !strings.Contains(out, "480") {
		t.Errorf("sipp did not see a 480:\n%s", out)
	}
}

// answerEcho answers a caller that says back what it hears, and holds and resumes the call once.
func (d *day) answerEcho() {
	d.Helper()
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	d.same("the page played its own echo", d.agentSays, d.plays(d.page, 5*time.Second))
	d.must(d.page.Click("button", "Hold"))
	d.must(d.page.Click("button", "Resume"))
	d.must(d.page.Wait("button", "Hold"))
	d.same("the echo after hold and resume", d.agentSays, d.plays(d.page, 4*time.Second))
}

// sipp calls that extension from an address of its own.
func (d *day) sipp(server, extension string) *exec.Cmd {
	d.Helper()
	scenario, err := filepath.Abs("testdata/caller.xml")
	d.must(err)
	cmd := exec.CommandContext(context.Background(), "sipp", server, "-sf", scenario, "-s", extension, "-i", "127.0.9.2", "-mi", "127.0.9.2",
		"-p", "0", "-m", "1", "-rtp_echo", "-nostdin", "-trace_err", "-recv_timeout", "40000")
	cmd.Dir = d.dir
	cmd.Stdout, cmd.Stderr = &bytes.Buffer{}, &bytes.Buffer{}
	d.must(cmd.Start())
	d.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if d.Failed() {
			d.Logf("sipp: %s", cmd.Stderr)
		}
	})
	return cmd
}
