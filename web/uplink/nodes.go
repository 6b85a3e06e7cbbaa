package uplink

import (
	"context"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"zaseki/web/wire"
)

// base is the node of the center that we speak to, without a slash at its end.
func (u *Uplink) base() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.nodes[u.at]
}

// Nodes are all nodes of the center that are known, the one we were given first.
func (u *Uplink) Nodes() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.nodes)
}

// learn takes over where the center's other nodes are. One without TLS is left out when ours has it: a session's token goes there.
func (u *Uplink) learn(others []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.nodes[u.at]
	all := []string{u.nodes[0]}
	for _, o := range append([]string{now}, others...) {
		o = strings.TrimRight(o, "/")
		a, err := url.Parse(o)
		if err != nil || a.Host == "" || a.Scheme != "http" && a.Scheme != "https" || a.Path != "" || a.User != nil {
			continue
		}
		if strings.HasPrefix(u.nodes[0], "https:") && a.Scheme != "https" {
			continue
		}
		if !slices.Contains(all, o) {
			all = append(all, o)
		}
	}
	u.nodes, u.at = all, max(0, slices.Index(all, now))
}

// turn goes to the next node: the one we spoke to does not answer.
func (u *Uplink) turn() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at = (u.at + 1) % len(u.nodes)
}

// home goes back to the node we were given: the next sign-in begins there.
func (u *Uplink) home() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.at = 0
}

// stopTime is what a center may take to end after its goodbye, and to start again.
const stopTime = time.Second

// farewell does what the center asked when it ended the connection: a new try at a moment of this phone's own, at another node if there is one,
// or new settings. over says that the session has ended.
func (u *Uplink) farewell(ctx context.Context, s *session, bye wire.Bye) (over bool) {
	u.tell(s, Offline{u.unreachable()})
	u.log.Info("the center said goodbye", "settings", bye.Settings)
	u.learn(bye.Nodes)
	const most = 10 * time.Second
	if spread := min(time.Duration(bye.Spread)*time.Millisecond, most); spread > 0 {
		soonest := time.Duration(0)
		if !bye.Settings {
			soonest = min(spread, stopTime) / 2
		}
		select {
		case <-ctx.Done():
			return true
		case <-time.After(soonest + rand.N(spread-soonest)):
		}
	}
	if !bye.Settings {
		u.turn()
		return false
	}
	over, _ = u.comeBack(ctx, s)
	return over
}
