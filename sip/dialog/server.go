package dialog

import (
	"cmp"
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// unacked is a 2xx of ours that waits for its ACK: we repeat it, for its transaction does not (RFC 3261 §13.3.1.4).
type unacked struct {
	in      *stack.Inbound
	res     *sip.Response
	wait    time.Duration // to the next repetition
	since   time.Time
	offered bool        // the 2xx carries our offer, the ACK brings the answer
	done    func(error) // who waits, once
	timer   *time.Timer
}

// invited makes the call of an INVITE outside any dialog.
func (ua *UA) invited(in *stack.Inbound) {
	c := newCall(ua, true)
	c.phase, c.in, c.first = ringing, in, in.Req
	c.path.Store(&path{in.Link, in.From})
	from, to := in.Req.From(), in.Req.To()
	c.remote, c.called = party(from.DisplayName, from.Address), party(to.DisplayName, to.Address)
	c.dialog = accepted(in)
	c.user = stack.UnescapeUser(in.Req.Recipient.User)
	c.allow = stack.List(in.Req, "Allow")
	c.dialog.contact = in.Link.ContactFor(c.user, in.From)
	if err := ua.keep(c); err != nil {
		_ = in.Answer(503, "Service Unavailable", "Retry-After", "10")
		return
	}
	c.begin(func() func(Event) { return ua.hear(c) }, c.limitRinging)
}

// limitRinging starts the time that a call may ring, anew for each word of the far side to a call of ours.
func (c *Call) limitRinging() {
	c.stop(c.limit)
	if c.ua.cfg.Ring == 0 {
		return
	}
	c.limit = c.after(c.ua.cfg.Ring, func() {
		switch c.phase {
		case ringing:
			_ = c.in.Answer(480, "Temporarily Unavailable", withReason(nil, 480)...)
			c.finish(Ended{Code: 408, Reason: "Nobody Answered", Cause: 19})
		case calling:
			c.limited = true
			c.phase, c.cancelWith = cancelling, withReason(nil, 408)
			if c.provisional {
				c.sendCancel()
			}
		}
	})
}

// phrase is the reason phrase of a refusal that was given none.
func phrase(code int) string {
	switch code {
	case 480:
		return "Temporarily Unavailable"
	case 481:
		return "Call/Transaction Does Not Exist"
	case 486:
		return "Busy Here"
	case 487:
		return "Request Terminated"
	case 488:
		return "Not Acceptable Here"
	case 603:
		return "Decline"
	}
	return "Refused"
}

// Answer sends 200 and waits for the ACK; it waits for the PRACK of an SDP that is under way, and repeats no SDP that was
// said reliably; without one in 64*T1 the call ends with BYE and ErrNoAck. An INVITE without
// SDP gets sdp as our offer; the answer comes as Acked.
func (c *Call) Answer(ctx context.Context, sdp string) error {
	return c.ask(ctx, func(reply func(error)) {
		if c.phase != ringing {
			reply(ErrNotNow)
			return
		}
		if c.tooShort(c.in) {
			reply(&Refused{Code: 422, Reason: "Session Interval Too Small"})
			c.finish(Ended{Code: 422, Reason: "Session Interval Too Small"})
			return
		}
		c.afterPracks(func() {
			if c.phase == ringing {
				c.phase = answering
				c.accept(c.in, sdp, reply)
			}
		})
	})
}

// accept sends the 2xx of an INVITE and repeats it until the ACK.
func (c *Call) accept(in *stack.Inbound, sdp string, done func(error)) {
	res := in.Response(200, "OK")
	res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
	res.AppendHeader(c.ua.allowed)
	res.AppendHeader(c.ua.able)
	c.grant(in.Req, res)
	// What was said reliably in a provisional is not said twice (RFC 3262 §5). A description that differs, for another phone
	// answered than the one that rang first, is said all the same: who goes on hearing the first one would hear nothing.
	said := in == c.in && c.rel.said != ""
	if !said || sdp != c.rel.said {
		withSDP(res, sdp)
		c.sdp = sdp
	}
	u := &unacked{in: in, res: res, wait: sip.T1, since: time.Now(), offered: stack.SDP(in.Req) == "" && !said, done: done}
	c.unacked = u
	if err := in.Respond(res); err != nil {
		c.unacked = nil
		done(err)
		c.finish(Ended{Code: 503, Reason: "Service Unavailable"})
		return
	}
	u.timer = c.after(u.wait, func() { c.repeat(u) })
}

func (c *Call) repeat(u *unacked) {
	if c.unacked != u {
		return
	}
	if time.Since(u.since) >= 64*sip.T1 {
		c.unacked = nil
		u.done(ErrNoAck)
		c.settle(Ended{Code: 408, Reason: "No ACK"})
		c.phase = talking // for sendBye
		c.sendBye(nil, nil)
		return
	}
	_ = u.in.Respond(u.res)
	u.wait = min(2*u.wait, sip.T2)
	u.timer = c.after(u.wait, func() { c.repeat(u) })
}

// acked takes the ACK of a 2xx of ours.
func (c *Call) acked(ack *sip.Request) {
	u := c.unacked
	if u == nil || ack.CSeq().SeqNo != u.in.Req.CSeq().SeqNo {
		return
	}
	c.stop(u.timer)
	c.unacked = nil
	if c.phase == answering {
		c.phase = talking
	}
	if u.offered && stack.SDP(ack) != "" {
		c.tell(Acked{SDP: stack.SDP(ack)})
	}
	u.done(nil)
	if c.afterAck != nil {
		c.afterAck()
		c.afterAck = nil
	}
}

// Reject refuses an inbound call with a final code 300–699; headers are "Name", "value" pairs (Contact of a 302,
// Proxy-Authenticate of a 407, Retry-After of a 503). Ended follows.
func (c *Call) Reject(code int, reason string, headers ...string) error {
	return c.do(func() error {
		if c.phase != ringing {
			return ErrNotNow
		}
		err := c.in.Answer(code, cmp.Or(reason, phrase(code)), withReason(headers, code)...)
		c.finish(Ended{Code: code, Reason: reason})
		return err
	})
}

// cancelled: they gave up before we answered (RFC 3261 §9.2).
func (c *Call) cancelled(cancel *sip.Request, of *stack.Inbound) {
	if of == c.offered {
		c.offered = nil
		_ = of.Answer(487, "Request Terminated")
		return
	}
	if c.phase != ringing || of != c.in {
		return
	}
	sipCause, q850, text := reasons(cancel)
	if text == "" {
		text = "Request Terminated"
	}
	c.finish(Ended{ByPeer: true, Code: 487, Reason: text, Cause: q850, Elsewhere: sipCause == 200})
	_ = c.in.Answer(487, "Request Terminated") // who hears it may ask for the same phone at once, see Settled
}
