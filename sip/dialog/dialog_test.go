package dialog_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// TestMain makes the timers of RFC 3261 ten times faster: 64*T1 is 3.2 seconds.
func TestMain(m *testing.M) {
	sipgo.SetTimers(50*time.Millisecond, 400*time.Millisecond, 500*time.Millisecond)
	goleak.VerifyTestMain(m)
}

var addresses atomic.Int32

func address() string {
	return fmt.Sprintf("127.%d.%d.%d", 124+os.Getpid()/250%60, 1+os.Getpid()%250, addresses.Add(1))
}

// agent is a user agent on a UDP and a TCP port of an address of its own.
type agent struct {
	*dialog.UA
	stack *stack.Stack
	t     *testing.T
	addr  netip.AddrPort
	calls chan *dialog.Call
	in    chan dialog.Event // events of inbound calls
	out   chan dialog.Event
}

func newAgent(t *testing.T, set ...func(*dialog.Config)) *agent {
	t.Helper()
	s := stack.New(stack.Config{Server: "Zaseki/test", Allow: []string{
		"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REFER", "NOTIFY"}})
	a := &agent{t: t, stack: s, calls: make(chan *dialog.Call, 10), in: make(chan dialog.Event, 100), out: make(chan dialog.Event, 100)}
	cfg := dialog.Config{Stack: s, OnCall: func(c *dialog.Call) func(dialog.Event) {
		a.calls <- c
		return func(e dialog.Event) { a.in <- e }
	}}
	for _, f := range set {
		f(&cfg)
	}
	a.UA = dialog.New(cfg)
	link, err := s.ListenUDP(address() + ":5060")
	if err != nil {
		t.Fatal(err)
	}
	a.addr = link.Local()
	if _, err := s.ListenTCP(a.addr.String()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = a.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return a
}

func (a *agent) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	a.t.Cleanup(cancel)
	return ctx
}

func (a *agent) invite(to netip.AddrPort, network string) *dialog.Call {
	a.t.Helper()
	c, err := a.Invite(a.context(), dialog.InviteRequest{
		Target: sipgo.Uri{Scheme: "sip", User: "far", Host: to.Addr().String(), Port: int(to.Port())}, Network: network, Destination: to,
		From: dialog.Party{Display: `Q "A"`, User: "near", Host: "zaseki.test"}, SDP: offer, Tell: func(e dialog.Event) { a.out <- e },
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

// invites calls over UDP with what r says.
func (a *agent) invites(to netip.AddrPort, r dialog.InviteRequest) *dialog.Call {
	a.t.Helper()
	r.Target = sipgo.Uri{Scheme: "sip", User: "far", Host: to.Addr().String(), Port: int(to.Port())}
	r.Destination, r.From = to, dialog.Party{User: "near", Host: "zaseki.test"}
	r.Tell = func(e dialog.Event) { a.out <- e }
	c, err := a.Invite(a.context(), r)
	if err != nil {
		a.t.Fatal(err)
	}
	return c
}

const (
	offer  = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	answer = "v=0\r\no=b 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n"
)

func next[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing came of %T", *new(T))
	}
	panic("unreachable")
}

func expect[E dialog.Event](t *testing.T, from chan dialog.Event) E {
	t.Helper()
	e := next(t, from)
	got, ok := e.(E)
	if !ok {
		t.Fatalf("got %T%+v, want %T", e, e, got)
	}
	return got
}

// talk brings up a call from a to b.
func talk(t *testing.T, a, b *agent, network string) (out, in *dialog.Call) {
	t.Helper()
	out = a.invite(b.addr, network)
	in = next(t, b.calls)
	if err := in.Ring(180, ""); err != nil {
		t.Fatal(err)
	}
	expect[dialog.Progress](t, a.out)
	if err := in.Answer(b.context(), answer); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Answered](t, a.out); e.SDP != answer {
		t.Errorf("answer %q", e.SDP)
	}
	return out, in
}

func TestCallBetweenTwoAgents(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			a, b := newAgent(t), newAgent(t)
			out, in := talk(t, a, b, network)
			if in.Remote() != (dialog.Party{Display: "Q 'A'", User: "near", Host: "zaseki.test"}) || in.Offer() != offer {
				t.Errorf("%+v %q", in.Remote(), in.Offer())
			}
			if err := out.Info(a.context(), "application/dtmf-relay", "Signal=5\r\nDuration=100\r\n"); err != nil {
				t.Error(err)
			}
			if e := expect[dialog.Info](t, b.in); !strings.HasPrefix(e.Body, "Signal=5") {
				t.Errorf("%+v", e)
			}
			var refused *dialog.Refused
			if err := out.Info(a.context(), "text/plain", "x"); !errors.As(err, &refused) || refused.Code != 415 {
				t.Errorf("strange INFO: %v", err)
			}
			if err := in.Bye(b.context(), "Reason", "Q.850;cause=16"); err != nil {
				t.Error(err)
			}
			if e := expect[dialog.Ended](t, a.out); !e.ByPeer || e.Cause != 16 {
				t.Errorf("%+v", e)
			}
			expect[dialog.Ended](t, b.in)
			<-out.Done()
			<-in.Done()
			if err := out.Bye(a.context()); !errors.Is(err, dialog.ErrOver) {
				t.Errorf("second hang-up: %v", err)
			}
		})
	}
}

