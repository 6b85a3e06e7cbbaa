package exchange

import (
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/icholy/digest"

	"zaseki/sip/dialog"
)

func TestBindingsFollowTheRegistrar(t *testing.T) {
	at := time.Now()
	base := func(callID string, cseq uint32, epoch uint64) binding {
		return binding{callID: callID, cseq: cseq, epoch: epoch, network: "udp", source: netip.MustParseAddrPort("127.0.0.1:5060")}
	}
	phone := []change{{contact: "sip:1001@a", q: 1000, expires: 60}}
	rows := []struct {
		name  string
		steps func(b *bindings) error
		left  int
		err   error
	}{
		{"a contact is found until it expires", func(b *bindings) error {
			_, err := b.update("1001", base("a", 1, 1), true, phone)
			return err
		}, 1, nil},
		{"expires 0 removes it", func(b *bindings) error {
			b.update("1001", base("a", 1, 1), true, phone)
			_, err := b.update("1001", base("a", 2, 1), true, []change{{contact: "sip:1001@a"}})
			return err
		}, 0, nil},
		{"a softphone's new contact replaces the old one", func(b *bindings) error {
			b.update("1001", base("a", 1, 1), true, phone)
			_, err := b.update("1001", base("b", 1, 2), true, []change{{contact: "sip:1001@b", expires: 60}})
			return err
		}, 1, nil},
		{"an older epoch does not replace a newer one", func(b *bindings) error {
			b.update("1001", base("a", 1, 2), true, phone)
			_, err := b.update("1001", base("b", 1, 1), true, []change{{contact: "sip:1001@b", expires: 60}})
			return err
		}, 1, errReplaced},
		{"a desk phone may have several", func(b *bindings) error {
			b.update("1001", base("a", 1, 1), false, phone)
			_, err := b.update("1001", base("b", 1, 1), false, []change{{contact: "sip:1001@b", expires: 60}})
			return err
		}, 2, nil},
		{"the eleventh is refused whole", func(b *bindings) error {
			var many []change
			for i := range maxContacts + 1 {
				many = append(many, change{contact: fmt.Sprintf("sip:1001@h%d", i), expires: 60})
			}
			_, err := b.update("1001", base("a", 1, 1), false, many)
			return err
		}, 0, errTooMany},
		{"an old CSeq of the same Call-ID is refused", func(b *bindings) error {
			b.update("1001", base("a", 5, 1), false, phone)
			_, err := b.update("1001", base("a", 5, 1), false, []change{{contact: "sip:1001@a"}})
			return err
		}, 1, errOld},
		{"the star removes all", func(b *bindings) error {
			b.update("1001", base("a", 1, 1), false, phone)
			return b.clear("1001", "a", 2)
		}, 0, nil},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			b := newBindings(func() time.Time { return at })
			if err := r.steps(b); !errors.Is(err, r.err) {
				t.Fatalf("error %v, want %v", err, r.err)
			}
			if got := len(b.lookup("1001")); got != r.left {
				t.Fatalf("%d contacts left, want %d", got, r.left)
			}
		})
	}
}

func TestAContactIsGoneWhenItExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBindings(time.Now)
		b.update("1001", binding{callID: "a", cseq: 1}, true, []change{{contact: "sip:1001@a", expires: 60}})
		time.Sleep(61 * time.Second)
		if len(b.lookup("1001")) != 0 || len(b.users()) != 0 {
			t.Fatal("the contact outlived its time")
		}
	})
}

func TestBetterContactsComeFirst(t *testing.T) {
	b := newBindings(time.Now)
	b.update("1", binding{callID: "a", cseq: 1}, false, []change{{contact: "low", q: 100, expires: 60}, {contact: "high", q: 900, expires: 60}})
	if got := b.lookup("1"); got[0].contact != "high" {
		t.Fatalf("first is %s", got[0].contact)
	}
}

