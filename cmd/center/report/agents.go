package report

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

// AgentRow is an agent's day, as far as the period reaches. Time is cut at midnight; a call counts whole where it began.
type AgentRow struct {
	Account  string             `json:"account"`
	Day      string             `json:"day"`      // YYYY-MM-DD on the clocks of the asked zone
	SignedIn float64            `json:"signedIn"` // seconds: the sum of Statuses
	Statuses map[string]float64 `json:"statuses"` // seconds by status
	Taken    int                `json:"taken"`    // calls from outside that were answered
	Made     int                `json:"made"`     // calls to outside that were answered
	TalkIn   float64            `json:"talkIn"`   // seconds
	TalkOut  float64            `json:"talkOut"`
	Work     float64            `json:"work"`     // seconds of after-call work
	Missed   int                `json:"missed"`   // offers that came to nothing at this agent's phone
	Declined int                `json:"declined"` // by hand
	// Outcomes is how many calls ended in which way, as the agent said, by roster.Outcome.ID. It may be more than Taken and Made: calls inside count too.
	Outcomes map[string]int `json:"outcomes,omitempty"`
	// Occupancy is the percentage of calls and after-call work in them and the time ready for calls; breaks do not count.
	Occupancy float64 `json:"occupancy"`
}

var agentColumns = []string{"account", "day", "signed_in", "available", "after_call_work", "break", "away", "ringing", "talking", "dialing", "lost", "own_statuses",
	"taken", "made", "talk_in", "talk_out", "missed", "declined", "occupancy_percent", "outcomes"}

// shownAlone are the statuses with a column of their own, in their order.
var shownAlone = []string{wire.StatusAvailable, wire.StatusWork, wire.StatusBreak, wire.StatusAway, wire.StatusRinging, wire.StatusTalking, wire.StatusDialing, wire.StatusLost}

func (r AgentRow) cells(*time.Location) []string {
	all, own := []string{r.Account, r.Day, whole(r.SignedIn)}, r.SignedIn
	for _, s := range shownAlone {
		all, own = append(all, whole(r.Statuses[s])), own-r.Statuses[s]
	}
	return append(all, whole(max(own, 0)), strconv.Itoa(r.Taken), strconv.Itoa(r.Made), whole(r.TalkIn), whole(r.TalkOut),
		strconv.Itoa(r.Missed), strconv.Itoa(r.Declined), strconv.FormatFloat(r.Occupancy, 'f', 1, 64), r.outcomes())
}

// outcomes are the calls by outcome in one cell: "gone 1, sold 3".
func (r AgentRow) outcomes() string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(r.Outcomes)) {
		all = append(all, id+" "+strconv.Itoa(r.Outcomes[id]))
	}
	return strings.Join(all, ", ")
}

// days are the rows while they are gathered.
type days struct {
	ask
	rows map[[2]string]*AgentRow
}

func (d *days) at(account string, t time.Time) *AgentRow {
	k := [2]string{account, t.In(d.zone).Format(time.DateOnly)}
	if d.rows[k] == nil {
		d.rows[k] = &AgentRow{Account: account, Day: k[1], Statuses: map[string]float64{}}
	}
	return d.rows[k]
}

// Agents are the days of agents in the period (query: account), by account and day. A day without a sign-in and a call has no row.
func (r *Report) Agents(ctx context.Context, a ask) ([]AgentRow, string, error) {
	d := &days{a, map[[2]string]*AgentRow{}}
	for _, gather := range []func(context.Context, *days) error{r.dayStatus, r.dayCalls, r.dayOffers, r.dayOutcomes} {
		if err := gather(ctx, d); err != nil {
			return nil, "", err
		}
	}
	open, err := r.ofClass(ctx, "available")
	all := make([]AgentRow, 0, len(d.rows))
	for _, row := range d.rows {
		row.finish(open)
		all = append(all, *row)
	}
	slices.SortFunc(all, func(x, y AgentRow) int { return cmp.Or(cmp.Compare(x.Account, y.Account), cmp.Compare(x.Day, y.Day)) })
	return cut(a, all, err)
}

// args are those of a condition on an account: ?1 to ?5.
func (d *days) args() []any {
	return []any{d.scope.All, d.people, d.from.UnixMicro(), d.to.UnixMicro(), d.get("account")}
}

