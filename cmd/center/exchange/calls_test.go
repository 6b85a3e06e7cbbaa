package exchange

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"zaseki/sip"
)

func TestAnExtensionCallsAnother(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			f := newFloor(t, nil)
			a, b := f.phone("1001", transport), f.phone("1002", transport)
			if err := a.Dial(ctxFor(t), "c1", "1002", offer); err != nil {
				t.Fatal(err)
			}
			in := next[sip.Incoming](b)
			if in.User != "1001" || in.Display != "Phone 1001" || in.SDP != offer || in.Header("X-Center-Call") != "inside" {
				t.Fatalf("the phone rings with %+v, mark %q", in, in.Header("X-Center-Call"))
			}
			if err := b.Ring(in.Call); err != nil {
				t.Fatal(err)
			}
			if p := next[sip.Progress](a); p.Code != 180 {
				t.Fatalf("the caller hears %d", p.Code)
			}
			if err := b.Answer(ctxFor(t), in.Call, reply); err != nil {
				t.Fatal(err)
			}
			if got := next[sip.Answered](a); got.SDP != reply {
				t.Fatalf("the answer came as %q", got.SDP)
			}
			if answer, err := a.Reinvite(ctxFor(t), "c1", held); err != nil || answer != asHeld {
				t.Fatalf("hold by the caller: %q, %v", answer, err)
			}
			if answer, err := b.Reinvite(ctxFor(t), in.Call, offer); err != nil || answer != reply {
				t.Fatalf("a new offer of the called: %q, %v", answer, err)
			}
			if err := a.Hangup(ctxFor(t), "c1"); err != nil {
				t.Fatal(err)
			}
			if e := next[sip.Ended](b); !e.ByPeer {
				t.Fatalf("the called hears %+v", e)
			}
			if r := f.record(); r.Result != "answered" || r.From != "1001" || r.To != "1002" || r.Outside || r.Callee != "1002" {
				t.Fatalf("record %+v", r)
			}
		})
	}
}

func TestTheCalledHangsUp(t *testing.T) {
	f := newFloor(t, nil)
	a, b := f.phone("1001", "udp"), f.phone("1002", "tcp")
	connect(t, a, b, "1002")
	if err := b.Hangup(ctxFor(t), "in"); err == nil {
		t.Fatal("a call nobody knows was hung up")
	}
	b.hangLast(t)
	if e := next[sip.Ended](a); !e.ByPeer {
		t.Fatalf("the caller hears %+v", e)
	}
}

// connect makes a call from a to b that is answered.
func connect(t *testing.T, a, b *phone, number string) {
	t.Helper()
	if err := a.Dial(ctxFor(t), "c1", number, offer); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](b)
	b.Ring(in.Call)
	if err := b.Answer(ctxFor(t), in.Call, reply); err != nil {
		t.Fatal(err)
	}
	next[sip.Answered](a)
	b.last = in.Call
}

func (p *phone) hangLast(t *testing.T) {
	t.Helper()
	if err := p.Hangup(ctxFor(t), p.last); err != nil {
		t.Fatal(err)
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	f := newFloor(t, nil)
	a, b := f.phone("1001", "udp"), f.phone("1002", "udp")
	a.Dial(ctxFor(t), "c1", "1002", offer)
	in := next[sip.Incoming](b)
	b.Ring(in.Call)
	next[sip.Progress](a)
	if err := a.Hangup(ctxFor(t), "c1"); err != nil {
		t.Fatal(err)
	}
	if e := next[sip.Ended](b); e.Code != 487 || e.Elsewhere {
		t.Fatalf("the called hears %+v", e)
	}
	if e := next[sip.Failed](a); e.Code != 487 {
		t.Fatalf("the caller hears %+v", e)
	}
	if r := f.record(); r.Result != "cancelled" || r.Code != 487 {
		t.Fatalf("record %+v", r)
	}
}

func TestRefusalsArePassedOn(t *testing.T) {
	rows := []struct {
		name, number string
		refuse       int
		code         int
		result       string
	}{
		{"busy", "1002", 486, 486, "refused"},
		{"declined", "1002", 603, 603, "refused"},
		{"not available", "1002", 480, 480, "missed"},
		{"nobody registered there", "1003", 0, 480, "missed"},
		{"no way out", "0312345678", 0, 404, "refused"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			f := newFloor(t, nil)
			a, b := f.phone("1001", "udp"), f.phone("1002", "udp")
			a.Dial(ctxFor(t), "c1", r.number, offer)
			if r.refuse != 0 {
				in := next[sip.Incoming](b)
				b.Reject(ctxFor(t), in.Call, r.refuse, "No")
			}
			if e := next[sip.Failed](a); e.Code != r.code {
				t.Fatalf("the caller hears %d, want %d", e.Code, r.code)
			}
			if got := f.record(); got.Result != r.result {
				t.Fatalf("record %+v", got)
			}
		})
	}
}

