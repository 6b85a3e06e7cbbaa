package tray

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"
)

// desk is the desktop session.
type desk struct{}

func openDesk(context.Context) (*desk, error) { return &desk{}, nil }

func (*desk) close() {}

// lost never happens: the system ends us with the session.
func (*desk) lost() <-chan struct{} { return nil }

// noteScript shows a note whose words are arguments: they are never part of the script.
const noteScript = `on run argv
	display notification (item 2 of argv) with title (item 1 of argv)
end run
`

// notify shows a note without buttons: those want an application's bundle and its signature. Icon, keys and page answer a call.
func (*desk) notify(ctx context.Context, n note) (uint32, error) {
	ctx, stop := context.WithTimeout(ctx, noteWait)
	defer stop()
	command := commandOfMac(n)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = strings.NewReader(noteScript)
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("osascript: %w", err)
	}
	return 0, nil // it has no number: nobody can take it away again
}

// noteWait is how long macOS may take to show a note.
const noteWait = 5 * time.Second

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
