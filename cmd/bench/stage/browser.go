package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a headless Chromium with a WAV file as its microphone.
type Browser struct {
	ctx   context.Context
	close func()
}

// OpenBrowser starts Chromium. Mic is a WAV file that it speaks over and over; "" is Chromium's own beeps.
func OpenBrowser(ctx context.Context, profile, mic string) (*Browser, error) {
	opts := []chromedp.ExecAllocatorOption{chromedp.Flag("use-fake-device-for-media-stream", true)}
	if mic != "" {
		opts = append(opts, chromedp.Flag("use-file-for-fake-audio-capture", mic))
	}
	return openBrowser(ctx, profile, opts)
}

// OpenBrowserWith starts Chromium with more flags of its command line.
func OpenBrowserWith(ctx context.Context, profile string, flags map[string]any) (*Browser, error) {
	var opts []chromedp.ExecAllocatorOption
	for name, value := range flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	return openBrowser(ctx, profile, opts)
}

// OpenBrowserOn starts Chromium on the sound devices of that server.
func OpenBrowserOn(ctx context.Context, profile string, p *Pulse) (*Browser, error) {
	return openBrowser(ctx, profile, []chromedp.ExecAllocatorOption{chromedp.Env(p.Env()...), chromedp.Flag("mute-audio", false)})
}

func openBrowser(ctx context.Context, profile string, more []chromedp.ExecAllocatorOption) (*Browser, error) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:len(chromedp.DefaultExecAllocatorOptions):len(chromedp.DefaultExecAllocatorOptions)],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.UserDataDir(profile),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("no-first-run", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-gpu", true),
		chromedp.Flag("allow-loopback-in-peer-connection", true)) // a test machine may have no network but lo
	alloc, stopAlloc := chromedp.NewExecAllocator(ctx, append(opts, more...)...)
	tab, stopTab := chromedp.NewContext(alloc)
	b := &Browser{ctx: tab, close: func() { stopTab(); stopAlloc() }}
	if err := chromedp.Do(tab); err != nil {
		b.close()
		return nil, fmt.Errorf("start chromium: %w", err)
	}
	return b, nil
}

// Close ends the browser.
func (b *Browser) Close() { b.close() }

// Page is one tab.
type Page struct {
	ctx   context.Context
	close context.CancelFunc
}

// View is how a page is looked at. Zero: 420×800, light.
type View struct {
	Width, Height int64
	Dark          bool
}

// Open opens a tab at that address.
func (b *Browser) Open(url string, v View) (*Page, error) {
	ctx, cancel := chromedp.NewContext(b.ctx)
	p := &Page{ctx, cancel}
	if v.Width == 0 {
		v.Width, v.Height = 420, 800
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		cancel()
		return nil, err
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(v.Width, v.Height), chromedp.Navigate(url)); err != nil {
		cancel()
		return nil, fmt.Errorf("open page: %w", err)
	}
	return p, nil
}

// Close closes the tab.
func (p *Page) Close() { p.close() }

// Reload loads the page anew.
func (p *Page) Reload() error { return chromedp.Do(p.ctx, chromedp.Reload()) }

// patience is how long Wait and its kin look before they give up: what must come sooner is timed by who waits for it.
const patience = 30 * time.Second

// shortPause is between the first two looks. What takes longer is looked for less often: every look reads the whole page, and the page's
// processor is wanted for sound.
const shortPause = 20 * time.Millisecond

func longer(pause time.Duration) time.Duration { return min(pause*5/4, 100*time.Millisecond) }

// node is an element as a screen reader has it.
type node struct {
	role, name, value string
	disabled, checked bool
	id                dom.ScrollIntoViewIfNeededParams
}

func (p *Page) nodes() ([]node, error) {
	tree, err := chromedp.Call(p.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return nil, err
	}
	var all []node
	for _, n := range tree.Nodes {
		if n.Ignored || n.BackendDOMNodeID == 0 {
			continue
		}
		x := node{role: text(n.Role), name: text(n.Name), value: text(n.Value), id: dom.ScrollIntoViewIfNeededParams{BackendNodeID: n.BackendDOMNodeID}}
		for _, prop := range n.Properties {
			switch string(prop.Name) {
			case "disabled":
				x.disabled = text(prop.Value) == "true"
			case "checked":
				x.checked = text(prop.Value) == "true"
			}
		}
		all = append(all, x)
	}
	return all, nil
}

func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s any
	if json.Unmarshal(v.Value, &s) != nil {
		return ""
	}
	return fmt.Sprint(s)
}

// find is the first enabled element of that role and name; a name that ends in "…" is a beginning.
func (p *Page) find(role, name string) (node, bool, error) {
	all, err := p.nodes()
	if err != nil {
		return node{}, false, err
	}
	for _, n := range all {
		if n.role == role && !n.disabled && matches(n.name, name) {
			return n, true, nil
		}
	}
	return node{}, false, nil
}

