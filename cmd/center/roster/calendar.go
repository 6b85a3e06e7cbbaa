package roster

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Windows has no time zones of its own, and neither has a container without any files
)

// Why a queue is closed.
const (
	closedHours   = "closed"
	closedHoliday = "holiday"
)

// at says whether the calendar is open at that moment: "" open, else why not. A calendar without hours is open on every day that is
// no holiday. Zone is the site's, for a calendar that names none.
func (c Calendar) at(now time.Time, zone string) string {
	place, err := time.LoadLocation(or(c.Zone, zone))
	if err != nil || or(c.Zone, zone) == "" { // checked when it was written: the machine's own
		place = time.Local
	}
	now = now.In(place)
	if slices.ContainsFunc(c.Holidays, func(h Holiday) bool { return h.Date == now.Format(time.DateOnly) }) {
		return closedHoliday
	}
	if len(c.Hours) == 0 || slices.ContainsFunc(c.Hours, func(h Hours) bool { return h.has(now) }) {
		return ""
	}
	return closedHours
}

// has goes by the clock on the wall: on a day whose clock is changed an hour may come twice, or not at all.
func (h Hours) has(now time.Time) bool {
	day := strings.ToLower(now.Format("Mon"))
	if !slices.Contains(strings.Split(h.Days, ","), day) {
		return false
	}
	clock := now.Format("15:04")
	return h.From <= clock && clock < h.To
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// check says what is wrong with it.
func (h Hours) check() error {
	for day := range strings.SplitSeq(h.Days, ",") {
		if !slices.Contains(weekdays, day) {
			return fmt.Errorf("%q is none of %s", day, strings.Join(weekdays, ", "))
		}
	}
	if !onClock(h.From) || !onClock(h.To) && h.To != "24:00" || h.From >= h.To {
		return fmt.Errorf("%q to %q is not HH:MM to a later HH:MM", h.From, h.To)
	}
	return nil
}

func onClock(s string) bool {
	_, err := time.Parse("15:04", s)
	return err == nil && len(s) == len("15:04")
}

func goodZone(zone string) bool {
	_, err := time.LoadLocation(zone)
	return err == nil && zone != "Local"
}
