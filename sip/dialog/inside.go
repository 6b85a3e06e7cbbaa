package dialog

import (
	"context"
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// take answers a request with 500 when it breaks the call; that ends over it.
func (c *Call) take(in *stack.Inbound) {
	defer func() {
		if broken := recover(); broken != nil {
			_ = in.Answer(500, "Server Internal Error")
			panic(broken)
		}
	}()
	c.inside(in)
}

// inside takes a request within the dialog, in the owner.
func (c *Call) inside(in *stack.Inbound) {
	req := in.Req
	d := c.dialogOf(req)
	if d == nil || c.phase == over && req.Method != sip.NOTIFY {
		_ = in.Answer(481, "Call/Transaction Does Not Exist")
		return
	}
	if seq := req.CSeq().SeqNo; seq <= d.heard && d.heard != 0 {
		_ = in.Answer(500, "Server Internal Error") // RFC 3261 §12.2.2: out of order
		return
	}
	d.heard = req.CSeq().SeqNo
	switch req.Method {
	case sip.BYE:
		c.hungUp(in)
	case sip.INVITE:
		c.reinvited(in)
	case sip.UPDATE:
		c.updated(in, d)
	case sip.PRACK:
		c.pracked(in)
	case sip.INFO:
		c.informed(in)
	case sip.NOTIFY:
		c.notified(in)
	case sip.REFER:
		c.askedToRefer(in)
	case sip.OPTIONS:
		_ = in.Answer(200, "OK", "Allow", c.ua.stack.Allow(), "Accept", "application/sdp", "Supported", supported)
	default:
		_ = in.Answer(405, "Method Not Allowed")
	}
}

func (c *Call) hungUp(in *stack.Inbound) {
	_ = in.Answer(200, "OK")
	sipCause, q850, text := reasons(in.Req)
	last := Ended{ByPeer: true, Code: 200, Reason: text, Cause: q850}
	switch c.phase {
	case ringing: // RFC 3261 §15: a caller may end its early dialog
		_ = c.in.Answer(487, "Request Terminated")
		last.Code = 487
	case calling, cancelling:
		return // the answer to the INVITE ends it
	}
	if sipCause >= 300 {
		last.Code = sipCause
	}
	c.dropOpen()
	if c.unacked != nil {
		c.stop(c.unacked.timer)
		c.unacked.done(nil)
		c.unacked = nil
	}
	if c.afterAck != nil {
		c.afterAck()
		c.afterAck = nil
	}
	c.finish(last)
}

// dropOpen answers what waits for us when the call ends. A REFER of ours that was taken is done when its taker hangs up.
func (c *Call) dropOpen() {
	if c.offered != nil {
		_ = c.offered.Answer(487, "Request Terminated")
		c.offered = nil
	}
	if c.referred != nil && !c.referred.taken {
		_ = c.referred.in.Answer(481, "Call/Transaction Does Not Exist")
		c.referred = nil
	}
	switch mine := c.referring; {
	case mine == nil:
	case mine.taken && c.phase != ending:
		c.referDone(200, nil)
	default:
		c.referDone(0, ErrOver)
	}
}

func (c *Call) informed(in *stack.Inbound) {
	kind := stack.Header(in.Req, "Content-Type")
	body := string(in.Req.Body())
	switch base, _ := stack.Params(strings.ToLower(kind)); {
	case body == "":
		_ = in.Answer(200, "OK")
	case base == "application/dtmf-relay" || base == "application/dtmf":
		_ = in.Answer(200, "OK")
		c.tell(Info{ContentType: base, Body: body})
	default:
		_ = in.Answer(415, "Unsupported Media Type")
	}
}

// Bye hangs up an answered call: Ended is told at once, and Bye returns when the far side confirmed or the context ended.
// Before the ACK of our 200 it waits for that (RFC 3261 §15).
func (c *Call) Bye(ctx context.Context, headers ...string) error {
	return c.ask(ctx, func(reply func(error)) { c.bye(reply, headers) })
}

func (c *Call) bye(reply func(error), headers []string) {
	switch c.phase {
	case talking:
		c.settle(Ended{Code: 200, Reason: "OK"})
		c.sendBye(reply, headers)
	case answering:
		c.settle(Ended{Code: 200, Reason: "OK"})
		c.afterAck = func() {
			if c.phase == talking {
				c.sendBye(reply, headers)
				return
			}
			reply(nil)
		}
	case over, ending:
		reply(ErrOver)
	default:
		reply(ErrNotNow)
	}
}

func (c *Call) sendBye(reply func(error), headers []string) {
	c.flushAnswer()
	if reply == nil {
		reply = func(error) {}
	}
	c.phase = ending
	c.dropOpen()
	req := c.dialog.request(sip.BYE)
	stack.AddHeaders(req, withReason(headers, 200)...)
	// A challenge of a BYE is never answered: it comes from the other end as easily as from our proxy, and the answer could
	// be cracked at leisure (the SIP digest leak).
	_, err := c.send(req, func(res *sip.Response, err error) {
		if res != nil && res.IsProvisional() {
			return
		}
		c.phase = over
		if err == nil && res.StatusCode >= 300 && res.StatusCode != 481 {
			err = &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res}
		}
		reply(err)
	})
	if err != nil {
		c.phase = over
		reply(err)
	}
}

// Hangup ends the call by whatever its state demands: CANCEL, BYE, or 603. For BYE it returns when the far side confirmed.
func (c *Call) Hangup(ctx context.Context, headers ...string) error {
	return c.ask(ctx, func(reply func(error)) { c.hangup(reply, headers) })
}

// Drop is Hangup that waits for nobody.
func (c *Call) Drop(headers ...string) {
	c.post(func() { c.hangup(func(error) {}, headers) })
}

func (c *Call) hangup(reply func(error), headers []string) {
	switch c.phase {
	case calling:
		c.phase, c.cancelWith = cancelling, headers
		if c.provisional {
			c.sendCancel()
		}
		reply(nil)
	case cancelling:
		reply(nil)
	case ringing:
		err := c.in.Answer(603, "Decline", withReason(headers, 603)...)
		c.finish(Ended{Code: 603, Reason: "Decline"})
		reply(err)
	default:
		c.bye(reply, headers)
	}
}

// abandon ends the call without waiting for anybody: the program goes.
func (c *Call) abandon() {
	c.post(func() {
		c.unacked, c.referred, c.lingering = nil, nil, 0
		if c.phase == ringing {
			_ = c.in.Answer(503, "Service Unavailable")
		}
		c.finish(Ended{Code: 503, Reason: "Shutting Down"})
	})
}

// Info sends an INFO in the dialog (legacy DTMF) and waits for its answer.
func (c *Call) Info(ctx context.Context, contentType, body string) error {
	if !stack.Clean(contentType) {
		return ErrUnclean
	}
	return c.ask(ctx, func(reply func(error)) {
		if c.phase != talking {
			reply(ErrNotNow)
			return
		}
		req := c.dialog.request(sip.INFO)
		req.AppendHeader(sip.NewHeader("Content-Type", contentType))
		req.SetBody([]byte(body))
		_, err := c.send(req, func(res *sip.Response, err error) {
			if res != nil && res.IsProvisional() {
				return
			}
			if err == nil && res.StatusCode >= 300 {
				err = &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res}
			}
			reply(err)
		})
		if err != nil {
			reply(err)
		}
	})
}

func has(list []string, want string) bool {
	for _, v := range list {
		if v == want {
			return true
		}
	}
	return false
}
