package cmd_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
	"zaseki/sip"
)

// need says that a tool must be there: in CI its absence is a failure, elsewhere the test is skipped with the reason.
func need(t *testing.T, tools ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("whole-product test: not with -short")
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is not installed; .ci/test installs it", tool)
			}
			t.Skipf("%s is not installed", tool)
		}
	}
}

// day is what the whole-product tests share: both programs, a page, speech for both mouths.
type day struct {
	*testing.T
	dir           string
	center, phone *stage.Program
	browser       *stage.Browser
	page          *stage.Page
	agentSays     []int16 // 8 kHz: what the agent's microphone hears over and over
	customerSays  []int16
}

func (d *day) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatalf("%v\n--- phone:\n%s", err, tail(d.phone))
	}
}

func tail(p *stage.Program) string {
	if p == nil {
		return ""
	}
	lines := strings.Split(p.Log(), "\n")
	return strings.Join(lines[max(0, len(lines)-25):], "\n")
}

// newDay builds and starts everything up to an open page that has not signed in.
func newDay(t *testing.T, pbx *stage.PBX) *day {
	need(t, "chromium", "espeak-ng", "sox")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d.must(stage.Build(ctx, "..", d.dir, "center", "softphone"))
	floor, err := stage.Floor(d.dir, pbx)
	d.must(err)
	d.center, err = stage.StartCenter(ctx, filepath.Join(d.dir, "center"), d.dir, floor)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })

	speech, err := stage.Say(d.dir, "customer", "en-gb", "Good morning. I have ordered seven blue umbrellas last Tuesday, and only four of them have arrived so far. Could you help me?", 8000)
	d.must(err)
	d.customerSays, err = stage.PCM(speech)
	d.must(err)

	d.phone, err = stage.StartPhone(ctx, filepath.Join(d.dir, "softphone"), filepath.Join(d.dir, "phone"), d.center.String("http"))
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	d.open(ctx, "Thank you for calling the test center. My name is Suzuki. I will look up your order at once and tell you when the parcel arrives.")
	return d
}

// open opens the phone's page in a browser whose microphone hears those words over and over.
func (d *day) open(ctx context.Context, words string) {
	d.Helper()
	speech, err := stage.Say(d.dir, "agent", "en-us", words, 48000)
	d.must(err)
	d.agentSays, err = stage.PCM(speech)
	d.must(err)
	mic, err := stage.Often(speech)
	d.must(err)
	d.browser, err = stage.OpenBrowser(ctx, filepath.Join(d.dir, "profile"), mic)
	d.must(err)
	d.Cleanup(d.browser.Close)
	d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
	d.must(err)
	// Echo cancelling and automatic gain would change the speech that is compared.
	_, err = stage.Eval[string](d.page, `localStorage.setItem("zaseki.audio", "raw"), ""`)
	d.must(err)
	d.must(d.page.Reload())
}

// signIn goes both steps.
func (d *day) signIn(account, status, seat string) {
	d.Helper()
	d.must(d.page.Type("Account", account))
	d.must(d.page.Type("Password", stage.Password))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("combobox", "Terminal"))
	d.must(d.page.Select("Status", status))
	d.must(d.page.Select("Seat", seat))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("button", status+"…"))
}

// listen records what the page plays for that long and gives it at 8 kHz. It waits a moment first: a jitter buffer that has
// just begun stretches what it plays.
func (d *day) listen(p *stage.Page, long time.Duration) []int16 {
	d.Helper()
	time.Sleep(1500 * time.Millisecond)
	_, err := stage.Eval[any](p, hear.PageRecorder+`;null`)
	if err != nil && !strings.Contains(err.Error(), "null") {
		d.must(err)
	}
	state, err := stage.Eval[string](p, `hearing.start()`)
	d.must(err)
	if state != "running" {
		d.Fatalf("the page's recorder is %s", state)
	}
	time.Sleep(long) // speech takes its time
	text, err := stage.Eval[string](p, `hearing.stop()`)
	d.must(err)
	pcm, err := hear.PageSound(text, 8000)
	d.must(err)
	return pcm
}

// same asks that the speech is found in what is heard. A browser that is starved of its processor conceals what came too late, so
// a record that is not good enough is followed by a fresh one, once; the bound stays.
func (d *day) same(who string, said []int16, record func() []int16) {
	d.Helper()
	for try := 1; ; try++ {
		heard := record()
		m := hear.Find(heard[:min(len(heard), len(said))], loop(said, 3), 8000)
		d.Logf("%s: correlation %.3f, delay %v, drift %v, lost %.0f %%", who, m.Coefficient, m.Lag, m.Drift, 100*m.Lost)
		if m.Coefficient >= 0.9 {
			return
		}
		if try == 2 {
			file := filepath.Join(os.TempDir(), "zaseki-"+strings.ReplaceAll(who, " ", "-")+".wav")
			_ = hear.WriteWAV(file, heard, 8000)
			d.Errorf("%s: correlation %.3f of what was heard with what was said, want 0.9 (kept as %s)", who, m.Coefficient, file)
			return
		}
	}
}

// plays records what the page plays, for same.
func (d *day) plays(p *stage.Page, long time.Duration) func() []int16 {
	return func() []int16 { return d.listen(p, long) }
}

// hears records what the customer hears, for same.
func (d *day) hears(c *stage.Customer, long time.Duration) func() []int16 {
	return func() []int16 {
		from := c.Ear.Now()
		time.Sleep(long)
		return c.Ear.Heard(from)
	}
}

func loop(pcm []int16, times int) (out []int16) {
	for range times {
		out = append(out, pcm...)
	}
	return out
}

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

// TestACallOutlivesTheCenter: killed in a call, the center takes no call along; started again, it finds agent, seat and line as
// they were, and the next call rings.
func TestACallOutlivesTheCenter(t *testing.T) {
	d := newDay(t, nil)
	customer := d.customer()
	d.signIn("agent1", "Available", "2")
	d.must(d.page.Wait("StaticText", "Line registered…"))
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	d.must(d.page.Wait("button", "Mute"))

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

	d.center, err = stage.Restart(context.Background(), filepath.Join(d.dir, "center"), d.dir, d.center)
	d.must(err)
	t.Cleanup(func() { d.center.Stop() })
	d.must(d.page.Wait("StaticText", "Center connected"))
	d.must(d.page.Wait("StaticText", "Account agent1 · Ext. 2001 · Seat 2"))
	d.must(d.page.Wait("button", "Available…"))
	_, err = d.customer().Call(context.Background(), stage.Queue) // its trunk has registered anew
	d.must(err)
	d.must(d.page.Wait("button", "Answer"))
}

// customer is one who has registered; it stays until the test ends.
func (d *day) customer() *stage.Customer {
	d.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, err := stage.NewCustomer(ctx, d.center, d.customerSays)
	d.must(err)
	gone := make(chan error, 1)
	go func() { gone <- c.Run(ctx) }()
	d.Cleanup(func() {
		cancel()
		if err := <-gone; err != nil {
			d.Errorf("the customer: %v", err)
		}
	})
	d.must(c.Ready(ctx))
	return c
}

// TestWhatCannotBeDoneIsToldInWords: a seat that is taken, and a center that is not there; nothing typed is lost.
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
	d.same("the page played"+when, d.customerSays, d.plays(p, 8*time.Second))
	d.same("the customer heard"+when, d.agentSays, d.hears(c, 6*time.Second))
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
	d.same("the customer heard after mute and hold", d.agentSays, d.hears(c, 5*time.Second))
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
