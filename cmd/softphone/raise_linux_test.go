package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"zaseki/tray/desktop"
)

// TestThePageThatIsOpenComesToTheFront: a real Chromium and another window over it, on a desktop with a window manager. The page is brought
// to the front from behind, and minimised; where none shows it that is said.
func TestThePageThatIsOpenComesToTheFront(t *testing.T) {
	if testing.Short() {
		t.Skip("browser: not with -short")
	}
	chromium, xdotool := desktop.Need(t, "chromium"), desktop.Need(t, "xdotool")
	screenOf(t)
	home, err := os.MkdirTemp("", "raise")
	desktop.Must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(home) }) // a browser that was killed may still be writing
	run := func(name string, args ...string) {
		cmd := exec.Command(name, args...)
		cmd.Env = append(os.Environ(), "HOME="+home)
		desktop.Must(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	run(desktop.Need(t, "openbox"))
	conn, err := xgb.NewConn()
	desktop.Must(t, err)
	t.Cleanup(conn.Close)
	x := xWindows{conn, xproto.Setup(conn).DefaultScreen(conn).Root}
	soon(t, "the window manager is there", func() bool { p, err := x.property(x.root, "_NET_SUPPORTED"); return err == nil && len(p) > 0 })
	if err := raiseWindow(oursIs); err == nil {
		t.Error("a page is brought to the front that nobody opened")
	}
	front := func() string {
		w, err := x.property(x.root, "_NET_ACTIVE_WINDOW")
		if err != nil || len(w) < 4 {
			return ""
		}
		name, _ := x.property(xproto.Window(xgb.Get32(w)), "_NET_WM_NAME")
		return string(name)
	}
	page := func() bool { return strings.HasPrefix(front(), "Available · Zaseki") }
	file := filepath.Join(t.TempDir(), "page.html")
	desktop.Must(t, os.WriteFile(file, []byte("<meta charset=utf-8><title>Available · Zaseki</title>"), 0o600))
	run(chromium, "--no-sandbox", "--no-first-run", "--disable-gpu", "--user-data-dir="+filepath.Join(home, "profile"), "--app=file://"+file)
	soon(t, "the page is open", page)

	w, err := xproto.NewWindowId(conn)
	desktop.Must(t, err)
	screen := xproto.Setup(conn).DefaultScreen(conn)
	desktop.Must(t, xproto.CreateWindowChecked(conn, screen.RootDepth, w, x.root, 0, 0, 600, 400, 0, xproto.WindowClassInputOutput, screen.RootVisual, 0, nil).Check())
	name, err := x.atom("_NET_WM_NAME")
	desktop.Must(t, err)
	text, err := x.atom("UTF8_STRING")
	desktop.Must(t, err)
	const editor = "zaseki.txt - Editor"
	desktop.Must(t, xproto.ChangePropertyChecked(conn, xproto.PropModeReplace, w, name, text, 8, uint32(len(editor)), []byte(editor)).Check())
	desktop.Must(t, xproto.MapWindowChecked(conn, w).Check())
	soon(t, "somebody works in another window", func() bool { return front() == editor })
	desktop.Must(t, raiseWindow(oursIs))
	soon(t, "the page is in front", page)

	desktop.Must(t, exec.Command(xdotool, "getactivewindow", "windowminimize").Run())
	soon(t, "it is minimised", func() bool { return !page() })
	desktop.Must(t, raiseWindow(oursIs))
	soon(t, "the minimised page is in front", page)
}
