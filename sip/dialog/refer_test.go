package dialog_test

import (
	"errors"
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// asks sends a REFER in the background.
func asks(a *agent, c *dialog.Call, to string) chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.Refer(a.context(), dialog.ReferRequest{To: to, By: dialog.Party{User: "near", Host: "zaseki.test"}})
		done <- err
	}()
	return done
}

func TestReferBringsItsOutcomeInOrder(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			a, b := newAgent(t), newAgent(t)
			out, in := talk(t, a, b, network)
			for range 20 {
				done := asks(a, out, "<sip:third@zaseki.test?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2&X-Evil=1&Require=replaces>")
				e := expect[dialog.Referred](t, b.in)
				if e.URI.User != "third" || e.Replaces != "x@y;to-tag=1;from-tag=2" || e.By.User != "near" || len(e.Require) != 1 {
					t.Fatalf("%+v", e)
				}
				for _, err := range []error{in.AcceptRefer(), in.NotifyRefer(180, "Ringing", false), in.NotifyRefer(200, "OK", true)} {
					if err != nil {
						t.Fatal(err)
					}
				}
				for _, code := range []int{100, 180, 200} {
					if e := expect[dialog.Notified](t, a.out); e.Code != code || e.Final != (code == 200) {
						t.Fatalf("%+v, want %d", e, code)
					}
				}
				if err := next(t, done); err != nil {
					t.Fatal(err)
				}
				if err := in.NotifyRefer(200, "OK", true); !errors.Is(err, dialog.ErrNotNow) {
					t.Fatalf("second final: %v", err)
				}
			}
		})
	}
}

func TestReferThatIsRefusedOrFails(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	out, in := talk(t, a, b, "udp")
	var refused *dialog.Refused
	done := asks(a, out, "<sip:third@zaseki.test>")
	expect[dialog.Referred](t, b.in)
	if err := in.RejectRefer(603); err != nil {
		t.Fatal(err)
	}
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 603 {
		t.Errorf("%v", err)
	}
	done = asks(a, out, "<sip:third@zaseki.test>")
	expect[dialog.Referred](t, b.in)
	if err := errors.Join(in.AcceptRefer(), in.NotifyRefer(486, "Busy Here", true)); err != nil {
		t.Fatal(err)
	}
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 486 {
		t.Errorf("%v", err)
	}
	if err := out.Info(a.context(), "application/dtmf", "1"); err != nil {
		t.Errorf("the call is gone: %v", err)
	}
}

// TestPeerThatHangsUpAfterItTookTheReferHasDoneIt: and its late NOTIFY is still answered.
func TestPeerThatHangsUpAfterItTookTheReferHasDoneIt(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	done := asks(a, c, "<sip:third@zaseki.test>")
	req := r.asked(sipgo.REFER)
	if stack.Header(req, "Refer-To") != "<sip:third@zaseki.test>" || stack.Header(req, "Referred-By") != "<sip:near@zaseki.test>" || stack.Header(req, "Contact") == "" {
		t.Errorf("%v", req)
	}
	r.answers(req, 202)
	r.says("INVITE", 2, "hold", offer) // Linphone holds between 202 and its first NOTIFY
	expect[dialog.Reoffered](t, a.in)
	if err := c.AnswerReoffer(answer); err != nil {
		t.Fatal(err)
	}
	r.hears("2 INVITE")
	r.says("ACK", 2, "holdack")
	r.notifies(3, "refer", "active", "SIP/2.0 100 Trying\r\n")
	expect[dialog.Notified](t, a.in)
	r.says("BYE", 4, "bye")
	r.hears("4 BYE")
	if err := next(t, done); err != nil {
		t.Errorf("%v", err)
	}
	expect[dialog.Ended](t, a.in)
	r.notifies(5, "refer;id=77", "terminated;reason=noresource", "SIP/2.0 200 OK\r\n")
}

func TestNotifiesThatMeanNothing(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	r.says("NOTIFY", 2, "n2", "Event: refer", "Subscription-State: active")
	if res := r.hears("2 NOTIFY"); res.StatusCode != 481 {
		t.Errorf("without a REFER: %d", res.StatusCode)
	}
	r.says("NOTIFY", 3, "n3", "Event: dialog", "Subscription-State: active")
	if res := r.hears("3 NOTIFY"); res.StatusCode != 489 {
		t.Errorf("another event: %d", res.StatusCode)
	}
	done := asks(a, c, "<sip:third@zaseki.test>")
	r.answers(r.asked(sipgo.REFER), 202)
	r.notifies(4, "refer", "active", "nonsense")
	r.notifies(5, "refer;id=12345", "terminated;reason=noresource", "SIP/2.0 200 OK") // of another REFER
	r.notifies(6, "refer", "terminated;reason=timeout", "SIP/2.0 100 Trying")
	var refused *dialog.Refused
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 408 {
		t.Errorf("ended without an outcome: %v", err)
	}
}

