package sip

import (
	"net/netip"

	"zaseki/sip/stack"
)

// moved hears that the way to the server is a new one: what was on the old one goes on over it.
func (p *Phone) moved(*stack.Link, netip.AddrPort) {}
