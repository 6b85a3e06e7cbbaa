package cmd_test

import (
	"context"
	"fmt"
	"testing"

	"zaseki/media"
)

// ring lets one side call the other; what becomes of it is "talking", "refused" by us, "not secure" or their code.
func (d *deskphone) ring(b *baresip, weCall bool, sec media.Security) (call, phase string) {
	d.t.Helper()
	b.forget()
	d.mu.Lock()
	d.sec = sec
	d.mu.Unlock()
	if weCall {
		d.calls++
		call = fmt.Sprint("out", d.calls)
		offer, err := d.sound.OpenLine(call, d.line.LocalAddr(), sec)
		if err == nil {
			err = d.line.Dial(context.Background(), call, b.user, offer)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		return call, d.becomes(call, "")
	}
	d.note("", "")
	b.order("dial", "sip:agent@pbx.test")
	if call = d.becomes("", ""); call == "refused" || call == "no ACK" {
		return "", call
	}
	return call, d.becomes(call, "talking")
}

// holds puts the call on hold and takes it back, each side in turn.
func (d *deskphone) holds(b *baresip, call string) {
	d.t.Helper()
	d.reoffer(call, true)
	d.flows("we hold", call, true, false) // silence goes out
	d.reoffer(call, false)
	d.flows("we resumed", call, true, true)
	b.order("hold", "")
	d.flows("they hold", call, false, false)
	b.order("resume", "")
	d.flows("they resumed", call, true, true)
}

// goesOn takes a call that both have heard to its end: hold and resume if wanted, and the hang-up, which baresip sees since mark.
func (d *deskphone) goesOn(b *baresip, call string, mark int, hold bool) {
	d.t.Helper()
	if hold {
		d.holds(b, call)
		d.hears("after hold and resume")
	}
	d.flows("at the end", call, true, true)
	if err := d.line.Hangup(context.Background(), call); err != nil {
		d.t.Error(err)
	}
	b.sees("CALL_CLOSED", mark)
	if s := b.heard(); s < 0.9 {
		d.t.Errorf("%.2f of what baresip heard is our tone", s)
	}
}

// TestSecurityMatrixWithBaresip: each of baresip's ways to encrypt against each of our policies, whoever calls, through a
// real Kamailio. Over UDP, so keys in the description are allowed by name.
func TestSecurityMatrixWithBaresip(t *testing.T) {
	need(t, "kamailio", "baresip")
	const (
		secret    = "matrix-secret"
		refused   = "refused"
		keys      = "AES_CM_128_HMAC_SHA1_80"
		handshake = "DTLS AES_CM_128_HMAC_SHA1_80"
	)
	off := media.Security{Policy: media.PolicyOff}
	optional := media.Security{Policy: media.PolicyOptional, Keys: true}
	required := media.Security{Policy: media.PolicyRequired, Keys: true}
	dtls := media.Security{Policy: media.PolicyDTLS}
	rows := []struct {
		mediaenc string
		sec      media.Security
		we, they string // the suite when we call and when they call, or what becomes of it
		hold     bool
	}{
		{"", off, "", "", true},
		{"", optional, "", "", false},
		{"", required, "488", refused, false},
		{"", dtls, "488", refused, false},
		{"srtp", off, "", "", false},
		{"srtp", optional, keys, keys, true},
		{"srtp", required, keys, keys, false},
		{"srtp", dtls, "488", refused, false},
		{"srtp-mand", off, "488", refused, false},
		{"srtp-mand", optional, "488", keys, false},
		{"srtp-mand", required, keys, keys, true},
		{"srtp-mand", dtls, "488", refused, false},
		{"dtls_srtp", off, "488", refused, false},
		{"dtls_srtp", optional, "488", handshake, false},
		{"dtls_srtp", required, "not secure", handshake, false}, // it answers keys with nothing
		{"dtls_srtp", dtls, handshake, handshake, true},
	}
	server := freePort(t, "127.0.9.1")
	kamailio(t, t.TempDir(), server, secret, `"SHA-256"`, `"MD5"`) // baresip 1.0 knows no other
	d := newDeskphone(t, server, secret)
	var b *baresip
	for i, row := range rows {
		if i == 0 || rows[i-1].mediaenc != row.mediaenc {
			b = newBaresip(t, server, secret, row.mediaenc)
		}
		for _, weCall := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, %s, we call %v", row.mediaenc, row.sec.Policy, weCall), func(t *testing.T) {
				d.t, b.t = t, t
				want := map[bool]string{true: row.we, false: row.they}[weCall]
				mark := b.mark()
				call, phase := d.ring(b, weCall, row.sec)
				if phase != "talking" {
					if phase != want {
						t.Errorf("%s, wanted %s", phase, want)
					}
					if !weCall {
						b.sees("CALL_CLOSED", mark)
					}
					return
				}
				d.hears("after the answer")
				if st := d.sound.Stats(call); st.Secure != want {
					t.Errorf("encrypted by %q, wanted %q", st.Secure, want)
				}
				d.goesOn(b, call, mark, row.hold)
			})
		}
	}
}
