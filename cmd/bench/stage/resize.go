package stage

import (
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Look turns an open page to another size and scheme, as a person does with a window and the system.
func (p *Page) Look(v View) error {
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		return err
	}
	return chromedp.Do(p.ctx, chromedp.EmulateViewport(v.Width, v.Height))
}
