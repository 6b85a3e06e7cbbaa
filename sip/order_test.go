package sip_test

import (
	"fmt"
	"strings"
	"testing"

	sipgo "github.com/emiago/sipgo/sip"

	"zaseki/sip"
)

// TestWhoGaveUpIsGoneBeforeTheNextCallRings: of two calls that follow each other at once the first has ended when the second
// comes, else a phone that takes one call at a time says that it is busy.
func TestWhoGaveUpIsGoneBeforeTheNextCallRings(t *testing.T) {
	s, p := newServer(t), newPhone(t, "alice")
	s.registers(p)
	number := func(i int, message string) string {
		return strings.NewReplacer("bKleak", fmt.Sprint("bKorder", i), "Call-ID: leak", fmt.Sprint("Call-ID: order", i)).Replace(message)
	}
	give := strings.NewReplacer("INVITE sip", "CANCEL sip", "1 INVITE", "1 CANCEL").Replace(inviteHead)
	s.sends(number(0, inviteHead))
	for i := range 300 {
		ringing := expect[sip.Incoming](p)
		s.sends(number(i, give))
		s.sends(number(i+1, inviteHead))
		if e := expect[sip.Ended](p); e.Call != ringing.Call || e.Code != 487 {
			t.Fatalf("round %d: %+v", i, e)
		}
		refused := s.getsFinal(487)
		ack := strings.NewReplacer("INVITE sip", "ACK sip", "1 INVITE", "1 ACK").Replace(inviteHead)
		s.sends(strings.Replace(number(i, ack), "<sip:alice@zaseki.test>", refused.To().Value(), 1))
	}
}

// getsFinal is the next answer with that code.
func (s *server) getsFinal(code int) *sipgo.Response {
	s.t.Helper()
	for {
		if res, ok := s.reads().(*sipgo.Response); ok && res.StatusCode == code {
			return res
		}
	}
}
