package main

import (
	"errors"
	"os/exec"

	"golang.org/x/sys/windows"
)

func noSpace(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL) || errors.Is(err, windows.ERROR_DISK_QUOTA_EXCEEDED)
}

// blocked: security software holds the file, or has found something in it.
func blocked(err error) bool {
	return errors.Is(err, windows.ERROR_VIRUS_INFECTED) || errors.Is(err, windows.ERROR_VIRUS_DELETED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION)
}

// denied: the medium takes nothing.
func denied(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// reveal opens the folder of the file, with the file chosen. Explorer's exit status says nothing.
func reveal(file string) error {
	cmd := exec.Command("explorer")
	cmd.SysProcAttr = &windows.SysProcAttr{CmdLine: `explorer /select,"` + file + `"`}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	return nil
}
