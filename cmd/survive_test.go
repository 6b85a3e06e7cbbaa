package cmd_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/media/hear"
)

// flow notes when packets came, and when sound was in them.
type flow struct {
	stage.Gap
	mu   sync.Mutex
	last time.Time
	most time.Duration
}

func (f *flow) hear(pcm []int16) {
	f.Hear(pcm)
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if !f.last.IsZero() {
		f.most = max(f.most, now.Sub(f.last))
	}
	f.last = now
}

// packets is the longest time between two since it was asked for last.
func (f *flow) packets() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	most := f.most
	f.most = 0
	return most
}

// TestACallOutlivesItsPage: whatever happens to the page in a call, the caller gets a packet every 20 ms, silence at the worst, and
// soon hears the agent again.
// Reliability (D2), (D3), (D4), (D6): reload, close, a killed browser, a frozen tab.
func TestACallOutlivesItsPage(t *testing.T) {
	d := newDay(t, nil)
	tone := filepath.Join(d.dir, "tone.wav") // speech has pauses of its own
	if out, err := exec.Command("sox", "-n", "-r", "48000", "-c", "1", "-b", "16", tone, "synth", "170", "sine", "440", "vol", "0.5").CombinedOutput(); err != nil {
		t.Fatalf("sox: %v: %s", err, out)
	}
	d.browser.Close()
	start := func() {
		var err error
		d.browser, err = stage.OpenBrowser(context.Background(), filepath.Join(d.dir, "profile"), tone)
		d.must(err)
		t.Cleanup(d.browser.Close)
	}
	open := func() {
		var err error
		d.page, err = d.browser.Open(stage.English(d.phone.String("panel"), ""), stage.View{})
		d.must(err)
	}
	start()
	open()
	d.must(d.page.Before(`globalThis.sockets = []; globalThis.WebSocket = class extends WebSocket { constructor(...a) { super(...a); sockets.push(this); } };`))
	d.raw(d.page)
	customer := d.customer()
	d.signIn("agent1", "Available", "2")
	_, err := customer.Call(context.Background(), stage.Queue)
	d.must(err)
	d.must(d.page.Click("button", "Answer"))
	line := <-customer.Talks
	heard := &flow{}
	customer.Sound.Listen(line, heard.hear)
	d.sounds(heard, 10*time.Second)

	for _, row := range []struct {
		name   string
		happen func()
		most   time.Duration // without the agent's voice
	}{
		{"nothing", func() { time.Sleep(3 * time.Second) }, 200 * time.Millisecond},
		{"the page's websocket is cut", func() {
			_, err := stage.Eval[string](d.page, `sockets.forEach((s) => s.close()), ""`)
			d.must(err)
			time.Sleep(3 * time.Second)
		}, 200 * time.Millisecond},
		{"the page is frozen for five seconds", func() {
			d.must(d.page.Freeze(true))
			time.Sleep(5 * time.Second)
			d.must(d.page.Freeze(false))
			time.Sleep(2 * time.Second)
		}, 200 * time.Millisecond},
		{"the page is loaded anew", func() { d.must(d.page.Reload()) }, 2 * time.Second},
		{"the page crashes and is loaded anew", func() {
			d.page.Crash()
			time.Sleep(500 * time.Millisecond)
			d.page.Close()
			open()
		}, 4 * time.Second},
		{"the page is closed and opened", func() { d.page.Close(); open() }, 3 * time.Second},
		{"the browser is killed and started", func() { d.must(d.browser.Kill()); start(); open() }, 8 * time.Second},
	} {
		heard.Longest()
		heard.packets()
		machine := hear.WatchMachine() // one that starts a browser is not in time for anybody
		row.happen()
		away := d.sounds(heard, 15*time.Second)
		packets := heard.packets()
		stalled := machine.Late()
		machine.End()
		t.Logf("%s: no voice for %v, no packet for %v, this process late by %v", row.name, away.Round(time.Millisecond), packets.Round(time.Millisecond), stalled.Round(time.Millisecond))
		if away-2*stalled > row.most { // the browser had to wait, and who hears it
			t.Errorf("%s: the caller did not hear the agent for %v, want at most %v", row.name, away, row.most)
		}
		if packets-stalled > 80*time.Millisecond {
			t.Errorf("%s: the line was without a packet for %v, want at most 80 ms", row.name, packets)
		}
	}
	d.must(d.page.Click("button", "Hang up"))
	d.must(d.page.Wait("button", "After-call work…"))
}

// sounds waits until the agent's voice is there and stays, and gives the longest time without it since that was asked for last.
func (d *day) sounds(f *flow, within time.Duration) (away time.Duration) {
	d.Helper()
	steady := time.Now()
	for end := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		gap, since := f.Longest()
		away = max(away, gap, since)
		if since > 100*time.Millisecond {
			steady = time.Now()
		} else if time.Since(steady) > time.Second {
			return away
		}
		if time.Now().After(end) {
			d.Fatalf("the caller does not hear the agent\n%s\n%s", d.page.Said(), tail(d.phone))
		}
	}
}
