package exchange

import (
	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// caller says whose call that is: a provider's by where it comes from, anybody else's by digest. Without ok the call has its answer.
func (x *Exchange) caller(call *dialog.Call) (t Terminal, ok bool) {
	from := call.Source().Addr()
	ours := x.where.knows(call.Source()) // a phone may stand on the provider's or the PBX's machine, or behind the same router
	if !ours {
		if p, known := x.providerOf(from, called(call)); known {
			if t, ok = x.desk.Terminal(p.User); ok && t.Trunk() {
				return t, true
			}
		}
	}
	if !ours && x.asker(from) != nil { // a PBX asks for queues; anything else it wants is no business of ours
		call.Reject(404, "Not Found")
		return Terminal{}, false
	}
	if x.stranger(call) {
		call.Reject(403, "Forbidden")
		return Terminal{}, false
	}
	who, v := x.prove(call.Request(), "Proxy-Authorization", call.Source())
	if v != allowed {
		call.Reject(407, "Proxy Authentication Required", x.challenge("Proxy-Authenticate", call.Request(), call.Source(), v)...)
		return Terminal{}, false
	}
	t, known := x.desk.Terminal(who)
	switch {
	case !known || !x.where.from(who, from):
		call.Reject(403, "Register First")
	case t.Encrypted() && !call.Link().Secure():
		x.log.Warn("an encrypted terminal called without TLS", "user", who, "peer", call.Source())
		call.Reject(403, "TLS Only")
	default:
		return t, true
	}
	return Terminal{}, false
}

// stranger: where PBXs ask who is free, whoever is neither one of them nor registered is not even challenged.
func (x *Exchange) stranger(call *dialog.Call) bool {
	return len(x.beside.Load().Askers) > 0 && !x.where.near(call.Source().Addr())
}

// called are the numbers that an INVITE may mean: whom it is for, and where a provider that sends it to our own name there says
// which number was dialled (RFC 3261 §8.1.1.2, RFC 7315 §4.2).
func called(call *dialog.Call) []string {
	req := call.Request()
	all := []string{stack.UnescapeUser(req.Recipient.User), stack.UnescapeUser(req.To().Address.User)}
	if p, ok := dialog.ParseParty(stack.Header(req, calledHeader)); ok {
		all = append(all, p.User)
	}
	return all
}

// destination is the number that is called and where the call goes.
func (x *Exchange) destination(call *dialog.Call, caller Terminal) (number string, to route) {
	all := called(call)
	if p, ok := x.beside.Load().user[caller.User]; ok && caller.Trunk() {
		number, lead := p.leads(all)
		if lead == "" {
			return all[0], route{}
		}
		return number, choose(x.desk, x.cfg.Numbers(), caller, lead)
	}
	return x.meant(caller, call.Request().Recipient)
}
