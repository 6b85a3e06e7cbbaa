package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zaseki/cmd/bench/stage"
	"zaseki/tray/desktop"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

// pages is a center and a phone in the tray of a desktop of its own, with a display that nobody sees, before and after sign-in.
type pages struct {
	ctx     context.Context
	dir     string
	ends    []func()
	desk    *desktop.Desktop
	display string
	center  *stage.Program
	phone   *stage.Program
	browser *stage.Browser
	page    *stage.Page
	hand    *hand
}

// pagesGroup measures what the pages and the tray promise (rows pages.…).
func pagesGroup(ctx context.Context, l lab) error {
	p := &pages{ctx: ctx, dir: l.dir}
	defer p.close()
	if err := p.open(); err != nil {
		return err
	}
	err := l.measure(measure{"pages.load", p.load}, measure{"pages.bytes", p.bytes}, measure{"pages.idle_cpu", p.idleCPU},
		measure{"pages.idle_memory", p.idleMemory}, measure{"pages.change_to_page", p.changeToPage}, measure{"pages.tray_menu", p.trayMenu},
		measure{"pages.mute_hotkey", p.muteHotkey})
	if err == nil {
		err = l.measure(append(p.floorRows(), p.pastRows()...)...)
	}
	if err != nil {
		return fmt.Errorf("%w\nthe phone:\n%s", err, p.phone.Log())
	}
	return nil
}

func (p *pages) close() {
	for i := len(p.ends) - 1; i >= 0; i-- {
		p.ends[i]()
	}
}

func (p *pages) open() error {
	if err := stage.Build(p.ctx, ".", p.dir, "center", "softphone"); err != nil {
		return err
	}
	file, err := stage.Floor(p.dir, nil)
	if err != nil {
		return err
	}
	if p.center, err = stage.StartCenter(p.ctx, filepath.Join(p.dir, "center"), p.dir, file); err != nil {
		return err
	}
	p.ends = append(p.ends, func() { p.center.Stop() })
	if p.desk, err = p.desktop(); err != nil {
		return err
	}
	if err := p.screen(); err != nil {
		return err
	}
	p.phone, err = stage.Start(p.ctx, filepath.Join(p.dir, "softphone"), []string{p.desk.Env(), "DISPLAY=" + p.display, "WAYLAND_DISPLAY=", "XAUTHORITY="},
		"-config", filepath.Join(p.dir, "phone"), "-panel", "127.0.0.1:0", "-no-browser", "-center", p.center.String("http"), "-lang", "en")
	if err != nil {
		return err
	}
	p.ends = append(p.ends, func() { p.phone.Stop() })
	if p.browser, err = stage.OpenBrowser(p.ctx, filepath.Join(p.dir, "profile"), ""); err != nil {
		return err
	}
	p.ends = append(p.ends, p.browser.Close)
	p.page, err = p.browser.Open("about:blank", stage.View{})
	return err
}

// alone is a test that is none, for the desktop that tests have. What fails ends in a panic with its words.
type alone struct {
	testing.TB
	dir  string
	pile *[]func()
}

func (a alone) Helper()                      {}
func (a alone) Failed() bool                 { return false }
func (a alone) TempDir() string              { return a.dir }
func (a alone) Cleanup(end func())           { *a.pile = append(*a.pile, end) }
func (a alone) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (a alone) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
func (a alone) Skipf(f string, args ...any)  { panic(fmt.Sprintf(f, args...)) }

func (p *pages) desktop() (d *desktop.Desktop, err error) {
	defer func() {
		if said := recover(); said != nil {
			err = fmt.Errorf("a desktop of our own: %v", said)
		}
	}()
	dir, err := os.MkdirTemp(p.dir, "desktop")
	if err != nil {
		return nil, err
	}
	return desktop.Start(alone{dir: dir, pile: &p.ends}), nil
}

