package cmd_test

import (
	"testing"
	"time"
)

// TestEncryptedTerminalsTalkUnderALockAndToNobodyElse: encrypted terminals register at the center over TLS, trusted by its own
// authority; their call shows the lock on both pages, also after one of three has connected the others; a terminal without
// encryption is refused, in words on its page.
func TestEncryptedTerminalsTalkUnderALockAndToNobodyElse(t *testing.T) {
	d := newDay(t, nil)
	d.signIn("agent3", "On break", "2")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	d.must(d.page.Wait("image", "Encrypted terminal"))
	second := d.second("agent4", "On break")
	d.must(d.page.Type("Number", "2004"))
	d.must(d.page.Click("button", "Dial"))
	d.must(second.Click("button", "Answer"))
	d.must(second.Wait("button", "Mute"))
	d.must(d.page.Wait("image", "Encrypted call"))
	d.must(second.Wait("image", "Encrypted call"))
	d.must(d.page.Click("button", "Mute")) // both microphones hear one tape
	d.same("the first heard the second", d.agentSays, d.plays(d.page, 4*time.Second))
	d.must(d.page.Click("button", "Mute"))

	// An attended transfer: new keys for those who stay, and the lock stays too.
	third := d.second("agent5", "On break")
	d.must(d.page.Click("button", "Transfer"))
	d.must(d.page.Type("Transfer to", "2005"))
	d.must(d.page.Click("button", "Ask first"))
	d.must(third.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Conference")) // offered once somebody answered
	d.must(d.page.Click("button", "Connect them"))
	d.must(d.page.Gone("button", "Hang up"))
	d.must(second.Click("button", "Mute"))
	d.same("the second heard the third", d.agentSays, d.plays(second, 4*time.Second))
	d.must(second.Wait("image", "Encrypted call"))
	d.must(third.Wait("image", "Encrypted call"))
	d.must(second.Click("button", "Hang up"))
	d.must(third.Gone("button", "Hang up"))

	plain := d.second("agent1", "On break")
	d.must(plain.Type("Number", "2003"))
	d.must(plain.Click("button", "Dial"))
	d.must(plain.Wait("StaticText", "The other side has no voice format or encryption…"))
	if d.page.Has("button", "Answer") {
		t.Error("an encrypted terminal rings for a call in plain")
	}
}
