package dialog

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

const (
	glareTries = 5
	offerTime  = 20 * time.Second // for the person or the other leg to answer an offer
)

// reinvite is a request of ours that offers, asks for an offer, or refreshes the session.
type reinvite struct {
	method  sip.RequestMethod // INVITE or UPDATE
	sdp     string
	headers []string
	patient bool // the ACK waits for Acknowledge
	tries   int
	reply   func(answer string, err error)
}

// Reinvite offers a new SDP and returns the answer; 491 is tried again as RFC 3261 §14.1 says. headers are "Name", "value"
// pairs; unclean ones are left out.
func (c *Call) Reinvite(ctx context.Context, sdp string, headers ...string) (answer string, err error) {
	return c.negotiate(ctx, reinvite{method: sip.INVITE, sdp: sdp, headers: headers})
}

// Solicit asks the far side for an offer by a re-INVITE without SDP and returns it. Acknowledge answers it.
func (c *Call) Solicit(ctx context.Context) (offer string, err error) {
	return c.negotiate(ctx, reinvite{method: sip.INVITE, patient: true})
}

// Update offers a new SDP by UPDATE (RFC 3311), which works before the answer too when one phone rings and has answered our
// offer reliably. "" only says that we are still there.
func (c *Call) Update(ctx context.Context, sdp string) (answer string, err error) {
	return c.negotiate(ctx, reinvite{method: sip.UPDATE, sdp: sdp})
}

// negotiate waits for what comes of r. When the context ends first, a reply that comes later is nobody's.
func (c *Call) negotiate(ctx context.Context, r reinvite) (string, error) {
	answer := make(chan string, 1)
	err := c.ask(ctx, func(reply func(error)) {
		var once sync.Once
		r.reply = func(got string, err error) {
			once.Do(func() { answer <- got })
			reply(err)
		}
		c.reinvite(&r)
	})
	select {
	case got := <-answer:
		return got, err
	default:
		return "", err
	}
}

// busy: an exchange is open, or a request of it (RFC 3264 §4).
func (c *Call) busy() bool {
	return c.offering != nil || c.offered != nil || c.unacked != nil || c.held != nil
}

// open is the dialog that r may go into now, nil for none.
func (c *Call) open(r *reinvite) *dialog {
	if c.phase == talking {
		return c.dialog
	}
	if c.phase == calling && r.method == sip.UPDATE && len(c.branches) == 1 {
		for _, b := range c.branches {
			if b.answered {
				return b.dialog
			}
		}
	}
	return nil
}

func (c *Call) reinvite(r *reinvite) {
	d := c.open(r)
	if d == nil {
		r.reply("", ErrNotNow)
		return
	}
	if c.busy() {
		c.glare(r)
		return
	}
	req := c.within(d, r.method)
	c.ua.offerHeaders(req)
	if c.phase == talking {
		c.askTimer(req)
	}
	stack.AddHeaders(req, r.headers...)
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

// reoffered takes what comes back for our re-INVITE or UPDATE.
func (c *Call) reoffered(r *reinvite, req *sip.Request, res *sip.Response, err error) {
	if res != nil && res.IsProvisional() || res != nil && res.IsSuccess() && c.late.repeat(c, ackKey(req)) || c.offering != r {
		return
	}
	c.offering = nil
	switch {
	case err != nil && !errors.Is(err, sip.ErrTransactionTimeout): // its link is gone; the call may move to another
		r.reply("", err)
	case err != nil: // RFC 3261 §14.1 and §12.2.1.2: a dialog that does not answer is dead
		r.reply("", err)
		c.dead(408, "Request Timeout")
	case res.IsSuccess():
		c.agreedOn(r, req, res)
	case res.StatusCode == 491, r.method == sip.UPDATE && res.StatusCode == 500 && stack.Header(res, "Retry-After") != "": // RFC 3311 §5.1
		c.glare(r)
	case c.raise(res):
		c.reinvite(r)
	default:
		c.disagreed(r, res)
	}
}

func (c *Call) agreedOn(r *reinvite, req *sip.Request, res *sip.Response) {
	if d := c.dialogOfAnswer(res); d != nil {
		d.refresh(res.Contact())
	}
	c.learn(res)
	if c.phase == talking {
		c.agreed(res)
	}
	if r.sdp != "" {
		c.sdp = r.sdp
	}
	if r.method == sip.INVITE {
		send := func(answer string) {
			ack := c.dialog.ackFor(req)
			withSDP(ack, answer)
			if answer != "" {
				c.sdp = answer
			}
			c.late.ack(c, ack, ackKey(req))
		}
		if r.patient && stack.SDP(res) != "" {
			c.holdAnswer(send)
		} else {
			send("")
		}
	}
	r.reply(stack.SDP(res), nil)
}

func (c *Call) dialogOfAnswer(res *sip.Response) *dialog {
	if b := c.branches[stack.Tag(res.To().Params)]; b != nil {
		return b.dialog
	}
	return c.dialog
}

func (c *Call) disagreed(r *reinvite, res *sip.Response) {
	if r.method == sip.UPDATE && (res.StatusCode == 405 || res.StatusCode == 501) && c.allow != nil { // it said it could
		c.allow = slices.DeleteFunc(slices.Clone(c.allow), func(m string) bool { return m == "update" })
	}
	r.reply("", &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res})
	if res.StatusCode == 408 || res.StatusCode == 481 {
		c.dead(res.StatusCode, res.Reason)
	}
}

