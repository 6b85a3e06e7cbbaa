package tray

import (
	"context"
	"time"

	"zaseki/web/wire"
)

const (
	// pause gathers the snapshots of one moment into one change of the menu.
	pause = 50 * time.Millisecond
	// settle is when the icon is set a second time: Linux may lose one that is set while the icon is being registered.
	settle = 500 * time.Millisecond
)

// backend is the tray of the system. All its methods are called by one goroutine.
type backend interface {
	icon(Look)
	tip(string)
	apply(change)
}

// keeper is the one goroutine that owns the icon and its menu.
type keeper struct {
	cfg    Config
	on     backend
	clicks <-chan int    // slots
	picked chan<- string // statuses that were clicked here, for the herald

	newest  wire.Snapshot
	shown   Menu // what the person sees and clicks
	drawn   bool
	waiting bool // Exit or SignOut was clicked here; if the agent asks back, the page shows the question
}

// run keeps the tray equal to the newest snapshot until ctx ends.
func (k *keeper) run(ctx context.Context) {
	snaps, stop := k.cfg.Agent.Watch()
	defer stop()
	later := time.NewTimer(time.Hour)
	defer later.Stop()
	later.Stop()
	again := time.NewTimer(settle)
	defer again.Stop()
	due := false
	for {
		select {
		case <-ctx.Done():
			return
		case s, ok := <-snaps:
			if !ok {
				snaps = nil
				continue
			}
			k.newest = s
			k.ask()
			if !due {
				due = true
				later.Reset(pause)
			}
		case <-later.C:
			due = false
			k.draw(layout(k.newest, k.cfg.lang(k.newest)))
		case <-again.C:
			if k.drawn {
				k.on.icon(k.shown.Look)
				k.on.tip(k.shown.Tip)
			}
		case slot := <-k.clicks:
			k.click(slot)
		}
	}
}

// draw shows the differences between what is shown and what is wanted.
func (k *keeper) draw(want Menu) {
	if !k.drawn || want.Look != k.shown.Look {
		k.on.icon(want.Look)
	}
	if !k.drawn || want.Tip != k.shown.Tip {
		k.on.tip(want.Tip)
	}
	changes, items := diff(k.shown.Items, want.Items)
	for _, c := range changes {
		k.on.apply(c)
	}
	k.shown.Items = items
	k.shown.Look, k.shown.Tip, k.drawn = want.Look, want.Tip, true
}

// click does what the person saw when they clicked, if that still means something now: a call that ended, or another call
// that took its line in the menu, must not be answered by mistake.
func (k *keeper) click(slot int) {
	seen, now := k.shown.Items[slot], layout(k.newest, k.cfg.lang(k.newest)).Items[slot]
	if !seen.live() || !now.live() || !seen.same(now) {
		k.cfg.Log.Debug("tray click came too late", "slot", slot)
		return
	}
	if seen.Open != nil {
		k.cfg.Open(*seen.Open)
		return
	}
	k.waiting = seen.Do == wire.Exit{} || seen.Do == wire.SignOut{}
	if do, ok := seen.Do.(wire.SetStatus); ok {
		select {
		case k.picked <- do.To:
		default: // no herald on this system, or a click before this one is still to be read
		}
	}
	k.cfg.Agent.Post(seen.Do)
}

// ask opens the page when a click here led to a question: the menu alone cannot ask.
func (k *keeper) ask() {
	if k.waiting && k.newest.Ask != nil {
		k.waiting = false
		k.cfg.Open("")
	}
}
