package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// openKeyboard connects to the desktop's portal or to the X server of this login. Under Wayland an X server is there too, but it hears
// only the keys of its own programs.
func openKeyboard() (keyboard, error) {
	switch {
	case os.Getenv("WAYLAND_DISPLAY") != "" || os.Getenv("XDG_SESSION_TYPE") == "wayland":
		p, err := openPortal()
		if err != nil {
			return nil, err // and not a keyboard that is a nil portal
		}
		return p, nil
	case os.Getenv("DISPLAY") == "":
		return nil, errors.New("no display")
	}
	xgb.Logger.SetOutput(io.Discard) // the library's own; what goes wrong it also returns
	conn, err := xgb.NewConn()
	if err != nil {
		return nil, fmt.Errorf("the X server: %w", err)
	}
	x := &xKeys{conn: conn, root: xproto.Setup(conn).DefaultScreen(conn).Root, took: map[string]xKey{}, up: map[xproto.Keycode]xproto.Timestamp{},
		out: make(chan string, 16)}
	if err := x.learn(); err != nil {
		conn.Close()
		return nil, fmt.Errorf("the X server: %w", err)
	}
	x.wait.Go(x.listen)
	return x, nil
}

// xKeys are keys grabbed on the root window (X protocol, GrabKey).
type xKeys struct {
	conn *xgb.Conn
	root xproto.Window
	out  chan string
	wait sync.WaitGroup

	mu   sync.Mutex
	num  uint16                              // the modifier that NumLock is
	syms []xproto.Keysym                     // of all keys, width for each
	base xproto.Keycode                      // the first key
	wide int                                 //
	took map[string]xKey                     // by name
	up   map[xproto.Keycode]xproto.Timestamp // when each key was let go last
}

type xKey struct {
	chord string
	mods  uint16
	codes []xproto.Keycode
}

// chordMods are the modifiers that a chord can have; Caps Lock and NumLock may be on or not.
const chordMods = xproto.ModMaskShift | xproto.ModMaskControl | xproto.ModMask1 | xproto.ModMask4

// learn reads which key has which symbol.
func (x *xKeys) learn() error {
	setup := xproto.Setup(x.conn)
	m, err := xproto.GetKeyboardMapping(x.conn, setup.MinKeycode, byte(setup.MaxKeycode-setup.MinKeycode+1)).Reply()
	if err != nil {
		return err
	}
	x.base, x.wide, x.syms = setup.MinKeycode, int(m.KeysymsPerKeycode), m.Keysyms
	mods, err := xproto.GetModifierMapping(x.conn).Reply()
	if err != nil {
		return err
	}
	const numLock = 0xff7f
	x.num = xproto.ModMask2
	for i, code := range mods.Keycodes {
		if code != 0 && slices.Contains(x.of(code), numLock) {
			x.num = 1 << (i / int(mods.KeycodesPerModifier))
		}
	}
	return nil
}

// of are the symbols of a key.
func (x *xKeys) of(code xproto.Keycode) []xproto.Keysym {
	at := int(code-x.base) * x.wide
	return x.syms[at : at+x.wide]
}

// codes are the keys with that symbol: without Shift, or on keyboards that have it nowhere there, in any way.
func (x *xKeys) codes(sym xproto.Keysym) (plain []xproto.Keycode) {
	var all []xproto.Keycode
	for i := range len(x.syms) / x.wide {
		code := x.base + xproto.Keycode(i)
		if x.of(code)[0] == sym {
			plain = append(plain, code)
		}
		if slices.Contains(x.of(code), sym) {
			all = append(all, code)
		}
	}
	if len(plain) == 0 {
		return all
	}
	return plain
}

func (x *xKeys) take(name, chord string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.giveLocked(name)
	if chord == "" {
		return nil
	}
	return x.takeLocked(name, chord)
}

func (x *xKeys) takeLocked(name, chord string) error {
	sym, mods := xChord(chord)
	key := xKey{chord: chord, mods: mods, codes: x.codes(sym)}
	if len(key.codes) == 0 {
		return fmt.Errorf("this keyboard has no key for %s", chord)
	}
	x.took[name] = key
	var grabs []xproto.GrabKeyCookie
	for _, code := range key.codes {
		for _, locks := range x.locks() {
			grabs = append(grabs, xproto.GrabKeyChecked(x.conn, true, x.root, mods|locks, code, xproto.GrabModeAsync, xproto.GrabModeAsync))
		}
	}
	var failed error
	for _, g := range grabs {
		if err := g.Check(); err != nil {
			failed = err
		}
	}
	if failed == nil {
		return nil
	}
	x.giveLocked(name)
	var access xproto.AccessError
	if errors.As(failed, &access) {
		return errTaken
	}
	return fmt.Errorf("the X server: %w", failed)
}

