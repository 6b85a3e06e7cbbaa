package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

const (
	reportEvents = 1_000_000
	reportBatch  = 1000 // events of one write: 800 agents and 200 calls
)

// centerReport measures how long reports take to be made anew from a log of a million events: some hundred agents' month. The base
// is the same log read, and nothing made of it.
type centerReport struct {
	ctx context.Context
	dir string
}

func (b *centerReport) rows() []measure {
	return []measure{{"center.report_rebuild", b.rebuild}}
}

func (b *centerReport) rebuild() (row, error) {
	dir, err := os.MkdirTemp(b.dir, "report")
	if err != nil {
		return row{}, err
	}
	l, err := ledger.Open(ledger.Config{Dir: filepath.Join(dir, "ledger")})
	if err != nil {
		return row{}, err
	}
	defer l.Close()
	if err := fill(b.ctx, l); err != nil {
		return row{}, err
	}
	read, err := readAll(b.ctx, l)
	if err != nil {
		return row{}, err
	}
	r, err := report.Open(filepath.Join(dir, "report.db"), l, slog.New(slog.DiscardHandler))
	if err != nil {
		return row{}, err
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- r.Run(ctx) }()
	lag, err := r.Lag(b.ctx)
	for ; lag > 0 && err == nil && len(done) == 0; lag, err = r.Lag(b.ctx) {
		time.Sleep(50 * time.Millisecond)
	}
	took := time.Since(began)
	cancel()
	if ended := <-done; err == nil && ctx.Err() == nil {
		err = ended
	}
	if err == nil && lag > 0 {
		err = fmt.Errorf("the reports stopped %d events before the end", lag)
	}
	return newRow("center.report_rebuild", "s", 60, []float64{took.Seconds()}, "the same million events read", []float64{read.Seconds()}), err
}

// fill writes the log, each agent's events on those before.
func fill(ctx context.Context, l *ledger.Ledger) error {
	heads := make([]ledger.Seq, reportBatch)
	statuses := []string{wire.StatusAvailable, wire.StatusWork, wire.StatusBreak, wire.StatusAway}
	at := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	for n := range reportEvents / reportBatch {
		writes := make([]ledger.Write, reportBatch)
		for i := range writes {
			subject, v := ledger.Subject(roster.KindAgent, fmt.Sprint("a", i)), any(roster.Agent{Account: fmt.Sprint("a", i), Status: statuses[(n+i)%len(statuses)], Since: at,
				Picked: wire.StatusAvailable, Seat: fmt.Sprint("1-", i), Terminal: fmt.Sprint(1000 + i), Epoch: uint64(n), Conn: "up",
				Session: &roster.Session{ID: "0123456789abcdef", Token: fmt.Sprintf("%064d", i), Resume: fmt.Sprintf("%064d", n), Machine: "pc-0042", Node: "n1", Began: at}})
			if i%5 == 4 {
				subject = ledger.Subject(report.KindCalls, fmt.Sprint("c", i))
				v = exchange.CallRecord{ID: fmt.Sprint(n, "-", i), From: "0312345678", To: "7000", Queue: "Support", Caller: "trunk", Account: fmt.Sprint("a", i), Outside: true, Result: "answered",
					Code: 200, Began: at, Answered: at.Add(9 * time.Second), Ended: at.Add(3 * time.Minute), Offers: []exchange.OfferRecord{{Account: fmt.Sprint("a", i), At: at, Took: 9000, Result: "answered"}}}
			}
			data, err := json.Marshal(v)
			if err != nil {
				return err
			}
			writes[i] = ledger.Write{Subject: subject, Expect: heads[i], By: "bench", Why: "chosen", At: at, Data: data}
		}
		last, err := l.Commit(ctx, fmt.Sprint("fill-", n), writes)
		if err != nil {
			return err
		}
		for i := range heads {
			heads[i] = last - ledger.Seq(reportBatch-1-i)
		}
		at = at.Add(3 * time.Minute)
	}
	return nil
}

// readAll is how long the log takes to be read.
func readAll(ctx context.Context, l *ledger.Ledger) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began, n := time.Now(), 0
	err := l.Follow(ctx, 0, func(ledger.Event) {
		if n++; n == reportEvents {
			cancel()
		}
	})
	if n == reportEvents {
		err = nil
	}
	return time.Since(began), err
}
