package exchange

import "zaseki/sip/stack"

// permitHeader carries a supervisor's permission (web/wire.PermitHeader), which is never logged, between registered terminals only: who
// comes by a trunk or goes to one has none.
const permitHeader = "X-Center-Permit"

const mostPermit = 64 // characters of it

// permitted takes over what the caller's INVITE says of a permission of the center. A call with one goes to a phone that is in a call, and
// is none of the agent's: no history has it, nobody sends it on. One with a permission that was not given for just these two terminals,
// was used or is too old has its answer; ok is false then.
func (c *conduct) permitted() (ok bool) {
	req := c.a.call.Request()
	inside := c.route.kind == toUser && !c.caller.Trunk()
	all := stack.Headers(req, permitHeader)
	if len(all) == 0 {
		return true
	}
	if !inside || len(all) != 1 || !carries(all[0]) || !c.x.desk.Permitted(all[0], c.caller.User, c.route.user) {
		c.x.log.Warn("a call with a permission that nobody gave", "call", c.record.ID, "user", c.caller.User, "callee", masked(c.route.user), "peer", c.a.call.Source())
		c.a.call.Reject(403, "Not Permitted")
		return false
	}
	c.announced = append(c.announced, permitHeader, all[0])
	c.record.Aside = true
	return true
}

// carries says that it can be such a name.
func carries(id string) bool { return len(id) <= mostPermit && Dialable(id) }
