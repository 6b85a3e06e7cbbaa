package exchange

import (
	"context"
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
	r := &ringing{s: s, early: len(targets) == 1 && s.route.kind != toQueue && s.sdp != "", best: outcome{code: 480, reason: "Temporarily Unavailable"}}
	for _, t := range targets {
		r.start(ctx, t, mark)
	}
	ring, stopRing := after(p.ring)
	receipt, stopReceipt := after(p.receipt)
	defer stopRing()
	defer stopReceipt()
	for r.open > 0 && r.won == nil && !s.over() {
		select {
		case h := <-s.box.letters:
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
	case s.over():
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
	s     *search
	legs  []*leg
	open  int  // legs that may still answer
	early bool // one phone only: its early media may be heard
	heard bool // one of them said that it rings
	won   *leg
	best  outcome
}

func (r *ringing) start(ctx context.Context, t target, mark string) {
	s, x := r.s, r.s.c.x
	sdp, ok := acrossTo(s.sdp, s.offer.secure(), t.at.secure())
	if !ok { // keys that must not be seen on the way: as if the phone had said so
		x.log.Info("an encrypted call has no encrypted way", "call", s.c.record.ID, "user", t.user)
		r.fail(dialog.Failed{Code: 488, Reason: "Not Acceptable Here"})
		return
	}
	l := &leg{user: t.user, trunk: t.trunk, party: dialog.Party{Display: t.name, User: t.user, Host: x.cfg.Domain()}}
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
	call, err := x.ua.Invite(ctx, req)
	if err != nil {
		x.log.Debug("phone not reached", "call", s.c.record.ID, "user", t.user, "peer", t.at.source, "err", err)
		return
	}
	l.call = call
	r.legs = append(r.legs, l)
	r.open++
	s.rings(t.user, "")
}

// hear takes one event of any leg.
func (r *ringing) hear(h heard) {
	if !r.s.hear(h, r.legs) {
		return
	}
	switch e := h.event.(type) {
	case dialog.Progress:
		r.heard = r.heard || e.Code >= 180
		r.s.progress(h.leg, e, r.early)
	case dialog.Answered:
		h.leg.sdp, h.leg.owed = e.SDP, e.Offer
		r.won = h.leg
	case dialog.Failed:
		h.leg.over.Store(true)
		r.open--
		r.fail(e)
	case dialog.Ended:
		h.leg.over.Store(true)
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
