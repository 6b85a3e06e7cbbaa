package cmd_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
	"zaseki/sip"
)

// TestOneWorkingDay is the main job with both programs, a browser page driven by role and name, and real speech both ways.
func TestOneWorkingDay(t *testing.T) {
	d := newDay(t, nil)
	customer := d.customer()

	// A wrong password is told in words, and what was typed is kept.
	d.must(d.page.Type("Account", "agent1"))
	d.must(d.page.Type("Password", "not the pass phrase"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("alert", "…"))
	d.must(d.page.Wait("StaticText", "The account or the password is not right…"))
	if v, err := d.page.Value("textbox", "Account"); err != nil || v != "agent1" {
		t.Fatalf("the account field holds %q (%v)", v, err)
	}

	// A second seat view is open while seat 2 is taken (E2).
	d.signIn("agent1", "On break", "2")
	d.must(d.page.Wait("StaticText", "Test Center"))
	seats, err := d.browser.Open(stage.English(d.phone.String("panel"), "seats"), stage.View{Width: 900, Height: 600})
	d.must(err)
	d.must(seats.Wait("button", "2, Agent 1, On break"))

	// Nobody is Available: the queue waits; then the status changes, everywhere, and the phone rings.
	_, err = customer.Call(context.Background(), stage.Queue)
	d.must(err)
	if d.page.Has("button", "Answer") {
		t.Fatal("an outside call rings in On break")
	}
	d.must(d.page.Click("button", "On break…"))
	d.must(d.page.Click("menuitemradio", "Available"))
	d.must(d.page.Wait("button", "Answer"))
	d.must(seats.Wait("button", "2, Agent 1, Ringing"))
	seats.Close()

	// Talk: both sides hear what the other said.
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	d.talk(customer, d.page, "")
	d.reload(customer)
	d.muteAndHold(customer)

	// Hang up: after-call work, then Available by itself (D10).
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))
	d.must(d.page.Wait("button", "Available…"))

	// Break: an outside call straight to the extension is refused with 480 by the phone itself.
	d.must(d.page.Context("button", "Available…"))
	d.must(d.page.Click("menuitemradio", "On break"))
	d.must(d.page.Wait("button", "On break…"))
	d.refused(customer, "2001")

	// Sign out, sign in again, exit by the menu; the process ends by itself.
	d.must(d.page.Context("button", "On break…"))
	d.must(d.page.Click("menuitem", "Sign out"))
	d.must(d.page.Wait("textbox", "Password"))
	d.must(d.page.Context("heading", "Sign in"))
	d.must(d.page.Click("menuitem", "Exit"))
	select {
	case <-d.phone.Done():
		if d.phone.Code() != 0 {
			t.Fatalf("exit status %d\n%s", d.phone.Code(), tail(d.phone))
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("the phone does not end\n%s", tail(d.phone))
	}
	if !d.center.Stop() {
		t.Error("the center does not end by itself")
	}
}

// inCall signs agent1 in and has it answer a customer of the queue.
func (d *day) inCall() *stage.Customer {
	d.Helper()
	customer := d.customer()
	d.signIn("agent1", "Available", "2")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))
	return customer
}

// TestACallOutlivesTheCenter: killed in a call, the center takes no call along; started again, it finds agent, seat and line as
// they were, and the next call rings.
func TestACallOutlivesTheCenter(t *testing.T) {
	d := newDay(t, nil)
	customer := d.inCall()

	d.center.Kill()
	d.must(d.page.Wait("button", "Connection lost…"))
	d.talk(customer, d.page, " while the center is down")
	d.must(d.page.Click("button", "Hold")) // nobody answers; hanging up does not wait for that
	began := time.Now()
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("hanging up took %v, waiting for a hold or a BYE that nobody answers", took)
	}

	var err error
	d.center, err = stage.Restart(context.Background(), filepath.Join(d.dir, "center"), d.dir, d.center)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	d.must(d.page.Wait("StaticText", "Center connected"))
	d.must(d.page.Wait("StaticText", "Account agent1 · Ext. 2001 · Seat 2"))
	d.must(d.page.Wait("StaticText", "Line registered…"))
	d.must(d.page.Wait("button", "Available…"))
	_, err = d.customer().Call(context.Background(), stage.Queue) // its trunk has registered anew
	d.must(err)
	d.must(d.page.Wait("button", "Answer"))
}

