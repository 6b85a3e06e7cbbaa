// Package report is the center's read model in SQLite, made of the ledger's log and thrown away without a loss: delete the
// file and it is rebuilt. Reports say as of when they are.
package report

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"zaseki/cmd/center/ledger"
)

// version is the schema's: another one on the disk is thrown away and rebuilt. A file that is made anew has none before it is whole, and the
// negative one while its making is interrupted.
const version = 10

//go:embed schema.sql
var schema string

//go:embed indexes.sql
var indexes string

const (
	batchMost = 5000            // events in one transaction
	waitMost  = 2 * time.Second // a report waits so long for the log's end
)

// Log is what is asked of the ledger.
type Log interface {
	End(ctx context.Context) (ledger.Seq, error)
	Follow(ctx context.Context, after ledger.Seq, tell func(ledger.Event)) error
}

// Report projects a ledger into a database file.
type Report struct {
	log    *slog.Logger
	ledger Log
	db     *sql.DB
	cursor atomic.Uint64 // the last event in the file
	until  atomic.Uint64 // the file is made anew up to this event; 0: it is whole
	now    func() time.Time
}

// Open opens the file, or makes it. One of another schema, one that is damaged, and one that knows more than the log (which was
// replaced) are made anew.
func Open(path string, l Log, log *slog.Logger) (*Report, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	end, err := l.End(ctx)
	if err != nil {
		return nil, fmt.Errorf("open reports: %w", err)
	}
	r := &Report{log: log, ledger: l, now: time.Now}
	if err := r.open(ctx, path, end); err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			log.Warn("reports are made anew from the log", "err", err)
		}
		if err := r.rebuild(ctx, path, end); err != nil {
			return nil, fmt.Errorf("open reports: %w", err)
		}
	}
	return r, nil
}

// open is an error when the file is not one to go on with.
func (r *Report) open(ctx context.Context, path string, end ledger.Seq) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if err := r.connect(path); err != nil {
		return err
	}
	var is int
	var seq uint64
	err := r.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&is)
	if err == nil && is != version && is != -version {
		err = fmt.Errorf("schema %d, not %d", is, version)
	}
	if err == nil {
		err = r.db.QueryRowContext(ctx, "SELECT seq FROM cursor").Scan(&seq)
	}
	if err == nil && seq > uint64(end) {
		err = fmt.Errorf("event %d is known, but the log ends at %d", seq, end)
	}
	if err != nil {
		return errors.Join(err, r.db.Close())
	}
	r.cursor.Store(seq)
	if is == -version {
		r.until.Store(max(uint64(end), 1))
	}
	return nil
}

// rebuild makes an empty file, to be filled up to the end of the log.
func (r *Report) rebuild(ctx context.Context, path string, end ledger.Seq) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := r.connect(path); err != nil {
		return err
	}
	if _, err := r.db.ExecContext(ctx, schema); err != nil {
		return errors.Join(err, r.db.Close())
	}
	r.cursor.Store(0)
	r.until.Store(max(uint64(end), 1))
	return os.Chmod(path, 0o600)
}

// connect opens the database. What a power cut takes from it the log gives back, so it need not wait for the disk.
func (r *Report) connect(path string) error {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(5000)", "cache_size(-32000)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	r.db = db
	return err
}

// Run follows the ledger until the context ends.
func (r *Report) Run(ctx context.Context) error {
	w, err := r.writer(ctx)
	if err != nil {
		return err
	}
	defer w.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	events := make(chan ledger.Event, batchMost) // filled while a batch is written, so that the next is as large
	done := make(chan error, 1)
	go func() {
		done <- r.ledger.Follow(ctx, ledger.Seq(r.cursor.Load()), func(e ledger.Event) {
			select {
			case events <- e:
			case <-ctx.Done():
			}
		})
	}()
	for {
		select {
		case e := <-events:
			if err := w.take(gather(e, events)); err != nil {
				cancel(err)
				<-done
				return err
			}
		case err := <-done:
			return err
		}
	}
}

// gather is the event and those that wait behind it.
func gather(first ledger.Event, more <-chan ledger.Event) []ledger.Event {
	batch := []ledger.Event{first}
	for len(batch) < batchMost {
		select {
		case e := <-more:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// Lag is how many events the reports are behind the log; 1 at least while the file is not whole.
func (r *Report) Lag(ctx context.Context) (uint64, error) {
	end, err := r.end(ctx)
	if at := r.cursor.Load(); err == nil && end > at {
		return end - at, nil
	}
	if err == nil && end > 0 && r.until.Load() > 0 {
		return 1, nil
	}
	return 0, err
}

// end is the log's last event.
func (r *Report) end(ctx context.Context) (uint64, error) {
	end, err := r.ledger.End(ctx)
	return uint64(end), err
}

// Close closes the file. Run must have ended.
func (r *Report) Close() error { return r.db.Close() }
