package stage

import (
	"context"
	"fmt"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// What happens to pages.

// Freeze stops everything on the page but its sound, as a browser does with tabs that nobody looks at; off thaws it.
func (p *Page) Freeze(on bool) error {
	state := page.SetWebLifecycleStateStateActive
	if on {
		state = page.SetWebLifecycleStateStateFrozen
	}
	_, err := chromedp.Call(p.ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state})
	return err
}

// Crash ends the page's process; the tab stays, dead.
func (p *Page) Crash() {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second) // a dead page answers nothing
	defer cancel()
	_, _ = chromedp.Call(ctx, page.Crash, cdp.Empty{})
}

// Before runs a script before those of every page that this tab loads from now on.
func (p *Page) Before(script string) error {
	_, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	return err
}

// Kill ends the browser as a power cut would.
func (b *Browser) Kill() error {
	if err := chromedp.FromContext(b.ctx).Browser.Process().Kill(); err != nil {
		return fmt.Errorf("kill chromium: %w", err)
	}
	return nil
}
