package exchange

import (
	"context"
	"sync/atomic"
	"time"

	"zaseki/sip/dialog"
)

// byeWait is how long the answer to a BYE is waited for.
const byeWait = 5 * time.Second

// leg is one side of a call: the caller, and every phone that rings.
type leg struct {
	user   string       // of its terminal
	party  dialog.Party // how the other side sees it
	trunk  bool
	call   *dialog.Call
	target target // what was rung
	sdp    string // what that side last sent; only the loop of its call changes it

	owed    bool   // its 2xx brought an offer, and its ACK waits for the answer
	offered string // whose description its INVITE carried

	release []func() // reservations to give back when it leaves the call
	holds   bool     // it has the other side on hold

	over atomic.Bool // its last event was heard
	left atomic.Bool // cancelled and not waited for
}

// secure: nobody can read the signalling of this side.
func (l *leg) secure() bool { return l.call.Link().Secure() }

// heard is an event with the leg it happened to.
type heard struct {
	leg   *leg
	event dialog.Event
}

// mailbox brings the events of several legs into one order, to one reader.
type mailbox struct {
	x       *Exchange
	letters chan heard
	shut    chan struct{} // closed when nobody reads any more
}

func (x *Exchange) mailbox() *mailbox {
	return &mailbox{x: x, letters: make(chan heard, 16), shut: make(chan struct{})}
}

// tell brings an event of a leg to the reader. A leg that was left but answered all the same is hung up here: nobody else
// will hear of it any more.
func (m *mailbox) tell(l *leg, e dialog.Event) {
	if !l.left.Load() && m.put(heard{l, e}) {
		return
	}
	if _, answered := e.(dialog.Answered); answered {
		m.x.hangUp(l, becauseElsewhere)
	}
}

func (m *mailbox) put(h heard) bool {
	select {
	case m.letters <- h:
		return true
	case <-m.shut:
		return false
	}
}

// forward brings everything on to another reader, until that one is gone: a leg that moved from one call to another is heard
// in its order.
func (m *mailbox) forward(to *mailbox) {
	for {
		select {
		case h := <-m.letters:
			to.tell(h.leg, h.event)
		case <-to.shut:
			return
		}
	}
}

// hangUp ends a leg by whatever its state demands.
func (x *Exchange) hangUp(l *leg, reason string) {
	if l.over.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), byeWait)
	defer cancel()
	if err := l.call.Hangup(ctx, because(reason)...); err != nil {
		x.log.Debug("hang-up not answered", "call", l.call.CallID(), "user", l.user, "err", err)
	}
}
