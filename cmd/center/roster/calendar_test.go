package roster

import (
	"strings"
	"testing"
	"time"
)

func TestWhenAQueueIsOpen(t *testing.T) {
	week := []Hours{{Days: "mon,tue,wed,thu,fri", From: "09:00", To: "17:30"}, {Days: "sat", From: "10:00", To: "12:00"}, {Days: "sat", From: "13:00", To: "24:00"}}
	japan := Calendar{Zone: "Asia/Tokyo", Hours: week, Holidays: []Holiday{{Date: "2026-11-23", Name: "勤労感謝の日"}}}
	berlin := Calendar{Zone: "Europe/Berlin", Hours: []Hours{{Days: "sun", From: "02:30", To: "03:30"}, {Days: "mon", From: "09:00", To: "10:00"}}}
	rows := []struct {
		name string
		c    Calendar
		zone string
		now  string // UTC
		want string
	}{
		{"a day's first minute", japan, "", "2026-11-20T00:00:00Z", ""},
		{"the minute before", japan, "", "2026-11-19T23:59:59Z", "closed"},
		{"the last minute", japan, "", "2026-11-20T08:29:59Z", ""},
		{"its end", japan, "", "2026-11-20T08:30:00Z", "closed"},
		{"a holiday on a Monday", japan, "", "2026-11-23T03:00:00Z", "holiday"},
		{"the day before it there, the same in UTC", japan, "", "2026-11-22T16:00:00Z", "holiday"},
		{"between two times of a day", japan, "", "2026-11-21T03:30:00Z", "closed"},
		{"until midnight", japan, "", "2026-11-21T14:59:59Z", ""},
		{"midnight", japan, "", "2026-11-21T15:00:00Z", "closed"},
		{"without hours", Calendar{Zone: "UTC", Holidays: []Holiday{{Date: "2026-01-01"}}}, "", "2026-06-01T03:00:00Z", ""},
		{"without hours on a holiday", Calendar{Zone: "UTC", Holidays: []Holiday{{Date: "2026-01-01"}}}, "", "2026-01-01T03:00:00Z", "holiday"},
		{"the site's zone", Calendar{Hours: week}, "America/New_York", "2026-11-20T14:00:00Z", ""},
		{"the site's zone, before", Calendar{Hours: week}, "America/New_York", "2026-11-20T13:59:00Z", "closed"},
		{"summer time there", Calendar{Hours: week}, "America/New_York", "2026-07-20T13:00:00Z", ""},
		{"Monday after the clocks went forward", berlin, "", "2026-03-30T07:00:00Z", ""},
		{"Monday before they did", berlin, "", "2026-03-23T07:00:00Z", "closed"},
		{"02:30 does not come: closed until 03:00", berlin, "", "2026-03-29T00:59:59Z", "closed"},
		{"and then open", berlin, "", "2026-03-29T01:00:00Z", ""},
		{"02:30 comes twice: the first time", berlin, "", "2026-10-25T00:30:00Z", ""},
		{"02:00 again", berlin, "", "2026-10-25T01:15:00Z", "closed"},
		{"02:30 again", berlin, "", "2026-10-25T01:30:00Z", ""},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, r.now)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.c.at(now, r.zone); got != r.want {
				t.Errorf("%q, want %q", got, r.want)
			}
		})
	}
}

func TestBadQueuesAndCalendarsAreRefused(t *testing.T) {
	good := Queue{Extension: "7001", Name: "Support"}
	rows := []struct {
		name  string
		queue func(*Queue)
		says  string
	}{
		{"a level", func(q *Queue) { q.Levels = map[string]int{"alice": 10} }, "levels"},
		{"a level of nobody", func(q *Queue) { q.Levels = map[string]int{"zoe": 1} }, "zoe"},
		{"a group", func(q *Queue) { q.Groups = []string{"none"} }, "groups"},
		{"a priority", func(q *Queue) { q.Priority = 10 }, "priority"},
		{"a ring time", func(q *Queue) { q.RingSeconds = 121 }, "ringSeconds"},
		{"music", func(q *Queue) { q.Wait = "jazz" }, "wait"},
		{"a calendar", func(q *Queue) { q.Calendar = "none" }, "calendar"},
		{"a rule's case", func(q *Queue) { q.Rules = []QueueRule{{When: "raining", Do: "busy"}} }, "raining"},
		{"late without a time", func(q *Queue) { q.Rules = []QueueRule{{When: "late", Do: "busy"}} }, "after"},
		{"a queue that leads to itself", func(q *Queue) { q.Rules = []QueueRule{{When: "full", Do: "queue", To: "7001"}} }, "queue"},
		{"an announcement to somebody", func(q *Queue) { q.Rules = []QueueRule{{When: "closed", Do: "announce", To: "2001"}} }, "announce goes to nobody"},
		{"no number", func(q *Queue) { q.Rules = []QueueRule{{When: "full", Do: "number", To: "a b"}} }, "number"},
		{"a message to somebody", func(q *Queue) { q.Rules = []QueueRule{{When: "full", Do: "voice", To: "2001"}} }, "voice"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			s, q := setup(), good
			r.queue(&q)
			s.Queues = []Queue{q}
			p := plan{view: newView(), vault: vault{testKey}, setup: s}
			if err := p.check(); err == nil || !strings.Contains(err.Error(), r.says) || !strings.Contains(err.Error(), "queues[0]") {
				t.Fatalf("%v", err)
			}
		})
	}
	for _, do := range []string{"busy", "voice", "announce"} {
		s, q := setup(), good
		q.Rules = []QueueRule{{When: "closed", Do: do}, {When: "late", After: 60, Do: do}}
		s.Queues = []Queue{q}
		p := plan{view: newView(), vault: vault{testKey}, setup: s}
		if err := p.check(); err != nil {
			t.Errorf("%s: %v", do, err)
		}
	}
	for name, c := range map[string]Calendar{
		"zone": {ID: "c", Name: "C", Zone: "Mars/Olympus"}, "hours": {ID: "c", Name: "C", Hours: []Hours{{Days: "mon", From: "9:00", To: "10:00"}}},
		"days": {ID: "c", Name: "C", Hours: []Hours{{Days: "montag", From: "09:00", To: "10:00"}}}, "backwards": {ID: "c", Name: "C", Hours: []Hours{{Days: "mon", From: "18:00", To: "09:00"}}},
		"holiday": {ID: "c", Name: "C", Holidays: []Holiday{{Date: "23.11.2026"}}}, "id": {ID: "C C", Name: "C"},
	} {
		s := setup()
		s.Calendars = []Calendar{c}
		p := plan{view: newView(), vault: vault{testKey}, setup: s}
		if err := p.check(); err == nil || !strings.Contains(err.Error(), "calendars[0]") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
