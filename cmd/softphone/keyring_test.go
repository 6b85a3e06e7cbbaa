package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"

	"zaseki/web/wire"
)

// newTrust is a machine of a test: memory stands for its keyring. That the real one is asked right is proven in cmd.
func newTrust(t *testing.T, dir string, ring bool) *devices {
	t.Helper()
	kept, err := openSettings(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d := newDevices("https://center.example", kept, slog.New(slog.DiscardHandler))
	d.ring = func() bool { return ring }
	return d
}

func TestThatAMachineIsTrustedOutlivesThePhoneByTheKeyring(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	d := newTrust(t, dir, true)
	if got := d.of(t.Context(), "sato"); got != "" {
		t.Fatalf("trusted before: %q", got.Reveal())
	}
	d.keep("sato", "secret of sato")
	d.keep("kato", "secret of kato")
	again := newTrust(t, dir, true)
	for account, want := range map[string]wire.Secret{"sato": "secret of sato", " sato ": "secret of sato", "": "secret of kato", "ito": ""} {
		if got := again.of(t.Context(), account); got != want {
			t.Errorf("%q: %q, want %q", account, got.Reveal(), want.Reveal())
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, configFile))
	if err != nil || strings.Contains(string(data), "secret") || !strings.Contains(string(data), "sato") {
		t.Errorf("the settings hold %s, %v", data, err)
	}
	again.forget("sato")
	if got := newTrust(t, dir, true).of(t.Context(), "sato"); got != "" {
		t.Error("what was forgotten is kept")
	}
	if _, err := keyring.Get(keyringName, again.name("sato")); err == nil {
		t.Error("the keyring holds what was forgotten")
	}
	other := newTrust(t, dir, true)
	other.center = "https://other.example"
	if got := other.of(t.Context(), "kato"); got != "" {
		t.Error("another center gets this one's secret")
	}
}

func TestWithoutAKeyringTrustEndsWithThePhone(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	d := newTrust(t, dir, false)
	d.keep("sato", "secret of sato")
	if d.lasts() || d.of(t.Context(), "sato") != "secret of sato" {
		t.Error("not kept for the session")
	}
	if got := newTrust(t, dir, false).of(t.Context(), "sato"); got != "" {
		t.Error("kept without a keyring")
	}
	d.forget("sato")
	if d.of(t.Context(), "sato") != "" {
		t.Error("not forgotten")
	}
}
