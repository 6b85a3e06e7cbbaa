package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/ledger"
)

const (
	ledgerRounds  = 5
	ledgerStretch = 2 * time.Second // of each round
	ledgerWriters = 16
	startRounds   = 15
)

// centerLedger measures the center's log: durable changes a second on one node and on three, and how soon a center is there. The
// base of the rates is what the same disk does in turns with them.
type centerLedger struct {
	ctx context.Context
	dir string
}

func (b *centerLedger) rows() []measure {
	return []measure{
		{"center.status_rate_1", func() (row, error) { return b.rate("center.status_rate_1", 1, 3000) }},
		{"center.status_rate_3", func() (row, error) { return b.rate("center.status_rate_3", 3, 4000) }},
		{"center.start_to_ready", b.startToReady},
	}
}

func (b *centerLedger) rate(name string, nodes int, least float64) (row, error) {
	dir, err := os.MkdirTemp(b.dir, "ledger")
	if err != nil {
		return row{}, err
	}
	logs, err := openLogs(b.ctx, dir, nodes)
	defer func() {
		for _, l := range logs {
			l.Close()
		}
	}()
	if err != nil {
		return row{}, err
	}
	var rates, syncs []float64
	heads := make([]ledger.Seq, ledgerWriters)
	for range ledgerRounds {
		n, err := syncRate(dir)
		if err != nil {
			return row{}, err
		}
		syncs = append(syncs, n)
		if n, err = changeRate(b.ctx, logs, heads); err != nil {
			return row{}, err
		}
		rates = append(rates, n)
	}
	r := newRow(name, "1/s", 0, rates, "fsyncs a second of the same disk, one after the other", syncs)
	r.Least = least
	return r, nil
}

// openLogs opens one log, or the three members of one.
func openLogs(ctx context.Context, dir string, nodes int) ([]*ledger.Ledger, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cfgs := []ledger.Config{{Dir: dir}}
	if nodes > 1 {
		var members []ledger.Member
		for i := range nodes {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			defer l.Close()
			members = append(members, ledger.Member{Name: fmt.Sprint("n", i), Addr: l.Addr().String()})
			l.Close()
		}
		cfgs = nil
		for _, m := range members {
			cfgs = append(cfgs, ledger.Config{Dir: filepath.Join(dir, m.Name),
				Cluster: &ledger.Cluster{Name: m.Name, Members: members, Secret: []byte("a secret of the bench")}})
		}
	}
	all, errs := make([]*ledger.Ledger, len(cfgs)), make([]error, len(cfgs))
	var wg sync.WaitGroup
	for i, cfg := range cfgs {
		wg.Go(func() { all[i], errs[i] = ledger.OpenContext(ctx, cfg) })
	}
	wg.Wait()
	var there []*ledger.Ledger
	for _, l := range all {
		if l != nil {
			there = append(there, l)
		}
	}
	return there, errors.Join(errs...)
}

// changeRate lets each writer change the status of its own agent over and over, each change decided on the one before.
func changeRate(ctx context.Context, logs []*ledger.Ledger, heads []ledger.Seq) (float64, error) {
	var done atomic.Int64
	errs := make([]error, len(heads))
	began := time.Now()
	end := began.Add(ledgerStretch)
	var wg sync.WaitGroup
	for i := range heads {
		wg.Go(func() {
			l, subject := logs[i%len(logs)], fmt.Sprint("agent.a", i)
			for n := 0; time.Now().Before(end) && errs[i] == nil; n++ {
				heads[i], errs[i] = l.Commit(ctx, fmt.Sprint(i, "-", heads[i]), []ledger.Write{{Subject: subject, Expect: heads[i], By: "bench",
					Why: "chosen", At: time.Now(), Data: []byte(`{"account":"a","status":"available","since":"2026-11-22T10:00:00Z","seat":"1-24","terminal":"1024"}`)}})
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(began).Seconds(), errors.Join(errs...)
}

// syncRate is how often a second a small write of one writer reaches the disk.
func syncRate(dir string) (float64, error) {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	n := 0
	began := time.Now()
	for ; time.Since(began) < ledgerStretch/2; n++ {
		if _, err := f.Write(make([]byte, 256)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// startToReady is from the start of the program, on data that is there, until it says that it is ready. The base is the same
// program that only prints its version.
func (b *centerLedger) startToReady() (row, error) {
	if err := stage.Build(b.ctx, ".", b.dir, "center"); err != nil {
		return row{}, err
	}
	program := filepath.Join(b.dir, "center")
	var took, bare []float64
	for i := range startRounds + 1 {
		p, err := stage.Start(b.ctx, program, nil, "-data", filepath.Join(b.dir, "start"), "-http", "127.0.0.1:0", "-sip", "127.0.0.1:0")
		if err != nil {
			return row{}, err
		}
		if !p.Stop() {
			return row{}, errors.New("the center does not end")
		}
		began := time.Now()
		if err := exec.CommandContext(b.ctx, program, "-version").Run(); err != nil {
			return row{}, err
		}
		if version := time.Since(began); i > 0 { // the first makes the data
			took, bare = append(took, ms(p.Took)), append(bare, ms(version))
		}
	}
	return newRow("center.start_to_ready", "ms", 300, took, "the same program printing its version", bare), nil
}