func matches(have, want string) bool {
	if start, ok := strings.CutSuffix(want, "…"); ok {
		return strings.HasPrefix(have, start)
	}
	return have == want
}

// Wait waits until an enabled element of that role and name is there.
func (p *Page) Wait(role, name string) error {
	_, err := p.await(role, name)
	return err
}

func (p *Page) await(role, name string) (node, error) {
	for end, pause := time.Now().Add(patience), shortPause; ; pause = longer(pause) {
		n, ok, err := p.find(role, name)
		if ok {
			return n, nil
		}
		if time.Now().After(end) {
			return n, fmt.Errorf("no %s %q on the page (%v); there is:\n%s", role, name, err, p.Said())
		}
		time.Sleep(pause)
	}
}

// Has says whether it is there now.
func (p *Page) Has(role, name string) bool {
	_, ok, err := p.find(role, name)
	return ok && err == nil
}

// Gone waits until it is not there.
func (p *Page) Gone(role, name string) error {
	for end, pause := time.Now().Add(patience), shortPause; p.Has(role, name); pause = longer(pause) {
		time.Sleep(pause)
		if time.Now().After(end) {
			return fmt.Errorf("%s %q is still there", role, name)
		}
	}
	return nil
}

// Value waits for the element and gives its value.
func (p *Page) Value(role, name string) (string, error) {
	n, err := p.await(role, name)
	return n.value, err
}

// Said is all that a screen reader would say, a line each: what a failed test shows.
func (p *Page) Said() string {
	all, err := p.nodes()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, n := range all {
		if n.name != "" && n.role != "InlineTextBox" {
			fmt.Fprintf(&b, "  %s %q", n.role, n.name)
			if n.disabled {
				b.WriteString(" disabled")
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// Click presses the mouse on it, in its middle.
func (p *Page) Click(role, name string) error { return p.press(role, name, input.MouseButtonLeft) }

// Context presses the right button on it.
func (p *Page) Context(role, name string) error { return p.press(role, name, input.MouseButtonRight) }

func (p *Page) press(role, name string, button input.MouseButton) error {
	n, err := p.await(role, name)
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(p.ctx, dom.ScrollIntoViewIfNeeded, n.id); err != nil {
		return fmt.Errorf("scroll to %s %q: %w", role, name, err)
	}
	quads, err := chromedp.Call(p.ctx, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: n.id.BackendNodeID})
	if err != nil || len(quads.Quads) == 0 {
		return fmt.Errorf("place of %s %q: %w", role, name, err)
	}
	q := quads.Quads[0]
	x, y := (q[0]+q[4])/2, (q[1]+q[5])/2
	for _, t := range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
		if _, err := chromedp.Call(p.ctx, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: t, X: x, Y: y, Button: button, ClickCount: 1}); err != nil {
			return fmt.Errorf("click %s %q: %w", role, name, err)
		}
	}
	return nil
}

// Type replaces what a text box holds.
func (p *Page) Type(name, words string) error {
	if err := p.Click("textbox", name); err != nil {
		return err
	}
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](`document.activeElement.select()`)); err != nil {
		return err
	}
	_, err := chromedp.Call(p.ctx, input.InsertText, input.InsertTextParams{Text: words})
	return err
}

// Select chooses the option of a combo box: its whole text, or its first words.
func (p *Page) Select(name, option string) error {
	n, err := p.await("combobox", name)
	if err != nil {
		return err
	}
	obj, err := chromedp.Call(p.ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: n.id.BackendNodeID})
	if err != nil {
		return err
	}
	quoted, err := json.Marshal(option)
	if err != nil {
		return err
	}
	res, err := chromedp.Call(p.ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{ObjectID: obj.Object.ObjectID, ReturnByValue: new(true),
		FunctionDeclaration: `function() { const want = ` + string(quoted) + `;
			const o = [...this.options].find((o) => o.text.trim() === want) ?? [...this.options].find((o) => o.text.trim().startsWith(want + " "));
			if (!o) return [...this.options].map((o) => o.text).join("|");
			this.value = o.value; this.dispatchEvent(new Event("input", {bubbles: true})); this.dispatchEvent(new Event("change", {bubbles: true})); return ""; }`})
	if err != nil {
		return err
	}
	if s := strings.Trim(string(res.Result.Value), `"`); s != "" {
		return fmt.Errorf("combo box %q has no option %q but %s", name, option, s)
	}
	return nil
}

// Eval runs a script and gives its value; a promise is waited for.
func Eval[T any](p *Page, script string) (T, error) {
	return chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Shot saves a picture of what is seen.
func (p *Page) Shot(file string) error {
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644)
}

// English is the panel's address for a page in English: view is "" for the phone, "seats" for the seat view.
func English(panel, view string) string { return Address(panel, view, "en") }

// Address is the panel's address for a page in that language.
func Address(panel, view, lang string) string {
	base, token, _ := strings.Cut(panel, "/#")
	return base + "/" + view + "?lang=" + lang + "#" + token
}
