package wire

import (
	"strings"
	"testing"
)

var tokyo = Plan{Domain: "zaseki.test", Digits: 4, Country: "81", National: "0", Abroad: "010", Line: "0"}

func TestWhatPeopleTypeBecomesANumber(t *testing.T) {
	bare := Plan{Domain: "zaseki.test", Digits: 4}
	for _, row := range []struct {
		plan                       Plan
		typed, number, shown, then string // number "": refused
	}{
		// digits as people write them
		{bare, "2002", "2002", "2002", ""},
		{bare, " 03-1234-5678 \n", "0312345678", "0312345678", ""},
		{bare, "０３ー１２３４", "031234", "031234", ""},
		{bare, "０３（１２３４）５６７８", "0312345678", "0312345678", ""},
		{bare, "03‑1234–5678", "0312345678", "0312345678", ""},
		{bare, "\u202a03 1234\u00a05678\u202c", "0312345678", "0312345678", ""},
		{bare, "+81 (3) 1234.5678", "+81312345678", "+81312345678", ""},
		{bare, "+81 (0)3 1234 5678", "+81312345678", "+81312345678", ""},
		{bare, "*43#", "*43#", "*43#", ""},
		{bare, "0312345678,12", "0312345678", "0312345678", "12"},
		{bare, "0312345678、、1#", "0312345678", "0312345678", "1#"},
		// links
		{bare, "tel:+81-3-1234-5678", "+81312345678", "+81312345678", ""},
		{bare, "TEL://0312345678", "0312345678", "0312345678", ""},
		{bare, "tel:0312345678;ext=1-2", "0312345678", "0312345678", "12"},
		{bare, "tel:7042;phone-context=example.com", "7042", "7042", ""},
		{bare, "tel:312345678;phone-context=+81", "+81312345678", "+81312345678", ""},
		{tokyo, "tel:0312345678;phone-context=+81", "00312345678", "0312345678", ""},
		{bare, "tel:%2B81312345678", "+81312345678", "+81312345678", ""},
		{bare, "callto:03%201234%205678", "0312345678", "0312345678", ""},
		{bare, "sip:2002@zaseki.test;transport=tcp?Subject=x", "2002", "2002", ""},
		{bare, "sips:2002@ZASEKI.test:5061", "2002", "2002", ""},
		{bare, "sip:+81312345678;ext=5@zaseki.test;user=phone", "+81312345678", "+81312345678", ""},
		{bare, "sip:alice@zaseki.test", "alice@zaseki.test", "alice@zaseki.test", ""},
		{bare, "sip:alice@Example.com:5070", "alice@example.com:5070", "alice@example.com:5070", ""},
		{bare, "sip:alice@[2001:db8::1]:5070", "alice@[2001:db8::1]:5070", "alice@[2001:db8::1]:5070", ""},
		{bare, "bob.b@192.0.2.4", "bob.b@192.0.2.4", "bob.b@192.0.2.4", ""},
		// a site's prefixes
		{tokyo, "2002", "2002", "2002", ""},
		{tokyo, "*43", "*43", "*43", ""},
		{tokyo, "03-1234-5678", "00312345678", "0312345678", ""},
		{tokyo, "+81 (0)3-1234-5678", "00312345678", "+81312345678", ""},
		{tokyo, "+810312345678", "00312345678", "+810312345678", ""},
		{tokyo, "+1 914 555 1234", "001019145551234", "+19145551234", ""},
		{tokyo, "010 1 914 555 1234", "001019145551234", "01019145551234", ""},
		{Plan{Country: "81", Line: "9"}, "+19145551234", "+19145551234", "+19145551234", ""},
		// what is no number
		{plan: bare, typed: ""}, {plan: bare, typed: "+"}, {plan: bare, typed: "ー"}, {plan: bare, typed: "a@b"}, {plan: bare, typed: "mama@home"},
		{plan: bare, typed: "1;2"}, {plan: bare, typed: "1\r\n2"}, {plan: bare, typed: "1\x002"}, {plan: bare, typed: "12+3"}, {plan: bare, typed: strings.Repeat("1", 33)},
		{plan: bare, typed: "tel:"}, {plan: bare, typed: "tel:12%0d%0a3"}, {plan: bare, typed: "tel:12%"}, {plan: bare, typed: "tel:12;ext=x"},
		{plan: bare, typed: "sip:zaseki.test"}, {plan: bare, typed: "sip:a b@zaseki.test"}, {plan: bare, typed: "sip:%3cx%3e@zaseki.test"},
		{plan: bare, typed: "sip:a:secret@zaseki.test"}, {plan: bare, typed: "sip:a@exa_mple.com"}, {plan: bare, typed: "sip:a@b.c:x"},
		{plan: bare, typed: "sip:a@[::1%25eth0]"}, {plan: bare, typed: "sip:a@-b.c"}, {plan: bare, typed: "http://1"}, {plan: bare, typed: "1,mama"},
		{plan: bare, typed: strings.Repeat(" ", 5000) + "1"},
	} {
		d, ok := row.plan.Dial(row.typed)
		if !ok {
			d = Dialled{}
		}
		if d != (Dialled{row.number, row.shown, row.then}) {
			t.Errorf("%q: %+v, %v", row.typed, d, ok)
		}
	}
}

