package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
)

// The seat view as issue 7 promises it: a thousand seats on one page, twenty changes a second.
const (
	hallSeats   = 1000
	hallChanges = 20
	hallStretch = 10 * time.Second
)

// hall is a panel with a thousand seats behind it, and a page that looks at them.
type hall struct {
	h    *stage.Hall
	page *stage.Page
	seen *hallSeen // what the rows share: one run gives them all
}

// hallSeen is what Chromium measured: lengths of frames, tasks above 50 ms, and from a change to its pixels.
type hallSeen struct {
	Frames, Long, Changes []float64
	still                 []float64 // frames of the same page at rest
	lone                  []float64 // changes with nothing else going on
}

func (p *pages) floorRows() []measure {
	var h *hall
	row := func(name string) measure {
		return measure{name, func() (row, error) {
			if h == nil {
				h = &hall{}
				if err := h.open(p); err != nil {
					return row{}, err
				}
			}
			return h.row(name)
		}}
	}
	return []measure{row("pages.floor_frames"), row("pages.floor_long_tasks"), row("pages.floor_change"), row("pages.floor_open")}
}

// open serves the hall and has the browser look at it.
func (h *hall) open(p *pages) error {
	var err error
	if h.h, err = stage.NewHall(10, hallSeats, false); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(p.ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = h.h.Run(ctx) }()
	p.ends = append(p.ends, func() { stop(); <-done })
	h.page, err = p.browser.Open("about:blank", stage.View{Width: 1600, Height: 1000})
	return err
}

// watchTasks notes every task above 50 ms from before the page's first script.
const watchTasks = `globalThis.long = []; new PerformanceObserver((l) => long.push(...l.getEntries().map((e) => [e.startTime, e.duration]))).observe({ entryTypes: ["longtask"] });
globalThis.drawn = new Promise((done) => { const look = () => { const all = document.querySelectorAll(".seat[aria-label]").length; if (all >= ` + "%d" + `) requestAnimationFrame(() => setTimeout(() => done(performance.now()))); else requestAnimationFrame(look); }; look(); });`

func (h *hall) row(name string) (row, error) {
	if name == "pages.floor_open" {
		return h.opening()
	}
	if h.seen == nil {
		if err := h.measure(); err != nil {
			return row{}, err
		}
	}
	s := h.seen
	switch name {
	case "pages.floor_frames":
		r := newRow(name, "ms", 18, s.Frames, "the same at rest", s.still)
		r.Value = quantile(s.Frames, 0.95)
		return r, nil
	case "pages.floor_long_tasks":
		return newRow(name, "", 0.5, []float64{float64(len(s.Long))}, "", nil), nil // none is promised
	}
	r := newRow(name, "ms", 250, s.Changes, "one change, nothing else", s.lone)
	r.Value = quantile(s.Changes, 0.95)
	return r, nil
}

// opening: from a click on the seat view's address to a thousand seats on the screen, all of it for the first time.
func (h *hall) opening() (row, error) {
	var values []float64
	for range 5 {
		if err := h.look(); err != nil {
			return row{}, err
		}
		ms, err := stage.Eval[float64](h.page, `drawn`)
		if err != nil {
			return row{}, err
		}
		values = append(values, ms)
	}
	return newRow("pages.floor_open", "ms", 0, values, "", nil), nil
}

func (h *hall) look() error {
	if err := h.page.Go("about:blank"); err != nil {
		return err
	}
	return h.page.Go(stage.English(h.h.URL(), "seats"))
}

// measure scrolls over the map, near enough that every seat says all it has to say, while people change.
func (h *hall) measure() error {
	if err := h.page.Before(fmt.Sprintf(watchTasks, hallSeats)); err != nil {
		return err
	}
	if err := h.look(); err != nil {
		return err
	}
	if _, err := stage.Eval[float64](h.page, `drawn`); err != nil {
		return err
	}
	if _, err := stage.Eval[any](h.page, `for (let i = 0; i < 9; i++) document.querySelector(".seat-zoom button").click()`); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // what opening cost is over
	s := &hallSeen{}
	var err error
	if s.still, err = h.frames(3*time.Second, false, 0, &s.lone); err != nil {
		return err
	}
	if err := h.one(&s.lone); err != nil {
		return err
	}
	if s.Frames, err = h.frames(hallStretch, true, hallChanges, &s.Changes); err != nil {
		return err
	}
	s.Long, err = stage.Eval[[]float64](h.page, `globalThis.since ? long.filter(([at]) => at >= since).map(([, took]) => took) : []`)
	h.seen = s
	return err
}

