package ledger

import (
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	listenEvery = 200 * time.Millisecond
	// heardLately is how long ago a leader heard a copy that is well: each answers several times a second.
	heardLately = time.Second
	// unheard is how long a leader hears nothing of a copy that it is connected with before it lets another lead; earlier than that copy
	// would want to lead itself.
	unheard = ownMinElection - 600*time.Millisecond
	// gone is the same for one that it is not connected with: it may be dead.
	gone = 4 * time.Second
)

// listen does for the log and for the leases what stepAside says, while this member leads them.
func (l *Ledger) listen(ctx context.Context) {
	e := l.at.Load()
	if e.server == nil || l.cfg.Cluster == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	e.mu.Lock()
	leases := e.leases
	e.mu.Unlock()
	for name, s := range map[string]jetstream.Stream{streamName: e.stream, leaseStream: leases} {
		if s == nil || !e.server.JetStreamIsStreamLeader("$G", name) {
			continue
		}
		if info, err := s.Info(ctx); err == nil && info.Cluster != nil {
			l.stepAside(ctx, name, info.Cluster)
		}
	}
}

// stepAside hands what this member leads to one that it hears, when it does not hear another: perhaps only the way between the two is
// broken. The one that does not hear us would have itself elected over and over, and neither would lead for long; a
// leader that both hear ends that. It is done once for each silence: a member that is dead is silent to everybody.
func (l *Ledger) stepAside(ctx context.Context, stream string, c *jetstream.ClusterInfo) {
	e := l.at.Load()
	heir, silent := "", []string{}
	for _, p := range c.Replicas {
		key := stream + " " + p.Name
		switch {
		case p.Active == 0: // it had no occasion yet
		case p.Active < heardLately:
			delete(l.aside, key)
			if p.Current {
				heir = p.Name
			}
		case p.Active > gone || p.Active > unheard && e.connected(p.Name):
			silent = append(silent, key)
		}
	}
	if heir == "" || l.leftAside(silent) {
		return
	}
	ask, err := json.Marshal(server.JSApiLeaderStepdownRequest{Placement: &server.Placement{Preferred: heir}})
	if err == nil {
		_, err = e.conn.RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream, ask)
	}
	l.log.Info("let a member lead that hears the others, perhaps", "stream", stream, "node", heir, "err", err)
}

// leftAside says whether another leads already for the sake of all that are silent, and notes them.
func (l *Ledger) leftAside(silent []string) bool {
	known := true
	for _, key := range silent {
		known = known && l.aside[key]
		if l.aside == nil {
			l.aside = map[string]bool{}
		}
		l.aside[key] = true
	}
	return known
}

// connected says whether there is a connection to another member, be it one that carries nothing.
func (e *engine) connected(name string) bool {
	all, err := e.server.Routez(nil)
	if err != nil {
		return false
	}
	for _, r := range all.Routes {
		if r.RemoteName == name {
			return true
		}
	}
	return false
}
