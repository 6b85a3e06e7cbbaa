package exchange

import (
	"context"
	"slices"
	"time"

	"zaseki/sip/dialog"
)

// Reason headers of a CANCEL (RFC 3326): the phone tells a call that another took from one that was missed.
const (
	becauseElsewhere = `SIP;cause=200;text="Call completed elsewhere"`
	becauseTime      = `SIP;cause=408;text="Ring time over"`
)

// patience is how long phones may ring, and how long until the first one has said that it does; 0: for ever.
type patience struct{ ring, receipt time.Duration }

// attempt rings all targets at once; the first to answer wins. It ends with that, with the last refusal, with its patience, or
// when the asker gives up; whoever still rings then is cancelled and not waited for. Provisional answers go to the asker.
func (s *search) attempt(ctx context.Context, targets []target, mark string, p patience) outcome {
	r := &ringing{s: s, mark: mark, early: len(targets) == 1 && s.route.kind != toQueue && s.sdp != "", began: time.Now(),
		best: outcome{code: 480, reason: "Temporarily Unavailable", nobody: true}}
	for _, t := range targets {
		s.c.forgone(ctx, t.user)
		r.start(ctx, t, mark)
	}
	o := r.wait(ctx, p)
	o.receipt = r.receipt
	return o
}

// wait lasts until somebody answers, or nobody will.
func (r *ringing) wait(ctx context.Context, p patience) outcome {
	s := r.s
	ring, stopRing := after(p.ring)
	receipt, stopReceipt := after(p.receipt)
	defer stopRing()
	defer stopReceipt()
	for r.open > 0 && r.won == nil && !s.over() {
		select {
		case h := <-s.box.letters:
			r.hear(ctx, h)
		case <-ring:
			r.leave(becauseTime)
			return outcome{code: 480, reason: "Temporarily Unavailable", expired: p.receipt == 0 || r.receipt > 0, silent: r.receipt == 0}
		case <-receipt:
			if r.receipt == 0 {
				r.leave(becauseTime)
				return outcome{code: 480, reason: "Does Not Ring", silent: true}
			}
		case <-ctx.Done():
			r.leave("")
			return outcome{code: 503, reason: "Ending"}
		}
	}
	switch {
	case s.over():
		r.leave("")
		return outcome{code: 487, reason: "Request Terminated"}
	case r.won != nil:
		r.leave(becauseElsewhere)
		return outcome{leg: r.won}
	}
	return r.best
}

// cancelWait is how long a phone is not rung because it still rings for somebody who has given up.
const cancelWait = time.Second

// forgone waits until the phones of a user are told that callers have given up: who hangs up and asks for the same phone at once,
// as who sends a call on to somebody who still rings does, would be told that it is busy.
func (c *conduct) forgone(ctx context.Context, user string) {
	var given []*conduct
	c.x.mu.Lock()
	for other := range c.x.live {
		if other != c && other.a.call.Settled() && other.view().Callee == user {
			given = append(given, other)
		}
	}
	c.x.mu.Unlock()
	if len(given) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cancelWait)
	defer cancel()
	for _, other := range given {
		select {
		case <-other.found:
		case <-ctx.Done():
		}
	}
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
	s     *search
	legs  []*leg
	open  int  // legs that may still answer
	early bool // one phone only: its early media may be heard
	won   *leg
	best  outcome
	mark  string // what the phones are told

	began   time.Time
	receipt time.Duration // until one of them said that it rings; 0: none has
}

// start asks a phone. False: it cannot be asked.
func (r *ringing) start(ctx context.Context, t target, mark string) bool {
	s, x := r.s, r.s.c.x
	sdp, ok := acrossTo(s.sdp, s.offer.secure(), t.at.secure())
	if !ok { // keys that must not be seen on the way: as if the phone had said so
		x.log.Info("an encrypted call has no encrypted way", "call", s.c.record.ID, "user", t.user)
		r.fail(dialog.Failed{Code: 488, Reason: "Not Acceptable Here"})
		return false
	}
	l := &leg{user: t.user, trunk: t.trunk, target: t, offered: s.sdp, party: dialog.Party{Display: t.name, User: t.user, Host: x.cfg.Domain()}}
	if t.trunk {
		l.party = dialog.Party{User: t.uri.User, Host: x.cfg.Domain()}
	}
	req := dialog.InviteRequest{
		Target: t.uri, Network: t.at.network, Destination: t.at.source, From: s.offer.party,
		To: dialog.Party{User: t.uri.User, Host: x.cfg.Domain()}, SDP: sdp, Patient: true,
		Headers: s.headers,
		Tell:    func(e dialog.Event) { s.box.tell(l, e) },
	}
	if mark != "" {
		req.Headers = append([]string{markHeader, mark}, s.headers...)
	}
	if !t.trunk {
		req.Headers = slices.Concat(req.Headers, s.ours)
	}
	if len(t.flows) > 0 {
		req.Quiet = flowTime
	}
	t.out.dress(&req)
	call, err := x.ua.Invite(ctx, req)
	if err != nil {
		x.log.Debug("phone not reached", "call", s.c.record.ID, "user", t.user, "peer", t.at.source, "err", err)
		return r.byNextFlow(ctx, l)
	}
	l.call, r.best.nobody = call, false
	r.legs = append(r.legs, l)
	r.open++
	s.rings(t.user, "")
	s.asked(call)
	return true
}

// hear takes one event of any leg.
func (r *ringing) hear(ctx context.Context, h heard) {
	if !r.s.hear(h, r.legs) {
		return
	}
	switch e := h.event.(type) {
	case dialog.Progress:
		if e.Code >= 180 && r.receipt == 0 {
			r.receipt = time.Since(r.began)
			if r.s.route.kind == toUser {
				r.s.c.happened(Moment{What: momentRings, To: r.s.c.x.whose(h.leg), Took: milliseconds(r.receipt)})
			}
		}
		r.s.progress(h.leg, e, r.early)
	case dialog.Quiet:
		if h.leg.trunk || len(h.leg.target.flows) > 0 { // there may be another way
			r.quiet(ctx, h.leg)
		}
	case dialog.Answered:
		h.leg.sdp, h.leg.owed = e.SDP, e.Offer
		r.won = h.leg
	case dialog.Failed:
		h.leg.over.Store(true)
		r.open--
		if !gone(e) || !r.byNextFlow(ctx, h.leg) {
			r.fail(e)
		}
	case dialog.Ended:
		h.leg.over.Store(true)
		r.open--
	}
}

// quiet gives up who has not said a word.
func (r *ringing) quiet(ctx context.Context, l *leg) {
	l.left.Store(true)
	r.open--
	if err := l.call.Cancel(); err != nil {
		r.s.c.x.log.Debug("cancel lost", "call", r.s.c.record.ID, "user", l.user, "err", err)
	}
	if !r.byNextFlow(ctx, l) {
		r.fail(dialog.Failed{Code: 408, Reason: "Request Timeout"})
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
		if l == r.won || l.over.Load() {
			continue
		}
		l.left.Store(true)
		if err := l.call.Cancel(because(reason)...); err != nil {
			r.s.c.x.log.Debug("cancel lost", "call", r.s.c.record.ID, "user", l.user, "err", err)
		}
	}
}

func because(reason string) []string {
	if reason == "" {
		return nil
	}
	return []string{"Reason", reason}
}
