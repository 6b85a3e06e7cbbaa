// Package tray is the face at the edge of the screen: icon, menu, notifications and the native ring.
//
// It asks with a wire.Command and shows the newest wire.Snapshot; it keeps nothing of its own but what is on the screen.
package tray

import (
	"context"
	"log/slog"

	"zaseki/web/wire"
)

// Agent is all that the tray knows of the agent.
type Agent interface {
	Post(wire.Command)
	// Watch gives the present snapshot and then newer ones, conflated, until the function is called.
	Watch() (<-chan wire.Snapshot, func())
}

// Config is what the tray needs to work.
type Config struct {
	Agent Agent
	Lang  string // "en" or "ja"
	// Open opens a page in the browser: "" is the phone, "seats" the seat view. It must return at once.
	Open func(view string)
	// Noticed says whether this person was told before that closing the page ends nothing (PRODUCT C3), and remembers
	// that now they are. Nil: they are told once in the life of this process.
	Noticed func() bool
	Off     bool // no icon, by the person's wish; notifications and ring stay
	Log     *slog.Logger
}

// Run shows the tray until ctx ends. It must be called on the main goroutine, and once in the life of a process.
// Where no icon is possible it says why in one line of the log; notifications and ring work as far as they can.
func Run(ctx context.Context, cfg Config) error {
	<-ctx.Done()
	return nil
}
