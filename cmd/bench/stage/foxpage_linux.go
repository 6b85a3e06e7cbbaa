package stage

import (
	"encoding/json"
	"fmt"
	"time"
)

// FoxPage is a tab of Firefox.
type FoxPage struct {
	f  *Firefox
	id string // of its browsing context
}

// Open opens a tab at that address.
func (f *Firefox) Open(url string) (*FoxPage, error) {
	var made struct{ Context string }
	if err := f.call("browsingContext.create", map[string]any{"type": "tab"}, &made); err != nil {
		return nil, err
	}
	p := &FoxPage{f, made.Context}
	return p, f.call("browsingContext.navigate", map[string]any{"context": p.id, "url": url, "wait": "complete"}, nil)
}

// Reload loads the page anew.
func (p *FoxPage) Reload() error {
	return p.f.call("browsingContext.reload", map[string]any{"context": p.id, "wait": "interactive"}, nil)
}

// Close closes the tab.
func (p *FoxPage) Close() error {
	return p.f.call("browsingContext.close", map[string]any{"context": p.id}, nil)
}

// remote is a value as BiDi writes it.
type remote struct {
	Type     string          `json:"type"`
	Value    json.RawMessage `json:"value"`
	SharedID string          `json:"sharedId"`
}

// run calls a function with arguments that are elements or texts.
func (p *FoxPage) run(function string, args ...any) (remote, error) {
	list := []any{}
	for _, a := range args {
		if r, ok := a.(remote); ok {
			list = append(list, map[string]any{"sharedId": r.SharedID})
		} else {
			list = append(list, map[string]any{"type": "string", "value": a})
		}
	}
	var answer struct {
		Type             string
		Result           remote
		ExceptionDetails struct{ Text string }
	}
	err := p.f.call("script.callFunction", map[string]any{"functionDeclaration": function, "awaitPromise": true, "arguments": list,
		"target": map[string]any{"context": p.id}}, &answer)
	if err == nil && answer.Type != "success" {
		err = fmt.Errorf("script: %s", answer.ExceptionDetails.Text)
	}
	return answer.Result, err
}

// says is run for a function that gives a text.
func (p *FoxPage) says(function string, args ...any) (string, error) {
	r, err := p.run(function, args...)
	if err != nil {
		return "", err
	}
	var text string
	if r.Type != "string" {
		return "", fmt.Errorf("script: gave a %s, not a text", r.Type)
	}
	return text, json.Unmarshal(r.Value, &text)
}

// Eval runs an expression whose value, or the value it promises, becomes a text.
func (p *FoxPage) Eval(expression string) (string, error) {
	return p.says("async () => String(await (" + expression + "))")
}

// finder gives the first enabled element on the page of that role and name; a name that ends in "…" is a beginning. BiDi's own way,
// by the tree for screen readers, takes seconds; Chromium's tests go that way.
const finder = `(role, name) => {
	const kinds = { button: "button", textbox: "input:not([type=checkbox], [type=radio]), textarea", combobox: "select" };
	const start = name.endsWith("…") ? name.slice(0, -1) : "";
	for (const el of document.querySelectorAll([kinds[role], "[role=" + role + "]"].filter(Boolean).join())) {
		const label = el.ariaLabel ?? el.labels?.[0]?.textContent ?? el.textContent;
		const said = label.replace(/\s+/g, " ").trim();
		if ((start ? said.startsWith(start) : said === name) && !el.disabled && el.checkVisibility()) return el;
	}
	return null; }`

func (p *FoxPage) find(role, name string) (remote, bool, error) {
	r, err := p.run(finder, role, name)
	return r, err == nil && r.Type == "node", err
}

// Wait waits until it is there.
func (p *FoxPage) Wait(role, name string) error {
	_, err := p.await(role, name)
	return err
}

func (p *FoxPage) await(role, name string) (remote, error) {
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		n, ok, err := p.find(role, name)
		if ok {
			return n, nil
		}
		if time.Now().After(end) {
			said, _ := p.says(`() => document.body.innerText`)
			return n, fmt.Errorf("no %s %q on the page (%v); it says:\n%s", role, name, err, said)
		}
	}
}

// Click presses the mouse on it.
func (p *FoxPage) Click(role, name string) error {
	n, err := p.await(role, name)
	if err != nil {
		return err
	}
	if _, err := p.run(`(el) => (el.scrollIntoView({ block: "center" }), "")`, n); err != nil {
		return err
	}
	origin := map[string]any{"type": "element", "element": map[string]any{"sharedId": n.SharedID}}
	return p.f.call("input.performActions", map[string]any{"context": p.id, "actions": []any{map[string]any{"type": "pointer", "id": "mouse", "actions": []any{
		map[string]any{"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
		map[string]any{"type": "pointerDown", "button": 0}, map[string]any{"type": "pointerUp", "button": 0}}}}}, nil)
}

// Type replaces what a text box holds, key by key.
func (p *FoxPage) Type(name, words string) error {
	if err := p.Click("textbox", name); err != nil {
		return err
	}
	if _, err := p.run(`() => (document.activeElement.select(), "")`); err != nil {
		return err
	}
	var keys []any
	for _, c := range words {
		keys = append(keys, map[string]any{"type": "keyDown", "value": string(c)}, map[string]any{"type": "keyUp", "value": string(c)})
	}
	return p.f.call("input.performActions", map[string]any{"context": p.id, "actions": []any{map[string]any{"type": "key", "id": "keys", "actions": keys}}}, nil)
}

// Select chooses the option of a combo box whose text is that, or begins with it and a space.
func (p *FoxPage) Select(name, option string) error {
	n, err := p.await("combobox", name)
	if err != nil {
		return err
	}
	had, err := p.says(`(el, want) => {
		const o = [...el.options].find((o) => o.text.trim() === want) ?? [...el.options].find((o) => o.text.trim().startsWith(want + " "));
		if (!o) return [...el.options].map((o) => o.text).join("|");
		el.value = o.value; el.dispatchEvent(new Event("input", { bubbles: true })); el.dispatchEvent(new Event("change", { bubbles: true })); return ""; }`, n, option)
	if err == nil && had != "" {
		err = fmt.Errorf("combo box %q has no option %q but %s", name, option, had)
	}
	return err
}
