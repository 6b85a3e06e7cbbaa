package sip

import (
	"net/netip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// moved hears that the way to the server is a new one: the calls go on over it, and the agent re-offers them with our new
// address.
func (p *Phone) moved(link *stack.Link, peer netip.AddrPort) {
	p.mu.Lock()
	calls := make([]*dialog.Call, 0, len(p.calls))
	for _, c := range p.calls {
		calls = append(calls, c)
	}
	p.mu.Unlock()
	for _, c := range calls {
		_ = c.Move(link, peer) // one that is over needs no way
	}
	if len(calls) == 0 {
		return
	}
	p.log.Info("calls moved", "calls", len(calls), "peer", peer)
	p.tell(Moved{Local: link.LocalFor(peer).Addr()})
}
