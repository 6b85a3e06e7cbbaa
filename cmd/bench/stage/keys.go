package stage

import (
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// What a keyboard does, and what a page costs.

// Key is a key that is no letter, with the modifiers of the protocol: 1 Alt, 2 Ctrl, 8 Shift.
type Key struct {
	Name      string // as KeyboardEvent.key has it, such as F10
	Code      int64  // Windows' number of it
	Modifiers int64
	Command   string // what the browser's editor does then: copy, paste, selectAll
}

// Press presses the key where the keyboard is.
func (p *Page) Press(k Key) error {
	var commands []string
	if k.Command != "" {
		commands = []string{k.Command}
	}
	for _, t := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: t, Key: k.Name, WindowsVirtualKeyCode: k.Code, Modifiers: k.Modifiers, Commands: commands}); err != nil {
			return fmt.Errorf("press %s: %w", k.Name, err)
		}
		commands = nil
	}
	return nil
}

// TypeIn replaces what a field of that role holds: a combo box that may be typed into, for one.
func (p *Page) TypeIn(role, name, words string) error {
	if err := p.Click(role, name); err != nil {
		return err
	}
	if _, err := Eval[any](p, `document.activeElement.select()`); err != nil {
		return err
	}
	_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: words})
	return err
}

// Copy puts words on the clipboard as a person takes them from a text file: a tab of its own shows them, with their line breaks.
func (b *Browser) Copy(words string) error {
	p, err := b.Open("data:text/html,<textarea></textarea>", View{})
	if err != nil {
		return err
	}
	defer p.Close()
	if _, err := Eval[any](p, fmt.Sprintf(`{ const t = document.querySelector("textarea"); t.value = %q; t.focus(); t.select(); }`, words)); err != nil {
		return err
	}
	return p.Press(Key{Name: "c", Code: 'C', Modifiers: 2, Command: "copy"})
}

// Paste replaces what the text box holds by the clipboard.
func (p *Page) Paste(name string) error {
	if err := p.Click("textbox", name); err != nil {
		return err
	}
	if _, err := Eval[any](p, `document.activeElement.select()`); err != nil {
		return err
	}
	return p.Press(Key{Name: "v", Code: 'V', Modifiers: 2, Command: "paste"})
}

// Weigh counts what every page of the tab loads from now on, in bytes as they come over the network with their heads, and lets nothing
// come out of a cache.
func (p *Page) Weigh(add func(bytes float64)) error {
	err := chromedp.Listen(p.ctx, func(ev any) {
		if e, ok := ev.(*network.EventLoadingFinished); ok {
			add(e.EncodedDataLength)
		}
	})
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{}); err != nil {
		return err
	}
	_, err = chromedp.Call(p.ctx, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	return err
}

// Go leads the tab to that address and waits until it is loaded.
func (p *Page) Go(url string) error { return chromedp.Do(p.ctx, chromedp.Navigate(url)) }

// Calm ends the watching of the tab that our tools begin by themselves: it costs time that people's pages do not need.
func (p *Page) Calm() error {
	for _, end := range []cdp.Command[cdp.Empty, cdp.Empty]{css.Disable, dom.Disable, log.Disable, network.Disable} {
		if _, err := chromedp.Call(p.ctx, end, cdp.Empty{}); err != nil {
			return err
		}
	}
	return nil
}

// Forget empties the browser's cache and ends its sessions: a page brings more to who has one.
func (p *Page) Forget() error {
	for _, what := range []cdp.Command[cdp.Empty, cdp.Empty]{network.ClearBrowserCache, network.ClearBrowserCookies} {
		if _, err := chromedp.Call(p.ctx, what, cdp.Empty{}); err != nil {
			return err
		}
	}
	return nil
}
