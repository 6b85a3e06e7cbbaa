package roster

import (
	"context"
	"errors"
	"time"

	"zaseki/web/wire"
)

const (
	dawnLook = time.Second      // how often the clock is looked at
	dawnLate = 10 * time.Minute // a schedule that was missed by more is left for the next day
	dawnBack = time.Hour        // a clock that is set back by more begins anew; by less, nothing comes twice
	dawnTime = "15:04"          // of Site.DawnCheck
)

// dawnAt is the moment of the schedule on that day, in the center's zone; ok is false without a schedule.
func dawnAt(plan string, day time.Time) (at time.Time, ok bool) {
	t, err := time.Parse(dawnTime, plan)
	if err != nil {
		return time.Time{}, false
	}
	return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), 0, 0, day.Location()), true
}

// dawnDue says that the schedule's moment was passed since we looked last. A machine that slept for long does not make it up.
func dawnDue(plan string, zone *time.Location, looked, now time.Time) bool {
	at, ok := dawnAt(plan, now.In(zone))
	return ok && looked.Before(at) && !now.Before(at) && now.Sub(at) < dawnLate
}

// dawnDue says it of the site's, at the node that serves the telephones.
func (r *Roster) dawnDue(looked, now time.Time) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.callsLocked() != r.cfg.Node {
		return false
	}
	site := r.view.site.v
	zone := time.Local
	if z, err := time.LoadLocation(site.Zone); err == nil && site.Zone != "" {
		zone = z
	}
	return dawnDue(site.DawnCheck, zone, looked, now)
}

// beginByClock begins the check of the schedule: of all seats. One that runs is enough.
func (r *Roster) beginByClock(ctx context.Context) {
	err := r.change(ctx, bySystem, func(d *draft) error { return d.beginCheck("", r.cfg.Node, wire.Check{}) })
	var p wire.Problem
	switch {
	case errors.As(err, &p) && p.Code != wire.ProblemReadOnly:
		r.log.Info("no check of the seats by schedule", "why", p.Code)
	case err != nil && ctx.Err() == nil:
		r.log.Warn("check of the seats by schedule", "err", err)
	}
}
