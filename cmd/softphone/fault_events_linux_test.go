package main

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/cmd/center/roster"
	"zaseki/web"
	"zaseki/web/wire"
)

// TestAThousandEventsASecondReachThePageAsOneState: a thousand changes a second for five seconds (reliability (D10)). The page shows the last of
// them, answered to the person all the time, was told far fewer, and holds no more memory than before.
func TestAThousandEventsASecondReachThePageAsOneState(t *testing.T) {
	if testing.Short() {
		t.Skip("browser: not with -short")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("no browser: %v", err)
	}
	n, _ := site(t, roster.SitePolicy{})
	p, _, until := atCenter(t, n, quiet, nil)
	panel, err := web.New(web.Config{Addr: "127.0.0.1:0", Agent: face{p}, Floor: p.uplink, Sound: pageSound{p.sound}, Past: p.uplink, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = panel.Run(ctx) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	browser, err := stage.OpenBrowser(context.Background(), t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(browser.Close)
	page, err := browser.Open(stage.English(panel.URL(), ""), stage.View{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	must(page.Before(`globalThis.told = 0; globalThis.WebSocket = class extends WebSocket { constructor(...a) { super(...a);
		this.addEventListener("message", (e) => { const m = JSON.parse(e.data); if (m.type === "snapshot") { told++; globalThis.snap = m.body; } }); } };
		globalThis.late = 0; globalThis.frames = 0; let last = performance.now(); setInterval(() => { const now = performance.now(); late = Math.max(late, now - last - 20); frames++; last = now; }, 20);`))
	must(page.Reload())
	must(page.Wait("button", "On break…"))
	heap := func() float64 {
		n, err := stage.Eval[float64](page, `performance.memory.usedJSHeapSize`)
		must(err)
		return n / (1 << 20)
	}
	_, err = stage.Eval[int](page, `told = late = frames = 0`)
	must(err)
	before := heap()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	began, posted := time.Now(), 0
	for time.Since(began) < 5*time.Second {
		<-tick.C
		for want := int(time.Since(began).Milliseconds()); posted < want; posted++ {
			p.agent.Post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: posted % 100})
		}
	}
	p.agent.Post(wire.ChangeSetting{Name: wire.SetRingVolume, Value: 7})
	done := time.Now()
	until("the last", func(s wire.Snapshot) bool { return s.Settings.Number(wire.SetRingVolume) == 7 })
	agent := time.Since(done)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		is, err := stage.Eval[bool](page, `snap.settings["ring.volume"] === 7`)
		must(err)
		if is {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the page never shows the last change")
		}
	}
	shown := time.Since(done)
	told, err := stage.Eval[int](page, `told`)
	must(err)
	late, err := stage.Eval[float64](page, `late`)
	must(err)
	after := heap()
	t.Logf("%d changes: the agent was done %v after the last, the page %v; told %d times, late by %.0f ms at most; %.1f MB, then %.1f MB", posted, agent, shown, told, late, before, after)
	if posted < 4000 {
		t.Errorf("%d changes were made, want 4000 at least", posted)
	}
	if shown > 2*time.Second {
		t.Errorf("the page is right %v after the last change, want two seconds", shown)
	}
	if told >= posted {
		t.Errorf("the page was told each of %d changes", told)
	}
	if after > before+16 {
		t.Errorf("the page grew from %.1f to %.1f MB", before, after)
	}
}
