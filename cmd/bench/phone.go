package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/sip"
)

const rounds = 12 // of every figure; the README says medians of at least ten

// floor is a center with two signed-in phones, their pages and a customer.
type floor struct {
	ctx      context.Context
	phone    *stage.Program
	page     *stage.Page
	seats    *stage.Page // of the second phone
	customer *stage.Customer
	fresh    []float64 // MB of the first phone before anybody signed in
	mic      string    // what the pages' microphone hears; "": speech
}

func phoneGroup(ctx context.Context, l lab) error {
	dir := l.dir
	if err := stage.Build(ctx, ".", dir, "center", "softphone"); err != nil {
		return err
	}
	file, err := stage.Floor(dir, nil)
	if err != nil {
		return err
	}
	center, err := stage.StartCenter(ctx, filepath.Join(dir, "center"), dir, file)
	if err != nil {
		return err
	}
	defer center.Stop()
	if err := l.measure(measure{"phone.start_to_ready", func() (row, error) { return startToReady(ctx, dir, center) }}); err != nil {
		return err
	}

	f := &floor{ctx: ctx}
	end, err := f.open(dir, center)
	defer end()
	if err != nil {
		return err
	}
	err = l.measure(measure{"phone.rss_idle", f.idle}, measure{"phone.invite_to_page_ring", f.inviteToRing},
		measure{"phone.answer_to_rtp", f.answerToRTP}, measure{"phone.status_to_seatview", f.statusToSeatView})
	if err != nil {
		return fmt.Errorf("%w\nthe page:\n%s\nthe phone:\n%s", err, f.page.Said(), f.phone.Log())
	}
	return nil
}

// startToReady: exec to the JSON line. The base is the same binary that only prints its version.
func startToReady(ctx context.Context, dir string, center *stage.Program) (row, error) {
	bin := filepath.Join(dir, "softphone")
	var took, bases []float64
	for i := range rounds {
		p, err := stage.StartPhone(ctx, bin, filepath.Join(dir, "start", strconv.Itoa(i)), center.String("http"))
		if err != nil {
			return row{}, err
		}
		took = append(took, ms(p.Took))
		p.Stop()
		began := time.Now()
		if err := exec.CommandContext(ctx, bin, "-version").Run(); err != nil {
			return row{}, err
		}
		bases = append(bases, ms(time.Since(began)))
	}
	return newRow("phone.start_to_ready", "ms", 400, took, "the same binary with -version", bases), nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// open signs two phones in: the first Available with its phone page open, the second with the seat view.
func (f *floor) open(dir string, center *stage.Program) (end func(), err error) {
	var ends []func()
	end = func() {
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i]()
		}
	}
	if f.mic == "" {
		if f.mic, err = stage.Say(dir, "mic", "en-us", "One two three four five six seven eight nine ten eleven twelve.", 48000); err != nil {
			return end, err
		}
	}
	browser, err := stage.OpenBrowser(f.ctx, filepath.Join(dir, "profile"), f.mic)
	if err != nil {
		return end, err
	}
	ends = append(ends, browser.Close)
	pages := []*stage.Page{}
	for i, view := range []string{"", "seats"} {
		p, err := stage.StartPhone(f.ctx, filepath.Join(dir, "softphone"), filepath.Join(dir, "phone"+strconv.Itoa(i)), center.String("http"))
		if err != nil {
			return end, err
		}
		ends = append(ends, func() { p.Stop() })
		if i == 0 {
			for range rounds {
				kb, err := resident(p.PID())
				if err != nil {
					return end, err
				}
				f.fresh = append(f.fresh, kb/1024)
			}
		}
		page, err := browser.Open(stage.English(p.String("panel"), ""), stage.View{Width: 900, Height: 800})
		if err != nil {
			return end, err
		}
		if err := signIn(page, i+1); err != nil {
			return end, err
		}
		if i == 0 {
			f.phone = p
		} else if page, err = browser.Open(stage.English(p.String("panel"), view), stage.View{Width: 900, Height: 800}); err != nil {
			return end, err
		}
		if _, err := stage.Eval[string](page, probe); err != nil {
			return end, err
		}
		pages = append(pages, page)
	}
	f.page, f.seats = pages[0], pages[1]
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan struct{})
	f.customer, err = stage.NewCustomer(ctx, center, make([]int16, 8000))
	if err != nil {
		cancel()
		return end, err
	}
	go func() { defer close(done); _ = f.customer.Run(ctx) }()
	ends = append(ends, func() { cancel(); <-done })
	return end, f.customer.Ready(ctx)
}

