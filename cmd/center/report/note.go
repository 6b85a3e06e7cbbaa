package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// What phones tell of their calls, and what agents write about them. A phone knows a call by another name than the exchange, so a row of
// phone_call is tied to the exchange's row when that comes, and notes stand with the phone's.

// ringing is a phone's call that is not over.
type ringing struct {
	began, answered int64
	peer, queue     string
}

// aside is how far apart phone and exchange may be about a call's begin, and closing how long after its end a phone may have heard of it.
const (
	aside   = 20 * time.Second
	closing = 5 * time.Second
	astray  = 2 * time.Minute // of a phone's clock
)

// phoneCalls keeps what an agent's event says of the calls there.
func (p *projector) phoneCalls(account string, calls []roster.Call, e ledger.Event) error {
	open := p.calls[account]
	if len(open) == 0 && len(calls) == 0 {
		return nil
	}
	if open == nil {
		open = map[string]ringing{}
		p.calls[account] = open
	}
	for name, was := range open {
		if slices.ContainsFunc(calls, func(c roster.Call) bool { return c.ID == name && c.Began.UnixMicro() == was.began }) {
			continue
		}
		delete(open, name)
		if err := p.exec("UPDATE phone_call SET ended = ? WHERE account = ? AND began = ? AND name = ?", max(e.At.UnixMicro(), was.began), account, was.began, name); err != nil {
			return err
		}
	}
	for _, c := range calls {
		if err := p.phoneCall(account, c, open); err != nil {
			return err
		}
	}
	if len(open) == 0 {
		delete(p.calls, account)
	}
	return nil
}

func (p *projector) phoneCall(account string, c roster.Call, open map[string]ringing) error {
	is := ringing{began: c.Began.UnixMicro(), peer: c.Peer, queue: c.Queue}
	var answered any
	if !c.Answered.IsZero() {
		is.answered = c.Answered.UnixMicro()
		answered = is.answered
	}
	was, there := open[c.ID]
	open[c.ID] = is
	switch {
	case there && was == is:
		return nil
	case there:
		return p.exec("UPDATE phone_call SET answered = ?, peer = ?, queue = ? WHERE account = ? AND began = ? AND name = ?", answered, is.peer, is.queue, account, is.began, c.ID)
	}
	err := p.exec(`INSERT INTO phone_call (account, began, name, center, answered, inbound, outside, peer, queue) VALUES (?,?,?,?,?,?,?,?,?)
		ON CONFLICT DO UPDATE SET answered = excluded.answered, peer = excluded.peer, queue = excluded.queue, ended = NULL`,
		account, is.began, c.ID, c.Center, answered, c.Inbound, c.Outside, is.peer, is.queue)
	if err != nil {
		return err
	}
	return p.exec(tieLate, account, is.began, c.ID, c.Center, is.peer, aside.Microseconds(), closing.Microseconds())
}

// tieLate ties a phone's call that the exchange has written down already: of one that fails at once the phone may tell afterwards. It is one
// of the last that ended, with the same number at the other end, and no other call of that phone was it.
const tieLate = `UPDATE phone_call SET call = (SELECT seq FROM (SELECT * FROM call ORDER BY seq DESC LIMIT 50) c
	WHERE ?2 BETWEEN c.began - ?6 AND c.ended + ?7 AND ?5 IN (c.caller, c.called, c.callee) AND (c.by != '' OR ?4 IN ('', c.id))
	AND (c.account = ?1 OR c.other = ?1 OR EXISTS (SELECT 1 FROM json_each(nullif(c.offers, '')) o WHERE o.value ->> 'account' = ?1))
	AND NOT EXISTS (SELECT 1 FROM phone_call q WHERE q.account = ?1 AND q.began >= c.began - ?6 AND q.call = c.seq)
	ORDER BY c.id != ?4, abs(c.began - ?2), c.seq LIMIT 1) WHERE account = ?1 AND began = ?2 AND name = ?3 AND call IS NULL`

