package report

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// story is a call while its timeline is made.
type story struct {
	r     *Report
	v     Viewer
	seq   int64 // the exchange's row; 0: there is none
	live  bool  // it is not over
	rec   exchange.CallRecord
	way   string // its direction
	said  string // why it was missed
	other string // account of the called terminal among ourselves
	told  []phoneCall
	heard []hearing
	names map[string]string // of accounts
	lines []wire.TimelineLine
}

// phoneCall is what one phone told of the call.
type phoneCall struct {
	account, name, peer, queue, outcome, note string
	began                                     int64
	answered, ended, noted                    sql.NullInt64
	inbound, outside                          bool
}

// hearing is a supervisor's part in it.
type hearing struct {
	by, account, mode string
	began, ended      int64
}

// around is how long before a call's begin and after its end changes of status belong to its story, and statusMost how many.
const (
	around     = time.Minute
	statusMost = 60
)

// story finds the call and tells it, as far as the viewer may know it.
func (r *Report) story(ctx context.Context, v Viewer, id string, live []exchange.CallRecord) (wire.Timeline, error) {
	s := &story{r: r, v: v, names: map[string]string{}, lines: []wire.TimelineLine{}}
	if err := s.find(ctx, id, live); err != nil {
		return wire.Timeline{}, err
	}
	if !s.mayKnow() {
		return wire.Timeline{}, wire.Problem{Code: wire.ProblemForbidden}
	}
	if err := errors.Join(s.hearings(ctx), s.name(ctx)); err != nil {
		return wire.Timeline{}, err
	}
	facts := s.facts()
	if err := errors.Join(s.sound(ctx, &facts), s.statuses(ctx)); err != nil {
		return wire.Timeline{}, err
	}
	s.begin()
	s.moments()
	s.offers()
	s.supervised()
	s.notes()
	s.end(facts)
	slices.SortStableFunc(s.lines, func(a, b wire.TimelineLine) int { return a.At.Compare(b.At) })
	return wire.Timeline{Call: id, Lines: s.lines, Facts: &facts}, nil
}

// until is when the story ends.
func (s *story) until() time.Time {
	if s.rec.Ended.IsZero() {
		return s.r.now()
	}
	return s.rec.Ended
}

func (s *story) facts() wire.CallFacts {
	c := s.rec
	f := wire.CallFacts{ID: c.ID, Direction: s.way, From: c.From, Name: c.Name, To: c.To, Queue: c.Queue, Account: c.Account, Agent: s.called(c.Account), Result: c.Result,
		Reason: s.said, Began: c.Began, Answered: c.Answered, Ended: c.Ended, Outside: c.Outside, Code: c.Code, Message: c.Message, HungUp: c.HungUp}
	for _, m := range c.Moments {
		switch m.What {
		case "hold":
			f.Holds++
		case "transferred":
			f.SentTo = s.called(m.To)
		}
	}
	if c.TransferredBy != "" {
		f.SentBy = s.called(c.TransferredBy)
	}
	for _, o := range c.Offers {
		offer := wire.CallOffer{Account: o.Account, Agent: s.called(o.Account), At: o.At, Took: int64(o.Took), Result: o.Result, Why: o.Why}
		if o.Receipt > 0 {
			offer.Rang = o.At.Add(time.Duration(o.Receipt) * time.Millisecond)
		}
		for account, lack := range o.Passed {
			if !s.v.Sees(account) {
				continue
			}
			if offer.Passed == nil {
				offer.Passed, offer.Names = map[string]string{}, map[string]string{}
			}
			offer.Passed[account], offer.Names[account] = lack, s.called(account)
		}
		f.Offers = append(f.Offers, offer)
	}
	return f
}

// sound is how the agent's phone reported that the call sounded.
func (s *story) sound(ctx context.Context, f *wire.CallFacts) error {
	if s.seq == 0 {
		return nil
	}
	var at int64
	var q wire.CallSound
	err := s.r.db.QueryRowContext(ctx, "SELECT s.ended, s.mos, s.loss, s.jitter, s.delay FROM call JOIN sound s ON s.rowid = "+soundOf+" WHERE seq = ?", s.seq).
		Scan(&at, &q.MOS, &q.Loss, &q.Jitter, &q.Delay)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		f.Sound = &q
		s.add(micro(at), "sound", holes{"mos": strconv.FormatFloat(q.MOS, 'f', 2, 64), "loss": strconv.FormatFloat(q.Loss, 'f', 1, 64),
			"jitter": strconv.FormatFloat(q.Jitter, 'f', 0, 64), "delay": strconv.FormatFloat(q.Delay, 'f', 0, 64)})
	}
	return err
}

type holes = map[string]string

// add puts in a line; holes without a word are left out.
func (s *story) add(at time.Time, title string, h holes) {
	maps.DeleteFunc(h, func(_, word string) bool { return word == "" })
	s.lines = append(s.lines, wire.TimelineLine{At: at, Kind: "center", Title: title, Holes: h})
}

