package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// KindCalls is the kind of the entity whose events are the calls that ended, one each: exchange.CallRecord.
const KindCalls = "calls"

// errUnreadable is an event that is not of the form its kind has.
var errUnreadable = errors.New("event cannot be read")

// projector puts events into the tables.
type projector struct {
	conn *sql.Conn
	made map[string]*sql.Stmt // by their text
	open map[string]span      // by account
	// calls that phones have now, by account and the phone's name for them
	calls map[string]map[string]ringing
	past  past
}

// stmt prepares a statement once.
func (p *projector) stmt(query string) (*sql.Stmt, error) {
	if s := p.made[query]; s != nil {
		return s, nil
	}
	s, err := p.conn.PrepareContext(context.Background(), query)
	if err == nil {
		p.made[query] = s
	}
	return s, err
}

func (p *projector) exec(query string, args ...any) error {
	_, err := p.add(query, args...)
	return err
}

// add is exec, and gives the row that was inserted.
func (p *projector) add(query string, args ...any) (row int64, err error) {
	s, err := p.stmt(query)
	if err != nil {
		return 0, err
	}
	done, err := s.Exec(args...)
	if err != nil {
		return 0, err
	}
	return done.LastInsertId()
}

// project puts one event into the tables.
func (p *projector) project(e ledger.Event) error {
	kind, id, ok := ledger.Split(e.Subject)
	switch {
	case !ok:
		return nil // of a later version of ours
	case kind == KindCalls:
		return p.call(e)
	case kind == roster.KindNote:
		return p.remark(id, e)
	case kind == roster.KindAgent:
		var agent roster.Agent // of a removed one all is zero: signed out
		if err := read(e, &agent); err != nil {
			return err
		}
		then := e
		if !agent.Told.IsZero() {
			then.At = agent.Told
		}
		if err := errors.Join(p.spans(id, agent, e), p.sound(id, agent.Sound), p.phoneCalls(id, agent.Calls, then), p.face(id, agent, e)); err != nil {
			return err
		}
	case kind == KindAway:
		return p.away(e)
	case kind == roster.KindAttend:
		if err := p.attend(id, e); err != nil {
			return err
		}
	case kind == roster.KindSeat || kind == roster.KindStatus:
		if err := p.plan(kind, id, e); err != nil {
			return err
		}
	}
	return p.audit(e, kind, id)
}

func read(e ledger.Event, into any) error {
	if err := json.Unmarshal(e.Data, into); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return nil
}
