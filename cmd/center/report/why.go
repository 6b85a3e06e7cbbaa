package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Viewer is who asks a story, and of whom it may be.
type Viewer struct {
	Account string
	Sees    func(account string) bool // itself too
	Queue   func(name string) bool    // calls of that queue
}

// Why serves GET /api/v1/why?call=ID, the story of one call, to a phone (PRODUCT G4). ID is the center's name for the call, or a phone's.
// Live are the calls that are not over. The error of who is a wire.Problem.
func (r *Report) Why(who func(*http.Request) (Viewer, error), live func() []exchange.CallRecord) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/why", func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		v, err := who(req)
		var p wire.Problem
		if errors.As(err, &p) {
			problem(w, http.StatusUnauthorized, p)
			return
		}
		id := req.URL.Query().Get("call")
		if id == "" || len(id) > nameMost {
			problem(w, http.StatusBadRequest, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": ""}})
			return
		}
		r.catchUp(req.Context())
		line, err := r.story(req.Context(), v, id, live())
		switch {
		case errors.As(err, &p) && p.Code == wire.ProblemForbidden:
			problem(w, http.StatusForbidden, p)
		case errors.As(err, &p):
			problem(w, http.StatusNotFound, p)
		case err != nil:
			r.log.Error("story of a call", "call", id, "err", err)
			problem(w, http.StatusInternalServerError, wire.Problem{Code: wire.ProblemCenter})
		default:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			json.NewEncoder(w).Encode(line) // the reader may have gone
		}
	})
	return mux
}

// nameMost is how long the name of a call may be, in bytes, with wire.CenterCall before it.
const nameMost = 320

// find looks by the own phone's name for the call, then by the center's, then by any phone's.
func (s *story) find(ctx context.Context, id string, live []exchange.CallRecord) error {
	bare := strings.TrimPrefix(id, wire.CenterCall)
	var seq sql.NullInt64
	var center string
	var one phoneCall
	err := sql.ErrNoRows
	for _, by := range []struct {
		query string
		args  []any
	}{
		{"SELECT call, center, account, name, began FROM phone_call WHERE account = ? AND name = ? ORDER BY began DESC LIMIT 1", []any{s.v.Account, id}},
		{"SELECT seq, id, '', '', 0 FROM call WHERE id = ? ORDER BY seq DESC LIMIT 1", []any{bare}},
		{"SELECT call, center, account, name, began FROM phone_call WHERE name = ? ORDER BY began DESC LIMIT 1", []any{id}},
	} {
		if err = s.r.db.QueryRowContext(ctx, by.query, by.args...).Scan(&seq, &center, &one.account, &one.name, &one.began); !errors.Is(err, sql.ErrNoRows) {
			break
		}
	}
	if errors.Is(err, sql.ErrNoRows) {
		center = bare
	} else if err != nil {
		return err
	}
	if seq.Valid {
		s.seq = seq.Int64
		return errors.Join(s.load(ctx), s.phones(ctx, "call = ?", s.seq))
	}
	if i := slices.IndexFunc(live, func(c exchange.CallRecord) bool { return center != "" && c.ID == center }); i >= 0 { // it is not over
		s.rec, s.live = live[i], true
		s.way = inside
		if s.rec.Outside {
			s.way = inbound
		}
		return s.phones(ctx, "center = ? AND began > ?", center, s.rec.Began.Add(-aside).UnixMicro())
	}
	if err != nil {
		return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": id[:min(len(id), 64)]}}
	}
	if err := s.phones(ctx, "account = ? AND name = ? AND began = ?", one.account, one.name, one.began); err != nil {
		return err
	}
	s.fromPhone()
	return nil
}