func (s *story) begin() {
	c := s.rec
	switch s.way {
	case inbound:
		s.add(c.Began, "came in", holes{"number": c.From, "to": c.To})
	case outbound:
		s.add(c.Began, "dialled out", holes{"who": s.called(c.Account), "number": c.To})
	default:
		s.add(c.Began, "dialled", holes{"who": c.From, "number": c.To})
	}
}

// moments are what happened beside offers.
func (s *story) moments() {
	caller := s.rec.Name
	if caller == "" {
		caller = s.rec.From
	}
	for _, m := range s.rec.Moments {
		by := s.called(m.By)
		if by == "" {
			by = caller
		}
		h := holes{"by": by}
		switch m.What {
		case "queued":
			h = holes{"queue": m.To, "place": strconv.Itoa(m.Place)}
		case "rings":
			h = holes{"who": s.called(m.To), "ms": strconv.Itoa(m.Took)}
		case "transfer", "transferred":
			h["to"] = s.called(m.To)
		case "untransferred":
			h["code"] = strconv.Itoa(m.Code)
		case "restart":
			h = nil
		}
		s.add(m.At, "call "+m.What, h)
	}
}

func (s *story) offers() {
	for _, o := range s.rec.Offers {
		who := s.called(o.Account)
		title := "offered"
		if o.Why != "" {
			title += ": " + o.Why
		}
		h := holes{"who": who}
		if len(o.Passed) > 0 {
			h["passed"] = strconv.Itoa(len(o.Passed))
		}
		s.add(o.At, title, h)
		if o.Receipt > 0 {
			s.add(o.At.Add(time.Duration(o.Receipt)*time.Millisecond), "call rings", holes{"who": who, "ms": strconv.Itoa(o.Receipt)})
		}
		if o.Result != "" {
			h := holes{"who": who}
			if o.Code > 0 {
				h["code"] = strconv.Itoa(o.Code)
			}
			s.add(o.At.Add(time.Duration(o.Took)*time.Millisecond), "offer "+o.Result, h)
		}
	}
}

// statuses are what the people in it were in around it.
func (s *story) statuses(ctx context.Context) error {
	for _, account := range s.people() {
		if !s.v.Sees(account) {
			continue
		}
		err := s.r.each(ctx, "SELECT status, began, actor, why FROM status_span WHERE account = ? AND began BETWEEN ? AND ? ORDER BY began LIMIT ?",
			[]any{account, s.rec.Began.Add(-around).UnixMicro(), s.until().Add(around).UnixMicro(), statusMost}, func(rows *sql.Rows) error {
				var status, actor, why string
				var at int64
				err := rows.Scan(&status, &at, &actor, &why)
				h := holes{"who": s.called(account), "status": status, "why": why}
				if actor != account && actor != "system" {
					h["by"] = s.called(actor)
				}
				s.add(micro(at), "status", h)
				return err
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// hearings reads who attended.
func (s *story) hearings(ctx context.Context) error {
	for _, account := range s.people() {
		err := s.r.each(ctx, "SELECT supervisor, account, mode, began, ended FROM attend WHERE account = ? AND began > 0 AND began <= ? AND (ended = 0 OR ended >= ?) LIMIT 20",
			[]any{account, s.until().UnixMicro(), s.rec.Began.UnixMicro()}, func(rows *sql.Rows) error {
				var a hearing
				err := rows.Scan(&a.by, &a.account, &a.mode, &a.began, &a.ended)
				s.heard = append(s.heard, a)
				return err
			})
		if err != nil {
			return err
		}
	}
	return nil
}

// supervised tells of them: whoever attended before the call began did so from its begin.
func (s *story) supervised() {
	for _, a := range s.heard {
		h := func() holes { return holes{"by": s.called(a.by), "who": s.called(a.account), "mode": a.mode} }
		s.add(latest(s.rec.Began, micro(a.began)), "attended", h())
		if end := s.until(); a.ended > 0 && micro(a.ended).Before(end) {
			s.add(micro(a.ended), "attended no more", h())
		}
	}
}

func (s *story) notes() {
	for _, c := range s.told {
		if c.noted.Valid && (c.outcome != "" || c.note != "") && s.v.Sees(c.account) {
			s.add(micro(c.noted.Int64), "noted", holes{"who": s.called(c.account), "outcome": c.outcome, "text": c.note})
		}
	}
}

// end tells of the answer and the end.
func (s *story) end(f wire.CallFacts) {
	c := s.rec
	if !c.Answered.IsZero() {
		who := f.Agent
		switch {
		case s.way == outbound:
			who = c.To
		case s.other != "":
			who = s.called(s.other)
		}
		s.add(c.Answered, "answered", holes{"who": who})
	}
	switch {
	case s.live || c.Ended.IsZero():
	case c.Message != "":
		s.add(c.Ended, "left a message", nil)
	case c.HungUp != "":
		s.add(c.Ended, "hung up: "+c.HungUp, holes{"who": f.Agent})
	case !c.Answered.IsZero():
		s.add(c.Ended, "over", nil)
	default:
		h := holes{"reason": s.said}
		if c.Code > 0 {
			h["code"] = strconv.Itoa(c.Code)
		}
		s.add(c.Ended, "not taken", h)
	}
}
