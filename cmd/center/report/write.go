package report

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"zaseki/cmd/center/ledger"
)

// writer is the one who writes the file, by a connection of its own.
type writer struct {
	r    *Report
	conn *sql.Conn
	p    projector
}

// A file that is made anew is nothing worth before it is whole, so that nothing of it waits for the disk, and its journal is emptied seldom.
const (
	whileBuilding = "PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 16000"
	whenWhole     = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000"
)

func (r *Report) writer(ctx context.Context) (*writer, error) {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("project: %w", err)
	}
	w := &writer{r: r, conn: conn, p: projector{conn: conn, made: map[string]*sql.Stmt{}}}
	if w.p.open, err = r.spansOpen(ctx); err == nil && r.until.Load() > 0 {
		err = w.run("PRAGMA user_version = 0; " + whileBuilding)
	}
	if err == nil {
		w.p.calls, err = r.callsOpen(ctx)
	}
	if err == nil {
		w.p.past, err = r.pastOpen(ctx)
	}
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return w, nil
}

// run carries statements out. They do not end with a context: what is begun is ended.
func (w *writer) run(statements string) error {
	if _, err := w.conn.ExecContext(context.Background(), statements); err != nil {
		return fmt.Errorf("project: %w", err)
	}
	return nil
}

// take writes a batch together with the cursor: all or nothing. An event that cannot be read is told and left out: it is in the log
// for good, and one of them must not end the center at every start.
func (w *writer) take(batch []ledger.Event) error {
	if err := w.run("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := w.write(batch); err != nil {
		return errors.Join(err, w.run("ROLLBACK"))
	}
	if err := w.run("COMMIT"); err != nil {
		return errors.Join(err, w.run("ROLLBACK"))
	}
	w.r.cursor.Store(uint64(batch[len(batch)-1].Seq))
	return w.finish()
}

func (w *writer) write(batch []ledger.Event) error {
	for _, e := range batch {
		err := w.p.project(e)
		if errors.Is(err, errUnreadable) {
			w.r.log.Error("left out of the reports", "event", e.Seq, "subject", e.Subject, "err", err)
			continue
		}
		if err != nil {
			return fmt.Errorf("project event %d of %s: %w", e.Seq, e.Subject, err)
		}
	}
	if err := w.p.settle(); err != nil {
		return fmt.Errorf("project: %w", err)
	}
	last := batch[len(batch)-1]
	if err := w.p.exec("UPDATE cursor SET seq = ?, at = ?", last.Seq, last.At.UnixMicro()); err != nil {
		return fmt.Errorf("project: %w", err)
	}
	return nil
}

// finish makes the indexes when the file has all of the log, and has it be there after a power cut, before it is called whole.
func (w *writer) finish() error {
	if until := w.r.until.Load(); until == 0 || w.r.cursor.Load() < until && until > 1 {
		return nil
	}
	if err := w.run(indexes); err != nil {
		return err
	}
	kept, err := w.keep()
	if err != nil || !kept {
		return err // somebody reads just now: after the next batch
	}
	if err := w.run(fmt.Sprintf("PRAGMA user_version = %d; %s", version, whenWhole)); err != nil {
		return err
	}
	w.r.until.Store(0)
	return nil
}

// keep has the disk hold what was written; false: a reader is in the way.
func (w *writer) keep() (kept bool, err error) {
	if err := w.run("PRAGMA synchronous = FULL"); err != nil {
		return false, err
	}
	var busy, frames, moved int
	if err := w.conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return false, fmt.Errorf("project: %w", err)
	}
	return busy == 0, nil
}

// close ends the writing. A file that is not whole can be gone on with.
func (w *writer) close() {
	for _, s := range w.p.made {
		s.Close()
	}
	if w.r.until.Load() > 0 {
		kept, err := w.keep()
		if err == nil && kept {
			err = w.run(fmt.Sprintf("PRAGMA user_version = %d", -version))
		}
		if err != nil {
			w.r.log.Warn("reports will be made anew", "err", err)
		}
	}
	w.conn.Close()
}
