package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// started is a program that runs, and what it says.
func started(ctx context.Context, name string, args ...string) (*exec.Cmd, io.Reader, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", name, err)
	}
	return cmd, bufio.NewReader(out), nil
}

const quietTime = 30 * time.Second

// idleCPU: what the phone needs of a core while nothing happens, signed in, in the tray, with a page open. The base is without a page.
func (p *pages) idleCPU() (row, error) {
	with, without, err := p.idle(func() (float64, error) {
		before, err := cpuOf(p.phone.PID())
		if err != nil {
			return 0, err
		}
		began := time.Now()
		time.Sleep(quietTime)
		after, err := cpuOf(p.phone.PID())
		return 100 * (after - before).Seconds() / time.Since(began).Seconds(), err
	})
	return newRow("pages.idle_cpu", "%", 0.3, []float64{with}, "without a page", []float64{without}), err
}

// idleMemory: resident memory at the same time.
func (p *pages) idleMemory() (row, error) {
	with, without, err := p.idle(func() (float64, error) {
		kb, err := resident(p.phone.PID())
		return kb / 1024, err
	})
	return newRow("pages.idle_memory", "MB", 45, []float64{with}, "without a page", []float64{without}), err
}

// idle measures with one page open and with none; the hand lets go meanwhile.
func (p *pages) idle(figure func() (float64, error)) (with, without float64, err error) {
	if err := p.work(); err != nil {
		return 0, 0, err
	}
	p.hand.close()
	defer func() {
		var again error
		if p.hand, again = grasp(p.ctx, p.phone.String("panel")); err == nil {
			err = again
		}
	}()
	time.Sleep(5 * time.Second) // what sign-in needed is given back
	if with, err = figure(); err != nil {
		return 0, 0, err
	}
	if err := p.page.Go("about:blank"); err != nil {
		return 0, 0, err
	}
	time.Sleep(5 * time.Second) // a page counts as closed after three
	if without, err = figure(); err != nil {
		return 0, 0, err
	}
	if err := p.page.Go(stage.English(p.phone.String("panel"), "")); err != nil {
		return 0, 0, err
	}
	if err := p.page.Wait("StaticText", "Line registered…"); err != nil {
		return 0, 0, err
	}
	_, err = stage.Eval[string](p.page, probe)
	return with, without, err
}

// other is the status that the next round changes to.
func other(i int) (id, name string) {
	if i%2 == 0 {
		return wire.StatusBreak, "On break"
	}
	return wire.StatusAway, "Away"
}

// changed asks for the status and gives when it was asked and when the phone said that the center had changed it.
func (p *pages) changed(id string) (asked, said time.Time, err error) {
	asked = time.Now()
	if err := p.hand.say(p.ctx, wire.SetStatus{To: id}); err != nil {
		return asked, said, err
	}
	said, err = p.hand.sees("status "+id, func(s wire.Snapshot) bool { return s.Status.Now == id && s.Status.Wish == "" })
	return asked, said, err
}

// changeToPage: a change asked for elsewhere, decided by the center, until the open page shows it. The base is when the phone knows it.
func (p *pages) changeToPage() (row, error) {
	if err := p.work(); err != nil {
		return row{}, err
	}
	var values, bases []float64
	for i := range rounds {
		id, name := other(i)
		seen := make(chan error, 1)
		var at float64
		go func() {
			var err error
			at, err = stage.Eval[float64](p.page, fmt.Sprintf(`new Promise((done) => { const b = document.querySelector("button.status");
				const look = () => b.getAttribute("aria-label") === %q && (watch.disconnect(), done(bench.now()), true);
				const watch = new MutationObserver(look); watch.observe(b, { attributes: true }); look(); })`, name))
			seen <- err
		}()
		time.Sleep(200 * time.Millisecond) // the page watches
		asked, said, err := p.changed(id)
		if err != nil {
			return row{}, err
		}
		if err := <-seen; err != nil {
			return row{}, err
		}
		values, bases = append(values, at-wall(asked)), append(bases, ms(said.Sub(asked)))
	}
	return newRow("pages.change_to_page", "ms", 0, values, "the phone knows it", bases), nil
}

