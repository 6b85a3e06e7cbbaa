package exchange

import (
	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// elsewhere is where another node of the center serves the telephones, "" when this one does. It is said as a URI of that number, to
// which the same kind of connection leads.
func (x *Exchange) elsewhere(number string, link *stack.Link) (contact string) {
	if x.cfg.Elsewhere == nil {
		return ""
	}
	at, ok := x.cfg.Elsewhere(link.Secure())
	if !ok || at == "" {
		return ""
	}
	uri := "sip:" + at
	if number != "" {
		uri = "sip:" + stack.EscapeUser(number) + "@" + at
	}
	if link.Network() != "udp" {
		uri += ";transport=" + link.Network()
	}
	return "<" + uri + ">"
}

// sentOn answers a call that came to a node which does not serve the telephones: 302 names the one that does (RFC 3261 §21.3.3).
func (x *Exchange) sentOn(call *dialog.Call) bool {
	at := x.elsewhere(stack.UnescapeUser(call.Request().Recipient.User), call.Link())
	if at == "" {
		return false
	}
	call.Reject(302, "Moved Temporarily", "Contact", at)
	return true
}
