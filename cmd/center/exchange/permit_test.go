package exchange

import (
	"testing"
	"time"

	"zaseki/sip"
)

func (f *floor) permit(id, caller, called string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.permits[id] = caller + " " + called
}

// TestASupervisorsCallGoesToAPhoneThatTalks: with the permission it was given, and is in nobody's history.
func TestASupervisorsCallGoesToAPhoneThatTalks(t *testing.T) {
	f := newFloor(t, nil)
	agent, caller, boss := f.phone("1001", "udp"), f.phone("1002", "udp"), f.phone("1003", "tcp")
	connect(t, caller, agent, "1001")
	f.permit("P1", "1003", "1001")
	if err := boss.Dial(ctxFor(t), "s1", "1001", offer, permitHeader, "P1"); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](agent)
	if in.Header(permitHeader) != "P1" || in.User != "1003" {
		t.Fatalf("the agent's phone hears of %+v, permission %q", in, in.Header(permitHeader))
	}
	if err := agent.Answer(ctxFor(t), in.Call, reply); err != nil {
		t.Fatal(err)
	}
	next[sip.Answered](boss)
	if err := boss.Transfer(ctxFor(t), "s1", "1002"); err == nil { // nobody else listens
		t.Error("the supervisor sent the call on")
	}
	caller.silent(100 * time.Millisecond)
	boss.Hangup(ctxFor(t), "s1")
	next[sip.Ended](agent)
	caller.Hangup(ctxFor(t), "c1")
	if r := f.record(); r.Caller != "1002" || r.Aside {
		t.Fatalf("history has %+v", r)
	}
	select {
	case r := <-f.told:
		t.Fatalf("history also has %+v", r)
	default:
	}
}

// TestAPermissionThatNobodyGaveIsRefused: forged, another's, for another, twice named; and none crosses a trunk.
func TestAPermissionThatNobodyGaveIsRefused(t *testing.T) {
	f := newFloor(t, nil)
	agent, boss, other, trunk := f.phone("1001", "udp"), f.phone("1003", "udp"), f.phone("1002", "udp"), f.phone("trunk", "udp")
	f.permit("P1", "1003", "1001")
	f.permit("P2", "trunk", "1001")
	for i, r := range []struct {
		by      *phone
		to      string
		headers []string
	}{
		{boss, "1001", []string{permitHeader, "P9"}},
		{other, "1001", []string{permitHeader, "P1"}},
		{boss, "1002", []string{permitHeader, "P1"}},
		{boss, "7000", []string{permitHeader, "P1"}},
		{boss, "trunk", []string{permitHeader, "P1"}},
		{boss, "1001", []string{permitHeader, "P1", permitHeader, "P1"}},
		{trunk, "1001", []string{permitHeader, "P2"}},
	} {
		call := string(rune('a' + i))
		if err := r.by.Dial(ctxFor(t), call, r.to, offer, r.headers...); err != nil {
			t.Fatal(err)
		}
		if e := next[sip.Failed](r.by); e.Call != call || e.Code != 403 {
			t.Errorf("row %d: %+v", i, e)
		}
	}
	agent.silent(100 * time.Millisecond)
}

func TestTheDeskHearsWhoRings(t *testing.T) {
	f := newFloor(t, nil)
	caller, rings, dumb := f.phone("1001", "udp"), f.phone("1002", "udp"), f.phone("1003", "udp")
	f.available("1005", "1003", "1002") // one without a phone, one that says nothing, one that rings
	caller.Dial(ctxFor(t), "c1", "7000", offer)
	next[sip.Incoming](dumb)
	in := next[sip.Incoming](rings)
	rings.Ring(in.Call)
	rings.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](caller)
	f.mu.Lock()
	defer f.mu.Unlock()
	for account, want := range map[string]string{"1005": "unreached", "1003": "silent", "1002": "rings"} {
		if got := f.receipts[account]; got != want {
			t.Errorf("%s: %q, want %q", account, got, want)
		}
	}
}
