package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"zaseki/cmd/bench/stage"
)

// Two hundred people look at one floor of a thousand seats, of which twenty change a second, on one center (issue 7).
const (
	viewSeats   = 1000
	viewViewers = 200 // each a whole uplink, with the floor in its memory
	viewChanges = 20  // a second
	viewLone    = 5 * time.Second
	viewStretch = 30 * time.Second
)

// centerView measures how such a change gets to all who look, and what that costs. All sit there: the viewers signed in by password, the
// others took their sessions up, and it is those who change. The base is one viewer at the same center.
type centerView struct {
	ctx  context.Context
	dir  string
	seen *viewSeen // one run gives all rows
}

type viewSeen struct {
	viewResult
	mb, cores float64 // of the center: memory with all there, and of one core while they change and look
}

func (b *centerView) rows() []measure {
	row := func(name string) measure { return measure{name, func() (row, error) { return b.row(name) }} }
	return []measure{row("center.view_200"), row("center.view_200_cpu"), row("center.view_200_rss"), row("center.view_200_bytes")}
}

func (b *centerView) row(name string) (row, error) {
	if b.seen == nil {
		seen, err := b.run()
		if err := errors.Join(err, seen.whole()); err != nil {
			return row{}, err
		}
		b.seen = &seen
	}
	s := b.seen
	switch name {
	case "center.view_200_cpu": // what it takes for all of them, and for the changes themselves
		return newRow(name, "core", 0, []float64{s.cores}, "", nil), nil
	case "center.view_200_rss":
		return newRow(name, "MB", 0, []float64{s.mb}, "", nil), nil
	case "center.view_200_bytes":
		return newRow(name, "kB/s", 0, []float64{s.Bytes / 1000}, "a whole floor, once, kB", []float64{s.First / 1000}), nil
	}
	r := newRow(name, "ms", 250, []float64{s.P50}, fmt.Sprintf("one viewer; the 200 took %.2f cores here", s.CPU), []float64{s.Lone})
	r.Value, r.P99, r.N = s.P95, s.P99, s.Seen
	return r, nil
}

func (b *centerView) run() (seen viewSeen, err error) {
	dir, err := os.MkdirTemp(b.dir, "view")
	if err != nil {
		return seen, err
	}
	if err := stage.Build(b.ctx, ".", dir, "center"); err != nil {
		return seen, err
	}
	if err := seedFan(b.ctx, filepath.Join(dir, "data", "ledger"), viewSeats, viewSeats, viewViewers+1); err != nil {
		return seen, fmt.Errorf("seed the ledger: %w", err)
	}
	center, err := stage.Start(b.ctx, filepath.Join(dir, "center"), nil, "-data", filepath.Join(dir, "data"), "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0")
	if err != nil {
		return seen, err
	}
	defer center.Stop()
	seen.mb, seen.cores, err = watched(b.ctx, center.PID(), &seen.viewResult, viewing, center.String("http"), strconv.Itoa(viewSeats), strconv.Itoa(viewViewers),
		strconv.Itoa(viewChanges), viewStretch.String())
	return seen, err
}
