package stack

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

type password string

func (p password) Reveal() string { return string(p) }

func challenge(code int, values ...string) *sip.Response {
	res := sip.NewResponse(code, "x")
	name := "WWW-Authenticate"
	if code == 407 {
		name = "Proxy-Authenticate"
	}
	for _, v := range values {
		res.AppendHeader(sip.NewHeader(name, v))
	}
	return res
}

func request(method sip.RequestMethod) *sip.Request {
	return sip.NewRequest(method, sip.Uri{Scheme: "sip", Host: "zaseki.test"})
}

func TestStrongestAlgorithmOfOurRealmIsAnswered(t *testing.T) {
	auth := &Auth{User: "alice", Password: password("pw"), Realm: "zaseki.test"}
	req := request(sip.REGISTER)
	ok := auth.Authorize(req, challenge(401,
		`Digest realm="zaseki.test", nonce="n1", algorithm=MD5, qop="auth"`,
		`Digest realm="evil.test", nonce="n2", algorithm=SHA-512-256, qop="auth"`,
		`Digest realm="zaseki.test", nonce="n3", algorithm=SHA-256, qop="auth-int, auth"`,
		`Digest realm="zaseki.test", nonce="n4", algorithm=ROT13`, `Basic realm="zaseki.test"`))
	got, err := digest.ParseCredentials(Header(req, "Authorization"))
	if !ok || err != nil || got.Algorithm != "SHA-256" || got.Nonce != "n3" || got.QOP != "auth" || got.URI != "sip:zaseki.test" || got.Nc != 1 {
		t.Fatalf("%v %v %+v", ok, err, got)
	}
	want, _ := digest.Digest(&digest.Challenge{Realm: "zaseki.test", Nonce: "n3", Algorithm: "SHA-256", QOP: []string{"auth"}},
		digest.Options{Method: "REGISTER", URI: "sip:zaseki.test", Username: "alice", Password: "pw", Cnonce: got.Cnonce, Count: 1})
	if want.Response != got.Response {
		t.Error("wrong response")
	}
}

func TestWhoGetsNoAnswer(t *testing.T) {
	ours, theirs := `Digest realm="zaseki.test", nonce="n", qop="auth"`, `Digest realm="evil.test", nonce="n", qop="auth"`
	for _, row := range []struct {
		name  string
		auth  *Auth
		req   *sip.Request
		asked string
		want  bool
	}{
		{"our realm", &Auth{Realm: "zaseki.test"}, request(sip.INVITE), ours, true},
		{"a stranger's realm", &Auth{Realm: "zaseki.test"}, request(sip.INVITE), theirs, false},
		{"an INVITE before any realm is known", &Auth{}, request(sip.INVITE), theirs, false},
		{"a REGISTER teaches the realm", &Auth{}, request(sip.REGISTER), ours, true},
		{"integrity only", &Auth{Realm: "zaseki.test"}, request(sip.INVITE), `Digest realm="zaseki.test", nonce="n", qop="auth-int"`, false},
		{"a line end in the realm", &Auth{}, request(sip.REGISTER), "Digest realm=\"a\x01b\", nonce=\"n\"", false},
		{"no nonce", &Auth{Realm: "zaseki.test"}, request(sip.INVITE), `Digest realm="zaseki.test"`, false},
	} {
		row.auth.User, row.auth.Password = "alice", password("pw")
		if got := row.auth.Authorize(row.req, challenge(407, row.asked)); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
		if has := Header(row.req, "Proxy-Authorization") != ""; has != row.want {
			t.Errorf("%s: credentials %v", row.name, has)
		}
	}
}

func TestRefusedAnswerIsNotRepeated(t *testing.T) {
	auth := &Auth{User: "alice", Password: password("pw"), Realm: "r"}
	req := request(sip.INVITE)
	for _, row := range []struct {
		asked string
		want  bool
		count string
	}{
		{`Digest realm="r", nonce="1", qop="auth"`, true, "nc=00000001"},
		{`Digest realm="r", nonce="1", qop="auth"`, false, "nc=00000001"},
		{`Digest realm="r", nonce="1", qop="auth", stale=true`, true, "nc=00000002"},
		{`Digest realm="r", nonce="2", qop="auth", stale=true`, true, "nc=00000001"},
	} {
		if got := auth.Authorize(req, challenge(407, row.asked)); got != row.want {
			t.Errorf("%s: %v", row.asked, got)
		}
		if got := Header(req, "Proxy-Authorization"); !strings.Contains(got, row.count) || len(Headers(req, "Proxy-Authorization")) != 1 {
			t.Errorf("%s: %s", row.asked, got)
		}
	}
}