func TestTheQueueGoesToTheNextAgentAfterTheRingTime(t *testing.T) {
	f := newFloor(t, nil)
	f.ring = 300 * time.Millisecond
	customer := f.phone("trunk", "udp", func(a *sip.Account) { a.From, a.Display = "0312345678", "Yamada" })
	first, second := f.phone("1001", "udp"), f.phone("1002", "tcp")
	f.available("1001", "1002")
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	in := next[sip.Incoming](first)
	first.Ring(in.Call)
	if in.User != "0312345678" || in.Header("X-Center-Call") != "Support" {
		t.Fatalf("rings with %+v, mark %q", in, in.Header("X-Center-Call"))
	}
	if e := next[sip.Ended](first); e.Code != 487 || e.Elsewhere {
		t.Fatalf("the first agent hears %+v", e)
	}
	in = next[sip.Incoming](second)
	second.Ring(in.Call)
	if err := second.Answer(ctxFor(t), in.Call, reply); err != nil {
		t.Fatal(err)
	}
	next[sip.Answered](customer)
	if got := f.missed(); len(got) != 1 || got[0] != "1001 false" {
		t.Fatalf("missed: %v", got)
	}
	customer.Hangup(ctxFor(t), "c1")
	next[sip.Ended](second)
	if r := f.record(); r.Queue != "Support" || r.Account != "1002" || !r.Outside || r.Result != "answered" {
		t.Fatalf("record %+v", r)
	}
}

func TestADeclinedQueueCallGoesOn(t *testing.T) {
	f := newFloor(t, nil)
	customer := f.phone("trunk", "udp")
	first, second := f.phone("1001", "udp"), f.phone("1002", "udp")
	f.available("1001", "1002")
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	first.Reject(ctxFor(t), next[sip.Incoming](first).Call, 603, "Decline")
	in := next[sip.Incoming](second)
	if got := f.missed(); len(got) != 1 || got[0] != "1001 true" {
		t.Fatalf("missed: %v", got)
	}
	second.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
}

func TestAWaitingCallerIsConnectedWhenSomebodyFrees(t *testing.T) {
	f := newFloor(t, nil)
	customer, agent := f.phone("trunk", "udp"), f.phone("1001", "udp")
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	if p := next[sip.Progress](customer); p.Code != 182 {
		t.Fatalf("the caller hears %d", p.Code)
	}
	f.available("1001")
	in := next[sip.Incoming](agent)
	agent.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
}

func TestACallerGivesUpWaiting(t *testing.T) {
	f := newFloor(t, nil)
	customer := f.phone("trunk", "udp")
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	next[sip.Progress](customer)
	customer.Hangup(ctxFor(t), "c1")
	if e := next[sip.Failed](customer); e.Code != 487 {
		t.Fatalf("the caller hears %+v", e)
	}
	if r := f.record(); r.Result != "cancelled" {
		t.Fatalf("record %+v", r)
	}
}

func TestACallerIsToldWhenNobodyFrees(t *testing.T) {
	f := newFloor(t, func(c *Config) { c.Wait = 300 * time.Millisecond })
	customer := f.phone("trunk", "udp")
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	if e := next[sip.Failed](customer); e.Code != 480 {
		t.Fatalf("the caller hears %+v", e)
	}
}

