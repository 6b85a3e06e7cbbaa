package cmd_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
)

// second starts a second phone and signs that account in there, on a page of its own in the same browser.
func (d *day) second(account, status string) *stage.Page {
	d.Helper()
	phone, err := stage.StartPhone(context.Background(), filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, account), d.center.String("http"))
	d.must(err)
	d.Cleanup(func() {
		if d.Failed() {
			d.Logf("the colleague's phone:\n%s", tail(phone))
		}
		phone.Stop()
	})
	page, err := d.browser.Open(stage.English(phone.String("panel"), ""), stage.View{})
	d.must(err)
	d.raw(page)
	d.must(page.Type("Account", account))
	d.must(page.Type("Password", stage.Password))
	d.must(page.Click("button", "Sign in"))
	d.must(page.Select("Status", status))
	d.must(page.Click("button", "Sign in"))
	d.must(page.Wait("StaticText", "Line registered…"))
	return page
}

// TestACallIsTransferredThroughThePages: a customer is refused to a wrong number and comes back by itself, is sent on after
// asking, sent back without asking, and talked to by two at once; who hears whom is told by the speech at every step.
func TestACallIsTransferredThroughThePages(t *testing.T) {
	d := newDay(t, nil)
	customer := d.inCall()
	second := d.second("agent2", "Available")

	// To a number that nobody has: told in words, and the customer is back with sound both ways.
	d.must(d.page.Click("button", "Transfer"))
	d.must(d.page.Type("Transfer to", "2999"))
	d.must(d.page.Click("button", "Transfer now"))
	d.must(d.page.Wait("StaticText", "2999 did not take the call…"))
	d.must(d.page.Wait("button", "Hold"))
	d.talk(customer, d.page, " after a transfer that failed")

	// Ask first: the colleague is called while the customer is held, then both are brought together.
	d.must(d.page.Click("button", "Transfer"))
	d.must(d.page.Type("Transfer to", "2002"))
	d.must(d.page.Click("button", "Ask first"))
	d.must(second.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Conference")) // offered once somebody answered
	d.must(d.page.Click("button", "Connect them"))
	d.must(d.page.Gone("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))
	d.must(second.Wait("button", "Mute"))
	d.must(second.Wait("StaticText", "Tanaka")) // whom one talks to now, not who sent it on
	d.same("the colleague's page played", d.customerSays, d.plays(second, 5*time.Second))
	d.same("the customer heard the colleague", d.agentSays, d.hears(customer, 4*time.Second))

	// Back without asking: the first agent is Available again and is rung; the colleague is out of it.
	d.must(d.page.Wait("button", "Available…"))
	d.must(second.Click("button", "Transfer"))
	d.must(second.Type("Transfer to", "2001"))
	d.must(second.Click("button", "Transfer now"))
	d.must(d.page.Click("button", "Answer"))
	d.must(second.Gone("button", "Hang up"))
	d.must(second.Wait("button", "After-call work…")) // it was an outside call
	d.talk(customer, d.page, " after the way back")

	// Three at once.
	d.must(d.page.Click("button", "Transfer"))
	d.must(d.page.Type("Transfer to", "2002"))
	d.must(d.page.Click("button", "Ask first"))
	d.must(second.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Conference"))
	d.must(d.page.Click("button", "Conference"))
	d.must(d.page.Wait("heading", "Conference of 3"))
	d.must(d.page.Click("button", "Mute")) // the agents' microphones hear one tape: one speaks at a time
	d.same("the colleague in the conference hears the customer", d.customerSays, d.plays(second, 5*time.Second))
	d.must(d.page.Click("button", "Mute"))
	d.must(second.Click("button", "Mute"))
	d.same("the customer in the conference hears the agent", d.agentSays, d.hears(customer, 4*time.Second))
	d.must(d.page.Click("button", "End conference"))
	d.must(d.page.Wait("button", "Connect them"))

	// Why: everything that happened to a call stands there, and no secret in it.
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Click("link", "Calls…"))
	d.must(d.page.Click("button", "What happened in the call with 2002"))
	d.must(d.page.Wait("StaticText", "INVITE"))
	d.must(d.page.Wait("StaticText", "200 OK (INVITE)"))
	said, err := stage.Eval[string](d.page, `document.querySelector("dialog[open]").textContent`) // whole messages are folded away
	d.must(err)
	if !strings.Contains(said, "•••") || strings.Contains(said, "response=") {
		t.Errorf("no masked digest answer in the dialogue, or one that is not:\n%s", said)
	}
}
