package roster

import (
	"slices"
	"time"
)

// Why an agent is offered a call, see exchange.Offer.
const (
	whyOnly  = "only"
	whySkill = "skill"
	whyIdle  = "idle"
)

// What else than a status or readiness keeps an agent from a call.
const (
	lackReserved = "reserved"
	lackTried    = "tried"
)

const (
	passedMost = 20  // are told of one offer
	passedLook = 100 // agents are looked at for them: a call does not wait for its history
)

// passedLocked are other agents of the queue who could not be offered the call, with what they lacked; first those whose status would have
// taken it.
func (r *Roster) passedLocked(queue, best string, now time.Time, may func(account string) bool) map[string]string {
	passed, looked := map[string]string{}, 0
	note := func(account string) (more bool) {
		if looked++; account != best && r.view.level(queue, account) > 0 {
			if lack := r.lackLocked(account, now, may); lack != "" {
				passed[account] = lack
			}
		}
		return looked < passedLook && len(passed) < passedMost
	}
	for account := range r.view.takers {
		if !note(account) {
			return passed
		}
	}
	for account := range r.view.members(queue) {
		if _, done := r.view.takers[account]; !done && !note(account) {
			break
		}
	}
	return passed
}

// lackLocked is what kept an agent from a call; "" nothing, or nobody is signed in.
func (r *Roster) lackLocked(account string, now time.Time, may func(account string) bool) string {
	a := r.view.agents[account].v
	if a.Session == nil || a.Status == "" {
		return ""
	}
	if _, takes := r.view.takers[account]; !takes {
		return a.Shown()
	}
	if missing := r.missingLocked(a); len(missing) > 0 {
		return missing[0]
	}
	switch res := r.reserved[account]; {
	case res != nil && (res.until.IsZero() || now.Before(res.until)):
		return lackReserved
	case !may(account):
		return lackTried
	}
	return ""
}

// Sees says whether somebody may read another's story in reports: the own, and of whom one leads.
func (r *Roster) Sees(who, account string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return account != "" && (who == account || r.view.accounts[who].v.Role == "administrator" || r.view.leads(who, account))
}

// SeesQueue says the same of the calls of a queue, by its name: to whoever leads somebody who serves it.
func (r *Roster) SeesQueue(who, name string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	me := r.view.accounts[who].v
	switch me.Role {
	case "administrator":
		return true
	case "supervisor":
	default:
		return false
	}
	for _, q := range r.view.queues {
		if q.v.Name != name {
			continue
		}
		everybody := len(r.view.groups) == 0 || len(q.v.Agents) == 0 && len(q.v.Groups) == 0
		if everybody || slices.ContainsFunc(q.v.Groups, func(g string) bool { return slices.Contains(me.Groups, g) }) ||
			slices.ContainsFunc(q.v.Agents, func(a string) bool { return r.view.leads(who, a) }) {
			return true
		}
	}
	return false
}
