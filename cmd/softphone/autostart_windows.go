package main

import (
	"errors"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

const (
	runKey      = `Software\Microsoft\Windows\CurrentVersion\Run`
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run` // what the Task Manager writes
)

func (a autostart) on() error {
	if approved, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE); err == nil {
		defer approved.Close()
		if state, _, err := approved.GetBinaryValue(a.id); err == nil && len(state) > 0 && state[0]&1 == 1 {
			return errSwitchedOff
		}
	}
	command, err := a.command()
	if err != nil {
		return err
	}
	run, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer run.Close()
	return run.SetStringValue(a.id, windows.ComposeCommandLine(command))
}

func (a autostart) off() error {
	for _, key := range []string{approvedKey, runKey} {
		k, err := registry.OpenKey(registry.CURRENT_USER, key, registry.SET_VALUE)
		if err == nil {
			err = k.DeleteValue(a.id)
			_ = k.Close()
		}
		if err != nil && !errors.Is(err, registry.ErrNotExist) {
			return err
		}
	}
	return nil
}
