package exchange

import (
	"context"
	"errors"
	"sync"

	"zaseki/sip/dialog"
)

// carried is a word from the lane: a re-INVITE was carried to its end. Without an answer both sides stay as they were.
type carried struct {
	from, to      *leg
	offer, answer string
}

// talking is a call between two that hear each other.
type talking struct {
	c        *conduct
	ends     [2]*leg
	lane     *lane
	carrying bool // a re-INVITE; one at a time (RFC 3264 §4)
	carrier  *leg // who made it and waits for the answer
	free     chan carried
	move     *transfer // one side sends the other on; nil: nobody
	movers   sync.WaitGroup
	moved    chan moved
}

// talk carries re-INVITEs, INFO and transfers between two sides until one of them ends, or until another call takes one of them
// over; given is where that one is heard then.
func (c *conduct) talk(ctx context.Context, b *leg) (given *mailbox) {
	ctx, cancel := context.WithCancel(ctx)
	c.talkers(c.a, b)
	t := &talking{c: c, ends: [2]*leg{c.a, b}, lane: newLane(ctx), free: make(chan carried, 1), moved: make(chan moved, 1)}
	defer t.close()
	defer cancel()
	for {
		over := false
		select {
		case h := <-c.box.letters:
			over = t.hear(ctx, h)
		case done := <-t.free:
			t.settle(done)
		case m := <-t.moved:
			over = t.arrived(m)
		case l := <-c.loans:
			given, over = t.lend(ctx, l)
		case <-ctx.Done():
			c.x.hangUp(t.ends[0], "")
			c.x.hangUp(t.ends[1], "")
			over = true
		}
		if over {
			return given
		}
	}
}

// close waits for what is under way and takes back what nobody wants any more.
func (t *talking) close() {
	t.lane.wait()
	t.movers.Wait()
	select {
	case m := <-t.moved:
		m.drop(t.c.x)
	default:
	}
	if t.move != nil {
		t.move.tell(487, "Request Terminated", true)
	}
}

func (t *talking) other(l *leg) *leg {
	if l == t.ends[0] {
		return t.ends[1]
	}
	return t.ends[0]
}

func (t *talking) settle(done carried) {
	t.carrying, t.carrier = false, nil
	if done.answer != "" {
		done.from.sdp, done.to.sdp = done.offer, done.answer
		t.c.holds(done.from, done.offer)
		t.c.noteDown()
	}
}

// hear is true when the call is over.
func (t *talking) hear(ctx context.Context, h heard) bool {
	from := h.leg
	if from != t.ends[0] && from != t.ends[1] {
		t.stray(h)
		return false
	}
	to := t.other(from)
	switch e := h.event.(type) {
	case dialog.Ended, dialog.Failed:
		from.over.Store(true)
		if t.move != nil && t.move.by == from { // RFC 5589 §6.1: may leave before the outcome
			close(t.move.gone)
			return false
		}
		if t.move != nil {
			t.move.stop()
		}
		t.c.hungUp(from)
		t.c.x.hangUp(to, "")
		return true
	case dialog.Reoffered:
		t.reoffer(ctx, from, to, e.SDP)
	case dialog.Acked:
		t.acked(ctx, from, to, e.SDP)
	case dialog.Info:
		t.lane.do(func() { to.call.Info(ctx, e.ContentType, e.Body) })
	case dialog.Referred:
		t.refer(ctx, from, to, e)
	}
	return false
}

// acked takes the answer that came with the ACK of our 200. The offer in it was the other side's, whose own ACK waits for the
// answer, or what it said before: then it is told of an answer that is new.
func (t *talking) acked(ctx context.Context, from, to *leg, answer string) {
	before := from.sdp
	from.sdp = answer
	if to.owed {
		to.owed = false
		if err := to.call.Acknowledge(answer); err != nil {
			t.c.x.log.Debug("answer came too late", "call", t.c.view().ID, "user", to.user, "err", err)
		}
		return
	}
	sdp, ok := across(answer, from, to)
	if !ok || alike(answer, before) {
		return
	}
	t.carrying = t.lane.do(func() {
		done := carried{from: from, to: to, offer: answer}
		done.answer, _ = to.call.Reinvite(ctx, sdp) // who refuses stays as it was
		t.free <- done
	}) || t.carrying
}

// stray is an event of a leg that is no part of the call: one that was left, or one that sent the other side on.
func (t *talking) stray(h heard) {
	switch h.event.(type) {
	case dialog.Answered:
		t.c.x.hangUp(h.leg, becauseElsewhere)
	case dialog.Ended, dialog.Failed:
		h.leg.over.Store(true)
	case dialog.Reoffered:
		h.leg.call.RejectReoffer(488)
	case dialog.Referred:
		h.leg.call.RejectRefer(481)
	}
}

// reoffer carries a re-INVITE to the other side and its answer back. Glare on each leg is settled by its dialog; glare across us
// is settled here: the second of two gets 491 and comes again (RFC 3261 §14.2).
func (t *talking) reoffer(ctx context.Context, from, to *leg, sdp string) {
	if t.carrying && from == t.carrier { // its last offer is answered, or it could not make this one: word of it is on its way
		t.settle(<-t.free)
	}
	if t.carrying || t.move != nil && t.move.settling.Load() {
		from.call.RejectReoffer(491)
		return
	}
	if sdp == "" { // asks us to offer: what the other side said last, freed of the hold that this may end
		if offer, ok := across(unheld(to.sdp, from.sdp), to, from); ok && to.sdp != "" {
			from.call.AnswerReoffer(offer)
			return
		}
		from.call.RejectReoffer(488)
		return
	}
	offer, ok := across(sdp, from, to)
	if !ok {
		from.call.RejectReoffer(488)
		return
	}
	t.carrying = t.lane.do(func() { t.free <- t.carry(ctx, from, to, sdp, offer) })
	if !t.carrying {
		from.call.RejectReoffer(491)
	}
	t.carrier = from
}

// carry brings an offer, as the other side may see it, and the answer back.
func (t *talking) carry(ctx context.Context, from, to *leg, sdp, offer string) carried {
	done := carried{from: from, to: to, offer: sdp}
	answer, err := to.call.Reinvite(ctx, offer)
	var refused *dialog.Refused
	switch {
	case err == nil:
		done.answer = answer
		err = from.call.AnswerReoffer(answer)
	case errors.As(err, &refused):
		err = from.call.RejectReoffer(refused.Code)
	default:
		err = errors.Join(err, from.call.RejectReoffer(488))
	}
	if err != nil {
		t.c.x.log.Debug("re-INVITE not carried", "call", t.c.view().ID, "err", err)
	}
	return done
}
