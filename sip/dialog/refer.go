package dialog

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// referQuiet is how long a taken REFER may stay without a NOTIFY: 60 seconds with T1 of half a second.
func referQuiet() time.Duration { return 120 * sip.T1 }

// referLong is the same after a provisional NOTIFY, for somebody has to answer now: 180 seconds.
func referLong() time.Duration { return 360 * sip.T1 }

// referTries is how often a REFER that hears 491 is sent again.
const referTries = 4

// ReferRequest asks the far side to call somebody.
type ReferRequest struct {
	To string // Refer-To value, see ReferValue
	By Party  // Referred-By (RFC 3892); empty: none
}

// referring is a REFER of ours: the subscription that it opens by itself (RFC 3515 §2.4.4).
type referring struct {
	ask   ReferRequest
	tries int
	seq   uint32 // its CSeq, the id of the subscription
	taken bool   // 202 came
	timer *time.Timer
	reply func(code int, err error)
}

// Refer asks the far side to call somebody and returns the outcome that its NOTIFYs tell: a 2xx and nil, or the code with a
// *Refused. 408 is silence: a minute without a NOTIFY, three after a provisional one. A far side that hangs up after it
// took the REFER has done it: 200. The call itself stays as it is; ending it is the caller's.
func (c *Call) Refer(ctx context.Context, r ReferRequest) (code int, err error) {
	if !stack.Clean(r.To) || !stack.Clean(r.By.User) {
		return 0, ErrUnclean
	}
	var mine *referring
	outcome := make(chan int, 1)
	err = c.ask(ctx, func(reply func(error)) {
		mine = c.refer(r, func(code int, err error) {
			outcome <- code
			reply(err)
		})
	})
	select {
	case code = <-outcome:
	default:
		c.post(func() { c.forgetRefer(mine) }) // the context ended first
	}
	return code, err
}

// refer sends it, in the owner.
func (c *Call) refer(r ReferRequest, reply func(int, error)) *referring {
	if c.phase != talking || c.referring != nil {
		reply(0, ErrNotNow)
		return nil
	}
	if !c.allows(sip.REFER) {
		reply(405, &Refused{Code: 405, Reason: "Method Not Allowed"})
		return nil
	}
	mine := &referring{ask: r, reply: reply}
	c.referring = mine
	c.referWithin(referQuiet())
	c.sendRefer(mine)
	return mine
}

func (c *Call) sendRefer(mine *referring) {
	req := c.dialog.request(sip.REFER)
	stack.AddHeaders(req, "Refer-To", mine.ask.To)
	if mine.ask.By.User != "" {
		by := mine.ask.By.uri()
		stack.AddHeaders(req, "Referred-By", "<"+by.String()+">")
	}
	mine.seq = req.CSeq().SeqNo
	if _, err := c.send(req, func(res *sip.Response, err error) { c.referAnswered(mine, res, err) }); err != nil {
		c.referDone(0, err)
	}
}

func (c *Call) referWithin(d time.Duration) {
	mine := c.referring
	c.stop(mine.timer)
	mine.timer = c.after(d, func() {
		if c.referring == mine {
			c.referDone(408, &Refused{Code: 408, Reason: "Request Timeout"})
		}
	})
}

func (c *Call) referAnswered(mine *referring, res *sip.Response, err error) {
	switch {
	case c.referring != mine || res != nil && res.IsProvisional():
	case err != nil:
		c.referDone(408, err)
	case res.StatusCode == 491 && mine.tries < referTries: // a proxy let it overtake our ACK: they still wait for that
		mine.tries++
		c.after(sip.T1/2+rand.N(sip.T1), func() {
			if c.referring == mine {
				c.sendRefer(mine)
			}
		})
	case res.StatusCode >= 300:
		c.referDone(res.StatusCode, &Refused{Code: res.StatusCode, Reason: res.Reason, Response: res})
		if res.StatusCode == 481 {
			c.dead(481, res.Reason)
		}
	case strings.EqualFold(stack.Header(res, "Refer-Sub"), "false"): // RFC 4488 §4: nobody will tell us more
		c.referDone(200, nil)
	default:
		mine.taken = true
	}
}

