package exchange

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// agreeRounds is how often two sides are asked again because one changed its description with its answer.
const agreeRounds = 3

// transfer is one side of a call sending the other on (RFC 5589). We carry it out ourselves: whoever stays sees nothing but a
// re-INVITE, so that every phone and trunk can be sent on, and numbers are dialled with the right of who sends.
//
// RFC 3725 would ask who stays for a fresh offer without one. Trunks refuse that, and phones answer it as they are held. We
// offer what it said last, freed of the hold: it is its session as it is now. Only when the new side has answered does who
// stays hear of it, so that a transfer that fails leaves the call as it was.
type transfer struct {
	by, stay *leg
	stop     context.CancelFunc
	gone     chan struct{} // closed when by has left
	settling atomic.Bool   // descriptions are being exchanged: no other offers now

	staySDP, bySDP string // what both said last; the transfer's own, while it is under way
}

// moved is how a transfer ended. Without to it failed, and nothing has changed.
type moved struct {
	to             *leg
	staySDP, toSDP string
	bySDP          string // of one that failed
	code           int
	reason         string
	account        string
	release        []func()
	box            *mailbox // where to is heard so far, of a blind transfer
	loan           *loan    // who to was lent by, of an attended one
	lent           lent
}

func (m *transfer) tell(code int, reason string, final bool) {
	m.by.call.NotifyRefer(code, reason, final) // who left without listening is told nothing
}

// refer begins what a REFER asks for.
func (t *talking) refer(ctx context.Context, by, stay *leg, e dialog.Referred) {
	x := t.c.x
	sender, known := x.desk.Terminal(by.user)
	_, way := x.meant(sender, e.URI)
	switch {
	case t.move != nil:
		by.call.RejectRefer(491)
		return
	case !known || !x.ours(e.URI, by) || t.c.view().Aside: // nobody else listens
		by.call.RejectRefer(403)
		return
	case e.Replaces == "" && way.kind == nowhere:
		by.call.RejectRefer(404)
		return
	}
	if err := by.call.AcceptRefer(); err != nil {
		x.log.Debug("transfer not begun", "call", t.c.view().ID, "err", err)
		return
	}
	if way.kind == toUser && stay.trunk { // PRODUCT D5: whoever calls from outside reaches only who takes outside calls
		way.mark = markDirect
	}
	t.c.happened(Moment{What: momentTransfer, By: x.whose(by), To: clean(e.URI.User, 64)})
	ctx, stop := context.WithCancel(ctx)
	m := &transfer{by: by, stay: stay, stop: stop, gone: make(chan struct{}), staySDP: stay.sdp, bySDP: by.sdp}
	m.settling.Store(m.unknown())
	t.move = m
	t.movers.Go(func() {
		defer stop()
		t.moved <- m.carryOut(ctx, t.c, way, e.Replaces)
	})
}

// carryOut is the transfer, with whoever has the call that is to be replaced or else along the way.
func (m *transfer) carryOut(ctx context.Context, c *conduct, way route, replaces string) moved {
	if m.unknown() {
		if err := m.learn(ctx); err != nil {
			return moved{code: codeOf(err), reason: "Not Acceptable Here"}
		}
		m.settling.Store(false)
	}
	offer := unheld(m.staySDP, m.bySDP)
	if replaces != "" {
		return m.attended(ctx, c, replaces, offer)
	}
	return m.blind(ctx, c, way, offer)
}

// unknown: a side is encrypted and of the process before, whose keys never reached the disk.
func (m *transfer) unknown() bool { return m.staySDP == "" || m.bySDP == "" }

