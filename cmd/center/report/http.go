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

	"zaseki/cmd/center/roster"
)

const (
	longest = 400 * 24 * time.Hour // span of one report
	mostRow = 10000                // calls in one answer
)

// period is what a report is asked for: from, to and tz of the query.
type period struct {
	from, to time.Time
	zone     *time.Location
}

// Handler serves GET /api/v1/reports/{status-time,calls}; who may ask is decided in front of it.
func (r *Report) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/reports/status-time", func(w http.ResponseWriter, req *http.Request) {
		answer(r, w, req, r.StatusTime, []string{"account", "status", "seconds"})
	})
	mux.HandleFunc("GET /api/v1/reports/calls", func(w http.ResponseWriter, req *http.Request) {
		answer(r, w, req, r.Calls, []string{"began", "caller", "name", "called", "queue", "account", "callee", "outside", "result", "code", "wait_seconds", "talk_seconds"})
	})
	return mux
}

// row is a line of a report: what JSON shows and what CSV shows, in the order of the columns.
type row interface{ cells(*time.Location) []string }

// Page is the answer in JSON.
type Page[R row] struct {
	AsOf time.Time `json:"asOf"` // nothing that happened before is missing
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Rows []R       `json:"rows"`
}

func answer[R row](r *Report, w http.ResponseWriter, req *http.Request, ask func(context.Context, period, url.Values) ([]R, error), columns []string) {
	q := req.URL.Query()
	p, err := periodOf(q, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	asOf := r.catchUp(req.Context())
	rows, err := ask(req.Context(), p, q)
	if err != nil {
		r.log.Error("report", "path", req.URL.Path, "err", err)
		http.Error(w, "the report cannot be made; the log says why", http.StatusInternalServerError)
		return
	}
	if q.Get("format") != "csv" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if rows == nil {
			rows = []R{}
		}
		json.NewEncoder(w).Encode(Page[R]{asOf, p.from, p.to, rows}) // the reader may have gone
		return
	}
	name := req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name+".csv"))
	w.Write([]byte("\ufeff")) // or a spreadsheet on Windows shows Japanese as rubbish
	out := csv.NewWriter(w)
	out.Write(columns)
	for _, row := range rows {
		cells := row.cells(p.zone)
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		out.Write(cells)
	}
	out.Flush()
}

// inert keeps a spreadsheet from taking a caller's name or number for a formula.
func inert(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// periodOf reads from, to (RFC 3339 or a date in tz) and tz (IANA name; default UTC). Without from and to it is today.
func periodOf(q url.Values, now time.Time) (period, error) {
	p := period{zone: time.UTC}
	if name := q.Get("tz"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return p, fmt.Errorf("tz %q is not a time zone's name", name)
		}
		p.zone = zone
	}
	y, m, d := now.In(p.zone).Date()
	p.from, p.to = time.Date(y, m, d, 0, 0, 0, 0, p.zone), now
	for name, at := range map[string]*time.Time{"from": &p.from, "to": &p.to} {
		if v := q.Get(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				t, err = time.ParseInLocation(time.DateOnly, v, p.zone)
			}
			if err != nil {
				return p, fmt.Errorf("%s %q is neither a date nor a time (RFC 3339)", name, v)
			}
			*at = t
		}
	}
	if !p.from.Before(p.to) || p.to.Sub(p.from) > longest {
		return p, fmt.Errorf("from must be before to, by at most %d days", int(longest.Hours()/24))
	}
	return p, nil
}

// catchUp waits a little for what the log has and we have not. It returns as of when the reports are whole.
func (r *Report) catchUp(ctx context.Context) time.Time {
	ctx, cancel := context.WithTimeout(ctx, waitMost)
	defer cancel()
	asOf := time.Now()
	_, end, err := r.ledger.Load(ctx, roster.KindSite)
	for err == nil && r.cursor.Load() < uint64(end) && ctx.Err() == nil {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	if err == nil && ctx.Err() == nil {
		return asOf
	}
	var micro int64
	if r.db.QueryRow("SELECT coalesce(max(at), 0) FROM event").Scan(&micro) != nil {
		return time.Time{}
	}
	return time.UnixMicro(micro)
}

// StatusRow is how long an account was in a status.
type StatusRow struct {
	Account string  `json:"account"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

func (s StatusRow) cells(*time.Location) []string {
	return []string{s.Account, s.Status, strconv.FormatFloat(s.Seconds, 'f', 0, 64)}
}

// StatusTime is the time in each status by account (query: account for one only). Open spans count until the period's end or now.
func (r *Report) StatusTime(ctx context.Context, p period, q url.Values) ([]StatusRow, error) {
	from, to := p.from.UnixMicro(), min(p.to.UnixMicro(), time.Now().UnixMicro())
	rows, err := r.db.QueryContext(ctx, `
		SELECT account, status, sum(min(coalesce(ended, ?2), ?2) - max(began, ?1)) / 1e6 FROM status_span
		WHERE began < ?2 AND coalesce(ended, ?2) > ?1 AND (?3 = '' OR account = ?3)
		GROUP BY account, status ORDER BY account, status`, from, to, q.Get("account"))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []StatusRow
	for rows.Next() {
		var s StatusRow
		if err := rows.Scan(&s.Account, &s.Status, &s.Seconds); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// CallRow is a call that ended.
type CallRow struct {
	Began   time.Time `json:"began"`
	Caller  string    `json:"caller"`
	Name    string    `json:"name"`
	Called  string    `json:"called"`
	Queue   string    `json:"queue"`
	Account string    `json:"account"`
	Callee  string    `json:"callee"`
	Outside bool      `json:"outside"`
	Result  string    `json:"result"`
	Code    int       `json:"code"`
	Wait    float64   `json:"waitSeconds"` // until the answer or the end
	Talk    float64   `json:"talkSeconds"`
}

func (c CallRow) cells(zone *time.Location) []string {
	whole := func(f float64) string { return strconv.FormatFloat(f, 'f', 0, 64) }
	return []string{c.Began.In(zone).Format(time.RFC3339), c.Caller, c.Name, c.Called, c.Queue, c.Account, c.Callee,
		strconv.FormatBool(c.Outside), c.Result, strconv.Itoa(c.Code), whole(c.Wait), whole(c.Talk)}
}

// Calls are the calls that began in the period, the newest first (query: account, queue, caller, result; at most 10,000).
func (r *Report) Calls(ctx context.Context, p period, q url.Values) ([]CallRow, error) {
	rows, err := r.db.QueryContext(ctx, `
		SELECT began, caller, name, called, queue, account, callee, outside, result, code,
		       (coalesce(answered, ended) - began) / 1e6, (ended - coalesce(answered, ended)) / 1e6
		FROM call WHERE began >= ?1 AND began < ?2 AND (?3 = '' OR account = ?3) AND (?4 = '' OR queue = ?4)
		AND (?5 = '' OR caller = ?5) AND (?6 = '' OR result = ?6) ORDER BY began DESC, seq DESC LIMIT ?7`,
		p.from.UnixMicro(), p.to.UnixMicro(), q.Get("account"), q.Get("queue"), q.Get("caller"), q.Get("result"), mostRow)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []CallRow
	for rows.Next() {
		var c CallRow
		var began int64
		err := rows.Scan(&began, &c.Caller, &c.Name, &c.Called, &c.Queue, &c.Account, &c.Callee, &c.Outside, &c.Result, &c.Code, &c.Wait, &c.Talk)
		if err != nil {
			return nil, err
		}
		c.Began = time.UnixMicro(began).UTC()
		all = append(all, c)
	}
	return all, rows.Err()
}
