// Package tray is the face at the edge of the screen: icon, menu, notifications and the native ring.
//
// It asks with a wire.Command and shows the newest wire.Snapshot; it keeps nothing of its own but what is on the screen.
package tray

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"zaseki/static"
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
	Lang  string // "en" or "ja": the system's, where the settings choose none
	// Open opens a page in the browser: "" is the phone, "seats" the seat view. It must return at once.
	Open func(view string)
	// Noticed says whether this person was told before that closing the page ends nothing (PRODUCT C3), and remembers
	// that now they are. Nil: they are told once in the life of this process.
	Noticed func() bool
	// Rings is told what this machine can ring on, and every change of it; nil: nobody wants to know.
	Rings func(names []string)
	Off   bool // no icon, by the person's wish; notifications and ring stay
	Log   *slog.Logger
}

// lang is the language of everything that is shown.
func (cfg Config) lang(s wire.Snapshot) string {
	if chosen := s.Settings.Text(wire.SetLang); chosen == "en" || chosen == "ja" {
		return chosen
	}
	return cfg.Lang
}

// Run shows the tray until ctx ends. It must be called on the main goroutine, and once in the life of a process.
// Where no icon is possible it says why in one line of the log; notifications and ring work as far as they can.
//
// When the desktop session ends under us (its bus is gone, and the icon with it), Run asks the agent to exit: a phone
// that nobody sees must not stay ready for calls.
func Run(ctx context.Context, cfg Config) error {
	desk, err := openDesk(ctx)
	if err != nil {
		cfg.Log.Info("no desktop session: no notifications", "err", err)
	}
	defer desk.close()

	g, ctx := errgroup.WithContext(ctx)
	picked := make(chan string, 1)
	g.Go(func() error { return (&herald{cfg: cfg, desk: desk, picked: picked}).run(ctx) })
	g.Go(func() error { return (&ringer{cfg: cfg, play: playTone}).run(ctx) })
	if cfg.Rings != nil {
		g.Go(func() error { watchRings(ctx, cfg.Rings); return nil })
	}
	g.Go(func() error { return watchDesk(ctx, cfg, desk) })
	switch reason := noIcon(ctx, cfg, desk, err); {
	case ctx.Err() != nil:
	case reason != "":
		cfg.Log.Info(static.Say("en", "tray.none", map[string]string{"reason": reason}))
	default:
		showIcon(ctx, cfg, picked)
	}
	<-ctx.Done()
	return g.Wait()
}

// noIcon says why there can be no icon, or "".
func noIcon(ctx context.Context, cfg Config, desk *desk, err error) string {
	switch {
	case cfg.Off:
		return "switched off"
	case err != nil:
		return err.Error()
	}
	return desk.noIcon(ctx, cfg.Log)
}

// watchDesk asks the agent to exit when the desktop session ends.
func watchDesk(ctx context.Context, cfg Config, desk *desk) error {
	select {
	case <-ctx.Done():
	case <-desk.lost():
		cfg.Log.Warn("the desktop session is gone: signing out and exiting")
		cfg.Agent.Post(wire.Exit{Sure: true})
	}
	return nil
}
