package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// winKeys are hot keys of one thread with a loop of messages of its own: Windows gives them to the thread that asked.
type winKeys struct {
	thread uint32
	work   chan func() // for that thread
	ended  chan struct{}
	out    chan string
	names  []string // by number of the key
}

const (
	wmHotkey, wmApp, wmQuit = 0x0312, 0x8000, 0x0012
	errAlreadyRegistered    = windows.Errno(1409)
)

type winMessage struct {
	window         uintptr
	message        uint32
	wparam, lparam uintptr
	time           uint32
	x, y           int32
	private        uint32
}

type winUser struct{ register, unregister, get, peek, post *windows.LazyProc }

func user32() winUser {
	dll := windows.NewLazySystemDLL("user32.dll")
	return winUser{dll.NewProc("RegisterHotKey"), dll.NewProc("UnregisterHotKey"), dll.NewProc("GetMessageW"), dll.NewProc("PeekMessageW"),
		dll.NewProc("PostThreadMessageW")}
}

func openKeyboard() (keyboard, error) {
	k := &winKeys{work: make(chan func(), 1), ended: make(chan struct{}), out: make(chan string, 16)}
	ready := make(chan struct{})
	go k.loop(ready)
	<-ready
	return k, nil
}

// loop is the thread.
func (k *winKeys) loop(ready chan<- struct{}) {
	runtime.LockOSThread() // never unlocked: the thread ends with its keys
	defer close(k.ended)
	defer close(k.out)
	user, m := user32(), winMessage{}
	_, _, _ = user.peek.Call(uintptr(unsafe.Pointer(&m)), 0, 0, 0, 0) // makes the queue
	k.thread = windows.GetCurrentThreadId()
	close(ready)
	for {
		got, _, _ := user.get.Call(uintptr(unsafe.Pointer(&m)), 0, 0, 0)
		switch {
		case int32(got) <= 0: // WM_QUIT, or no queue
			return
		case m.message == wmApp:
			(<-k.work)()
		case m.message == wmHotkey && int(m.wparam) < len(k.names) && k.names[m.wparam] != "":
			k.out <- k.names[m.wparam]
		}
	}
}

// on runs it on the thread.
func (k *winKeys) on(do func() error) error {
	done := make(chan error, 1)
	select {
	case k.work <- func() { done <- do() }:
	case <-k.ended:
		return errors.New("Windows ended the thread of the keys")
	}
	_, _, _ = user32().post.Call(uintptr(k.thread), wmApp, 0, 0)
	select {
	case err := <-done:
		return err
	case <-k.ended:
		return errors.New("Windows ended the thread of the keys")
	}
}

func (k *winKeys) take(name, chord string) error {
	return k.on(func() error {
		user := user32()
		for id, n := range k.names {
			if n == name {
				_, _, _ = user.unregister.Call(0, uintptr(id))
				k.names[id] = ""
			}
		}
		if chord == "" {
			return nil
		}
		key, mods := winChord(chord)
		if key == 0 {
			return fmt.Errorf("Windows has no key for %s", chord)
		}
		const noRepeat = 0x4000
		if ok, _, err := user.register.Call(0, uintptr(len(k.names)), mods|noRepeat, key); ok == 0 {
			if errors.Is(err, errAlreadyRegistered) {
				return errTaken
			}
			return fmt.Errorf("RegisterHotKey: %w", err)
		}
		k.names = append(k.names, name)
		return nil
	})
}

func (k *winKeys) pressed() <-chan string { return k.out }

func (k *winKeys) close() {
	_, _, _ = user32().post.Call(uintptr(k.thread), wmQuit, 0, 0)
	for range k.out { // until the thread has ended
	}
	<-k.ended
}

// winChord is a chord as Windows knows it (winuser.h, virtual key codes).
func winChord(chord string) (key, mods uintptr) {
	parts := strings.Split(chord, "+")
	for _, m := range parts[:len(parts)-1] {
		mods |= map[string]uintptr{"Alt": 1, "Ctrl": 2, "Shift": 4, "Super": 8}[m]
	}
	name := parts[len(parts)-1]
	named := map[string]uintptr{"Space": 0x20, "Pause": 0x13, "Insert": 0x2d, "Home": 0x24, "End": 0x23, "PageUp": 0x21, "PageDown": 0x22,
		"Left": 0x25, "Up": 0x26, "Right": 0x27, "Down": 0x28, "MediaPlayPause": 0xb3, "MediaStop": 0xb2}
	if key, ok := named[name]; ok {
		return key, mods
	}
	if len(name) == 1 {
		return uintptr(name[0]), mods // letters and digits are their own codes
	}
	var n int
	if _, err := fmt.Sscanf(name, "F%d", &n); err == nil {
		return uintptr(0x70 + n - 1), mods
	}
	return 0, mods
}
