package sip_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// over is the account at the proxy by that transport.
func (p *phone) over(k *proxy, transport string) sip.Account {
	a := p.account(k.addr, transport)
	switch transport {
	case "tls":
		a.Server = k.tls
	case "wss":
		a.Server = "wss://" + k.wss + "/sip"
	}
	a.TLS = &tls.Config{RootCAs: k.roots}
	return a
}

func TestRegister(t *testing.T) {
	for _, algorithm := range []string{"MD5", "SHA256"} {
		k := kamailio(t, "WITH_"+algorithm)
		for _, transport := range []string{"udp", "tcp", "tls", "wss"} {
			t.Run(algorithm+" "+transport, func(t *testing.T) {
				p := newPhone(t, "alice")
				if err := p.Register(p.context(), p.over(k, transport)); err != nil {
					t.Fatal(err)
				}
				if e := expect[sip.Registered](p); e.Expires != time.Minute {
					t.Errorf("expires %v", e.Expires)
				}
				if !p.LocalAddr().IsLoopback() || p.Secure() != (transport == "tls" || transport == "wss") {
					t.Errorf("local address %v, secure %v", p.LocalAddr(), p.Secure())
				}
				p.Refresh()
				expect[sip.Registered](p)
				if err := p.Unregister(p.context()); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestCallsOverEncryptedWays(t *testing.T) {
	k := kamailio(t)
	for _, way := range [][2]string{{"tls", "udp"}, {"udp", "tls"}, {"tls", "tls"}, {"wss", "tls"}, {"tls", "wss"}} {
		for _, gruu := range []bool{false, true} {
			t.Run(strings.Join(way[:], " to ")+map[bool]string{true: " by GRUU"}[gruu], func(t *testing.T) {
				alice, bob := newPhone(t, "alice"), newPhone(t, "bob")
				for i, p := range []*phone{alice, bob} {
					a := p.over(k, way[i])
					a.GRUU = gruu
					a.Instance = "6ba7b810-9dad-11d1-80b4-00c04fd430c" + string(rune('0'+i))
					if err := p.Register(p.context(), a); err != nil {
						t.Fatal(err)
					}
					expect[sip.Registered](p)
				}
				in := talk(t, alice, bob)
				hangup(t, bob, alice, in)
				hold(t, alice, bob)
				for _, p := range []*phone{alice, bob} {
					if err := p.Unregister(p.context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// TestKilledRegistrarHasUsBackWithinASecond, whatever the way to it.
func TestKilledRegistrarHasUsBackWithinASecond(t *testing.T) {
	k, whole := kamailio(t), t
	for _, transport := range []string{"tcp", "tls", "wss", "udp"} {
		t.Run(transport, func(t *testing.T) {
			p := newPhone(t, "alice")
			if err := p.Register(p.context(), p.over(k, transport)); err != nil {
				t.Fatal(err)
			}
			expect[sip.Registered](p)
			k.down()
			if transport == "udp" {
				p.Refresh() // a datagram's way is not lost; the center's word is what makes us look
			}
			for lost := false; !lost; {
				switch e := (<-p.events).(type) {
				case sip.LineLost:
					lost = true
				case sip.Registered:
					t.Fatalf("%+v of a dead registrar", e)
				}
			}
			k.up(whole)
			back := time.Now()
			for registered := false; !registered; {
				select {
				case e := <-p.events:
					_, registered = e.(sip.Registered)
				case <-time.After(10 * time.Second):
					t.Fatal("not registered again")
				}
			}
			if took := time.Since(back); took > time.Second {
				t.Errorf("registered again %v after the registrar was back", took)
			} else {
				t.Logf("registered again %v after the registrar was back", took)
			}
		})
	}
}