// referDone ends our REFER with its outcome. For a while NOTIFYs about it are still answered with 200.
func (c *Call) referDone(code int, err error) {
	mine := c.referring
	if mine == nil {
		return
	}
	c.referring = nil
	c.stop(mine.timer)
	mine.reply(code, err)
	c.linger(64 * sip.T1)
}

func (c *Call) forgetRefer(mine *referring) {
	if mine != nil && c.referring == mine {
		c.referDone(0, context.Canceled)
	}
}

// linger keeps the owner after the call for what belongs to it and comes late: a NOTIFY after BYE.
func (c *Call) linger(d time.Duration) {
	c.lingering++
	c.after(d, func() { c.lingering = max(0, c.lingering-1) })
}

// notified takes a NOTIFY about our REFER. It may come without an id, and after the BYE (RFC 5589 §6.1).
func (c *Call) notified(in *stack.Inbound) {
	event, params := stack.Params(stack.Header(in.Req, "Event"))
	mine := c.referring
	switch {
	case !strings.EqualFold(event, "refer"):
		_ = in.Answer(489, "Bad Event", "Allow-Events", "refer")
		return
	case mine == nil && c.lingering > 0, mine != nil && params["id"] != "" && params["id"] != strconv.FormatUint(uint64(mine.seq), 10):
		_ = in.Answer(200, "OK") // about one that is settled
		return
	case mine == nil:
		_ = in.Answer(481, "Subscription Does Not Exist")
		return
	}
	_ = in.Answer(200, "OK")
	code, reason, ok := ParseSipfrag(string(in.Req.Body()))
	state, _ := stack.Params(stack.Header(in.Req, "Subscription-State"))
	ended := strings.EqualFold(state, "terminated")
	if !ok && !ended {
		return
	}
	c.tell(Notified{Code: code, Reason: reason, Final: code >= 200 || ended})
	switch {
	case code >= 300:
		c.referDone(code, &Refused{Code: code, Reason: reason})
	case code >= 200:
		c.referDone(code, nil)
	case ended: // without an outcome: nobody knows, so they are still ours
		c.referDone(408, &Refused{Code: 408, Reason: "Request Timeout"})
	default:
		c.referWithin(referLong())
	}
}

// ParseSipfrag reads the status line of a message/sipfrag body (RFC 3420, RFC 3515 §2.4.5).
func ParseSipfrag(body string) (code int, reason string, ok bool) {
	line, _, _ := strings.Cut(strings.TrimLeft(body, "\r\n\t "), "\n")
	version, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	digits, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	code, err := strconv.Atoi(digits)
	if !strings.EqualFold(version, "SIP/2.0") || err != nil || len(digits) != 3 || code < 100 || code > 699 {
		return 0, "", false
	}
	if !stack.Clean(reason) {
		reason = ""
	}
	return code, reason, true
}

// referred is a REFER of theirs, and the NOTIFYs we owe.
type referred struct {
	in     *stack.Inbound
	id     string // of the subscription; "" for the first of the dialog (RFC 3515 §2.4.6)
	silent bool   // Refer-Sub: false (RFC 4488)
	taken  bool
	ended  bool   // the final NOTIFY is queued
	busy   bool   // a NOTIFY is under way: the next waits, so that they cannot overtake
	owed   []note // in order
}

type note struct {
	code   int
	reason string
	final  bool
}

