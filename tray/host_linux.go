package tray

import "context"

// hostLoop runs the tray's loop on this goroutine.
func hostLoop(_ context.Context, _ <-chan struct{}, loop func() error) error { return loop() }
