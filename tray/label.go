package tray

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// plain makes a stranger's text fit for one line: no control characters, no invisible ones that turn or hide text, runs of
// space as one, at most so many characters.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most-1]) + "…"
	}
	return s
}

// escape doubles what the menus of that system take for an underlined key: "_" on Linux, "&" on Windows.
func escape(label, goos string) string {
	switch goos {
	case "linux":
		return strings.ReplaceAll(label, "_", "__")
	case "windows":
		return strings.ReplaceAll(label, "&", "&&")
	}
	return label
}

// maxTip is what Windows has room for, in UTF-16 units: 128 with the closing zero.
const maxTip = 127

// short cuts a tooltip to maxTip without splitting a character.
func short(tip string) string {
	n := 0
	for i, r := range tip {
		if n += utf16.RuneLen(r); n > maxTip {
			return tip[:i]
		}
	}
	return tip
}
