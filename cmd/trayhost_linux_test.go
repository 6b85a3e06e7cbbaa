package cmd_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
)

// TestADesktopWithoutATrayAndOneWhoseTrayRestarts: where nothing shows icons a second start shows the page of the first; the icon comes with
// the desktop's tray, and again after every restart of it, with a menu that works.
//
//ci:still
func TestADesktopWithoutATrayAndOneWhoseTrayRestarts(t *testing.T) {
	need(t, "dbus-daemon")
	d := &day{T: t, dir: t.TempDir()}
	desk := desktop.StartBus(t) // nobody hosts icons on it
	build(t, d.dir, "softphone")
	bin, list := filepath.Join(d.dir, "bin"), filepath.Join(d.dir, "opened")
	d.must(os.Mkdir(bin, 0o700))
	d.must(os.WriteFile(filepath.Join(bin, "xdg-open"), []byte("#!/bin/sh\necho \"$1\" >>'"+list+"'\n"), 0o700))
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	start := func() *stage.Program {
		t.Helper()
		p, err := stage.Start(ctx, filepath.Join(d.dir, "softphone"), []string{desk.Env(), "DISPLAY=", "WAYLAND_DISPLAY=", "PATH=" + bin + ":" + os.Getenv("PATH")},
			"-config", filepath.Join(d.dir, "phone"), "-panel", "127.0.0.1:0", "-center", "http://127.0.0.1:9", "-lang", "en")
		d.must(err)
		return p
	}
	opened := func() []string {
		data, _ := os.ReadFile(list)
		return strings.Fields(string(data))
	}
	d.phone = start()
	t.Cleanup(func() { d.phone.Stop() })
	desktop.Eventually(t, "the first page", func() bool { return len(opened()) == 1 })
	desktop.Eventually(t, "word about the tray", func() bool { return strings.Contains(d.phone.Log(), "no tray icons yet") })

	again := start()
	<-again.Done()
	if again.Code() != 0 || again.String("panel") != d.phone.String("panel") {
		t.Errorf("the second start ends with %d and says %s", again.Code(), again.String("panel"))
	}
	desktop.Eventually(t, "the page again", func() bool { return len(opened()) == 2 })
	res, err := http.Get(opened()[1])
	d.must(err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the second page: %s", res.Status)
	}

	for range 3 {
		desk.Host()
		desktop.Eventually(t, "grey icon", func() bool { return desk.Colour() == "grey" })
		desk.Shows(trayOut)
		desk.CloseHost()
		if desk.HasIcon() {
			t.Fatal("a tray that is gone shows an icon")
		}
	}
	desk.Host()
	desk.Click("Settings…") // a page of its own: the other one was opened this moment, and a double click opens nothing
	desktop.Eventually(t, "the page of the menu", func() bool { return len(opened()) == 3 })
	desk.Click("Exit")
	<-d.phone.Done()
	if code := d.phone.Code(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