func TestOneTelephoneHasSeveralNumbers(t *testing.T) {
	for _, n := range []string{"+81312345678", "010810312345678", "01081312345678", "+810312345678"} {
		if !tokyo.Same(n, "0312345678") {
			t.Errorf("%s is another telephone", n)
		}
	}
	if tokyo.Same("2002", "2003") || tokyo.Same("+1312345678", "0312345678") || (Plan{}).Same("+81312345678", "0312345678") {
		t.Error("two telephones are one")
	}
}

func TestOutsideAndInside(t *testing.T) {
	marks := Plan{Domain: "zaseki.test", Digits: 4, Marks: []Mark{{"Alert-Info", "Internal", false}, {"X-Trunk", "", true}}}
	for _, row := range []struct {
		name, user, host string
		headers          map[string]string
		mark             string
		outside          bool
	}{
		{"a colleague", "2002", "zaseki.test", nil, "", false},
		{"the domain in capitals, with a port and a dot", "2002", "Zaseki.Test.:5060", nil, "", false},
		{"too long for an extension", "20021", "zaseki.test", nil, "", true},
		{"E.164", "+81", "zaseki.test", nil, "", true},
		{"nobody", "", "zaseki.test", nil, "", true},
		{"a name", "anonymous", "zaseki.test", nil, "", true},
		{"another domain", "2002", "trunk", nil, "", true},
		{"a queue", "2002", "zaseki.test", map[string]string{QueueHeader: " sales "}, "sales", true},
		{"the center says inside", "0312345678", "trunk", map[string]string{QueueHeader: "inside", "X-Trunk": "1"}, MarkInside, false},
		{"a PBX's ring type", "0312345678", "10.0.0.1", map[string]string{"Alert-Info": "<x>;info=internal"}, MarkInside, false},
		{"another ring type", "2002", "zaseki.test", map[string]string{"Alert-Info": "<x>;info=external"}, "", false},
		{"a trunk's header", "2002", "zaseki.test", map[string]string{"X-Trunk": "isdn"}, MarkDirect, true},
	} {
		mark := marks.Mark(func(name string) string { return row.headers[name] })
		if mark != row.mark || marks.Outside(row.user, row.host, mark) != row.outside {
			t.Errorf("%s: mark %q, outside %v", row.name, mark, !row.outside)
		}
	}
}

// Whatever was typed: what leaves is harmless on the wire, and its readable form is dialled the same.
func FuzzDial(f *testing.F) {
	for _, s := range []string{"2002", "+81 (0)3-1234", "tel:+81;ext=1;phone-context=+1", "sip:a%40b@zaseki.test:5060;x?y", "callto:１２", "a@[::1]:5", "1,2", "sip:1,2@zaseki.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		for _, p := range []Plan{tokyo, {Domain: "zaseki.test", Digits: 4}, {}} {
			d, ok := p.Dial(typed)
			if !ok {
				continue
			}
			for _, s := range []string{d.Number, d.Shown, d.Then} {
				if strings.ContainsAny(s, " \r\n\t<>\"'();?,/%\\\x00") || len(s) > 2*userMax+hostMax {
					t.Fatalf("%q gave %+v", typed, d)
				}
			}
			again := d.Shown
			if d.Then != "" {
				again += "," + d.Then
			}
			if two, ok := p.Dial(again); d.Number == "" || !ok || two != d {
				t.Fatalf("%q: %+v, again %+v", typed, d, two)
			}
		}
	})
}
