package stack

import (
	"maps"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestParams(t *testing.T) {
	for _, row := range []struct {
		value, head string
		params      map[string]string
	}{
		{`<sip:a@b;lr>;Expires = 60`, `<sip:a@b;lr>`, map[string]string{"expires": "60"}},
		{`"x;y" <sip:a@b>;TAG=1 ; q="0,5;\"z"`, `"x;y" <sip:a@b>`, map[string]string{"tag": "1", "q": `0,5;"z`}},
		{`1800;refresher=uac`, `1800`, map[string]string{"refresher": "uac"}},
		{`active`, `active`, map[string]string{}},
		{`a;lr;;x=`, `a`, map[string]string{"lr": "", "x": ""}},
		{`a;b="open`, `a`, map[string]string{"b": `"open`}},
	} {
		head, params := Params(row.value)
		if head != row.head || !maps.Equal(params, row.params) {
			t.Errorf("%s: %q %q", row.value, head, params)
		}
	}
}

func TestValues(t *testing.T) {
	got := Values(`"a, b" <sip:a@h;x=1,2>;q="1,2", <sip:b@h>`)
	if len(got) != 2 || got[1] != "<sip:b@h>" {
		t.Errorf("%q", got)
	}
}

func TestHeadersInCompactForm(t *testing.T) {
	msg, err := sip.ParseMessage([]byte("OPTIONS sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nR: <sip:x@h>\r\nk: timer, Path\r\nSUPPORTED: gruu\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := Header(msg, "Refer-To"); got != "<sip:x@h>" {
		t.Errorf("Refer-To %q", got)
	}
	if got := strings.Join(List(msg, "supported"), " "); got != "timer path gruu" {
		t.Errorf("Supported %q", got)
	}
}

func TestClean(t *testing.T) {
	for s, want := range map[string]bool{
		"": true, "山田 太郎": true, `a"b\c`: true, "a\r\nb": false, "a\tb": false, "a\x00": false, "a\u2028b": false, "a\u202eb": false,
		"a\u0085b": false, "a\xffb": false, "\x7f": false,
	} {
		if Clean(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
}

func TestUserPartsAreEscaped(t *testing.T) {
	for plain, escaped := range map[string]string{
		"+81-3(1)*#": "+81-3(1)*%23", "a@b;c": "a%40b;c", "a b": "a%20b", "<>\"": "%3C%3E%22", "a\r\nb": "a%0D%0Ab", "%": "%25", "名": "%E5%90%8D",
	} {
		if got := EscapeUser(plain); got != escaped {
			t.Errorf("%q: %q", plain, got)
		}
	}
	for escaped, plain := range map[string]string{"%23": "#", "a%0d%0ab": "a%0d%0ab", "%zz%4": "%zz%4", "%E5%90%8D": "名"} {
		if got := UnescapeUser(escaped); got != plain {
			t.Errorf("%q: %q", escaped, got)
		}
	}
}

func TestTraceHidesSecrets(t *testing.T) {
	for _, text := range []string{
		"REGISTER sip:h SIP/2.0\r\nauthorization: Digest response=\"f00\"\r\nProxy-Authorization : Digest x=f00\r\n\r\n",
		"REGISTER sip:h SIP/2.0\r\nAuthorization: Digest\r\n response=\"f00\"\r\n\tcnonce=f00\r\nCall-ID: kept\r\n\r\n",
		"INVITE sip:h SIP/2.0\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:f00|2^48;inline:f00\r\na=sendrecv\r\n",
		"INVITE sip:h SIP/2.0\r\n\r\nA=Crypto:1 X INLINE:f00\nk=base64:f00\na=key-mgmt:mikey f00",
		"INVITE sip:h SIP/2.0\r\n\r\na=crypto:f00",
		"INVITE sip:h SIP/2.0\r\nx-center-permit: f00\r\n\r\n",
		"INVITE sip:h SIP/2.0\r\nX-Center-Check: f00\r\n\r\n",
		"MESSAGE sip:h SIP/2.0\r\n\r\nf00",
		"INFO sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=f00\r\nDuration=160\r\n",
	} {
		if got := masked([]byte(text)); strings.Contains(got, "f00") || !strings.Contains(got, " sip:h SIP/2.0") || !strings.Contains(got, "•••") {
			t.Errorf("%q", got)
		}
	}
	for _, text := range []string{
		"INVITE sip:h SIP/2.0\r\nReplaces: a;to-tag=b\r\nContent-Length: 3\r\n\r\nv=0", "\r\n\r\n", "x", "SIP/2.0 200 OK\r\nCall-ID: a\r\n\r\n",
	} {
		if got := masked([]byte(text)); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	if Mask("0312345678") != "••••••5678" || Mask("123") != "123" {
		t.Error(Mask("0312345678"))
	}
}

func TestTitlesOfATimeline(t *testing.T) {
	for text, want := range map[string][3]string{
		"INVITE sip:h SIP/2.0\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n":    {"INVITE", "INVITE", "a"},
		"SIP/2.0 183 Session Progress\r\ni : b\r\nCSEQ: 1 INVITE\r\n\r\n": {"183 Session Progress (INVITE)", "INVITE", "b"},
		"SIP/2.0 200 \x1b[2J\r\n\r\n":                                     {"200 [2J ()", "", ""},
		"":                                                                {"", "", ""},
	} {
		what, method, call := title([]byte(text))
		if got := [3]string{what, method, call}; got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func FuzzMasked(f *testing.F) {
	f.Add("Digest response=f00", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:f00")
	f.Add("x\r\n y", "k=x")
	f.Fuzz(func(t *testing.T, credentials, line string) {
		const secret = "s3cr3tOfTheTest"
		credentials = strings.NewReplacer("\r", "", "\n", "").Replace(credentials)
		line = strings.NewReplacer("\r", "", "\n", "").Replace(line)
		text := "REGISTER sip:h SIP/2.0\r\nAuthorization: " + credentials + secret + "\r\n\r\n" + line + "\r\na=crypto:1 X inline:" + secret + "\r\n"
		if got := masked([]byte(text)); strings.Contains(got, secret) {
			t.Errorf("%q", got)
		}
		masked([]byte(credentials + "\r\n\r\n" + line))
		what, _, _ := title([]byte(credentials + "\r\n" + line))
		if !Clean(what) {
			t.Errorf("%q", what)
		}
	})
}

func TestSDPInMultipart(t *testing.T) {
	msg, err := sip.ParseMessage([]byte("INVITE sip:b@h SIP/2.0\r\nc: multipart/mixed;boundary=\"q\"\r\n\r\n--q\r\nContent-Type: text/plain\r\n\r\nx\r\n--q\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=-\r\n--q--\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := SDP(msg); got != "v=0\r\ns=-\r\n" {
		t.Errorf("%q", got)
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("OPTIONS sip:h SIP/2.0\r\nl: 3\r\n\r\nabcINVITE"))
	f.Add([]byte("x\r\nContent-Length: 4294967296\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := frame(data)
		if n < 0 || n > len(data) || err != nil && n != 0 {
			t.Errorf("%d of %d, %v", n, len(data), err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte("OPTIONS sip:h SIP/2.0\r\nVia : SIP / 2.0 / UDP h ; branch = z9hG4bK1\r\nFrom: <sip:a@h> ; tag = 1\r\nTo: x\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"))
	f.Add([]byte("INVITE sip:a@b SIP/2.0\r\nc: multipart/mixed;boundary=q\r\nRequire: a,,b\r\n\r\n--q\r\n\r\n"))
	parser := newParser()
	f.Fuzz(func(t *testing.T, data []byte) {
		salvage(data)
		msg, err := parse(parser, data)
		if err != nil {
			return
		}
		touch(msg)
		SDP(msg)
		if req, ok := msg.(*sip.Request); ok {
			validate(req, map[string]bool{"INVITE": true, "OPTIONS": true})
		}
	})
}

func FuzzParams(f *testing.F) {
	f.Add(`"a\" <sip:b>;x="y;`)
	f.Fuzz(func(t *testing.T, value string) {
		Params(value)
		Values(value)
		if !Clean(EscapeUser(value)) {
			t.Errorf("%q is not clean", EscapeUser(value))
		}
	})
}
