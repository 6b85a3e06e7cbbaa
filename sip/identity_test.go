package sip_test

import (
	"fmt"
	"strings"
	"testing"

	"zaseki/sip"
)

// TestServerSaysWhoTheFarSideIs: with an offer or without one, and only when that can be read.
func TestServerSaysWhoTheFarSideIs(t *testing.T) {
	t.Parallel()
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	s.sends(inviteHead)
	call := expect[sip.Incoming](p)
	answered := make(chan error, 1)
	go func() { answered <- p.Answer(p.context(), call.Call, sdpOf("alice", "sendrecv")) }()
	to := "<sip:alice@zaseki.test>;tag=" + s.toTag()
	says := func(method string, seq int, branch, body string, headers ...string) {
		text := strings.NewReplacer("INVITE sip", method+" sip", "1 INVITE", fmt.Sprint(seq, " ", method), "<sip:alice@zaseki.test>", to, "bKleak", "bK"+branch,
			"Content-Length: 0\r\n\r\n", "").Replace(inviteHead)
		if body != "" {
			headers = append(headers, "Content-Type: application/sdp")
		}
		for _, h := range headers {
			text += h + "\r\n"
		}
		s.sends(text + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body))
	}
	says("ACK", 1, "ack", "")
	if err := within2(t, answered); err != nil {
		t.Fatal(err)
	}
	for i, row := range []struct{ method, body, identity, want string }{
		{"UPDATE", "", `"Tanaka" <sip:0312345678@zaseki.test>`, "0312345678 Tanaka direct"},
		{"UPDATE", "", `"Tanaka" <sip:unfinished`, ""},
		{"UPDATE", "", "\"a\u202eb\" <sip:1@zaseki.test>", ""},
		{"UPDATE", sdpOf("bob", "sendrecv"), `<sip:2002@zaseki.test>`, "2002  direct"},
		{"INVITE", sdpOf("bob", "sendrecv"), `"佐藤" <sip:2003@zaseki.test>`, "2003 佐藤 direct"},
	} {
		says(row.method, 2+i, fmt.Sprint("u", i), row.body, "P-Asserted-Identity: "+row.identity, "X-Center-Call: direct")
		s.toTag() // of its 200
		if row.method == "INVITE" {
			says("ACK", 2+i, "ack2", "")
		}
		if row.want == "" {
			continue
		}
		e := expect[sip.Identity](p)
		if got := e.User + " " + e.Display + " " + e.Header("X-Center-Call"); got != row.want || e.Call != call.Call || e.Host != "zaseki.test" {
			t.Errorf("%s %s: %s", row.method, row.identity, got)
		}
	}
}
