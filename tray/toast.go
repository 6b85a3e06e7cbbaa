package tray

import (
	"fmt"
	"strconv"
	"strings"
)

// toastXML is a note as a toast of Windows 10 and later (the toast content schema). What is clicked comes back as the text that
// readClick takes apart. All words in it are text, whoever sent them.
func toastXML(id uint32, n note) string {
	var b strings.Builder
	scenario, styled := "", ""
	if n.urgent { // stays on the screen until it is answered or withdrawn
		scenario, styled = ` scenario="incomingCall"`, ` useButtonStyle="true"`
	}
	fmt.Fprintf(&b, `<toast activationType="foreground" launch="%d %s"%s%s><visual><binding template="ToastGeneric">`, id, actOpen, scenario, styled)
	fmt.Fprintf(&b, `<text>%s</text><text>%s</text></binding></visual><audio silent="true"/><actions>`, xmlText(n.title), xmlText(n.body))
	for _, a := range n.actions {
		if a.key == actOpen { // that is a click on the toast itself
			continue
		}
		style := map[string]string{actAnswer: ` hint-buttonStyle="Success"`, actDecline: ` hint-buttonStyle="Critical"`}[a.key]
		fmt.Fprintf(&b, `<action activationType="foreground" content="%s" arguments="%d %s"%s/>`, xmlText(a.label), id, a.key, style)
	}
	b.WriteString(`</actions></toast>`)
	return b.String()
}

// xmlText is a text between tags or in quotes (XML 1.0 §2.2 and §2.4). What needs two UTF-16 units goes as a number: the library that
// hands the text to Windows counts characters where Windows counts units.
func xmlText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < ' ' && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff, r == '\ufffd':
		case strings.ContainsRune(`&<>"'`, r), r > 0xffff:
			fmt.Fprintf(&b, "&#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// readClick takes apart what a click on a toast says: the number of the note, and the key of its action.
func readClick(said string) (id uint32, key string, ok bool) {
	number, key, ok := strings.Cut(said, " ")
	n, err := strconv.ParseUint(number, 10, 32)
	return uint32(n), key, ok && err == nil && key != ""
}

// commandOfMac is the command that shows a note on macOS, with the script at its standard input. What follows the lone dash is no option, whatever it begins
// with.
func commandOfMac(n note) []string { return []string{"osascript", "-", n.title, n.body} }
