package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	gauge "runtime/metrics"
	"time"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

const (
	memoryEvery  = time.Second
	memoryScarce = 0.90            // of the limit in use: no new calls
	memoryFree   = 0.80            // again
	memoryOver   = 1.02            // the collector could not keep it below the limit
	memoryLooks  = 5               // in a row, until the phone gives up
	memoryLeave  = 6 * time.Second // for hanging up, and signing out
	cgroupShare  = 0.90            // of what the system allows, since not all of a process is the runtime's
)

// limitMemory tells the runtime how much memory the system allows, unless GOMEMLIMIT says it: its collector then works harder before it
// is too late. It gives the limit in bytes; 0: there is none.
func limitMemory(root string, log *slog.Logger) int64 {
	limit := debug.SetMemoryLimit(-1)
	if allowed := memoryAllowed(root); limit == math.MaxInt64 && allowed > 0 {
		limit = int64(float64(allowed) * cgroupShare)
		debug.SetMemoryLimit(limit)
	}
	if limit == math.MaxInt64 {
		return 0
	}
	log.Info("memory is limited", "mebibytes", limit>>20)
	return limit
}

// memoryUsed is what the runtime has of the system now, in bytes.
func memoryUsed() int64 {
	s := []gauge.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	gauge.Read(s)
	return int64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// memoryGuard keeps a phone from being killed by the system for its memory: near the limit it takes no new calls, says so and lets go
// what it can; over it, it hangs up and ends in words. A call that is up goes on as long as there is any way.
type memoryGuard struct {
	limit int64
	used  func() int64
	free  func() // gives back what is not in use
	tell  func(agent.Event)
	log   *slog.Logger
}

// run looks until ctx ends; there is an error when the limit is reached for good.
func (g memoryGuard) run(ctx context.Context) error {
	if g.limit == 0 {
		return nil
	}
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for scarce, over := false, 0; over < memoryLooks; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		part := g.part()
		if part >= memoryScarce {
			g.free()
			part = g.part()
		}
		if now := part >= memoryScarce || scarce && part >= memoryFree; now != scarce {
			scarce = now
			g.log.Warn("memory", "scarce", scarce, "mebibytes", g.used()>>20, "limit", g.limit>>20)
			g.tell(agent.MemoryScarce{On: scarce})
		}
		if over++; part < memoryOver {
			over = 0
		}
	}
	return g.leave(ctx)
}

func (g memoryGuard) part() float64 { return float64(g.used()) / float64(g.limit) }

// leave ends the phone as a person would, and pulls the plug if that takes too long.
func (g memoryGuard) leave(ctx context.Context) error {
	err := fmt.Errorf("it needs more memory than the %d MiB that it may use: give it more (GOMEMLIMIT, or the limit of its container)", g.limit>>20)
	g.log.Error("the memory limit is reached: the phone ends", "mebibytes", g.used()>>20, "limit", g.limit>>20)
	g.tell(wire.Exit{Sure: true})
	select {
	case <-ctx.Done():
	case <-time.After(memoryLeave):
	}
	return err
}
