package main

import (
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/pkg/browser"
)

// opener opens pages in the browser, one at a time. A browser that cannot be started is told once with the address to type.
type opener struct {
	log *slog.Logger
	off bool

	mu   sync.Mutex
	last time.Time
}

func newOpener(log *slog.Logger, off bool) *opener {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard // the library's globals; this is their one owner
	return &opener{log: log, off: off}
}

// open returns at once; the browser's starter may take seconds. A double click opens one page.
func (o *opener) open(url string) {
	if o.off {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.last) < time.Second {
		return
	}
	o.last = time.Now()
	go func() { // nobody waits for it: some starters of browsers end with the browser
		if err := browser.OpenURL(url); err != nil {
			o.log.Warn("no browser could be opened; type the panel's address from the first line into one", "err", err)
		}
	}()
}
