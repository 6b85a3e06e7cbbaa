//go:build cgo || !darwin

package tray

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"fyne.io/systray"
)

// This file is the one owner of the systray library and its process-wide state.

// showIcon runs the icon until ctx ends, or until the system refuses it; it tells which statuses are picked in the menu. It must
// be called on the main goroutine.
func showIcon(ctx context.Context, cfg Config, picked chan<- string) {
	ctx, stop := context.WithCancel(ctx)
	clicks := make(chan int)
	t := &native{icons: map[Look][]byte{}, marks: map[Mark][]byte{}, ready: make(chan struct{})}
	k := &keeper{cfg: cfg, on: t, clicks: clicks, picked: picked}
	k.shown = layout(k.newest, cfg.lang(k.newest))

	var wg sync.WaitGroup
	wg.Go(func() {
		defer survive(t.quit)
		if !t.wait(ctx) {
			return
		}
		for slot := range t.items {
			wg.Go(func() { t.forward(ctx, slot, clicks) })
		}
		if err := survive(func() { k.run(ctx) }); err != nil {
			cfg.Log.Warn("the icon is gone", "err", err)
		}
	})
	err := hostLoop(ctx, t.ready, func() error { return t.loop(k.shown) })
	if err != nil && ctx.Err() == nil {
		cfg.Log.Warn("the icon is gone", "err", err)
	}
	stop()
	wg.Wait()
}

// native is the backend on the systray library.
type native struct {
	icons map[Look][]byte
	marks map[Mark][]byte
	ready chan struct{} // closed when the menu's skeleton stands
	items [slots]*systray.MenuItem
}

// survive does what calls the library, which panics when the desktop's bus goes away at the wrong moment (systray v1.12.2): the phone
// must live to end its calls and sign out.
func survive(do func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("systray: %v", r)
		}
	}()
	do()
	return nil
}

// loop is the library's own loop.
func (t *native) loop(first Menu) error {
	return survive(func() {
		systray.SetTitle("zaseki") // the id by which desktops remember the icon's place
		if runtime.GOOS == "linux" {
			t.icon(first.Look) // before the loop, or it may be lost on its way
			t.tip(first.Tip)
		}
		systray.Run(func() { _ = survive(func() { t.build(first) }) }, nil) // without a skeleton nothing is ready
	})
}

// build makes the skeleton. It must return: the menu does not open before it does.
func (t *native) build(first Menu) {
	t.icon(first.Look)
	t.tip(first.Tip)
	for slot, item := range first.Items {
		switch {
		case checkable(slot):
			t.items[slot] = systray.AddMenuItemCheckbox(escape(item.Label, runtime.GOOS), "", item.Ticked)
		default:
			t.items[slot] = systray.AddMenuItem(escape(item.Label, runtime.GOOS), "")
		}
		if item.Hidden {
			t.items[slot].Hide()
		}
		if item.Mark != (Mark{}) {
			t.mark(slot, item.Mark)
		}
		if ruled(slot) {
			systray.AddSeparator()
		}
	}
	close(t.ready)
}

// wait says whether the skeleton stands before ctx ends.
func (t *native) wait(ctx context.Context) bool {
	select {
	case <-t.ready:
		return true
	case <-ctx.Done():
		return false
	}
}

// quit ends the loop. Before the skeleton stands the library has nothing to end on some systems, so it waits a little.
func (t *native) quit() {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	t.wait(ctx)
	systray.Quit()
}

// forward queues the clicks on one item: the library drops a click that nobody waits for.
func (t *native) forward(ctx context.Context, slot int, to chan<- int) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.items[slot].ClickedCh:
		}
		select {
		case <-ctx.Done():
			return
		case to <- slot:
		}
	}
}

// icon shows the look, drawn when it is first wanted and kept: Windows keeps a file of every one it ever saw.
func (t *native) icon(l Look) {
	if t.icons[l] == nil {
		t.icons[l] = iconOf(l, runtime.GOOS)
	}
	systray.SetIcon(t.icons[l])
}

func (t *native) mark(slot int, m Mark) {
	if t.marks[m] == nil {
		t.marks[m] = markIcon(m, runtime.GOOS)
	}
	t.items[slot].SetIcon(t.marks[m])
}

func (t *native) tip(text string) { systray.SetTooltip(short(text)) }

func (t *native) apply(c change) {
	item := t.items[c.slot]
	switch c.what {
	case setLabel:
		item.SetTitle(escape(c.text, runtime.GOOS))
	case setMark:
		t.mark(c.slot, c.mark)
	case setGrey:
		item.Disable()
	case setLive:
		item.Enable()
	case setTick:
		item.Check()
	case setNoTick:
		item.Uncheck()
	case setHidden:
		item.Hide()
	case setShown:
		item.Show()
	}
}
