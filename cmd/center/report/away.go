package report

import (
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// KindAway is the kind of the entity whose events are the times in which the center was away, one each: Away.
const KindAway = "away"

// Away is what a center that starts says of the time before.
type Away struct {
	From  time.Time `json:"from"` // it was seen alive for the last time
	Until time.Time `json:"until"`
}

// away keeps that the center was away.
func (p *projector) away(e ledger.Event) error {
	if string(e.Data) == "null" {
		return nil
	}
	var a Away
	if err := read(e, &a); err != nil {
		return err
	}
	if !a.From.Before(a.Until) {
		return nil
	}
	return p.exec("INSERT INTO away (began, ended) VALUES (?,?)", a.From.UnixMicro(), a.Until.UnixMicro())
}

// attend keeps what has become of a supervisor's part in a conversation.
func (p *projector) attend(supervisor string, e ledger.Event) error {
	if string(e.Data) == "null" {
		return nil
	}
	var a roster.Attendance
	if err := read(e, &a); err != nil {
		return err
	}
	return p.exec(`INSERT INTO attend (supervisor, asked, account, mode, began, ended, why) VALUES (?,?,?,?,?,?,?)
		ON CONFLICT DO UPDATE SET mode = excluded.mode, began = excluded.began, ended = excluded.ended, why = excluded.why`,
		supervisor, a.Asked.UnixMicro(), a.Account, a.Mode, sinceOf(a.Begun), sinceOf(a.Ended), a.Why)
}
