package tray

import (
	"context"
	"errors"
	"log/slog"
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

// noIcon says why there can be no icon, or "".
func (*desk) noIcon(context.Context, *slog.Logger) string {
	if withoutCgo {
		return "built without cgo, which the menu bar of macOS needs"
	}
	return ""
}