// askedToRefer takes a REFER within the call.
func (c *Call) askedToRefer(in *stack.Inbound) {
	values := stack.Headers(in.Req, "Refer-To")
	if len(values) != 1 {
		_ = in.Answer(400, "Bad Refer-To")
		return
	}
	to, err := ParseReferTo(values[0])
	switch {
	case err == errScheme:
		_ = in.Answer(416, "Unsupported URI Scheme")
		return
	case err != nil:
		_ = in.Answer(400, "Bad Refer-To")
		return
	case c.phase != talking:
		_ = in.Answer(480, "Temporarily Unavailable")
		return
	case c.referred != nil:
		_ = in.Answer(491, "Request Pending")
		return
	}
	r := &referred{in: in, silent: strings.EqualFold(stack.Header(in.Req, "Refer-Sub"), "false")}
	if c.refers++; c.refers > 1 {
		r.id = strconv.FormatUint(uint64(in.Req.CSeq().SeqNo), 10)
	}
	c.referred = r
	c.tell(Referred{ReferTo: to, By: referredBy(in.Req)})
	c.after(offerTime, func() {
		if c.referred == r && !r.taken {
			c.referred = nil
			_ = in.Answer(603, "Decline")
		}
	})
}

// referredBy is who sends us there (RFC 3892 §3), empty when unsaid or unreadable.
func referredBy(req *sip.Request) Party {
	var uri sip.Uri
	var params sip.HeaderParams
	display, err := sip.ParseAddressValue(stack.Header(req, "Referred-By"), &uri, &params)
	if err != nil || !stack.Clean(stack.UnescapeUser(uri.User)) {
		return Party{}
	}
	return party(display, uri)
}

// AcceptRefer takes the last Referred: 202 and a NOTIFY that says 100. Tell the outcome with NotifyRefer.
func (c *Call) AcceptRefer() error {
	return c.do(func() error {
		r := c.referred
		if r == nil || r.taken {
			return ErrNotNow
		}
		r.taken = true
		res := r.in.Response(202, "Accepted")
		res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
		if r.silent {
			stack.AddHeaders(res, "Refer-Sub", "false")
		}
		if err := r.in.Respond(res); err != nil {
			c.referred = nil
			return err
		}
		c.owe(r, note{100, "Trying", false})
		return nil
	})
}

// RejectRefer refuses it: 603, 480…
func (c *Call) RejectRefer(code int) error {
	return c.do(func() error {
		r := c.referred
		if r == nil || r.taken {
			return ErrNotNow
		}
		c.referred = nil
		return r.in.Answer(code, "Decline")
	})
}

// NotifyRefer tells who referred us how the new call goes; final ends the subscription. It works after BYE too and does not
// wait for the answer.
func (c *Call) NotifyRefer(code int, reason string, final bool) error {
	if !stack.Clean(reason) {
		reason = ""
	}
	return c.do(func() error {
		r := c.referred
		if r == nil || !r.taken || r.ended {
			return ErrNotNow
		}
		c.owe(r, note{code, reason, final})
		return nil
	})
}

// owe sends the notes one after another.
func (c *Call) owe(r *referred, n note) {
	r.ended = r.ended || n.final
	r.owed = append(r.owed, n)
	c.payNote(r)
}

func (c *Call) payNote(r *referred) {
	if r.busy {
		return
	}
	if len(r.owed) == 0 || r.silent {
		if r.ended && c.referred == r {
			c.referred = nil
		}
		return
	}
	n := r.owed[0]
	r.owed = r.owed[1:]
	req := c.dialog.request(sip.NOTIFY)
	event, state := "refer", "active;expires=180"
	if r.id != "" {
		event += ";id=" + r.id
	}
	if n.final {
		state = "terminated;reason=noresource"
	}
	stack.AddHeaders(req, "Event", event, "Subscription-State", state, "Content-Type", "message/sipfrag;version=2.0")
	req.SetBody([]byte("SIP/2.0 " + strconv.Itoa(n.code) + " " + n.reason + "\r\n"))
	r.busy = true
	next := func() {
		r.busy = false
		c.payNote(r)
	}
	_, err := c.send(req, func(res *sip.Response, err error) {
		if res == nil || !res.IsProvisional() {
			next()
		}
	})
	if err != nil {
		c.ua.log.Debug("notify not sent", "call", c.id, "err", err)
		next()
	}
}