func TestRefersThatCannotBe(t *testing.T) {
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.calls(a)
	for i, row := range []struct {
		want  int
		extra []string
	}{
		{400, nil},
		{400, []string{"Refer-To: <sip:a@h>", "Refer-To: <sip:b@h>"}},
		{400, []string{"Refer-To: <sip:a@h"}},
		{400, []string{"Refer-To: <sip:a@h;method=BYE>"}},
		{400, []string{"Refer-To: <sip:a@h?Replaces=nonsense>"}},
		{400, []string{"Refer-To: <sip:a%0d%0aEvil: 1@h>"}},
		{416, []string{"Refer-To: <http://evil/>"}},
	} {
		r.says("REFER", i+2, "r"+string(rune('a'+i)), row.extra...)
		if res := r.hears(cseq(i+2, "REFER")); res.StatusCode != row.want {
			t.Errorf("%v: %d, want %d", row.extra, res.StatusCode, row.want)
		}
	}
	r.says("REFER", 20, "good", "r: <tel:+81-3-1234;ext=5>") // compact form
	if e := expect[dialog.Referred](t, a.in); e.URI.Scheme != "tel" || e.URI.User != "+8131234" {
		t.Errorf("%+v", e)
	}
	r.says("REFER", 21, "second", "Refer-To: <sip:a@h>")
	if res := r.hears("21 REFER"); res.StatusCode != 491 {
		t.Errorf("%d", res.StatusCode)
	}
	r.says("BYE", 22, "bye")
	if res := r.hears("20 REFER"); res.StatusCode != 481 {
		t.Errorf("REFER of a call that ended: %d", res.StatusCode)
	}
}

func TestReplacesFindsItsDialog(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	out, in := talk(t, a, b, "udp")
	value := out.ReplacesValue() // as b would see it
	for _, row := range []struct {
		header string
		code   int
	}{
		{value, 0},
		{value + ";early-only", 486},
		{strings.Replace(value, "from-tag=", "from-tag=x", 1), 481},
		{"none@h;to-tag=1;from-tag=2", 481},
		{"nonsense", 400},
		{"a;to-tag=;from-tag=2", 400},
	} {
		c, code := b.FindReplaced(row.header)
		if code != row.code || (c == in) != (code == 0) {
			t.Errorf("%s: %v %d, want %d", row.header, c, code, row.code)
		}
	}
	if err := out.Bye(a.context()); err != nil {
		t.Fatal(err)
	}
	expect[dialog.Ended](t, b.in)
	<-in.Done()
	for range 100 { // until its owner has gone
		if _, code := b.FindReplaced(value); code != 603 {
			t.Fatalf("%d", code)
		}
	}
	expect[dialog.Ended](t, a.out)
	early := a.invite(b.addr, "udp")
	ringing := next(t, b.calls)
	_ = ringing.Ring(180, "")
	theirs := expect[dialog.Progress](t, a.out).Branch
	ours := stack.Tag(early.Request().From().Params)
	if early.ReplacesValue() != "" {
		t.Error("an early dialog was named")
	}
	if c, code := a.FindReplaced(early.CallID() + ";to-tag=" + ours + ";from-tag=" + theirs + ";early-only"); c != early || code != 0 {
		t.Errorf("a call of ours that rings: %v %d", c, code)
	}
	if _, code := b.FindReplaced(early.CallID() + ";to-tag=" + theirs + ";from-tag=" + ours); code != 481 { // RFC 3891 §3: not ours
		t.Errorf("a call that rings here: %d", code)
	}
}

func TestSilenceAfterReferIsAFailure(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	var refused *dialog.Refused
	done := asks(a, c, "<sip:third@zaseki.test>")
	r.answers(r.asked(sipgo.REFER), 491) // Linphone, when a proxy lets the REFER overtake the ACK
	r.answers(r.asked(sipgo.REFER), 202)
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 408 {
		t.Errorf("%v", err)
	}
	done = asks(a, c, "<sip:third@zaseki.test>")
	r.answers(r.asked(sipgo.REFER), 405)
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 405 {
		t.Errorf("%v", err)
	}
	done = asks(a, c, "<sip:third@zaseki.test>")
	r.answers(r.asked(sipgo.REFER), 202, "Refer-Sub", "false") // nobody will tell (RFC 4488)
	if err := next(t, done); err != nil {
		t.Errorf("%v", err)
	}
	r.says("UPDATE", 2, "learn", "Allow: INVITE, ACK, BYE, CANCEL")
	r.hears("2 UPDATE")
	done = asks(a, c, "<sip:third@zaseki.test>")
	if err := next(t, done); !errors.As(err, &refused) || refused.Code != 405 {
		t.Errorf("a far side without REFER: %v", err)
	}
}

