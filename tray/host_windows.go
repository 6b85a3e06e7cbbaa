package tray

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// hostLoop runs the tray's loop on a thread of its own. When Windows does not take the icon the library neither gets ready
// nor comes back from quitting, so after a while the loop is left to itself: it holds nothing, and the process goes on.
func hostLoop(ctx context.Context, ready <-chan struct{}, loop func() error) error {
	const readyWait, quitWait = 10 * time.Second, 2 * time.Second
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- loop()
	}()
	late := time.NewTimer(readyWait)
	defer late.Stop()
	select {
	case err := <-done:
		return err
	case <-late.C:
		return errors.New("Windows did not take the icon")
	case <-ctx.Done():
	case <-ready:
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		}
	}
	select {
	case err := <-done:
		return err
	case <-time.After(quitWait):
		return errors.New("Windows did not let go of the icon")
	}
}
