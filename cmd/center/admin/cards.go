package admin

import (
	"io"
	"mime/quotedprintable"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"zaseki/cmd/center/roster"
)

// property is a line of a card (RFC 6350 §3.3), its group left out.
type property struct {
	name   string // upper case
	params string // upper case, with a semicolon before each
	value  string
}

// card gathers what one says.
type card struct {
	line                           int
	full, sorted, sound, org, note string
	name                           []string // family, given
	first, last                    string   // phonetic
	numbers                        []string
}

// readCards takes the cards of a file; what is no property is passed over.
func (f *found) readCards(text string) {
	var c *card
	for _, l := range unfolded(text) {
		p, ok := propertyOf(l.text)
		switch {
		case !ok:
		case p.name == "BEGIN" && strings.EqualFold(strings.TrimSpace(p.value), "VCARD"):
			c = &card{line: l.line}
		case c == nil:
		case p.name == "END":
			if f.card(c); f.full() {
				return
			}
			c = nil
		default:
			c.take(p)
		}
	}
}

type folded struct {
	line int
	text string
}

// unfolded puts together what was broken into several lines: with a space at the begin of the next (RFC 6350 §3.2), or as quoted-printable
// with = at the end (vCard 2.1).
func unfolded(text string) (all []folded) {
	soft := false
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSuffix(l, "\r")
		last := len(all) - 1
		switch {
		case soft:
			all[last].text = strings.TrimSuffix(all[last].text, "=") + l
		case last >= 0 && l != "" && (l[0] == ' ' || l[0] == '\t'):
			all[last].text += l[1:]
		default:
			all = append(all, folded{i + 1, l})
			last++
		}
		soft = strings.HasSuffix(all[last].text, "=") && strings.Contains(strings.ToUpper(all[last].text[:min(len(all[last].text), 200)]), "QUOTED-PRINTABLE")
	}
	return all
}

func propertyOf(line string) (p property, ok bool) {
	quoted, colon := false, -1
	for i, b := range []byte(line) {
		if b == '"' {
			quoted = !quoted
		} else if b == ':' && !quoted {
			colon = i
			break
		}
	}
	if colon < 1 {
		return p, false
	}
	name, params, has := strings.Cut(strings.ToUpper(line[:colon]), ";")
	if has {
		p.params = ";" + params
	}
	p.name = name[strings.LastIndexByte(name, '.')+1:]
	p.value = line[colon+1:]
	if strings.Contains(p.params, "QUOTED-PRINTABLE") {
		p.value = unquoted(p.value, p.params)
	}
	return p, true
}

// unquoted is a quoted-printable value.
func unquoted(value, params string) string {
	raw, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(value)))
	if err != nil && len(raw) == 0 {
		return value
	}
	if !utf8.Valid(raw) || strings.Contains(params, "SHIFT_JIS") || strings.Contains(params, "SHIFT-JIS") {
		if text, err := japanese.ShiftJIS.NewDecoder().Bytes(raw); err == nil {
			raw = text
		}
	}
	return string(raw)
}

func (c *card) take(p property) {
	switch p.name {
	case "FN":
		c.full = plain(p.value)
	case "N":
		c.name = parts(p.value)
	case "TEL":
		c.numbers = append(c.numbers, plain(p.value))
	case "ORG":
		c.org = strings.TrimSpace(strings.Join(parts(p.value), " "))
	case "NOTE":
		c.note = plain(p.value)
	case "SORT-STRING":
		c.sorted = plain(p.value)
	case "X-PHONETIC-FIRST-NAME":
		c.first = plain(p.value)
	case "X-PHONETIC-LAST-NAME":
		c.last = plain(p.value)
	case "SOUND":
		if strings.Contains(p.params, "IRMC") {
			c.sound = strings.TrimSpace(strings.Join(parts(p.value), " "))
		}
	}
}

// parts are the fields of a value between semicolons that are not escaped (RFC 6350 §3.4).
func parts(value string) (all []string) {
	from := 0
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case ';':
			all = append(all, plain(value[from:i]))
			from = i + 1
		case '\\':
			i++
		}
	}
	return append(all, plain(value[from:]))
}

// plain is a value without its escapes.
func plain(value string) string {
	return oneLine(strings.NewReplacer(`\\`, `\`, `\n`, " ", `\N`, " ", `\,`, ",", `\;`, ";", `\:`, ":").Replace(value))
}

// card makes contacts of a card: one for each number.
func (f *found) card(c *card) {
	at := func(i int) string {
		if i < len(c.name) {
			return c.name[i]
		}
		return ""
	}
	first := func(all ...string) string {
		for _, s := range all {
			if s = strings.TrimSpace(s); s != "" {
				return s
			}
		}
		return ""
	}
	one := roster.Contact{Name: first(c.full, at(0)+" "+at(1), c.org), Reading: first(c.last+" "+c.first, c.sound, c.sorted), Company: c.org, Note: c.note}
	if len(c.numbers) == 0 {
		f.add(c.line, one) // its fault is told
	}
	for _, n := range c.numbers {
		one.Number = n
		f.add(c.line, one)
	}
}

// cardOf writes a contact as a card (vCard 3.0, which every program reads).
func cardOf(c roster.Contact) string {
	escape := strings.NewReplacer(`\`, `\\`, ",", `\,`, ";", `\;`, "\n", `\n`).Replace
	lines := []string{"BEGIN:VCARD", "VERSION:3.0", "FN:" + escape(c.Name), "N:" + escape(c.Name) + ";;;;", "TEL:" + escape(c.Number)}
	for _, more := range [][2]string{{"X-PHONETIC-LAST-NAME", c.Reading}, {"ORG", c.Company}, {"NOTE", c.Note}} {
		if more[1] != "" {
			lines = append(lines, more[0]+":"+escape(more[1]))
		}
	}
	return strings.Join(append(lines, "END:VCARD", ""), "\r\n")
}
