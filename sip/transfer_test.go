package sip_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
	"zaseki/sip/stack"
)

// three phones of ours at a real proxy.
func three(t *testing.T, transport string, defines ...string) (alice, bob, carol *phone) {
	t.Helper()
	k := kamailio(t, defines...)
	alice, bob, carol = newPhone(t, "alice"), newPhone(t, "bob"), newPhone(t, "carol")
	for _, p := range []*phone{alice, bob, carol} {
		if err := p.Register(p.context(), p.over(k, transport)); err != nil {
			t.Fatal(err)
		}
		expect[sip.Registered](p)
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
	for _, transport := range []string{"udp", "tcp", "tls"} {
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

// TestTransferToWhoStillRings: bob talks to alice, calls carol, and connects them before carol answers.
func TestTransferToWhoStillRings(t *testing.T) {
	alice, bob, carol := three(t, "udp")
	in := talk(t, alice, bob)
	if err := bob.Dial(bob.context(), "asking", "carol", sdpOf("bob", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	consulted := expect[sip.Incoming](carol)
	if err := carol.Ring(consulted.Call); err != nil {
		t.Fatal(err)
	}
	awaits[sip.Progress](bob)
	done := make(chan error, 1)
	go func() { done <- bob.Connect(bob.context(), in, "asking") }()
	if e := expect[sip.Failed](bob); e.Call != "asking" || e.Code != 487 {
		t.Errorf("%+v", e)
	}
	if e := expect[sip.Ended](carol); e.Call != consulted.Call || !e.ByPeer {
		t.Errorf("%+v", e)
	}
	if asked := expect[sip.TransferAsked](alice); asked.Attended || asked.Number != "carol" {
		t.Errorf("%+v", asked)
	}
	if err := alice.Follow(alice.context(), "out", "new", sdpOf("alice", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	call := expect[sip.Incoming](carol)
	if call.User != "alice" || call.Replaces != "" {
		t.Errorf("%+v", call)
	}
	if err := carol.Answer(carol.context(), call.Call, sdpOf("carol", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	if err := within2(t, done); err != nil {
		t.Fatal(err)
	}
	expect[sip.Ended](bob)
	awaits[sip.Answered](alice)
	expect[sip.Ended](alice)
	hangup(t, alice, carol, "new")
}

// TestSeveralCallsAtOnce: four calls are up and a fifth rings; each ends alone.
func TestSeveralCallsAtOnce(t *testing.T) {
	alice, bob, carol := three(t, "udp")
	calls := map[string]string{}
	for _, name := range []string{"1", "2", "3", "4"} {
		calls[name] = talkAs(t, alice, bob, name)
	}
	if err := carol.Dial(carol.context(), "out", "bob", sdpOf("carol", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	waiting := expect[sip.Incoming](bob)
	for name, in := range calls {
		bob.answers(func() (string, error) { return sdpOf("bob", "recvonly"), nil })
		if answer, err := alice.Reinvite(alice.context(), name, sdpOf("alice", "sendonly")); err != nil || answer != sdpOf("bob", "recvonly") {
			t.Errorf("call %s: %q %v", name, answer, err)
		}
		<-bob.offers
		if err := alice.Hangup(alice.context(), name); err != nil {
			t.Fatal(err)
		}
		if e := expect[sip.Ended](alice); e.Call != name {
			t.Errorf("%+v", e)
		}
		if e := expect[sip.Ended](bob); e.Call != in || e.Cause != 16 {
			t.Errorf("%+v", e)
		}
	}
	if err := bob.Answer(bob.context(), waiting.Call, sdpOf("bob", "sendrecv")); err != nil {
		t.Fatal(err)
	}
	awaits[sip.Answered](carol)
	hangup(t, carol, bob, "out")
}

// TestReplacesOfNothingNeverRings: 481 for a dialog we never had, 400 for what cannot be read.
func TestReplacesOfNothingNeverRings(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	for i, row := range []struct {
		header string
		code   int
	}{
		{"Replaces: none@h;to-tag=1;from-tag=2", 481},
		{"Replaces: nonsense", 400},
		{"Replaces: a;to-tag=1;from-tag=2\r\nReplaces: b;to-tag=1;from-tag=2", 400},
	} {
		s.sends(strings.NewReplacer("Content-Length", row.header+"\r\nContent-Length", "Call-ID: leak", fmt.Sprint("Call-ID: leak", i), "bKleak", fmt.Sprint("bKleak", i)).Replace(inviteHead))
		for {
			res := s.answer("1 INVITE")
			if res.StatusCode < 200 || res.CallID().Value() != fmt.Sprint("leak", i) {
				continue
			}
			if res.StatusCode != row.code {
				t.Errorf("%s: %d, want %d", row.header, res.StatusCode, row.code)
			}
			break
		}
	}
	select {
	case e := <-p.events:
		t.Errorf("%T", e)
	default:
	}
}

func TestDigitsByInfo(t *testing.T) {
	alice, bob, _ := three(t, "udp")
	in := talk(t, alice, bob)
	for _, digit := range []string{"5", "#", "*", "A"} {
		if err := alice.Info(alice.context(), "out", digit); err != nil {
			t.Fatal(err)
		}
		if e := expect[sip.DigitInfo](bob); e.Digit != digit || e.Call != in {
			t.Errorf("%+v", e)
		}
	}
	if err := alice.Info(alice.context(), "out", "5\r\n"); !errors.Is(err, sip.ErrNumber) {
		t.Errorf("%v", err)
	}
	hangup(t, alice, bob, "out")
}

// TestFollowHonoursOnlyReplacesAndRequire: whatever else a Refer-To would smuggle into our INVITE stays out, and the way is
// always our server's.
func TestFollowHonoursOnlyReplacesAndRequire(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timers: not with -short")
	}
	for _, row := range []struct {
		to, target, replaces string
		code                 int // of the last NOTIFY; 0: an INVITE goes out
	}{
		{"<sip:102@elsewhere.test?Replaces=c%40h%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces&From=%3Csip:boss@h%3E&Route=%3Csip:evil%3E&body=x>", "sip:102@elsewhere.test", "c@h;to-tag=1;from-tag=2", 0},
		{"<tel:+81-3-1234-5678;phone-context=x>", "sip:+81312345678@zaseki.test", "", 0},
		{"<sip:102@zaseki.test?Require=unknown>", "", "", 420},
		{"<sips:102@zaseki.test>", "", "", 416}, // our line can be read by others
	} {
		t.Run(row.to, func(t *testing.T) {
			s, p := newServer(t), newPhone(t, "alice")
			s.registers(p)
			if err := p.Dial(p.context(), "out", "eve", sdpOf("alice", "sendrecv")); err != nil {
				t.Fatal(err)
			}
			inv := s.gets(sipgo.INVITE)
			s.says(inv, 200, "Contact", "<sip:eve@"+s.conn.LocalAddr().String()+">", "Content-Type", "application/sdp")
			expect[sip.Answered](p)
			s.sends("REFER sip:alice@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKrefer\r\nFrom: <sip:eve@zaseki.test>;tag=server\r\n" +
				"To: <sip:alice@zaseki.test>;tag=" + stack.Tag(inv.From().Params) + "\r\nCall-ID: " + inv.CallID().Value() + "\r\nCSeq: 1 REFER\r\nMax-Forwards: 70\r\n" +
				"Contact: <sip:eve@127.0.0.1>\r\nRefer-To: " + row.to + "\r\nContent-Length: 0\r\n\r\n")
			if asked := expect[sip.TransferAsked](p); asked.Attended != (row.replaces != "") {
				t.Errorf("%+v", asked)
			}
			if err := p.Follow(p.context(), "out", "new", sdpOf("alice", "sendrecv")); (err == nil) != (row.code == 0) {
				t.Errorf("%v", err)
			}
			if row.code != 0 {
				for n := s.gets(sipgo.NOTIFY); ; n = s.gets(sipgo.NOTIFY) {
					s.sends(sipgo.NewResponseFromRequest(n, 200, "OK", nil).String())
					if strings.HasPrefix(string(n.Body()), fmt.Sprint("SIP/2.0 ", row.code)) && stack.Header(n, "Subscription-State") == "terminated;reason=noresource" {
						return
					}
				}
			}
			for inv = s.gets(sipgo.INVITE); inv.CSeq().SeqNo != 1 || inv.Recipient.User == "eve"; inv = s.gets(sipgo.INVITE) {
			}
			if got := inv.Recipient.String(); got != row.target || stack.Header(inv, "Replaces") != row.replaces || stack.Header(inv, "Route") != "" ||
				inv.From().Address.User != "alice" || !strings.HasPrefix(string(inv.Body()), "v=0") {
				t.Errorf("%s\n%v", got, inv)
			}
		})
	}
}
