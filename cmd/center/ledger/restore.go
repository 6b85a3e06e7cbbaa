package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	restoring    = "zaseki-restore" // in the log's metadata while a restore is not finished: the backup's checksum
	restoreEach  = 500              // events stored at once
	restoreBytes = 4 << 20
)

// ErrNotEmpty says that a restore would mix two logs.
var ErrNotEmpty = errors.New("the log is not empty")

// Restore fills an empty log from a backup; every event gets the sequence it had. The backup is read twice: nothing is written
// unless it is whole. A restore that broke off goes on where it was when it is begun again with the same backup; until then nobody opens the log.
func (l *Ledger) Restore(ctx context.Context, backup io.ReadSeeker, tell func(done, all Seq)) (Summary, error) {
	sum, err := Read(backup, func(Line) error { return nil })
	if err == nil {
		_, err = backup.Seek(0, io.SeekStart)
	}
	var have Seq
	if err == nil {
		have, err = l.beginRestore(ctx, sum)
	}
	if err == nil && sum.Seq > 0 {
		f := &filler{l: l, ctx: ctx, last: have, tell: func(done Seq) { tell(done, sum.Seq) }}
		if _, err = Read(backup, f.take); err == nil {
			err = f.flush()
		}
	}
	if err == nil {
		err = l.mark(ctx, "")
	}
	if err != nil {
		return sum, fmt.Errorf("restore: %w", err)
	}
	return sum, nil
}

// beginRestore marks the log, and says how far an earlier try came.
func (l *Ledger) beginRestore(ctx context.Context, sum Summary) (Seq, error) {
	info, err := l.at.Load().stream.Info(ctx)
	if err != nil {
		return 0, err
	}
	have := Seq(info.State.LastSeq)
	switch mark := info.Config.Metadata[restoring]; {
	case mark == sum.Sum && have <= sum.Seq:
		return have, nil
	case have > 0:
		return 0, fmt.Errorf("%w: it has %d events", ErrNotEmpty, have)
	}
	return 0, l.mark(ctx, sum.Sum)
}

// mark says in the log itself that a restore is under way; "" that there is none.
func (l *Ledger) mark(ctx context.Context, sum string) error {
	e := l.at.Load()
	info, err := e.stream.Info(ctx)
	if err != nil {
		return err
	}
	c := info.Config
	c.Metadata = maps.Clone(c.Metadata)
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	delete(c.Metadata, restoring)
	if sum != "" {
		c.Metadata[restoring] = sum
	}
	_, err = e.js.UpdateStream(ctx, c)
	return err
}

// filler stores events in portions, each wholly or not at all.
type filler struct {
	l     *Ledger
	ctx   context.Context // of Restore, which it does not outlive
	last  Seq             // stored
	msgs  []*nats.Msg
	bytes int
	tell  func(done Seq)
}

func (f *filler) take(e Line) error {
	if e.Seq <= f.last {
		return nil // by an earlier try
	}
	data, err := encode(e.Op, Write{By: e.By, Why: e.Why, At: e.At, Data: e.Data})
	if err != nil {
		return fmt.Errorf("event %d: %w", e.Seq, err)
	}
	m := nats.NewMsg(prefix + e.Subject)
	m.Data = data
	f.msgs = append(f.msgs, m)
	if f.bytes += len(data); len(f.msgs) == restoreEach || f.bytes > restoreBytes {
		return f.flush()
	}
	return nil
}

func (f *filler) flush() error {
	n := len(f.msgs)
	if n == 0 {
		return nil
	}
	f.msgs[0].Header.Set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(uint64(f.last), 10))
	for i, m := range f.msgs[:n:n] {
		if n > 1 {
			m.Header.Set(batchSeq, strconv.Itoa(i+1))
		}
	}
	if n > 1 {
		f.msgs[n-1].Header.Set(batchCommit, "1")
	}
	want := f.last + Seq(n)
	if err := f.store(want); err != nil {
		return fmt.Errorf("events %d to %d: %w", f.last+1, want, err)
	}
	f.last, f.msgs, f.bytes = want, nil, 0
	f.l.saw(want)
	f.tell(want)
	return nil
}

// store tries until the portion is in its place: the first event names what it follows, so that no try stores it twice.
func (f *filler) store(want Seq) error {
	for {
		if err := errors.Join(f.l.writable(), f.ctx.Err()); err != nil {
			return err
		}
		seq, err := f.l.publish(f.ctx, f.msgs, max(attemptTime, f.l.firstTry()))
		switch {
		case err == nil && seq == want:
			return nil
		case err == nil:
			return fmt.Errorf("stored as %d, not %d", seq, want)
		case !doubtful(err):
			return err
		}
		info, again := f.l.at.Load().stream.Info(f.ctx)
		switch {
		case again == nil && Seq(info.State.LastSeq) == want:
			return nil
		case again == nil && Seq(info.State.LastSeq) != f.last:
			return fmt.Errorf("somebody else writes into the log: %w", ErrNotEmpty)
		}
		f.l.log.Info("store a part of the backup again", "seq", uint64(f.last), "err", err)
		select {
		case <-f.ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Begun waits until the log has a beginning: in a cluster the first member makes it (and does not wait), or a restore does.
func (l *Ledger) Begun(ctx context.Context) error {
	makes := l.cfg.Cluster == nil || l.cfg.Cluster.First() == l.cfg.Cluster.Name
	for told := time.Now(); ; {
		info, err := l.at.Load().stream.Info(ctx)
		if err == nil && info.Config.Metadata[restoring] == "" && (info.State.LastSeq > 0 || makes) {
			return nil
		}
		if time.Since(told) > 5*time.Second {
			told = time.Now()
			l.log.Info("waiting for the log's beginning: the first member makes it, or a restore that is finished")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the log has no beginning: %w", ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
