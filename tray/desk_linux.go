package tray

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	notes     = "org.freedesktop.Notifications"
	notesPath = "/org/freedesktop/Notifications"
	watcher   = "org.kde.StatusNotifierWatcher"
	// deskWait is how long a call to another program of the desktop may take.
	deskWait = 2 * time.Second
)

// desk is our own connection to the desktop session's bus. The tray library has another one.
type desk struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

// openDesk connects to the session bus of this login. It never starts one: a bus of our own would have no desktop on it.
func openDesk(ctx context.Context) (*desk, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, errors.New("no desktop session bus (DBUS_SESSION_BUS_ADDRESS)")
	}
	d := &desk{conn: conn, signals: make(chan *dbus.Signal, 16)}
	if err := d.join(); err != nil {
		d.close()
		return nil, fmt.Errorf("desktop session bus: %w", err)
	}
	return d, nil
}

func (d *desk) join() error {
	if err := d.conn.Auth(nil); err != nil {
		return err
	}
	if err := d.conn.Hello(); err != nil {
		return err
	}
	d.conn.Signal(d.signals)
	return d.conn.AddMatchSignal(dbus.WithMatchInterface(notes), dbus.WithMatchObjectPath(notesPath))
}

func (d *desk) close() {
	if d != nil {
		_ = d.conn.Close()
	}
}

// lost is closed when the session's bus is gone; a desk that never was is never lost.
func (d *desk) lost() <-chan struct{} {
	if d == nil {
		return nil
	}
	return d.conn.Context().Done()
}

// noIcon says why there can be no icon, or "". A desktop without a host for icons may get one later, so that is only said.
func (d *desk) noIcon(ctx context.Context, log *slog.Logger) string {
	ctx, stop := context.WithTimeout(ctx, deskWait)
	defer stop()
	var there bool
	err := d.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcher).Store(&there)
	if err == nil && !there {
		log.Info("this desktop shows no tray icons yet (no StatusNotifierWatcher); ours appears as soon as it does")
	}
	return ""
}

// notify shows a note, in the place of an older one if it names one, and gives its number.
func (d *desk) notify(ctx context.Context, n note) (uint32, error) {
	ctx, stop := context.WithTimeout(ctx, deskWait)
	defer stop()
	server := d.conn.Object(notes, notesPath)
	var able []string
	if err := server.CallWithContext(ctx, notes+".GetCapabilities", 0).Store(&able); err != nil {
		return 0, err
	}
	body := n.body
	if slices.Contains(able, "body-markup") {
		body = html.EscapeString(body) // a caller's name is not markup
	}
	actions := []string{}
	for _, a := range n.actions {
		actions = append(actions, a.key, a.label)
	}
	hints := map[string]dbus.Variant{"desktop-entry": dbus.MakeVariant("zaseki")}
	lasts := int32(-1) // as long as the desktop likes
	if n.urgent {
		hints["urgency"] = dbus.MakeVariant(byte(2))
		hints["category"] = dbus.MakeVariant("call.incoming")
		hints["suppress-sound"] = dbus.MakeVariant(true) // we ring ourselves
		lasts = 0                                        // until it is closed
	}
	// Who has asked for a note waits for its number, also at the end: without it nobody could take the note from the screen again.
	ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), deskWait)
	defer stop()
	var id uint32
	err := server.CallWithContext(ctx, notes+".Notify", 0,
		"Zaseki", n.replaces, "call-start", n.title, body, actions, hints, lasts).Store(&id)
	return id, err
}

// withdraw closes a note; one that is closed already is fine.
func (d *desk) withdraw(ctx context.Context, id uint32) {
	ctx, stop := context.WithTimeout(ctx, deskWait)
	defer stop()
	_ = d.conn.Object(notes, notesPath).CallWithContext(ctx, notes+".CloseNotification", 0, id).Err
}

// news is what the notification server says; it is closed with the bus.
func (d *desk) news() <-chan *dbus.Signal { return d.signals }

// readNews takes one of it apart: which note, and the key of the action that was clicked, or "" when the note was closed.
func readNews(s *dbus.Signal) (id uint32, key string, ok bool) {
	if len(s.Body) < 2 {
		return 0, "", false
	}
	id, ok = s.Body[0].(uint32)
	switch s.Name {
	case notes + ".ActionInvoked":
		key, _ = s.Body[1].(string)
		return id, key, ok && key != ""
	case notes + ".NotificationClosed":
		return id, "", ok
	}
	return 0, "", false
}
