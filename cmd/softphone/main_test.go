package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"zaseki/media/hear"
	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.DiscardHandler)

func TestFlagsThatMakeNoSenseAreToldInWords(t *testing.T) {
	for _, args := range [][]string{{"mailto:x"}, {"tel:+1", "tel:+2"}, {"-lang", "fr"}, {"-demo", "-center", "http://x"}, {"-nonsense"}} {
		var out, errs bytes.Buffer
		if code := Main(context.Background(), args, &out, &errs); code == 0 || errs.Len() == 0 || out.Len() != 0 {
			t.Errorf("%v: status %d, said %q", args, code, errs.String())
		}
	}
	var out bytes.Buffer
	if code := Main(context.Background(), []string{"-version"}, &out, io.Discard); code != 0 || !strings.Contains(out.String(), wire.Version) {
		t.Errorf("-version: %d %q", code, out.String())
	}
}

// TestTheProgramEndsAndLeavesNothingBehind starts the phone with a center that is not there, until the plug is pulled.
func TestTheProgramEndsAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan int)
	go func() {
		ended <- Main(ctx, []string{"-config", dir, "-panel", "127.0.0.1:0", "-no-tray", "-no-browser", "-center", "http://127.0.0.1:9"}, write, io.Discard)
	}()
	var line ready
	if err := json.NewDecoder(read).Decode(&line); err != nil || !strings.HasPrefix(line.Panel, "http://127.0.0.1:") || line.PID != os.Getpid() {
		t.Fatalf("%+v, %v", line, err)
	}
	info, err := os.Stat(filepath.Join(dir, "softphone.run"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the file with the panel's secret: %v, %v", info, err)
	}
	metrics(t, line.Panel)
	cancel()
	if code := <-ended; code != 0 {
		t.Fatalf("status %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, "softphone.run")); err == nil {
		t.Fatal("the panel's secret is left behind")
	}
	if cfg, err := readConfig(dir, quiet); err != nil || cfg.Center != "http://127.0.0.1:9" {
		t.Fatalf("the center is not remembered: %+v, %v", cfg, err)
	}
}

// metrics: with the token and not without.
func metrics(t *testing.T, panel string) {
	t.Helper()
	base, token, _ := strings.Cut(panel, "/#")
	for _, bearer := range []string{"", "wrong", token} {
		req, err := http.NewRequest(http.MethodGet, base+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bearer)
		req.Close = true
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if got := strings.Contains(string(body), "zaseki_signed_in 0\n"); err != nil || got != (bearer == token) {
			t.Errorf("bearer %q: %s\n%s", bearer, res.Status, body)
		}
	}
}

func TestEveryVoiceOfTheDemoSpeaks(t *testing.T) {
	for _, name := range []string{"customer-en", "customer-ja", "colleague-en", "colleague-ja"} {
		var all []int16
		frame := make([]int16, 160)
		for src := speech(name); src.Next(frame); {
			all = append(all, frame...)
		}
		if seconds := len(all) / 8000; seconds < 5 || seconds > 20 || hear.Level(all) < 500 {
			t.Errorf("%s: %d seconds of level %.0f", name, seconds, hear.Level(all))
		}
	}
}
