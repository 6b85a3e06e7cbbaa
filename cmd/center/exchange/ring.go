package exchange

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
)

// Reason headers of a CANCEL (RFC 3326): the phone tells a call that another took from one that was missed.
const (
	becauseElsewhere = `SIP;cause=200;text="Call completed elsewhere"`
	becauseTime      = `SIP;cause=408;text="Ring time over"`
)

// target is one phone to ring.
type target struct {
	user string
	at   binding
	uri  sip.Uri
}

// outcome is how an attempt ended: a leg that answered, or a code.
type outcome struct {
	leg     *leg
	code    int
	reason  string
	expired bool // the ring time was over
}

// patience is how long phones may ring, and how long until the first one has said that it does; 0: for ever.
type patience struct{ ring, receipt time.Duration }

// toContacts are the phones of a user. A softphone whose terminal was claimed anew is not the one that registered before.
func (c *conduct) toContacts(user string) []target {
	t, ok := c.x.desk.Terminal(user)
	if !ok {
		return nil
	}
	var all []target
	for _, b := range c.x.where.lookup(user) {
		var uri sip.Uri
		if soft(t) && b.epoch < t.Epoch || sip.ParseUri(b.contact, &uri) != nil {
			continue
		}
		all = append(all, target{user, b, uri})
	}
	return all
}

// toNumber is the preferred contact of a trunk, asked for a number; without one, the trunk itself.
func (c *conduct) toNumber(user, number string) []target {
	all := c.toContacts(user)
	if len(all) == 0 {
		return nil
	}
	if number != "" {
		all[0].uri.User = number
	}
	return all[:1]
}

// attempt rings all targets at once; the first to answer wins. It ends with that, with the last refusal, with its patience, or
// when the caller gives up; whoever still rings then is cancelled and not waited for. Provisional answers go to the caller.
func (c *conduct) attempt(ctx context.Context, targets []target, mark string, p patience) outcome {
	r := &ringing{c: c, early: len(targets) == 1, best: outcome{code: 480, reason: "Temporarily Unavailable"}}
	for _, t := range targets {
		r.start(ctx, t, mark)
	}
	ring, stopRing := after(p.ring)
	receipt, stopReceipt := after(p.receipt)
	defer stopRing()
	defer stopReceipt()
	for r.open > 0 && r.won == nil && !c.a.over {
		select {
		case h := <-c.mail:
			r.hear(h)
		case <-ring:
			r.leave(becauseTime)
			return outcome{code: 480, reason: "Temporarily Unavailable", expired: true}
		case <-receipt:
			if !r.heard {
				r.leave(becauseTime)
				return outcome{code: 480, reason: "Does Not Ring"}
			}
		case <-ctx.Done():
			r.leave("")
			return outcome{code: 503, reason: "Ending"}
		}
	}
	switch {
	case c.a.over:
		r.leave("")
		return outcome{code: 487, reason: "Request Terminated"}
	case r.won != nil:
		r.leave(becauseElsewhere)
		return outcome{leg: r.won}
	}
	return r.best
}

// after is a timer that may be none.
func after(d time.Duration) (<-chan time.Time, func() bool) {
	if d == 0 {
		return nil, func() bool { return true }
	}
	t := time.NewTimer(d)
	return t.C, t.Stop
}

// ringing is an attempt under way.
type ringing struct {
	c     *conduct
	legs  []*leg
	open  int  // legs that may still answer
	early bool // one phone only: its early media may be heard
	heard bool // one of them said that it rings
	won   *leg
	best  outcome
}

func (r *ringing) start(ctx context.Context, t target, mark string) {
	c, l := r.c, &leg{user: t.user}
	req := dialog.InviteRequest{
		Target: t.uri, Network: t.at.network, Destination: t.at.source, From: c.from(),
		To: dialog.Party{User: t.uri.User, Host: c.x.cfg.Domain()}, SDP: c.a.sdp,
		Tell: func(e dialog.Event) { c.tell(l, e) },
	}
	if mark != "" {
		req.Headers = []string{markHeader, mark}
	}
	call, err := c.x.ua.Invite(ctx, req)
	if err != nil {
		c.x.log.Debug("phone not reached", "call", c.record.ID, "user", t.user, "peer", t.at.source, "err", err)
		return
	}
	l.call = call
	r.legs = append(r.legs, l)
	r.open++
	c.note(func(rec *CallRecord) { rec.Callee = t.user })
}

// hear takes one event of any leg.
func (r *ringing) hear(h heard) {
	if !r.c.known(h, r.legs...) {
		return
	}
	switch e := h.event.(type) {
	case dialog.Progress:
		r.heard = r.heard || e.Code >= 180
		r.c.progress(e, r.early)
	case dialog.Answered:
		h.leg.sdp = e.SDP
		r.won = h.leg
	case dialog.Failed:
		h.leg.over = true
		r.open--
		r.fail(e)
	case dialog.Ended:
		h.leg.over = true
		r.open--
	}
}

// fail keeps the refusal that tells the caller most: a decision for all (6xx), then busy, then what came last.
func (r *ringing) fail(e dialog.Failed) {
	code, reason := e.Code, e.Reason
	if code == 401 || code == 407 || code < 400 { // never follow, never prove ourselves to a phone
		code, reason = 480, "Temporarily Unavailable"
	}
	if r.best.code >= 600 || r.best.code == 486 && code < 600 {
		return
	}
	r.best = outcome{code: code, reason: reason}
}

// leave cancels every phone that still rings. One that answers all the same is hung up, see tell.
func (r *ringing) leave(reason string) {
	for _, l := range r.legs {
		if l == r.won || l.over {
			continue
		}
		l.left.Store(true)
		if err := l.call.Cancel(because(reason)...); err != nil {
			r.c.x.log.Debug("cancel lost", "call", r.c.record.ID, "user", l.user, "err", err)
		}
	}
}

func because(reason string) []string {
	if reason == "" {
		return nil
	}
	return []string{"Reason", reason}
}

// progress tells the caller that it rings, and lets it hear early media.
func (c *conduct) progress(e dialog.Progress, early bool) {
	switch {
	case e.SDP != "" && early:
		c.a.call.Ring(183, e.SDP)
	case e.Code >= 180 && !c.rang:
		c.rang = true
		c.a.call.Ring(180, "")
	}
}