// TestWhatCannotBeDoneIsToldInWords: a seat that is taken, and a center that is not there; nothing typed is lost.
//
//ci:still
func TestWhatCannotBeDoneIsToldInWords(t *testing.T) {
	d := newDay(t, nil)
	d.signIn("agent1", "On break", "2")
	first := d.page

	second, err := stage.StartPhone(context.Background(), filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "second"), d.center.String("http"))
	d.must(err)
	t.Cleanup(func() { second.Stop() })
	d.page, err = d.browser.Open(stage.English(second.String("panel"), ""), stage.View{})
	d.must(err)
	d.must(d.page.Type("Account", "agent2"))
	d.must(d.page.Type("Password", stage.Password))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Select("Seat", "2"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("StaticText", "Seat 2 is taken by Agent 1 since…"))
	d.must(d.page.Click("button", "Take over from Agent 1"))
	d.must(d.page.Wait("StaticText", "Account agent2 · Ext. 2002 · Seat 2"))
	d.must(first.Wait("StaticText", "Agent 2 has taken seat 2 over…")) // A8: told
	d.must(first.Wait("StaticText", "Account agent1 · Ext. 2001 · Not seated"))

	// The center goes away: shown at once, and a sign-in afterwards says so and keeps the account.
	d.must(d.page.Context("button", "Away…"))
	d.must(d.page.Click("menuitem", "Sign out"))
	d.must(d.page.Wait("textbox", "Password"))
	if !d.center.Stop() {
		t.Error("the center does not end by itself")
	}
	d.must(first.Wait("button", "Connection lost…"))
	d.must(d.page.Type("Account", "agent2"))
	d.must(d.page.Type("Password", stage.Password))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("StaticText", "The center at http://127.0.0.1…"))
	if v, err := d.page.Value("textbox", "Account"); err != nil || v != "agent2" {
		t.Errorf("the account field holds %q (%v)", v, err)
	}
}

// talk: both speak, and each hears the other.
func (d *day) talk(c *stage.Customer, p *stage.Page, when string) {
	d.Helper()
	if !hear.Tries(2, func() bool {
		from := c.Ear.Now()
		played := d.listen(p, 5*time.Second)
		heard := c.Ear.Heard(from)
		heard = heard[max(0, len(heard)-5*8000):]
		there := d.alike("the page played"+when, d.customerSays, played)
		return d.alike("the customer heard"+when, d.agentSays, heard) && there
	}) {
		d.Errorf("they do not hear each other%s", when)
	}
}

// reload: the caller is not dropped and sound is back in under two seconds.
func (d *day) reload(c *stage.Customer) {
	d.Helper()
	from := c.Ear.Now()
	d.must(d.page.Reload())
	time.Sleep(2 * time.Second) // of these the caller may miss speech, but no packet
	if len(c.Calls()) != 1 {
		d.Fatal("the reload dropped the caller")
	}
	if heard := c.Ear.Heard(from); len(heard) < 15000 {
		d.Fatalf("the line was not kept alive: %d samples in two seconds", len(heard))
	}
	d.same("the customer heard two seconds after the reload", d.agentSays, d.hears(c, 4*time.Second))
	d.talk(c, d.page, " after the reload")
}

// muteAndHold: silence with packets flowing, then speech again.
func (d *day) muteAndHold(c *stage.Customer) {
	d.Helper()
	quiet := func(what string) {
		d.Helper()
		time.Sleep(500 * time.Millisecond) // what is under way arrives
		from := c.Ear.Now()
		time.Sleep(time.Second)
		heard := c.Ear.Heard(from)
		if level := hear.Level(heard); len(heard) < 7000 || level > 30 {
			d.Errorf("%s: %d samples of level %.0f, want silence with packets flowing", what, len(heard), level)
		}
	}
	d.must(d.page.Click("button", "Mute"))
	quiet("muted")
	d.must(d.page.Click("button", "Mute"))
	d.must(d.page.Click("button", "Hold"))
	d.must(d.page.Click("button", "Resume"))
	d.must(d.page.Wait("button", "Hold"))
	d.same("the customer heard after mute and hold", d.agentSays, d.hears(c, 4*time.Second))
}

// refused: the call ends with 480 and never rings here.
func (d *day) refused(c *stage.Customer, number string) {
	d.Helper()
	for len(c.Events) > 0 {
		<-c.Events
	}
	line, err := c.Call(context.Background(), number)
	d.must(err)
	for end := time.After(10 * time.Second); ; {
		select {
		case e := <-c.Events:
			if f, ok := e.(sip.Failed); ok && f.Call == line {
				if f.Code != 480 {
					d.Errorf("refused with %d %s, want 480", f.Code, f.Reason)
				}
				return
			}
		case <-end:
			d.Fatal("the outside call in On break got no final answer")
		}
	}
}
