package uplink

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"zaseki/web/wire"
)

// Story is what the center knows of a call, by its own name for it or a phone's (PRODUCT G4). It wants a session. Every error is a wire.Problem:
// row.unknown, forbidden, or why the center was not reached.
func (u *Uplink) Story(ctx context.Context, call string) (wire.Timeline, error) {
	return read[wire.Timeline](ctx, u, "/api/v1/why", url.Values{"call": {call}})
}

// FloorPast is the seat view as it was at a moment, a wire.Floor in JSON; floor "" all. Errors are a wire.Problem.
func (u *Uplink) FloorPast(ctx context.Context, at time.Time, floor string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, u, "/api/v1/reports/floor", url.Values{"at": {at.UTC().Format(time.RFC3339Nano)}, "floor": {floor}})
}

// FloorDay is a day of it by the minute, a wire.FloorDay in JSON; day is YYYY-MM-DD in the center's zone.
func (u *Uplink) FloorDay(ctx context.Context, day, floor string) (json.RawMessage, error) {
	return read[json.RawMessage](ctx, u, "/api/v1/reports/floor/day", url.Values{"day": {day}, "floor": {floor}})
}

// DawnCheck is the check of the seats, the last or the one that runs (PRODUCT G10). Errors are a wire.Problem; forbidden, for who is neither
// supervisor nor administrator.
func (u *Uplink) DawnCheck(ctx context.Context) (wire.DawnCheck, error) {
	return read[wire.DawnCheck](ctx, u, "/api/v1/check", nil)
}

// read asks with the session.
func read[Out any](ctx context.Context, u *Uplink, path string, q url.Values) (out Out, err error) {
	token, err := u.bearer()
	if err != nil {
		return out, err
	}
	_, err = u.ask(ctx, http.MethodGet, path+"?"+q.Encode(), nil, token, &out)
	return out, err
}
