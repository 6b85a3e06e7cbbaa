package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"zaseki/web/wire"
)

// ownPast is how far back an agent's own past begins where the phone does not say.
const ownPast = 90 * 24 * time.Hour

// Mine serves GET /api/v1/reports/mine/…, an agent's own past, to a phone. Who says whose phone asks; its error is a wire.Problem. Zone is
// the center's own.
func (r *Report) Mine(who func(*http.Request) (account string, err error), zone func() *time.Location) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/reports/mine/calls", own(r, who, ofPeriod, r.myCalls))
	mux.HandleFunc("GET /api/v1/reports/mine/activity", own(r, who, ofPeriod, r.myActivity))
	mux.HandleFunc("GET /api/v1/reports/mine/day", own(r, who, func(req *http.Request, now time.Time) (ask, error) { return ofDay(req, now.In(zone())) }, r.myDay))
	return mux
}

// ofPeriod is a question by from and to.
func ofPeriod(req *http.Request, now time.Time) (ask, error) {
	return question(req.URL.RawQuery, nil, now, ownPast)
}

// ofDay is a question by day in the zone of now; without one it is today.
func ofDay(req *http.Request, now time.Time) (ask, error) {
	q, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return ask{}, fmt.Errorf("query: %w", err)
	}
	day := midnight(now, 0)
	for name, values := range q {
		if name != "day" || len(values) > 1 {
			return ask{}, fmt.Errorf("%q is not a word of this report: it takes one day", name)
		}
		if day, err = time.ParseInLocation(time.DateOnly, values[0], now.Location()); err != nil || day.After(now) {
			return ask{}, fmt.Errorf("day %q is not a date until today (YYYY-MM-DD)", values[0])
		}
	}
	return ask{from: day, to: midnight(day, 1), zone: now.Location(), now: now, limit: mostRow}, nil
}

func own[Out any](r *Report, who func(*http.Request) (string, error), asked func(*http.Request, time.Time) (ask, error), make func(context.Context, ask, string) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		account, err := who(req)
		var p wire.Problem
		if errors.As(err, &p) {
			problem(w, http.StatusUnauthorized, p)
			return
		}
		a, bad := asked(req, r.now())
		if bad != nil {
			refuse(w, http.StatusBadRequest, bad.Error())
			return
		}
		a.narrow(Scope{People: []string{account}})
		a.asOf = r.catchUp(req.Context())
		out, err := make(req.Context(), a, account)
		var wrong badCursor
		switch {
		case errors.As(err, &wrong):
			problem(w, http.StatusBadRequest, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": wrong.short()}})
		case err != nil:
			r.log.Error("report", "path", req.URL.Path, "err", err)
			problem(w, http.StatusInternalServerError, wire.Problem{Code: wire.ProblemCenter})
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			json.NewEncoder(w).Encode(out) // the reader may have gone
		}
	}
}

func problem(w http.ResponseWriter, code int, p wire.Problem) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(p) // the reader may have gone
}

func (r *Report) myActivity(ctx context.Context, a ask, _ string) (wire.StatusHistory, error) {
	rows, next, err := r.Activity(ctx, a)
	h := wire.StatusHistory{AsOf: a.asOf, Spans: []wire.HistorySpan{}, Next: next}
	for _, s := range rows {
		h.Spans = append(h.Spans, wire.HistorySpan{Status: s.Status, From: s.From, To: s.To, By: s.By, Why: s.Why, Seat: s.Seat, Out: s.Out})
	}
	return h, err
}

// myDay is the agent's day as Agents has it, and why calls were missed.
func (r *Report) myDay(ctx context.Context, a ask, account string) (wire.OwnDay, error) {
	d := wire.OwnDay{AsOf: a.asOf, Day: a.from.Format(time.DateOnly), Today: a.now.Format(time.DateOnly)}
	rows, _, err := r.Agents(ctx, a)
	if err != nil {
		return d, err
	}
	pause, err := r.ofClass(ctx, "pause")
	if err != nil {
		return d, err
	}
	for _, row := range rows { // one, or none
		d.Taken, d.Made, d.Talk, d.Work, d.SignedIn = row.Taken, row.Made, row.TalkIn+row.TalkOut, row.Work, row.SignedIn
		for _, status := range pause {
			d.Pause += row.Statuses[status]
		}
		if n := d.Taken + d.Made; n > 0 {
			d.Average = d.Talk / float64(n)
		}
	}
	return d, r.each(ctx, "SELECT result, count(*) FROM offer WHERE account = ? AND result NOT IN ('answered', 'cancelled') AND at >= ? AND at < ? GROUP BY result",
		[]any{account, a.from.UnixMicro(), a.to.UnixMicro()}, func(rows *sql.Rows) error {
			var result string
			var n int
			err := rows.Scan(&result, &n)
			if d.Missed == nil {
				d.Missed = map[string]int{}
			}
			d.Missed[missedBy(result)] += n
			return err
		})
}

