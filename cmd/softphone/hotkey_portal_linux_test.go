package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"zaseki/tray/desktop"
	"zaseki/web/wire"
)

// handPortal is a portal that the test answers for, on a session bus of its own: no compositor has one without a screen and a person.
// What is proven is our side of the interface as its document has it.
type handPortal struct {
	t    *testing.T
	conn *dbus.Conn

	mu       sync.Mutex
	refuses  uint32               // code of the answer to BindShortcuts
	grants   func(id string) bool // nil: all
	late     bool                 // the answer comes after the call has returned, else before
	sessions []dbus.ObjectPath    // that were made
	ended    []dbus.ObjectPath
	bound    [][]string // "name trigger description" of each binding
}

func startPortal(t *testing.T) *handPortal {
	d := desktop.StartBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address())
	t.Setenv("XDG_SESSION_TYPE", "wayland")
	t.Setenv("WAYLAND_DISPLAY", "")
	t.Setenv("DISPLAY", "")
	t.Setenv("LANG", "en_GB.UTF-8")
	conn, err := dbus.Connect(d.Address())
	desktop.Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	h := &handPortal{t: t, conn: conn}
	desktop.Must(t, conn.Export(h, portalPath, portalKeysName))
	desktop.Must(t, conn.Export(portalVersion{}, portalPath, "org.freedesktop.DBus.Properties"))
	_, err = conn.RequestName(portal, dbus.NameFlagDoNotQueue)
	desktop.Must(t, err)
	return h
}

type portalVersion struct{}

func (portalVersion) Get(string, string) (dbus.Variant, *dbus.Error) {
	return dbus.MakeVariant(uint32(1)), nil
}

// portalEnd is the Session of a path.
type portalEnd struct {
	of   *handPortal
	path dbus.ObjectPath
}

func (e portalEnd) Close() *dbus.Error {
	e.of.mu.Lock()
	defer e.of.mu.Unlock()
	e.of.ended = append(e.of.ended, e.path)
	return nil
}

// answer emits the Response of a request.
func (h *handPortal) answer(from dbus.Sender, options map[string]dbus.Variant, code uint32, results map[string]dbus.Variant) (dbus.ObjectPath, *dbus.Error) {
	token, _ := options["handle_token"].Value().(string)
	path := dbus.ObjectPath(portalPath + "/request/" + strings.ReplaceAll(strings.TrimPrefix(string(from), ":"), ".", "_") + "/" + token)
	send := func() { _ = h.conn.Emit(path, portalRequest+".Response", code, results) }
	if h.late {
		time.AfterFunc(50*time.Millisecond, send)
	} else {
		send()
	}
	return path, nil
}

func (h *handPortal) CreateSession(options map[string]dbus.Variant, from dbus.Sender) (dbus.ObjectPath, *dbus.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	token, _ := options["session_handle_token"].Value().(string)
	path := dbus.ObjectPath(portalPath + "/session/1/" + token)
	_ = h.conn.Export(portalEnd{h, path}, path, portalSession)
	h.sessions = append(h.sessions, path)
	return h.answer(from, options, 0, map[string]dbus.Variant{"session_handle": dbus.MakeVariant(string(path))})
}

func (h *handPortal) BindShortcuts(session dbus.ObjectPath, keys []portalKey, parent string, options map[string]dbus.Variant, from dbus.Sender) (dbus.ObjectPath, *dbus.Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var asked []string
	given := []portalKey{}
	for _, k := range keys {
		asked = append(asked, fmt.Sprint(k.ID, " ", k.Options["preferred_trigger"].Value(), " ", k.Options["description"].Value()))
		if h.grants == nil || h.grants(k.ID) {
			given = append(given, portalKey{k.ID, map[string]dbus.Variant{"trigger_description": dbus.MakeVariant("Press something")}})
		}
	}
	slices.Sort(asked)
	h.bound = append(h.bound, asked)
	if session != h.sessions[len(h.sessions)-1] || parent != "" {
		h.t.Errorf("session %s, parent %q", session, parent)
	}
	return h.answer(from, options, h.refuses, map[string]dbus.Variant{"shortcuts": dbus.MakeVariant(given)})
}

// key moves one of that session.
func (h *handPortal) key(session dbus.ObjectPath, name, how string) {
	h.t.Helper()
	desktop.Must(h.t, h.conn.Emit(portalPath, portalKeysName+"."+how, session, name, uint64(1), map[string]dbus.Variant{}))
}

// set changes what the portal does.
func (h *handPortal) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// asked are the keys of each binding.
func (h *handPortal) asked() [][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.bound)
}

func (h *handPortal) newest() dbus.ObjectPath {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[len(h.sessions)-1]
}

