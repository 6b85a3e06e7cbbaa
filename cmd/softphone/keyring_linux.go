package main

import (
	"slices"

	"github.com/godbus/dbus/v5"
)

// haveKeyring says whether the desktop has a keyring (Secret Service). It never starts a session bus, which would have none on it.
func haveKeyring() bool {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return false
	}
	defer conn.Close()
	if conn.Auth(nil) != nil || conn.Hello() != nil {
		return false
	}
	for _, list := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		if conn.BusObject().Call("org.freedesktop.DBus."+list, 0).Store(&names) == nil && slices.Contains(names, "org.freedesktop.secrets") {
			return true
		}
	}
	return false
}
