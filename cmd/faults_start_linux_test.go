package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// TestAPhoneStartsOnABareMachine: no browser, no tray host, no session bus, no display, no sound server (reliability D11 and E8, (D11),
// (E8)). It says once what it does without, works, and ends by a signal with status 0.
//
//ci:still
func TestAPhoneStartsOnABareMachine(t *testing.T) {
	need(t)
	k := newKiosk(t)
	phone, err := stage.Start(context.Background(), "env", nil, "-i", "PATH=/nonexistent", "HOME="+t.TempDir(),
		filepath.Join(k.dir, "softphone"), "-config", filepath.Join(k.dir, "bare"), "-panel", "127.0.0.1:0", "-center", k.center.String("http"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phone.Stop() })
	k.phone, k.handle = phone, openHandle(t, phone.String("panel"))
	k.signIn("agent1", stage.Password)
	k.until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	k.eventually("it says what to do without a browser", func() bool { return strings.Contains(phone.Log(), "type the panel's address") })
	if !phone.Stop() || phone.Code() != 0 {
		t.Errorf("exit status %d", phone.Code())
	}
	if log := phone.Log(); strings.Count(log, "\n") > 20 || strings.Contains(log, "panic") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestPortsThatAreTakenAreSteppedAside: another program has the panel's port, and its second one; a second phone of another folder runs
// on the same machine beside its SIP port (reliability E4 and E5, (E4), (E5)). Both work, and a second start finds each.
//
//ci:still
func TestPortsThatAreTakenAreSteppedAside(t *testing.T) {
	need(t)
	k := newKiosk(t)
	for _, port := range []string{"47355", "47356"} {
		if ln, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil { // else somebody else has it already
			t.Cleanup(func() { _ = ln.Close() })
		}
	}
	var ports []string
	for i, account := range []string{"agent1", "agent2"} {
		folder := filepath.Join(k.dir, account)
		start := func() *stage.Program {
			phone, err := stage.Start(context.Background(), filepath.Join(k.dir, "softphone"), k.env, "-config", folder, "-no-tray", "-no-browser", "-center", k.center.String("http"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { phone.Stop() })
			return phone
		}
		phone := start()
		again := start()
		if <-again.Done(); again.String("panel") != phone.String("panel") {
			t.Errorf("the second start says %s, the first %s", again.String("panel"), phone.String("panel"))
		}
		if !strings.Contains(phone.Log(), "both panel ports are taken") {
			t.Errorf("it does not say that its ports are taken:\n%s", phone.Log())
		}
		k.phone, k.handle = phone, openHandle(t, phone.String("panel"))
		k.signIn(account, stage.Password)
		s := k.until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
		ports = append(ports, phone.String("panel"))
		if i == 1 { // the other one is still there
			k.handle.post(wire.Dial{Number: "2001"})
			k.until("it rings there", func(s wire.Snapshot) bool { return len(s.Calls) == 1 && s.Calls[0].Phase == wire.CallAlerted })
		}
		_ = s
	}
	if ports[0] == ports[1] {
		t.Errorf("both phones are at %s", ports[0])
	}
}

// TestAnotherUserOfThisMachineGetsNothing: every file of the phone, its process, and its panel, tried by another uid (reliability D12,
// (D12)).
//
//ci:still
func TestAnotherUserOfThisMachineGetsNothing(t *testing.T) {
	need(t, "setpriv", "find")
	if os.Geteuid() != 0 {
		mayNot(t, "only root may become somebody else")
	}
	k := newKiosk(t)
	folder := filepath.Join(k.dir, "phone")
	k.start(folder)
	k.signIn("agent1", stage.Password)
	k.choose(someSettings)
	k.kept(folder, `"dark"`)
	panel, token, _ := strings.Cut(k.phone.String("panel"), "/#")
	stranger := func(command string, args ...string) string {
		cmd := exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", command}, args...)...)
		cmd.Dir = "/"
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	for dir := k.dir; len(dir) > len(os.TempDir()); dir = filepath.Dir(dir) { // what is proven is the files' own mode
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out := stranger("find", k.dir, "-maxdepth", "1", "-name", "phone"); strings.TrimSpace(out) != folder {
		t.Fatalf("the other user does not come as far as the folder: %q", out)
	}
	if out := stranger("find", folder, "-type", "f", "-readable"); strings.Contains(out, folder+"/") && !strings.Contains(out, "Permission denied") {
		t.Errorf("readable for everybody: %s", out)
	}
	for _, file := range []string{"softphone.run", "softphone.json"} {
		if out := stranger("cat", filepath.Join(folder, file)); !strings.Contains(out, "Permission denied") {
			t.Errorf("%s for another user: %s", file, out)
		}
	}
	proc := "/proc/" + strconv.Itoa(k.phone.PID())
	for _, file := range []string{"environ", "maps", "fd/0", "mem"} {
		if out := stranger("cat", proc+"/"+file); !strings.Contains(out, "Permission denied") {
			t.Errorf("%s for another user: %.80s", file, out)
		}
	}
	if out := stranger("cat", proc+"/cmdline"); out == "" || strings.Contains(out, token) || strings.Contains(out, stage.Password) {
		t.Errorf("the command line holds a secret: %q", out)
	}
	for _, path := range []string{"/metrics", "/session/check", "/history", "/ws?page=of-a-stranger-1"} {
		req, err := http.NewRequest(http.MethodGet, panel+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.Repeat("A", len(token)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode < 400 || bytes.Contains(body, []byte("agent1")) {
			t.Errorf("%s: %s %.80s", path, res.Status, body)
		}
	}
}

// TestAKeyringThatHangsKeepsNobodyFromWorking: the keyring's process has stopped (reliability E10, (E10)). The phone starts at once, a
// person signs in by hand meanwhile, and no secret is in any file.
//
//ci:still
func TestAKeyringThatHangsKeepsNobodyFromWorking(t *testing.T) {
	need(t, "dbus-daemon", "gnome-keyring-daemon", "dbus-send")
	k := newKiosk(t)
	bus := newKeyring(t, t.TempDir())
	k.env[0] = "DBUS_SESSION_BUS_ADDRESS=" + bus
	folder := filepath.Join(k.dir, "phone")
	k.start(folder)
	k.until("a keyring", func(s wire.Snapshot) bool { return s.Saved.Can })
	k.say("account.check", map[string]any{"account": "agent1", "password": stage.Password, "keep": true})
	s := k.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	k.handle.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	k.until("saved", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseIn && s.Saved.Account == "agent1" })
	k.choose(wire.Values{wire.SetAutoSignIn: true})
	k.kept(folder, `"sign.auto": true`)
	k.handle.post(wire.SignOut{})
	k.until("out", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut })
	k.phone.Stop()

	out, err := exec.Command("dbus-send", "--bus="+bus, "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.secrets").Output()
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(out))
	ring, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	if err := syscall.Kill(ring, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(ring, syscall.SIGCONT) })
	k.start(folder)
	if k.phone.Took > 5*time.Second {
		t.Errorf("the start took %v", k.phone.Took)
	}
	began := time.Now()
	k.until("the automatic sign-in", func(s wire.Snapshot) bool { return s.Auto != nil })
	k.handle.post(wire.Back{}) // a person does not wait for it
	k.until("the form", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut && s.Auto == nil })
	k.say("account.check", map[string]any{"account": "agent2", "password": stage.Password})
	s = k.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	k.handle.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak})
	k.until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("signed in by hand %v after the start", took)
	}
	stopped := time.Now()
	if !k.phone.Stop() {
		t.Error("the phone does not end while the keyring hangs")
	}
	t.Logf("started in %v, signed in %v later, ended in %v", k.phone.Took, stopped.Sub(began), time.Since(stopped))
	secretless(t, folder, k.phone.Log())
}

