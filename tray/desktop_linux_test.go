package tray

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

// desktop is a session bus of the test's own, with a host for icons and a server for notifications on it: what a desktop is
// to us, without a display.
type desktop struct {
	t    *testing.T
	addr string
	conn *dbus.Conn
	bus  *exec.Cmd
	once sync.Once

	mu     sync.Mutex
	icon   dbus.BusObject // of the tray that registered last
	menu   dbus.BusObject
	notes  map[uint32]shown
	serial uint32
	closed []uint32
}

type shown struct {
	title, body string
	actions     []string
	urgency     byte
	lasts       int32
}

const busConfig = `<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// startBus starts an empty session bus.
func startBus(t *testing.T) *desktop {
	t.Helper()
	daemon, dir := need(t, "dbus-daemon"), t.TempDir()
	config := filepath.Join(dir, "bus.conf")
	must(t, os.WriteFile(config, fmt.Appendf(nil, busConfig, filepath.Join(dir, "bus")), 0o600))
	d := &desktop{t: t, bus: exec.Command(daemon, "--nofork", "--print-address", "--config-file="+config), notes: map[uint32]shown{}}
	out, err := d.bus.StdoutPipe()
	must(t, err)
	must(t, d.bus.Start())
	t.Cleanup(d.stopBus)
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	d.addr = strings.TrimSpace(line)
	d.conn, err = dbus.Connect(d.addr)
	must(t, err)
	t.Cleanup(func() { _ = d.conn.Close() })
	return d
}

func (d *desktop) stopBus() {
	d.once.Do(func() {
		_ = d.bus.Process.Kill()
		_ = d.bus.Wait()
	})
}

// startDesktop starts a bus with a host for icons and a notification server.
func startDesktop(t *testing.T) *desktop {
	t.Helper()
	d := startBus(t)
	d.host()
	must(t, d.conn.Export((*noteServer)(d), notesPath, notes))
	d.own(notes)
	return d
}

// host begins to show icons.
func (d *desktop) host() {
	d.t.Helper()
	must(d.t, d.conn.Export((*iconHost)(d), "/StatusNotifierWatcher", watcher))
	d.own(watcher)
}

func (d *desktop) own(name string) {
	d.t.Helper()
	reply, err := d.conn.RequestName(name, dbus.NameFlagDoNotQueue)
	must(d.t, err)
	if reply != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("name %s: reply %d", name, reply)
	}
}

func (d *desktop) env() string { return "DBUS_SESSION_BUS_ADDRESS=" + d.addr }

// iconHost is the StatusNotifierWatcher.
type iconHost desktop

func (h *iconHost) RegisterStatusNotifierItem(path string, from dbus.Sender) *dbus.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.icon = h.conn.Object(string(from), dbus.ObjectPath(path))
	h.menu = h.conn.Object(string(from), dbus.ObjectPath(path)+"/menu")
	return nil
}

// noteServer is org.freedesktop.Notifications.
type noteServer desktop

func (s *noteServer) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"actions", "body", "body-markup"}, nil
}

func (s *noteServer) Notify(_ string, replaces uint32, _, title, body string, actions []string,
	hints map[string]dbus.Variant, lasts int32) (uint32, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := replaces
	if id == 0 {
		s.serial++
		id = s.serial
	}
	urgency, _ := hints["urgency"].Value().(byte)
	s.notes[id] = shown{title: title, body: body, actions: actions, urgency: urgency, lasts: lasts}
	return id, nil
}

func (s *noteServer) CloseNotification(id uint32) *dbus.Error {
	s.mu.Lock()
	_, open := s.notes[id]
	delete(s.notes, id)
	s.closed = append(s.closed, id)
	s.mu.Unlock()
	if open {
		_ = s.conn.Emit(notesPath, notes+".NotificationClosed", id, uint32(3))
	}
	return nil
}

// note is the one note that is shown.
func (d *desktop) note() (uint32, shown, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, n := range d.notes {
		return id, n, len(d.notes) == 1
	}
	return 0, shown{}, false
}

func (d *desktop) objects() (icon, menu dbus.BusObject) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.icon, d.menu
}

// line is an item of the menu as the desktop gets it.
type line struct {
	id             int32
	label          string
	visible, grey  bool
	toggle, ticked bool
	separator      bool
}

// lines reads the visible menu.
func (d *desktop) lines() []line {
	_, menu := d.objects()
	if menu == nil {
		return nil
	}
	var rev uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	if menu.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&rev, &root) != nil {
		return nil
	}
	var all []line
	for _, c := range root.Children {
		raw, _ := c.Value().([]any)
		if len(raw) < 2 {
			continue
		}
		if l := lineOf(raw); l.visible {
			all = append(all, l)
		}
	}
	return all
}

func lineOf(raw []any) line {
	props, _ := raw[1].(map[string]dbus.Variant)
	l := line{visible: true}
	l.id, _ = raw[0].(int32)
	l.label, _ = props["label"].Value().(string)
	if v, ok := props["visible"].Value().(bool); ok {
		l.visible = v
	}
	if v, ok := props["enabled"].Value().(bool); ok {
		l.grey = !v
	}
	l.toggle = props["toggle-type"].Value() == "checkmark"
	l.ticked = props["toggle-state"].Value() == int32(1)
	l.separator = props["type"].Value() == "separator"
	return l
}

// labels is the visible menu as text: "✓" for ticked, "---" for a separator.
func (d *desktop) labels() string {
	var all []string
	for _, l := range d.lines() {
		switch {
		case l.separator:
			all = append(all, "---")
		case l.ticked:
			all = append(all, "✓"+l.label)
		default:
			all = append(all, l.label)
		}
	}
	return strings.Join(all, "|")
}

// shows waits for the menu to read like this.
func (d *desktop) shows(want string) {
	d.t.Helper()
	last := ""
	defer func() {
		if d.t.Failed() {
			d.t.Logf("the menu reads %q", last)
		}
	}()
	eventually(d.t, "menu "+want, func() bool { last = d.labels(); return last == want })
}

// click waits for the item of that label and clicks on it.
func (d *desktop) click(label string) {
	d.t.Helper()
	var id int32
	eventually(d.t, "item "+label, func() bool {
		for _, l := range d.lines() {
			if l.label == label {
				id = l.id
				return true
			}
		}
		return false
	})
	d.clickID(id)
}

func (d *desktop) clickID(id int32) {
	d.t.Helper()
	_, menu := d.objects()
	// No answer is waited for: after a click on Exit there may be nobody left to give it.
	must(d.t, menu.Call("com.canonical.dbusmenu.Event", dbus.FlagNoReplyExpected, id, "clicked", dbus.MakeVariant(""), uint32(0)).Err)
}

// property reads one of the icon.
func (d *desktop) property(name string) any {
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

// colour names what the icon's pixels are mostly of: orange, red, grey, or "" when it is blank.
func (d *desktop) colour() string {
	pixmaps, _ := d.property("IconPixmap").([][]any)
	if len(pixmaps) == 0 || len(pixmaps[0]) < 3 {
		return ""
	}
	data, _ := pixmaps[0][2].([]byte)
	return colourOf(func(yield func(r, g, b byte)) {
		for i := 0; i+3 < len(data); i += 4 {
			if data[i] == 0xff { // alpha first
				yield(data[i+1], data[i+2], data[i+3])
			}
		}
	})["most"]
}

// tip is the icon's tooltip.
func (d *desktop) tip() string {
	raw, _ := d.property("ToolTip").([]any)
	if len(raw) < 3 {
		return ""
	}
	s, _ := raw[2].(string)
	return s
}
