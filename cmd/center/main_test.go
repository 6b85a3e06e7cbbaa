package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const long = 20 * time.Second

// The test binary is the program when it is told so: what runs is a real process.
func TestMain(m *testing.M) {
	if os.Getenv("CENTER_PROCESS") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a center that runs.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	line ready
	raw  string
	err  *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func command1(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), "CENTER_PROCESS=1")
	return cmd
}

func start(t *testing.T, dir string, more ...string) *process {
	t.Helper()
	p := &process{t: t, err: &lockedBuffer{}}
	p.cmd = command1(context.Background(), append([]string{"-data", dir, "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0"}, more...)...)
	p.cmd.Stderr = p.err
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.cmd.Process.Kill(); p.cmd.Wait() })
	p.raw, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no line on stdout: %v; stderr: %s", err, p.err)
	}
	if err := json.Unmarshal([]byte(p.raw), &p.line); err != nil {
		t.Fatalf("%q: %v", p.raw, err)
	}
	return p
}

// stop ends it as an operator does, and fails unless it ends well.
func (p *process) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			p.t.Fatalf("ended with %v: %s", err, p.err)
		}
	case <-time.After(long):
		p.t.Fatalf("does not end: %s", p.err)
	}
}

// run runs a sub-command to its end.
func run(t *testing.T, args ...string) (out, said string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*long) // against a hang; how long it takes is not what is tested
	defer cancel()
	cmd := command1(ctx, args...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	cmd.Run()
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// signIn is the answer of the admin pages to a password.
func signIn(t *testing.T, base, account, password string) int {
	t.Helper()
	in, err := json.Marshal(map[string]string{"account": account, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", base+"/api/v1/admin/session", bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := (&http.Client{Timeout: long}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	return res.StatusCode
}

func TestACenterStartsKeepsItsDataAndEndsWell(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, dir)
	if l := first.line; l.Admin == nil || l.Admin.Code == "" || l.PID != first.cmd.Process.Pid || l.Join == "" || l.SIP == "" {
		t.Fatalf("the line says %s", first.raw)
	}
	if got := signIn(t, first.line.HTTP, first.line.Admin.Account, first.line.Admin.Code); got != http.StatusOK {
		t.Fatalf("the first code: %d", got)
	}
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 || !strings.Contains(said, "8 accounts") {
		t.Fatalf("import on a running center: %d %s", code, said)
	}
	out, said, code := run(t, "-data", dir, "passwd", "aoki")
	if code != 0 {
		t.Fatalf("passwd on a running center: %s", said)
	}
	password := strings.TrimSpace(out)
	if got := signIn(t, first.line.HTTP, "aoki", password); got != http.StatusOK { // a supervisor
		t.Fatalf("the new password: %d", got)
	}
	if out, _, code := run(t, "-data", dir, "doctor"); code != 0 || !strings.Contains(out, "runs at") || !strings.Contains(out, "recordings: 0") {
		t.Fatalf("doctor: %d %s", code, out)
	}
	if _, said, code := run(t, "-data", dir, "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0"); code != 1 || !strings.Contains(said, "running") {
		t.Fatalf("a second center: %d %s", code, said)
	}
	copied := filepath.Join(t.TempDir(), "log.gz")
	if _, said, code := run(t, "-data", dir, "backup", copied); code != 0 {
		t.Fatalf("backup of a running center: %s", said)
	}
	if logs := first.err.String(); strings.Contains(logs, password) || strings.Contains(logs, first.line.Admin.Code) {
		t.Fatal("a secret stands in the log")
	}
	first.stop()

	second := start(t, dir)
	if strings.Contains(second.raw, "admin") {
		t.Fatalf("a later start tells an administrator: %s", second.raw)
	}
	if got := signIn(t, second.line.HTTP, "aoki", password); got != http.StatusOK {
		t.Fatalf("the password after the restart: %d", got)
	}
	second.stop()

	fresh := filepath.Join(t.TempDir(), "restored")
	if _, said, code := run(t, "-data", fresh, "restore", copied); code != 0 {
		t.Fatalf("restore: %s", said)
	}
	if _, said, code := run(t, "-data", fresh, "restore", copied); code == 0 {
		t.Fatalf("restore over data: %s", said)
	}
	third := start(t, fresh)
	if strings.Contains(third.raw, "admin") {
		t.Fatalf("a restored center has no administrator: %s", third.raw)
	}
	if got := signIn(t, third.line.HTTP, "aoki", password); got != http.StatusOK {
		t.Fatalf("the password after restoring: %d", got)
	}
	third.stop()
}

func TestCommandsWorkOnAStoppedCenter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatal(said)
	}
	if _, said, code := run(t, "-data", dir, "passwd", "nobody"); code != 1 || !strings.Contains(said, "nobody") {
		t.Fatalf("%d %s", code, said)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	cmd := command1(ctx, "-data", dir, "passwd", "aoki", "-")
	cmd.Stdin = strings.NewReader("a password with spaces\n")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "spaces") {
		t.Fatalf("%v %s", err, out)
	}
	p := start(t, dir)
	if got := signIn(t, p.line.HTTP, "aoki", "a password with spaces"); got != http.StatusOK {
		t.Fatalf("the password from stdin: %d", got)
	}
	p.stop()
}

func TestWrongUsageIsTold(t *testing.T) {
	t.Parallel()
	bad := filepath.Join(t.TempDir(), "bad.json")
	if err := os.WriteFile(bad, []byte("{\"accounts\":[{\"account\":\"a\",\"role\":\"king\"}]}"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"help", []string{"-h"}, 0, "restore FILE"},
		{"a flag nobody knows", []string{"-colour"}, 2, "colour"},
		{"a command nobody knows", []string{"dance"}, 2, `"dance"`},
		{"too few arguments", []string{"import"}, 2, "takes 1"},
		{"a cluster without a name", []string{"-peer", "n1=a:6222"}, 2, "-name"},
		{"a cluster of two", []string{"-name", "n1", "-peer", "n1=a:6222", "-peer", "n2=b:6222"}, 2, "3 or 5"},
		{"a cluster of its own and another", []string{"-name", "n1", "-peer", "n1=a:6222", "-nats", "nats://x"}, 2, "either"},
		{"a peer without address", []string{"-peer", "n1"}, 2, "NAME=HOST:PORT"},
		{"a file that is not there", []string{"import", "/nowhere.json"}, 1, "/nowhere.json"},
		{"a role nobody knows", []string{"import", bad}, 1, "king"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			_, said, code := run(t, append([]string{"-data", t.TempDir()}, r.args...)...)
			if code != r.code || !strings.Contains(said, r.want) {
				t.Fatalf("exit %d: %s", code, said)
			}
		})
	}
	if out, _, code := run(t, "-version"); code != 0 || !strings.HasPrefix(out, "center ") {
		t.Fatalf("version: %d %q", code, out)
	}
}

func TestAnAddressOthersReachHasTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := start(t, dir, "-http", "0.0.0.0:0")
	if !strings.HasPrefix(p.line.HTTP, "https://") || !strings.HasPrefix(p.line.Join, "center://") || !strings.Contains(p.line.Join, "#") {
		t.Fatalf("the line says %s", p.raw)
	}
	if _, said, code := run(t, "-data", dir, "import", "testdata/floor.json"); code != 0 {
		t.Fatalf("import over TLS: %s", said)
	}
	p.stop()
}
