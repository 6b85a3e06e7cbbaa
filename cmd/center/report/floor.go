package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// Plan is what the floors of the past are shown on: seats, statuses and people as they are now.
type Plan interface {
	// FloorOf is the seat view with these faces, by seat; floor "" all.
	FloorOf(floor string, faces map[string]wire.SeatState, at time.Time) wire.Floor
	// MayLook says whether the account may see it.
	MayLook(account string) bool
}

// longestWait is how long before a moment a caller who waits may have come: rules of queues end it after an hour.
const longestWait = 90 * time.Minute

// ahead is how far a moment may be in the future and is now: the slider stands at whole minutes, of which the last one is not over, and the
// clocks of machines differ.
const ahead = 2 * time.Minute

// Floors serves the seat view as it was (PRODUCT G8), to a phone:
//
//	GET /api/v1/reports/floor?at=RFC3339[&floor=ID]        wire.Floor
//	GET /api/v1/reports/floor/day?day=2006-01-02[&floor=ID] wire.FloorDay, of the center's own zone
//
// Who sat where, in which status and call, since when, with which next status and raised hand, and who waited, is as it was then. What a
// phone was not ready for is known of a center of several nodes only. Live are the calls that are not over. The error of who is a wire.Problem.
func (r *Report) Floors(who func(*http.Request) (account string, err error), plan Plan, zone func() *time.Location, live func() []exchange.CallRecord) http.Handler {
	mux := http.NewServeMux()
	past := func(make func(ctx context.Context, req *http.Request) (any, error)) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			account, err := who(req)
			var p wire.Problem
			switch {
			case errors.As(err, &p):
				problem(w, http.StatusUnauthorized, p)
				return
			case !plan.MayLook(account):
				problem(w, http.StatusForbidden, wire.Problem{Code: wire.ProblemForbidden})
				return
			}
			r.catchUp(req.Context())
			out, err := make(req.Context(), req)
			switch {
			case errors.As(err, &p):
				problem(w, http.StatusBadRequest, p)
			case err != nil:
				r.log.Error("floor of the past", "path", req.URL.Path, "err", err)
				problem(w, http.StatusInternalServerError, wire.Problem{Code: wire.ProblemCenter})
			default:
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				json.NewEncoder(w).Encode(out) // the reader may have gone
			}
		}
	}
	mux.HandleFunc("GET /api/v1/reports/floor", past(func(ctx context.Context, req *http.Request) (any, error) {
		at, err := time.Parse(time.RFC3339, req.URL.Query().Get("at"))
		now := r.now()
		if err != nil || at.Sub(now) > ahead {
			return nil, noMoment(req.URL.Query().Get("at"))
		}
		at = earliest(at, now)
		return r.floorAt(ctx, plan, req.URL.Query().Get("floor"), at.UTC(), live())
	}))
	mux.HandleFunc("GET /api/v1/reports/floor/day", past(func(ctx context.Context, req *http.Request) (any, error) {
		day, err := time.ParseInLocation(time.DateOnly, req.URL.Query().Get("day"), zone())
		if err != nil || day.After(r.now()) {
			return nil, noMoment(req.URL.Query().Get("day"))
		}
		return r.floorDay(ctx, req.URL.Query().Get("floor"), day, live())
	}))
	return mux
}

// noMoment is a time that there was not.
func noMoment(said string) error {
	return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": said[:min(len(said), 40)]}}
}

// floorAt is the seat view at a moment.
func (r *Report) floorAt(ctx context.Context, plan Plan, floor string, at time.Time, live []exchange.CallRecord) (wire.Floor, error) {
	faces, by, err := r.facesAt(ctx, at)
	if err != nil {
		return wire.Floor{}, err
	}
	err = r.each(ctx, "SELECT account, count(*) FROM attend WHERE began > 0 AND began <= ?1 AND (ended = 0 OR ended > ?1) GROUP BY account", []any{at.UnixMicro()}, func(rows *sql.Rows) error {
		var account string
		var n int
		if err := rows.Scan(&account, &n); err != nil {
			return err
		}
		if f, ok := faces[by[account]]; ok {
			f.Attended = n
			faces[by[account]] = f
		}
		return nil
	})
	if err != nil {
		return wire.Floor{}, err
	}
	f := plan.FloorOf(floor, faces, at)
	return f, r.queuesAt(ctx, &f, at, live)
}

