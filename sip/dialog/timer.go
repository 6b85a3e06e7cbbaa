package dialog

import (
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// session is the timer of RFC 4028: one side refreshes at half time, and who hears nothing in time hangs up.
type session struct {
	asked   time.Duration // what we ask for
	raised  bool          // 422 raised it already
	every   time.Duration // agreed; 0: no timer
	ours    bool          // we refresh
	refresh *time.Timer
	expiry  *time.Timer
}

// askTimer asks for a session timer, or for the agreed one with the roles it has (§7.1, §7.4).
func (c *Call) askTimer(req *sip.Request) {
	s := &c.session
	if s.asked == 0 {
		s.asked = c.ua.cfg.Session
	}
	value := seconds(s.asked)
	if s.every > 0 {
		value = seconds(max(s.every, s.asked)) + ";refresher=uas"
		if s.ours {
			value = seconds(max(s.every, s.asked)) + ";refresher=uac"
		}
	}
	req.RemoveHeader("Session-Expires")
	req.RemoveHeader("Min-SE")
	stack.AddHeaders(req, "Session-Expires", value, "Min-SE", seconds(c.ua.cfg.MinSession))
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// expires reads Session-Expires; 0 is none.
func expires(msg sip.Message) (d time.Duration, refresher string) {
	header := stack.Header(msg, "Session-Expires")
	if header == "" {
		return 0, ""
	}
	value, params := stack.Params(header)
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 || n > 86400*7 {
		return 0, ""
	}
	return time.Duration(n) * time.Second, strings.ToLower(params["refresher"])
}

func least(msg sip.Message) time.Duration {
	header := stack.Header(msg, "Min-SE")
	if header == "" {
		return 0
	}
	value, _ := stack.Params(header)
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 || n > 86400 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// raise takes the Min-SE of a 422, once; false: there is nothing to try again with (§7.4).
func (c *Call) raise(res *sip.Response) bool {
	want := least(res)
	if res.StatusCode != 422 || c.session.raised || want <= c.session.asked && want <= c.session.every {
		return false
	}
	c.session.raised, c.session.asked = true, want
	return true
}

// agreed takes the timer of a 2xx to our request (§7.2). A far side that names none has none.
func (c *Call) agreed(res *sip.Response) {
	every, refresher := expires(res)
	c.keepTime(every, refresher != "uas")
}

// tooShort refuses a timer below ours when the far side understands that (§9).
func (c *Call) tooShort(in *stack.Inbound) bool {
	every, _ := expires(in.Req)
	if every == 0 || every >= c.ua.cfg.MinSession || !has(stack.List(in.Req, "Supported"), "timer") {
		return false
	}
	_ = in.Answer(422, "Session Interval Too Small", "Min-SE", seconds(c.ua.cfg.MinSession))
	return true
}

// grant puts the timer into our 2xx to a request (§9, table 2): the far side's refresher if it names one, else the far side
// when it asked for a timer, and we when it only can.
func (c *Call) grant(req *sip.Request, res *sip.Response) {
	if !has(stack.List(req, "Supported"), "timer") && !has(stack.List(req, "Require"), "timer") {
		c.keepTime(0, false)
		return
	}
	every, refresher := expires(req)
	switch {
	case every == 0:
		every, refresher = c.ua.cfg.Session, "uas"
	case refresher != "uas":
		refresher = "uac"
	}
	every = max(every, least(req))
	stack.AddHeaders(res, "Session-Expires", seconds(every)+";refresher="+refresher)
	if refresher == "uac" {
		stack.AddHeaders(res, "Require", "timer")
	}
	c.keepTime(every, refresher == "uas")
}

// keepTime starts the timers anew. Who does not refresh, or cannot, hangs up a little before the time is over (§10).
func (c *Call) keepTime(every time.Duration, ours bool) {
	s := &c.session
	c.stop(s.refresh)
	c.stop(s.expiry)
	s.every, s.ours = every, ours
	if every == 0 {
		return
	}
	if ours {
		s.refresh = c.after(every/2, c.refreshSession)
	}
	s.expiry = c.after(every-min(32*time.Second, every/3), func() {
		if c.phase == talking {
			c.settle(Ended{ByPeer: true, Code: 408, Reason: "Session Expired"})
			c.sendBye(nil, withReason(nil, 408))
		}
	})
}

// refreshSession sends an UPDATE without SDP if the far side knows UPDATE, else a re-INVITE with what we said last (§7.4).
// What fails without ending the dialog is tried again until the session expires.
func (c *Call) refreshSession() {
	s := &c.session
	again := func() {
		c.stop(s.refresh)
		s.refresh = c.after(max(s.every/20, time.Second/4), c.refreshSession)
	}
	if c.phase != talking {
		return
	}
	if c.busy() {
		again()
		return
	}
	r := &reinvite{method: sip.INVITE, sdp: c.sdp, tries: glareTries}
	if c.allow != nil && c.allows(sip.UPDATE) {
		r.method, r.sdp = sip.UPDATE, ""
	}
	r.reply = func(_ string, err error) {
		if err != nil && c.phase == talking {
			again()
		}
	}
	c.reinvite(r)
}
