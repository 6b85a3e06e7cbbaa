package exchange

import (
	"strings"
	"testing"

	"zaseki/sip"
)

// told is what a record says happened, in one line.
func told(r CallRecord) string {
	var all []string
	for _, m := range r.Moments {
		all = append(all, strings.TrimSpace(m.What+" "+strings.Trim(m.By+">"+m.To, ">")))
	}
	return strings.Join(all, ", ") + ": " + r.HungUp
}

func TestTheRecordTellsTheCallFromEndToEnd(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678")), f.speaker("1001", 40010), f.speaker("1002", 40020)
	f.available("1001")
	in := make(chan string, 1)
	go func() { in <- agent.take().Call }()
	customer.Dial(ctxFor(t), "c1", "7000", customer.sdp())
	next[sip.Answered](customer.phone)
	call := <-in
	agent.hold(call, true)
	agent.hold(call, false)
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1003") }()
	if err := <-done; err == nil {
		t.Fatal("sent on to nobody")
	}
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	ringing := colleague.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	next[sip.Ended](agent.phone)
	colleague.Hangup(ctxFor(t), ringing.Call)
	next[sip.Ended](customer.phone)
	r := f.record()
	want := "queued Support, hold 1001, resume 1001, transfer 1001>1003, untransferred 1001, transfer 1001>1002, rings 1002, transferred 1001>1002: agent"
	if got := told(r); got != want || r.Moments[0].Place != 1 || r.Moments[4].Code != 480 || r.Moments[6].Took == 0 {
		t.Fatalf("told %s\nwant %s\n%+v", got, want, r.Moments)
	}
	last := r.Began
	for _, m := range r.Moments {
		if m.At.Before(last) || m.At.After(r.Ended) {
			t.Fatalf("out of order: %+v", r.Moments)
		}
		last = m.At
	}
}

func TestTheRecordSaysWhoHungUp(t *testing.T) {
	f := newFloor(t, nil)
	trunk, agent := f.speaker("trunk", 40000), f.speaker("1001", 40010)
	for _, r := range []struct {
		name, want string
		call       func()
	}{
		{"the customer", "rings 1001: caller", func() {
			trunk.call("c1", agent, "1001")
			trunk.Hangup(ctxFor(t), "c1")
			next[sip.Ended](agent.phone)
		}},
		{"the agent", "rings 1001: agent", func() {
			call := trunk.call("c2", agent, "1001")
			agent.Hangup(ctxFor(t), call)
			next[sip.Ended](trunk.phone)
		}},
		{"who was called outside", ": callee", func() {
			call := agent.call("c3", trunk, "0312345678")
			trunk.Hangup(ctxFor(t), call)
			next[sip.Ended](agent.phone)
		}},
		{"the caller, before anybody answered", "rings 1001: caller", func() {
			trunk.Dial(ctxFor(t), "c4", "1001", trunk.sdp())
			in := next[sip.Incoming](agent.phone)
			agent.Ring(in.Call)
			next[sip.Progress](trunk.phone)
			trunk.Hangup(ctxFor(t), "c4")
			next[sip.Ended](agent.phone)
		}},
		{"nobody: it was refused", ": ", func() {
			trunk.Dial(ctxFor(t), "c5", "1001", trunk.sdp())
			agent.Reject(ctxFor(t), next[sip.Incoming](agent.phone).Call, 486, "Busy Here")
			next[sip.Failed](trunk.phone)
		}},
	} {
		r.call()
		if got := told(f.record()); got != r.want {
			t.Errorf("%s: %q", r.name, got)
		}
	}
}

func TestWhoHolds(t *testing.T) {
	for sdp, want := range map[string]bool{
		"m=audio 4000 RTP/AVP 8\r\na=sendonly\r\n": true, "m=audio 4000 RTP/AVP 8\r\na=inactive\r\n": true, "c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 8\r\n": true,
		"m=audio 4000 RTP/AVP 8\r\na=recvonly\r\n": false, "c=IN IP4 10.0.0.1\r\na=sendrecv\r\n": false, "": false,
	} {
		if holding(sdp) != want {
			t.Errorf("%q: %v", sdp, !want)
		}
	}
}
