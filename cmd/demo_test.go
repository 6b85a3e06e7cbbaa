package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media"
	"zaseki/media/hear"
)

// TestTheDemoIsTheMainJob does what a new user does: one command, sign in, Available, the customer calls, answer, hear its
// question, hear oneself, hang up; a colleague calls in a break; dial the echo line.
func TestTheDemoIsTheMainJob(t *testing.T) {
	need(t, "chromium", "espeak-ng", "sox")
	d := &day{T: t, dir: t.TempDir()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	build(t, d.dir, "softphone")
	var err error
	d.phone, err = stage.Start(ctx, filepath.Join(d.dir, "softphone"), []string{"DBUS_SESSION_BUS_ADDRESS="},
		"-demo", "-config", filepath.Join(d.dir, "phone"), "-panel", "127.0.0.1:0", "-no-browser", "-lang", "en")
	d.must(err)
	t.Cleanup(func() { d.phone.Stop() })
	d.open(ctx, "One two three four five. I can hear you very well, and I speak into my microphone.")

	if log := d.phone.Log(); !strings.Contains(log, "Sign in as") {
		t.Errorf("the demo does not say how to sign in:\n%s", log)
	}
	d.must(d.page.Type("Account", "demo\t")) // A2: a pasted tab does not matter
	d.must(d.page.Type("Password", "zaseki-demo"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Select("Seat", "2"))
	d.must(d.page.Select("Status", "Available"))
	d.must(d.page.Click("button", "Sign in"))
	d.must(d.page.Wait("button", "Available…"))

	d.must(d.page.Wait("StaticText", "Line registered…"))
	machine, began := hear.WatchMachine(), time.Now()
	d.must(d.page.Wait("button", "Answer"))
	machine.End()
	if took := time.Since(began) - machine.Late(); took > 5*time.Second {
		t.Errorf("the customer called after %v, want five seconds", took)
	}
	question, calls := speechFile(t, "customer-en"), 0
	d.same("the customer's question", question, func() []int16 {
		if calls++; calls > 1 { // it asks once a call
			d.must(d.page.Click("button", "Hang up"))
			d.must(d.page.Click("button", "Ready"))
		}
		d.must(d.page.Click("button", "Answer"))
		d.must(d.page.Wait("button", "Mute"))
		return d.listen(d.page, 4*time.Second)
	})
	time.Sleep(time.Duration(len(question))*time.Second/8000 - 4*time.Second) // until it has said its piece
	d.same("the customer plays back what I say", d.agentSays, d.plays(d.page, 4*time.Second))
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))

	// An inside call rings in a break (D5).
	d.must(d.page.Click("button", "After-call work…"))
	d.must(d.page.Click("menuitemradio", "On break"))
	d.must(d.page.Wait("button", "On break…"))
	d.must(d.page.Wait("button", "Decline"))
	d.must(d.page.Click("button", "Decline"))
	d.must(d.page.Gone("button", "Decline"))

	// Dial: the echo line says everything back; tones are shown; the colleague answers.
	d.must(d.page.Type("Number", "9000"))
	d.must(d.page.Click("button", "Dial"))
	d.must(d.page.Wait("button", "Mute"))
	d.same("the echo line", d.agentSays, d.plays(d.page, 4*time.Second))
	d.must(d.page.Click("button", "5"))
	d.must(d.page.Wait("StaticText", "Tones sent: 5"))
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Gone("button", "Hang up"))

	d.must(d.colleague())

	// An outside number goes to the trunk, where the customer answers; what is no number is told in words.
	d.same("the customer at the outside number", question, func() []int16 {
		d.must(d.page.Type("Number", "０３-1234 5678"))
		d.must(d.page.Click("button", "Dial"))
		d.must(d.page.Wait("button", "Outbound call…"))
		d.must(d.page.Wait("button", "Mute"))
		defer func() { d.must(d.page.Click("button", "Hang up")) }()
		return d.listen(d.page, 4*time.Second)
	})
	d.must(d.page.Wait("button", "On break…")) // after an outbound call the previous status (D10)
	d.must(d.page.Type("Number", "mama@home"))
	d.must(d.page.Click("button", "Dial"))
	d.must(d.page.Wait("StaticText", "“mama@home” is not a telephone number…"))

	// Closing the page ends nothing; another one finds everything as it was (C3).
	d.page.Close()
	again, err := d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{Width: 1000, Height: 800})
	d.must(err)
	d.must(again.Wait("button", "On break…"))
	for _, entry := range []string{"Call Tanaka back", "Call 9000 back", "Call 0312345678 back"} {
		d.must(again.Wait("button", entry))
	}
}

// colleague dials one after the other until one who is free answers.
func (d *day) colleague() error {
	for extension := 2001; extension <= 2008; extension++ {
		if err := errors.Join(d.page.Type("Number", strconv.Itoa(extension)), d.page.Click("button", "Dial")); err != nil {
			return err
		}
		if !d.answers() {
			if err := d.page.Wait("button", "Dial"); err != nil {
				return err
			}
			continue
		}
		return errors.Join(d.page.Click("button", "Hang up"), d.page.Gone("button", "Hang up"))
	}
	return errors.New("no colleague answers")
}

// answers says that who is called answers; who does not is rung no more. That somebody was busy still stands there from the call before.
func (d *day) answers() bool {
	calling, began := false, time.Now()
	for time.Since(began) < 8*time.Second {
		under := d.page.Has("button", "Hang up")
		switch {
		case d.page.Has("button", "Mute"):
			return true
		case calling && !under, !calling && time.Since(began) > 2*time.Second: // busy
			return false
		}
		calling = calling || under
		time.Sleep(50 * time.Millisecond)
	}
	if err := d.page.Click("button", "Hang up"); err != nil {
		d.Log(err)
	}
	return false
}

// speechFile is one of the demo's voices at 8 kHz.
func speechFile(t *testing.T, name string) []int16 {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("softphone", "speech", name+".ulaw"))
	if err != nil {
		t.Fatal(err)
	}
	return media.DecodeULaw(data)
}

// TestASecondStartShowsTheFirst: one phone per settings folder (E3 of the fault matrix).
// Reliability (E3).
//
//ci:still
func TestASecondStartShowsTheFirst(t *testing.T) {
	if testing.Short() {
		t.Skip("whole-product test: not with -short")
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	build(t, dir, "softphone")
	bin, config := filepath.Join(dir, "softphone"), filepath.Join(dir, "phone")
	first, err := stage.StartPhone(ctx, bin, config, "http://127.0.0.1:9") // no center answers there: the phone starts all the same
	if err != nil {
		t.Fatal(err)
	}
	defer first.Stop()
	second, err := stage.StartPhone(ctx, bin, config, "http://127.0.0.1:9")
	if err != nil {
		t.Fatal(err)
	}
	<-second.Done()
	one, _ := json.Marshal(first.Line)
	two, _ := json.Marshal(second.Line)
	if second.Code() != 0 || string(one) != string(two) {
		t.Errorf("second start: status %d, %s; the first said %s", second.Code(), two, one)
	}
	if !first.Stop() {
		t.Error("SIGTERM does not end the phone")
	}
}
