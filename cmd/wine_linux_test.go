package cmd_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

// wine is a Windows of the test's own: a prefix, and a screen that nobody sees with Wine's desktop and taskbar on it.
type wine struct {
	t   *testing.T
	dir string
	env []string
}

// startWine makes the prefix. It ends with the test.
func startWine(t *testing.T) *wine {
	need(t, "wine", "wineserver", "Xvfb", "xdotool", "xwd", "convert")
	w := &wine{t: t, dir: t.TempDir()}
	prefix := filepath.Join(w.dir, "prefix")
	w.env = append(os.Environ(), "WINEPREFIX="+prefix, "WINEARCH=win64", "WINEDEBUG=-all", "HOME="+w.dir, "LANG=C.UTF-8",
		"WINEDLLOVERRIDES=mscoree,mshtml=;winemenubuilder.exe=d", "DBUS_SESSION_BUS_ADDRESS=", "WAYLAND_DISPLAY=")
	t.Cleanup(func() { _ = w.command("wineserver", "-k").Run() })
	desktop.Must(t, w.command("wine", "wineboot", "-i").Run())
	w.screen()
	// Wine 8 lacks a library of Windows 7 and later that every Go program asks for random numbers.
	shim := filepath.Join(prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	desktop.Must(t, os.WriteFile(shim, forwarder("bcryptprimitives.dll", "ProcessPrng", "advapi32.SystemFunction036"), 0o600))
	return w
}

// screen starts the screen.
func (w *wine) screen() {
	w.t.Helper()
	cmd := w.command("Xvfb", "-displayfd", "1", "-screen", "0", fmt.Sprintf("%dx%dx24", wineScreen.Dx(), wineScreen.Dy()), "-nolisten", "tcp")
	out, err := cmd.StdoutPipe()
	desktop.Must(w.t, err)
	desktop.Must(w.t, cmd.Start())
	w.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var display int
	_, err = fmt.Fscan(out, &display)
	desktop.Must(w.t, err)
	w.env = append(w.env, fmt.Sprintf("DISPLAY=:%d", display))
}

func (w *wine) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), name, args...)
	if name == "wineserver" { // also after the test
		cmd = exec.Command(name, args...)
	}
	cmd.Env = w.env
	return cmd
}

// forwarder is a library with one name, which stands for a name of another library (PE format §6.3.1, forwarder RVA).
func forwarder(name, export, target string) []byte {
	const page, file = 0x1000, 0x200 // alignments
	le := binary.LittleEndian
	dir := make([]byte, 40) // the export directory, then what it points to
	add := func(b ...byte) (rva uint32) {
		rva = page + uint32(len(dir))
		dir = append(dir, b...)
		return rva
	}
	text := func(s string) uint32 { return add(append([]byte(s), 0)...) }
	for at, v := range map[int]uint32{16: 1, 20: 1, 24: 1} { // first ordinal, number of functions and of names
		le.PutUint32(dir[at:], v)
	}
	lib, fn, to := text(name), text(export), text(target)
	for len(dir)%4 != 0 {
		add(0)
	}
	functions := add(le.AppendUint32(nil, to)...)
	names := add(le.AppendUint32(nil, fn)...)
	ordinals := add(0, 0)
	for at, v := range map[int]uint32{12: lib, 28: functions, 32: names, 36: ordinals} {
		le.PutUint32(dir[at:], v)
	}

	type fields []any
	var b bytes.Buffer
	put := func(all fields) { // a buffer takes everything
		for _, f := range all {
			_ = binary.Write(&b, le, f)
		}
	}
	b.WriteString("MZ")
	b.Write(make([]byte, 58))
	put(fields{uint32(64), []byte("PE\x00\x00")})
	put(fields{uint16(0x8664), uint16(1), uint32(0), uint32(0), uint32(0), uint16(240), uint16(0x2022)}) // COFF: a DLL for amd64
	put(fields{uint16(0x20b), uint16(0), uint32(0), uint32(file), uint32(0), uint32(0), uint32(page)})   // PE32+
	put(fields{uint64(0x180000000), uint32(page), uint32(file), uint16(6), uint16(0), uint32(0), uint16(6), uint16(0)})
	put(fields{uint32(0), uint32(2 * page), uint32(file), uint32(0), uint16(2), uint16(0x160)})      // image size, GUI
	put(fields{uint64(1 << 20), uint64(page), uint64(1 << 20), uint64(page), uint32(0), uint32(16)}) // stack, heap, directories
	put(fields{uint32(page), uint32(len(dir)), make([]byte, 15*8)})                                  // only exports
	put(fields{[]byte(".edata\x00\x00"), uint32(len(dir)), uint32(page), uint32(file), uint32(file), make([]byte, 12), uint32(0x40000040)})
	b.Write(make([]byte, file-b.Len()))
	b.Write(dir)
	b.Write(make([]byte, file-len(dir)%file))
	return b.Bytes()
}