// callsOpen are the phones' calls to go on with.
func (r *Report) callsOpen(ctx context.Context) (map[string]map[string]ringing, error) {
	open := map[string]map[string]ringing{}
	err := r.each(ctx, "SELECT account, name, began, coalesce(answered, 0), peer, queue FROM phone_call WHERE ended IS NULL", nil, func(rows *sql.Rows) error {
		var account, name string
		var c ringing
		if err := rows.Scan(&account, &name, &c.began, &c.answered, &c.peer, &c.queue); err != nil {
			return err
		}
		if open[account] == nil {
			open[account] = map[string]ringing{}
		}
		open[account][name] = c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("calls of phones: %w", err)
	}
	return open, nil
}

// tie finds the phones' calls that a call of the exchange was: of each agent that had to do with it one, with the same number at the
// other end rather than another, and near in time; by the exchange's own name for it where it told the phone that, and nobody has
// sent the call on.
func (p *projector) tie(seq ledger.Seq, r exchange.CallRecord, other any) error {
	people := []string{r.Account}
	if account, ok := other.(string); ok {
		people = append(people, account)
	}
	for _, o := range r.Offers {
		people = append(people, o.Account)
	}
	slices.Sort(people)
	for _, account := range slices.Compact(people) {
		if account == "" {
			continue
		}
		near := r.Began
		for _, o := range r.Offers {
			if o.Account == account {
				near = o.At
			}
		}
		err := p.exec(`UPDATE phone_call SET call = ?1 WHERE account = ?2 AND (began, name) = (SELECT began, name FROM phone_call
			WHERE account = ?2 AND began BETWEEN ?3 AND ?4 AND call IS NULL AND (?10 OR center IN ('', ?9))
			ORDER BY center != ?9, peer NOT IN (?5, ?6, ?7), abs(began - ?8), name LIMIT 1)`,
			seq, account, r.Began.Add(-aside).UnixMicro(), r.Ended.Add(closing).UnixMicro(), r.From, r.To, r.Callee, near.UnixMicro(), r.ID, r.TransferredBy != "")
		if err != nil {
			return err
		}
	}
	return nil
}

// remark keeps what an agent wrote; of two notes the later counts, whenever they come.
func (p *projector) remark(account string, e ledger.Event) error {
	if string(e.Data) == "null" {
		return nil
	}
	var n roster.Note
	if err := read(e, &n); err != nil {
		return err
	}
	find, err := p.stmt(`SELECT began, name, outcome, note, noted FROM phone_call WHERE account = ?1 AND name = ?2 ORDER BY began > ?3, began DESC LIMIT 1`)
	if id, ok := strings.CutPrefix(n.Call, wire.CenterCall); ok && err == nil {
		if err := p.known(account, id, n.Call); err != nil {
			return err
		}
		find, err = p.stmt(`SELECT began, name, outcome, note, noted FROM phone_call WHERE account = ?1 AND call = ` + byID + ` AND ?3 > 0`)
		n.Call = id
	}
	if err != nil {
		return err
	}
	var began int64
	var name, outcome, text string
	var noted sql.NullInt64
	err = find.QueryRow(account, n.Call, n.At.Add(astray).UnixMicro()).Scan(&began, &name, &outcome, &text, &noted)
	at := n.At.UnixMicro()
	if errors.Is(err, sql.ErrNoRows) || err == nil && noted.Valid && noted.Int64 >= at {
		return nil
	}
	if err != nil {
		return err
	}
	if noted.Valid {
		if err := p.rewritten(account, e, outcome, text, n); err != nil {
			return err
		}
	}
	return p.exec("UPDATE phone_call SET outcome = ?, note = ?, noted = ? WHERE account = ? AND began = ? AND name = ?", n.Outcome, n.Text, at, account, began, name)
}

// byID is the exchange's row of a call by its name, ?2; of two the newer. Backwards, since there is no index while the tables are made
// anew, and what is written about is a day old at most.
const byID = `(SELECT seq FROM call WHERE id = ?2 ORDER BY seq DESC LIMIT 1)`

// known has a row for a call of the exchange that no phone of the account has told of: one that was missed while it was signed out, or
// answered by a telephone without a phone of ours beside it.
func (p *projector) known(account, id, name string) error {
	return p.exec(`INSERT INTO phone_call (account, began, name, answered, ended, inbound, outside, peer, queue, call)
		SELECT ?1, began, ?3, iif(account = ?1 OR other = ?1, answered, NULL), ended, account != ?1 OR direction = 'in', outside, iif(account != ?1 OR direction = 'in', caller, called), queue, seq
		FROM call WHERE seq = `+byID+` AND NOT EXISTS (SELECT 1 FROM phone_call q WHERE q.call = seq AND q.account = ?1) ON CONFLICT DO NOTHING`, account, id, name)
}

// rewritten notes what a note was before.
func (p *projector) rewritten(account string, e ledger.Event, outcome, text string, n roster.Note) error {
	quoted := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b } // strings always can
	fields := difference(map[string]json.RawMessage{"outcome": quoted(outcome), "text": quoted(text)}, map[string]json.RawMessage{"outcome": quoted(n.Outcome), "text": quoted(n.Text)})
	if len(fields) == 0 {
		return nil
	}
	return p.note(e, roster.KindNote, account, "changed", fields)
}

