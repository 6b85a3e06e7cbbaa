//go:build !(linux && amd64)

// Package clocktest steps the wall clock of a running process, for tests.
package clocktest

import (
	"errors"
	"time"
)

// Step cannot be done here.
func Step(pid int, by time.Duration) error {
	return errors.New("the wall clock of a process can be stepped on Linux on amd64 only")
}
