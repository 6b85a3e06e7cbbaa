package sip_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

func TestWrongPasswordIsRefused(t *testing.T) {
	k := kamailio(t)
	p := newPhone(t, "alice")
	a := p.account(k.addr, "udp")
	a.Password = secret("wrong")
	var refused sip.Refused
	if err := p.Register(p.context(), a); !errors.As(err, &refused) || refused.Code != 401 {
		t.Fatalf("got %v", err)
	}
}

func TestStaleNonceIsAnsweredAgain(t *testing.T) {
	k := kamailio(t, "WITH_SHORTNONCE")
	alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
	alice.register(k.addr, "udp")
	bob.register(k.addr, "udp")
	for range 2 {
		talk(t, alice, bob)
		hangup(t, alice, bob, "out")
		select { // longer than the nonce lives
		case <-time.After(1100 * time.Millisecond):
		case e := <-alice.events:
			t.Fatalf("%T", e)
		}
	}
}

// talk brings up a call from a to b and returns b's name of it.
func talk(t *testing.T, a, b *phone) (in string) {
	t.Helper()
	return talkAs(t, a, b, "out")
}

// talkAs gives the call a name at a.
func talkAs(t *testing.T, a, b *phone, out string) (in string) {
	t.Helper()
	if err := a.Dial(a.context(), out, b.name, sdpOf(a.name, "sendrecv")); err != nil {
		t.Fatal(err)
	}
	call := expect[sip.Incoming](b)
	if call.User != a.name || call.Display != "Test "+a.name || call.SDP != sdpOf(a.name, "sendrecv") {
		t.Errorf("incoming %+v", call)
	}
	if err := b.Ring(call.Call); err != nil {
		t.Fatal(err)
	}
	if e := expect[sip.Progress](a); e.Code != 180 || e.Call != out {
		t.Errorf("progress %+v", e)
	}
	if err := b.Answer(b.context(), call.Call, sdpOf(b.name, "sendrecv")); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Answered](a); e.SDP != sdpOf(b.name, "sendrecv") {
		t.Errorf("answer %q", e.SDP)
	}
	return call.Call
}

func hangup(t *testing.T, a, b *phone, call string) {
	t.Helper()
	if err := a.Hangup(a.context(), call); err != nil {
		t.Fatal(err)
	}
	if e := expect[sip.Ended](a); e.ByPeer {
		t.Errorf("ended %+v", e)
	}
	if e := expect[sip.Ended](b); !e.ByPeer || e.Code != 200 {
		t.Errorf("ended %+v", e)
	}
}

