//go:build !linux

package main

import (
	"context"
	"errors"
)

// pagesGroup needs a desktop of its own and Linux's /proc.
func pagesGroup(context.Context, lab) error { return errors.New("pages are measured on Linux") }
