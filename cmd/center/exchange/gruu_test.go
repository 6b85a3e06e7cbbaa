package exchange

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	sipmsg "github.com/emiago/sipgo/sip"

	"zaseki/sip"
)

const gruus = "Supported: path, outbound, gruu"

// temporaries are the temporary GRUUs in an answer to a REGISTER, by instance.
func temporaries(t *testing.T, answer string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`\+sip\.instance="<([^>]*)>".*temp-gruu="([^"]*)"`).FindAllStringSubmatch(answer, -1) {
		found[m[1]] = m[2]
	}
	if len(found) == 0 {
		t.Fatalf("no temporary GRUU in\n%s", answer)
	}
	return found
}

// whose is the phone that an address means.
func whose(t *testing.T, x *Exchange, text string) (user, instance string) {
	t.Helper()
	var uri sipmsg.Uri
	if err := sipmsg.ParseUri(text, &uri); err != nil {
		t.Fatal(err)
	}
	user, instance, hidden := x.behind(uri)
	if !hidden {
		t.Fatalf("%s is none of ours", text)
	}
	return user, instance
}

// TestATemporaryGRUUNamesOnePhone of several, and does not say whose it is (RFC 5627 §3.2).
func TestATemporaryGRUUNamesOnePhone(t *testing.T) {
	f := newFloor(t, nil)
	first := f.phone("1004", "tcp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceA, "urn:uuid:") })
	second := f.phone("1004", "udp", func(a *sip.Account) { a.Instance = strings.TrimPrefix(instanceB, "urn:uuid:") })
	one, two := temporaries(t, f.raw().register(f, "1004", gruus)), temporaries(t, f.raw().register(f, "1004", gruus))
	if one[instanceB] == one[instanceA] || one[instanceB] == two[instanceB] {
		t.Fatalf("%v, then %v", one, two)
	}
	r := f.raw()
	r.register(f, "1003", "Contact: <sip:1003@"+r.conn.LocalAddr().String()+">")
	invite := func(uri string) string {
		call := []string{"Contact: <sip:x@127.0.0.1:9>", "Content-Type: application/sdp"}
		proof := answerTo(t, header(r.ask("INVITE", uri, uri, long, call...), "Proxy-Authenticate"), "INVITE", uri, "1003")
		return status(r.ask("INVITE", uri, uri, long, append(call, "Proxy-Authorization: "+proof)...))
	}
	for _, uri := range []string{one[instanceB], two[instanceB]} { // all that were given are good
		if strings.Contains(uri, "1004") || strings.Contains(uri, instanceB) || !strings.HasSuffix(uri, "@"+domain+";gr") {
			t.Errorf("%s", uri)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			in := next[sip.Incoming](second)
			second.Reject(t.Context(), in.Call, 486, "")
		}()
		if got := invite(uri); got != "486" {
			t.Errorf("the named phone: %s", got)
		}
		<-done
		if rec := f.record(); rec.To != "1004" || rec.Callee != "1004" {
			t.Errorf("record %+v", rec)
		}
	}
	first.silent(300 * time.Millisecond)
	if err := second.Unregister(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	if got := invite(one[instanceB]); got != "404" {
		t.Errorf("of a phone that left: %s", got)
	}
}

// TestATemporaryGRUUEndsWithItsRegistration (RFC 5627 §5.4).
func TestATemporaryGRUUEndsWithItsRegistration(t *testing.T) {
	f := newFloor(t, func(c *Config) { c.Key = []byte(strings.Repeat("k", 32)) })
	a := f.raw()
	old := temporaries(t, a.register(f, "1004", gruus, flow(a, "1004", instanceA, "1")))[instanceA]
	fresh := temporaries(t, a.register(f, "1004", gruus, flow(a, "1004", strings.ToUpper(instanceA), "1")))[strings.ToUpper(instanceA)]
	for _, uri := range []string{old, fresh} {
		if user, instance := whose(t, f.x, uri); user != "1004" || !strings.EqualFold(instance, instanceA) {
			t.Errorf("after a refresh %s is of %q, %q", uri, user, instance)
		}
	}
	later := newBindings(time.Now) // as after a restart, from the book
	all, _ := f.x.where.noted(0)
	later.takeUp(all)
	if user, _ := whose(t, &Exchange{where: later, veil: newVeil(f.x.cfg.Key)}, old); user != "1004" {
		t.Error("a restart of the center ended it")
	}
	b := f.raw() // the phone again, with another Call-ID
	now := temporaries(t, b.register(f, "1004", gruus, flow(b, "1004", instanceA, "1")))[instanceA]
	if user, _ := whose(t, f.x, now); user != "1004" {
		t.Error("the new one is nobody's")
	}
	tampered := []byte(now)
	tampered[len("sip:"+veilMark)+50] ^= 1
	foreign := "sip:" + newVeil(nil).over("1004", f.x.where.lookup("1004")[0]) + "@" + domain + ";gr"
	for name, uri := range map[string]string{
		"another Call-ID came": old, "another Call-ID came, after a refresh": fresh, "changed": string(tampered), "of another center": foreign,
		"short": "sip:" + veilMark + "@" + domain + ";gr", "nonsense": "sip:" + veilMark + "%00!@" + domain + ";gr",
		"nothing sealed": "sip:" + veilMark + base64.RawURLEncoding.EncodeToString(make([]byte, 24)) + "@" + domain + ";gr",
	} {
		if user, instance := whose(t, f.x, uri); user != "" || instance != "" {
			t.Errorf("%s: it is of %q, %q", name, user, instance)
		}
	}
	b.register(f, "1004", gruus, strings.Replace(flow(b, "1004", instanceA, "1"), "expires=90", "expires=0", 1))
	if user, _ := whose(t, f.x, now); user != "" {
		t.Error("it outlived its registration")
	}
	b.register(f, "1004", gruus, flow(b, "1004", instanceA, "1"))
	if user, _ := whose(t, f.x, now); user != "" {
		t.Error("it came back with the next registration")
	}
}

func FuzzATemporaryGRUUIsOursOrNobodys(f *testing.F) {
	v := newVeil([]byte("key"))
	f.Add("tgruu.", "1004")
	f.Add(v.over("1004", binding{instance: "urn:x"}), "2001")
	f.Fuzz(func(t *testing.T, part, user string) {
		if whose, mark, ok := v.lift(part); ok && (whose == "" || len(mark) != 16) {
			t.Fatalf("%q: %q", part, whose)
		}
		if user == "" {
			return
		}
		if got, _, ok := v.lift(v.over(user, binding{})); !ok || got != user {
			t.Fatalf("%q became %q", user, got)
		}
	})
}