func TestCallsThroughAProxy(t *testing.T) {
	k := kamailio(t)
	for _, way := range [][2]string{{"udp", "udp"}, {"tcp", "udp"}, {"udp", "tcp"}, {"tcp", "tcp"}} {
		t.Run(way[0]+" to "+way[1], func(t *testing.T) {
			alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
			alice.register(k.addr, way[0])
			bob.register(k.addr, way[1])
			t.Run("caller hangs up", func(t *testing.T) {
				talk(t, alice, bob)
				hangup(t, alice, bob, "out")
			})
			t.Run("callee hangs up", func(t *testing.T) {
				in := talk(t, alice, bob)
				hangup(t, bob, alice, in)
			})
			t.Run("hold from both sides", func(t *testing.T) { hold(t, alice, bob) })
			t.Run("cancel", func(t *testing.T) { cancel(t, alice, bob) })
			t.Run("busy", func(t *testing.T) { busy(t, alice, bob) })
			for _, p := range []*phone{alice, bob} {
				if err := p.Unregister(p.context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func hold(t *testing.T, alice, bob *phone) {
	in := talk(t, alice, bob)
	bob.answers(func() (string, error) { return sdpOf("bob", "recvonly"), nil })
	answer, err := alice.Reinvite(alice.context(), "out", sdpOf("alice", "sendonly"))
	if err != nil || answer != sdpOf("bob", "recvonly") {
		t.Errorf("%q, %v", answer, err)
	}
	if offer := <-bob.offers; offer != sdpOf("alice", "sendonly") {
		t.Errorf("offer %q", offer)
	}
	alice.answers(func() (string, error) { return "", errors.New("no") })
	var refused sip.Refused
	if _, err := bob.Reinvite(bob.context(), in, sdpOf("bob", "sendonly")); !errors.As(err, &refused) || refused.Code != 488 {
		t.Errorf("refused offer: %v", err)
	}
	<-alice.offers
	hangup(t, alice, bob, "out")
}

func cancel(t *testing.T, alice, bob *phone) {
	if err := alice.Dial(alice.context(), "out", "bob", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	call := expect[sip.Incoming](bob)
	if err := bob.Ring(call.Call); err != nil {
		t.Fatal(err)
	}
	expect[sip.Progress](alice)
	if err := alice.Hangup(alice.context(), "out"); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Failed](alice); e.Code != 487 {
		t.Errorf("%+v", e)
	}
	if e := expect[sip.Ended](bob); !e.ByPeer || e.Code != 487 || e.Elsewhere {
		t.Errorf("%+v", e)
	}
	if err := bob.Answer(bob.context(), call.Call, ""); !errors.Is(err, sip.ErrNoCall) {
		t.Errorf("answer of a cancelled call: %v", err)
	}
}

func busy(t *testing.T, alice, bob *phone) {
	if err := alice.Dial(alice.context(), "out", "bob", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	call := expect[sip.Incoming](bob)
	if err := bob.Reject(bob.context(), call.Call, 486, "Busy Here"); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Failed](alice); e.Code != 486 {
		t.Errorf("%+v", e)
	}
	if e := expect[sip.Ended](bob); e.ByPeer || e.Code != 486 {
		t.Errorf("%+v", e)
	}
}

func TestUnknownExtensionFails(t *testing.T) {
	k := kamailio(t)
	alice := newPhone(t, "alice")
	alice.register(k.addr, "udp")
	if err := alice.Dial(alice.context(), "out", "nobody", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Failed](alice); e.Code != 480 {
		t.Errorf("%+v", e)
	}
}

func TestFourthRingingCallHearsBusy(t *testing.T) {
	k := kamailio(t)
	alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
	alice.register(k.addr, "udp")
	bob.register(k.addr, "udp")
	for _, call := range []string{"1", "2", "3"} {
		if err := alice.Dial(alice.context(), call, "bob", sdpOf("alice", "sendrecv")); err != nil {
			t.Fatal(err)
		}
		expect[sip.Incoming](bob)
	}
	if err := alice.Dial(alice.context(), "4", "bob", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Failed](alice); e.Code != 486 || e.Call != "4" {
		t.Errorf("%+v", e)
	}
}

func TestLineComesBackWhenItsConnectionIsLost(t *testing.T) {
	k := kamailio(t)
	way := newCut(t, k.addr)
	alice := newPhone(t, "alice")
	alice.register(way.addr, "tcp")
	way.cut()
	expect[sip.LineLost](alice)
	expect[sip.Registered](alice)
}

func TestWhatCannotBeDialledIsRefused(t *testing.T) {
	k := kamailio(t)
	alice := newPhone(t, "alice")
	if err := alice.Dial(context.Background(), "x", "100", ""); !errors.Is(err, sip.ErrNoLine) {
		t.Errorf("without a line: %v", err)
	}
	alice.register(k.addr, "udp")
	for _, number := range []string{"", "1\r\nX-Evil: 1", "1\u20282", "a b", "x>", "\x00", strings.Repeat("1", 65), "1@evil>", "sip:x@h?Replaces=a", "http://x", "1@h\r\nX: 1", "@h"} {
		if err := alice.Dial(alice.context(), "x", number, ""); !errors.Is(err, sip.ErrNumber) {
			t.Errorf("%q: %v", number, err)
		}
	}
	bad := alice.account(k.addr, "udp")
	bad.Display = "A\r\nX-Evil: 1"
	if err := alice.Register(alice.context(), bad); err == nil {
		t.Error("display name with a line end was taken")
	}
}
