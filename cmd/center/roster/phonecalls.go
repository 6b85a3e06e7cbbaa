package roster

import "zaseki/cmd/center/exchange"

// PhoneCalls are the calls that the phone of an agent says it has now.
func (r *Roster) PhoneCalls(account string) []exchange.PhoneCall {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []exchange.PhoneCall
	for _, c := range r.view.agents[account].v.Calls {
		all = append(all, exchange.PhoneCall{ID: c.ID, Inbound: c.Inbound, Began: c.Began, Answered: c.Answered})
	}
	return all
}
