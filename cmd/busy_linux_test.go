package cmd_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"zaseki/media/hear"
)

// TestSoundComesFirstOnABusyMachine: four programs compute without a pause, more than this machine has processors, and both sides of a
// call go on hearing each other: at most one moment in fifty is quiet. (E15)
func TestSoundComesFirstOnABusyMachine(t *testing.T) {
	d, ctx := newDayWithoutPage(t, nil)
	mic := filepath.Join(d.dir, "tones.wav")
	d.must(hear.WriteWAV(mic, hear.Resample(loop(hear.Tones(), 6), 8000, 48000), 48000))
	d.openWith(ctx, mic)
	d.customerSays = hear.Tones()
	customer := d.customer()
	d.answered("agent1", "1", customer)
	for range 4 {
		burner := exec.Command("sh", "-c", "while :; do :; done")
		d.must(burner.Start())
		t.Cleanup(func() { _ = burner.Process.Kill(); _ = burner.Wait() })
	}
	time.Sleep(2 * time.Second)
	var page, line hear.Heard
	if !hear.Tries(1, func() bool {
		from := customer.Ear.Now()
		page = hear.HearTones(d.listen(d.page, 10*time.Second), 8000)
		line = hear.HearTones(customer.Ear.Heard(from), 8000)
		t.Logf("the agent hears %.1f %% of the tones right, %.1f %% quiet; the caller %.1f %%, %.1f %% quiet", 100*page.Exact, 100*page.Quiet, 100*line.Exact, 100*line.Quiet)
		return page.Tones > 0 && line.Tones > 0 && page.Quiet <= 0.02 && line.Quiet <= 0.02
	}) {
		t.Error("somebody was not heard")
	}
}