func (c *Call) dead(code int, reason string) {
	if c.phase == talking {
		c.settle(Ended{ByPeer: true, Code: code, Reason: reason})
		c.sendBye(nil, withReason(nil, code))
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
	case c.phase == talking && c.tooShort(in):
	case c.offered != nil:
		_ = in.Answer(500, "Server Internal Error", "Retry-After", "2")
	case c.held != nil, c.offering != nil, c.unacked != nil, c.phase == calling, c.phase == cancelling:
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
func (c *Call) updated(in *stack.Inbound, d *dialog) {
	c.learn(in.Req)
	switch {
	case c.tooShort(in):
	case stack.SDP(in.Req) == "":
		c.moved(in, d)
		c.answerUpdate(in, "")
		if stack.Header(in.Req, "P-Asserted-Identity") != "" {
			c.tell(Updated{Header: headerOf(in)})
		}
	case c.offered != nil:
		_ = in.Answer(500, "Server Internal Error", "Retry-After", "2")
	case c.busy() || !c.exchanged(d):
		_ = in.Answer(491, "Request Pending")
	default:
		c.toldOffer(in)
	}
}

// exchanged: no offer is open in the dialog, so that an UPDATE may bring one, also before the answer (RFC 3311 §5.2).
func (c *Call) exchanged(d *dialog) bool {
	switch c.phase {
	case talking:
		return true
	case ringing:
		return c.rel.said != "" && c.rel.open == nil
	case calling:
		for _, b := range c.branches {
			if b.dialog == d {
				return b.answered
			}
		}
	}
	return false
}

func (c *Call) answerUpdate(in *stack.Inbound, sdp string) {
	res := in.Response(200, "OK")
	if in.Req.Method == sip.UPDATE {
		res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
		res.AppendHeader(sip.NewHeader("Allow", c.ua.stack.Allow()))
		if c.phase == talking {
			c.grant(in.Req, res)
		}
	}
	withSDP(res, sdp)
	if sdp != "" {
		c.sdp = sdp
	}
	_ = in.Respond(res)
}

func (c *Call) toldOffer(in *stack.Inbound) {
	c.offered = in
	c.tell(Reoffered{SDP: stack.SDP(in.Req), Header: headerOf(in)})
	c.after(offerTime, func() {
		if c.offered == in {
			c.offered = nil
			_ = in.Answer(488, "Not Acceptable Here")
		}
	})
}

func headerOf(in *stack.Inbound) func(name string) string {
	return func(name string) string { return stack.Header(in.Req, name) }
}

// AnswerReoffer answers the last Reoffered; for one without SDP this is our offer and the answer comes as Acked.
func (c *Call) AnswerReoffer(sdp string) error {
	return c.do(func() error {
		in := c.offered
		if in == nil {
			return ErrNotNow
		}
		c.offered = nil
		if d := c.dialogOf(in.Req); d != nil {
			c.moved(in, d)
		}
		if in.Req.IsInvite() {
			c.learn(in.Req)
			c.accept(in, sdp, func(error) {})
			return nil
		}
		c.answerUpdate(in, sdp)
		return nil
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
