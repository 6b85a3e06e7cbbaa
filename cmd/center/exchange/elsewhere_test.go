package exchange

import (
	"strings"
	"sync/atomic"
	"testing"

	"zaseki/sip"
)

// TestAPhoneFindsTheNodeThatServesIt: it registers at one that does not, is sent to the one that does, and comes back when that is
// another again. Calls are sent there too.
func TestAPhoneFindsTheNodeThatServesIt(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			serves := newFloor(t, nil)
			var away atomic.Bool
			away.Store(true)
			other := newFloor(t, func(c *Config) {
				c.Elsewhere = func(bool) (string, bool) { return serves.x.Addr(), away.Load() }
			})
			p := other.phone("1001", transport)
			if len(other.x.Registered()) != 0 || len(serves.x.Registered()) != 1 {
				t.Fatalf("registered here %v, there %v", other.x.Registered(), serves.x.Registered())
			}
			connect(t, p, serves.phone("1002", "udp"), "1002")

			number := "sip:7000@" + domain
			answer := other.raw().ask("INVITE", number, number, long, "Contact: <sip:x@127.0.0.1:9>")
			if status(answer) != "302" || header(answer, "Contact") != "<sip:7000@"+serves.x.Addr()+">" {
				t.Errorf("a call is answered %s", answer)
			}
			away.Store(false) // this node serves now
			if answer := other.raw().ask("INVITE", number, number, long, "Contact: <sip:x@127.0.0.1:9>"); status(answer) != "407" {
				t.Errorf("a call is answered %s", answer)
			}
			q := other.phone("1003", transport)
			if len(other.x.Registered()) != 1 {
				t.Errorf("registered %v", other.x.Registered())
			}
			if err := q.Dial(ctxFor(t), "x", "1001", offer); err != nil {
				t.Fatal(err)
			}
			if e := next[sip.Failed](q); e.Code != 480 {
				t.Errorf("who is registered there is called here: %d", e.Code)
			}
		})
	}
}

// TestNumbersStayInTheirPlace: a number that is no part of a URI does not become one.
func TestNumbersStayInTheirPlace(t *testing.T) {
	f := newFloor(t, func(c *Config) { c.Elsewhere = func(bool) (string, bool) { return "192.0.2.1:5060", true } })
	number := "sip:7%3E%0d%0aX:1@" + domain
	answer := f.raw().ask("INVITE", number, number, long, "Contact: <sip:x@127.0.0.1:9>")
	if at := header(answer, "Contact"); strings.Contains(answer, "\r\nX:1") || at != "<sip:7%3E%250d%250aX@192.0.2.1:5060>" {
		t.Errorf("answered %q", answer)
	}
}
