package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"zaseki/web/wire"
)

const noDate = "day is a date, 2006-01-02"

// Past is the past at the center: the agent's own, and the seat view's. Errors are a wire.Problem.
type Past interface {
	// CallHistory is a page of calls, the newest first; cursor is Next of the page before, "" begins.
	CallHistory(ctx context.Context, cursor string) (wire.CallHistory, error)
	// OwnDay is the agent's day in figures: YYYY-MM-DD in the center's zone, "" today.
	OwnDay(ctx context.Context, day string) (wire.OwnDay, error)
	// FloorPast is a wire.Floor, and FloorDay a wire.FloorDay, as the center says it.
	FloorPast(ctx context.Context, at time.Time, floor string) (json.RawMessage, error)
	FloorDay(ctx context.Context, day, floor string) (json.RawMessage, error)
	// DawnCheck is the check of the seats, as far as the agent may see it.
	DawnCheck(ctx context.Context) (wire.DawnCheck, error)
}

// history is GET /history?cursor=C. A refusal is a problem in JSON: 404 nobody is signed in at a center, or it keeps no list; 502 the
// center cannot be reached or has trouble.
func (s *Server) history(w http.ResponseWriter, r *http.Request) {
	page, err := s.cfg.Past.CallHistory(r.Context(), r.URL.Query().Get("cursor"))
	s.told(w, page, kept(err))
}

// ownDay is GET /history/day[?day=2006-01-02]; see history for refusals.
func (s *Server) ownDay(w http.ResponseWriter, r *http.Request) {
	day := r.URL.Query().Get("day")
	if _, err := time.Parse(time.DateOnly, day); day != "" && err != nil {
		http.Error(w, noDate, http.StatusBadRequest)
		return
	}
	of, err := s.cfg.Past.OwnDay(r.Context(), day)
	s.told(w, of, kept(err))
}

// kept is the problem, where a center that keeps no list of that has none of it.
func kept(err error) error {
	if p := (wire.Problem{}); errors.As(err, &p) && p.Code == wire.ProblemForbidden {
		return wire.Problem{Code: wire.ProblemNoRow, Holes: p.Holes}
	}
	return err
}

// floorPast is GET /floor/past?at=RFC3339[&floor=ID]; see history for refusals.
func (s *Server) floorPast(w http.ResponseWriter, r *http.Request) {
	at, err := time.Parse(time.RFC3339, r.URL.Query().Get("at"))
	if err != nil {
		http.Error(w, "at is a time, as RFC 3339 has it", http.StatusBadRequest)
		return
	}
	floor, err := s.cfg.Past.FloorPast(r.Context(), at, short(r.URL.Query().Get("floor")))
	s.told(w, floor, err)
}

// floorDay is GET /floor/day?day=2006-01-02[&floor=ID].
func (s *Server) floorDay(w http.ResponseWriter, r *http.Request) {
	day := r.URL.Query().Get("day")
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		http.Error(w, noDate, http.StatusBadRequest)
		return
	}
	of, err := s.cfg.Past.FloorDay(r.Context(), day, short(r.URL.Query().Get("floor")))
	s.told(w, of, err)
}

// dawn is GET /check[?format=csv]; see history for refusals.
func (s *Server) dawn(w http.ResponseWriter, r *http.Request) {
	c, err := s.cfg.Past.DawnCheck(r.Context())
	if err != nil || r.URL.Query().Get("format") != "csv" {
		s.told(w, c, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Disposition", `attachment; filename="check.csv"`)
	if _, err := w.Write([]byte("\ufeff")); err == nil { // spreadsheets know UTF-8 by it
		_ = c.WriteCSV(w) // the page may be gone
	}
}

// short is a floor's name, which is not long.
func short(name string) string { return name[:min(len(name), 200)] }

// told answers with what the center said, or its problem. What was is not kept in the browser: another may sit here next.
func (s *Server) told(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err == nil {
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	p := wire.Problem{Code: wire.ProblemInternal}
	if !errors.As(err, &p) {
		s.cfg.Log.Error("what was", "err", err)
	}
	code := http.StatusBadGateway
	switch p.Code {
	case wire.ProblemForbidden:
		code = http.StatusForbidden
	case wire.ProblemExpired, wire.ProblemNoRow:
		code = http.StatusNotFound
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(p)
}
