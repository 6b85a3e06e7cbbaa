package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// CallRow is a call that ended.
type CallRow struct {
	Began     time.Time `json:"began"`
	Caller    string    `json:"caller"`
	Name      string    `json:"name"`
	Called    string    `json:"called"`
	Queue     string    `json:"queue"`
	Account   string    `json:"account"`
	Callee    string    `json:"callee"`
	Outside   bool      `json:"outside"`
	Direction string    `json:"direction"` // in, out, inside
	Result    string    `json:"result"`
	Code      int       `json:"code"`
	Wait      float64   `json:"waitSeconds"` // until the answer or the end
	Talk      float64   `json:"talkSeconds"`
	Sound     *Sound    `json:"sound,omitempty"`

	Why     string          `json:"why,omitempty"`     // why no agent had it: closed, holiday, empty, full, late
	Reason  string          `json:"reason,omitempty"`  // why it was missed; see MissedRow
	Message string          `json:"message,omitempty"` // the recording that the caller left, see /api/v1/recordings
	Offers  json.RawMessage `json:"offers,omitempty"`  // to agents, a list of exchange.OfferRecord
	Remarks []Remark        `json:"remarks,omitempty"` // what agents wrote about it
}

var callColumns = []string{"began", "caller", "name", "called", "queue", "account", "callee", "outside", "result", "code", "wait_seconds", "talk_seconds",
	"mos", "loss_percent", "jitter_ms", "delay_ms", "why", "message", "direction", "reason", "outcome", "note"}

func (c CallRow) cells(zone *time.Location) []string {
	return slices.Concat(append(append([]string{stamp(c.Began, zone), c.Caller, c.Name, c.Called, c.Queue, c.Account, c.Callee,
		strconv.FormatBool(c.Outside), c.Result, strconv.Itoa(c.Code), whole(c.Wait), whole(c.Talk)}, c.Sound.cells()...), c.Why, c.Message, c.Direction, c.Reason), remarkCells(c.Remarks))
}

// seen is the condition on calls for a scope: ?1 all, ?2 people, ?3 queues.
const seen = `(?1 OR call.account IN (SELECT value FROM json_each(?2)) OR call.queue != '' AND call.queue IN (SELECT value FROM json_each(?3))
	OR EXISTS (SELECT 1 FROM offer WHERE offer.call = call.seq AND offer.account IN (SELECT value FROM json_each(?2))))`

// Calls are the calls that began in the period, the newest first (query: account, queue, caller, result, direction, outcome).
func (r *Report) Calls(ctx context.Context, a ask) ([]CallRow, string, error) {
	at, seq, err := a.after()
	if err != nil {
		return nil, "", err
	}
	all, last, next := []CallRow{}, "", ""
	err = r.each(ctx, `
		SELECT seq, began, caller, name, called, queue, call.account, callee, outside, direction, result, code,
		       (coalesce(answered, call.ended) - began) / 1e6, (call.ended - coalesce(answered, call.ended)) / 1e6, mos, loss, jitter, delay,
		       why, reason, message, offers, coalesce(`+remarksOf+`, '')
		FROM call LEFT JOIN sound ON sound.rowid = `+soundOf+`
		WHERE `+seen+` AND began >= ?4 AND began < ?5 AND (began, seq) < (?6, ?7) AND (?8 = '' OR call.account = ?8) AND (?9 = '' OR queue = ?9)
		AND (?10 = '' OR caller = ?10) AND (?11 = '' OR result = ?11) AND (?12 = '' OR direction = ?12)
		AND (?13 = '' OR EXISTS (SELECT 1 FROM phone_call q WHERE q.call = call.seq AND q.outcome = ?13)) ORDER BY began DESC, seq DESC LIMIT ?14`,
		[]any{a.scope.All, a.people, a.queues, a.from.UnixMicro(), a.to.UnixMicro(), at, seq, a.get("account"), a.get("queue"),
			a.get("caller"), a.get("result"), a.get("direction"), a.get("outcome"), a.limit + 1}, func(rows *sql.Rows) error {
			if len(all) == a.limit {
				next = last
				return nil
			}
			c, began, seq, err := callRow(rows)
			all, last = append(all, c), cursorOf(began, seq)
			return err
		})
	return all, next, err
}

