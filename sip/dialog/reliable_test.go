package dialog_test

import (
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// provisional is the next 1xx above 100 that the raw peer hears.
func (r *raw) provisional() *sipgo.Response {
	r.t.Helper()
	for {
		if res, ok := r.reads().(*sipgo.Response); ok && res.StatusCode > 100 && res.StatusCode < 200 {
			return res
		}
	}
}

func TestReliableProvisionalWaitsForItsPrack(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("INVITE", 1, "inv", "Supported: 100rel", offer)
	c := next(t, a.calls)
	if err := c.Ring(180, ""); err != nil {
		t.Fatal(err)
	}
	if res := r.provisional(); stack.Header(res, "RSeq") != "" {
		t.Errorf("180 without a need is reliable: %v", res)
	}
	if err := c.Ring(183, answer); err != nil {
		t.Fatal(err)
	}
	first := r.provisional()
	again := r.provisional() // repeated after T1
	if stack.Header(first, "Require") != "100rel" || stack.Header(again, "RSeq") != stack.Header(first, "RSeq") || string(first.Body()) != answer {
		t.Errorf("%v\n%v", first, again)
	}
	done := make(chan error, 1)
	go func() { done <- c.Answer(a.context(), answer) }()
	select {
	case err := <-done:
		t.Fatalf("answered before the PRACK: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	r.tag = stack.Tag(first.To().Params)
	r.says("PRACK", 2, "wrong", "RAck: 1 1 INVITE")
	if res := r.hears("2 PRACK"); res.StatusCode != 481 {
		t.Errorf("wrong RAck: %d", res.StatusCode)
	}
	r.says("PRACK", 3, "right", "RAck:  "+stack.Header(first, "RSeq")+"   1 INVITE")
	if res := r.hears("3 PRACK"); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
	if res := r.hears("1 INVITE"); res.StatusCode != 200 || len(res.Body()) != 0 {
		t.Errorf("answer said twice: %v", res)
	}
	r.says("ACK", 1, "ack")
	if err := next(t, done); err != nil {
		t.Fatal(err)
	}
}

// TestOtherDescriptionAfterAReliableOne: a center rings one phone, and another answers.
func TestOtherDescriptionAfterAReliableOne(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	a.invite(b.addr, "udp")
	in := next(t, b.calls)
	if err := in.Ring(183, answer); err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(answer, "5000", "7000", 1)
	if err := in.Answer(b.context(), other); err != nil {
		t.Fatal(err)
	}
	expect[dialog.Progress](t, a.out)
	if e := expect[dialog.Answered](t, a.out); e.SDP != other {
		t.Errorf("%+v", e)
	}
}

func TestReliableProvisionalThatNobodyAcknowledgesFails(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a := newAgent(t)
	r := newRaw(t, a.addr)
	r.says("INVITE", 1, "inv", "Require: 100rel", offer)
	c := next(t, a.calls)
	if err := c.Ring(180, ""); err != nil {
		t.Fatal(err)
	}
	if stack.Header(r.provisional(), "RSeq") == "" {
		t.Error("the caller demands a reliable 180")
	}
	if res := r.hears("1 INVITE"); res.StatusCode != 504 {
		t.Errorf("%d", res.StatusCode)
	}
	if e := expect[dialog.Ended](t, a.in); e.Code != 504 {
		t.Errorf("%+v", e)
	}
}

// TestOfferInAReliableProvisional: the INVITE had none, so the PRACK brings the answer (RFC 3262 §5), and an UPDATE may
// change it before the call is answered (RFC 3311).
func TestOfferInAReliableProvisional(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	out := a.invites(b.addr, dialog.InviteRequest{Patient: true})
	in := next(t, b.calls)
	if in.Offer() != "" {
		t.Fatal("an offer")
	}
	if err := in.Ring(183, offer); err != nil {
		t.Fatal(err)
	}
	e := expect[dialog.Progress](t, a.out)
	if e.SDP != offer || e.Branch == "" {
		t.Errorf("%+v", e)
	}
	if err := out.Acknowledge(answer); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Acked](t, b.in); e.SDP != answer {
		t.Errorf("%+v", e)
	}
	updated := make(chan error, 1)
	go func() {
		got, err := out.Update(a.context(), offer)
		if got != answer {
			t.Errorf("answer to the UPDATE %q", got)
		}
		updated <- err
	}()
	if e := expect[dialog.Reoffered](t, b.in); e.SDP != offer {
		t.Errorf("%+v", e)
	}
	if err := in.AnswerReoffer(answer); err != nil {
		t.Fatal(err)
	}
	if err := next(t, updated); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := in.Update(b.context(), answer)
		updated <- err
	}()
	if err := next(t, updated); err != dialog.ErrNotNow {
		t.Errorf("an UPDATE of who rings: %v", err)
	}
	if err := in.Answer(b.context(), answer); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Answered](t, a.out); e.Offer {
		t.Errorf("%+v", e)
	}
	if err := out.Bye(a.context()); err != nil {
		t.Error(err)
	}
}