// load reads the exchange's row.
func (s *story) load(ctx context.Context) error {
	var answered sql.NullInt64
	var began, ended int64
	var other sql.NullString
	var offers, moments string
	c := &s.rec
	err := s.r.db.QueryRowContext(ctx, `SELECT id, caller, name, called, queue, account, callee, outside, direction, result, code, began, answered, ended,
		why, message, reason, other, offers, moments, hung, by FROM call WHERE seq = ?`, s.seq).Scan(&c.ID, &c.From, &c.Name, &c.To, &c.Queue, &c.Account, &c.Callee, &c.Outside,
		&s.way, &c.Result, &c.Code, &began, &answered, &ended, &c.Why, &c.Message, &s.said, &other, &offers, &moments, &c.HungUp, &c.TransferredBy)
	if err == nil && offers != "" {
		err = json.Unmarshal([]byte(offers), &c.Offers)
	}
	if err == nil && moments != "" {
		err = json.Unmarshal([]byte(moments), &c.Moments)
	}
	c.Began, c.Answered, c.Ended, s.other = micro(began), timeOf(answered.Int64), micro(ended), other.String
	return err
}

// phones reads what phones told of it.
func (s *story) phones(ctx context.Context, where string, args ...any) error {
	return s.r.each(ctx, `SELECT account, name, peer, queue, outcome, note, began, answered, ended, noted, inbound, outside FROM phone_call
		WHERE `+where+` ORDER BY began, account LIMIT 50`, args, func(rows *sql.Rows) error {
		var c phoneCall
		err := rows.Scan(&c.account, &c.name, &c.peer, &c.queue, &c.outcome, &c.note, &c.began, &c.answered, &c.ended, &c.noted, &c.inbound, &c.outside)
		s.told = append(s.told, c)
		return err
	})
}

// fromPhone makes a record of what a phone told: no exchange of ours had the call.
func (s *story) fromPhone() {
	if len(s.told) == 0 {
		return
	}
	c := s.told[0]
	s.rec = exchange.CallRecord{ID: c.name, To: c.peer, Queue: c.queue, Account: c.account, Outside: c.outside, Began: micro(c.began),
		Answered: timeOf(c.answered.Int64), Ended: timeOf(c.ended.Int64)}
	switch s.way = inside; {
	case c.inbound:
		s.rec.From, s.rec.To = c.peer, c.queue
		if c.outside {
			s.way = inbound
		}
	case c.outside:
		s.way = outbound
	}
	switch {
	case c.answered.Valid:
		s.rec.Result = "answered"
	case c.ended.Valid:
		s.rec.Result = "missed"
	}
}

// people are the accounts that had to do with the call.
func (s *story) people() []string {
	all := []string{s.rec.Account, s.other}
	for _, o := range s.rec.Offers {
		all = append(all, o.Account)
	}
	for _, c := range s.told {
		all = append(all, c.account)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(a string) bool { return a == "" })
}

func (s *story) mayKnow() bool {
	return slices.ContainsFunc(s.people(), s.v.Sees) || s.rec.Queue != "" && s.v.Queue(s.rec.Queue)
}

// name learns what the people are called who are named in it.
func (s *story) name(ctx context.Context) error {
	all := s.people()
	for _, m := range s.rec.Moments {
		all = append(all, m.By, m.To)
	}
	for _, o := range s.rec.Offers {
		all = slices.AppendSeq(all, maps.Keys(o.Passed))
	}
	for _, a := range s.heard {
		all = append(all, a.by)
	}
	list, err := json.Marshal(append(all, s.rec.TransferredBy))
	if err != nil {
		return err
	}
	return s.r.each(ctx, `SELECT id, coalesce(data ->> '$.name', '') FROM setting WHERE kind = ? AND id IN (SELECT value FROM json_each(?))`,
		[]any{roster.KindAccount, string(list)}, func(rows *sql.Rows) error {
			var id, name string
			err := rows.Scan(&id, &name)
			s.names[id] = name
			return err
		})
}

// called is a person's name, or a number.
func (s *story) called(account string) string {
	if name := s.names[account]; name != "" {
		return name
	}
	return account
}
