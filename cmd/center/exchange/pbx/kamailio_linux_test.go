package pbx

import (
	"bytes"
	"fmt"
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

// edge is a real Kamailio with testdata/gate.cfg.
type edge struct {
	t    *testing.T
	addr string
	args []string
	cmd  *exec.Cmd
	log  bytes.Buffer
}

func newEdge(t *testing.T, expire string) *edge {
	t.Helper()
	if testing.Short() {
		t.Skip("real peers: not with -short")
	}
	if _, err := exec.LookPath("kamailio"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("kamailio must be there in CI")
		}
		t.Skip("kamailio is not installed")
	}
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{t: t, addr: free.LocalAddr().String()}
	free.Close()
	_, port, _ := net.SplitHostPort(e.addr)
	text, err := os.ReadFile("testdata/gate.cfg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kamailio.cfg")
	if err := os.WriteFile(file, []byte(strings.NewReplacer("IPADDR", "127.0.0.1", "PORT", port, "EXPIRE", expire).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	e.args = []string{"-DD", "-E", "-f", file, "-Y", dir, "-P", filepath.Join(dir, "pid"), "-m", "32", "-M", "4"}
	e.start()
	t.Cleanup(func() {
		e.kill()
		if t.Failed() {
			t.Logf("kamailio: %s", e.log.String())
		}
	})
	return e
}

func (e *edge) start() {
	e.t.Helper()
	e.cmd = exec.Command("kamailio", e.args...)
	e.cmd.Stdout, e.cmd.Stderr = &e.log, &e.log
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := e.cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	until(e.t, "kamailio answers", func() bool { return stage.Answers(e.addr) })
}

func (e *edge) kill() {
	_ = syscall.Kill(-e.cmd.Process.Pid, syscall.SIGKILL)
	_ = e.cmd.Wait()
}

// rings is what a caller of that extension is told.
func (e *edge) rings(extension string) (code string) {
	e.t.Helper()
	conn, err := net.Dial("udp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	defer conn.Close()
	at := conn.LocalAddr()
	fmt.Fprintf(conn, "INVITE sip:%[1]s@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;rport;branch=z9hG4bK-%[3]s\r\nMax-Forwards: 70\r\nFrom: <sip:c@x>;tag=1\r\nTo: <sip:%[1]s@x>\r\n"+
		"Call-ID: %[3]s\r\nCSeq: 1 INVITE\r\nContact: <sip:c@%[3]s>\r\nContent-Length: 0\r\n\r\n", extension, e.addr, at)
	conn.SetReadDeadline(time.Now().Add(time.Second))
	answer := make([]byte, 1500)
	n, err := conn.Read(answer)
	if err != nil {
		return ""
	}
	code, _, _ = strings.Cut(strings.TrimPrefix(string(answer[:n]), "SIP/2.0 "), " ")
	return code
}

// TestKamailioRingsWhoIsAvailable: the gate opens and shuts with the status, heals after a restart, takes out what is not ours, and
// shuts by itself when the center is dead.
func TestKamailioRingsWhoIsAvailable(t *testing.T) {
	e := newEdge(t, "12")
	var f floor
	busy := agent("1003", "On a call", true)
	busy.Busy = true
	f.set(agent("1001", "Available", true), agent("1002", "On break", false), busy)
	box := Box{ID: "edge", Kind: Kamailio, Addr: "http://" + e.addr + "/RPC", User: "zaseki", Secret: secret("rpc-secret")}
	_, stop := f.run(t, box)
	gate := func(what string, want map[string]string) {
		t.Helper()
		for extension, code := range want {
			until(t, what+": "+extension+" "+code, func() bool { return e.rings(extension) == code })
		}
	}
	gate("at the start", map[string]string{"1001": "200", "1002": "480", "1003": "480", "1004": "480"})
	f.set(agent("1001", "After-call work", false), agent("1002", "Available", true))
	gate("after a change", map[string]string{"1001": "480", "1002": "200"})

	e.kill()
	e.start()
	gate("after a restart", map[string]string{"1001": "480", "1002": "200"})
	stop()
	gate("after the center's end", map[string]string{"1002": "480"}) // autoexpire

	box.Secret = secret("wrong")
	jobs, _ := f.run(t, box)
	until(t, "the reason is shown", func() bool { s := jobs.States(); return len(s) == 1 && s[0].Error != "" })
}