func TestOfferInThe200IsAnsweredInTheAck(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	out := a.invites(b.addr, dialog.InviteRequest{Patient: true})
	in := next(t, b.calls)
	done := make(chan error, 1)
	go func() { done <- in.Answer(b.context(), offer) }()
	if e := expect[dialog.Answered](t, a.out); !e.Offer || e.SDP != offer {
		t.Fatalf("%+v", e)
	}
	select { // the 200 is repeated meanwhile; it must not be hung up
	case err := <-done:
		t.Fatalf("%v", err)
	case <-time.After(200 * time.Millisecond):
	}
	if err := out.Acknowledge(answer); err != nil {
		t.Fatal(err)
	}
	if err := next(t, done); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Acked](t, b.in); e.SDP != answer {
		t.Errorf("%+v", e)
	}
	solicited := make(chan string, 1)
	go func() {
		got, err := out.Solicit(a.context())
		if err != nil {
			t.Error(err)
		}
		solicited <- got
	}()
	expect[dialog.Reoffered](t, b.in)
	if err := in.AnswerReoffer(offer); err != nil {
		t.Fatal(err)
	}
	if got := next(t, solicited); got != offer {
		t.Errorf("%q", got)
	}
	if err := out.Acknowledge(answer); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Acked](t, b.in); e.SDP != answer {
		t.Errorf("%+v", e)
	}
	if err := out.Acknowledge(answer); err != dialog.ErrNotNow {
		t.Errorf("%v", err)
	}
	if err := in.Bye(b.context()); err != nil {
		t.Error(err)
	}
}

// TestForkedRingingTellsItsBranches: two phones ring with early media; one of them answers without repeating its SDP.
func TestForkedRingingTellsItsBranches(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	a.invite(r.at(), "udp")
	inv := r.asked(sipgo.INVITE)
	for _, tag := range []string{"one", "two"} {
		r.provides(inv, 183, tag, answer+"a=x-"+tag+"\r\n", "Require", "100rel", "RSeq", "7")
		prack := r.asked(sipgo.PRACK)
		if stack.Tag(prack.To().Params) != tag || stack.Header(prack, "RAck") != "7 1 INVITE" || prack.Recipient.User != tag {
			t.Errorf("%v", prack)
		}
		r.answers(prack, 200)
		if e := expect[dialog.Progress](t, a.out); e.Branch != tag || !strings.Contains(e.SDP, "a=x-"+tag) {
			t.Errorf("%+v", e)
		}
	}
	r.provides(inv, 180, "one", "", "Require", "100rel", "RSeq", "7") // repeated
	r.provides(inv, 180, "one", "", "Require", "100rel", "RSeq", "9") // before its turn
	r.provides(inv, 180, "two", "", "Require", "100rel", "RSeq", "8")
	r.answers(r.asked(sipgo.PRACK), 200)
	if e := expect[dialog.Progress](t, a.out); e.Branch != "two" || e.Code != 180 {
		t.Errorf("%+v", e)
	}
	r.provides(inv, 200, "two", "")
	if e := expect[dialog.Answered](t, a.out); !strings.Contains(e.SDP, "a=x-two") {
		t.Errorf("%+v", e)
	}
	if ack := r.asked(sipgo.ACK); stack.Tag(ack.To().Params) != "two" {
		t.Errorf("%v", ack)
	}
}

func TestSippReliableProvisional(t *testing.T) {
	addr, wait := sipp(t, "uas_prack.xml")
	a := newAgent(t)
	c := a.invite(addr, "udp")
	expect[dialog.Progress](t, a.out)
	if e := expect[dialog.Answered](t, a.out); !strings.Contains(e.SDP, "6000") {
		t.Errorf("%+v", e)
	}
	if e := expect[dialog.Reoffered](t, a.out); !strings.Contains(e.SDP, "sendonly") {
		t.Errorf("%+v", e)
	}
	if err := c.AnswerReoffer(answer); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Ended](t, a.out); !e.ByPeer || e.Cause != 16 {
		t.Errorf("%+v", e)
	}
	wait()
}

// TestUpdateWhileOurOfferIsOpen: an offer is told to come again, a refresh is not (RFC 3311 §5.2).
func TestUpdateWhileOurOfferIsOpen(t *testing.T) {
	t.Parallel()
	a := newAgent(t)
	r := newRaw(t, a.addr)
	c := r.calls(a)
	done := make(chan error, 1)
	go func() { _, err := c.Reinvite(a.context(), offer); done <- err }()
	inv := r.asked(sipgo.INVITE)
	r.says("UPDATE", 2, "offer", offer)
	if res := r.hears("2 UPDATE"); res.StatusCode != 491 {
		t.Errorf("%d", res.StatusCode)
	}
	r.says("UPDATE", 3, "refresh")
	if res := r.hears("3 UPDATE"); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
	r.provides(inv, 200, "", answer)
	r.provides(inv, 200, "", answer) // the ACK was lost
	for range 2 {
		if ack := r.asked(sipgo.ACK); ack.CSeq().SeqNo != inv.CSeq().SeqNo {
			t.Errorf("%v", ack)
		}
	}
	if err := next(t, done); err != nil {
		t.Error(err)
	}
	go func() { _, err := c.Update(a.context(), offer); done <- err }()
	update := r.asked(sipgo.UPDATE)
	r.answers(update, 500, "Retry-After", "1") // their offer is open: ours comes again
	r.provides(r.asked(sipgo.UPDATE), 200, "", answer)
	if err := next(t, done); err != nil {
		t.Error(err)
	}
	r.says("BYE", 4, "bye")
	r.hears("4 BYE")
}

// TestAnswerThatComesTwiceAtOnceIsOneAnswer: the second must not look like another branch of a fork, which is hung up.
func TestAnswerThatComesTwiceAtOnceIsOneAnswer(t *testing.T) {
	for range 20 {
		a := newAgent(t)
		r := newRaw(t, a.addr)
		c := a.invite(r.at(), "udp")
		inv := r.asked(sipgo.INVITE)
		for range 3 {
			r.provides(inv, 200, "far", answer)
		}
		expect[dialog.Answered](t, a.out)
		for range 3 {
			req := r.reads().(*sipgo.Request)
			for req.Method == sipgo.INVITE { // repeated before it was answered
				req = r.reads().(*sipgo.Request)
			}
			if req.Method != sipgo.ACK {
				t.Fatalf("%s", req.Method)
			}
		}
		c.Drop()
		r.answers(r.asked(sipgo.BYE), 200)
	}
}
