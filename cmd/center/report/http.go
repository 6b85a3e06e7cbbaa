package report

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Page is the answer in JSON.
type Page[R row] struct {
	AsOf time.Time `json:"asOf"` // nothing that happened before is missing
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Rows []R       `json:"rows"`
	Next string    `json:"next,omitempty"` // there is more: ask again with cursor
}

// row is a line of a report: what JSON shows and what CSV shows, in the order of the columns.
type row interface{ cells(*time.Location) []string }

// made is how the rows of a report are found: at most ask.limit of them from ask.cursor on, and the cursor of what is left.
type made[R row] func(context.Context, ask) (rows []R, next string, err error)

// Handler serves GET /api/v1/reports/…; who may ask at all is decided in front of it, whom they see by scope.
func (r *Report) Handler(scope func(*http.Request) Scope) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/reports/status-time", serve(r, scope, r.StatusTime, []string{"account", "status", "seconds"}, "account", "status"))
	mux.HandleFunc("GET /api/v1/reports/activity", serve(r, scope, r.Activity, activityColumns, "account", "status"))
	mux.HandleFunc("GET /api/v1/reports/calls", serve(r, scope, r.Calls, callColumns, "account", "queue", "caller", "result", "direction", "outcome"))
	mux.HandleFunc("GET /api/v1/reports/missed", serve(r, scope, r.Missed, missedColumns, "account", "queue", "caller", "reason"))
	mux.HandleFunc("GET /api/v1/reports/queues", serve(r, scope, r.Queues, queueColumns, "queue", "by", "within"))
	mux.HandleFunc("GET /api/v1/reports/outcomes", serve(r, scope, r.Outcomes, outcomeColumns, "account", "queue", "outcome"))
	mux.HandleFunc("GET /api/v1/reports/agents", serve(r, scope, r.Agents, agentColumns, "account"))
	return mux
}

// serve answers with a report. Words are what its query may hold besides the period, format, limit and cursor.
func serve[R row](r *Report, scope func(*http.Request) Scope, make made[R], columns []string, words ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		a, err := question(req.URL.RawQuery, words, r.now(), 0)
		if err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		a.narrow(scope(req))
		a.asOf = r.catchUp(req.Context())
		w.Header().Set("Cache-Control", "no-store")
		if a.get("format") == "csv" {
			err = table(w, req, a, make, columns)
		} else {
			err = page(w, req, a, make)
		}
		if err == nil || req.Context().Err() != nil { // or the reader has gone
			return
		}
		if _, ok := err.(badCursor); ok {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		r.log.Error("report", "path", req.URL.Path, "err", err)
		refuse(w, http.StatusInternalServerError, "the report cannot be made; the log says why")
	}
}

func refuse(w http.ResponseWriter, code int, why string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(map[string]string{"error": why}) // the reader may have gone
}

func page[R row](w http.ResponseWriter, req *http.Request, a ask, make made[R]) error {
	rows, next, err := make(req.Context(), a)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	json.NewEncoder(w).Encode(Page[R]{a.asOf, a.from, a.to, rows, next}) // the reader may have gone
	return nil
}

// table writes all there is, a page after the other, unless a limit was asked for: what is opened in a spreadsheet must not end
// in the middle without a word.
func table[R row](w http.ResponseWriter, req *http.Request, a ask, make made[R], columns []string) error {
	rows, next, err := make(req.Context(), a)
	if err != nil {
		return err
	}
	name := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+"-"+a.from.In(a.zone).Format(time.DateOnly)+".csv"))
	if a.limited && next != "" {
		more := req.URL.Query()
		more.Set("cursor", next)
		w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", req.URL.Path, more.Encode()))
	}
	w.Write([]byte("\ufeff")) // or a spreadsheet on Windows shows Japanese as rubbish
	out := csv.NewWriter(w)
	out.Write(columns)
	for {
		for _, row := range rows {
			cells := row.cells(a.zone)
			for i := range cells {
				cells[i] = inert(cells[i])
			}
			out.Write(cells)
		}
		out.Flush()
		if next == "" || a.limited || out.Error() != nil {
			return nil
		}
		a.cursor = next
		if rows, next, err = make(req.Context(), a); err != nil {
			panic(http.ErrAbortHandler) // half a table must not look like a whole one
		}
	}
}

// inert keeps a spreadsheet from taking a caller's name or number for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func whole(f float64) string { return strconv.FormatFloat(f, 'f', 0, 64) }

// stamp is a time as a table shows it; "" for none.
func stamp(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.RFC3339)
}

// catchUp waits a little for what the log has and we have not. It returns as of when the reports are whole.
func (r *Report) catchUp(ctx context.Context) time.Time {
	ctx, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	asOf := r.now()
	end, err := r.end(ctx)
	for err == nil && r.cursor.Load() < end && ctx.Err() == nil {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	if err == nil && ctx.Err() == nil {
		return asOf
	}
	var at int64
	if r.db.QueryRow("SELECT at FROM cursor").Scan(&at) != nil || at == 0 {
		return time.Time{}
	}
	return micro(at)
}

func micro(at int64) time.Time { return time.UnixMicro(at).UTC() }

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// get is a word of the query; each stands there once.
func (a ask) get(name string) string { return url.Values(a.words).Get(name) }