func TestAWaylandDesktopGivesItsKeysThroughThePortal(t *testing.T) {
	p := startPortal(t)
	a, asked := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	held := wire.Values{wire.SetHotkeyMute: "Ctrl+Alt+M", wire.SetHotkeyHold: "Super+PageUp"}
	for _, name := range []string{wire.SetHotkeyMute, wire.SetHotkeyHold, wire.SetHotkeyShow} {
		if problem := h.Apply(t.Context(), name, held); problem != nil {
			t.Fatal(name, problem)
		}
	}
	if want := [][]string{{"hotkey.hold LOGO+Page_Up Hold", "hotkey.mute CTRL+ALT+m Mute"}}; fmt.Sprint(p.asked()) != fmt.Sprint(want) {
		t.Fatalf("asked for %q, want %q, once", p.asked(), want)
	}

	first := p.newest()
	p.key(first, wire.SetHotkeyMute, "Activated")
	desktop.Eventually(t, "mute", func() bool { return len(asked()) == 1 })
	p.key(first, wire.SetHotkeyMute, "Activated") // the desktop repeats it
	p.key("/somebody/else", wire.SetHotkeyMute, "Activated")
	p.key(first, wire.SetHotkeyMute, "Deactivated")
	p.key(first, wire.SetHotkeyMute, "Activated")
	desktop.Eventually(t, "unmute", func() bool { return len(asked()) == 2 })

	p.set(func() { p.late = true })
	held[wire.SetHotkeyHold] = "F8"
	if problem := h.Apply(t.Context(), wire.SetHotkeyHold, held); problem != nil {
		t.Fatal(problem)
	}
	if got := p.asked(); len(got) != 2 || p.newest() == first || !slices.Contains(got[1], "hotkey.hold F8 Hold") || len(got[1]) != 2 {
		t.Errorf("after a change: %q", got)
	}
	desktop.Eventually(t, "end of the first session", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return slices.Equal(p.ended, []dbus.ObjectPath{first})
	})
	p.key(first, wire.SetHotkeyMute, "Activated") // of a session that is over
	p.key(p.newest(), wire.SetHotkeyMute, "Activated")
	desktop.Eventually(t, "mute by the second", func() bool { return len(asked()) == 3 })
}

func TestWhatAWaylandDesktopDoesNotGrantIsTold(t *testing.T) {
	p := startPortal(t)
	a, _ := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	held := wire.Values{wire.SetHotkeyMute: "F7", wire.SetHotkeyHold: "F8"}
	told := func(name string) string {
		t.Helper()
		if problem := h.Apply(t.Context(), name, held); problem != nil {
			return problem.Error()
		}
		return ""
	}
	p.set(func() { p.refuses = 1 })
	if got := told(wire.SetHotkeyMute); got != "hotkey.none reason=the question about keys was declined on the desktop" {
		t.Error(got)
	}
	p.set(func() { p.refuses, p.grants = 0, func(id string) bool { return id == wire.SetHotkeyMute } })
	if got := told(wire.SetHotkeyMute); got != "" {
		t.Error("granted at the second time, but:", got)
	}
	if got := told(wire.SetHotkeyHold); got != "hotkey.none reason=the desktop did not grant F8" {
		t.Error(got)
	}
	// The desktop ends the session; a change asks for another.
	desktop.Must(t, p.conn.Emit(p.newest(), portalSession+".Closed", map[string]dbus.Variant{}))
	held[wire.SetHotkeyMute] = "F9"
	desktop.Eventually(t, "a new session", func() bool { return told(wire.SetHotkeyMute) == "" && len(p.asked()) >= 3 })
	if _, err := p.conn.ReleaseName(portal); err != nil {
		t.Fatal(err)
	}
	held[wire.SetHotkeyMute] = "F10"
	if got := told(wire.SetHotkeyMute); !strings.HasPrefix(got, "hotkey.none reason=") {
		t.Error("without a portal:", got)
	}
}

func TestAWaylandDesktopWithoutAPortalIsTold(t *testing.T) {
	d := desktop.StartBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", d.Address())
	t.Setenv("WAYLAND_DISPLAY", "wayland-0")
	a, _ := talkingAgent(t)
	h := startHotkeys(t, a, func() {})
	problem := h.Apply(t.Context(), wire.SetHotkeyMute, wire.Values{wire.SetHotkeyMute: "F9"})
	if problem == nil || problem.Holes["reason"] != "this Wayland desktop has no portal for global keys" {
		t.Error(problem)
	}
}

func TestEveryChordIsWrittenAsThePortalWantsIt(t *testing.T) {
	for chord, want := range map[string]string{"Ctrl+A": "CTRL+a", "Alt+Shift+Z": "ALT+SHIFT+z", "Super+0": "LOGO+0", "F12": "F12", "Ctrl+Space": "CTRL+space",
		"Pause": "Pause", "Ctrl+PageDown": "CTRL+Page_Down", "MediaPlayPause": "XF86AudioPlay", "MediaStop": "XF86AudioStop", "Super+Left": "LOGO+Left"} {
		if got := portalChord(chord); got != want {
			t.Errorf("%s: %s, want %s", chord, got, want)
		}
	}
}
