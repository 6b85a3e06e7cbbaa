package roster

import (
	"fmt"
	"testing"
)

func TestAProbeKeyLivesAndDiesWithItsSession(t *testing.T) {
	dir := t.TempDir()
	tune := func(c *Config) { c.Probe = func(host string) string { return host + ":9" } }
	c := startCenter(t, dir, tune)
	if err := c.Apply(t.Context(), setup(), "test"); err != nil {
		t.Fatal(err)
	}
	alice := newPhone(t, c, "alice", "pc").in("2001", "away", "")
	bob := newPhone(t, c, "bob", "pc").in("2002", "away", "")
	one, two := alice.welcome.Probe, bob.welcome.Probe
	if one == nil || two == nil || one.Addr != "127.0.0.1:9" || string(one.Key) == string(two.Key) {
		t.Fatalf("%+v, %+v", one, two)
	}
	if !c.Probing(ProbeKey(one.Key)) || !c.Probing(ProbeKey(two.Key)) || c.Probing(ProbeKey{}) {
		t.Error("who is signed in has a key, and nobody else")
	}
	if err := alice.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.Probing(ProbeKey(one.Key)) {
		t.Error("the key outlives its session")
	}
	c.stop()
	again := startCenter(t, dir, tune)
	if again.Probing(ProbeKey(two.Key)) {
		t.Error("a key is known before its phone is back")
	}
	session := again.view.agents["bob"].v.Session
	if k := again.letProbe("bob", session.ID); string(k[:]) != string(two.Key) || !again.Probing(k) {
		t.Error("the center was started again, and bob's key is another")
	}
}

func TestKeysOfEndedSessionsAreForgotten(t *testing.T) {
	c := newCenter(t, nil, nil)
	for i := range 1000 {
		c.letProbe("alice", fmt.Sprint(i))
	}
	if n := len(c.probes); n > 20 {
		t.Errorf("%d keys of four accounts", n)
	}
}
