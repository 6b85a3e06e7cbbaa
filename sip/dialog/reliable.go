package dialog

import (
	"cmp"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// reliably are our provisional answers that want a PRACK (RFC 3262 §3): one at a time, each repeated until it is
// acknowledged.
type reliably struct {
	seq     uint32 // of the last one, 0 before the first
	open    *provision
	waiting []*provision
	said    string // our description that one of them carried: the 2xx needs none
	then    func() // an answer that waits for the PRACK
}

type provision struct {
	res   *sip.Response
	sdp   string
	since time.Time
	wait  time.Duration
	timer *time.Timer
}

// Ring sends a provisional answer (180; 183 with an SDP is early media). Not after a final one. It is sent reliably when the
// caller demands it, or when it carries an SDP and the caller knows how; for an INVITE without offer that SDP is ours, and
// the answer comes as Acked.
func (c *Call) Ring(code int, sdp string) error {
	return c.do(func() error {
		if c.phase != ringing || c.rel.then != nil {
			return ErrNotNow
		}
		if c.rel.said != "" {
			sdp = "" // it is said once
		}
		res := c.in.Response(code, provisional(code))
		res.AppendHeader(sip.NewHeader("Contact", c.dialog.contact))
		res.AppendHeader(c.ua.allowed)
		demanded := has(stack.List(c.first, "Require"), "100rel")
		able := demanded || sdp != "" && has(stack.List(c.first, "Supported"), "100rel")
		withSDP(res, sdp)
		// RFC 3262 §5: the first reliable one has the offer, or is none.
		if code == 100 || !able || sdp == "" && c.rel.said == "" && stack.SDP(c.first) == "" {
			return c.in.Respond(res)
		}
		return c.provide(&provision{res: res, sdp: sdp})
	})
}

func provisional(code int) string {
	switch code {
	case 181:
		return "Call Is Being Forwarded"
	case 182:
		return "Queued"
	case 183:
		return "Session Progress"
	}
	return "Ringing"
}

func (c *Call) provide(p *provision) error {
	r := &c.rel
	r.said = cmp.Or(r.said, p.sdp)
	if r.open != nil {
		r.waiting = append(r.waiting, p)
		return nil
	}
	if r.seq == 0 {
		r.seq = rand.Uint32N(1 << 30)
	}
	r.seq++
	stack.AddHeaders(p.res, "Require", "100rel", "RSeq", strconv.FormatUint(uint64(r.seq), 10))
	if p.sdp != "" {
		c.sdp = p.sdp
	}
	r.open = p
	p.since, p.wait = time.Now(), sip.T1
	p.timer = c.after(p.wait, func() { c.provideAgain(p) })
	return c.in.Respond(p.res)
}

// provideAgain repeats it with doubling pauses; after 64*T1 the INVITE is refused (RFC 3262 §3).
func (c *Call) provideAgain(p *provision) {
	if c.rel.open != p || c.phase != ringing {
		return
	}
	if time.Since(p.since) >= 64*sip.T1 {
		c.rel.open = nil
		_ = c.in.Answer(504, "Server Time-out", withReason(nil, 504)...)
		c.finish(Ended{Code: 504, Reason: "No PRACK"})
		return
	}
	_ = c.in.Respond(p.res)
	p.wait *= 2
	p.timer = c.after(p.wait, func() { c.provideAgain(p) })
}

// pracked takes a PRACK (RFC 3262 §3). It may answer our offer, or make one of its own (§5).
func (c *Call) pracked(in *stack.Inbound) {
	r := &c.rel
	want := strconv.FormatUint(uint64(r.seq), 10) + " " + c.first.CSeq().Value()
	if r.open == nil || strings.Join(strings.Fields(stack.Header(in.Req, "RAck")), " ") != want {
		_ = in.Answer(481, "Call/Transaction Does Not Exist")
		return
	}
	p := r.open
	r.open = nil
	c.stop(p.timer)
	sdp := stack.SDP(in.Req)
	switch {
	case sdp == "":
		_ = in.Answer(200, "OK")
	case p.sdp != "" && stack.SDP(c.first) == "":
		_ = in.Answer(200, "OK")
		c.tell(Acked{SDP: sdp})
	case c.offered != nil || r.said == "":
		_ = in.Answer(488, "Not Acceptable Here")
	default:
		c.toldOffer(in)
	}
	c.provideNext()
}

func (c *Call) provideNext() {
	r := &c.rel
	if len(r.waiting) > 0 && c.phase == ringing {
		p := r.waiting[0]
		r.waiting = r.waiting[1:]
		_ = c.provide(p)
		return
	}
	if then := r.then; then != nil {
		r.then = nil
		then()
	}
}

// afterPracks runs f now, or when the descriptions under way were acknowledged: a 2xx must not overtake them (RFC 3262 §3).
func (c *Call) afterPracks(f func()) {
	pending := c.rel.open != nil && c.rel.open.sdp != ""
	for _, p := range c.rel.waiting {
		pending = pending || p.sdp != ""
	}
	if pending {
		c.rel.then = f
		return
	}
	c.rel.waiting = nil
	f()
}
