package cmd_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newKeyring is a session bus with a keyring that is open, and gives the bus's address.
func newKeyring(t *testing.T, dir string) string {
	t.Helper()
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address")
	out, err := bus.StdoutPipe()
	if err == nil {
		err = bus.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Process.Kill(); _ = bus.Wait() })
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address = strings.TrimSpace(address)
	keyringAt(t, address, dir)
	return address
}

// keyringAt puts a keyring that is open on that bus.
func keyringAt(t *testing.T, address, dir string) {
	t.Helper()
	run := filepath.Join(dir, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	ring := exec.Command("gnome-keyring-daemon", "--foreground", "--components=secrets", "--unlock", "--control-directory="+run)
	ring.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address, "HOME="+dir, "XDG_DATA_HOME="+filepath.Join(dir, "share"), "XDG_RUNTIME_DIR="+run)
	ring.Stdin = strings.NewReader("pass phrase of the login")
	if err := ring.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ring.Process.Kill(); _ = ring.Wait() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		// The bus would start another one for whoever asks the keyring itself too early.
		said, _ := exec.Command("dbus-send", "--bus="+address, "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
			"org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets").CombinedOutput()
		if strings.Contains(string(said), "boolean true") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the keyring does not open: %s", said)
		}
	}
}