func signIn(p *stage.Page, n int) error {
	for _, step := range []func() error{
		func() error { return p.Type("Account", fmt.Sprintf("agent%d", n)) },
		func() error { return p.Type("Password", stage.Password) },
		func() error { return p.Click("button", "Sign in") },
		func() error { return p.Select("Status", "Available") },
		func() error { return p.Select("Seat", strconv.Itoa(n)) },
		func() error { return p.Click("button", "Sign in") },
		func() error { return p.Wait("StaticText", "Line registered…") },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// probe times what a page shows: bench.seen(name) is when a visible button whose name begins so was first there, in ms of
// the wall clock; bench.press(name) clicks it and is when.
const probe = `globalThis.bench = {
	now: () => performance.timeOrigin + performance.now(),
	find: (name) => [...document.querySelectorAll("button,[role=menuitemradio]")].find((b) => b.checkVisibility() && !b.disabled
		&& (b.getAttribute("aria-label") || b.textContent).replace(/\s+/g, " ").trim().includes(name)),
	seen(name) {
		return new Promise((resolve, reject) => {
			const look = () => { if (!this.find(name)) return false; resolve(this.now()); watch.disconnect(); return true; };
			const watch = new MutationObserver(look);
			watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
			if (!look()) setTimeout(() => reject(new Error("never seen: " + name)), 15000);
		});
	},
	async press(name) { await this.seen(name); const at = this.now(); this.find(name).click(); return at; },
}; ""`

// idle: resident memory, signed in with a page open and nothing going on. The base is the same process before that.
func (f *floor) idle() (row, error) {
	time.Sleep(5 * time.Second) // what sign-in needed is given back
	var values []float64
	for range rounds {
		kb, err := resident(f.phone.PID())
		if err != nil {
			return row{}, err
		}
		values = append(values, kb/1024)
		time.Sleep(200 * time.Millisecond)
	}
	return newRow("phone.rss_idle", "MB", 45, values, "the same process before sign-in", f.fresh), nil
}

func resident(pid int) (kb float64, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	_, err = fmt.Sscan(rest, &kb)
	return kb, err
}

// call dials the first phone's extension and gives when the INVITE was handed over and when the page showed that it rings.
func (f *floor) call() (line string, sent time.Time, ring float64, err error) {
	for len(f.customer.Events) > 0 {
		<-f.customer.Events
	}
	shown := make(chan struct{})
	var seen float64
	var seeing error
	go func() {
		defer close(shown)
		seen, seeing = stage.Eval[float64](f.page, `bench.seen("Answer")`)
	}()
	time.Sleep(100 * time.Millisecond) // the page watches
	sent = time.Now()
	line, err = f.customer.Call(f.ctx, "2001")
	if err != nil {
		return line, sent, 0, err
	}
	<-shown
	return line, sent, seen - wall(sent), seeing
}

// wall is the time as a page counts it, in ms.
func wall(t time.Time) float64 { return float64(t.UnixMicro()) / 1000 }

// over hangs up at the page and waits until the phone is Available again.
func (f *floor) over() error {
	if _, err := stage.Eval[float64](f.page, `bench.press("Hang up")`); err != nil {
		return err
	}
	_, err := stage.Eval[float64](f.page, `bench.seen("After-call work").then(() => bench.seen("Available"))`)
	return err
}

// event waits for one the customer's line had, and gives when.
func event[E sip.Event](f *floor) (time.Time, error) {
	for end := time.After(10 * time.Second); ; {
		select {
		case e := <-f.customer.Events:
			if _, ok := e.(E); ok {
				return time.Now(), nil
			}
		case <-end:
			var want E
			return time.Time{}, fmt.Errorf("no %T came", want)
		}
	}
}

// inviteToRing: INVITE sent by the customer, through the exchange, until the page shows Answer. The base is when the customer
// heard 180.
func (f *floor) inviteToRing() (row, error) {
	var values, bases []float64
	for range rounds {
		rung := make(chan time.Time, 1)
		go func() {
			at, _ := event[sip.Progress](f)
			rung <- at
		}()
		_, sent, ring, err := f.call()
		if err != nil {
			return row{}, err
		}
		values, bases = append(values, ring), append(bases, ms((<-rung).Sub(sent)))
		if _, err := stage.Eval[float64](f.page, `bench.press("Answer")`); err != nil {
			return row{}, err
		}
		<-f.customer.Talks
		if err := f.over(); err != nil {
			return row{}, err
		}
	}
	return newRow("phone.invite_to_page_ring", "ms", 50, values, "INVITE to 180 at the caller", bases), nil
}

// answerToRTP: click on Answer until the first RTP packet reaches the customer, with the page warm. The base is when the
// customer had the 200.
func (f *floor) answerToRTP() (row, error) {
	var values, bases []float64
	for range rounds {
		if _, _, _, err := f.call(); err != nil {
			return row{}, err
		}
		time.Sleep(time.Second) // a person looks at who calls; the page opens its microphone
		answered := make(chan time.Time, 1)
		go func() {
			at, _ := event[sip.Answered](f)
			answered <- at
		}()
		clicked, err := stage.Eval[float64](f.page, `bench.press("Answer")`)
		if err != nil {
			return row{}, err
		}
		line := <-f.customer.Talks
		at, err := f.customer.First(line)
		if err != nil {
			return row{}, err
		}
		values, bases = append(values, wall(at)-clicked), append(bases, wall(<-answered)-clicked)
		if err := f.over(); err != nil {
			return row{}, err
		}
	}
	return newRow("phone.answer_to_rtp", "ms", 25, values, "click to 200 OK at the caller", bases), nil
}

// statusToSeatView: click on a status until another phone's seat view shows it. The base is when the own page shows it.
func (f *floor) statusToSeatView() (row, error) {
	var values, bases []float64
	for i := range rounds {
		from, to := "Available", "On break"
		if i%2 == 1 {
			from, to = to, from
		}
		seen := make(chan error, 1)
		var there float64
		go func() {
			var err error
			there, err = stage.Eval[float64](f.seats, fmt.Sprintf(`bench.seen("1, Agent 1, %s")`, to))
			seen <- err
		}()
		if _, err := stage.Eval[float64](f.page, fmt.Sprintf(`bench.press(%q)`, from)); err != nil {
			return row{}, err
		}
		time.Sleep(300 * time.Millisecond) // the list is open, the other page watches
		type pair struct{ Pressed, Shown float64 }
		p, err := stage.Eval[pair](f.page, fmt.Sprintf(`(async () => { const item = [...document.querySelectorAll("[role=menuitemradio]")].find((b) => b.textContent.includes(%[1]q));
			const Pressed = bench.now(); item.click(); return { Pressed, Shown: await bench.seen(%[1]q) }; })()`, to))
		if err != nil {
			return row{}, err
		}
		if err := <-seen; err != nil {
			return row{}, err
		}
		values, bases = append(values, there-p.Pressed), append(bases, p.Shown-p.Pressed)
	}
	return newRow("phone.status_to_seatview", "ms", 100, values, "click to the own page", bases), nil
}
