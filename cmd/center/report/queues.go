package report

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strconv"
	"time"
)

// QueueRow is what became of a queue's calls that began within half an hour, an hour, a day, or the period. A call counts whole where it began.
type QueueRow struct {
	Queue     string    `json:"queue"`
	At        time.Time `json:"at"` // when the half hour, hour or day begins, or the period
	Offered   int       `json:"offered"`
	Answered  int       `json:"answered"`
	Abandoned int       `json:"abandoned"` // the caller gave up
	Voice     int       `json:"voice"`     // left a message
	Closed    int       `json:"closed"`    // came outside its hours or on a holiday
	Lost      int       `json:"lost"`      // all others: nobody took it, it was full, …

	Level          float64 `json:"level"`       // percent: answered within the given seconds, of all but Closed and those who gave up within them
	WaitAverage    float64 `json:"waitAverage"` // seconds, of answered ones, as are the percentiles
	WaitMedian     float64 `json:"waitMedian"`
	WaitP90        float64 `json:"waitP90"`
	WaitLongest    float64 `json:"waitLongest"` // of all
	AbandonAverage float64 `json:"abandonAverage"`
	TalkAverage    float64 `json:"talkAverage"`
}

var queueColumns = []string{"queue", "at", "offered", "answered", "abandoned", "voice", "closed", "lost", "service_level_percent", "wait_average", "wait_median", "wait_p90",
	"wait_longest", "abandon_average", "talk_average"}

func (q QueueRow) cells(zone *time.Location) []string {
	n := strconv.Itoa
	return []string{q.Queue, stamp(q.At, zone), n(q.Offered), n(q.Answered), n(q.Abandoned), n(q.Voice), n(q.Closed), n(q.Lost),
		strconv.FormatFloat(q.Level, 'f', 1, 64), whole(q.WaitAverage), whole(q.WaitMedian), whole(q.WaitP90), whole(q.WaitLongest), whole(q.AbandonAverage), whole(q.TalkAverage)}
}

// tally gathers what a QueueRow is made of.
type tally struct {
	row             QueueRow
	waits           []float64 // of answered ones
	abandoned, talk float64   // seconds
	good, early     int       // answered within the level's seconds, given up within them
}

// Queues are the queues' figures (query: queue; by half hour, hour, day or total; within: the service level's seconds, 20), by queue and time.
// Hours without a call have no row.
func (r *Report) Queues(ctx context.Context, a ask) ([]QueueRow, string, error) {
	within, err := a.within()
	if err != nil {
		return nil, "", err
	}
	type place struct {
		queue string
		at    int64
	}
	found := map[place]*tally{}
	err = r.each(ctx, `
		SELECT queue, began, result, reason, (coalesce(answered, ended) - began) / 1e6, CASE WHEN answered IS NULL THEN 0 ELSE (ended - answered) / 1e6 END
		FROM call WHERE queue != '' AND (?1 OR queue IN (SELECT value FROM json_each(?2)))
		AND began >= ?3 AND began < ?4 AND (?5 = '' OR queue = ?5)`,
		[]any{a.scope.All, a.queues, a.from.UnixMicro(), a.to.UnixMicro(), a.get("queue")}, func(rows *sql.Rows) error {
			var queue, result, why string
			var began int64
			var wait, talk float64
			if err := rows.Scan(&queue, &began, &result, &why, &wait, &talk); err != nil {
				return err
			}
			at := a.bucket(micro(began))
			k := place{queue, at.UnixMicro()}
			if found[k] == nil {
				found[k] = &tally{row: QueueRow{Queue: queue, At: at.UTC()}}
			}
			found[k].add(result, why, wait, talk, within.Seconds())
			return nil
		})
	all := make([]QueueRow, 0, len(found))
	for _, t := range found {
		all = append(all, t.sum())
	}
	slices.SortFunc(all, func(x, y QueueRow) int { return cmp.Or(cmp.Compare(x.Queue, y.Queue), x.At.Compare(y.At)) })
	return cut(a, all, err)
}

// bucket is when the half hour, hour or day of a time begins, on the clocks of the asked zone: the hour that comes twice when summer ends is
// two, and a day has 23 to 25 of them.
func (a ask) bucket(t time.Time) time.Time {
	l := t.In(a.zone)
	switch a.get("by") {
	case "total":
		return a.from
	case "day":
		return midnight(l, 0)
	case "half":
		return l.Add(-time.Duration(l.Minute()%30)*time.Minute - time.Duration(l.Second())*time.Second - time.Duration(l.Nanosecond()))
	}
	return l.Add(-time.Duration(l.Minute())*time.Minute - time.Duration(l.Second())*time.Second - time.Duration(l.Nanosecond()))
}

// midnight is when the day of a local time begins, or one some days after it.
func midnight(l time.Time, days int) time.Time {
	return time.Date(l.Year(), l.Month(), l.Day()+days, 0, 0, 0, 0, l.Location())
}

func (t *tally) add(result, why string, wait, talk, within float64) {
	t.row.Offered++
	t.row.WaitLongest = max(t.row.WaitLongest, wait)
	switch {
	case result == "answered":
		t.row.Answered++
		t.waits, t.talk = append(t.waits, wait), t.talk+talk
		if wait <= within {
			t.good++
		}
	case result == "voice":
		t.row.Voice++
	case why == leftEarly:
		t.row.Abandoned++
		t.abandoned += wait
		if wait <= within {
			t.early++
		}
	case why == "closed" || why == "holiday":
		t.row.Closed++
	default:
		t.row.Lost++
	}
}

func (t *tally) sum() QueueRow {
	row := t.row
	slices.Sort(t.waits)
	total := 0.0
	for _, w := range t.waits {
		total += w
	}
	row.WaitAverage, row.TalkAverage = ratio(total, row.Answered), ratio(t.talk, row.Answered)
	row.WaitMedian, row.WaitP90 = percentile(t.waits, 50), percentile(t.waits, 90)
	row.AbandonAverage = ratio(t.abandoned, row.Abandoned)
	row.Level = ratio(100*float64(t.good), row.Offered-row.Closed-t.early)
	return row
}

func ratio(of float64, n int) float64 {
	if n == 0 {
		return 0
	}
	return of / float64(n)
}

// percentile is the smallest of sorted values that at least p percent do not exceed; 0 of none.
func percentile(sorted []float64, p int) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}