const ofPeople = `(?1 OR account IN (SELECT value FROM json_each(?2))) AND (?5 = '' OR account = ?5)`

func (r *Report) dayStatus(ctx context.Context, d *days) error {
	end := latest(d.from, earliest(d.to, d.now))
	return r.each(ctx, `SELECT account, status, began, coalesce(ended, ?6) FROM status_span
		WHERE began < ?4 AND coalesce(ended, ?6) > ?3 AND `+ofPeople, append(d.args(), end.UnixMicro()), func(rows *sql.Rows) error {
		var account, status string
		var began, ended int64
		if err := rows.Scan(&account, &status, &began, &ended); err != nil {
			return err
		}
		from, to := latest(micro(began), d.from), earliest(micro(ended), end)
		for from.Before(to) {
			next := earliest(to, midnight(from.In(d.zone), 1))
			d.at(account, from).Statuses[status] += next.Sub(from).Seconds()
			from = next
		}
		return nil
	})
}

func earliest(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

func (r *Report) dayCalls(ctx context.Context, d *days) error {
	return r.each(ctx, `SELECT account, began, direction, (ended - answered) / 1e6 FROM call
		WHERE answered IS NOT NULL AND account != '' AND direction != 'inside' AND began >= ?3 AND began < ?4 AND `+ofPeople, d.args(), func(rows *sql.Rows) error {
		var account, direction string
		var began int64
		var talk float64
		if err := rows.Scan(&account, &began, &direction, &talk); err != nil {
			return err
		}
		row := d.at(account, micro(began))
		if direction == outbound {
			row.Made, row.TalkOut = row.Made+1, row.TalkOut+talk
		} else {
			row.Taken, row.TalkIn = row.Taken+1, row.TalkIn+talk
		}
		return nil
	})
}

func (r *Report) dayOffers(ctx context.Context, d *days) error {
	return r.each(ctx, `SELECT account, at, result FROM offer
		WHERE result NOT IN ('answered', 'cancelled') AND at >= ?3 AND at < ?4 AND `+ofPeople, d.args(), func(rows *sql.Rows) error {
		var account, result string
		var at int64
		if err := rows.Scan(&account, &at, &result); err != nil {
			return err
		}
		if row := d.at(account, micro(at)); result == declined {
			row.Declined++
		} else {
			row.Missed++
		}
		return nil
	})
}

func (r *Report) dayOutcomes(ctx context.Context, d *days) error {
	return r.each(ctx, `SELECT account, began, outcome FROM phone_call WHERE outcome != '' AND began >= ?3 AND began < ?4 AND `+ofPeople, d.args(), func(rows *sql.Rows) error {
		var account, outcome string
		var began int64
		if err := rows.Scan(&account, &began, &outcome); err != nil {
			return err
		}
		row := d.at(account, micro(began))
		if row.Outcomes == nil {
			row.Outcomes = map[string]int{}
		}
		row.Outcomes[outcome]++
		return nil
	})
}

// ofClass are the statuses of a class, each once: everybody's and the center's own. In those of "available" calls come.
func (r *Report) ofClass(ctx context.Context, class string) ([]string, error) {
	var all []string
	for _, s := range wire.StandardStatuses() {
		if s.Class == class {
			all = append(all, s.ID)
		}
	}
	err := r.each(ctx, "SELECT id FROM setting WHERE kind = 'status' AND data ->> '$.class' = ?", []any{class}, func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		all = append(all, id)
		return err
	})
	return slices.Compact(slices.Sorted(slices.Values(all))), err
}

func (r *AgentRow) finish(open []string) {
	for _, seconds := range slices.Sorted(maps.Values(r.Statuses)) { // in an order, so that the sum is the same each time
		r.SignedIn += seconds
	}
	r.Work = r.Statuses[wire.StatusWork]
	busy, ready := r.Work, 0.0
	for _, s := range []string{wire.StatusRinging, wire.StatusTalking, wire.StatusDialing} {
		busy += r.Statuses[s]
	}
	for _, s := range open {
		ready += r.Statuses[s]
	}
	if busy+ready > 0 {
		r.Occupancy = 100 * busy / (busy + ready)
	}
}
