package exchange

import (
	"slices"
	"testing"
	"time"

	"zaseki/sip"
)

func TestWhatBecomesOfWhomNobodyTakes(t *testing.T) {
	rules := func(r ...Rule) []Rule { return r }
	rows := []struct {
		name  string
		state QueueState
		code  int    // the caller hears; 0: somebody rings
		rings string // who
		why   string
	}{
		{"closed, and no rule", QueueState{Closed: "closed"}, 480, "", "closed"},
		{"closed: busy", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "busy"})}, 486, "", "closed"},
		{"a holiday: another number", QueueState{Closed: "holiday", Rules: rules(Rule{When: "closed", Do: "busy"}, Rule{When: "holiday", Do: "number", To: "1004"})}, 0, "1004", "holiday"},
		{"the first rule that fits", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "number", To: "1004"}, Rule{When: "closed", Do: "busy"})}, 0, "1004", "closed"},
		{"outside by the rule", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "number", To: "0312345678"})}, 0, "trunk", "closed"},
		{"a number that does not exist", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "number", To: "1999"})}, 480, "", "closed"},
		{"full", QueueState{Most: 2, Waiting: 2}, 486, "", "full"},
		{"full, but there is another queue", QueueState{Most: 2, Waiting: 2, Rules: rules(Rule{When: "full", Do: "queue", To: "7000"})}, 480, "", "full"}, // it is the same one: not twice
		{"nobody signed in", QueueState{Empty: true, Rules: rules(Rule{When: "empty", Do: "busy"})}, 486, "", "empty"},
		{"late", QueueState{Rules: rules(Rule{When: "late", After: 100 * time.Millisecond, Do: "number", To: "1004"})}, 0, "1004", "late"},
		{"a message, and no place for it", QueueState{Closed: "closed", Rules: rules(Rule{When: "closed", Do: "voice"})}, 480, "", "closed"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, func(c *Config) { c.Numbers = func() Numbers { return Numbers{Digits: 4} } })
			f.be(r.state)
			caller := f.phone("1001", "udp")
			if r.rings == "" {
				caller.Dial(ctxFor(t), "c1", "7000", offer)
				if e := next[sip.Failed](caller); e.Code != r.code {
					t.Fatalf("the caller hears %+v, want %d", e, r.code)
				}
			} else {
				other := f.phone(r.rings, "udp")
				caller.Dial(ctxFor(t), "c1", "7000", offer)
				other.Answer(ctxFor(t), next[sip.Incoming](other).Call, reply)
				next[sip.Answered](caller)
				caller.Hangup(ctxFor(t), "c1")
			}
			if got := f.record(); got.Why != r.why || got.Queue != "Support" || (r.rings != "") != (got.Result == "answered") {
				t.Fatalf("record %+v", got)
			}
		})
	}
}

func TestEverybodySignsOutWhileACallerWaits(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until the caller looks again")
	}
	f := newFloor(t, nil)
	rules := []Rule{{When: "empty", Do: "busy"}}
	f.be(QueueState{Rules: rules})
	caller := f.phone("trunk", "udp")
	caller.Dial(ctxFor(t), "c1", "7000", offer)
	next[sip.Progress](caller)
	f.be(QueueState{Empty: true, Rules: rules})
	if e := next[sip.Failed](caller); e.Code != 486 {
		t.Fatalf("the caller hears %+v", e)
	}
	if r := f.record(); r.Why != "empty" {
		t.Fatalf("record %+v", r)
	}
}

// TestTheRecordSaysWhyNobodyTookIt: PRODUCT G4.
func TestTheRecordSaysWhyNobodyTookIt(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	f.ring = 300 * time.Millisecond
	f.raw().register(f, "1004", "Contact: <sip:1004@127.0.0.1:9>;expires=90") // and never says a word again
	customer := f.phone("trunk", "udp")
	declines, misses, busy, takes := f.phone("1001", "udp"), f.phone("1002", "tcp"), f.phone("1003", "udp"), f.phone("1005", "udp")
	f.available("1999", "1004", "1001", "1002", "1003", "1005") // 1999 is nowhere
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	in := next[sip.Incoming](declines)
	declines.Ring(in.Call)
	declines.Reject(ctxFor(t), in.Call, 603, "Decline")
	misses.Ring(next[sip.Incoming](misses).Call)
	next[sip.Ended](misses)
	busy.Reject(ctxFor(t), next[sip.Incoming](busy).Call, 486, "Busy Here")
	in = next[sip.Incoming](takes)
	takes.Ring(in.Call)
	takes.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
	customer.Hangup(ctxFor(t), "c1")
	r := f.record()
	var got []string
	for _, o := range r.Offers {
		got = append(got, o.Account+" "+o.Result)
		rang := slices.Contains([]string{"1001", "1002", "1005"}, o.Account)
		if rang != (o.Receipt > 0) || o.Receipt > o.Took || o.At.Before(r.Began) {
			t.Errorf("%+v", o)
		}
	}
	want := []string{"1999 unreached", "1004 silent", "1001 declined", "1002 missed", "1003 refused", "1005 answered"}
	if !slices.Equal(got, want) {
		t.Fatalf("%v\nwant %v", got, want)
	}
	if m := f.missed(); !slices.Equal(m, []string{"1001 true", "1002 false"}) {
		t.Fatalf("missed: %v", m)
	}
}
