package roster

import (
	"slices"
	"strconv"
	"time"

	"zaseki/web/wire"
)

// What happens when somebody is in a status for longer than it may last (PRODUCT D3): out of one of the center's own the agent goes to
// Away; of a standard one, which has its limit from the site's settings, the agent is told, and so are the supervisors of the agent's
// groups, once; the seat shows it until the status changes.

// timed are the standard statuses that may have a longest time: those that a person chooses.
func timed() (ids []string) {
	for _, d := range wire.StandardStatuses() {
		if d.Pickable {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// overstay is when the agent is to be told; zero: never, or it was told already.
func (v *view) overstay(a Agent) time.Time {
	if a.Over || !slices.Contains(timed(), a.Status) {
		return time.Time{}
	}
	return v.longest(a)
}

// mostNotices wait for a phone; the oldest go first.
const mostNotices = 20

// tellOverLocked tells the agent and who leads the agent that a status lasts too long.
func (r *Roster) tellOverLocked(account string) {
	a := r.view.agents[account].v
	d, _ := r.view.def(a.Status)
	minutes, now := strconv.Itoa(d.Minutes), time.Now().UTC()
	notice := func(code string, holes map[string]string) wire.Notice {
		return wire.Notice{ID: "over." + account, Level: "warn", At: now, Problem: wire.Problem{Code: code, Holes: holes}}
	}
	if l := r.links[account]; l != nil {
		l.notify(notice(wire.ProblemStatusOver, map[string]string{"minutes": minutes}))
	}
	of := notice(wire.ProblemStatusOverOf, map[string]string{"who": r.view.name(account), "minutes": minutes})
	of.Account = account // one that is over does not hide another
	for who, l := range r.links {
		if who != account && r.view.leads(who, account) {
			l.notify(of)
		}
	}
}

// leads says that somebody is a supervisor of the account: of one of its groups, or of a center without groups.
func (v *view) leads(who, account string) bool {
	s := v.accounts[who].v
	if s.Role != "supervisor" {
		return false
	}
	return len(v.groups) == 0 || slices.ContainsFunc(v.accounts[account].v.Groups, func(g string) bool { return slices.Contains(s.Groups, g) })
}

func (l *link) notify(n wire.Notice) {
	l.touch(func() {
		if l.notices = append(l.notices, n); len(l.notices) > mostNotices {
			l.notices = l.notices[1:]
		}
	})
}
