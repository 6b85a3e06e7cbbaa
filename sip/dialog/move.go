package dialog

import (
	"net/netip"

	"zaseki/sip/stack"
)

// Move sends all further requests of the call over another link to another peer, with our Contact there: our address
// changed, or the way to the proxy did. It sends nothing itself; a re-INVITE tells the far side. A transaction that is under
// way fails with its own link and does not end the call.
func (c *Call) Move(link *stack.Link, peer netip.AddrPort) error {
	return c.do(func() error {
		if c.phase == over {
			return ErrOver
		}
		c.path.Store(&path{link, peer})
		c.dialog.contact = link.ContactFor(c.user, peer)
		for _, b := range c.branches {
			b.dialog.contact = c.dialog.contact
		}
		return nil
	})
}

// moved learns where the far side is now from a target refresh of its own that we accept (RFC 3261 §12.2.2): its Contact, and,
// since requests go the way they come, the address it came from.
func (c *Call) moved(in *stack.Inbound, d *dialog) {
	d.refresh(in.Req.Contact())
	if now := c.path.Load(); now.peer != in.From || now.link.Err() != nil {
		c.path.Store(&path{in.Link, in.From})
		d.contact = in.Link.ContactFor(c.user, in.From)
	}
}

// linkLost: an inbound call that still rings cannot be answered any more, for its answer goes the way its INVITE came.
// Every other call waits for Move, or finds another way when it has something to say.
func (c *Call) linkLost() {
	if c.phase == ringing {
		c.finish(Ended{ByPeer: true, Code: 503, Reason: "Link Lost", Cause: 41})
	}
}
