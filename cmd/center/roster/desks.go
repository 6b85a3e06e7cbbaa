package roster

import (
	"context"
	"time"
)

// deskLook is how often it is looked whether the desk phones that people are signed in with are registered: no phone of ours says so.
const deskLook = time.Second

// watchDesks shows in the seat view, and tells the waiting callers, when a desk phone comes or goes.
func (r *Roster) watchDesks(ctx context.Context) error {
	if r.cfg.Registered == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	tick := time.NewTicker(deskLook)
	defer tick.Stop()
	var known map[string]bool
	for {
		now := r.desks()
		r.mu.Lock()
		for account, there := range now {
			if before, ok := known[account]; !ok || before != there {
				r.readinessLocked(account)
				r.wakeLocked(account)
			}
		}
		r.mu.Unlock()
		known = now
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// desks are the people who are signed in with what is no softphone, and whether it is registered.
func (r *Roster) desks() map[string]bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := map[string]bool{}
	for account, a := range r.view.agents {
		if a.v.Session != nil && a.v.Terminal != "" && !r.soft(a.v) {
			now[account] = r.cfg.Registered(a.v.Terminal)
		}
	}
	return now
}
