package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

var errNoWindow = errors.New("no window shows it")

// raiseWindow brings the front-most window with such a title to the front. Windows may flash its button in the task bar instead, while
// somebody types in another program (SetForegroundWindow).
func raiseWindow(ours func(title string) bool) error {
	dll := windows.NewLazySystemDLL("user32.dll")
	text, visible, iconic := dll.NewProc("GetWindowTextW"), dll.NewProc("IsWindowVisible"), dll.NewProc("IsIconic")
	const most, restore = 512, 9
	var found uintptr
	each := windows.NewCallback(func(window, _ uintptr) uintptr {
		var title [most]uint16
		if on, _, _ := visible.Call(window); on == 0 {
			return 1
		}
		text.Call(window, uintptr(unsafe.Pointer(&title[0])), most)
		if !ours(windows.UTF16ToString(title[:])) {
			return 1
		}
		found = window
		return 0 // no further
	})
	dll.NewProc("EnumWindows").Call(each, 0)
	if found == 0 {
		return errNoWindow
	}
	if small, _, _ := iconic.Call(found); small != 0 {
		dll.NewProc("ShowWindow").Call(found, restore)
	}
	if ok, _, err := dll.NewProc("SetForegroundWindow").Call(found); ok == 0 {
		return err
	}
	return nil
}