// OwnCall says whether a phone of the account has told of that call, or the account made it or was offered it where the name is the
// center's (wire.CenterCall before it), and it was not over before since. queue is the name of its queue, if it came by one. An error is
// not for good: the reports are not as far as the log.
func (r *Report) OwnCall(ctx context.Context, account, call string, since time.Time) (queue string, own bool, err error) {
	query := `SELECT queue FROM phone_call WHERE account = ?1 AND name = ?2 AND coalesce(ended, ?3) >= ?3 ORDER BY began DESC LIMIT 1`
	id, center := strings.CutPrefix(call, wire.CenterCall)
	if center {
		query = `SELECT queue FROM call WHERE began >= ?3 - 86400000000 AND id = ?2 AND ended >= ?3 AND (account = ?1 OR other = ?1
			OR seq IN (SELECT call FROM offer WHERE account = ?1 AND at >= ?3 - 86400000000)) ORDER BY seq DESC LIMIT 1`
	}
	for _, wait := range []bool{false, true} {
		if wait {
			r.catchUp(ctx)
		}
		err := r.db.QueryRowContext(ctx, query, account, id, since.UnixMicro()).Scan(&queue)
		if !errors.Is(err, sql.ErrNoRows) {
			return queue, err == nil, err
		}
	}
	if lag, err := r.Lag(ctx); err != nil || lag > 0 {
		return "", false, errors.Join(err, fmt.Errorf("the reports are %d events behind", lag))
	}
	return "", false, nil
}

// Remark is what an agent wrote about a call.
type Remark struct {
	Account string    `json:"account"`
	Outcome string    `json:"outcome,omitempty"` // roster.Outcome.ID
	Text    string    `json:"text,omitempty"`
	At      time.Time `json:"at"`
}

// remarksOf are those of a call, as JSON with times in µs; NULL there are none.
const remarksOf = `(SELECT json_group_array(json_array(p.account, p.outcome, p.note, p.noted)) FROM (SELECT * FROM phone_call q
	WHERE q.call = call.seq AND q.noted IS NOT NULL AND (q.outcome != '' OR q.note != '') ORDER BY q.noted, q.account) p HAVING count(*) > 0)`

func remarks(text string) (all []Remark, err error) {
	var rows [][]any
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	for _, c := range rows {
		r := Remark{}
		r.Account, _ = c[0].(string)
		r.Outcome, _ = c[1].(string)
		r.Text, _ = c[2].(string)
		at, _ := c[3].(float64)
		r.At = micro(int64(at))
		all = append(all, r)
	}
	return all, nil
}

// remarkCells are the outcomes and texts of a call, of several agents with their names.
func remarkCells(all []Remark) []string {
	var outcomes, texts []string
	for _, r := range all {
		if r.Outcome != "" {
			outcomes = append(outcomes, r.Outcome)
		}
		if r.Text != "" && len(all) > 1 {
			r.Text = r.Account + ": " + r.Text
		}
		if r.Text != "" {
			texts = append(texts, r.Text)
		}
	}
	return []string{strings.Join(outcomes, " "), strings.Join(texts, "\n")}
}

// OutcomeRow is how many calls of an agent ended in a way. Outcome "" are answered calls of which nobody said.
type OutcomeRow struct {
	Outcome string  `json:"outcome"`
	Queue   string  `json:"queue"` // "" of none
	Account string  `json:"account"`
	Calls   int     `json:"calls"`
	Talk    float64 `json:"talkSeconds"`
}

var outcomeColumns = []string{"outcome", "queue", "account", "calls", "talk_seconds"}

func (o OutcomeRow) cells(*time.Location) []string {
	return []string{o.Outcome, o.Queue, o.Account, strconv.Itoa(o.Calls), whole(o.Talk)}
}

// Outcomes counts how calls ended that began in the period, as the agents said (query: account, queue, outcome).
func (r *Report) Outcomes(ctx context.Context, a ask) ([]OutcomeRow, string, error) {
	all := []OutcomeRow{}
	err := r.each(ctx, `SELECT outcome, queue, account, count(*), coalesce(sum(max(coalesce(ended, ?7) - answered, 0)), 0) / 1e6 FROM phone_call
		WHERE began >= ?4 AND began < ?5 AND (outcome != '' OR answered IS NOT NULL AND ended IS NOT NULL)
		AND (?1 OR account IN (SELECT value FROM json_each(?2)) OR queue != '' AND queue IN (SELECT value FROM json_each(?3)))
		AND (?6 = '' OR account = ?6) AND (?8 = '' OR queue = ?8) AND (?9 = '' OR outcome = ?9)
		GROUP BY outcome, queue, account ORDER BY outcome = '', outcome, queue, account`,
		[]any{a.scope.All, a.people, a.queues, a.from.UnixMicro(), a.to.UnixMicro(), a.get("account"), a.now.UnixMicro(), a.get("queue"), a.get("outcome")}, func(rows *sql.Rows) error {
			var o OutcomeRow
			err := rows.Scan(&o.Outcome, &o.Queue, &o.Account, &o.Calls, &o.Talk)
			all = append(all, o)
			return err
		})
	return cut(a, all, err)
}
