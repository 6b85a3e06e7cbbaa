package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/pkg/browser"

	"zaseki/web/wire"
)

// opener opens pages in the browser, one at a time. A browser that cannot be started is told once with the address to type.
type opener struct {
	log  *slog.Logger
	off  bool
	held func() wire.Values // settings; nil: as by default

	mu   sync.Mutex
	last map[string]time.Time // by address
}

func newOpener(log *slog.Logger, off bool) *opener {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // the library's globals; this is their one owner
	return &opener{log: log, off: off, last: map[string]time.Time{}}
}

// chooses lets the settings say in what the pages open.
func (o *opener) chooses(held func() wire.Values) { o.held = held }

// open opens an address in the browser. It returns at once; the browser's starter may take seconds. A double click opens one page.
func (o *opener) open(url string) { o.start(url, browser.OpenURL) }

// openAndLeave opens an address before this process ends: it waits until the starter of the browser is done, or surely on its way.
func (o *opener) openAndLeave(url string) {
	if o.off {
		return
	}
	done := make(chan struct{})
	o.start(url, func(url string) error {
		defer close(done)
		return browser.OpenURL(url)
	})
	select {
	case <-done:
	case <-time.After(openMost):
	}
}

// openMost is how long a process that is about to end waits for the starter of a browser; some end with the browser only.
const openMost = 5 * time.Second

// page opens a page of the panel: in a tab, or in a window of its own where that is chosen and can be had.
func (o *opener) page(url string) {
	command, args, ok := appWindow()
	if o.held == nil || o.held().Text(wire.SetWindow) != "app" || !ok {
		o.open(url)
		return
	}
	o.start(url, func(url string) error {
		if err := exec.Command(command, append(args, "--app="+url)...).Run(); err != nil {
			o.log.Warn("no window of its own: the page opens in a tab", "browser", command, "err", err)
			return browser.OpenURL(url)
		}
		return nil
	})
}

func (o *opener) start(url string, how func(url string) error) {
	if o.off {
		o.log.Debug("no page is opened: -no-browser")
		return
	}
	site, _, _ := strings.Cut(url, "#") // what follows is another secret each time
	o.mu.Lock()
	defer o.mu.Unlock()
	maps.DeleteFunc(o.last, func(_ string, at time.Time) bool { return time.Since(at) >= time.Second })
	if _, again := o.last[site]; again {
		return
	}
	o.last[site] = time.Now()
	go func() { // nobody waits for it: some starters of browsers end with the browser
		if err := how(url); err != nil {
			o.log.Warn("no browser could be opened; type the panel's address from the first line into one", "err", err)
		}
	}()
}

// Apply implements applier: whether a window of its own can be had.
func (o *opener) Apply(_ context.Context, _ string, v wire.Values) *wire.Problem {
	if _, _, ok := appWindow(); v.Text(wire.SetWindow) == "app" && !ok {
		return &wire.Problem{Code: wire.ProblemWindow}
	}
	return nil
}

// appWindow is the browser of the Chromium family that is installed, and what it wants before --app.
func appWindow() (command string, args []string, ok bool) {
	for _, b := range appBrowsers() {
		if path, err := exec.LookPath(b[0]); err == nil {
			return path, b[1:], true
		}
	}
	return "", nil, false
}
