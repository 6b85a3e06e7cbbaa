package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"zaseki/tray/agent"
	"zaseki/web/wire"
)

// TestNearItsMemoryLimitAPhoneRefusesWorkAndOverItEndsInWords (reliability (E17)).
func TestNearItsMemoryLimitAPhoneRefusesWorkAndOverItEndsInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var used, freed atomic.Int64
		var mu sync.Mutex
		var told []agent.Event
		heard := func() []agent.Event {
			mu.Lock()
			defer mu.Unlock()
			all := told
			told = nil
			return all
		}
		used.Store(50)
		g := memoryGuard{limit: 100, used: used.Load, free: func() { freed.Add(1) }, log: quiet, tell: func(e agent.Event) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, e)
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- g.run(ctx) }()
		at := func(mebibytes int64, want ...agent.Event) {
			t.Helper()
			used.Store(mebibytes)
			time.Sleep(3 * memoryEvery)
			synctest.Wait()
			if got := heard(); !slices.Equal(got, want) {
				t.Errorf("at %d of 100: %v", mebibytes, got)
			}
		}
		at(89)
		at(91, agent.MemoryScarce{On: true})
		if freed.Load() == 0 {
			t.Error("nothing was given back")
		}
		at(85) // not yet
		at(79, agent.MemoryScarce{})
		at(110, agent.MemoryScarce{On: true})
		at(95) // the collector has caught up
		used.Store(110)
		time.Sleep((memoryLooks + 1) * memoryEvery)
		synctest.Wait()
		if got := heard(); !slices.Equal(got, []agent.Event{wire.Exit{Sure: true}}) {
			t.Errorf("over the limit: %v", got)
		}
		cancel()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "memory") {
			t.Error(err)
		}
		if err := (memoryGuard{}).run(t.Context()); err != nil {
			t.Error("without a limit:", err)
		}
	})
}