// shot is what is on the screen now.
func (w *wine) shot() image.Image {
	w.t.Helper()
	file := filepath.Join(w.dir, "shot")
	desktop.Eventually(w.t, "dump of the screen", func() bool {
		return w.command("xwd", "-root", "-silent", "-out", file+".xwd").Run() == nil && w.command("convert", "xwd:"+file+".xwd", file+".png").Run() == nil
	})
	data, err := os.ReadFile(file + ".png")
	desktop.Must(w.t, err)
	img, err := png.Decode(bytes.NewReader(data))
	desktop.Must(w.t, err)
	return img
}

// keep saves the screen for people, where ZASEKI_SHOTS names a folder.
func (w *wine) keep(name string) {
	w.t.Helper()
	dir := os.Getenv("ZASEKI_SHOTS")
	if dir == "" {
		return
	}
	var b bytes.Buffer
	desktop.Must(w.t, png.Encode(&b, w.shot()))
	desktop.Must(w.t, os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o600))
}

// find is the middle of the pixels of nearly that colour in that part of the screen.
func (w *wine) find(in image.Rectangle, colour color.NRGBA) (at image.Point, ok bool) {
	img, n := w.shot(), 0
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) < 8 }
	for y := in.Min.Y; y < in.Max.Y; y++ {
		for x := in.Min.X; x < in.Max.X; x++ {
			c, _ := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			if near(c.R, colour.R) && near(c.G, colour.G) && near(c.B, colour.B) {
				at, n = at.Add(image.Pt(x, y)), n+1
			}
		}
	}
	if n < 20 {
		return image.Point{}, false
	}
	return at.Div(n), true
}

// click finds that colour and clicks on it.
func (w *wine) click(what string, in image.Rectangle, colour color.NRGBA, button string) {
	w.t.Helper()
	var at image.Point
	desktop.Eventually(w.t, what, func() (ok bool) { at, ok = w.find(in, colour); return ok })
	w.mouse(at.X, at.Y, button)
}

// mouse clicks there.
func (w *wine) mouse(x, y int, button string) {
	w.t.Helper()
	if out, err := w.command("xdotool", "mousemove", strconv.Itoa(x), strconv.Itoa(y), "click", button).CombinedOutput(); err != nil {
		w.t.Fatalf("xdotool: %v %s", err, out)
	}
}

// phone starts the phone for Windows, as a program of the desktop, and gives its panel.
func (w *wine) phone(center string) (panel string) {
	w.t.Helper()
	exe, config := filepath.Join(w.dir, "softphone.exe"), filepath.Join(w.dir, "phone")
	cmd := exec.CommandContext(w.t.Context(), "go", "build", "-ldflags", "-H=windowsgui", "-o", exe, "./softphone")
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("build: %v\n%s", err, out)
	}
	phone := w.command("wine", "explorer", fmt.Sprintf("/desktop=zaseki,%dx%d", wineScreen.Dx(), wineScreen.Dy()), exe,
		"-config", "Z:"+config, "-panel", "127.0.0.1:0", "-no-browser", "-center", center, "-lang", "en")
	desktop.Must(w.t, phone.Start())
	w.t.Cleanup(func() {
		_ = w.command("wineserver", "-k").Run()
		_ = phone.Wait()
	})
	var first struct {
		Panel string `json:"panel"`
	}
	desktop.Eventually(w.t, "the phone's panel", func() bool {
		data, err := os.ReadFile(filepath.Join(config, "softphone.run"))
		return err == nil && json.Unmarshal(data, &first) == nil && first.Panel != ""
	})
	return first.Panel
}