func TestOutsideGoesByTheTrunk(t *testing.T) {
	f := newFloor(t, nil)
	trunk, agent := f.phone("trunk", "udp"), f.phone("1001", "udp")
	agent.Dial(ctxFor(t), "c1", "0312345678", offer)
	in := next[sip.Incoming](trunk)
	if in.User != "1001" {
		t.Fatalf("the trunk hears %+v", in)
	}
	if in.Header(callHeader) != "" || in.Header(calledHeader) != "" {
		t.Error("a provider is told what only our phones are")
	}
	trunk.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](agent)
	agent.Hangup(ctxFor(t), "c1")
	if r := f.record(); !r.Outside || r.To != "0312345678" {
		t.Fatalf("record %+v", r)
	}
}

func TestATrunkReachesAnExtensionAsADirectOutsideCall(t *testing.T) {
	f := newFloor(t, nil)
	trunk, agent := f.phone("trunk", "udp"), f.phone("1001", "udp")
	trunk.Dial(ctxFor(t), "c1", "1001", offer)
	in := next[sip.Incoming](agent)
	if in.Header("X-Center-Call") != "direct" || in.Header(calledHeader) != "<sip:1001@"+domain+">" {
		t.Fatalf("mark %q, called %q", in.Header("X-Center-Call"), in.Header(calledHeader))
	}
	trunk.Hangup(ctxFor(t), "c1")
	next[sip.Failed](trunk)
	if r := f.record(); r.ID == "" || r.ID != in.Header(callHeader) {
		t.Fatalf("the phone knows the call as %q, history as %q", in.Header(callHeader), r.ID)
	}
	trunk.Dial(ctxFor(t), "c2", "0398765432", offer)
	if e := next[sip.Failed](trunk); e.Call != "c2" || e.Code != 404 {
		t.Fatalf("a call from outside to outside: %+v", e)
	}
}

// TestADirectCallWhileNobodyIsSignedIn: it is the missed call of whose softphone it is; of one that is nobody's it is known all the same.
func TestADirectCallWhileNobodyIsSignedIn(t *testing.T) {
	f := newFloor(t, nil)
	trunk := f.phone("trunk", "udp")
	for i, row := range []struct{ holder, owner, account, why string }{{"", "sato", "sato", whyEmpty}, {"", "", "", whyEmpty}, {"kato", "sato", "kato", ""}} {
		f.mu.Lock()
		called := f.term["1001"]
		called.Account, called.Owner = row.holder, row.owner
		f.term["1001"] = called
		f.mu.Unlock()
		trunk.Dial(ctxFor(t), fmt.Sprint("c", i), "1001", offer)
		next[sip.Failed](trunk)
		if r := f.record(); r.Account != row.account || r.Why != row.why || r.Callee != "1001" || r.Result != "missed" {
			t.Errorf("%+v: %+v", row, r)
		}
	}
}

func TestTheSecondPhoneOfATerminalReplacesTheFirst(t *testing.T) {
	f := newFloor(t, nil)
	old := f.phone("1002", "udp")
	newer, a := f.phone("1002", "udp"), f.phone("1001", "udp")
	a.Dial(ctxFor(t), "c1", "1002", offer)
	next[sip.Incoming](newer)
	old.silent(200 * time.Millisecond)
}

func TestAPhoneOfAnOlderSignInIsNotRung(t *testing.T) {
	f := newFloor(t, nil)
	b, a := f.phone("1002", "udp"), f.phone("1001", "udp")
	f.mu.Lock()
	t2 := f.term["1002"]
	t2.Epoch++
	f.term["1002"] = t2
	f.mu.Unlock()
	a.Dial(ctxFor(t), "c1", "1002", offer)
	if e := next[sip.Failed](a); e.Code != 480 {
		t.Fatalf("the caller hears %+v", e)
	}
	b.silent(50 * time.Millisecond)
}

func TestAWrongSecretIsRefusedLikeAnUnknownUser(t *testing.T) {
	f := newFloor(t, nil)
	for _, user := range []string{"1001", "9999"} {
		p := f.unregistered(user)
		err := p.Register(ctxFor(t), sip.Account{User: user, Domain: domain, Server: f.x.Addr(), Transport: "udp", Password: secret("guess")})
		var refused sip.Refused
		if !errors.As(err, &refused) || refused.Code != 401 {
			t.Fatalf("%s: %v", user, err)
		}
	}
}

