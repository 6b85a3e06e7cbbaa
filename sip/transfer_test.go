package sip_test

import (
	"errors"
	"testing"
	"time"

	"zaseki/sip"
)

// three phones of ours at a real proxy.
func three(t *testing.T, transport string, defines ...string) (alice, bob, carol *phone) {
	t.Helper()
	k := kamailio(t, defines...)
	alice, bob, carol = newPhone(t, "alice"), newPhone(t, "bob"), newPhone(t, "carol")
	for _, p := range []*phone{alice, bob, carol} {
		p.register(k.addr, transport)
	}
	return alice, bob, carol
}

func within2[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("not within ten seconds")
	}
	panic("unreachable")
}

func TestBlindTransferThroughAProxy(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			alice, bob, carol := three(t, transport)
			in := talk(t, alice, bob) // alice called bob: bob sends her to carol
			done := make(chan error, 1)
			go func() { done <- bob.Transfer(bob.context(), in, "carol") }()
			asked := expect[sip.TransferAsked](alice)
			if asked.Number != "carol" || asked.Host != "zaseki.test" || asked.By != "bob" || asked.Attended || asked.Call != "out" {
				t.Errorf("%+v", asked)
			}
			if err := alice.Follow(alice.context(), "out", "new", sdpOf("alice", "sendrecv")); err != nil {
				t.Fatal(err)
			}
			call := expect[sip.Incoming](carol)
			if call.User != "alice" || call.Header("Referred-By") != "<sip:bob@zaseki.test>" {
				t.Errorf("%+v %q", call, call.Header("Referred-By"))
			}
			if err := carol.Answer(carol.context(), call.Call, sdpOf("carol", "sendrecv")); err != nil {
				t.Fatal(err)
			}
			if e := awaits[sip.Answered](alice); e.Call != "new" {
				t.Errorf("%+v", e)
			}
			if err := within2(t, done); err != nil {
				t.Fatal(err)
			}
			if e := expect[sip.Ended](bob); e.Call != in || e.ByPeer {
				t.Errorf("%+v", e)
			}
			if e := expect[sip.Ended](alice); e.Call != "out" || !e.ByPeer {
				t.Errorf("%+v", e)
			}
			hangup(t, carol, alice, call.Call)
			if len(alice.Trace("new")) < 5 || len(bob.Trace(in)) < 8 || len(bob.Trace("none")) != 0 {
				t.Errorf("timelines of %d and %d messages", len(alice.Trace("new")), len(bob.Trace(in)))
			}
		})
	}
}

func TestTransferThatFailsLeavesTheCall(t *testing.T) {
	alice, bob, carol := three(t, "udp")
	in := talk(t, alice, bob)
	done := make(chan error, 1)
	var refused sip.Refused
	go func() { done <- bob.Transfer(bob.context(), in, "carol") }()
	expect[sip.TransferAsked](alice)
	if err := alice.RefuseTransfer("out", 603); err != nil {
		t.Fatal(err)
	}
	if err := within2(t, done); !errors.As(err, &refused) || refused.Code != 603 {
		t.Errorf("%v", err)
	}
	go func() { done <- bob.Transfer(bob.context(), in, "carol") }()
	expect[sip.TransferAsked](alice)
	if err := alice.Follow(alice.context(), "out", "new", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	call := expect[sip.Incoming](carol)
	if err := carol.Reject(carol.context(), call.Call, 486, "Busy Here"); err != nil {
		t.Fatal(err)
	}
	if e := awaits[sip.Failed](alice); e.Call != "new" || e.Cause != 17 {
		t.Errorf("%+v", e)
	}
	if err := within2(t, done); !errors.As(err, &refused) || refused.Code != 486 {
		t.Errorf("%v", err)
	}
	expect[sip.Ended](carol)
	hangup(t, alice, bob, "out")
}

// TestAttendedTransferOfThreePhones: bob talks to alice, asks carol, and connects them.
func TestAttendedTransferOfThreePhones(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			alice, bob, carol := three(t, transport)
			in := talk(t, alice, bob)
			consulted := talkAs(t, bob, carol, "asking")
			started := time.Now()
			done := make(chan error, 1)
			go func() { done <- bob.Connect(bob.context(), in, "asking") }()
			if asked := expect[sip.TransferAsked](alice); !asked.Attended || asked.Number != "carol" {
				t.Errorf("%+v", asked)
			}
			if err := alice.Follow(alice.context(), "out", "new", sdpOf("alice", "sendrecv")); err != nil {
				t.Fatal(err)
			}
			call := expect[sip.Incoming](carol)
			if call.Replaces != consulted {
				t.Errorf("replaces %q, want %q", call.Replaces, consulted)
			}
			if err := carol.Answer(carol.context(), call.Call, sdpOf("carol", "sendrecv")); err != nil {
				t.Fatal(err)
			}
			if e := expect[sip.Ended](carol); e.Call != consulted || !e.Replaced || e.ByPeer {
				t.Errorf("%+v", e)
			}
			if err := within2(t, done); err != nil {
				t.Fatal(err)
			}
			t.Logf("took %v", time.Since(started))
			for range 2 {
				if e := expect[sip.Ended](bob); e.ByPeer != (e.Call == "asking") {
					t.Errorf("%+v", e)
				}
			}
			if e := awaits[sip.Answered](alice); e.Call != "new" {
				t.Errorf("%+v", e)
			}
			expect[sip.Ended](alice)
			hangup(t, alice, carol, "new")
		})
	}
}
