package report

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// span is what an account is in now; any other value of what begins a new one.
type span struct {
	what  state
	began int64
	row   int64
}

// state is what a span is of; zero: signed out, or an account without a status.
type state struct{ status, seat, terminal, session string }

// spans ends the account's open span when what it is in has changed, and begins the next where that ended. Minutes without a
// connection are counted from the loss, not from when it was noticed. A clock that goes back makes no span of negative length.
func (p *projector) spans(account string, a roster.Agent, e ledger.Event) error {
	is, machine := state{}, ""
	if a.Session != nil && a.Status != wire.StatusOff && a.Status != "" {
		is, machine = state{a.Shown(), a.Seat, a.Terminal, a.Session.ID}, a.Session.Machine
		if !a.LostAt.IsZero() {
			is.status = wire.StatusLost
		}
	}
	was, when := p.open[account], e.At.UnixMicro()
	if was.what == is {
		return nil
	}
	if is.status == wire.StatusLost && was.what != (state{}) && was.what.status != wire.StatusLost {
		when = min(when, a.LostAt.UnixMicro())
	}
	var told any
	if at := a.Told.UnixMicro(); !a.Told.IsZero() && at < when && is != (state{}) {
		when, told = at, e.At.UnixMicro()
		var err error
		if was, err = p.unspan(was, at); err != nil {
			return err
		}
	}
	when = max(when, was.began)
	if was.what != (state{}) {
		if err := p.exec("UPDATE status_span SET ended = ?, end_actor = ?, end_why = ? WHERE id = ?", when, e.By, e.Why, was.row); err != nil {
			return err
		}
	}
	// The end is remembered, too: after a clock went back what comes next does not overlap what was.
	now := span{what: is, began: when, row: was.row}
	if is != (state{}) {
		row, err := p.add("INSERT INTO status_span (account, status, began, seat, terminal, session, machine, before, told, actor, why) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
			account, is.status, when, is.seat, is.terminal, is.session, machine, was.row, told, e.By, e.Why)
		if err != nil {
			return err
		}
		now.row = row
	}
	p.open[account] = now
	return nil
}

// unspan takes back what was taken to be from that time on, before the phone told what it really was: no connection, and what the agent was in before.
// It is what is left of it, ended.
func (p *projector) unspan(was span, at int64) (span, error) {
	find, err := p.stmt("SELECT began, before FROM status_span WHERE id = ?")
	if err != nil {
		return was, err
	}
	row := was.row
	for row > 0 {
		var began, before int64
		if err := find.QueryRow(row).Scan(&began, &before); err != nil {
			return was, err
		}
		if began < at {
			break
		}
		if err := p.exec("DELETE FROM status_span WHERE id = ?", row); err != nil {
			return was, err
		}
		row = before
	}
	if row == was.row {
		return was, nil
	}
	return span{what: was.what, began: at, row: row}, p.exec("UPDATE status_span SET ended = min(ended, ?) WHERE id = ?", at, row)
}

