package desktop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
)

const (
	notes     = "org.freedesktop.Notifications"
	notesPath = "/org/freedesktop/Notifications"
	watcher   = "org.kde.StatusNotifierWatcher"
)

// Desktop is a session bus of the test's own and what is shown on it. It ends with the test.
type Desktop struct {
	t    testing.TB
	addr string
	conn *dbus.Conn
	bus  *exec.Cmd
	once sync.Once

	mu     sync.Mutex
	icon   dbus.BusObject // of the tray that registered last
	menu   dbus.BusObject
	open   map[uint32]Note
	sent   []Note
	serial uint32
}

const busConfig = `<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// StartBus starts an empty session bus: a login whose desktop has not come up yet.
func StartBus(t testing.TB) *Desktop {
	t.Helper()
	daemon, dir := Need(t, "dbus-daemon"), t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	Must(t, os.WriteFile(config, fmt.Appendf(nil, busConfig, filepath.Join(dir, "bus")), 0o600))
	d := &Desktop{t: t, bus: exec.Command(daemon, "--nofork", "--print-address", "--config-file="+config), open: map[uint32]Note{}}
	out, err := d.bus.StdoutPipe()
	Must(t, err)
	Must(t, d.bus.Start())
	t.Cleanup(d.StopBus)
	line, err := bufio.NewReader(out).ReadString('\n')
	Must(t, err)
	d.addr = strings.TrimSpace(line)
	d.conn, err = dbus.Connect(d.addr)
	Must(t, err)
	t.Cleanup(func() { _ = d.conn.Close() })
	return d
}

// StopBus ends the session under all that is on it.
func (d *Desktop) StopBus() {
	d.once.Do(func() {
		_ = d.bus.Process.Kill()
		_ = d.bus.Wait()
	})
}

// Start starts a bus with a host for icons and a notification server.
func Start(t testing.TB) *Desktop {
	t.Helper()
	d := StartBus(t)
	d.Host()
	Must(t, d.conn.Export((*noteServer)(d), notesPath, notes))
	d.own(notes)
	return d
}

// Host begins to show icons.
func (d *Desktop) Host() {
	d.t.Helper()
	Must(d.t, d.conn.Export((*iconHost)(d), "/StatusNotifierWatcher", watcher))
	d.own(watcher)
}

// CloseHost shows no icons any more, and forgets those it showed.
func (d *Desktop) CloseHost() {
	d.t.Helper()
	_, err := d.conn.ReleaseName(watcher)
	Must(d.t, err)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.icon, d.menu = nil, nil
}

func (d *Desktop) own(name string) {
	d.t.Helper()
	reply, err := d.conn.RequestName(name, dbus.NameFlagDoNotQueue)
	Must(d.t, err)
	if reply != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("name %s: reply %d", name, reply)
	}
}

// Address is where the bus listens, as DBUS_SESSION_BUS_ADDRESS has it.
func (d *Desktop) Address() string { return d.addr }

// Env is the setting of the environment by which a program finds this desktop.
func (d *Desktop) Env() string { return "DBUS_SESSION_BUS_ADDRESS=" + d.addr }

// iconHost is the StatusNotifierWatcher.
type iconHost Desktop

func (h *iconHost) RegisterStatusNotifierItem(path string, from dbus.Sender) *dbus.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.icon = h.conn.Object(string(from), dbus.ObjectPath(path))
	h.menu = h.conn.Object(string(from), dbus.ObjectPath(path)+"/menu")
	return nil
}

// HasIcon says whether an icon has registered whose program is still on the bus.
func (d *Desktop) HasIcon() bool {
	icon, _ := d.objects()
	if icon == nil {
		return false
	}
	var there bool
	err := d.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, icon.Destination()).Store(&there)
	return err == nil && there
}

func (d *Desktop) objects() (icon, menu dbus.BusObject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.icon, d.menu
}

// Property reads one of the icon; nil where there is none.
func (d *Desktop) Property(name string) any {
	icon, _ := d.objects()
	if icon == nil {
		return nil
	}
	v, err := icon.GetProperty("org.kde.StatusNotifierItem." + name)
	if err != nil {
		return nil
	}
	return v.Value()
}

// Colour names what the icon's pixels are mostly of: orange, amber, red, blue, grey, or "" when it is blank.
func (d *Desktop) Colour() string {
	pixmaps, _ := d.Property("IconPixmap").([][]any)
	if len(pixmaps) == 0 || len(pixmaps[0]) < 3 {
		return ""
	}
	data, _ := pixmaps[0][2].([]byte)
	return Colour(func(yield func(r, g, b byte)) {
		for i := 0; i+3 < len(data); i += 4 {
			if data[i] == 0xff { // alpha first
				yield(data[i+1], data[i+2], data[i+3])
			}
		}
	})
}

// Tip is the icon's tooltip.
func (d *Desktop) Tip() string {
	raw, _ := d.Property("ToolTip").([]any)
	if len(raw) < 3 {
		return ""
	}
	s, _ := raw[2].(string)
	return s
}
