package media

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
)

// field is two checkers with a network between them whose clock the test turns.
type field struct {
	t     *testing.T
	sides map[string]*checker
	at    map[string][]netip.AddrPort // whose address it is; the first is sent from
	cut   func(from, to netip.AddrPort) bool
	now   time.Time
	fly   []flying
	sent  []seen // every request
}

type flying struct {
	b        []byte
	part     int
	from, to netip.AddrPort
	at       time.Time
}

type seen struct {
	by string
	to netip.AddrPort
	at time.Time
	m  *stun.Message
}

const fieldDelay = 5 * time.Millisecond

var (
	addressA = netip.MustParseAddrPort("192.0.2.1:4000")
	addressB = netip.MustParseAddrPort("198.51.100.2:6000")
	otherB   = netip.MustParseAddrPort("198.51.100.3:6002")
)

func newField(t *testing.T, leadsA, leadsB bool) *field {
	return &field{t: t, now: time.Now(), cut: func(_, _ netip.AddrPort) bool { return false },
		sides: map[string]*checker{"a": newChecker(nil, addressA.Addr(), leadsA, true), "b": newChecker(nil, addressB.Addr(), leadsB, true)},
		at:    map[string][]netip.AddrPort{"a": {addressA}, "b": {addressB}}}
}

// words is what a side says of itself, with these addresses, the best first.
func (f *field) words(who string, at ...netip.AddrPort) remote {
	c := f.sides[who]
	r := remote{ufrag: c.ufrag, pass: c.pass}
	for i, a := range at {
		r.all = append(r.all, candidate{1, true, ownPriority(126, 1) - uint32(i)*256, a})
	}
	return r
}

func (f *field) shoot(who string, shots []shot) {
	for _, s := range shots {
		m := &stun.Message{Raw: s.b}
		if err := m.Decode(); err != nil {
			f.t.Fatal(err)
		}
		if m.Type == stun.BindingRequest {
			f.sent = append(f.sent, seen{who, s.to, f.now, m})
		}
		from := f.at[who][0]
		if who == "b" && slices.Contains(f.at["b"], otherB) && s.part == 1 { // answers leave from where they were asked
			from = f.replyFrom(m, from)
		}
		if !f.cut(from, s.to) {
			f.fly = append(f.fly, flying{s.b, s.part, from, s.to, f.now.Add(fieldDelay)})
		}
	}
}

// replyFrom is the address that a check was for which is answered now.
func (f *field) replyFrom(m *stun.Message, from netip.AddrPort) netip.AddrPort {
	for _, s := range f.sent {
		if m.Type != stun.BindingRequest && s.m.TransactionID == m.TransactionID {
			return s.to
		}
	}
	return from
}

// pass lets time go by in steps of the pacer.
func (f *field) pass(d time.Duration) {
	for end := f.now.Add(d); f.now.Before(end); f.now = f.now.Add(time.Millisecond) {
		flying := f.fly
		f.fly = nil
		for _, p := range flying {
			if p.at.After(f.now) {
				f.fly = append(f.fly, p)
				continue
			}
			for who, all := range f.at {
				if slices.Contains(all, p.to) {
					shots, _ := f.sides[who].take(p.part, p.b, p.from, f.now)
					f.shoot(who, shots)
				}
			}
		}
		if f.now.UnixMilli()%10 == 0 {
			for _, who := range []string{"a", "b"} {
				f.shoot(who, f.sides[who].step(f.now))
			}
		}
	}
}

func (f *field) way(who string) netip.AddrPort {
	to, _, _ := f.sides[who].ways()
	return to
}

// meet lets both sides know each other, b first, as it answers.
func (f *field) meet() {
	f.shoot("b", f.sides["b"].meet(f.words("a", addressA), f.now))
	f.pass(20 * time.Millisecond)
	f.shoot("a", f.sides["a"].meet(f.words("b", addressB), f.now))
}