func TestProgressComesInOrderAndWithItsSDP(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	for range 50 {
		a.invite(b.addr, "udp")
		in := next(t, b.calls)
		for _, err := range []error{in.Ring(180, ""), in.Ring(183, answer), in.Answer(b.context(), answer)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if e := expect[dialog.Progress](t, a.out); e.Code != 180 {
			t.Fatalf("%+v", e)
		}
		if e := expect[dialog.Progress](t, a.out); e.Code != 183 || e.SDP != answer {
			t.Fatalf("%+v", e)
		}
		expect[dialog.Answered](t, a.out)
	}
}

func TestCancelRightBehindInvite(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	for range 50 {
		c := a.invite(b.addr, "udp")
		in := next(t, b.calls)
		_ = in.Ring(180, "")
		if err := c.Cancel("Reason", `SIP;cause=200;text="Call completed elsewhere"`); err != nil {
			t.Fatal(err)
		}
		if e := expect[dialog.Ended](t, b.in); !e.Elsewhere || !e.ByPeer || e.Reason != "Call completed elsewhere" {
			t.Fatalf("%+v", e)
		}
		for {
			e := next(t, a.out)
			if failed, ok := e.(dialog.Failed); ok {
				if failed.Code != 487 {
					t.Fatalf("%+v", failed)
				}
				break
			}
		}
	}
}

func TestRejectCarriesItsHeaders(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	a.invite(b.addr, "udp")
	in := next(t, b.calls)
	if err := in.Reject(302, "Moved", "Contact", "<sip:else@zaseki.test>"); err != nil {
		t.Fatal(err)
	}
	if e := expect[dialog.Failed](t, a.out); e.Code != 302 || stack.Header(e.Response, "Contact") != "<sip:else@zaseki.test>" {
		t.Errorf("%+v", e)
	}
}

func TestReinvitesThatCrossAreTriedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a, b := newAgent(t), newAgent(t)
	out, in := talk(t, a, b, "udp")
	results := make(chan error, 2)
	go func() { _, err := out.Reinvite(a.context(), offer); results <- err }()
	go func() { _, err := in.Reinvite(b.context(), answer); results <- err }()
	for answered := 0; answered < 2; {
		select {
		case e := <-a.out:
			if _, ok := e.(dialog.Reoffered); ok {
				_ = out.AnswerReoffer(offer)
			}
		case e := <-b.in:
			if _, ok := e.(dialog.Reoffered); ok {
				_ = in.AnswerReoffer(answer)
			}
		case err := <-results:
			if err != nil {
				t.Error(err)
			}
			answered++
		case <-time.After(15 * time.Second):
			t.Fatal("glare never ended")
		}
	}
}

// TestOfferThatNobodyWaitsForAnyMore: its answer comes while the context ends.
func TestOfferThatNobodyWaitsForAnyMore(t *testing.T) {
	for range 5 {
		a, b := newAgent(t), newAgent(t)
		out, in := talk(t, a, b, "udp")
		ctx, cancel := context.WithCancel(a.context())
		done := make(chan string, 1)
		go func() {
			got, err := out.Reinvite(ctx, offer)
			done <- fmt.Sprint(got == answer, got == "", err)
		}()
		expect[dialog.Reoffered](t, b.in)
		go cancel()
		if err := in.AnswerReoffer(answer); err != nil {
			t.Fatal(err)
		}
		if got := next(t, done); got != "true false <nil>" && got != "false true context canceled" && got != "true false context canceled" {
			t.Fatal(got)
		}
	}
}

func TestInviteWithoutOfferGetsOurs(t *testing.T) {
	a, b := newAgent(t), newAgent(t)
	out, in := talk(t, a, b, "udp")
	done := make(chan error, 1)
	go func() { _, err := out.Reinvite(a.context(), ""); done <- err }()
	if e := expect[dialog.Reoffered](t, b.in); e.SDP != "" {
		t.Errorf("%+v", e)
	}
	if err := in.AnswerReoffer(answer); err != nil {
		t.Fatal(err)
	}
	if err := next(t, done); err != nil {
		t.Error(err)
	}
}

func TestNobodyThereIs408(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	a := newAgent(t)
	a.invite(netip.MustParseAddrPort(address()+":5060"), "udp")
	expect[dialog.Quiet](t, a.out)
	if e := expect[dialog.Failed](t, a.out); e.Code != 408 || e.Cause != 102 {
		t.Errorf("%+v", e)
	}
}

func TestRunEndsCallsThatAreLeft(t *testing.T) {
	a := newAgent(t)
	t.Run("inner", func(t *testing.T) {
		b := newAgent(t)
		talk(t, b, a, "udp")
	})
	if e := expect[dialog.Ended](t, a.in); !e.ByPeer {
		t.Errorf("%+v", e)
	}
}

func TestUncleanTextIsRefused(t *testing.T) {
	a := newAgent(t)
	far := netip.MustParseAddrPort("127.0.0.1:9")
	for name, r := range map[string]dialog.InviteRequest{
		"display": {From: dialog.Party{Display: "x\r\nX-Evil: 1", User: "a", Host: "h"}},
		"user":    {From: dialog.Party{User: "x\r\nX-Evil: 1", Host: "h"}},
		"host":    {From: dialog.Party{User: "a", Host: "h>\r\nX-Evil: 1"}},
		"header":  {From: dialog.Party{User: "a", Host: "h"}, Headers: []string{"Subject", "x\r\nX-Evil: 1"}},
		"call-id": {From: dialog.Party{User: "a", Host: "h"}, CallID: "x\r\nX-Evil: 1"},
	} {
		r.Target, r.Destination, r.Tell = sipgo.Uri{Scheme: "sip", User: "b", Host: "h"}, far, func(dialog.Event) {}
		if _, err := a.Invite(a.context(), r); !errors.Is(err, dialog.ErrUnclean) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
