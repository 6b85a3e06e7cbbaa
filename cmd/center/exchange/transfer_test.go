package exchange

import (
	"errors"
	"testing"
	"time"

	"zaseki/sip"
)

// customers come in by the trunk.
func named(number string) func(*sip.Account) { return func(a *sip.Account) { a.From = number } }

func refusedWith(t *testing.T, err error, code int) {
	t.Helper()
	var refused sip.Refused
	if !errors.As(err, &refused) || refused.Code != code {
		t.Fatalf("told %v, want %d", err, code)
	}
}

func TestAnAgentSendsACustomerToAColleague(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678")), f.speaker("1001", 40010), f.speaker("1002", 40020)
	f.available("1001")
	in := make(chan string, 1)
	go func() { in <- agent.take().Call }()
	customer.Dial(ctxFor(t), "c1", "7000", customer.sdp())
	next[sip.Answered](customer.phone)
	call := <-in
	hear(t, customer, "c1", agent, call)
	agent.hold(call, true)
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	ringing := next[sip.Incoming](colleague.phone)
	if ringing.User != "0312345678" || ringing.Header("X-Center-Call") != markDirect || ringing.Header("Referred-By") != "<sip:1001@center.test>" {
		t.Fatalf("the colleague's phone rings with %+v, mark %q, by %q", ringing, ringing.Header("X-Center-Call"), ringing.Header("Referred-By"))
	}
	if to, _ := customer.sound("c1"); to != "40010" {
		t.Fatalf("the customer was moved to %s before anybody answered", to)
	}
	colleague.Ring(ringing.Call)
	if err := colleague.Answer(ctxFor(t), ringing.Call, colleague.sdp()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("the agent is told %v", err)
	}
	next[sip.Ended](agent.phone)
	hear(t, customer, "c1", colleague, ringing.Call)
	colleague.hold(ringing.Call, true) // the new pair is a call like any other
	if _, sends := customer.sound("c1"); sends {
		t.Fatal("the customer does not hear that it is held")
	}
	colleague.hold(ringing.Call, false)
	hear(t, customer, "c1", colleague, ringing.Call)
	customer.Hangup(ctxFor(t), "c1")
	next[sip.Ended](colleague.phone)
	r := f.record()
	if r.Result != "answered" || r.Queue != "Support" || r.From != "0312345678" || r.Callee != "1002" || r.Account != "1002" || r.TransferredBy != "1001" || !r.Outside {
		t.Fatalf("record %+v", r)
	}
}

func TestATransferThatFailsLeavesTheCallAsItWas(t *testing.T) {
	rows := []struct {
		name, number string
		refuse       int
		code         int
	}{
		{"busy", "1002", 486, 486},
		{"not in a status for it", "1002", 480, 480},
		{"declined", "1002", 603, 603},
		{"nobody there", "1003", 0, 480},
		{"no such extension", "1999", 0, 404},
		{"another's phone system", "1002@evil.example", 0, 403},
		{"no way out", "0399998888", 0, 404},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, func(c *Config) { c.Numbers = func() Numbers { return Numbers{Digits: 4} } })
			caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
			call := caller.call("c1", agent, "1001")
			agent.hold(call, true)
			done := make(chan error, 1)
			go func() { done <- agent.Transfer(ctxFor(t), call, r.number) }()
			if r.refuse != 0 {
				colleague.Reject(ctxFor(t), next[sip.Incoming](colleague.phone).Call, r.refuse, "No")
			}
			refusedWith(t, <-done, r.code)
			agent.hold(call, false)
			hear(t, caller, "c1", agent, call)
			caller.Hangup(ctxFor(t), "c1")
			next[sip.Ended](agent.phone)
			if got := f.record(); got.Result != "answered" || got.Callee != "1001" || got.TransferredBy != "" {
				t.Fatalf("record %+v", got)
			}
		})
	}
}

func TestTheCallerSendsTheCalledOn(t *testing.T) {
	f := newFloor(t, nil)
	trunk, agent, colleague := f.speaker("trunk", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	in := agent.call("c1", trunk, "0312345678")
	agent.hold("c1", true)
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), "c1", "1002") }()
	ringing := colleague.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if ringing.User != "0312345678" {
		t.Fatalf("the colleague sees %q", ringing.User)
	}
	hear(t, trunk, in, colleague, ringing.Call)
	colleague.Hangup(ctxFor(t), ringing.Call)
	next[sip.Ended](trunk.phone)
	if r := f.record(); r.Caller != "1001" || r.To != "0312345678" || r.Account != "1002" || r.TransferredBy != "1001" {
		t.Fatalf("record %+v", r)
	}
}