var wineScreen = image.Rect(0, 0, 900, 600)

// TestTheWindowsPhoneUnderWine: the program for Windows starts, signs in at a center, shows its colours in the tray; its menu opens
// under both buttons, and a click there changes the status; it starts at login and opens links when that is chosen.
//
//ci:still
func TestTheWindowsPhoneUnderWine(t *testing.T) {
	orange, grey, green := color.NRGBA{0xf0, 0x78, 0x00, 0xff}, color.NRGBA{0x7d, 0x84, 0x8d, 0xff}, color.NRGBA{0x2e, 0xa0, 0x4f, 0xff}
	tray := image.Rect(700, 570, 900, 600)
	w := startWine(t)
	build(t, w.dir, "center")
	floor, err := stage.Floor(w.dir, nil)
	desktop.Must(t, err)
	center, err := stage.StartCenter(t.Context(), filepath.Join(w.dir, "center"), w.dir, floor)
	desktop.Must(t, err)
	t.Cleanup(func() { center.Stop() })
	h := openHandle(t, w.phone(center.String("http")))
	desktop.Eventually(t, "grey icon", func() bool { _, ok := w.find(tray, grey); return ok })
	h.signIn("agent1", stage.Password)

	w.click("orange icon", tray, orange, "3")
	menu := image.Rect(0, 0, wineScreen.Max.X, tray.Min.Y)
	desktop.Eventually(t, "menu", func() bool { _, ok := w.find(menu, green); return ok })
	w.keep("wine-menu")
	w.click("Available in the menu", menu, green, "1")
	h.until("the status", func(s wire.Snapshot) bool { return s.Status.Now == wire.StatusAvailable })
	w.click("orange icon", tray, orange, "1")
	desktop.Eventually(t, "menu again", func() bool { _, ok := w.find(menu, green); return ok })
	w.keep("wine-menu-again")
	w.mouse(300, 200, "1") // beside it: the menu closes
	w.settings(h)

	before := w.shot()
	h.conn.Close(socket.GoingAway, "") // the only page: a note says that the phone goes on
	desktop.Eventually(t, "note at the icon", func() bool { return differ(before, w.shot()) > 3000 })
	w.keep("wine-note")
}

// differ counts the pixels that are not the same.
func differ(a, b image.Image) (n int) {
	for y := range wineScreen.Dy() {
		for x := range wineScreen.Dx() {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}

// settings: what reaches into Windows is written there, and taken back.
func (w *wine) settings(h *handle) {
	w.t.Helper()
	const run, tel = `HKCU\Software\Microsoft\Windows\CurrentVersion\Run`, `HKCU\Software\Classes\tel\shell\open\command`
	reads := func(key, part string, want bool) {
		w.t.Helper()
		last := ""
		defer func() {
			if w.t.Failed() {
				w.t.Log(last)
			}
		}()
		desktop.Eventually(w.t, fmt.Sprintf("%s has %s: %v", key, part, want), func() bool {
			out, _ := w.command("wine", "reg", "query", key).CombinedOutput() // fails where there is no such key
			last = string(out)
			return strings.Contains(last, part) == want
		})
	}
	names := []string{wire.SetAutostart, wire.SetLinkTel, wire.SetHotkeyMute}
	for _, name := range names {
		var value any = true
		if name == wire.SetHotkeyMute {
			value = "Ctrl+Alt+M"
		}
		h.post(wire.ChangeSetting{Name: name, Value: value})
	}
	reads(run, `softphone.exe -config Z:`, true)
	reads(tel, ` -- "%1"`, true)
	s := h.until("settings", func(s wire.Snapshot) bool { return s.Settings.Text(wire.SetHotkeyMute) != "" })
	if len(s.Failing) > 0 {
		w.t.Errorf("failing: %v", s.Failing)
	}
	h.post(wire.ChangeSetting{Name: wire.SetAutostart, Value: false})
	h.post(wire.ChangeSetting{Name: wire.SetLinkTel, Value: false})
	reads(run, `softphone.exe`, false)
	reads(tel, ` -- "%1"`, false)
}
