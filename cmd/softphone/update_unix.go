//go:build unix

package main

import (
	"errors"
	"syscall"
)

func noSpace(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// blocked never happens: whatever takes a file away here leaves no error of its own.
func blocked(error) bool { return false }

// denied: a file stands where the folder should be, or the file system takes nothing.
func denied(err error) bool { return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOTDIR) }
