package report

import (
	"database/sql"
	"encoding/json"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// KindCalls is the kind of the entity whose events are the calls that ended, one each: exchange.CallRecord.
const KindCalls = "calls"

// project puts one event into the tables.
func project(tx *sql.Tx, e ledger.Event) error {
	kind, id, ok := ledger.Split(e.Subject)
	if !ok {
		return nil // of a later version of ours
	}
	var agent roster.Agent
	if kind == roster.KindAgent {
		if err := json.Unmarshal(e.Data, &agent); err != nil {
			return err
		}
		if err := span(tx, id, agent, e.At); err != nil {
			return err
		}
	}
	if kind == KindCalls {
		return call(tx, e)
	}
	_, err := tx.Exec("INSERT INTO event (seq, at, kind, id, status, seat, actor, why) VALUES (?,?,?,?,?,?,?,?)",
		e.Seq, e.At.UnixMicro(), kind, id, agent.Status, agent.Seat, e.By, e.Why)
	return err
}

// span ends the account's open span when its status has changed, and begins the next. Minutes without a connection are
// counted from the loss, not from when it was noticed.
func span(tx *sql.Tx, account string, a roster.Agent, at time.Time) error {
	status := a.Status
	switch {
	case a.Session == nil || status == wire.StatusOff:
		status = ""
	case !a.LostAt.IsZero():
		status = wire.StatusLost
	}
	var open string
	var began int64
	err := tx.QueryRow("SELECT status, began FROM status_span WHERE account = ? AND ended IS NULL", account).Scan(&open, &began)
	if err != nil && err != sql.ErrNoRows {
		return err
	}
	if open == status {
		return nil
	}
	when := at.UnixMicro()
	if status == wire.StatusLost {
		when = max(began, min(when, a.LostAt.UnixMicro()))
	}
	if open != "" {
		if _, err := tx.Exec("UPDATE status_span SET ended = ? WHERE account = ? AND ended IS NULL", when, account); err != nil {
			return err
		}
	}
	if status == "" {
		return nil
	}
	_, err = tx.Exec("INSERT INTO status_span (account, status, began) VALUES (?,?,?)", account, status, when)
	return err
}

func call(tx *sql.Tx, e ledger.Event) error {
	var r exchange.CallRecord
	if err := json.Unmarshal(e.Data, &r); err != nil {
		return err
	}
	var answered any
	if !r.Answered.IsZero() {
		answered = r.Answered.UnixMicro()
	}
	_, err := tx.Exec(`INSERT INTO call (seq, id, caller, name, called, queue, account, callee, outside, result, code, began, answered, ended)
		VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		e.Seq, r.ID, r.From, r.Name, r.To, r.Queue, r.Account, r.Callee, r.Outside, r.Result, r.Code,
		r.Began.UnixMicro(), answered, r.Ended.UnixMicro())
	return err
}
