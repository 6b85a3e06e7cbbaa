package cmd_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// kiosk is a built phone of one folder, its center, and a page without a browser.
type kiosk struct {
	*testing.T
	ctx    context.Context
	dir    string
	center *stage.Program
	phone  *stage.Program
	*handle
	env []string
}

func newKiosk(t *testing.T) *kiosk {
	t.Helper()
	k := &kiosk{T: t, ctx: t.Context(), dir: t.TempDir(), env: []string{"DBUS_SESSION_BUS_ADDRESS=", "LANG=en_US.UTF-8", "XDG_CONFIG_HOME=" + t.TempDir()}}
	build(t, k.dir, "center", "softphone")
	file, err := stage.Floor(k.dir, nil)
	if err == nil {
		k.center, err = stage.StartCenter(context.Background(), filepath.Join(k.dir, "center"), k.dir, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.center.Stop() })
	return k
}

// start starts the phone of that folder; only a signal ends it.
func (k *kiosk) start(folder string) {
	k.Helper()
	var err error
	k.phone, err = stage.Start(context.Background(), filepath.Join(k.dir, "softphone"), k.env, "-config", folder, "-panel", "127.0.0.1:0", "-no-tray", "-no-browser",
		"-center", k.center.String("http"))
	if err != nil {
		k.Fatal(err)
	}
	phone := k.phone
	k.Cleanup(func() { phone.Stop() })
	k.handle = openHandle(k.T, phone.String("panel"))
}

// choose changes settings and waits until they hold.
func (k *kiosk) choose(values wire.Values) {
	k.Helper()
	for name, value := range values {
		k.post(wire.ChangeSetting{Name: name, Value: value})
	}
	k.until("chosen", func(s wire.Snapshot) bool { return holds(s, values) })
}

func holds(s wire.Snapshot, values wire.Values) bool {
	for name, value := range values {
		a, _ := json.Marshal(s.Settings[name])
		b, _ := json.Marshal(value)
		if string(a) != string(b) {
			return false
		}
	}
	return true
}

// kept waits for the settings file to hold all of that.
func (k *kiosk) kept(folder string, words ...string) {
	k.Helper()
	var data []byte
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		data, _ = os.ReadFile(filepath.Join(folder, "softphone.json"))
		missing := false
		for _, w := range words {
			missing = missing || !strings.Contains(string(data), w)
		}
		if !missing {
			return
		}
	}
	k.Fatalf("want %q in %s", words, data)
}

var someSettings = wire.Values{wire.SetLook: "dark", wire.SetRingVolume: 35, wire.SetLang: "ja", wire.SetWaiting: "busy", wire.SetLocalOrigins: []string{"https://crm.example.jp"}}

// TestSettingsSurviveAKill: kill -9 right after they were written, and once in the middle of a hundred changes: what is there then is
// whole.
// Reliability (E13).
//
//ci:still
func TestSettingsSurviveAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the phone four times")
	}
	k := newKiosk(t)
	folder := filepath.Join(k.dir, "phone")
	k.start(folder)
	k.choose(someSettings)
	k.kept(folder, `"dark"`, `"ring.volume": 35`, `"ja"`, `"busy"`, `crm.example.jp`)
	k.phone.Kill()

	k.start(folder)
	if s := k.snap(); !holds(s, someSettings) {
		t.Fatalf("after the kill %v hold", s.Settings)
	}
	for n := range 100 {
		k.post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: n})
	}
	k.until("half of them", func(s wire.Snapshot) bool {
		return s.Settings.Number(wire.SetRingVolume) >= 50 && s.Settings.Number(wire.SetRingVolume) < 100
	})
	k.phone.Kill()
	k.start(folder)
	if s := k.snap(); s.Settings.Text(wire.SetLook) != "dark" || s.Settings.Text(wire.SetLang) != "ja" {
		t.Errorf("after the second kill %v hold", s.Settings)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.bad*")); len(left) > 0 {
		t.Errorf("a file was not readable: %v", left)
	}
}