func TestACustomerIsSentToAQueue(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, other := f.speaker("trunk", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := customer.call("c1", agent, "1001")
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "7000") }()
	f.available("1002")
	ringing := other.take()
	if ringing.Header("X-Center-Call") != "Support" {
		t.Fatalf("mark %q", ringing.Header("X-Center-Call"))
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	hear(t, customer, "c1", other, ringing.Call)
}

func TestOutsideIsReachedOnlyByWhoMayDialThere(t *testing.T) {
	f := newFloor(t, nil)
	trunk, caller, agent := f.speaker("trunk", 40000), f.speaker("1004", 40010), f.speaker("1001", 40020)
	call := caller.call("c1", agent, "1001")
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "0312345678") }()
	out := trunk.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	hear(t, caller, "c1", trunk, out.Call)
	refusedWith(t, trunk.Transfer(ctxFor(t), out.Call, "0355556666"), 404) // from outside to outside
	hear(t, caller, "c1", trunk, out.Call)
}

func TestWhoIsSentOnHangsUpWhileItRings(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := caller.call("c1", agent, "1001")
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	ringing := next[sip.Incoming](colleague.phone)
	colleague.Ring(ringing.Call)
	caller.Hangup(ctxFor(t), "c1")
	if e := next[sip.Ended](colleague.phone); e.Code != 487 {
		t.Fatalf("the colleague hears %+v", e)
	}
	next[sip.Ended](agent.phone)
	<-done
}

func TestWhoSendsOnMayLeaveAtOnce(t *testing.T) {
	for name, answers := range map[string]bool{"and it is answered": true, "and it is refused": false} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, nil)
			caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
			call := caller.call("c1", agent, "1001")
			go agent.Transfer(ctxFor(t), call, "1002")
			ringing := next[sip.Incoming](colleague.phone)
			colleague.Ring(ringing.Call)
			agent.Hangup(ctxFor(t), call)
			if !answers {
				colleague.Reject(ctxFor(t), ringing.Call, 486, "Busy")
				next[sip.Ended](caller.phone)
				return
			}
			if err := colleague.Answer(ctxFor(t), ringing.Call, colleague.sdp()); err != nil {
				t.Fatal(err)
			}
			hear(t, caller, "c1", colleague, ringing.Call)
			f.transferred("1001")
		})
	}
}

// transferred waits until the one call that is alive was transferred by that account.
func (f *floor) transferred(by string) {
	f.t.Helper()
	for ctx := ctxFor(f.t); ; <-time.After(5 * time.Millisecond) {
		if all := f.x.Calls(); len(all) == 1 && all[0].TransferredBy == by {
			return
		}
		if ctx.Err() != nil {
			f.t.Fatalf("calls alive: %+v", f.x.Calls())
		}
	}
}

func TestASecondTransferWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := caller.call("c1", agent, "1001")
	go agent.Transfer(ctxFor(t), call, "1002")
	ringing := next[sip.Incoming](colleague.phone)
	refusedWith(t, caller.Transfer(ctxFor(t), "c1", "1002"), 491)
	colleague.Answer(ctxFor(t), ringing.Call, colleague.sdp())
	hear(t, caller, "c1", colleague, ringing.Call)
	f.transferred("1001")
}

func TestWhoCannotTalkToTheNewSideStays(t *testing.T) {
	f := newFloor(t, nil)
	caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := caller.call("c1", agent, "1001")
	caller.mu.Lock()
	caller.deaf = true
	caller.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	colleague.take()
	refusedWith(t, <-done, 488)
	next[sip.Ended](colleague.phone)
	hear(t, caller, "c1", agent, call)
}

// consult is a customer at an agent who has asked a colleague: the agent's two calls and the colleague's.
func consult(t *testing.T, f *floor, customer, agent, colleague *speaker) (held, asked, there string) {
	t.Helper()
	held = customer.call("c1", agent, "1001")
	agent.hold(held, true)
	there = agent.call("c2", colleague, "1002")
	hear(t, agent, "c2", colleague, there)
	return held, "c2", there
}

