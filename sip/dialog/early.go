package dialog

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// branch is an early dialog of our INVITE (RFC 3261 §12.1.2): one for each phone that a proxy rings.
type branch struct {
	dialog   *dialog
	rseq     uint32 // the last reliable provisional we took (RFC 3262 §4), 0 before
	sdp      string // the newest description that it brought
	answered bool   // sdp came reliably: the exchange is complete and UPDATE may offer
}

// progress takes a provisional answer to our INVITE.
func (c *Call) progress(res *sip.Response) {
	c.provisional = true
	if c.phase == cancelling {
		c.sendCancel()
		return
	}
	if c.phase != calling || res.StatusCode == 100 {
		return
	}
	c.limitRinging()
	tag := stack.Tag(res.To().Params)
	b := c.branch(tag, res)
	if !c.inOrder(b, res) {
		return
	}
	sdp := stack.SDP(res)
	if sdp != "" && b != nil {
		b.sdp = sdp
	}
	c.learn(res)
	offered := sdp != "" && stack.SDP(c.first) == ""
	c.tell(Progress{Code: res.StatusCode, Reason: res.Reason, SDP: sdp, Branch: tag})
	if b == nil || !reliable(res) {
		return
	}
	b.answered = b.answered || sdp != ""
	if offered && c.patient {
		c.holdAnswer(func(answer string) { c.prack(b, res, answer) })
		return
	}
	c.prack(b, res, "")
}

// branch is the early dialog of that tag, new or known; nil without a tag, as RFC 2543 peers answer.
func (c *Call) branch(tag string, res *sip.Response) *branch {
	if tag == "" {
		return nil
	}
	b := c.branches[tag]
	if b == nil {
		if len(c.branches) >= branchesMax {
			return nil
		}
		d := *c.dialog
		b = &branch{dialog: &d}
		b.dialog.established(res)
		c.branches[tag] = b
	}
	b.dialog.refresh(res.Contact())
	return b
}

// branchesMax is how many early dialogs one INVITE may open.
const branchesMax = 64

func reliable(res *sip.Response) bool {
	return has(stack.List(res, "Require"), "100rel") && rseq(res) > 0
}

func rseq(res *sip.Response) uint32 {
	n, err := strconv.ParseUint(strings.TrimSpace(stack.Header(res, "RSeq")), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}

// inOrder is false for a reliable provisional that is repeated or comes before its turn: it will be repeated (RFC 3262 §4).
func (c *Call) inOrder(b *branch, res *sip.Response) bool {
	if b == nil || !reliable(res) {
		return true
	}
	n := rseq(res)
	if b.rseq != 0 && n != b.rseq+1 {
		return false
	}
	b.rseq = n
	return true
}

// prack acknowledges a reliable provisional in its own early dialog (RFC 3262 §4); sdp answers an offer that it brought.
func (c *Call) prack(b *branch, res *sip.Response, sdp string) {
	req := c.within(b.dialog, sip.PRACK)
	stack.AddHeaders(req, "RAck", strconv.FormatUint(uint64(rseq(res)), 10)+" "+res.CSeq().Value())
	withSDP(req, sdp)
	if sdp != "" {
		c.sdp = sdp
	}
	if _, err := c.send(req, func(*sip.Response, error) {}); err != nil {
		c.ua.log.Debug("prack not sent", "call", c.id, "err", err)
	}
}

// within is the next request of an early dialog. All branches of an INVITE share one row of numbers, so that the one which
// is answered goes on with it.
func (c *Call) within(d *dialog, method sip.RequestMethod) *sip.Request {
	if d == c.dialog {
		return d.request(method)
	}
	c.dialog.seq++
	d.seq = c.dialog.seq
	return d.numbered(method, d.seq)
}

// dialogOf is the dialog of a request from the far side: while our INVITE is open, that of its branch. nil: none of ours.
func (c *Call) dialogOf(req *sip.Request) *dialog {
	tag := stack.Tag(req.From().Params)
	if b := c.branches[tag]; b != nil && c.dialog.remoteTag == "" {
		return b.dialog
	}
	if c.dialog.remoteTag == tag {
		return c.dialog
	}
	return nil
}

// chosen makes the branch that answered the dialog.
func (c *Call) chosen(res *sip.Response) *branch {
	b := c.branches[stack.Tag(res.To().Params)]
	if b != nil {
		c.dialog.heard = b.dialog.heard
	}
	c.branches = nil
	return b
}

// holdAnswer keeps an acknowledgement back until the application answers the offer in it with Acknowledge, or 20 seconds
// have passed.
func (c *Call) holdAnswer(send func(answer string)) {
	c.flushAnswer()
	c.held = send
	c.heldTimer = c.after(offerTime, c.flushAnswer)
}

// flushAnswer acknowledges without an answer.
func (c *Call) flushAnswer() { c.release("") }

func (c *Call) release(answer string) bool {
	send := c.held
	if send == nil {
		return false
	}
	c.held = nil
	c.stop(c.heldTimer)
	send(answer)
	return true
}

// Acknowledge answers the offer that Progress, Answered or Solicit brought to a request of ours without one: the answer goes
// into the PRACK or ACK, which waits for it for 20 seconds.
func (c *Call) Acknowledge(sdp string) error {
	return c.do(func() error {
		if !c.release(sdp) {
			return ErrNotNow
		}
		return nil
	})
}