// giveLocked gives back what that name had. Then another program can have it at once.
func (x *xKeys) giveLocked(name string) {
	key := x.took[name]
	delete(x.took, name)
	var all []xproto.UngrabKeyCookie
	for _, code := range key.codes {
		for _, locks := range x.locks() {
			all = append(all, xproto.UngrabKeyChecked(x.conn, code, x.root, key.mods|locks))
		}
	}
	for _, u := range all {
		_ = u.Check() // what was not grabbed is free
	}
}

// locks are the states that Caps Lock and NumLock can be in: to the X server each is a key of its own.
func (x *xKeys) locks() []uint16 {
	return []uint16{0, xproto.ModMaskLock, x.num, xproto.ModMaskLock | x.num}
}

func (x *xKeys) pressed() <-chan string { return x.out }

func (x *xKeys) close() {
	x.conn.Close()
	for range x.out { // until listen has ended
	}
	x.wait.Wait()
}

func (x *xKeys) listen() {
	defer close(x.out)
	for {
		event, err := x.conn.WaitForEvent()
		if event == nil && err == nil {
			return
		}
		switch e := event.(type) {
		case xproto.KeyPressEvent:
			if name := x.down(e); name != "" {
				x.out <- name
			}
		case xproto.KeyReleaseEvent:
			x.mu.Lock()
			x.up[e.Detail] = e.Time
			x.mu.Unlock()
		case xproto.MappingNotifyEvent:
			x.again()
		}
	}
}

// down is the name whose key went down. While a key is held the server lets it go and presses it again at the same moment, over and
// over; those are not meant.
func (x *xKeys) down(e xproto.KeyPressEvent) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if at, known := x.up[e.Detail]; known && at == e.Time {
		return ""
	}
	for name, key := range x.took {
		if slices.Contains(key.codes, e.Detail) && e.State&chordMods == key.mods {
			return name
		}
	}
	return ""
}

// again takes all keys anew when the layout of the keyboard has changed. A keyboard that is plugged in brings the same layout, mostly:
// then nothing is let go, not even for a moment.
func (x *xKeys) again() {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := &xKeys{conn: x.conn}
	if now.learn() != nil {
		return // the connection is gone, and listen ends
	}
	if now.num == x.num && slices.Equal(now.syms, x.syms) {
		return
	}
	was := map[string]string{}
	for name, key := range x.took {
		was[name] = key.chord
		x.giveLocked(name)
	}
	x.num, x.base, x.wide, x.syms = now.num, now.base, now.wide, now.syms
	for name, chord := range was {
		_ = x.takeLocked(name, chord) // a key that the new layout lacks is back with the next
	}
}

// xChord is a chord as the server knows it (keysymdef.h, XF86keysym.h).
func xChord(chord string) (sym xproto.Keysym, mods uint16) {
	parts := strings.Split(chord, "+")
	for _, m := range parts[:len(parts)-1] {
		mods |= map[string]uint16{"Ctrl": xproto.ModMaskControl, "Alt": xproto.ModMask1, "Shift": xproto.ModMaskShift, "Super": xproto.ModMask4}[m]
	}
	key := parts[len(parts)-1]
	named := map[string]xproto.Keysym{"Space": 0x20, "Pause": 0xff13, "Insert": 0xff63, "Home": 0xff50, "End": 0xff57, "PageUp": 0xff55,
		"PageDown": 0xff56, "Left": 0xff51, "Up": 0xff52, "Right": 0xff53, "Down": 0xff54, "MediaPlayPause": 0x1008ff14, "MediaStop": 0x1008ff15}
	var n int
	switch {
	case len(key) == 1:
		return xproto.Keysym(strings.ToLower(key)[0]), mods
	case named[key] != 0:
		return named[key], mods
	}
	if _, err := fmt.Sscanf(key, "F%d", &n); err == nil {
		return xproto.Keysym(0xffbe + n - 1), mods
	}
	return 0, mods
}
