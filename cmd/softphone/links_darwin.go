package main

import (
	"context"
	"errors"
)

// set has nothing to do: macOS reads from the application's Info.plist what it opens.
func (l links) set([]string) error { return nil }

func (l links) check(context.Context, string) error {
	return errors.New("on macOS links are chosen by the application's bundle")
}