// mayNot ends a test that the machine does not allow; CI's must.
func mayNot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// TestAPhoneWorksWhereNothingCanBeWritten: its folder is read-only, or full, or its home is missing. It says so, settings hold until it
// ends, the file that is there stays as it is.
// Reliability (E12).
//
//ci:still
func TestAPhoneWorksWhereNothingCanBeWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		mayNot(t, "only root may mount")
	}
	k := newKiosk(t)
	const before = `{"settings":{"page.look":"light"},"noticed":true}`
	lay := func(folder string) {
		if err := os.WriteFile(filepath.Join(folder, "softphone.json"), []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mount := func(t *testing.T, options string, flags uintptr, fill bool) string {
		folder := t.TempDir()
		if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"); err != nil {
			mayNot(t, "nobody may mount here: "+err.Error())
		}
		t.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
		lay(folder)
		if fill {
			_ = os.WriteFile(filepath.Join(folder, "full"), make([]byte, 128<<10), 0o600) // as far as it goes
		}
		if flags != 0 {
			if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	for name, folder := range map[string]func(*testing.T) string{
		"read-only": func(t *testing.T) string { return mount(t, "", syscall.MS_RDONLY, false) },
		"full":      func(t *testing.T) string { return mount(t, "", 0, true) },
		"no home":   func(*testing.T) string { return "/proc/zaseki-of-a-test" },
	} {
		t.Run(name, func(t *testing.T) {
			in := *k
			in.T = t
			dir := folder(t)
			in.start(dir)
			in.until("told", func(s wire.Snapshot) bool {
				for _, n := range s.Notices {
					if n.Problem.Code == wire.ProblemSettingKept {
						return true
					}
				}
				return false
			})
			in.choose(wire.Values{wire.SetLook: "dark"})
			in.signIn("agent1", stage.Password)
			in.until("registered", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
			in.phone.Stop()
			if lines := strings.Count(in.phone.Log(), "\n"); lines > 40 {
				t.Errorf("%d lines of log:\n%s", lines, in.phone.Log())
			}
			if data, err := os.ReadFile(filepath.Join(dir, "softphone.json")); name != "no home" && (err != nil || string(data) != before) {
				t.Errorf("the file is %q, %v", data, err)
			}
		})
	}
}

// TestAutoSignInWithTheKeyringOfADesktop: 保存, a kill, and the next start asks nobody; the password is in no file but the keyring's own.
//
//ci:still
func TestAutoSignInWithTheKeyringOfADesktop(t *testing.T) {
	need(t, "dbus-daemon", "gnome-keyring-daemon", "dbus-send")
	k := newKiosk(t)
	desktop := t.TempDir()
	k.env[0] = "DBUS_SESSION_BUS_ADDRESS=" + newKeyring(t, desktop)
	folder := filepath.Join(k.dir, "phone")
	k.start(folder)
	k.until("a keyring", func(s wire.Snapshot) bool { return s.Saved.Can })
	k.say("account.check", map[string]any{"account": "agent1", "password": stage.Password, "keep": true})
	s := k.until("step two", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseChoosing })
	k.post(wire.SignIn{Terminal: s.Choice.Terminal, Status: wire.StatusBreak, Seat: s.Choice.Seats[1].ID})
	k.until("saved", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseIn && s.Saved.Account == "agent1" })
	k.choose(wire.Values{wire.SetAutoSignIn: true, wire.SetStartStatus: wire.StatusAvailable})
	k.kept(folder, `"sign.auto": true`, `"sign.status": "available"`, `"account": "agent1"`)
	k.post(wire.SignOut{})
	k.until("out", func(s wire.Snapshot) bool { return s.Phase == wire.PhaseOut })
	k.phone.Kill()

	k.start(folder)
	got := k.until("signed in", func(s wire.Snapshot) bool { return s.Line.State == "registered" })
	if got.Status.Now != wire.StatusAvailable || got.Seat != s.Choice.Seats[1].ID {
		t.Errorf("signed in in %s at %q", got.Status.Now, got.Seat)
	}
	if log := k.phone.Log(); strings.Contains(log, stage.Password) {
		t.Error("the log holds the password")
	}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), stage.Password) {
			t.Errorf("%s holds the password", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	k.post(wire.ForgetAccount{})
	k.until("forgotten", func(s wire.Snapshot) bool { return s.Saved.Account == "" })
	k.phone.Stop()
	k.start(folder)
	k.until("asked", func(s wire.Snapshot) bool { return s.Saved.Can && s.Phase == wire.PhaseOut && s.Auto == nil })
}

// say sends what a page would.
func (k *kiosk) say(kind string, body any) {
	k.Helper()
	data, err := json.Marshal(body)
	if err == nil {
		err = k.conn.Write(k.ctx, wire.Envelope{Type: kind, Body: data})
	}
	if err != nil {
		k.Fatal(err)
	}
}
