package exchange

import (
	"testing"
	"time"

	"zaseki/sip"
)

// identity is what a phone's Identity says, in one line.
func identity(p *phone) string {
	p.t.Helper()
	e := next[sip.Identity](p)
	return e.Call + " " + e.User + "@" + e.Host + " " + e.Display + " " + e.Header(markHeader)
}

func TestWhoIsBroughtTogetherLearnsOfWhom(t *testing.T) {
	for name, way := range map[string]func(agent *speaker, call, asked string) error{
		"the customer is sent":  func(agent *speaker, call, asked string) error { return agent.Connect(ctxFor(t), call, asked) },
		"the colleague is sent": func(agent *speaker, call, asked string) error { return agent.Connect(ctxFor(t), asked, call) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFloor(t, nil)
			customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678"), func(a *sip.Account) { a.Display = "田中 T" }),
				f.speaker("1001", 40010), f.speaker("1002", 40020)
			call, asked, there := consult(t, f, customer, agent, colleague)
			if err := way(agent, call, asked); err != nil {
				t.Fatal(err)
			}
			if got := identity(colleague.phone); got != there+" 0312345678@center.test 田中 T direct" {
				t.Errorf("the colleague hears of %s", got)
			}
			hear(t, customer, "c1", colleague, there)
			customer.learnsNothing()
		})
	}
}

func TestWhoStaysLearnsWhoAnsweredInstead(t *testing.T) {
	f := newFloor(t, nil)
	trunk, caller, agent, colleague := f.speaker("trunk", 40000), f.speaker("1004", 40010), f.speaker("1001", 40020), f.speaker("1002", 40030)
	call := caller.call("c1", agent, "1001")
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	in := colleague.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := identity(caller.phone); got != "c1 1002@center.test Phone 1002 inside" {
		t.Errorf("the caller hears of %s", got)
	}
	hear(t, caller, "c1", colleague, in.Call)
	go func() { done <- colleague.Transfer(ctxFor(t), in.Call, "0312345678") }()
	out := trunk.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := identity(caller.phone); got != "c1 0312345678@center.test  direct" {
		t.Errorf("the caller hears of %s", got)
	}
	hear(t, caller, "c1", trunk, out.Call)
	trunk.learnsNothing()
}

func TestACustomerIsSentToWhoStillRings(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent, colleague := f.speaker("trunk", 40000, named("0312345678")), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := customer.call("c1", agent, "1001")
	agent.hold(call, true)
	if err := agent.Dial(ctxFor(t), "c2", "1002", agent.sdp()); err != nil {
		t.Fatal(err)
	}
	colleague.Ring(next[sip.Incoming](colleague.phone).Call)
	next[sip.Progress](agent.phone)
	done := make(chan error, 1)
	go func() { done <- agent.Connect(ctxFor(t), call, "c2") }()
	next[sip.Ended](colleague.phone)
	in := colleague.take()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if in.User != "0312345678" || in.Header(markHeader) != markDirect {
		t.Errorf("the colleague's phone rings with %s, mark %s", in.User, in.Header(markHeader))
	}
	hear(t, customer, "c1", colleague, in.Call)
}

// TestWhoCannotFollowLeavesTheCallAsItWas: who stays takes the new session from another port, and the new side does not go there.
func TestWhoCannotFollowLeavesTheCallAsItWas(t *testing.T) {
	f := newFloor(t, nil)
	caller, agent, colleague := f.speaker("1004", 40000), f.speaker("1001", 40010), f.speaker("1002", 40020)
	call := caller.call("c1", agent, "1001")
	agent.hold(call, true)
	caller.mu.Lock()
	caller.port = 40044
	caller.mu.Unlock()
	colleague.mu.Lock()
	colleague.deaf = true
	colleague.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- agent.Transfer(ctxFor(t), call, "1002") }()
	colleague.take()
	refusedWith(t, <-done, 488)
	next[sip.Ended](colleague.phone)
	if got := identity(caller.phone); got != "c1 1002@center.test Phone 1002 inside" {
		t.Errorf("the caller hears of %s", got)
	}
	if got := identity(caller.phone); got != "c1 1001@center.test Phone 1001 inside" {
		t.Errorf("the caller hears of %s", got)
	}
	agent.hold(call, false)
	hear(t, caller, "c1", agent, call)
}

// learnsNothing fails when a trunk was told a name of ours: whatever was told so far is there already.
func (s *speaker) learnsNothing() {
	s.t.Helper()
	for {
		select {
		case e := <-s.events:
			if who, told := e.(sip.Identity); told {
				s.t.Errorf("%s hears of %s", s.user, who.User)
			}
		case <-time.After(50 * time.Millisecond):
			return
		}
	}
}
