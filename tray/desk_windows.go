package tray

import (
	"context"
	"errors"
	"log/slog"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// desk is the desktop session.
type desk struct{}

func openDesk(context.Context) (*desk, error) { return &desk{}, nil }

func (*desk) close() {}

// lost never happens: the system ends us with the session.
func (*desk) lost() <-chan struct{} { return nil }

// notify has no way to the person on this system yet; page, icon and ring tell of a call.
func (*desk) notify(context.Context, note) (uint32, error) {
	return 0, errors.New("not made for this system yet")
}

func (*desk) withdraw(context.Context, uint32) {}

type deskNews struct{}

func (*desk) news() <-chan deskNews { return nil }

func readNews(deskNews) (id uint32, key string, ok bool) { return 0, "", false }

// taskbarWait is how long we wait at login for the taskbar: the library takes its absence for good.
const taskbarWait = time.Minute

// noIcon waits for the taskbar and says why there can be no icon, or "".
func (*desk) noIcon(ctx context.Context, log *slog.Logger) string {
	class, err := windows.UTF16PtrFromString("Shell_TrayWnd")
	if err != nil {
		return err.Error()
	}
	find := windows.NewLazySystemDLL("user32.dll").NewProc("FindWindowW")
	ctx, stop := context.WithTimeout(ctx, taskbarWait)
	defer stop()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if window, _, _ := find.Call(uintptr(unsafe.Pointer(class)), 0); window != 0 {
			return ""
		}
		select {
		case <-ctx.Done():
			return "no taskbar"
		case <-tick.C:
		}
	}
}
