package dialog_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// quick are session timers of seconds.
func quick(c *dialog.Config) { c.Session, c.MinSession = 2*time.Second, time.Second }

// TestSessionIsRefreshedByWhoShall: by UPDATE where the far side knows it, and both sides stay.
func TestSessionIsRefreshedByWhoShall(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a := newAgent(t, quick)
	r := newRaw(t, a.addr)
	c := a.invite(r.at(), "udp")
	inv := r.asked(sipgo.INVITE)
	if stack.Header(inv, "Session-Expires") != "2" || stack.Header(inv, "Min-SE") != "1" || !strings.Contains(stack.Header(inv, "Supported"), "timer") {
		t.Errorf("%v", inv)
	}
	r.provides(inv, 200, "far", answer, "Session-Expires", "2;refresher=uac", "Require", "timer", "Allow", "INVITE, UPDATE")
	expect[dialog.Answered](t, a.out)
	for range 2 {
		update := r.asked(sipgo.UPDATE)
		if len(update.Body()) != 0 || stack.Header(update, "Session-Expires") != "2;refresher=uac" {
			t.Errorf("%v", update)
		}
		r.answers(update, 200, "Session-Expires", "2;refresher=uac", "Contact", "<sip:elsewhere@"+r.at().String()+">")
	}
	r.answers(r.asked(sipgo.UPDATE), 405) // it forgot: re-INVITE with what we said
	again := r.asked(sipgo.INVITE)
	if string(again.Body()) != offer || again.Recipient.User != "elsewhere" {
		t.Errorf("%v", again)
	}
	r.answers(again, 200, "Session-Expires", "2;refresher=uas")
	if bye := r.asked(sipgo.BYE); !strings.Contains(stack.Header(bye, "Reason"), "cause=102") { // nobody refreshed
		t.Errorf("%v", bye)
	}
	if e := expect[dialog.Ended](t, a.out); e.Code != 408 {
		t.Errorf("%+v", e)
	}
	_ = c
}

func TestSessionTimersOfTheCaller(t *testing.T) {
	for name, row := range map[string]struct{ asked, want string }{
		"the caller refreshes":  {"Session-Expires: 90;refresher=uac", "90;refresher=uac"},
		"we refresh":            {"Session-Expires: 90;refresher=uas", "90;refresher=uas"},
		"nobody is named":       {"x: 300", "300;refresher=uac"},
		"none asked, but known": {"Subject: none", "1800;refresher=uas"},
		"its least is longer":   {"Session-Expires: 100\r\nMin-SE: 200", "200;refresher=uac"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAgent(t)
			r := newRaw(t, a.addr)
			r.says("INVITE", 1, "inv", "Supported: timer", row.asked, offer)
			c := next(t, a.calls)
			go func() { _ = c.Answer(a.context(), answer) }()
			res := r.hears("1 INVITE")
			if got := stack.Header(res, "Session-Expires"); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
			r.tag = stack.Tag(res.To().Params)
			r.says("ACK", 1, "ack")
			r.says("BYE", 2, "bye")
			r.hears("2 BYE")
		})
	}
	t.Run("too short", func(t *testing.T) {
		a := newAgent(t)
		r := newRaw(t, a.addr)
		r.says("INVITE", 1, "inv", "Supported: timer", "Session-Expires: 30", offer)
		c := next(t, a.calls)
		var refused *dialog.Refused
		if err := c.Answer(a.context(), answer); !errors.As(err, &refused) || refused.Code != 422 {
			t.Errorf("%v", err)
		}
		if res := r.hears("1 INVITE"); res.StatusCode != 422 || stack.Header(res, "Min-SE") != "90" {
			t.Errorf("%v", res)
		}
	})
}

func TestLongerSessionIsTakenOnce(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	a.invite(r.at(), "udp")
	r.answers(r.asked(sipgo.INVITE), 422, "Min-SE", "3600")
	again := r.asked(sipgo.INVITE)
	for again.CSeq().SeqNo == 1 {
		again = r.asked(sipgo.INVITE)
	}
	if stack.Header(again, "Session-Expires") != "3600" {
		t.Errorf("%v", again)
	}
	r.answers(again, 422, "Min-SE", "7200")
	if e := expect[dialog.Failed](t, a.out); e.Code != 422 {
		t.Errorf("%+v", e)
	}
}

func TestRingingHasALimit(t *testing.T) {
	t.Parallel()
	short := func(c *dialog.Config) { c.Ring = 300 * time.Millisecond }
	a, b := newAgent(t, short), newAgent(t)
	a.invite(b.addr, "udp")
	in := next(t, b.calls)
	_ = in.Ring(180, "")
	expect[dialog.Progress](t, a.out)
	if e := expect[dialog.Failed](t, a.out); e.Code != 408 {
		t.Errorf("%+v", e)
	}
	if e := expect[dialog.Ended](t, b.in); e.Code != 487 {
		t.Errorf("%+v", e)
	}
	b.invite(a.addr, "udp")
	next(t, a.calls)
	if e := expect[dialog.Failed](t, b.out); e.Code != 480 || e.Cause != 18 {
		t.Errorf("%+v", e)
	}
	if e := expect[dialog.Ended](t, a.in); e.Code != 408 || e.Cause != 19 {
		t.Errorf("%+v", e)
	}
}

// TestCallMovesToAnotherWay: the next requests come from there, say so in their Contact, and a request under way on the old
// one does not end the call.
func TestCallMovesToAnotherWay(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	old := c.Link()
	pending := make(chan error, 1)
	go func() { _, err := c.Reinvite(a.context(), offer); pending <- err }()
	r.asked(sipgo.INVITE) // never answered
	link, err := a.stack.ListenUDP(address() + ":5060")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Move(link, r.at()); err != nil {
		t.Fatal(err)
	}
	_ = old.Close()
	if err := next(t, pending); err == nil {
		t.Error("answered over a link that is gone")
	}
	go func() { _, err := c.Reinvite(a.context(), offer); pending <- err }()
	var inv *sipgo.Request
	for inv == nil || !strings.Contains(stack.Header(inv, "Contact"), link.Local().String()) {
		inv = r.asked(sipgo.INVITE)
	}
	r.to = link.Local()
	r.provides(inv, 200, "", answer)
	if err := next(t, pending); err != nil {
		t.Fatal(err)
	}
	r.asked(sipgo.ACK)
	r.provides(inv, 200, "", answer) // its ACK was lost
	if ack := r.asked(sipgo.ACK); netip.AddrPortFrom(netip.MustParseAddr(ack.Via().Host), uint16(ack.Via().Port)) != link.Local() {
		t.Errorf("%v", ack)
	}
	r.says("BYE", 2, "bye")
	r.hears("2 BYE")
	expect[dialog.Ended](t, a.in)
}

func TestServiceRouteIsGone(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	a.invites(r.at(), dialog.InviteRequest{SDP: offer, Route: []string{"<sip:edge.zaseki.test;lr>", "<sip:home.zaseki.test;lr>"}})
	inv := r.asked(sipgo.INVITE)
	if routes := stack.Headers(inv, "Route"); len(routes) != 2 || inv.Recipient.User != "far" {
		t.Errorf("%v", inv)
	}
	r.provides(inv, 200, "far", answer)
	if ack := r.asked(sipgo.ACK); len(stack.Headers(ack, "Route")) != 0 { // the dialog has its own route set
		t.Errorf("%v", ack)
	}
	expect[dialog.Answered](t, a.out)
}
