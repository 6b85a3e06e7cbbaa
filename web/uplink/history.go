package uplink

import (
	"context"
	"net/url"
	"strconv"

	"zaseki/web/wire"
)

// historyPage is how many rows of the past are asked for at once.
const historyPage = 50

// CallHistory is a page of the agent's own calls of the last 90 days, the newest first. Cursor is Next of the page before; "" begins.
// It wants a session.
func (u *Uplink) CallHistory(ctx context.Context, cursor string) (wire.CallHistory, error) {
	return past[wire.CallHistory](ctx, u, "calls", cursor)
}

// StatusHistory is the same of what the agent was in.
func (u *Uplink) StatusHistory(ctx context.Context, cursor string) (wire.StatusHistory, error) {
	return past[wire.StatusHistory](ctx, u, "activity", cursor)
}

// OwnDay is the agent's day in figures; day is YYYY-MM-DD in the center's zone, "" today. It wants a session.
func (u *Uplink) OwnDay(ctx context.Context, day string) (wire.OwnDay, error) {
	q := url.Values{}
	if day != "" {
		q.Set("day", day)
	}
	return read[wire.OwnDay](ctx, u, "/api/v1/reports/mine/day", q)
}

// past leaves the period to the center: a wrong clock of this machine takes nothing away.
func past[History any](ctx context.Context, u *Uplink, what, cursor string) (History, error) {
	q := url.Values{"limit": {strconv.Itoa(historyPage)}}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return read[History](ctx, u, "/api/v1/reports/mine/"+what, q)
}