// one is a change a second, five times.
func (h *hall) one(into *[]float64) error {
	for range 5 {
		_, err := h.frames(time.Second, false, 1, into)
		if err != nil {
			return err
		}
	}
	return nil
}

// moves is a stretch of frames: it scrolls where it is told to, and notes when each seat that is in sight shows the status that it is
// to have: what is in the tree before a frame is painted in it.
const moves = `(async () => {
	const scroll = document.querySelector(".seat-scroll"), frames = [];
	globalThis.since = performance.now();
	let last = 0, way = 1;
	await new Promise((done) => {
		const step = (now) => {
			if (last) frames.push(now - last);
			last = now;
			if (%t) {
				if (scroll.scrollTop + scroll.clientHeight >= scroll.scrollHeight - 2) way = -1;
				if (scroll.scrollTop <= 0) way = 1;
				scroll.scrollBy(way * 4, way * 12);
			}
			if (now - since < %d) requestAnimationFrame(step); else done();
		};
		requestAnimationFrame(step);
	});
	globalThis.stop?.();
	return JSON.stringify({ frames, shown: globalThis.shown ?? [] });
})()`

// watches tells when a seat's name changes, which is in the same step as all else of it: the frame after it has it on the screen.
const watches = `globalThis.shown = []; (() => {
	const w = new MutationObserver((all) => {
		const at = new Map(all.map((m) => [m.target.closest(".seat-cell").dataset.seat, m.target.getAttribute("aria-label")]));
		requestAnimationFrame(() => setTimeout(() => { const now = performance.timeOrigin + performance.now(); for (const [seat, name] of at) shown.push({ seat, name, now }); }));
	});
	w.observe(document.querySelector(".seats"), { subtree: true, attributeFilter: ["aria-label"] });
	globalThis.stop = () => w.disconnect();
})()`

type shown struct {
	Seat, Name string
	Now        float64
}

// frames runs a stretch and gives how long its frames took; into gets the time of each change until it was on the screen.
func (h *hall) frames(long time.Duration, scroll bool, changes int, into *[]float64) ([]float64, error) {
	if _, err := stage.Eval[any](h.page, watches); err != nil {
		return nil, err
	}
	type change struct {
		seat, status string
		at           float64
	}
	var asked []change
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if changes == 0 {
			return
		}
		for beat := time.NewTicker(time.Second / time.Duration(changes)); ; {
			select {
			case <-stop:
				beat.Stop()
				return
			case <-beat.C:
				at := wall(time.Now())
				seats, statuses := h.h.Change(1)
				asked = append(asked, change{seats[0], statuses[0], at})
			}
		}
	}()
	said, err := stage.Eval[string](h.page, fmt.Sprintf(moves, scroll, long.Milliseconds()))
	close(stop)
	<-done
	if err != nil {
		return nil, err
	}
	var got struct {
		Frames []float64
		Shown  []shown
	}
	if err := json.Unmarshal([]byte(said), &got); err != nil {
		return nil, err
	}
	missing := 0
	for _, c := range asked {
		took, ok := 0.0, false
		for _, s := range got.Shown {
			if s.Seat == c.seat && s.Now >= c.at {
				took, ok = s.Now-c.at, true
				break
			}
		}
		if ok {
			*into = append(*into, took)
		} else {
			missing++
		}
	}
	if missing > max(1, len(asked)/20) { // the last ones come after the stretch
		return nil, errors.New(strings.TrimSpace(fmt.Sprintf("%d of %d changes were never seen", missing, len(asked))))
	}
	return got.Frames, nil
}