// secretless looks through a folder and a log for passwords.
func secretless(t *testing.T, folder, log string) {
	t.Helper()
	if strings.Contains(log, stage.Password) {
		t.Error("the log holds the password")
	}
	out, _ := exec.Command("grep", "-rlF", stage.Password, folder).Output()
	if len(out) > 0 {
		t.Errorf("files hold the password: %s", out)
	}
}

// TestAConfigIsWholeWhereverTheProcessDies: killed at the n-th of each system call that writing a file takes (reliability E13, (E13)): what
// lies there is the old or the new, and the next start reads it.
//
//ci:still
func TestAConfigIsWholeWhereverTheProcessDies(t *testing.T) {
	need(t, "strace")
	dir := t.TempDir()
	build(t, dir, "softphone")
	folder := filepath.Join(dir, "phone")
	lang := func() string {
		data, err := os.ReadFile(filepath.Join(folder, "softphone.json"))
		var c struct {
			Settings struct {
				Lang string `json:"page.lang"`
			} `json:"settings"`
			Instance string `json:"instance"`
		}
		if err == nil {
			err = json.Unmarshal(data, &c)
		}
		if err != nil || c.Instance == "" {
			t.Fatalf("half a file: %v\n%s", err, data)
		}
		return c.Settings.Lang
	}
	args := func(lang string) []string {
		return []string{filepath.Join(dir, "softphone"), "-config", folder, "-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-lang", lang}
	}
	first, err := stage.Start(context.Background(), args("en")[0], []string{"DBUS_SESSION_BUS_ADDRESS="}, args("en")[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	first.Stop()
	died, now := 0, lang()
	for _, call := range []string{"write", "fsync", "renameat"} {
		for n := 1; n <= 6; n++ {
			want := map[string]string{"en": "ja", "ja": "en"}[now]
			cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null",
				"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}, args(want)...)...)
			cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS=")
			cmd.WaitDelay = time.Second
			out, err := cmd.StdoutPipe()
			if err == nil {
				err = cmd.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			var ready struct{ PID int }
			if json.NewDecoder(out).Decode(&ready) == nil { // else it is dead
				_ = syscall.Kill(ready.PID, syscall.SIGTERM)
			} else {
				died++
			}
			_ = cmd.Wait()
			if got := lang(); got != now && got != want {
				t.Errorf("%s %d: the language is %q", call, n, got)
			} else {
				now = got
			}
		}
	}
	t.Logf("it died %d times", died)
	if died < 6 {
		t.Errorf("it died %d times only: nothing is proven", died)
	}
}
