package cmd_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/web/wire"
)

// TestTheSeatViewOfAThousand (PRODUCT E1): one floor with a thousand seats in Chromium. Near, a seat says all it has to say, and far away
// its sign; a zoom keeps what is under the pointer; a change moves nothing; map, table and wallboard are for everybody.
//
//ci:still
func TestTheSeatViewOfAThousand(t *testing.T) {
	need(t, "chromium")
	axe := axeScript(t)
	hall, err := stage.NewHall(12, 1000, false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- hall.Run(ctx) }()
	t.Cleanup(func() { stop(); <-served })
	browser, err := stage.OpenBrowser(ctx, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(browser.Close)
	a := &access{day: &day{T: t}, axe: axe}
	v := &hallView{T: t}
	for lang, dark := range map[string]bool{"en": false, "ja": true} {
		p, err := browser.Open(stage.Address(hall.URL(), "seats", lang), stage.View{Width: 1400, Height: 900, Dark: dark})
		if err != nil {
			t.Fatal(err)
		}
		a.faces = append(a.faces, face{p, lang, dark})
		if lang == "en" {
			v.page = p
		}
	}
	a.all("the whole floor", func(f face) error { return f.wait("button", "seats.zoom.in") })

	v.until("a thousand seats", `document.querySelectorAll(".seat[aria-label]").length === 1000`)
	v.until("far away", `document.querySelector(".seat-plane").dataset.level === "dot"`)
	v.is("no seat has words yet", `document.querySelectorAll(".seat-agent").length`, 0)
	v.is("all of it is in sight", `(() => { const s = document.querySelector(".seat-scroll"); return s.scrollWidth <= s.clientWidth && s.scrollHeight <= s.clientHeight ? 1 : 0 })()`, 1)

	// The seat under the pointer stays there while it grows, once the floor is larger than its frame.
	v.is("how far a zoom moves what is under the pointer", `(() => {
		const seat = document.querySelector('[data-seat="1-500"]'), scroll = document.querySelector(".seat-scroll"), middle = () => { const b = seat.getBoundingClientRect(); return [b.left + b.width / 2, b.top + b.height / 2]; };
		const turn = (x, y) => scroll.dispatchEvent(new WheelEvent("wheel", { ctrlKey: true, deltaY: -40, clientX: x, clientY: y, bubbles: true, cancelable: true }));
		for (let i = 0; i < 5; i++) turn(...middle());
		const was = middle();
		for (let i = 0; i < 8; i++) turn(...was);
		const is = middle();
		return Math.hypot(is[0] - was[0], is[1] - was[1]) < 6 ? 0 : 1;
	})()`, 0)
	v.until("near", `document.querySelector(".seat-plane").dataset.level === "full"`)
	v.until("words where one looks", `document.querySelector('[data-seat="1-500"] .seat-agent')?.textContent.length > 0`)
	v.is("words far off", `document.querySelectorAll('[data-seat="1-1"] .seat-agent').length`, 0)

	const places = `JSON.stringify([...document.querySelectorAll(".seat-cell")].map((c) => [c.dataset.seat, c.offsetLeft, c.offsetTop, c.offsetWidth, c.offsetHeight]))`
	before, err := stage.Eval[string](v.page, places)
	v.must(err)
	seats, statuses := hall.Change(200)
	last := len(seats) - 1
	v.until("the last change", fmt.Sprintf(`document.querySelector('[data-seat=%q] button').getAttribute("aria-label").includes(%q)`, seats[last], word(statuses[last])))
	after, err := stage.Eval[string](v.page, places)
	v.must(err)
	if before != after {
		t.Error("a change moves seats")
	}

	a.all("table", func(f face) error {
		return f.page.Click("button", map[string]string{"en": "Table", "ja": "一覧表"}[f.lang])
	})
	v.until("a thousand rows", `document.querySelectorAll("tbody tr").length === 1000`)
	a.all("wallboard", func(f face) error {
		return f.page.Click("button", map[string]string{"en": "Wallboard", "ja": "ウォールボード"}[f.lang])
	})
	v.must(v.page.Wait("heading", "All floors"))
	v.is("what the wallboard hides below the screen", `document.querySelector(".wallboard").scrollHeight - innerHeight > 1 ? 1 : 0`, 0)
	v.must(v.page.Reload())
	v.must(v.page.Wait("heading", "All floors")) // a television opens that address
}

// word is what a status is called in English.
func word(status string) string {
	all := wire.StandardStatuses()
	return all[slices.IndexFunc(all, func(d wire.StatusDef) bool { return d.ID == status })].Name.In("en")
}

// hallView is what a page shows of a hall.
type hallView struct {
	*testing.T
	page *stage.Page
}

func (v *hallView) must(err error) {
	v.Helper()
	if err != nil {
		v.Fatal(err)
	}
}

// until waits for what must become true.
func (v *hallView) until(what, script string) {
	v.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		so, err := stage.Eval[bool](v.page, `Boolean(`+script+`)`)
		v.must(err)
		if so {
			return
		}
		if time.Now().After(end) {
			v.Fatalf("never: %s", what)
		}
	}
}

func (v *hallView) is(what, script string, want int) {
	v.Helper()
	got, err := stage.Eval[int](v.page, script)
	v.must(err)
	if got != want {
		v.Errorf("%s: %d, want %d", what, got, want)
	}
}