func TestDigestAnswersAreJudged(t *testing.T) {
	at := time.Now()
	c := newChecker(func() string { return "spike.test" }, []string{"SHA-256", "MD5"}, func() time.Time { return at })
	here, there := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	ha1 := func(user, algorithm string) (string, bool) {
		if user != "1001" {
			return "", false
		}
		a1 := user + ":spike.test:secret"
		if algorithm == "MD5" {
			return fmt.Sprintf("%x", md5.Sum([]byte(a1))), true
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(a1))), algorithm == "SHA-256"
	}
	answer := func(which int, user, password string) string {
		ch, err := digest.ParseChallenge(c.challenges(here, false, false)[which])
		if err != nil {
			t.Fatal(err)
		}
		cred, err := digest.Digest(ch, digest.Options{Method: "REGISTER", URI: "sip:spike.test", Username: user, Password: password, Count: 1})
		if err != nil {
			t.Fatal(err)
		}
		return cred.String()
	}
	good := answer(0, "1001", "secret")
	rows := []struct {
		name, header, method string
		source               netip.Addr
		later                time.Duration
		want                 verdict
	}{
		{"SHA-256", good, "REGISTER", here, 0, allowed},
		{"the same once more", good, "REGISTER", here, 0, stale},
		{"MD5", answer(1, "1001", "secret"), "REGISTER", here, 0, allowed},
		{"wrong password", answer(0, "1001", "other"), "REGISTER", here, 0, wrong},
		{"unknown user", answer(0, "9999", "secret"), "REGISTER", here, 0, wrong},
		{"another method", good, "INVITE", here, 0, wrong},
		{"a nonce given to somebody else", good, "REGISTER", there, 0, nobody},
		{"an old nonce", good, "REGISTER", here, nonceLife + time.Second, stale},
		{"rubbish", "Digest", "REGISTER", here, 0, nobody},
		{"no digest at all", "Basic eDp5", "REGISTER", here, 0, nobody},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			c.now = func() time.Time { return at.Add(r.later) }
			defer func() { c.now = func() time.Time { return at } }()
			cred, err := digest.ParseCredentials(r.header)
			if err != nil {
				cred = &digest.Credentials{} // none of ours
			}
			if _, v := c.judge(cred, r.method, r.source, ha1); v != r.want {
				t.Fatalf("verdict %d, want %d", v, r.want)
			}
		})
	}
}

func TestANumberOfANonceIsGoodOnce(t *testing.T) {
	var u counts
	at := time.Now()
	rows := []struct {
		nonce string
		nc    int
		after time.Duration
		want  bool
	}{
		{"a", 1, 0, true}, {"a", 1, 0, false}, {"b", 1, 0, true}, {"a", 3, 0, true}, {"a", 2, 0, true}, {"a", 2, 0, false}, {"a", 3, 0, false},
		{"a", 66, 0, true}, {"a", 3, 0, false}, {"a", 2, 0, false}, {"a", 4, 0, true}, {"a", 1 << 30, 0, true}, {"a", 65, 0, false},
		{"b", 1, nonceLife + time.Second, false}, {"b", 2, nonceLife + time.Second, true}, {"b", 2, nonceLife + 2*time.Second, false},
		{"c", 1, 2*nonceLife + 2*time.Second, true},
		{"a", 1, 3*nonceLife + 3*time.Second, true}, // forgotten: its nonce has expired long ago
	}
	for i, r := range rows {
		if got := u.first(r.nonce, r.nc, at.Add(r.after)); got != r.want {
			t.Errorf("row %d, %s %d: %v", i, r.nonce, r.nc, got)
		}
	}
	if len(u.young)+len(u.old) > 3 {
		t.Errorf("%d and %d nonces are remembered", len(u.young), len(u.old))
	}
}

func TestFiveFailuresSilenceAnAddressForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, bad, other := newGuard(time.Now), netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
		for range maxFailures {
			if g.dropped(bad) {
				t.Fatal("dropped too early")
			}
			g.failed(bad)
		}
		if !g.dropped(bad) || g.dropped(other) {
			t.Fatal("the wrong address is dropped")
		}
		time.Sleep(failureWindow + time.Second)
		if g.dropped(bad) {
			t.Fatal("still dropped after the window")
		}
	})
}

