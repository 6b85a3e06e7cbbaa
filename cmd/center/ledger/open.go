package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	streamName  = "CENTER_main"
	prefix      = "c.main."
	openTimeout = 15 * time.Second
	lastFile    = "LAST" // a sequence that the log must have reached
)

// Open starts the embedded engine, or connects to the outside one, and finds or makes the log. It waits fifteen seconds at most.
func Open(cfg Config) (*Ledger, error) {
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	return OpenContext(ctx, cfg)
}

// OpenContext is Open that waits as long as ctx lasts: a member of a cluster needs the majority of the others.
func OpenContext(ctx context.Context, cfg Config) (*Ledger, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Reserve == 0 {
		cfg.Reserve = 64 << 20
	}
	l := &Ledger{cfg: cfg, log: cfg.Log, replicas: 1, kick: make(chan struct{}, 1), answered: time.Now()}
	l.cfg.state = l.copyState
	if err := l.open(ctx); err != nil {
		l.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

func (l *Ledger) open(ctx context.Context) error {
	outside := len(l.cfg.URLs) > 0
	if l.cfg.Cluster != nil {
		if outside {
			return errors.New("either an own cluster or an outside one")
		}
		if err := l.cfg.Cluster.check(); err != nil {
			return err
		}
	}
	if outside || l.cfg.Cluster != nil {
		l.replicas = 3
	}
	if !outside {
		if err := claimStore(l.cfg); err != nil {
			return err
		}
		warnSlowDisk(l.cfg.Dir, l.log)
	}
	if err := l.inquire(ctx); err != nil {
		return err
	}
	if err := l.admitted(ctx); err != nil {
		return err
	}
	e, err := l.startEngine()
	if err != nil {
		return err
	}
	l.at.Store(e)
	if err := e.find(ctx, l.cfg, l.replicas); err != nil {
		return err
	}
	return l.examine(ctx, e)
}

// examine refuses a log that has lost something: events are never deleted, so all from 1 to the last must be there, and
// the last cannot be before one that was seen already.
func (l *Ledger) examine(ctx context.Context, e *engine) error {
	info, err := e.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("look at the log: %w", err)
	}
	s := info.State
	if info.Config.Metadata[restoring] != "" && !l.cfg.Restoring && l.cfg.Cluster == nil {
		return ErrHalf
	}
	if s.Msgs > 0 && (s.FirstSeq != 1 || s.Msgs != s.LastSeq) || s.Msgs == 0 && s.LastSeq > 0 {
		return fmt.Errorf("of %d events %d are missing; restore a backup into an empty folder: %w", s.LastSeq, s.LastSeq-s.Msgs, ErrDamaged)
	}
	known, err := l.lastKnown()
	if err != nil {
		return err
	}
	if uint64(known) > s.LastSeq {
		return fmt.Errorf("it ends at event %d, but event %d was written here once; restore a backup into an empty folder, "+
			"or remove %s to go on without what is lost: %w", s.LastSeq, known, filepath.Join(l.cfg.Dir, lastFile), ErrDamaged)
	}
	l.wrote = known
	l.saw(Seq(s.LastSeq))
	return nil
}

func (l *Ledger) lastKnown() (Seq, error) {
	if l.cfg.Dir == "" {
		return 0, nil
	}
	text, err := os.ReadFile(filepath.Join(l.cfg.Dir, lastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, nil // it helps to find damage; it must not be one
	}
	return Seq(n), nil
}

// remember writes down how far the log has come.
func (l *Ledger) remember() {
	seen := Seq(l.seen.Load())
	if l.cfg.Dir == "" || seen <= l.wrote {
		return
	}
	if err := WriteFile(filepath.Join(l.cfg.Dir, lastFile), strconv.FormatUint(uint64(seen), 10)+"\n"); err != nil {
		l.log.Debug("note how far the log has come", "err", err) // the next one does
		return
	}
	l.wrote = seen
}

// saw notes that the log has come so far.
func (l *Ledger) saw(s Seq) {
	for {
		old := l.seen.Load()
		if uint64(s) <= old || l.seen.CompareAndSwap(old, uint64(s)) {
			return
		}
	}
}

// Close ends the ledger cleanly. Run, Follow and Hold must have been ended before by their contexts.
func (l *Ledger) Close() {
	if e := l.at.Load(); e != nil {
		e.close()
		l.remember()
	}
}

// warnSlowDisk measures how long the disk takes to keep a small write, and warns when that will be felt.
func warnSlowDisk(dir string, log *slog.Logger) {
	const slow = 3 * time.Millisecond
	f, err := os.CreateTemp(dir, "fsync")
	if err != nil {
		return // the engine will say it better
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	for began := time.Now(); len(took) < 9 && time.Since(began) < 20*time.Millisecond; {
		t := time.Now()
		if _, err := f.Write(make([]byte, 256)); err != nil || f.Sync() != nil {
			return
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	if p50 := took[len(took)/2]; p50 > slow {
		log.Warn("slow disk: every change waits for it", "took", p50, "changes_per_second", int(time.Second/p50))
	}
}