// trayMenu: a change asked for at a page, decided by the center, until the tray's menu has the tick there. The base is when the phone
// knows it.
func (p *pages) trayMenu() (row, error) {
	if err := p.work(); err != nil {
		return row{}, err
	}
	var values, bases []float64
	for i := range rounds {
		id, name := other(i)
		asked, said, err := p.changed(id)
		if err != nil {
			return row{}, err
		}
		for end := time.Now().Add(15 * time.Second); !strings.Contains(p.desk.Labels(), "|✓"+name+"|"); {
			if time.Now().After(end) {
				return row{}, fmt.Errorf("the menu has no tick at %s: %s", name, p.desk.Labels())
			}
		}
		values, bases = append(values, ms(time.Since(asked))), append(bases, ms(said.Sub(asked)))
		time.Sleep(200 * time.Millisecond)
	}
	return newRow("pages.tray_menu", "ms", 100, values, "the phone knows it", bases), nil
}

// muteHotkey: a key pressed on the display until the phone is muted, in a call; what presses it counts too. The base is the same asked for by
// a page.
func (p *pages) muteHotkey() (row, error) {
	if err := p.work(); err != nil {
		return row{}, err
	}
	if err := p.talk(); err != nil {
		return row{}, err
	}
	fingers := exec.CommandContext(p.ctx, "xdotool", "-")
	fingers.Env = append(fingers.Environ(), "DISPLAY="+p.display)
	keys, err := fingers.StdinPipe()
	if err == nil {
		err = fingers.Start()
	}
	if err != nil {
		return row{}, fmt.Errorf("start xdotool: %w", err)
	}
	defer func() { _ = keys.Close(); _ = fingers.Wait() }()
	muted := func(began time.Time, on bool) (float64, error) {
		at, err := p.hand.sees(fmt.Sprintf("muted %t", on), func(s wire.Snapshot) bool { return s.Muted == on })
		return ms(at.Sub(began)), err
	}
	var values, bases []float64
	for i := range rounds {
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		if _, err := fmt.Fprintln(keys, "key --delay 0 ctrl+alt+m"); err != nil {
			return row{}, err
		}
		took, err := muted(began, i%2 == 0)
		if err != nil {
			return row{}, err
		}
		values = append(values, took)
	}
	for i := range rounds {
		began := time.Now()
		if err := p.hand.say(p.ctx, wire.Mute{On: i%2 == 0}); err != nil {
			return row{}, err
		}
		took, err := muted(began, i%2 == 0)
		if err != nil {
			return row{}, err
		}
		bases = append(bases, took)
	}
	return newRow("pages.mute_hotkey", "ms", 50, values, "asked for by a page", bases), p.hand.say(p.ctx, wire.HangUp{Call: p.call()})
}

// call is the one that is up.
func (p *pages) call() string {
	p.hand.mu.Lock()
	defer p.hand.mu.Unlock()
	c, _ := p.hand.now.Active()
	return c.ID
}

// talk sets the key, and calls somebody outside, who answers.
func (p *pages) talk() error {
	if err := p.hand.say(p.ctx, wire.ChangeSetting{Name: wire.SetHotkeyMute, Value: "Ctrl+Alt+M"}); err != nil {
		return err
	}
	if _, err := p.hand.sees("the key", func(s wire.Snapshot) bool { return s.Settings.Text(wire.SetHotkeyMute) == "Ctrl+Alt+M" }); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(p.ctx)
	customer, err := stage.NewCustomer(ctx, p.center, make([]int16, 8000))
	if err != nil {
		cancel()
		return err
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = customer.Run(ctx) }()
	p.ends = append(p.ends, func() { cancel(); <-done })
	if err := customer.Ready(ctx); err != nil {
		return err
	}
	if err := p.hand.say(p.ctx, wire.Dial{Number: "0398765432"}); err != nil {
		return err
	}
	_, err = p.hand.sees("a call", func(s wire.Snapshot) bool { _, ok := s.Talking(); return ok })
	return err
}
