package exchange

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// loanWait is how long another call may take to lend its far side, and to have it back as it was.
const loanWait = 5 * time.Second

// loan asks a call for the far side of its near one: the near side, a terminal that has both calls, wants the far sides of both
// brought together. The call lends it, waits, and hears whether it is taken.
type loan struct {
	near  *dialog.Call
	box   *mailbox // of who borrows: where the far side is heard when it is taken
	reply chan lent
	end   chan ending
}

// lent is the answer. Without far it is refused.
type lent struct {
	far     *leg
	nearLeg *leg
	record  CallRecord
}

// ending of a loan; record is the history of the call that ends with it, when the two were changed.
type ending struct {
	taken  bool
	record *CallRecord
}

// seat is where a leg sits.
type seat struct {
	c *conduct
	l *leg
}

// sit notes which call these legs are in.
func (x *Exchange) sit(c *conduct, legs ...*leg) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, l := range legs {
		x.seats[l.call] = seat{c, l}
	}
}

// rise takes out every leg that is in this call.
func (x *Exchange) rise(c *conduct) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for call, s := range x.seats {
		if s.c == c {
			delete(x.seats, call)
		}
	}
}

// follow brings the calls of a phone that registered from another address there: it lost its connection, or moved. What another
// phone of the same terminal has begun stays with that one.
func (x *Exchange) follow(user string, from []netip.AddrPort, link *stack.Link, to netip.AddrPort) {
	x.mu.Lock()
	var behind []seat
	for call, s := range x.seats {
		if slices.Contains(from, call.Source()) || s.follows(user, call, to.Addr()) {
			behind = append(behind, s)
		}
	}
	x.mu.Unlock()
	for _, s := range behind {
		err := s.l.call.Move(link, to)
		x.log.Info("call follows its phone", "call", s.l.call.CallID(), "user", s.l.user, "peer", to, "err", err)
	}
}

func (x *Exchange) seatOf(call *dialog.Call) (seat, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s, ok := x.seats[call]
	return s, ok
}

// attended brings who stays together with the far side of another call of who sends it on (RFC 5589 §7).
func (m *transfer) attended(ctx context.Context, c *conduct, replaces, offer string) moved {
	call, code := c.x.ua.FindReplaced(replaces)
	if call == nil {
		return moved{code: code, reason: "No Such Call"}
	}
	other, ok := c.x.seatOf(call)
	if !ok || other.c == c || other.l.user != m.by.user || other.c.view().Aside { // only one's own, and nobody's who listens
		return moved{code: 481, reason: "No Such Call"}
	}
	l := &loan{near: call, box: c.box, reply: make(chan lent, 1), end: make(chan ending, 1)}
	got, ok := l.ask(ctx, other.c)
	if !ok {
		l.end <- ending{}
		return moved{code: 491, reason: "Request Pending"}
	}
	done := moved{to: got.far, loan: l, lent: got}
	m.settling.Store(true)
	answer, err := "", error(nil)
	if _, err = offerTo(ctx, m.stay, got.far, offer, &answer, ""); err != nil {
		l.end <- ending{}
		return moved{code: codeOf(err), reason: "Not Acceptable Here"}
	}
	if done.staySDP, done.toSDP, err = agree(ctx, m.stay, got.far, offer, answer); err != nil {
		done.giveBack()
		return m.restored(ctx, done.staySDP, err)
	}
	return done
}

// ask borrows.
func (l *loan) ask(ctx context.Context, of *conduct) (lent, bool) {
	ctx, cancel := context.WithTimeout(ctx, loanWait)
	defer cancel()
	select {
	case of.loans <- *l:
	case <-of.box.shut:
		return lent{}, false
	case <-ctx.Done():
		return lent{}, false
	}
	select {
	case got := <-l.reply:
		return got, got.far != nil
	case <-of.box.shut:
		return lent{}, false
	case <-ctx.Done():
		return lent{}, false
	}
}

// giveBack returns the far side to its call, with the description it had there.
func (d moved) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), loanWait)
	defer cancel()
	if sdp, ok := across(d.lent.nearLeg.sdp, d.lent.nearLeg, d.to); ok {
		d.to.call.Reinvite(ctx, sdp, introduce(d.lent.nearLeg, d.to)...) // who refuses its own session again has hung up
	}
	d.loan.end <- ending{}
}

// lend gives the far side away until the borrower says whether it keeps it. What happens meanwhile is kept, in its order, for
// whoever has it then.
func (t *talking) lend(ctx context.Context, l loan) (given *mailbox, over bool) {
	near := t.ends[0]
	if near.call != l.near {
		near = t.ends[1]
	}
	if t.move != nil || near.call != l.near {
		l.reply <- lent{}
		return nil, false
	}
	var kept []heard
	asked := false
	for {
		if !asked && !t.carrying {
			asked = true
			l.reply <- lent{far: t.other(near), nearLeg: near, record: t.c.view()}
		}
		select {
		case h := <-t.c.box.letters:
			kept = append(kept, h)
		case done := <-t.free:
			t.settle(done)
		case end := <-l.end:
			if end.taken {
				return t.give(l, near, kept, end)
			}
			return nil, t.again(ctx, kept)
		case <-ctx.Done():
			return nil, t.again(ctx, kept)
		}
	}
}

// again hears what was kept.
func (t *talking) again(ctx context.Context, kept []heard) (over bool) {
	for _, h := range kept {
		over = over || t.hear(ctx, h)
	}
	return over
}

// give ends this call without its far side: the near one, who has sent it on, is hung up.
func (t *talking) give(l loan, near *leg, kept []heard, end ending) (given *mailbox, over bool) {
	if end.record != nil {
		t.c.note(func(r *CallRecord) { *r = *end.record })
	}
	for _, h := range kept {
		if h.leg == near {
			t.stray(h)
			continue
		}
		l.box.tell(h.leg, h.event)
	}
	t.c.beside.Go(func() { t.c.x.hangUp(near, "") })
	return l.box, true
}
