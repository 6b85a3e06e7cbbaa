package desktop

import (
	"strings"

	"github.com/godbus/dbus/v5"
)

// Line is an item of the menu as the desktop gets it.
type Line struct {
	ID             int32
	Label          string
	Visible, Grey  bool
	Toggle, Ticked bool // a checkbox, and its tick
	Separator      bool
	Icon           []byte // PNG
}

// Lines reads the visible menu.
func (d *Desktop) Lines() []Line {
	_, menu := d.objects()
	if menu == nil {
		return nil
	}
	var rev uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	if menu.Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&rev, &root) != nil {
		return nil
	}
	var all []Line
	for _, c := range root.Children {
		raw, _ := c.Value().([]any)
		if len(raw) < 2 {
			continue
		}
		if l := lineOf(raw); l.Visible {
			all = append(all, l)
		}
	}
	return all
}

func lineOf(raw []any) Line {
	props, _ := raw[1].(map[string]dbus.Variant)
	l := Line{Visible: true}
	l.ID, _ = raw[0].(int32)
	l.Label, _ = props["label"].Value().(string)
	if v, ok := props["visible"].Value().(bool); ok {
		l.Visible = v
	}
	if v, ok := props["enabled"].Value().(bool); ok {
		l.Grey = !v
	}
	l.Toggle = props["toggle-type"].Value() == "checkmark"
	l.Ticked = props["toggle-state"].Value() == int32(1)
	l.Separator = props["type"].Value() == "separator"
	l.Icon, _ = props["icon-data"].Value().([]byte)
	return l
}

// Labels is the visible menu as text: "✓" for ticked, "---" for a separator.
func (d *Desktop) Labels() string {
	var all []string
	for _, l := range d.Lines() {
		switch {
		case l.Separator:
			all = append(all, "---")
		case l.Ticked:
			all = append(all, "✓"+l.Label)
		default:
			all = append(all, l.Label)
		}
	}
	return strings.Join(all, "|")
}

// Shows waits for the menu to read like this.
func (d *Desktop) Shows(want string) {
	d.t.Helper()
	last := ""
	defer func() {
		if d.t.Failed() {
			d.t.Logf("the menu reads %q", last)
		}
	}()
	Eventually(d.t, "menu "+want, func() bool { last = d.Labels(); return last == want })
}

// Click waits for the item of that label and clicks on it.
func (d *Desktop) Click(label string) {
	d.t.Helper()
	var id int32
	Eventually(d.t, "item "+label, func() bool {
		for _, l := range d.Lines() {
			if l.Label == label {
				id = l.ID
				return true
			}
		}
		return false
	})
	d.ClickID(id)
}

// ClickID clicks on the item of that number, whatever it is now.
func (d *Desktop) ClickID(id int32) {
	d.t.Helper()
	_, menu := d.objects()
	// No answer is waited for: after a click on Exit there may be nobody left to give it.
	Must(d.t, menu.Call("com.canonical.dbusmenu.Event", dbus.FlagNoReplyExpected, id, "clicked", dbus.MakeVariant(""), uint32(0)).Err)
}
