package tray

import "context"

// hostLoop runs the tray's loop on this goroutine, which must be the main one: Cocoa wants it.
func hostLoop(_ context.Context, _ <-chan struct{}, loop func() error) error { return loop() }