// screen starts a display that nobody sees.
func (p *pages) screen() error {
	cmd, out, err := started(p.ctx, "Xvfb", "-displayfd", "1", "-nolisten", "tcp")
	if err != nil {
		return err
	}
	p.ends = append(p.ends, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var n int
	if _, err := fmt.Fscan(out, &n); err != nil {
		return fmt.Errorf("start Xvfb: %w", err)
	}
	p.display = fmt.Sprint(":", n)
	return nil
}

// usable gives, in ms since the navigation began, when a field for the account could be typed into and was painted: a message posted in a
// frame is heard when that frame is drawn.
const usable = `globalThis.usable = new Promise((done) => {
	const look = () => {
		const f = document.querySelector("#account");
		if (!f?.checkVisibility() || f.disabled || !document.styleSheets.length) return false;
		watch.disconnect();
		const drawn = new MessageChannel();
		drawn.port1.onmessage = () => done(performance.now());
		requestAnimationFrame(() => drawn.port2.postMessage(0));
		return true;
	};
	const watch = new MutationObserver(look);
	watch.observe(document, { subtree: true, childList: true, attributes: true });
	addEventListener("DOMContentLoaded", look);
});`

// settling is for a browser that has just been started and still has work of its own; people's runs already.
const settling = 5 * time.Second

// load: navigation to the sign-in form that can be used, with nothing in a cache. The base is a page of one field from a server in the
// same browser.
func (p *pages) load() (row, error) {
	base := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><style>input{color:red}</style><input id=account>`))
	}))
	defer base.Close()
	tab, err := p.browser.Open("about:blank", stage.View{})
	if err != nil {
		return row{}, err
	}
	defer tab.Close()
	if err := tab.Before(usable); err != nil {
		return row{}, err
	}
	if err := tab.Calm(); err != nil {
		return row{}, err
	}
	time.Sleep(settling)
	var values, bases []float64
	for range rounds {
		for url, into := range map[string]*[]float64{stage.English(p.phone.String("panel"), ""): &values, base.URL: &bases} {
			ms, err := timed(tab, url)
			if err != nil {
				return row{}, err
			}
			*into = append(*into, ms)
		}
	}
	return newRow("pages.load", "ms", 150, values, "a page of one field", bases), nil
}

// timed is one load, of which nothing may have come out of a cache.
func timed(tab *stage.Page, url string) (float64, error) {
	if err := tab.Go("about:blank"); err != nil {
		return 0, err
	}
	if err := tab.Forget(); err != nil {
		return 0, err
	}
	if err := tab.Go(url); err != nil {
		return 0, err
	}
	took, err := stage.Eval[float64](tab, `usable`)
	if err != nil {
		return 0, err
	}
	kept, err := stage.Eval[string](tab, `performance.getEntriesByType("resource").filter((e) => /\.(js|css|json)$/.test(e.name) && e.transferSize < e.encodedBodySize).map((e) => e.name).join(" ")`)
	if err == nil && kept != "" {
		err = fmt.Errorf("out of a cache: %s", kept)
	}
	return took, err
}

// bytes: all that the first load brings, as it comes over the network with its heads. The base is the same unpacked.
func (p *pages) bytes() (row, error) {
	var values, bases []float64
	for range 3 {
		tab, err := p.browser.Open("about:blank", stage.View{})
		if err != nil {
			return row{}, err
		}
		var mu sync.Mutex
		sum := 0.0
		if err := tab.Weigh(func(bytes float64) { mu.Lock(); defer mu.Unlock(); sum += bytes }); err != nil {
			return row{}, err
		}
		if err := tab.Go(stage.English(p.phone.String("panel"), "")); err != nil {
			return row{}, err
		}
		if err := tab.Wait("textbox", "Account"); err != nil {
			return row{}, err
		}
		time.Sleep(2 * time.Second) // what is loaded later on counts too
		plain, err := stage.Eval[float64](tab, `[performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")].reduce((n, e) => n + e.decodedBodySize, 0)`)
		if err != nil {
			return row{}, err
		}
		tab.Close()
		mu.Lock()
		values, bases = append(values, sum/1000), append(bases, plain/1000)
		mu.Unlock()
	}
	return newRow("pages.bytes", "kB", 200, values, "the same unpacked", bases), nil
}

// work signs in, with a page and without one, unless that is done.
func (p *pages) work() error {
	if p.hand != nil {
		return nil
	}
	url := stage.English(p.phone.String("panel"), "")
	if err := p.page.Go("about:blank"); err != nil {
		return err
	}
	if err := p.page.Go(url); err != nil {
		return err
	}
	if err := signIn(p.page, 1); err != nil {
		return err
	}
	if _, err := stage.Eval[string](p.page, probe); err != nil {
		return err
	}
	var err error
	p.hand, err = grasp(p.ctx, p.phone.String("panel"))
	if err == nil {
		p.ends = append(p.ends, p.hand.close)
	}
	return err
}

// hand is a page without a browser: it asks, and sees what the phone says at the moment it is said.
type hand struct {
	conn *socket.Conn
	done chan struct{}

	mu    sync.Mutex
	now   wire.Snapshot
	moved chan struct{} // closed when something is new
}

// grasp opens the panel of a ready line.
func grasp(ctx context.Context, panel string) (*hand, error) {
	base, token, _ := strings.Cut(panel, "/#")
	body, err := json.Marshal(map[string]string{"token": token})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/session", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", base)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if len(res.Cookies()) != 1 {
		return nil, fmt.Errorf("session: %s", res.Status)
	}
	head := http.Header{"Origin": {base}, "Cookie": {res.Cookies()[0].Name + "=" + res.Cookies()[0].Value}}
	conn, err := socket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+"/ws?page=hand-of-the-bench", head, socket.Options{ReadLimit: 1 << 20})
	if err != nil {
		return nil, err
	}
	h := &hand{conn: conn, done: make(chan struct{}), moved: make(chan struct{})}
	go h.read()
	return h, nil
}

func (h *hand) read() {
	defer close(h.done)
	for {
		e, err := h.conn.Read(context.Background())
		if err != nil {
			return
		}
		said, err := wire.ParsePanel(e)
		s, ok := said.(wire.Snapshot)
		if err != nil || !ok {
			continue
		}
		h.mu.Lock()
		h.now = s
		close(h.moved)
		h.moved = make(chan struct{})
		h.mu.Unlock()
	}
}

func (h *hand) close() {
	h.conn.Close(socket.GoingAway, "")
	<-h.done
}

// say asks the phone for something.
func (h *hand) say(ctx context.Context, c wire.Command) error {
	e, err := wire.Pack("", c)
	if err != nil {
		return err
	}
	return h.conn.Write(ctx, e)
}

// sees waits until the phone is like that, and gives when.
func (h *hand) sees(what string, so func(wire.Snapshot) bool) (time.Time, error) {
	for late := time.After(15 * time.Second); ; {
		h.mu.Lock()
		now, moved := h.now, h.moved
		h.mu.Unlock()
		if so(now) {
			return time.Now(), nil
		}
		select {
		case <-moved:
		case <-h.done:
			return time.Time{}, fmt.Errorf("the panel is gone, without %s", what)
		case <-late:
			return time.Time{}, fmt.Errorf("never: %s", what)
		}
	}
}
