package exchange

import (
	"context"
	"errors"
	"time"

	"zaseki/sip/dialog"
)

// byeWait is how long the answer to a BYE is waited for.
const byeWait = 5 * time.Second

// carried is a word from the lane: a re-INVITE was carried to its end. Without an answer both sides stay as they were.
type carried struct {
	from, to      *leg
	offer, answer string
}

// talk carries re-INVITEs and INFO between caller and called until one of them ends.
func (c *conduct) talk(ctx context.Context, b *leg) {
	ctx, cancel := context.WithCancel(ctx)
	lane := newLane(ctx)
	defer lane.wait()
	defer cancel()
	t := &talking{c: c, lane: lane, b: b, free: make(chan carried, 1)}
	for {
		select {
		case h := <-c.mail:
			if t.hear(ctx, h) {
				return
			}
		case done := <-t.free:
			t.carrying = false
			if done.answer != "" {
				done.from.sdp, done.to.sdp = done.offer, done.answer
			}
		case <-ctx.Done():
			c.hangUp(c.a, "")
			c.hangUp(b, "")
			return
		}
	}
}

// talking is a call between two that hear each other.
type talking struct {
	c        *conduct
	lane     *lane
	b        *leg
	carrying bool // a re-INVITE; one at a time (RFC 3264 §4)
	free     chan carried
}

func (t *talking) other(l *leg) *leg {
	if l == t.b {
		return t.c.a
	}
	return t.b
}

// hear is true when the call is over.
func (t *talking) hear(ctx context.Context, h heard) bool {
	if !t.c.known(h, t.b) {
		return false
	}
	from, to := h.leg, t.other(h.leg)
	switch e := h.event.(type) {
	case dialog.Ended:
		from.over = true
		t.c.hangUp(to, "")
		return true
	case dialog.Failed:
		from.over = true
		t.c.hangUp(to, "")
		return true
	case dialog.Reoffered:
		t.reoffer(ctx, from, to, e.SDP)
	case dialog.Acked: // the answer to the offer we made for the other side
		if e.SDP != "" && e.SDP != from.sdp {
			from.sdp = e.SDP
			t.lane.do(func() { to.call.Reinvite(ctx, e.SDP) })
		}
	case dialog.Info:
		t.lane.do(func() { to.call.Info(ctx, e.ContentType, e.Body) })
	}
	return false
}

// reoffer carries a re-INVITE to the other side and its answer back. Glare on each leg is settled by its dialog; glare across us
// is settled here: the second of two gets 491 and comes again (RFC 3261 §14.2).
func (t *talking) reoffer(ctx context.Context, from, to *leg, sdp string) {
	if t.carrying {
		from.call.RejectReoffer(491)
		return
	}
	if sdp == "" { // asks us to offer: what the other side said last
		from.call.AnswerReoffer(to.sdp)
		return
	}
	t.carrying = t.lane.do(func() { t.free <- t.carry(ctx, from, to, sdp) })
	if !t.carrying {
		from.call.RejectReoffer(491)
	}
}

func (t *talking) carry(ctx context.Context, from, to *leg, sdp string) carried {
	done := carried{from: from, to: to, offer: sdp}
	answer, err := to.call.Reinvite(ctx, sdp)
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
		t.c.x.log.Debug("re-INVITE not carried", "call", t.c.record.ID, "err", err)
	}
	return done
}

// hangUp ends a leg by whatever its state demands.
func (c *conduct) hangUp(l *leg, reason string) {
	if l.over {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), byeWait)
	defer cancel()
	if err := l.call.Hangup(ctx, because(reason)...); err != nil {
		c.x.log.Debug("hang-up not answered", "call", c.record.ID, "user", l.user, "err", err)
	}
}

// lane does what may take long in its order, beside a loop that must stay awake for hang-ups.
type lane struct {
	work chan func()
	ctx  context.Context
	done chan struct{}
}

func newLane(ctx context.Context) *lane {
	l := &lane{work: make(chan func(), 32), ctx: ctx, done: make(chan struct{})}
	go l.run()
	return l
}

func (l *lane) run() {
	defer close(l.done)
	for {
		select {
		case f := <-l.work:
			f()
		case <-l.ctx.Done():
			return
		}
	}
}

// do queues f; a full lane takes no more, and says so.
func (l *lane) do(f func()) bool {
	select {
	case l.work <- f:
		return true
	default:
		return false
	}
}

func (l *lane) wait() { <-l.done }