func TestAnAgentBringsCustomerAndColleagueTogether(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678")), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call, asked, there := consult(t, f, customer, agent, colleague)
	agent.hold(asked, true)
	if err := agent.Connect(ctxFor(t), call, asked); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e := next[sip.Ended](agent.phone); e.Call == asked && !e.ByPeer {
			t.Error("the agent's phone had to end the consultation itself")
		}
	}
	hear(t, customer, "c1", colleague, there)
	r := f.record() // of the consultation
	if r.From != "1001" || r.To != "1002" || r.Outside || r.Result != "answered" {
		t.Fatalf("record of the consultation %+v", r)
	}
	colleague.hold(there, true)
	if _, sends := customer.sound("c1"); sends {
		t.Fatal("a hold of the colleague does not reach the customer")
	}
	colleague.hold(there, false)
	hear(t, customer, "c1", colleague, there)
	colleague.Hangup(ctxFor(t), there)
	next[sip.Ended](customer.phone)
	r = f.record()
	if r.From != "0312345678" || !r.Outside || r.Callee != "1002" || r.Account != "1002" || r.TransferredBy != "1001" || r.Result != "answered" {
		t.Fatalf("record %+v", r)
	}
	if left := f.x.Calls(); len(left) != 0 {
		t.Fatalf("calls alive: %+v", left)
	}
}

func TestTheOutsideCallGoesOnWhicheverIsSent(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678")), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call, asked, there := consult(t, f, customer, agent, colleague)
	if err := agent.Connect(ctxFor(t), asked, call); err != nil { // the colleague is sent to the customer
		t.Fatal(err)
	}
	hear(t, customer, "c1", colleague, there)
	if r := f.record(); r.From != "1001" || r.Outside {
		t.Fatalf("record of the consultation %+v", r)
	}
	if left := f.x.Calls(); len(left) != 1 || !left[0].Outside || left[0].Account != "1002" || left[0].Callee != "1002" {
		t.Fatalf("calls alive: %+v", left)
	}
	customer.Hangup(ctxFor(t), "c1")
	next[sip.Ended](colleague.phone)
	if r := f.record(); r.From != "0312345678" || r.TransferredBy != "1001" {
		t.Fatalf("record %+v", r)
	}
}

func TestAnAttendedTransferThatFailsLeavesBothCalls(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call, asked, there := consult(t, f, customer, agent, colleague)
	for who, deaf := range map[string]*speaker{"the customer": customer, "the colleague": colleague} {
		deaf.mu.Lock()
		deaf.deaf = true
		deaf.mu.Unlock()
		refusedWith(t, agent.Connect(ctxFor(t), call, asked), 488)
		deaf.mu.Lock()
		deaf.deaf = false
		deaf.mu.Unlock()
		hear(t, agent, asked, colleague, there)
		agent.hold(call, false)
		hear(t, customer, "c1", agent, call)
		agent.hold(call, true)
		if t.Failed() {
			t.Fatalf("after %s refused", who)
		}
	}
	if err := agent.Connect(ctxFor(t), call, asked); err != nil {
		t.Fatal(err)
	}
	hear(t, customer, "c1", colleague, there)
}

func TestNobodyTakesAnothersCall(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call, asked, there := consult(t, f, customer, agent, colleague)
	thief := f.speaker("1003", 40030)
	other := f.speaker("1004", 40040)
	mine := thief.call("c9", other, "1004")
	_ = mine
	// The thief names a dialog that is not its own: what it would need to know of it, its own phones never show.
	if err := thief.Connect(ctxFor(t), "c9", "c9"); err == nil {
		t.Fatal("a call was brought together with itself")
	}
	hear(t, thief, "c9", other, mine)
	hear(t, agent, asked, colleague, there)
	_ = call
}

func TestHangUpsWhileTwoCallsBecomeOne(t *testing.T) {
	t.Parallel()
	for name, who := range map[string]int{"the customer": 0, "the colleague": 1, "the agent, the consultation": 2, "the agent, the customer": 3} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				f := newFloor(t, nil)
				customer, agent, colleague := f.speaker("trunk", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
				call, asked, there := consult(t, f, customer, agent, colleague)
				done := make(chan struct{})
				go func() {
					defer close(done)
					agent.Connect(ctxFor(t), call, asked)
				}()
				switch who {
				case 0:
					customer.Hangup(ctxFor(t), "c1")
				case 1:
					colleague.Hangup(ctxFor(t), there)
				case 2:
					agent.Hangup(ctxFor(t), asked)
				case 3:
					agent.Hangup(ctxFor(t), call)
				}
				<-done
				// Whatever came first: nobody is left who talks to nobody.
				customer.Hangup(ctxFor(t), "c1")
				agent.Hangup(ctxFor(t), call)
				for end := time.Now().Add(long); len(f.x.Calls()) > 0; {
					agent.Hangup(ctxFor(t), asked)
					if time.Now().After(end) {
						t.Fatalf("calls alive: %+v", f.x.Calls())
					}
					<-time.After(5 * time.Millisecond)
				}
				f.stop()
			}
		})
	}
}