func callRow(rows *sql.Rows) (c CallRow, began, seq int64, err error) {
	var mos, loss, jitter, delay sql.NullFloat64
	var offers, said string
	err = rows.Scan(&seq, &began, &c.Caller, &c.Name, &c.Called, &c.Queue, &c.Account, &c.Callee, &c.Outside, &c.Direction, &c.Result, &c.Code, &c.Wait, &c.Talk,
		&mos, &loss, &jitter, &delay, &c.Why, &c.Reason, &c.Message, &offers, &said)
	if err == nil {
		c.Remarks, err = remarks(said)
	}
	if mos.Valid {
		c.Sound = &Sound{mos.Float64, loss.Float64, jitter.Float64, delay.Float64}
	}
	if offers != "" {
		c.Offers = json.RawMessage(offers)
	}
	c.Began = micro(began)
	return c, began, seq, err
}

// MissedRow is a call from outside, or of a queue, that nobody answered.
type MissedRow struct {
	Began   time.Time `json:"began"`
	Caller  string    `json:"caller"`
	Name    string    `json:"name"`
	Called  string    `json:"called"`
	Queue   string    `json:"queue"`
	Account string    `json:"account"` // to whom it was offered last, or whose number was called
	Wait    float64   `json:"waitSeconds"`
	// Reason: left (the caller gave up), nobody (no agent was free), unanswered, declined, silent (the phone did not prove that it
	// rings), unreached, refused, busy, closed, holiday, empty (nobody was signed in), full, late (it waited too long).
	Reason  string    `json:"reason"`
	Offers  int       `json:"offers"`
	Message string    `json:"message,omitempty"`
	Back    time.Time `json:"back,omitzero"` // since when it is settled: the next call with that number that was answered
}

var missedColumns = []string{"began", "caller", "name", "called", "queue", "account", "wait_seconds", "reason", "offers", "message", "back"}

func (m MissedRow) cells(zone *time.Location) []string {
	return []string{stamp(m.Began, zone), m.Caller, m.Name, m.Called, m.Queue, m.Account, whole(m.Wait), m.Reason, strconv.Itoa(m.Offers), m.Message, stamp(m.Back, zone)}
}

// settled is the next call with the number of a missed one, either way, that was answered, within 30 days.
const settled = `(SELECT min(b.began) FROM call b WHERE call.caller NOT IN ('', 'anonymous') AND b.answered IS NOT NULL
	AND b.began BETWEEN call.ended AND call.ended + 2592000000000
	AND (b.caller = call.caller OR b.called = call.caller AND b.direction != 'in'))`

// Missed are the missed calls that began in the period, the newest first (query: account, queue, caller, reason).
func (r *Report) Missed(ctx context.Context, a ask) ([]MissedRow, string, error) {
	at, seq, err := a.after()
	if err != nil {
		return nil, "", err
	}
	all, last, next := []MissedRow{}, "", ""
	err = r.each(ctx, `
		SELECT seq, began, caller, name, called, queue, account, (ended - began) / 1e6, reason, (SELECT count(*) FROM offer WHERE offer.call = call.seq), message,
		       `+settled+`
		FROM call WHERE reason != '' AND `+seen+` AND began >= ?4 AND began < ?5 AND (began, seq) < (?6, ?7)
		AND (?8 = '' OR account = ?8 OR EXISTS (SELECT 1 FROM offer WHERE offer.call = call.seq AND offer.account = ?8))
		AND (?9 = '' OR queue = ?9) AND (?10 = '' OR caller = ?10) AND (?11 = '' OR reason = ?11) ORDER BY began DESC, seq DESC LIMIT ?12`,
		[]any{a.scope.All, a.people, a.queues, a.from.UnixMicro(), a.to.UnixMicro(), at, seq, a.get("account"), a.get("queue"),
			a.get("caller"), a.get("reason"), a.limit + 1}, func(rows *sql.Rows) error {
			if len(all) == a.limit {
				next = last
				return nil
			}
			var m MissedRow
			var began, seq int64
			var back sql.NullInt64
			if err := rows.Scan(&seq, &began, &m.Caller, &m.Name, &m.Called, &m.Queue, &m.Account, &m.Wait, &m.Reason, &m.Offers, &m.Message, &back); err != nil {
				return err
			}
			if m.Began = micro(began); back.Valid {
				m.Back = micro(back.Int64)
			}
			all, last = append(all, m), cursorOf(began, seq)
			return nil
		})
	return all, next, err
}
