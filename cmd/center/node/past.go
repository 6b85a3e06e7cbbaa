package node

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
)

// past are the routes of what was: the story of a call, and the floor at another time.
func (n *Node) past(mux *http.ServeMux) {
	who := func(r *http.Request) (string, error) {
		p, err := n.roster.Bearer(r)
		return p.Account, err
	}
	mux.Handle("GET /api/v1/why", n.report.Why(func(r *http.Request) (report.Viewer, error) {
		account, err := who(r)
		return report.Viewer{
			Account: account,
			Sees:    func(other string) bool { return n.roster.Sees(account, other) },
			Queue:   func(name string) bool { return n.roster.SeesQueue(account, name) },
		}, err
	}, n.exchange.Calls))
	floors := n.report.Floors(who, n.roster, n.zone, n.exchange.Calls)
	mux.Handle("GET /api/v1/reports/floor", floors)
	mux.Handle("GET /api/v1/reports/floor/day", floors)
}

// zone is the center's own.
func (n *Node) zone() *time.Location {
	if zone, err := time.LoadLocation(n.roster.Site().Zone); err == nil && n.roster.Site().Zone != "" {
		return zone
	}
	return time.Local
}

const (
	aliveFile  = "alive"          // in the data folder: when it was written last the center lived
	aliveEvery = 10 * time.Second // is how exactly that is known
	awayLeast  = 15 * time.Second // a shorter time away is none
)

// watch says that the center lives, until ctx ends, after it has noted how long it did not. Of several nodes another one has served
// meanwhile.
func (n *Node) watch(ctx context.Context) error {
	path, now := filepath.Join(n.cfg.Data, aliveFile), time.Now().UTC()
	if was, err := os.Stat(path); err == nil && !n.clustered() && now.Sub(was.ModTime()) > awayLeast {
		n.wasAway(ctx, report.Away{From: was.ModTime().UTC(), Until: now})
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		n.log.Warn("that the center lives is not noted: a gap will not be seen", "err", err)
	}
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for over := false; !over; {
		now := time.Now()
		if err := os.Chtimes(path, now, now); err != nil {
			n.log.Debug("that the center lives is not noted", "err", err)
		}
		if over = ctx.Err() != nil; over {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// wasAway writes down that the center was away. Without it the floor of the past shows no gap there.
func (n *Node) wasAway(ctx context.Context, a report.Away) {
	n.log.Info("the center was away", "from", a.From, "took", a.Until.Sub(a.From).Round(time.Second))
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	subject := ledger.Subject(report.KindAway, "center")
	data, err := json.Marshal(a)
	var last ledger.Event
	if err == nil {
		last, _, err = n.ledger.Last(ctx, subject)
	}
	if err == nil {
		_, err = n.ledger.Commit(ctx, rand.Text(), []ledger.Write{{Subject: subject, Expect: last.Seq, By: "system", Why: "center back", At: a.Until, Data: data}})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		n.log.Warn("the gap is not in the history", "err", err)
	}
}
