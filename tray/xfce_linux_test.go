package tray

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/tray/desktop"
)

// A panel of Xfce at the top of the screen: a list of windows, the icons, a clock.
const panelConfig = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="false"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="24"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/><value type="int" value="2"/><value type="int" value="3"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="separator"><property name="expand" type="bool" value="true"/><property name="style" type="uint" value="0"/></property>
    <property name="plugin-2" type="string" value="systray"><property name="square-icons" type="bool" value="true"/></property>
    <property name="plugin-3" type="string" value="separator"><property name="style" type="uint" value="0"/></property>
  </property>
</channel>`

// screen is a real desktop on a screen that nobody sees: Xvfb, openbox and the panel of Xfce.
type screen struct {
	t   *testing.T
	env []string
}

// startScreen starts the desktop. The bus is the system's own kind, which starts the panel's settings daemon.
func startScreen(t *testing.T) *screen {
	t.Helper()
	for _, tool := range []string{"Xvfb", "openbox", "xfce4-panel", "xwd", "convert", "xdotool", "dbus-daemon"} {
		desktop.Need(t, tool)
	}
	dir := t.TempDir()
	s := &screen{t: t, env: []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "LANG=C.UTF-8",
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"), "XDG_CACHE_HOME=" + filepath.Join(dir, "cache"), "NO_AT_BRIDGE=1"}}
	config := filepath.Join(dir, "config", "xfce4", "xfconf", "xfce-perchannel-xml")
	desktop.Must(t, os.MkdirAll(config, 0o700))
	desktop.Must(t, os.WriteFile(filepath.Join(config, "xfce4-panel.xml"), []byte(panelConfig), 0o600))

	s.env = append(s.env, "DISPLAY=:"+s.startAndRead("Xvfb", "-displayfd", "1", "-screen", "0", "900x420x24", "-nolisten", "tcp"))
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+s.startAndRead("dbus-daemon", "--session", "--nofork", "--print-address"))
	_ = s.command("display", "-window", "root", "xc:#5b7f8f").Run() // a screen is black without; it draws, and exits with 1
	s.start("openbox")
	s.start("xfce4-panel", "--disable-wm-check")
	return s
}

func (s *screen) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = s.env
	return cmd
}

// start starts a program of the desktop, which ends with the test.
func (s *screen) start(name string, args ...string) {
	s.t.Helper()
	s.run(s.command(name, args...))
}

func (s *screen) run(cmd *exec.Cmd) {
	s.t.Helper()
	desktop.Must(s.t, cmd.Start())
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// startAndRead starts a program that says on its first line where it can be reached.
func (s *screen) startAndRead(name string, args ...string) string {
	s.t.Helper()
	cmd := s.command(name, args...)
	out, err := cmd.StdoutPipe()
	desktop.Must(s.t, err)
	s.run(cmd)
	line, err := bufio.NewReader(out).ReadString('\n')
	desktop.Must(s.t, err)
	return strings.TrimSpace(line)
}

// shot is what is on the screen now.
func (s *screen) shot() image.Image {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "shot")
	desktop.Eventually(s.t, "dump of the screen", func() bool { // xwd fails when a window goes while it reads
		return s.command("xwd", "-root", "-silent", "-out", file+".xwd").Run() == nil
	})
	if out, err := s.command("convert", "xwd:"+file+".xwd", file+".png").CombinedOutput(); err != nil {
		s.t.Fatalf("convert: %v %s", err, out)
	}
	f, err := os.Open(file + ".png")
	desktop.Must(s.t, err)
	defer f.Close()
	img, err := png.Decode(f)
	desktop.Must(s.t, err)
	return img
}

// keep saves what is on the screen for people, where ZASEKI_SHOTS names a folder.
func (s *screen) keep(name string) {
	s.t.Helper()
	dir := os.Getenv("ZASEKI_SHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	desktop.Must(s.t, err)
	defer f.Close()
	desktop.Must(s.t, png.Encode(f, s.shot()))
}

// find is the middle of the pixels of that colour, in the strip of the panel.
func (s *screen) find(colour string) (at image.Point, ok bool) {
	img, n := s.shot(), 0
	for y := range 34 {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			one := func(yield func(r, g, b byte)) {
				for range 21 { // desktop.Colour wants more than a few
					yield(byte(r>>8), byte(g>>8), byte(b>>8))
				}
			}
			if desktop.Colour(one) == colour {
				at, n = at.Add(image.Pt(x, y)), n+1
			}
		}
	}
	if n < 60 {
		return image.Point{}, false
	}
	return at.Div(n), true
}

func TestARealPanelShowsTheIconAndOpensTheMenuOnBothButtons(t *testing.T) {
	slow(t)
	s := startScreen(t)
	k := startKid(t, "ja", s.env...)
	k.show(signedIn())
	var icon image.Point
	desktop.Eventually(t, "orange icon on the panel", func() (ok bool) { icon, ok = s.find("orange"); return ok })
	for _, button := range []string{"1", "3"} {
		before := s.shot()
		s.do("mousemove", fmt.Sprint(icon.X), fmt.Sprint(icon.Y), "click", button)
		desktop.Eventually(t, "menu by button "+button, func() bool { return changed(before, s.shot()) > 5000 })
		if button == "1" {
			s.settled()
			s.keep("tray-menu")
		}
		s.do("key", "Escape")
		desktop.Eventually(t, "menu closed", func() bool { return changed(before, s.shot()) < 1000 })
	}
	k.show(withCall(signedIn(), offered("c1", "森 花子")))
	desktop.Eventually(t, "red icon on the panel", func() (ok bool) { _, ok = s.find("red"); return ok })
	before := s.shot()
	s.do("mousemove", fmt.Sprint(icon.X), fmt.Sprint(icon.Y), "click", "1")
	desktop.Eventually(t, "menu while it rings", func() bool { return changed(before, s.shot()) > 5000 })
	s.settled()
	s.keep("tray-ringing")
	s.do("key", "Down", "Down", "Return") // the first item that can be chosen is the phone, the second the answer
	k.hears(`post call.answer {"call":"c1"}`)
}

func (s *screen) do(args ...string) {
	s.t.Helper()
	if out, err := s.command("xdotool", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("xdotool %v: %v %s", args, err, out)
	}
}

// settled waits until the screen does not change any more: menus are drawn in several steps.
func (s *screen) settled() {
	s.t.Helper()
	last := s.shot()
	desktop.Eventually(s.t, "still picture", func() bool {
		<-time.After(200 * time.Millisecond)
		now := s.shot()
		still := changed(last, now) == 0
		last = now
		return still
	})
}

// changed counts the pixels that differ, below the panel.
func changed(a, b image.Image) int {
	n := 0
	for y := 40; y < a.Bounds().Dy(); y++ {
		for x := range a.Bounds().Dx() {
			if a.At(x, y) != b.At(x, y) {
				n++
			}
		}
	}
	return n
}