// TestReferWithoutSubscription: who asks with Refer-Sub: false hears nothing (RFC 4488 §4).
func TestReferWithoutSubscription(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	r.says("REFER", 2, "quiet", "Refer-To: <sip:third@zaseki.test>", "Refer-Sub: false")
	expect[dialog.Referred](t, a.in)
	if err := errors.Join(c.AcceptRefer(), c.NotifyRefer(200, "OK", true)); err != nil {
		t.Fatal(err)
	}
	if res := r.hears("2 REFER"); res.StatusCode != 202 || stack.Header(res, "Refer-Sub") != "false" {
		t.Errorf("%v", res)
	}
	r.says("OPTIONS", 3, "after")
	for {
		switch m := r.reads().(type) {
		case *sipgo.Request:
			t.Errorf("%s", m.Method)
		case *sipgo.Response:
			if m.CSeq().Value() == "3 OPTIONS" {
				return
			}
		}
	}
}

func TestPartiesAreReadAndWritten(t *testing.T) {
	for value, want := range map[string]dialog.Party{
		`"Tanaka" <sip:0312345678@center.test>`:         {Display: "Tanaka", User: "0312345678", Host: "center.test"},
		`<sip:2001@center.test>`:                        {User: "2001", Host: "center.test"},
		`"田中 'T'" <sip:a%3Bb@center.test>`:              {Display: "田中 'T'", User: "a;b", Host: "center.test"},
		`<sip:@center.test>`:                            {},
		`<sip:a@center.test>, <sip:b@center.test>`:      {},
		"\"a\u202e\" <sip:a@center.test>":               {},
		`nonsense`:                                      {},
		``:                                              {},
		`"x" <sip:` + strings.Repeat("9", 2000) + `@h>`: {},
	} {
		got, ok := dialog.ParseParty(value)
		if got != want || ok != (want != dialog.Party{}) {
			t.Errorf("%s: %+v", value, got)
		}
		if again, _ := dialog.ParseParty(got.Value()); ok && again != got {
			t.Errorf("%s: %+v written as %s", value, got, got.Value())
		}
	}
}

func FuzzParty(f *testing.F) {
	f.Add(`"T" <sip:03@center.test;user=phone>;x=y`)
	f.Add(`<tel:+81312345678>`)
	f.Fuzz(func(t *testing.T, value string) {
		if p, ok := dialog.ParseParty(value); ok && (p.User == "" || !stack.Clean(p.Display+p.User+p.Host)) {
			t.Errorf("%q is %+v", value, p)
		}
	})
}

func FuzzReferTo(f *testing.F) {
	for _, s := range []string{"<sip:a@h?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>", `"x" <sips:a@[::1]:5061;transport=tls>`, "tel:+1-2", "sip:h;x=y?to=a@b", "<sip:a@h>,<sip:b@h>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r, err := dialog.ParseReferTo(value)
		if err != nil {
			return
		}
		again := r.URI.String() + r.Replaces + strings.Join(r.Require, "")
		if !stack.Clean(r.URI.User) || !stack.Clean(r.URI.Host) || !stack.Clean(r.Replaces) || strings.ContainsAny(again, "\r\n") {
			t.Errorf("%q gave %q", value, again)
		}
	})
}

func FuzzReplaces(f *testing.F) {
	f.Add("c@h;to-tag=1;from-tag=2;early-only")
	f.Fuzz(func(t *testing.T, value string) {
		r, err := dialog.ParseReplaces(value)
		if err != nil {
			return
		}
		if again, err := dialog.ParseReplaces(r.String()); err != nil || again != r {
			t.Errorf("%q gave %+v, then %+v %v", value, r, again, err)
		}
	})
}

func FuzzSipfrag(f *testing.F) {
	f.Add("SIP/2.0 200 OK\r\n")
	f.Add("SIP/2.0 100\r\nContact: <sip:a>\r\n")
	f.Fuzz(func(t *testing.T, body string) {
		if code, reason, ok := dialog.ParseSipfrag(body); ok && (code < 100 || code > 699 || !stack.Clean(reason)) {
			t.Errorf("%q gave %d %q", body, code, reason)
		}
	})
}