func TestTwoSidesFindEachOtherWhoeverLeads(t *testing.T) {
	for _, row := range []struct{ a, b bool }{{true, false}, {false, true}, {true, true}, {false, false}} {
		f := newField(t, row.a, row.b)
		f.meet()
		f.pass(100 * time.Millisecond)
		if f.way("a") != addressB || f.way("b") != addressA {
			t.Fatalf("%+v: a sends to %v and b to %v", row, f.way("a"), f.way("b"))
		}
		a, b := f.sides["a"], f.sides["b"]
		if a.leads == b.leads {
			t.Errorf("%+v: both lead, or none does", row)
		}
		if a.chosen[1] == nil || b.chosen[1] == nil {
			t.Errorf("%+v: nothing was chosen", row)
		}
		if n := len(f.sent); n > 8 {
			t.Errorf("%+v: %d checks", row, n)
		}
	}
}

func TestLossIsOvercome(t *testing.T) {
	var slowest time.Duration
	for seed := range uint64(100) {
		f := newField(t, true, false)
		dice := rand.New(rand.NewPCG(seed, 1))
		f.cut = func(_, _ netip.AddrPort) bool { return dice.Float64() < 0.2 }
		began := f.now
		f.meet()
		for f.way("a") != addressB || f.way("b") != addressA {
			f.pass(time.Millisecond)
			if f.now.Sub(began) > 5*time.Second {
				t.Fatalf("seed %d: no way after %v", seed, f.now.Sub(began))
			}
		}
		slowest = max(slowest, f.now.Sub(began))
	}
	t.Logf("slowest of 100 at 20 %% loss: %v", slowest)
}

// TestTheSideBehindANATIsFound: b knows a's private address only, and learns the public one from a's checks.
func TestTheSideBehindANATIsFound(t *testing.T) {
	inside, outside := netip.MustParseAddrPort("10.1.2.3:4000"), addressA
	f := newField(t, true, false)
	f.at["a"] = []netip.AddrPort{outside}
	f.shoot("b", f.sides["b"].meet(f.words("a", inside), f.now))
	f.pass(20 * time.Millisecond)
	f.shoot("a", f.sides["a"].meet(f.words("b", addressB), f.now))
	f.pass(100 * time.Millisecond)
	if f.way("a") != addressB || f.way("b") != outside {
		t.Errorf("a sends to %v and b to %v", f.way("a"), f.way("b"))
	}
}

// answer is what a far end that is lite says to a check: it never asks.
func liteAnswer(t *testing.T, check []byte, pass secret, from netip.AddrPort) []byte {
	t.Helper()
	m := &stun.Message{Raw: check}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	proof := stun.NewShortTermIntegrity(pass.reveal())
	if err := proof.Check(m); err != nil {
		t.Fatal(err)
	}
	r, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, proof, stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return r.Raw
}

// TestGatewayThatIsLiteIsToldTheChoice: somebody must ask and choose, whoever offered.
func TestGatewayThatIsLiteIsToldTheChoice(t *testing.T) {
	for _, leads := range []bool{true, false} {
		c, now, pass := newChecker(nil, addressA.Addr(), leads, true), time.Now(), newSecret(strings.Repeat("x", 24))
		shots := c.meet(remote{ufrag: "lite", pass: pass, lite: true, all: []candidate{{1, true, 100, addressB}}}, now)
		if len(shots) != 1 || shots[0].to != addressB {
			t.Fatalf("%v", shots)
		}
		shots, _ = c.take(1, liteAnswer(t, shots[0].b, pass, addressA), addressB, now.Add(fieldDelay))
		if to, _, _ := c.ways(); to != addressB || len(shots) != 1 {
			t.Fatalf("%v %v", to, shots)
		}
		m := &stun.Message{Raw: shots[0].b}
		if err := m.Decode(); err != nil || !m.Contains(stun.AttrUseCandidate) || !m.Contains(stun.AttrICEControlling) {
			t.Errorf("%v %v", m, err)
		}
		if _, ok := c.take(1, liteAnswer(t, shots[0].b, pass, addressA), addressB, now.Add(2*fieldDelay)); !ok || c.chosen[1] == nil {
			t.Error("not chosen")
		}
	}
}

