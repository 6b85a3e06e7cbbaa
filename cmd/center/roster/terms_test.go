package roster

import (
	"fmt"
	"testing"

	"zaseki/web/uplink"
	"zaseki/web/wire"
)

// welcomes are how often the phone was given new settings, and the last of them.
func (p *phone) welcomes() (n int, last wire.Welcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if w, ok := e.(uplink.Welcomed); ok {
			n, last = n+1, w.Welcome
		}
	}
	return n, last
}

// wantWelcome waits until the phone goes by what is wanted.
func (p *phone) wantWelcome(what string, is func(wire.Welcome) bool) {
	p.t.Helper()
	eventually(p.t, what, func() bool {
		n, last := p.welcomes()
		return n > 0 && is(last)
	})
	p.connected()
}

func putRow(t *testing.T, c *center, s Setup) {
	t.Helper()
	_, err := c.Put(t.Context(), s, nil, "boss")
	must(t, err)
}

func TestAPolicyReachesPhonesThatAreSignedIn(t *testing.T) {
	t.Parallel()
	c := newCenter(t, nil, func(s *Setup) {
		s.Groups = []Group{{ID: "night", Name: "Night"}}
		s.Accounts[0].Groups = []string{"night"}
	})
	alice := newPhone(t, c, "alice", "pc1").in("2001", wire.StatusAvailable, "1")
	bob := newPhone(t, c, "bob", "pc2").in("2002", wire.StatusAway, "")
	alice.connected()
	bob.connected()
	alice.call(wire.CallReport{ID: "c1", Inbound: true, Outside: true}, wire.CallOffered, wire.CallTalking)

	never := false
	putRow(t, c, Setup{Policies: []Policy{{ID: "n", Name: "夜間", Groups: []string{"night"}, Set: PolicySet{Keep: &never, Locked: wire.Values{
		wire.SetRingVolume: float64(60), wire.SetHotkeyAnswer: "alt+ctrl+a", wire.SetLocalOrigins: []any{"https://crm.example"}}}}}})
	alice.wantWelcome("the policy at alice's phone", func(w wire.Welcome) bool {
		return !w.Desk.Keep && w.Desk.By == "夜間" && w.Desk.Locked.Number(wire.SetRingVolume) == 60 && w.Desk.Locked.Text(wire.SetHotkeyAnswer) == "Ctrl+Alt+A" &&
			fmt.Sprint(w.Desk.Locked.List(wire.SetLocalOrigins)) == "[https://crm.example]"
	})
	if a := c.agent("alice"); len(a.Calls) != 1 || a.Calls[0].Phase != wire.CallTalking || a.Seat != "1" {
		t.Errorf("the call and the seat have not survived: %+v", a)
	}
	if n, _ := bob.welcomes(); n != 0 {
		t.Errorf("bob's phone was disturbed %d times by a policy for others", n)
	}

	// What no phone goes by disturbs none.
	site := c.Site()
	site.Misses, site.RingSeconds = 9, 40
	putRow(t, c, Setup{Site: &site})
	putRow(t, c, Setup{Groups: []Group{{ID: "day", Name: "Day"}}})
	before, _ := alice.welcomes()

	putRow(t, c, Setup{Statuses: []wire.StatusDef{{ID: "lunch", Name: wire.Words{"en": "Lunch", "ja": "昼休み"}, Class: "pause"}}})
	for _, p := range []*phone{alice, bob} {
		p.wantWelcome("the new status", func(w wire.Welcome) bool { return w.Statuses[len(w.Statuses)-1].ID == "lunch" })
	}
	if n, _ := alice.welcomes(); n != before+1 {
		t.Errorf("alice's phone was disturbed %d times, not once", n-before)
	}
	must(t, c.Remove(t.Context(), KindPolicy, "n", nil, "boss"))
	alice.wantWelcome("the policy is gone", func(w wire.Welcome) bool { return w.Desk.Keep && len(w.Desk.Locked) == 0 && w.Desk.By == "" })
}

func TestAPolicyReachesAPhoneThatWasAwayMeanwhile(t *testing.T) {
	c := newCenter(t, nil, nil)
	cut := newCable(t, c.url)
	p := newPhoneAt(t, cut.url, "alice", "pc1")
	p.in("2001", wire.StatusAway, "")
	p.connected()
	cut.pull()
	no := false
	putRow(t, c, Setup{Policies: []Policy{{ID: "p", Name: "P", Set: PolicySet{Keep: &no}}}})
	eventually(t, "the phone is off the line", func() bool { _, off := told[uplink.Offline](p); return off })
	cut.plugInto(c.url)
	p.wantWelcome("the policy after the break", func(w wire.Welcome) bool { return !w.Desk.Keep })
}

func TestLockedSettingsAreChecked(t *testing.T) {
	c := newCenter(t, nil, nil)
	for name, values := range map[string]wire.Values{
		"set.locked.no.such":       {"no.such": true},
		"set.locked.ring.volume":   {wire.SetRingVolume: 101.0},
		"set.locked.page.look":     {wire.SetLook: "pink"},
		"set.locked.hotkey.mute":   {wire.SetHotkeyMute: "M"},
		"set.locked.sign.auto":     {wire.SetAutoSignIn: "yes"},
		"set.locked.crm.origins":   {wire.SetLocalOrigins: "https://crm.example"},
		"set.locked.calls.in_band": {wire.SetInBand: nil},
	} {
		_, err := c.Put(t.Context(), Setup{Policies: []Policy{{ID: "p", Name: "P", Set: PolicySet{Locked: values}}}}, nil, "boss")
		if f := Faults(err); len(f) != 1 || f[0].Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	putRow(t, c, Setup{Policies: []Policy{{ID: "p", Name: "P", Set: PolicySet{Locked: wire.Values{wire.SetHotkeyAnswer: "", wire.SetSize: 120.0}}}}})
	touched := c.Preview(Policy{ID: "p", Name: "P", Accounts: []string{"alice"}, Set: PolicySet{Locked: wire.Values{wire.SetSize: 150.0}}})
	shifts := map[string]string{}
	for _, x := range touched {
		for _, s := range x.Fields {
			shifts[x.Account+" "+s.Field] = fmt.Sprint(s.Was, " ", s.Is)
		}
	}
	if shifts["alice locked.page.size"] != "120 150" || shifts["alice locked.hotkey.answer"] != " <nil>" || shifts["bob locked.page.size"] != "120 <nil>" {
		t.Errorf("%v", shifts)
	}
}

func TestALinkToACustomerSystemGoesWhereItSays(t *testing.T) {
	d := newDesk(t, setup())
	for text, good := range map[string]bool{
		"https://crm.example/{caller}?id={callId}&a={account}": true,
		"https://crm.example/?n={called}":                      true,
		"https://{caller}.example/":                            false,
		"https://crm.example{caller}/":                         false,
		"https://crm.example/{number}":                         false,
		"https://crm.example/{caller":                          false,
		"https://crm.example/caller}":                          false,
		"javascript:alert({caller})":                           false,
		"{caller}":                                             false,
	} {
		p := plan{view: d.view, setup: Setup{Policies: []Policy{{ID: "p", Name: "P", Set: PolicySet{CRM: &wire.CRM{Call: text, When: "ring"}}}}}}
		if err := p.check(); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
