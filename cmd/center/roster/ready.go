package roster

import (
	"context"
	"slices"
)

// What an agent is not ready for a call for (PRODUCT G1), as the seat view shows it. A phone names more of its own, see wire.LineReport.
const (
	missingHeartbeat = "heartbeat" // the phone's connection does not answer
	missingLine      = "line"      // its terminal is not registered
)

// missingMost bounds what a phone may name.
const missingMost = 8

// missingLocked is why no call comes to the agent though the status would take one; empty: the phone is ready. Its connection is
// proven by the websocket's pings: one that is silent for Timing.Silent is closed. Of what rings on a desk it is enough that it is
// registered.
func (r *Roster) missingLocked(a Agent) []string {
	l := r.links[a.Account]
	switch {
	case a.Session == nil:
		return nil
	case a.Conn != connUp:
		return []string{missingHeartbeat}
	case l == nil && a.Session.Node != r.cfg.Node:
		return r.missingElsewhereLocked(a)
	case l == nil || l.session != a.Session.ID:
		return []string{missingHeartbeat}
	case r.soft(a):
		return l.lacks()
	case r.cfg.Registered != nil && r.view.site.v.SIP.Server == "" && !r.cfg.Registered(a.Terminal):
		return []string{missingLine}
	}
	return nil
}

func (r *Roster) soft(a Agent) bool { return r.view.terminals[a.Terminal].v.wire().Soft() }

// missingElsewhereLocked is the same of an agent whose phone is connected to another node, by what that node has written down.
func (r *Roster) missingElsewhereLocked(a Agent) []string {
	if _, lost := r.lostLocked(a.Session.Node); lost {
		return []string{missingHeartbeat}
	}
	if r.soft(a) {
		return a.Lacks
	}
	return nil
}

// tellNodes writes down for the other nodes what the phone lacks: the one that serves the telephones asks for it.
func (r *Roster) tellNodes(ctx context.Context, l *link) error {
	if r.cfg.Node == soloNode {
		return nil
	}
	lacks := l.lacks()
	return r.change(ctx, l.account, func(d *draft) error {
		a := d.agents[l.account].v
		if a.Session == nil || a.Session.ID != l.session || slices.Equal(a.Lacks, lacks) {
			return nil
		}
		d.agent(l.account, "readiness").Lacks = lacks
		return nil
	})
}

// lacks is what the phone has not proven of itself. One of an earlier version says nothing but whether it is registered.
func (l *link) lacks() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.line {
		return append([]string{missingLine}, l.missing...)
	}
	return l.missing
}

// tidy is what a phone names, as far as it can be shown.
func tidy(missing []string) (kept []string) {
	for _, m := range missing {
		if statusID.MatchString(m) && len(kept) < missingMost && !slices.Contains(kept, m) {
			kept = append(kept, m)
		}
	}
	return kept
}

// lineSaid takes over what the phone says of its line; the seat view shows what has changed.
func (r *Roster) lineSaid(l *link, registered bool, missing []string) {
	kept := tidy(missing)
	r.mu.Lock()
	before := l.lacks()
	l.mu.Lock()
	l.line, l.missing = registered, kept
	l.mu.Unlock()
	changed := !slices.Equal(before, l.lacks())
	if changed {
		r.readinessLocked(l.account)
	}
	r.wakeLocked(l.account)
	r.mu.Unlock()
}
