package wire

import "testing"

func TestASIPAccountAsPeopleTypeIt(t *testing.T) {
	for _, row := range []struct {
		name        string
		typed, want SIPForm
		field       string
	}{
		{"full width and spaces", SIPForm{Server: " ｐｂｘ．example.com：５０６０ ", User: "２００１ ", Display: " 佐藤　花子 "},
			SIPForm{Server: "pbx.example.com:5060", User: "2001", Display: "佐藤　花子", Voice: VoiceOff}, ""},
		{"an address as the user", SIPForm{User: "sip:2001@example.com", Transport: " TLS", Voice: "Required"},
			SIPForm{Server: "example.com", User: "2001", Domain: "example.com", Transport: "tls", Voice: VoiceRequired}, ""},
		{"one label", SIPForm{Server: "pbx:5070", User: "a.b"}, SIPForm{Server: "pbx:5070", User: "a.b", Voice: VoiceOff}, ""},
		{"IPv6", SIPForm{Server: "[2001:db8::1]:5060", User: "1", Domain: "2001:db8::1"}, SIPForm{Server: "[2001:db8::1]:5060", User: "1", Domain: "2001:db8::1", Voice: VoiceOff}, ""},
		{name: "nothing", field: "server"},
		{name: "a page's address", typed: SIPForm{Server: "https://pbx/x", User: "1"}, field: "server"},
		{name: "a line break", typed: SIPForm{Server: "pbx\r\nX: y", User: "1"}, field: "server"},
		{name: "a bad port", typed: SIPForm{Server: "pbx:no", User: "1"}, field: "server"},
		{name: "no user", typed: SIPForm{Server: "pbx"}, field: "user"},
		{name: "a user with a space", typed: SIPForm{Server: "pbx", User: "a b"}, field: "user"},
		{name: "a header in the user", typed: SIPForm{Server: "pbx", User: "a>\r\nX: y"}, field: "user"},
		{name: "quotes", typed: SIPForm{Server: "pbx", User: "1", AuthUser: `a"b`}, field: "authUser"},
		{name: "a tab in the name", typed: SIPForm{Server: "pbx", User: "1", Display: "a\tb"}, field: "display"},
		{name: "a port in the domain", typed: SIPForm{Server: "pbx", User: "1", Domain: "x.y:5060"}, field: "domain"},
		{name: "an odd domain", typed: SIPForm{Server: "pbx", User: "1", Domain: "x;y"}, field: "domain"},
		{name: "a transport nobody knows", typed: SIPForm{Server: "pbx", User: "1", Transport: "sctp"}, field: "transport"},
		{name: "a policy nobody knows", typed: SIPForm{Server: "pbx", User: "1", Voice: "maybe"}, field: "voice"},
	} {
		got, field := row.typed.Clean()
		if field != row.field || field == "" && got != row.want {
			t.Errorf("%s: %+v, field %q", row.name, got, field)
		}
	}
}