// spansOpen are the spans to go on with, and of who is signed out when the last one ended.
func (r *Report) spansOpen(ctx context.Context) (map[string]span, error) {
	open := map[string]span{}
	err := r.each(ctx, `SELECT max(id), account, CASE WHEN ended IS NULL THEN status ELSE '' END, seat, terminal, session, coalesce(ended, began)
		FROM status_span s WHERE ended IS NULL OR NOT EXISTS (SELECT 1 FROM status_span o WHERE o.account = s.account AND o.ended IS NULL)
		GROUP BY account`, nil, func(rows *sql.Rows) error {
		var account string
		var s span
		if err := rows.Scan(&s.row, &account, &s.what.status, &s.what.seat, &s.what.terminal, &s.what.session, &s.began); err != nil {
			return err
		}
		if s.what.status == "" {
			s.what = state{}
		}
		open[account] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open spans: %w", err)
	}
	return open, nil
}

// StatusRow is how long an account was in a status.
type StatusRow struct {
	Account string  `json:"account"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

func (s StatusRow) cells(*time.Location) []string {
	return []string{s.Account, s.Status, whole(s.Seconds)}
}

// StatusTime is the time in each status by account (query: account, status for one only). Open spans count until the period's end
// or now.
func (r *Report) StatusTime(ctx context.Context, a ask) ([]StatusRow, string, error) {
	from, to := a.from.UnixMicro(), min(a.to.UnixMicro(), a.now.UnixMicro())
	all := []StatusRow{}
	err := r.each(ctx, `
		SELECT account, status, sum(min(coalesce(ended, ?2), ?2) - max(began, ?1)) / 1e6 FROM status_span
		WHERE began < ?2 AND coalesce(ended, ?2) > ?1 AND (?3 = '' OR account = ?3) AND (?4 = '' OR status = ?4)
		AND (?5 OR account IN (SELECT value FROM json_each(?6)))
		GROUP BY account, status ORDER BY account, status`,
		[]any{from, to, a.get("account"), a.get("status"), a.scope.All, a.people}, func(rows *sql.Rows) error {
			var s StatusRow
			err := rows.Scan(&s.Account, &s.Status, &s.Seconds)
			all = append(all, s)
			return err
		})
	return cut(a, all, err)
}

// ActivityRow is what an account did from one change to the next.
type ActivityRow struct {
	Account  string    `json:"account"`
	Status   string    `json:"status"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"` // zero: it lasts
	Seconds  float64   `json:"seconds"`     // until now if it lasts
	By       string    `json:"by"`          // account, "system" or "operator"
	Why      string    `json:"why"`
	Seat     string    `json:"seat,omitempty"`
	Terminal string    `json:"terminal,omitempty"`
	Machine  string    `json:"machine,omitempty"`
	EndBy    string    `json:"endBy,omitempty"`
	EndWhy   string    `json:"endWhy,omitempty"`
	Out      bool      `json:"out,omitempty"` // it ended by signing out
	Told     time.Time `json:"told,omitzero"` // when the phone told of it, of one that it kept while the center was away
}

func (s ActivityRow) cells(zone *time.Location) []string {
	return []string{s.Account, s.Status, stamp(s.From, zone), stamp(s.To, zone), whole(s.Seconds), s.By, s.Why, s.Seat, s.Terminal, s.Machine, s.EndBy, s.EndWhy, stamp(s.Told, zone)}
}

var activityColumns = []string{"account", "status", "from", "to", "seconds", "by", "why", "seat", "terminal", "machine", "end_by", "end_why", "told"}

// Activity is what accounts did in the period, the newest first (query: account, status for one only). Spans are whole, those that
// began before it too.
func (r *Report) Activity(ctx context.Context, a ask) ([]ActivityRow, string, error) {
	began, id, err := a.after()
	if err != nil {
		return nil, "", err
	}
	all, last, next := []ActivityRow{}, "", ""
	err = r.each(ctx, `
		SELECT id, account, status, began, ended, actor, why, seat, terminal, machine, end_actor, end_why,
		       ended IS NOT NULL AND NOT EXISTS (SELECT 1 FROM status_span n WHERE n.account = s.account AND n.began = s.ended AND n.id > s.id), told
		FROM status_span s WHERE began < ?2 AND coalesce(ended, ?2) >= ?1 AND (?3 = '' OR account = ?3) AND (?4 = '' OR status = ?4)
		AND (?5 OR account IN (SELECT value FROM json_each(?6))) AND (began, id) < (?7, ?8)
		ORDER BY began DESC, id DESC LIMIT ?9`,
		[]any{a.from.UnixMicro(), a.to.UnixMicro(), a.get("account"), a.get("status"), a.scope.All, a.people, began, id, a.limit + 1}, func(rows *sql.Rows) error {
			var s ActivityRow
			var id, from int64
			var to, told sql.NullInt64
			if err := rows.Scan(&id, &s.Account, &s.Status, &from, &to, &s.By, &s.Why, &s.Seat, &s.Terminal, &s.Machine, &s.EndBy, &s.EndWhy, &s.Out, &told); err != nil {
				return err
			}
			if len(all) == a.limit {
				next = last
				return nil
			}
			last = cursorOf(from, id)
			s.From, s.Seconds = micro(from), max(a.now.Sub(micro(from)).Seconds(), 0)
			if told.Valid {
				s.Told = micro(told.Int64)
			}
			if to.Valid {
				s.To, s.Seconds = micro(to.Int64), float64(to.Int64-from)/1e6
			}
			all = append(all, s)
			return nil
		})
	return all, next, err
}
