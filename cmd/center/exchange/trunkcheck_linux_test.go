package exchange

import (
	"net"
	"strings"
	"testing"
	"time"

	"zaseki/sip"
)

// TestAProviderByUDPIsStartedAnew: it has forgotten us and answers everything else; a call to our number comes in again long before the
// registration would have been renewed.
func TestAProviderByUDPIsStartedAnew(t *testing.T) {
	addr, again := kamailio(t, "testdata/provider.cfg", "127.0.0.1")
	f := newFloor(t, func(c *Config) {
		c.Ask = 200 * time.Millisecond
		stands(Outside{Trunks: []Provider{{User: "trunk", Server: addr, Transport: "udp", Account: "zaseki", Domain: "provider.test",
			Secret: secret("zaseki-secret"), Register: true, Expires: time.Hour, Numbers: map[string]string{"0312345678": "1001"}}}})(c)
	})
	registered := func() bool { s := f.x.Trunks(); return len(s) == 1 && s[0].State == "registered" }
	until(t, "the trunk registers", registered)
	before := f.x.Trunks()[0].Since
	again()
	until(t, "the trunk registers again", func() bool { return registered() && f.x.Trunks()[0].Since != before })
	agent, customer := f.phone("1001", "udp"), f.subscriber("0398765432", addr)
	if err := customer.Dial(ctxFor(t), "in", "0312345678", offer); err != nil {
		t.Fatal(err)
	}
	in := next[sip.Incoming](agent)
	agent.Reject(ctxFor(t), in.Call, 486, "")
	next[sip.Failed](customer)
}

// TestAProviderThatSaysNothingIsSeen, where we do not register; and when it is back.
func TestAProviderThatSaysNothingIsSeen(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := silent.LocalAddr().String()
	f := newFloor(t, func(c *Config) {
		c.Ask = 100 * time.Millisecond
		stands(Outside{Trunks: []Provider{{User: "trunk", Server: at, Transport: "udp", Account: "zaseki", Domain: "provider.test"}}})(c)
	})
	until(t, "the exchange knows its trunk", func() bool { return len(f.x.Trunks()) == 1 })
	state := func() TrunkState { return f.x.Trunks()[0] }
	until(t, "its silence is seen", func() bool { s := state(); return s.State == "unregistered" && strings.Contains(s.Reason, "OPTIONS") })
	if f.x.trunks.named("trunk").ready() {
		t.Error("calls go there first all the same")
	}
	silent.Close()
	back := newFloor(t, func(c *Config) { c.Listen = at })
	until(t, "its answer is seen", func() bool { return state().Reason == "" })
	if !f.x.trunks.named("trunk").ready() {
		t.Error("calls do not go there though it answers")
	}
	back.stop()
	until(t, "it is gone again", func() bool { return state().Reason != "" })
}
