package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zaseki/media/hear"
)

// TestASupervisorTakesPartThroughThePages: both programs, two pages in Chromium and a customer; what is said is heard by whom the page
// says, and by nobody else.
func TestASupervisorTakesPartThroughThePages(t *testing.T) {
	d := newDay(t, nil)
	file := filepath.Join(d.dir, "supervisor.json")
	d.must(os.WriteFile(file, []byte(`{"accounts":[{"account":"agent2","name":"Suzuki","role":"supervisor","terminals":["2002"]}]}`), 0o600))
	out, err := exec.Command(filepath.Join(d.dir, "center"), "import", "-data", filepath.Join(d.dir, "data"), file).CombinedOutput()
	if err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	customer := d.inCall()
	boss := d.second("agent2", "On break")
	d.must(boss.Click("link", "Seat view…"))
	choose := func(item string) {
		t.Helper()
		d.must(boss.Click("button", "2, Agent 1…"))
		d.must(boss.Click("menuitemradio", item))
	}
	silent := func(who string, record func() []int16) {
		t.Helper()
		if heard := record(); len(heard) < 7000 || hear.Level(heard) > 30 {
			t.Errorf("%s: %d samples at level %.0f", who, len(heard), hear.Level(heard))
		}
	}

	choose("Listen…")
	d.must(d.page.Wait("StaticText", "Suzuki (supervisor) is listening"))
	d.must(d.page.Click("button", "Mute")) // the microphones of both pages hear one tape: one speaks at a time
	d.same("the supervisor hears the customer", d.customerSays, d.plays(boss, 5*time.Second))
	silent("the customer hears who only listens", d.hears(customer, time.Second))
	choose("Whisper…")
	d.must(d.page.Wait("StaticText", "Suzuki (supervisor) speaks to you only"))
	silent("the customer hears a whisper", d.hears(customer, time.Second))
	choose("Join…")
	d.must(d.page.Wait("StaticText", "Suzuki (supervisor) has joined"))
	d.same("the customer hears who has joined", d.agentSays, d.hears(customer, 4*time.Second))
	choose("Listen…")
	d.must(d.page.Wait("StaticText", "Suzuki (supervisor) is listening"))

	// A page that is loaded anew changes nothing, on either side.
	d.must(d.page.Reload())
	d.must(boss.Reload())
	d.must(d.page.Wait("StaticText", "Suzuki (supervisor) is listening"))
	d.raw(boss)
	d.same("the supervisor hears the customer again", d.customerSays, d.plays(boss, 5*time.Second))
	silent("the customer hears nobody still", d.hears(customer, time.Second))

	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("StaticText", "Suzuki (supervisor) is listening"))
	d.must(d.page.Wait("button", "After-call work…"))
	d.must(boss.Wait("button", "On break…")) // no after-call work for who listened
}