func TestNobodyRegistersForAnother(t *testing.T) {
	f := newFloor(t, nil)
	p := f.unregistered("1002")
	err := p.Register(ctxFor(t), sip.Account{User: "1002", AuthUser: "1001", Domain: domain, Server: f.x.Addr(), Transport: "udp", Password: secret("1001-secret")})
	var refused sip.Refused
	if !errors.As(err, &refused) || refused.Code != 403 {
		t.Fatal(err)
	}
}

func TestUnregisteringFreesTheTerminal(t *testing.T) {
	f := newFloor(t, nil)
	p := f.phone("1001", "udp")
	if got := f.x.Registered(); len(got) != 1 || got[0].User != "1001" {
		t.Fatalf("registered: %+v", got)
	}
	if err := p.Unregister(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	if got := f.x.Registered(); len(got) != 0 {
		t.Fatalf("registered: %+v", got)
	}
}

func TestASilentPhoneIsPassedOver(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	f.raw().register(f, "1004", "Contact: <sip:1004@127.0.0.1:9>;expires=90") // and never says a word again
	customer, second := f.phone("trunk", "udp"), f.phone("1001", "udp")
	f.available("1004", "1001")
	began := time.Now()
	customer.Dial(ctxFor(t), "c1", "7000", offer)
	in := next[sip.Incoming](second)
	if took := time.Since(began); took < receiptTime || took > receiptTime+2*time.Second {
		t.Fatalf("the next agent's phone rang after %v", took)
	}
	if got := f.missed(); len(got) != 0 {
		t.Fatalf("a phone's silence was counted as the agent's: %v", got)
	}
	second.Answer(ctxFor(t), in.Call, reply)
	next[sip.Answered](customer)
}

func TestTheEndOfTheExchangeEndsItsCalls(t *testing.T) {
	f := newFloor(t, nil)
	a, b := f.phone("1001", "udp"), f.phone("1002", "udp")
	connect(t, a, b, "1002")
	f.stop()
	next[sip.Ended](a)
	next[sip.Ended](b)
	if r := f.record(); r.Result != "answered" {
		t.Fatalf("record %+v", r)
	}
}

func TestTooManyCallsAreRefused(t *testing.T) {
	f := newFloor(t, func(c *Config) { c.Calls = 1 })
	a, b, c := f.phone("1001", "udp"), f.phone("1002", "udp"), f.phone("1003", "udp")
	connect(t, a, b, "1002")
	c.Dial(ctxFor(t), "c2", "1002", offer)
	if e := next[sip.Failed](c); e.Code != 503 {
		t.Fatalf("the second caller hears %+v", e)
	}
	if got := f.x.Calls(); len(got) != 1 || got[0].To != "1002" || got[0].Answered.IsZero() {
		t.Fatalf("calls alive: %+v", got)
	}
}

func TestBothSidesHoldAtOnce(t *testing.T) {
	t.Parallel()
	f := newFloor(t, nil)
	a, b := f.phone("1001", "udp"), f.phone("1002", "tcp")
	connect(t, a, b, "1002")
	done := make(chan error, 2)
	for p, call := range map[*phone]string{a: "c1", b: b.last} {
		go func() {
			_, err := p.Reinvite(ctxFor(t), call, held)
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	a.Hangup(ctxFor(t), "c1")
	next[sip.Ended](b)
}

func TestATerminalThatDialsWithoutEndLeavesRoomForOthers(t *testing.T) {
	f := newFloor(t, func(c *Config) { c.Calls = 3 * callsPerTerminal })
	mad, b, c := f.phone("1004", "udp"), f.phone("1002", "udp"), f.phone("1003", "udp")
	for i := range callsPerTerminal {
		if err := mad.Dial(ctxFor(t), fmt.Sprint("m", i), "7000", offer); err != nil {
			t.Fatal(err)
		}
		next[sip.Progress](mad)
	}
	mad.Dial(ctxFor(t), "one more", "7000", offer)
	if e := next[sip.Failed](mad); e.Code != 503 || e.Call != "one more" {
		t.Fatalf("it hears %+v", e)
	}
	connect(t, b, c, "1003")
	mad.Hangup(ctxFor(t), "m0")
	next[sip.Failed](mad)
	f.record()
	mad.Dial(ctxFor(t), "again", "7000", offer)
	next[sip.Progress](mad)
}