// learn has both sides say again what their session is: who stays makes an offer, and who sends it on answers (RFC 3725 §4.1).
func (m *transfer) learn(ctx context.Context) error {
	offered, err := m.stay.call.Solicit(ctx)
	if err != nil {
		return err
	}
	offer, ok := across(offered, m.stay, m.by)
	answer := ""
	if ok {
		answer, err = m.by.call.Reinvite(ctx, offer)
	}
	back, also := across(answer, m.by, m.stay)
	if ok && also && err == nil && answer != "" {
		m.staySDP, m.bySDP = offered, answer
		return m.stay.call.Acknowledge(back)
	}
	_ = m.stay.call.Acknowledge("") // the session is as it was
	select {
	case <-m.by.call.Done(): // RFC 5589 §6.1: may leave before the outcome
		m.staySDP = offered
		return nil
	default:
		return cmp.Or(err, error(&dialog.Refused{Code: 488, Reason: "Not Acceptable Here"}))
	}
}

// ours says that a URI is a number here: at our domain, or at the address by which that side knows us.
func (x *Exchange) ours(uri sip.Uri, by *leg) bool {
	if uri.Scheme == "tel" || strings.EqualFold(uri.Host, x.cfg.Domain()) {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	return err == nil && addr.Unmap() == by.call.Link().LocalFor(by.call.Source()).Addr().Unmap()
}

// blind rings whoever is named, and brings both together when it answers (RFC 5589 §6).
func (m *transfer) blind(ctx context.Context, c *conduct, way route, offer string) moved {
	domain := c.x.cfg.Domain()
	s := &search{
		c: c, box: c.x.mailbox(), route: way, offer: m.stay, sdp: offer,
		headers: []string{"Referred-By", "<sip:" + stack.EscapeUser(m.by.user) + "@" + domain + ">"}, ours: c.known(),
		tell:    func(code int, _ string) { m.tell(code, progressOf(code), false) },
		rings:   func(string, string) {},
		left:    m.gone,
		console: func(s *search) { m.console(ctx, s) },
	}
	o := s.find(ctx)
	c.x.studio.Close(m.stay.call.ID()) // it may have waited with music
	done := moved{to: o.leg, code: o.code, reason: o.reason, account: o.account, release: o.release, box: s.box}
	if o.leg == nil {
		close(s.box.shut)
		return done
	}
	m.settling.Store(true)
	var err error
	if done.staySDP, done.toSDP, err = agree(ctx, m.stay, o.leg, o.leg.offered, o.leg.sdp); err != nil {
		done.drop(c.x)
		return m.restored(ctx, done.staySDP, err)
	}
	return done
}

// restored brings both sides back together when who stays had taken the new session (heard is its answer) and the new side could
// not follow.
func (m *transfer) restored(ctx context.Context, heard string, why error) moved {
	failed := moved{code: codeOf(why), reason: "Not Acceptable Here"}
	if heard != "" && !m.by.over.Load() {
		failed.staySDP, failed.bySDP, _ = agree(ctx, m.stay, m.by, m.staySDP, m.bySDP) // who refuses that has hung up
	}
	return failed
}

// progressOf is what a provisional answer is called.
func progressOf(code int) string {
	switch code {
	case 182:
		return "Queued"
	case 183:
		return "Session Progress"
	}
	return "Ringing"
}

// agree brings p, whose description q has answered, to the same session. Who answers with another one than it had is passed on
// to the other side, until both have the other's last word.
func agree(ctx context.Context, p, q *leg, offered, answer string) (pSDP, qSDP string, err error) {
	for range agreeRounds {
		if offered, err = offerTo(ctx, q, p, answer, &pSDP, offered); err != nil || offered == "" {
			return pSDP, answer, err
		}
		if answer, err = offerTo(ctx, p, q, offered, &qSDP, answer); err != nil || answer == "" {
			return offered, qSDP, err
		}
	}
	return offered, answer, nil
}

// offerTo offers what from said and takes the answer. changed is the answer when it is another one than before, else "".
func offerTo(ctx context.Context, from, to *leg, sdp string, answer *string, before string) (changed string, err error) {
	offer, ok := across(sdp, from, to)
	if !ok {
		return "", &dialog.Refused{Code: 488, Reason: "Not Acceptable Here"}
	}
	if *answer, err = to.call.Reinvite(ctx, offer, introduce(from, to)...); err != nil || alike(*answer, before) {
		return "", err
	}
	return *answer, nil
}

// introduce tells a phone of ours whom it talks to from now on (RFC 3325, RFC 5876), and whether that is an outside call. Others
// learn no names of ours.
func introduce(who, to *leg) []string {
	if to.trunk {
		return nil
	}
	mark := markInside
	if who.trunk {
		mark = markDirect
	}
	return []string{"P-Asserted-Identity", who.party.Value(), markHeader, mark}
}

// codeOf is what a re-INVITE that came to nothing is told as.
func codeOf(err error) int {
	var refused *dialog.Refused
	if errors.As(err, &refused) {
		return refused.Code
	}
	return 480
}

// drop takes a transfer back that came too late or to nothing.
func (d moved) drop(x *Exchange) {
	for _, release := range d.release {
		release()
	}
	switch {
	case d.to == nil:
	case d.loan != nil:
		d.giveBack()
	default:
		x.hangUp(d.to, "")
		close(d.box.shut)
	}
}

// arrived ends the transfer in the loop of the call. It is true when nobody is left to talk.
func (t *talking) arrived(d moved) bool {
	c, m := t.c, t.move
	t.move = nil
	if d.to == nil {
		m.stay.sdp, m.by.sdp = cmp.Or(d.staySDP, m.stay.sdp, m.staySDP), cmp.Or(d.bySDP, m.by.sdp, m.bySDP)
		m.tell(d.code, d.reason, true)
		c.happened(Moment{What: momentStayed, By: c.x.whose(m.by), Code: d.code})
		c.x.log.Info("not transferred", "call", c.view().ID, "by", m.by.user, "code", d.code)
		if !m.by.over.Load() {
			return false
		}
		c.hungUp(m.by)
		c.x.hangUp(m.stay, "")
		return true
	}
	m.stay.sdp, d.to.sdp = d.staySDP, d.toSDP
	for i, l := range t.ends {
		if l == m.by {
			t.ends[i] = d.to
		}
	}
	c.x.sit(c, d.to)
	c.release = append(c.release, d.release...)
	d.to.release = append(d.to.release, d.release...)
	for _, release := range m.by.release {
		release()
	}
	t.write(m, d)
	c.talkers(t.ends[0], t.ends[1])
	m.tell(200, "OK", true)
	c.beside.Go(func() { c.x.hangUp(m.by, "") }) // many a phone waits for the BYE
	if d.box != nil {
		c.beside.Go(func() {
			defer close(d.box.shut)
			d.box.forward(c.box)
		})
	}
	return false
}

// write notes in the history who has the call now. Of two calls that became one, the outside one goes on.
func (t *talking) write(m *transfer, d moved) {
	c, by, now, account := t.c, t.c.x.accountOf(m.by.user), d.to, d.account
	if d.loan != nil {
		end := ending{taken: true}
		if mine := c.view(); d.lent.record.Outside && !mine.Outside {
			end.record = &mine
			c.note(func(r *CallRecord) { *r = d.lent.record })
			now = m.stay // to whom the outside call came
		}
		d.loan.end <- end
	}
	if account == "" {
		account = c.x.accountOf(now.user)
	}
	c.note(func(r *CallRecord) {
		r.TransferredBy = by
		if !now.trunk {
			r.Account = account
		}
		if r.Caller != now.user {
			r.Callee = now.user
		}
	})
	c.happened(Moment{What: momentMoved, By: c.x.whose(m.by), To: c.x.whose(now)})
	c.x.log.Info("transferred", "call", c.view().ID, "by", by, "callee", now.user)
}

// accountOf is who is signed in with a terminal, or the terminal itself.
func (x *Exchange) accountOf(user string) string {
	if t, ok := x.desk.Terminal(user); ok && t.Account != "" {
		return t.Account
	}
	return user
}
