package roster

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/web/wire"
)

// What a Queue's fields may say.
const (
	waitRing  = "ring"
	waitMusic = "music"

	whenClosed, whenHoliday, whenEmpty, whenFull, whenLate = closedHours, closedHoliday, "empty", "full", "late"

	doBusy, doNumber, doQueue, doVoice, doAnnounce = "busy", "number", "queue", "voice", "announce"
)

// State implements exchange.Desk.
func (r *Roster) State(queue string) exchange.QueueState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	row, ok := r.view.queues[queue]
	if !ok {
		return exchange.QueueState{Empty: true}
	}
	q := row.v
	s := exchange.QueueState{Empty: !r.view.manned(queue), Most: q.Most, Music: q.Wait == waitMusic, Place: q.Place, Language: or(q.Language, "ja")}
	if c, ok := r.view.calendars[q.Calendar]; ok {
		s.Closed = c.v.at(time.Now(), r.view.site.v.Zone)
	}
	for _, w := range r.waiting {
		if w.queue == queue {
			s.Waiting++
		}
	}
	for _, rule := range q.Rules {
		s.Rules = append(s.Rules, exchange.Rule{When: rule.When, After: time.Duration(rule.After) * time.Second, Do: rule.Do, To: rule.To})
	}
	return s
}

// manned: somebody is signed in for the queue, whatever the status.
func (v *view) manned(queue string) bool {
	for account := range v.members(queue) {
		if a := v.agents[account]; a.v.Session != nil && a.v.Status != wire.StatusOff && a.v.Status != "" && v.level(queue, account) > 0 {
			return true
		}
	}
	return false
}

var number = regexp.MustCompile(`^[0-9A-Za-z+*#][0-9A-Za-z+*#._-]{0,31}$`)

func (p *plan) checkQueues() {
	seen := map[string]bool{}
	for i, q := range p.setup.Queues {
		if !queueExt.MatchString(q.Extension) {
			p.bad("queues", i, "extension", "%q is not 7000 to 7999", q.Extension)
		}
		p.once("queues", i, "extension", q.Extension, seen)
		p.text("queues", i, "name", q.Name, 1)
		p.checkMembers(i, q)
		p.between(i, "priority", q.Priority, 9)
		p.between(i, "ringSeconds", q.RingSeconds, 120)
		p.between(i, "most", q.Most, 10000)
		p.oneOf("queues", i, "wait", q.Wait, []string{"", waitRing, waitMusic})
		p.oneOf("queues", i, "language", q.Language, []string{"", "ja", "en"})
		if q.Calendar != "" && !p.hasCalendar(q.Calendar) {
			p.bad("queues", i, "calendar", "there is no calendar %q", q.Calendar)
		}
		for _, rule := range q.Rules {
			if err := p.checkRule(q, rule); err != nil {
				p.bad("queues", i, "rules", "%v", err)
			}
		}
	}
}

func (p *plan) checkMembers(i int, q Queue) {
	for _, account := range q.Agents {
		if !p.hasAccount(account) {
			p.bad("queues", i, "agents", "there is no account %q", account)
		}
	}
	for _, group := range q.Groups {
		if _, ok := p.groups[group]; !ok && !slices.ContainsFunc(p.setup.Groups, func(g Group) bool { return g.ID == group }) {
			p.bad("queues", i, "groups", "there is no group %q", group)
		}
	}
	for account, level := range q.Levels {
		if level < 1 || level > 9 {
			p.bad("queues", i, "levels", "%d of %q is not 1 to 9", level, account)
		}
		if !p.hasAccount(account) {
			p.bad("queues", i, "levels", "there is no account %q", account)
		}
	}
}

func (p *plan) between(i int, field string, n, most int) {
	if n < 0 || n > most {
		p.bad("queues", i, field, "%d is not 0 to %d", n, most)
	}
}

func (p *plan) checkRule(q Queue, r QueueRule) error {
	if !slices.Contains([]string{whenClosed, whenHoliday, whenEmpty, whenFull, whenLate}, r.When) {
		return fmt.Errorf("when %q is none of closed, holiday, empty, full, late", r.When)
	}
	if r.After < 0 || r.After > 3600 || r.When == whenLate && r.After == 0 || r.When != whenLate && r.After != 0 {
		return fmt.Errorf("after %d: late needs 1 to 3600 seconds, the others none", r.After)
	}
	switch r.Do {
	case doBusy, doVoice, doAnnounce:
		if r.To != "" {
			return fmt.Errorf("%s goes to nobody", r.Do)
		}
	case doNumber:
		if !number.MatchString(r.To) {
			return fmt.Errorf("to %q is not a number", r.To)
		}
	case doQueue:
		if _, ok := p.queues[r.To]; r.To == q.Extension || !ok && !slices.ContainsFunc(p.setup.Queues, func(o Queue) bool { return o.Extension == r.To }) {
			return fmt.Errorf("there is no other queue %q", r.To)
		}
	default:
		return fmt.Errorf("do %q is none of busy, number, queue, voice, announce", r.Do)
	}
	return nil
}

func (p *plan) hasCalendar(id string) bool {
	_, ok := p.calendars[id]
	return ok || slices.ContainsFunc(p.setup.Calendars, func(c Calendar) bool { return c.ID == id })
}

func (p *plan) checkCalendars() {
	seen := map[string]bool{}
	for i, c := range p.setup.Calendars {
		if !statusID.MatchString(c.ID) {
			p.bad("calendars", i, "id", "%q is not small letters, digits, - and _", c.ID)
		}
		p.once("calendars", i, "id", c.ID, seen)
		p.text("calendars", i, "name", c.Name, 1)
		if !goodZone(c.Zone) {
			p.bad("calendars", i, "zone", "%q is not a time zone such as Asia/Tokyo", c.Zone)
		}
		for _, h := range c.Hours {
			if err := h.check(); err != nil {
				p.bad("calendars", i, "hours", "%v", err)
			}
		}
		for _, h := range c.Holidays {
			if _, err := time.Parse(time.DateOnly, h.Date); err != nil {
				p.bad("calendars", i, "holidays", "%q is not YYYY-MM-DD", h.Date)
			}
			p.text("calendars", i, "holidays", h.Name, 0)
		}
	}
}
