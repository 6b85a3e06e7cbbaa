package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	longest = 400 * 24 * time.Hour // span of one report
	mostRow = 10000                // rows in one answer
)

// ask is what a report is asked for.
type ask struct {
	from, to time.Time
	zone     *time.Location
	words    map[string][]string // the query, of known words only
	limit    int                 // rows in the answer
	limited  bool                // asked for, not by default
	cursor   string              // where to go on

	scope          Scope
	people, queues string // of the scope, as JSON lists
	now, asOf      time.Time
}

// Scope is whom somebody sees: all, or calls and days of these accounts, and the calls of these queues (by name).
type Scope struct {
	All    bool
	People []string
	Queues []string
}

// choices are words that take one of a few values.
var choices = map[string][]string{
	"format":    {"json", "csv"},
	"by":        {"half", "hour", "day", "total"},
	"result":    {"answered", "missed", "cancelled", "voice", "refused"},
	"direction": {inbound, outbound, inside},
	"reason":    reasons,
}

// question reads a query. A word that the report does not know is an error: a filter that is passed over makes wrong figures.
func question(raw string, words []string, now time.Time, back time.Duration) (ask, error) {
	q, err := url.ParseQuery(raw) // URL.Query passes over what it cannot read
	if err != nil {
		return ask{}, fmt.Errorf("query: %w", err)
	}
	a := ask{words: q, now: now, limit: mostRow, cursor: q.Get("cursor")}
	for name, values := range q {
		if !slices.Contains(words, name) && !slices.Contains([]string{"from", "to", "tz", "format", "limit", "cursor"}, name) {
			return a, fmt.Errorf("%q is not a word of this report", name)
		}
		if len(values) > 1 {
			return a, fmt.Errorf("%s stands there %d times", name, len(values))
		}
		if may := choices[name]; may != nil && values[0] != "" && !slices.Contains(may, values[0]) {
			return a, fmt.Errorf("%s %q is none of %s", name, values[0], strings.Join(may, ", "))
		}
	}
	if v := q.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > mostRow {
			return a, fmt.Errorf("limit %q is not 1 to %d", v, mostRow)
		}
		a.limit, a.limited = n, true
	}
	if _, err := a.within(); err != nil {
		return a, err
	}
	return a, a.period(q, now, back)
}

// period reads from, to (RFC 3339 or a date in tz) and tz (IANA name; default UTC). It begins today if nobody says when, or so long
// before now.
func (a *ask) period(q url.Values, now time.Time, back time.Duration) error {
	a.zone = time.UTC
	if name := q.Get("tz"); name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			return fmt.Errorf("tz %q is not a time zone's name", name)
		}
		a.zone = zone
	}
	y, m, d := now.In(a.zone).Date()
	a.from, a.to = time.Date(y, m, d, 0, 0, 0, 0, a.zone), now
	if back > 0 {
		a.from = now.Add(-back)
	}
	for name, at := range map[string]*time.Time{"from": &a.from, "to": &a.to} {
		if v := q.Get(name); v != "" {
			t, err := time.Parse(time.RFC3339, v)
			if err != nil {
				t, err = time.ParseInLocation(time.DateOnly, v, a.zone)
			}
			if err != nil {
				return fmt.Errorf("%s %q is neither a date nor a time (RFC 3339)", name, v)
			}
			*at = t
		}
	}
	if !a.from.Before(a.to) || a.to.Sub(a.from) > longest {
		return fmt.Errorf("from must be before to, by at most %d days", int(longest.Hours()/24))
	}
	return nil
}

// within is the service level's seconds.
func (a ask) within() (time.Duration, error) {
	v := a.get("within")
	if v == "" {
		return 20 * time.Second, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > 3600 {
		return 0, fmt.Errorf("within %q is not 1 to 3600 seconds", v)
	}
	return time.Duration(n) * time.Second, nil
}

func (a *ask) narrow(s Scope) {
	list := func(of []string) string {
		if of == nil {
			of = []string{}
		}
		text, _ := json.Marshal(of) // strings always can
		return string(text)
	}
	a.scope, a.people, a.queues = s, list(s.People), list(s.Queues)
}

// badCursor is one that we never gave.
type badCursor string

func (c badCursor) Error() string { return fmt.Sprintf("cursor %q is none of ours", c.short()) }

func (c badCursor) short() string { return string(c)[:min(len(c), 64)] }

// cursorOf names a row, by its time and number.
func cursorOf(at, id int64) string {
	return strconv.FormatInt(at, 36) + "." + strconv.FormatInt(id, 36)
}

// after is the row to go on behind; without a cursor the newest there can be.
func (a ask) after() (at, id int64, err error) {
	if a.cursor == "" {
		return 1<<63 - 1, 1<<63 - 1, nil
	}
	first, second, _ := strings.Cut(a.cursor, ".")
	at, err = strconv.ParseInt(first, 36, 64)
	if err == nil {
		id, err = strconv.ParseInt(second, 36, 64)
	}
	if err != nil {
		return 0, 0, badCursor(a.cursor)
	}
	return at, id, nil
}

// cut is a page of rows that were all found.
func cut[R row](a ask, all []R, err error) ([]R, string, error) {
	from := 0
	if err == nil && a.cursor != "" {
		if from, err = strconv.Atoi(a.cursor); err != nil || from < 0 || from > len(all) {
			return nil, "", badCursor(a.cursor)
		}
	}
	if err != nil {
		return nil, "", err
	}
	if all = all[from:]; len(all) > a.limit {
		return all[:a.limit], strconv.Itoa(from + a.limit), nil
	}
	return all, "", nil
}

// each asks the database and hands on each row.
func (r *Report) each(ctx context.Context, query string, args []any, take func(*sql.Rows) error) error {
	rows, err := r.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
