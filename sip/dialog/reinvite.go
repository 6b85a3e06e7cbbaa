package dialog

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

const (
	glareTries = 5
	offerTime  = 20 * time.Second // for the person or the other leg to answer an offer
)

// reinvite is an offer of ours within the dialog.
type reinvite struct {
	sdp   string
	tries int
	reply func(answer string, err error)
}

// Reinvite offers a new SDP and returns the answer; 491 is tried again as RFC 3261 §14.1 says.
func (c *Call) Reinvite(ctx context.Context, sdp string) (answer string, err error) {
	var mu sync.Mutex
	err = c.ask(ctx, func(reply func(error)) {
		c.reinvite(&reinvite{sdp: sdp, reply: func(got string, err error) {
			mu.Lock()
			answer = got
			mu.Unlock()
			reply(err)
		}})
	})
	mu.Lock()
	defer mu.Unlock()
	return answer, err
}

func (c *Call) reinvite(r *reinvite) {
	if c.phase != talking {
		r.reply("", ErrNotNow)
		return
	}
	if c.offering != nil || c.offered != nil || c.unacked != nil { // one exchange at a time (RFC 3264 §4)
		c.glare(r)
		return
	}
	req := c.dialog.request(sip.INVITE)
	c.ua.offerHeaders(req)
	withSDP(req, r.sdp)
	c.offering = r
	link, err := c.way()
	if err == nil {
		_, err = c.ua.stack.Send(req, link, c.Source(), func(res *sip.Response, err error) {
			if res != nil && res.IsSuccess() && c.late.repeat(c, ackKey(req)) {
				return
			}
			c.post(func() { c.reoffered(r, req, res, err) })
		})
	}
	if err != nil {
		c.offering = nil
		r.reply("", err)
	}
}

// ackKey names the ACK of a later INVITE; the first one's are named by To-tag, which has no blank.
func ackKey(req *sip.Request) string { return req.CSeq().Value() }

// reoffered takes what comes back for our re-INVITE.
func (c *Call) reoffered(r *reinvite, req *sip.Request, res *sip.Response, err error) {
	if res != nil && res.IsProvisional() || c.offering != r {
		return
	}
	c.offering = nil
	switch {
	case err != nil: // RFC 3261 §14.1 and §12.2.1.2: a dialog that does not answer is dead
		r.reply("", err)
		c.dead(408, "Request Timeout")
	case res.IsSuccess():
		c.dialog.refresh(res.Contact())
		c.late.ack(c, c.dialog.ackFor(req), ackKey(req))
		c.sdp = r.sdp
		r.reply(stack.SDP(res), nil)
	case res.StatusCode == 491:
		c.glare(r)
	default:
		r.reply("", &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res})
		if res.StatusCode == 408 || res.StatusCode == 481 {
			c.dead(res.StatusCode, res.Reason)
		}
	}
}

func (c *Call) dead(code int, reason string) {
	if c.phase == talking {
		c.settle(Ended{ByPeer: true, Code: code, Reason: reason})
		c.sendBye(nil, nil)
	}
}

// glare tries again: 2.1 to 4 s later for who made the Call-ID, up to 2 s for the other, in steps of 10 ms.
func (c *Call) glare(r *reinvite) {
	if r.tries++; r.tries > glareTries {
		r.reply("", &Refused{Code: 491, Reason: "Request Pending"})
		return
	}
	wait := time.Duration(rand.N(200)) * 10 * time.Millisecond
	if !c.inbound {
		wait = 2100*time.Millisecond + time.Duration(rand.N(190))*10*time.Millisecond
	}
	c.after(wait, func() { c.reinvite(r) })
}

// reinvited takes their re-INVITE (RFC 3261 §14.2).
func (c *Call) reinvited(in *stack.Inbound) {
	switch {
	case c.offered != nil:
		_ = in.Answer(500, "Server Internal Error", "Retry-After", "2")
	case c.offering != nil, c.unacked != nil, c.phase == calling, c.phase == cancelling:
		_ = in.Answer(491, "Request Pending")
	case c.phase == ringing, c.phase == answering:
		_ = in.Answer(500, "Server Internal Error", "Retry-After", "2")
	case c.phase != talking:
		_ = in.Answer(481, "Call/Transaction Does Not Exist")
	default:
		c.toldOffer(in)
	}
}

// updated takes their UPDATE (RFC 3311): a session refresh, or an offer.
func (c *Call) updated(in *stack.Inbound) {
	switch {
	case stack.SDP(in.Req) == "":
		c.dialog.refresh(in.Req.Contact())
		res := in.Response(200, "OK")
		res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
		c.sessionTimer(in.Req, res)
		_ = in.Respond(res)
	case c.offered != nil:
		_ = in.Answer(500, "Server Internal Error", "Retry-After", "2")
	case c.offering != nil || c.phase != talking:
		_ = in.Answer(491, "Request Pending")
	default:
		c.toldOffer(in)
	}
}

func (c *Call) toldOffer(in *stack.Inbound) {
	c.offered = in
	c.tell(Reoffered{SDP: stack.SDP(in.Req)})
	c.after(offerTime, func() {
		if c.offered == in {
			c.offered = nil
			_ = in.Answer(488, "Not Acceptable Here")
		}
	})
}

// AnswerReoffer answers the last Reoffered; for one without SDP this is our offer and the answer comes as Acked.
func (c *Call) AnswerReoffer(sdp string) error {
	return c.do(func() error {
		in := c.offered
		if in == nil {
			return ErrNotNow
		}
		c.offered = nil
		c.dialog.refresh(in.Req.Contact())
		if in.Req.IsInvite() {
			c.accept(in, sdp, func(error) {})
			return nil
		}
		res := in.Response(200, "OK")
		res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
		c.sessionTimer(in.Req, res)
		withSDP(res, sdp)
		c.sdp = sdp
		return in.Respond(res)
	})
}

// RejectReoffer refuses it (488); the session stays as it was.
func (c *Call) RejectReoffer(code int) error {
	return c.do(func() error {
		in := c.offered
		if in == nil {
			return ErrNotNow
		}
		c.offered = nil
		return in.Answer(code, "Not Acceptable Here")
	})
}
