package dialog

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// dialog is the state of RFC 3261 §12: who talks to whom, over which proxies, and the next number.
type dialog struct {
	callID    string
	localTag  string
	remoteTag string
	local     *sip.FromHeader // how we are named, with our tag
	remote    *sip.ToHeader   // how they are named, with their tag once known
	target    sip.Uri         // their Contact
	routes    []string        // Route values in the order we send them
	seq       uint32          // our last CSeq
	heard     uint32          // their last CSeq, 0 before
	contact   string          // our Contact value
}

func (d *dialog) name() name { return name{d.callID, d.localTag} }

// request is the next request of the dialog, without Via. ACK and CANCEL take the number of their INVITE instead.
func (d *dialog) request(method sip.RequestMethod) *sip.Request {
	if method != sip.ACK {
		d.seq++
	}
	return d.numbered(method, d.seq)
}

func (d *dialog) numbered(method sip.RequestMethod, seq uint32) *sip.Request {
	target, routes := d.target, d.routes
	if len(routes) > 0 && !strings.Contains(strings.ToLower(routes[0]), ";lr") { // strict router, RFC 3261 §12.2.1.1
		var first sip.Uri
		if sip.ParseUri(strings.Trim(strings.TrimSpace(routes[0]), "<>"), &first) == nil {
			routes = append(append([]string(nil), routes[1:]...), "<"+target.String()+">")
			target = first
		}
	}
	target = *target.Clone()
	target.Headers = nil
	req := sip.NewRequest(method, target)
	for _, r := range routes {
		req.AppendHeader(sip.NewHeader("Route", r))
	}
	req.AppendHeader(sip.HeaderClone(d.local))
	req.AppendHeader(sip.HeaderClone(d.remote))
	id := sip.CallIDHeader(d.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	switch method { // those that refresh the target (RFC 3261 §12.2.1.1, RFC 6665 §4.1.2)
	case sip.INVITE, sip.UPDATE, sip.REFER, sip.NOTIFY, sip.SUBSCRIBE:
		req.AppendHeader(sip.NewHeader("Contact", d.contact))
	}
	return req
}

// established takes over what a 2xx to our INVITE says (RFC 3261 §12.1.2).
func (d *dialog) established(res *sip.Response) {
	d.remote = sip.HeaderClone(res.To()).(*sip.ToHeader)
	d.remoteTag = stack.Tag(res.To().Params)
	d.routes = nil
	for _, r := range stack.Headers(res, "Record-Route") {
		d.routes = append([]string{r}, d.routes...)
	}
	d.refresh(res.Contact())
}

// refresh learns a new target (RFC 3261 §12.2).
func (d *dialog) refresh(contact *sip.ContactHeader) {
	if contact != nil && contact.Address.Host != "" && !contact.Address.Wildcard {
		d.target = *contact.Address.Clone()
	}
}

// accepted is the dialog that an INVITE opens with us (RFC 3261 §12.1.1).
func accepted(in *stack.Inbound) *dialog {
	req := in.Req
	d := &dialog{
		callID: req.CallID().Value(), localTag: in.Tag(), remoteTag: stack.Tag(req.From().Params),
		heard: req.CSeq().SeqNo, routes: stack.Headers(req, "Record-Route"),
	}
	to := req.To()
	d.local = &sip.FromHeader{DisplayName: to.DisplayName, Address: *to.Address.Clone(), Params: sip.NewParams()}
	d.local.Params.Add("tag", d.localTag)
	from := req.From()
	d.remote = &sip.ToHeader{DisplayName: from.DisplayName, Address: *from.Address.Clone(), Params: from.Params.Clone()}
	d.refresh(req.Contact())
	return d
}

// learn takes what the far side says it can do.
func (c *Call) learn(msg sip.Message) {
	if allow := stack.List(msg, "Allow"); len(allow) > 0 {
		c.allow = allow
	}
}

// allows: the far side has not said that it lacks the method.
func (c *Call) allows(method sip.RequestMethod) bool {
	return c.allow == nil || has(c.allow, strings.ToLower(string(method)))
}

// ackFor is the ACK of a 2xx: the INVITE's number and credentials, the dialog's route (RFC 3261 §13.2.2.4).
func (d *dialog) ackFor(invite *sip.Request) *sip.Request {
	ack := d.numbered(sip.ACK, invite.CSeq().SeqNo)
	for _, name := range []string{"Authorization", "Proxy-Authorization"} {
		for _, h := range invite.GetHeaders(name) {
			ack.AppendHeader(sip.HeaderClone(h))
		}
	}
	return ack
}

// cancelFor is the CANCEL of an INVITE that was sent: its Via, its number (RFC 3261 §9.1).
func cancelFor(invite *sip.Request) *sip.Request {
	cancel := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	cancel.AppendHeader(sip.HeaderClone(invite.Via()))
	for _, h := range invite.GetHeaders("Route") {
		cancel.AppendHeader(sip.HeaderClone(h))
	}
	cancel.AppendHeader(sip.HeaderClone(invite.From()))
	cancel.AppendHeader(sip.HeaderClone(invite.To()))
	cancel.AppendHeader(sip.HeaderClone(invite.CallID()))
	cancel.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	return cancel
}

func withSDP(msg sip.Message, sdp string) {
	if sdp != "" {
		kind := sip.ContentTypeHeader("application/sdp")
		msg.AppendHeader(&kind)
		msg.SetBody([]byte(sdp))
	}
}

// again is a request to send once more with the next number: a clone without Via, for the first still belongs to its transaction.
func again(req *sip.Request, seq uint32) *sip.Request {
	next := req.Clone()
	for next.RemoveHeader("Via") {
	}
	next.ReplaceHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: req.Method})
	return next
}