// facesAt are the faces of a moment by seat, and the seats by account. Of two on one seat, which a clock that went back can make, it is who came last.
func (r *Report) facesAt(ctx context.Context, at time.Time) (faces map[string]wire.SeatState, by map[string]string, err error) {
	faces, by = map[string]wire.SeatState{}, map[string]string{}
	began := map[string]int64{}
	err = r.each(ctx, `SELECT f.account, f.began, f.seat, f.data FROM sitter s CROSS JOIN face f ON f.account = s.account
		AND f.began = (SELECT max(began) FROM face WHERE account = s.account AND began <= ?) WHERE f.seat != ''`, []any{at.UnixMicro()}, func(rows *sql.Rows) error {
		var account, seat string
		var since int64
		var data []byte
		if err := rows.Scan(&account, &since, &seat, &data); err != nil {
			return err
		}
		var f face
		if err := json.Unmarshal(data, &f); err != nil {
			return err
		}
		if _, taken := faces[seat]; !taken || since >= began[seat] {
			faces[seat], began[seat], by[account] = f.seat(account), since, seat
		}
		return nil
	})
	return faces, by, err
}

// queuesAt counts who waited in the queues. Who could have taken a call is not told.
func (r *Report) queuesAt(ctx context.Context, f *wire.Floor, at time.Time, live []exchange.CallRecord) error {
	load := map[string]*wire.QueueLoad{}
	for i := range f.Queues {
		load[f.Queues[i].Name] = &f.Queues[i]
	}
	waits := func(queue string, began time.Time) {
		if q := load[queue]; q != nil {
			if q.Waiting++; q.Since.IsZero() || began.Before(q.Since) {
				q.Since = began
			}
		}
	}
	for _, c := range live {
		if began, ended := waited(c, r.now()); c.Queue != "" && !began.After(at) && ended.After(at) {
			waits(c.Queue, began)
		}
	}
	return r.each(ctx, "SELECT queue, began FROM call WHERE queue != '' AND began > ?1 AND began <= ?2 AND coalesce(answered, ended) > ?2",
		[]any{at.Add(-longestWait).UnixMicro(), at.UnixMicro()}, func(rows *sql.Rows) error {
			var queue string
			var began int64
			err := rows.Scan(&queue, &began)
			waits(queue, micro(began))
			return err
		})
}

// waited is from when to when a caller waited.
func waited(c exchange.CallRecord, now time.Time) (from, until time.Time) {
	switch {
	case !c.Answered.IsZero():
		return c.Began.UTC(), c.Answered
	case !c.Ended.IsZero():
		return c.Began.UTC(), c.Ended
	}
	return c.Began.UTC(), now
}

// floorDay is a day in minutes.
func (r *Report) floorDay(ctx context.Context, floor string, day time.Time, live []exchange.CallRecord) (wire.FloorDay, error) {
	until := midnight(day, 1)
	d := wire.FloorDay{Floor: floor, From: day, Until: until, Minutes: int(until.Sub(day) / time.Minute), Counts: map[string][]int{}}
	var kept sql.NullInt64
	if err := r.db.QueryRowContext(ctx, "SELECT min(at) FROM minute WHERE floor = ''").Scan(&kept); err != nil {
		return d, err
	}
	d.Kept = r.now().UTC().Truncate(time.Minute)
	if kept.Valid {
		d.Kept = micro(kept.Int64 * perMinute)
	}
	first := max(0, int(d.Kept.Sub(day)/time.Minute))
	last := min(d.Minutes, int(r.now().Sub(day)/time.Minute)+1)
	d.Talking, d.Waiting = unknown(d.Minutes, first, last), unknown(d.Minutes, first, last)
	err := errors.Join(r.minutes(ctx, &d, first, last), r.waiting(ctx, &d, first, last, live), r.gaps(ctx, &d))
	return d, err
}

