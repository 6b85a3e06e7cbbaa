// Package report is the center's read model in SQLite, made of the ledger's log and thrown away without a loss: delete the
// file and it is rebuilt. Reports say as of when they are.
package report

import (
	"context"
	"log/slog"
	"net/http"

	"zaseki/cmd/center/ledger"
)

// Report projects a ledger into a database file.
type Report struct {
	path string
	log  *slog.Logger
}

// Open opens or makes the file.
func Open(path string, l *ledger.Ledger, log *slog.Logger) (*Report, error) {
	return &Report{path: path, log: log}, nil
}

// Run follows the ledger until the context ends.
func (r *Report) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Close closes the file. Run must have ended.
func (r *Report) Close() error { return nil }

// Handler serves GET /api/v1/reports/{status-time,calls}; who may ask is decided in front of it.
func (r *Report) Handler() http.Handler { return http.NotFoundHandler() }