func TestConsentIsAskedAndItsLossStopsUsUntilItComesBack(t *testing.T) {
	f := newField(t, true, false)
	f.meet()
	f.pass(time.Second)
	f.sent = nil
	f.pass(time.Minute)
	if n := len(f.sent); n < 2*9 || n > 2*16 {
		t.Errorf("%d checks in a minute of two sides, wanted about 24", n)
	}
	cut := true
	f.cut = func(_, _ netip.AddrPort) bool { return cut }
	f.pass(20 * time.Second)
	if f.way("a") != addressB || f.way("b") != addressA {
		t.Error("given up too early")
	}
	f.pass(15 * time.Second)
	if f.way("a").IsValid() || f.way("b").IsValid() {
		t.Error("sends on without consent")
	}
	f.sent = nil
	f.pass(3 * time.Minute)
	if n := len(f.sent); n == 0 || n > 2*3*60 {
		t.Errorf("%d checks in three minutes without an answer", n)
	}
	cut = false
	f.pass(12 * time.Second)
	if f.way("a") != addressB || f.way("b") != addressA {
		t.Errorf("not found again: %v %v", f.way("a"), f.way("b"))
	}
}

// TestTheOtherAddressIsTakenWhenOneDies without a word by SIP.
func TestTheOtherAddressIsTakenWhenOneDies(t *testing.T) {
	for _, leadsA := range []bool{true, false} {
		f := newField(t, leadsA, !leadsA)
		f.at["b"] = []netip.AddrPort{addressB, otherB}
		f.shoot("b", f.sides["b"].meet(f.words("a", addressA), f.now))
		f.shoot("a", f.sides["a"].meet(f.words("b", addressB, otherB), f.now))
		f.pass(10 * time.Second)
		if f.way("a") != addressB {
			t.Fatalf("the better address is not taken: %v", f.way("a"))
		}
		f.cut = func(from, to netip.AddrPort) bool { return from == addressB || to == addressB }
		f.at["b"] = []netip.AddrPort{otherB, addressB}
		f.pass(45 * time.Second)
		if f.way("a") != otherB {
			t.Errorf("a leads %v, sends to %v", leadsA, f.way("a"))
		}
	}
}

// TestCandidatesAreNotAScan: whatever a description names, few addresses are asked, slowly, and not for ever.
func TestCandidatesAreNotAScan(t *testing.T) {
	f := newField(t, true, false)
	var all []netip.AddrPort
	for i := range 1000 {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 168, byte(i / 250), byte(i%250 + 1)}), 80))
	}
	f.shoot("a", f.sides["a"].meet(f.words("b", all...), f.now))
	f.pass(5 * time.Minute)
	asked := map[netip.AddrPort]int{}
	for i, s := range f.sent {
		asked[s.to]++
		if i > 0 && s.at.Sub(f.sent[i-1].at) < askEvery {
			t.Fatalf("%v after the check before", s.at.Sub(f.sent[i-1].at))
		}
	}
	if len(asked) != maxPairs*2/3 {
		t.Errorf("%d addresses were asked", len(asked))
	}
	for to, n := range asked {
		if n > maxSent*maxTrials {
			t.Errorf("%v was asked %d times", to, n)
		}
	}
	f.sent = nil
	f.pass(5 * time.Minute)
	if len(f.sent) != 0 {
		t.Errorf("%d checks still", len(f.sent))
	}
}

