package admin

import (
	"net/http"
	"slices"

	"zaseki/cmd/center/report"
	"zaseki/cmd/center/roster"
)

// ReportScope is what who asks sees in reports, behind Only: a supervisor the people of the own groups, and the queues that any of them
// serves.
func (a *Admin) ReportScope(r *http.Request) report.Scope {
	sc := a.scopeOf(asks(r))
	if sc.all {
		return report.Scope{All: true}
	}
	var s report.Scope
	for account := range sc.people {
		s.People = append(s.People, account)
	}
	slices.Sort(s.People)
	for _, row := range a.cfg.Staff.Rows(roster.KindQueue) {
		q := row.Data.(roster.Queue)
		if len(q.Agents) == 0 && len(q.Groups) == 0 || slices.ContainsFunc(q.Groups, func(g string) bool { return sc.groups[g] }) || slices.ContainsFunc(q.Agents, sc.sees) {
			s.Queues = append(s.Queues, q.Name)
		}
	}
	return s
}
