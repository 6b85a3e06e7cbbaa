package main

import "path/filepath"

// file is the entry that desktops start at login (Desktop Application Autostart Specification).
func (a autostart) file() (string, error) {
	dir, err := configHome()
	return filepath.Join(dir, "autostart", a.id+".desktop"), err
}

func (a autostart) on() error {
	file, err := a.file()
	if err != nil {
		return err
	}
	if keyOf(file, "Hidden") == "true" || keyOf(file, "X-GNOME-Autostart-enabled") == "false" {
		return errSwitchedOff
	}
	command, err := a.command()
	if err != nil {
		return err
	}
	return putFile(file, desktopEntry(execLine(command, ""), "X-GNOME-Autostart-enabled=true"))
}

func (a autostart) off() error {
	file, err := a.file()
	if err != nil {
		return err
	}
	return dropFile(file)
}