// myCalls are those the agent made, or that were offered to the agent: once each, with the last offer.
func (r *Report) myCalls(ctx context.Context, a ask, account string) (wire.CallHistory, error) {
	at, seq, err := a.after()
	h, last := wire.CallHistory{AsOf: a.asOf, Calls: []wire.HistoryCall{}}, ""
	if err != nil {
		return h, err
	}
	err = r.each(ctx, `
		SELECT seq, call.id, call.began, call.answered, call.ended, caller, call.name, called, call.queue, direction, call.outside, call.account, coalesce(other, ''), result, code, reason,
		       (SELECT o.result FROM offer o WHERE o.call = seq AND o.account = ?1 ORDER BY o.at DESC LIMIT 1),
		       (SELECT o.took FROM offer o WHERE o.call = seq AND o.account = ?1 ORDER BY o.at DESC LIMIT 1), `+settled+` IS NOT NULL,
		       coalesce(p.outcome, ''), coalesce(p.note, '')
		FROM call LEFT JOIN phone_call p ON p.call = seq AND p.account = ?1 WHERE (call.account = ?1 OR other = ?1 OR seq IN (SELECT call FROM offer WHERE account = ?1 AND at >= ?2))
		AND call.began >= ?2 AND call.began < ?3 AND (call.began, seq) < (?4, ?5) ORDER BY call.began DESC, seq DESC LIMIT ?6`,
		[]any{account, a.from.UnixMicro(), a.to.UnixMicro(), at, seq, a.limit + 1}, func(rows *sql.Rows) error {
			if len(h.Calls) == a.limit {
				h.Next = last
				return nil
			}
			var m mine
			if err := m.scan(rows); err != nil {
				return err
			}
			h.Calls, last = append(h.Calls, m.past(account)), cursorOf(m.began, m.seq)
			return nil
		})
	return h, err
}

// mine is a row of myCalls.
type mine struct {
	seq, began, ended                                                     int64
	answered, took                                                        sql.NullInt64
	id, caller, name, called, queue, direction, account, other, got, said string
	outcome, note                                                         string
	outside, back                                                         bool
	code                                                                  int
	offer                                                                 sql.NullString
}

func (m *mine) scan(rows *sql.Rows) error {
	return rows.Scan(&m.seq, &m.id, &m.began, &m.answered, &m.ended, &m.caller, &m.name, &m.called, &m.queue, &m.direction, &m.outside, &m.account, &m.other,
		&m.got, &m.code, &m.said, &m.offer, &m.took, &m.back, &m.outcome, &m.note)
}

// past is the call as that agent had it.
func (m *mine) past(account string) wire.HistoryCall {
	incoming := m.direction == inbound || m.queue != "" && m.offer.Valid || m.account != account
	c := wire.HistoryCall{ID: m.id, At: micro(m.began), Inbound: incoming, Outside: m.outside, Peer: m.called, Queue: m.queue, Dial: m.called,
		Outcome: m.outcome, Note: m.note}
	if incoming {
		c.Peer, c.Name, c.Dial = m.caller, m.name, m.caller
	}
	if c.Dial == "anonymous" {
		c.Dial = ""
	}
	c.Wait = float64(m.ended-m.began) / 1e6
	if m.answered.Valid {
		c.Wait = float64(m.answered.Int64-m.began) / 1e6
	}
	if m.offer.Valid && m.offer.String != "answered" {
		c.Wait = float64(m.took.Int64) / 1e3
	}
	switch {
	case m.answered.Valid && (m.account == account || m.other == account || m.offer.String == "answered"): // the last: and gave it on
		c.Result, c.Talk = "answered", float64(m.ended-m.answered.Int64)/1e6
	case m.answered.Valid:
		c.Result, c.Reason = "elsewhere", missedBy(m.offer.String)
	case incoming:
		c.Result, c.Reason, c.Back = "missed", m.said, m.back
		if m.offer.Valid {
			c.Reason = missedBy(m.offer.String)
		}
	default:
		c.Result, c.Code = "failed", m.code
	}
	return c
}

// missedBy is the reason that the end of an offer is.
func missedBy(offer string) string {
	switch offer {
	case "missed":
		return notTaken
	case "cancelled":
		return leftEarly
	}
	return offer
}