// check is a check by whoever knows these words.
func check(t *testing.T, name, pass string, more ...stun.Setter) []byte {
	t.Helper()
	set := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(name)}, more...)
	m, err := stun.Build(append(set, stun.NewShortTermIntegrity(pass), stun.Fingerprint)...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func TestStrangersGetNoAnswerAndNoWay(t *testing.T) {
	f := newField(t, false, true)
	c := f.sides["a"]
	stranger := netip.MustParseAddrPort("203.0.113.66:666")
	name, pass := c.ufrag+":xxxx", c.pass.reveal()
	bare, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(name), attribute(stun.AttrUseCandidate, nil))
	if err != nil {
		t.Fatal(err)
	}
	good := check(t, name, pass)
	late := &stun.Message{Raw: slices.Clone(good)}
	if err := late.Decode(); err != nil {
		t.Fatal(err)
	}
	late.Add(stun.AttrUseCandidate, nil)
	rows := map[string][]byte{
		"no integrity":                       bare.Raw,
		"wrong password":                     check(t, name, "guess"),
		"wrong name":                         check(t, "xxxx:"+c.ufrag, pass),
		"no name":                            check(t, "", pass),
		"name without its colon":             check(t, c.ufrag, pass),
		"a longer name":                      check(t, c.ufrag+"x:xxxx", pass),
		"short":                              good[:30],
		"nothing":                            {},
		"an answer to nothing":               liteAnswer(t, slices.Clone(good), c.pass, stranger),
		"attributes that are longer than it": append(slices.Clone(good[:20]), 0, 6, 0xff, 0xff, 1, 2, 3, 4),
	}
	for what, b := range rows {
		if shots, ok := c.take(1, b, stranger, f.now); ok || len(shots) > 0 {
			t.Errorf("%s: %v, answered with %d", what, ok, len(shots))
		}
	}
	if len(c.pairs) != 0 {
		t.Errorf("%d pairs", len(c.pairs))
	}
	f.meet()
	f.pass(time.Second)
	// Somebody repeats from elsewhere what a good check said, and puts a choice behind it.
	if _, ok := c.take(1, late.Raw, stranger, f.now); !ok {
		t.Error("a good check was not answered")
	}
	f.pass(10 * time.Second)
	if _, _, proved := c.ways(); f.way("a") != addressB || slices.Contains(proved, stranger) {
		t.Errorf("a sends to %v and believes %v", f.way("a"), proved)
	}
}

func TestAnswersMustComeFromWhereTheCheckWent(t *testing.T) {
	c, now, pass := newChecker(nil, addressA.Addr(), true, true), time.Now(), newSecret(strings.Repeat("x", 24))
	shots := c.meet(remote{ufrag: "far", pass: pass, all: []candidate{{1, true, 100, addressB}}}, now)
	answer := liteAnswer(t, slices.Clone(shots[0].b), pass, addressA)
	forged := slices.Clone(answer)
	forged[len(forged)-15] ^= 1 // in the integrity
	if _, ok := c.take(1, answer, otherB, now); ok {
		t.Error("from another address")
	}
	if _, ok := c.take(1, forged, addressB, now); ok {
		t.Error("forged")
	}
	if _, ok := c.take(2, answer, addressB, now); ok {
		t.Error("on the port of RTCP")
	}
	if to, _, _ := c.ways(); to.IsValid() {
		t.Error("a way was found")
	}
	if _, ok := c.take(1, answer, addressB, now); !ok {
		t.Error("the answer itself")
	}
}

func TestAFloodOfChecksMakesFewPairs(t *testing.T) {
	f := newField(t, false, true)
	f.meet()
	f.pass(time.Second)
	c := f.sides["a"]
	f.sent = nil
	for i := range 5000 { // one who knows the password, from everywhere
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 9)
		shots, _ := c.take(1, check(t, c.ufrag+":x", c.pass.reveal()), from, f.now)
		f.shoot("a", shots)
		f.pass(time.Millisecond)
	}
	if len(c.pairs) > maxPairs || f.way("a") != addressB {
		t.Errorf("%d pairs, the way is %v", len(c.pairs), f.way("a"))
	}
	if n := len(f.sent); n > 5000/20+20 {
		t.Errorf("%d checks in 5 s", n)
	}
}

func FuzzCheck(f *testing.F) {
	c := newChecker(nil, addressA.Addr(), true, false)
	now := time.Now()
	for _, s := range c.meet(remote{ufrag: "far", pass: newSecret(strings.Repeat("x", 24)), all: []candidate{{1, true, 100, addressB}}}, now) {
		f.Add(s.b)
	}
	f.Add([]byte{0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, ok := c.take(1, b, addressB, now); ok {
			t.Error("believed")
		}
		m := &stun.Message{Raw: slices.Clone(b)} // and as one who knows the password says it
		if m.Decode() != nil || m.Contains(stun.AttrMessageIntegrity) || m.Contains(stun.AttrFingerprint) || len(b) > 1000 {
			return
		}
		fresh := newChecker(nil, addressA.Addr(), true, false)
		if stun.NewShortTermIntegrity(fresh.pass.reveal()).AddTo(m) == nil {
			fresh.take(1, m.Raw, addressB, now)
		}
	})
}
