package exchange

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
)

// search looks for somebody to take a call, for a caller or for who is sent on: it rings phones, or waits in a queue.
type search struct {
	c       *conduct
	box     *mailbox // where the phones are heard
	route   route
	asker   *leg      // who gives up by hanging up, heard in box too; nil: only the context ends it
	offer   *leg      // whose description is offered
	sdp     string    // it
	came    time.Time // since when the asker waits; zero: from now on
	headers []string  // of the INVITEs, "Name", "value"
	ours    []string  // further ones for phones of ours
	tell    func(code int, sdp string)
	rings   func(user, account string) // who is tried now; account "" when it is not known

	left    chan struct{}   // of a transfer: closed when who sends has left; nil: nobody sends
	console func(s *search) // then lets who is sent hear music

	told   bool      // the asker knows that it rings
	toldAt time.Time // when the asker was last told that it waits
}

// outcome is how a search ended: a leg that answered, or a code.
type outcome struct {
	leg     *leg
	account string // whose phone it is
	code    int
	reason  string
	headers []string
	expired bool // the ring time was over
	silent  bool // no phone said in time that it rings
	nobody  bool // there was no phone to ring
	receipt time.Duration
	release []func() // reservations to give back when the call is over
}

// target is one phone to ring.
type target struct {
	user  string
	trunk bool
	name  string
	at    binding
	uri   sip.Uri
	out   *exit // to a provider, nil for whoever registered at us

	flows []binding // by which the same phone is reached when this one is dead
}

func (s *search) over() bool { return s.asker != nil && s.asker.over.Load() }

// find searches along the route.
func (s *search) find(ctx context.Context) outcome {
	switch s.route.kind {
	case toUser: // every contact of the user until the caller gives up
		return s.attempt(ctx, onlyThe(s.c.x.phonesOf(s.route.user), s.route.instance), s.route.mark, patience{})
	case toTrunk:
		return s.findTrunk(ctx)
	case toQueue:
		return s.findAgent(ctx)
	}
	return outcome{code: 404, reason: "Not Found"}
}

// phonesOf are the phones of a user. A softphone whose terminal was claimed anew is not the one that registered before, and an
// encrypted terminal is only reached with TLS.
func (x *Exchange) phonesOf(user string) []target {
	t, ok := x.desk.Terminal(user)
	if !ok {
		return nil
	}
	var all []target
	for _, b := range x.where.lookup(user) {
		var uri sip.Uri
		if b.reg > 0 && !x.stack.Connected(b.network, b.source) {
			continue
		}
		if soft(t) && b.epoch < t.Epoch || t.Encrypted() && !b.secure() || sip.ParseUri(b.contact, &uri) != nil {
			continue
		}
		if i := flowsTo(all, b); i >= 0 {
			all[i].flows = append(all[i].flows, b)
			continue
		}
		all = append(all, target{user: user, trunk: t.Trunk(), name: t.Name, at: b, uri: uri})
	}
	return all
}

// hear notes what an event of this search tells of its asker, and says whether it is about the asker or one of these legs. An
// answer of a leg that was left is hung up.
func (s *search) hear(h heard, legs []*leg) bool {
	if h.leg == s.asker {
		s.hearCaller(h)
		return false
	}
	for _, l := range legs {
		if l == h.leg {
			return true
		}
	}
	if _, answered := h.event.(dialog.Answered); answered {
		s.c.x.hangUp(h.leg, becauseElsewhere)
	}
	return false
}

// asked notes in the book that a phone rings for a caller.
func (s *search) asked(call *dialog.Call) {
	if s.asker == nil || s.c.x.book == nil || call.Link().Network() != "udp" {
		return
	}
	if invite := call.Sent(); invite != "" {
		s.c.rings = append(s.c.rings, ring{invite, call.Source()})
		s.c.noteDown()
	}
}

// progress tells the asker that it rings, and lets it hear early media.
func (s *search) progress(from *leg, e dialog.Progress, early bool) {
	if e.SDP != "" && early {
		if sdp, ok := across(e.SDP, from, s.offer); ok {
			s.tell(183, sdp)
			return
		}
	}
	if e.Code >= 180 && !s.told {
		s.told = true
		s.tell(180, "")
	}
}