func TestTheGuardForgetsToStayBounded(t *testing.T) {
	g := newGuard(time.Now)
	for i := range maxWatched + 100 {
		g.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	if len(g.bad) > maxWatched {
		t.Fatalf("%d addresses remembered", len(g.bad))
	}
}

func TestWhereACallGoes(t *testing.T) {
	desk := &floor{term: map[string]Terminal{"1001": {User: "1001", Type: "softphone"}, "1002": {User: "1002", Type: "desk"}, "trunk": {User: "trunk", Type: "trunk"}}}
	inside, outside := desk.term["1001"], desk.term["trunk"]
	plan := Numbers{Digits: 4, Line: "9", Short: []string{"110"}}
	rows := []struct {
		name   string
		caller Terminal
		number string
		want   route
	}{
		{"a colleague", inside, "1002", route{kind: toUser, user: "1002", mark: markInside}},
		{"a queue from inside", inside, "7000", route{kind: toQueue, queue: "7000", name: "Support", mark: "Support"}},
		{"an outside number", inside, "+81312345678", route{kind: toTrunk, number: "+81312345678"}},
		{"an extension that does not exist", inside, "1999", route{}},
		{"a name that does not exist", inside, "bob", route{}},
		{"an outside number with what phones put before it", inside, "90312345678", route{kind: toTrunk, number: "0312345678"}},
		{"the police", inside, "110", route{kind: toTrunk, number: "110"}},
		{"the police, as people dial outside", inside, "9110", route{kind: toTrunk, number: "110"}},
		{"the police from outside", outside, "110", route{}},
		{"a trunk by its name", inside, "trunk", route{kind: toTrunk, user: "trunk"}},
		{"a queue from outside", outside, "7000", route{kind: toQueue, queue: "7000", name: "Support", mark: "Support"}},
		{"an extension from outside", outside, "1001", route{kind: toUser, user: "1001", mark: markDirect}},
		{"outside from outside", outside, "0312345678", route{}},
		{"a trunk from outside", outside, "trunk", route{}},
		{"nothing", inside, "", route{}},
		{"a line break", inside, "1002\r\nX: y", route{}},
		{"a host", inside, "1002@evil.example", route{}},
		{"very long", inside, strings.Repeat("1", 65), route{}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if got := choose(desk, plan, r.caller, r.number); got != r.want {
				t.Fatalf("%+v, want %+v", got, r.want)
			}
		})
	}
}

func TestNamesFromOutsideAreCleaned(t *testing.T) {
	rows := map[string]string{
		" Yamada ":               "Yamada",
		"山田 太郎":                  "山田 太郎",
		"x\r\nX-Evil: 1":         "xX-Evil: 1",
		"1234\u202e4321":         "12344321",
		"zero\u200bwidth":        "zerowidth",
		"bad\xffbyte":            "badbyte",
		strings.Repeat("あ", 100): strings.Repeat("あ", 64),
	}
	for in, want := range rows {
		if got := clean(in, 64); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestTheCallerHearsTheRefusalThatTellsMost(t *testing.T) {
	rows := []struct {
		codes []int
		want  int
	}{
		{nil, 480}, {[]int{486}, 486}, {[]int{486, 480}, 486}, {[]int{480, 486}, 486}, {[]int{486, 603}, 603}, {[]int{603, 486}, 603},
		{[]int{302}, 480}, {[]int{401}, 480}, {[]int{407}, 480}, {[]int{488}, 488},
	}
	for _, r := range rows {
		ring := &ringing{best: outcome{code: 480}}
		for _, code := range r.codes {
			ring.fail(dialog.Failed{Code: code})
		}
		if ring.best.code != r.want {
			t.Errorf("%v: the caller hears %d, want %d", r.codes, ring.best.code, r.want)
		}
	}
}

func FuzzAContactIsReadOrRefused(f *testing.F) {
	for _, seed := range []string{"*", "<sip:1@a>;expires=60;q=0.3", `"a, b" <sip:1@a>, sip:2@b`, "<sip:1@a", `"\`, "<;>", "sip:1@a;expires=99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, part := range list(value) {
			c, ok := contact(part, defaultExpires)
			if ok && (c.expires < 0 || c.expires > maxExpires || c.q < 0 || c.q > 1000 || strings.ContainsAny(c.contact, "\r\n<>")) {
				t.Fatalf("%q became %+v", part, c)
			}
		}
	})
}