// unknown are numbers of minutes, -1 outside of those that are known.
func unknown(n, first, last int) []int {
	all := make([]int, n)
	for i := range all {
		if i < first || i >= last {
			all[i] = -1
		}
	}
	return all
}

// minutes fills in who sat there.
func (r *Report) minutes(ctx context.Context, d *wire.FloorDay, first, last int) error {
	from := d.From.UnixMicro() / perMinute
	rows := map[int]seated{}
	err := r.each(ctx, `SELECT at, data FROM minute WHERE floor = ?1 AND at >= coalesce((SELECT max(at) FROM minute WHERE floor = ?1 AND at <= ?2), ?2) AND at < ?3`,
		[]any{d.Floor, from, from + int64(d.Minutes)}, func(in *sql.Rows) error {
			var at int64
			var data []byte
			var s seated
			err := in.Scan(&at, &data)
			if err == nil {
				err = json.Unmarshal(data, &s)
			}
			rows[max(0, int(at-from))] = s
			return err
		})
	now := seated{}
	for i := range last {
		if s, changed := rows[i]; changed {
			now = s
		}
		if i < first {
			continue
		}
		d.Talking[i] = now.Talking
		for class, n := range now.Class {
			if d.Counts[class] == nil {
				d.Counts[class] = unknown(d.Minutes, first, last)
			}
			d.Counts[class][i] = n
		}
	}
	return err
}

// waiting fills in how many callers waited at once, at most.
func (r *Report) waiting(ctx context.Context, d *wire.FloorDay, first, last int, live []exchange.CallRecord) error {
	type step struct {
		at int64
		n  int
	}
	var steps []step
	add := func(from, until int64) { steps = append(steps, step{from, 1}, step{until, -1}) }
	for _, c := range live {
		if from, until := waited(c, r.now()); c.Queue != "" && from.Before(d.Until) && until.After(d.From) {
			add(from.UnixMicro(), until.UnixMicro())
		}
	}
	err := r.each(ctx, "SELECT began, coalesce(answered, ended) FROM call WHERE queue != '' AND began > ?1 AND began < ?2 AND coalesce(answered, ended) > ?3",
		[]any{d.From.Add(-longestWait).UnixMicro(), d.Until.UnixMicro(), d.From.UnixMicro()}, func(rows *sql.Rows) error {
			var from, until int64
			err := rows.Scan(&from, &until)
			add(from, until)
			return err
		})
	slices.SortFunc(steps, func(a, b step) int { // who leaves, leaves before the next one comes
		if a.at != b.at {
			return int(min(max(a.at-b.at, -1), 1))
		}
		return a.n - b.n
	})
	from, n, next := d.From.UnixMicro(), 0, 0
	for ; next < len(steps) && steps[next].at <= from; next++ {
		n += steps[next].n
	}
	for i := range last {
		most := n
		for next < len(steps) && steps[next].at < from+int64(i+1)*perMinute {
			n += steps[next].n
			next++
			most = max(most, n)
		}
		if i >= first {
			d.Waiting[i] = most
		}
	}
	return err
}

// gaps are the times of the day in which the center was away.
func (r *Report) gaps(ctx context.Context, d *wire.FloorDay) error {
	return r.each(ctx, "SELECT began, ended FROM away WHERE began < ? AND ended > ? ORDER BY began", []any{d.Until.UnixMicro(), d.From.UnixMicro()}, func(rows *sql.Rows) error {
		var began, ended int64
		err := rows.Scan(&began, &ended)
		d.Gaps = append(d.Gaps, wire.Span{From: latest(micro(began), d.From.UTC()), Until: earliest(micro(ended), d.Until.UTC())})
		return err
	})
}
