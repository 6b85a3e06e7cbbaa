package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

var errNoWindow = errors.New("no window shows it")

// raiseWindow activates the newest window with such a title (EWMH, _NET_ACTIVE_WINDOW), from another desktop too, or minimised. Under
// Wayland nobody may.
func raiseWindow(ours func(title string) bool) error {
	if os.Getenv("DISPLAY") == "" {
		return errors.New("no X server")
	}
	xgb.Logger.SetOutput(io.Discard) // the library's own; what goes wrong it also returns
	conn, err := xgb.NewConn()
	if err != nil {
		return fmt.Errorf("the X server: %w", err)
	}
	defer conn.Close()
	x := xWindows{conn, xproto.Setup(conn).DefaultScreen(conn).Root}
	list, err := x.property(x.root, "_NET_CLIENT_LIST")
	if err != nil {
		return err
	}
	var all []xproto.Window
	for ; len(list) >= 4; list = list[4:] {
		all = append(all, xproto.Window(xgb.Get32(list)))
	}
	for _, w := range slices.Backward(all) {
		if name, err := x.property(w, "_NET_WM_NAME"); err == nil && ours(string(name)) {
			return x.activate(w)
		}
	}
	return errNoWindow
}

type xWindows struct {
	conn *xgb.Conn
	root xproto.Window
}

func (x xWindows) atom(name string) (xproto.Atom, error) {
	reply, err := xproto.InternAtom(x.conn, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return reply.Atom, nil
}

// property is a window's property, as many bytes as windows have titles or screens have windows.
func (x xWindows) property(w xproto.Window, name string) ([]byte, error) {
	atom, err := x.atom(name)
	if err != nil {
		return nil, err
	}
	reply, err := xproto.GetProperty(x.conn, false, w, atom, xproto.GetPropertyTypeAny, 0, 4096).Reply()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return reply.Value, nil
}

// activate asks the window manager as a pager would: an application's own wish may be refused while somebody types elsewhere.
func (x xWindows) activate(w xproto.Window) error {
	atom, err := x.atom("_NET_ACTIVE_WINDOW")
	if err != nil {
		return err
	}
	const pager = 2
	event := xproto.ClientMessageEvent{Format: 32, Window: w, Type: atom, Data: xproto.ClientMessageDataUnionData32New([]uint32{pager, xproto.TimeCurrentTime, 0, 0, 0})}
	return xproto.SendEventChecked(x.conn, false, x.root, xproto.EventMaskSubstructureNotify|xproto.EventMaskSubstructureRedirect, string(event.Bytes())).Check()
}
