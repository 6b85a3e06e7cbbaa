package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"zaseki/web/wire"
)

// Nodes is what this node of a center knows about the others.
type Nodes struct {
	// Lost says since when a node is lost; ok is false for one that is alive, or may be. nil: this node is the center.
	Lost func(node string) (since time.Time, ok bool)
	// Duty: this node looks after the agents of lost nodes. Only one of the center does at a time.
	Duty   bool
	Others []string // base URLs of the others that are alive
	Lines  string   // which node serves the telephones; when it is another one, the phones learn where to register
}

// KnowNodes tells the roster about the other nodes. It may be told as often as one likes.
func (r *Roster) KnowNodes(n Nodes) {
	r.mu.Lock()
	moved := n.Lines != "" && r.nodes.Lines != n.Lines && (r.nodes.Lines != "" || len(r.links) > 0)
	if n.Lines == "" {
		n.Lines = r.nodes.Lines
	}
	others := !slices.Equal(r.nodes.Others, n.Others)
	r.nodes, r.rota.all = n, true
	var tell []*link
	if moved || others {
		tell = slices.Collect(maps.Values(r.links))
	}
	r.mu.Unlock()
	for _, l := range tell {
		l.touch(func() { l.again, l.nodes = l.again || moved, l.nodes || others })
	}
	r.signal()
}

func (r *Roster) otherNodes() wire.Nodes {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return wire.Nodes{URLs: r.nodes.Others}
}

// lostLocked says since when the node that a session belongs to is lost.
func (r *Roster) lostLocked(node string) (since time.Time, ok bool) {
	if r.nodes.Lost == nil || node == r.cfg.Node {
		return time.Time{}, false
	}
	return r.nodes.Lost(node)
}

// How long phones take to come back after their node has said goodbye: a few at once, of many no more than a fifth in any second.
const (
	leastSpread = 500 * time.Millisecond
	mostSpread  = 8 * time.Second
	perPhone    = 50 * time.Millisecond
)

// goodbye tells a phone to come back, here or elsewhere, after a time of its own.
func (r *Roster) goodbye(settings bool) wire.Bye {
	r.mu.RLock()
	defer r.mu.RUnlock()
	spread := max(leastSpread, min(mostSpread, time.Duration(len(r.links))*perPhone))
	return wire.Bye{Spread: int(spread.Milliseconds()), Nodes: r.nodes.Others, Settings: settings}
}

// catchUpTime is how long a node may be behind the log before it says that it cannot tell.
const catchUpTime = 5 * time.Second

// resumedElsewhere looks for a resume token that this node does not know. Another node may have given it a moment ago: nobody is sent
// away before everything that is in the log has been heard. account is "" for a token that nobody gave.
func (r *Roster) resumedElsewhere(ctx context.Context, hash string) (account string, err error) {
	if r.cfg.Node == soloNode {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, catchUpTime)
	defer cancel()
	end, err := r.ledger.End(ctx)
	for err == nil {
		r.mu.RLock()
		heard := r.followed
		account = r.view.resumes[hash]
		r.mu.RUnlock()
		if account != "" || heard >= end {
			return account, nil
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return "", fmt.Errorf("%w: %w", wire.Problem{Code: wire.ProblemReadOnly}, err)
}
