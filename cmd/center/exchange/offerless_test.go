package exchange

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// bare is a user agent that says what a phone of ours would not.
type bare struct {
	*dialog.UA
	t      *testing.T
	f      *floor
	user   string
	events chan dialog.Event
	calls  chan *dialog.Call // that came in
}

// bare registers the user from this address and gives a user agent for its calls.
func (f *floor) bare(user string) *bare {
	f.t.Helper()
	s := stack.New(stack.Config{Log: testLog(), Server: "bare", Allow: methods()})
	b := &bare{t: f.t, f: f, user: user, events: make(chan dialog.Event, 64), calls: make(chan *dialog.Call, 4)}
	b.UA = dialog.New(dialog.Config{Stack: s, Log: testLog(), OnCall: func(c *dialog.Call) func(dialog.Event) {
		b.calls <- c
		return func(e dialog.Event) { b.events <- e }
	}})
	link, err := s.ListenUDP("127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		<-done
	})
	b.register(link)
	return b
}

func (b *bare) register(link *stack.Link) {
	b.t.Helper()
	at := netip.MustParseAddrPort(b.f.x.Addr())
	req := sipgo.NewRequest(sipgo.REGISTER, sipgo.Uri{Scheme: "sip", Host: domain})
	from := sipgo.FromHeader{Address: sipgo.Uri{Scheme: "sip", User: b.user, Host: domain}, Params: sipgo.NewParams()}
	from.Params.Add("tag", "bare")
	req.AppendHeader(&from)
	req.AppendHeader(&sipgo.ToHeader{Address: from.Address, Params: sipgo.NewParams()})
	req.AppendHeader(sipgo.NewHeader("Contact", "<sip:"+b.user+"@"+link.LocalFor(at).String()+">;expires=90"))
	res, err := b.Request(ctxFor(b.t), req, link, at, b.auth())
	if err != nil || res.StatusCode != 200 {
		b.t.Fatalf("register %s: %v, %v", b.user, res, err)
	}
}

func (b *bare) auth() *stack.Auth {
	return &stack.Auth{User: b.user, Password: secret(b.user + "-secret"), Realm: domain}
}

func (b *bare) invite(number, sdp string, headers ...string) *dialog.Call {
	b.t.Helper()
	call, err := b.Invite(ctxFor(b.t), dialog.InviteRequest{
		Target: sipgo.Uri{Scheme: "sip", User: number, Host: domain}, Network: "udp", Destination: netip.MustParseAddrPort(b.f.x.Addr()),
		From: dialog.Party{User: b.user, Host: domain}, SDP: sdp, Patient: true, Headers: headers,
		Auth: b.auth(),
		Tell: func(e dialog.Event) { b.events <- e },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return call
}

// bareNext waits for an event of that kind.
func bareNext[E dialog.Event](b *bare) E {
	b.t.Helper()
	ctx := ctxFor(b.t)
	for {
		select {
		case e := <-b.events:
			if want, ok := e.(E); ok {
				return want
			}
		case <-ctx.Done():
			var want E
			b.t.Fatalf("heard no %T", want)
		}
	}
}

func TestACallWithoutAnOfferIsAnsweredWithTheCalledsOwn(t *testing.T) {
	f := newFloor(t, nil)
	caller, called := f.bare("1004"), f.speaker("1001", 40010)
	call := caller.invite("1001", "")
	in := next[sip.Incoming](called.phone)
	if in.SDP != "" {
		t.Fatalf("the called gets an offer from nowhere: %q", in.SDP)
	}
	called.Ring(in.Call)
	answered := make(chan error, 1)
	go func() { answered <- called.Answer(ctxFor(t), in.Call, called.sdp()) }()
	got := bareNext[dialog.Answered](caller)
	if !got.Offer || !strings.Contains(got.SDP, "m=audio 40010 ") {
		t.Fatalf("the caller gets %+v", got)
	}
	if err := call.Acknowledge(reply); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if e := next[sip.Answered](called.phone); e.SDP != reply {
		t.Fatalf("the called gets the answer %q", e.SDP)
	}
	if err := call.Hangup(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	next[sip.Ended](called.phone)
	if r := f.record(); r.Result != "answered" {
		t.Fatalf("record %+v", r)
	}
}

func TestAReinviteWithoutAnOfferEndsAHold(t *testing.T) {
	f := newFloor(t, nil)
	caller, called := f.bare("1004"), f.speaker("1001", 40010)
	call := caller.invite("1001", reply) // port 40002
	in := called.take()
	bareNext[dialog.Answered](caller)
	if answer, err := call.Reinvite(ctxFor(t), strings.Replace(reply, "sendrecv", "sendonly", 1)); err != nil || !strings.Contains(answer, "recvonly") {
		t.Fatalf("held with %q, %v", answer, err)
	}
	offered, err := call.Solicit(ctxFor(t))
	if err != nil || !strings.Contains(offered, "a=sendrecv") || !strings.Contains(offered, "m=audio 40010 ") {
		t.Fatalf("offered %q, %v", offered, err)
	}
	if err := call.Acknowledge(reply); err != nil {
		t.Fatal(err)
	}
	for end := ctxFor(t); ; {
		if _, sends := called.sound(in.Call); sends {
			return
		}
		if end.Err() != nil {
			t.Fatal("the called stays held")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestTheCallerHearsEarlyMedia(t *testing.T) {
	f := newFloor(t, nil)
	caller, called := f.speaker("1001", 40000), f.bare("1004")
	if err := caller.Dial(ctxFor(t), "c1", "1004", caller.sdp()); err != nil {
		t.Fatal(err)
	}
	in := <-called.calls
	if err := in.Ring(183, reply); err != nil {
		t.Fatal(err)
	}
	for p := next[sip.Progress](caller.phone); p.SDP == ""; p = next[sip.Progress](caller.phone) {
		if p.Code != 180 {
			t.Fatalf("the caller hears %+v", p)
		}
	}
	if err := in.Answer(ctxFor(t), reply); err != nil {
		t.Fatal(err)
	}
	next[sip.Answered](caller.phone)
}
