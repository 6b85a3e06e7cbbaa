package main

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"zaseki/web/wire"
)

const (
	shownDigits = 3 // of a number stay, so that a supporter can ask "the one ending in 678?"
	shortest    = 4 // digits of a number that is masked
	coreDigits  = 8 // with so many of its last digits two ways to write a number are one: +81 3 1234 5678, 03 1234 5678
)

var (
	// uriNumber is a number in an address of SIP or of a telephone.
	uriNumber = regexp.MustCompile(`(?i)\b(?:sips?|tel|callto):(?://)?(?:%2b|\+)?([0-9][0-9*#.()-]{2,}[0-9])`)
	// digitRun is any row of digits; written is one as people part it.
	digitRun = regexp.MustCompile(`[0-9]{4,}`)
	written  = regexp.MustCompile(`\+?(?:\([0-9]{1,5}\)|[0-9]{1,5})(?:[- .]\(?[0-9]{1,4}\)?){2,5}`)
)

// unnumbered takes the numbers of callers and called out of texts: all but the last three digits. It knows a number by having seen it
// somewhere as one, and then finds it everywhere, so that the rest of a log keeps its figures.
type unnumbered struct {
	cores map[string]bool
	names map[string]bool // that stand in a phonebook
}

// know notes a number, however written.
func (u *unnumbered) know(number string) {
	d := digitsOf(number)
	if len(d) < shortest {
		return
	}
	if u.cores == nil {
		u.cores = map[string]bool{}
	}
	u.cores[core(d)] = true
}

// knowAll notes the numbers in addresses.
func (u *unnumbered) knowAll(text string) {
	for _, m := range uriNumber.FindAllStringSubmatch(text, -1) {
		u.know(m[1])
	}
}

// mask is the text without numbers.
func (u *unnumbered) mask(text string) string {
	text = written.ReplaceAllStringFunc(text, func(s string) string {
		if u.known(digitsOf(s)) {
			return lastOf(digitsOf(s))
		}
		return s
	})
	return digitRun.ReplaceAllStringFunc(text, func(s string) string {
		if u.known(s) {
			return lastOf(s)
		}
		return s
	})
}

func (u *unnumbered) known(d string) bool { return len(d) >= shortest && u.cores[core(d)] }

// core is by what a number is known.
func core(d string) string { return d[max(0, len(d)-coreDigits):] }

func lastOf(d string) string {
	return strings.Repeat("•", len(d)-shownDigits) + d[len(d)-shownDigits:]
}

func digitsOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// book notes what stands in a phonebook.
func (u *unnumbered) book(contacts []wire.Contact) {
	if u.names == nil {
		u.names = map[string]bool{}
	}
	for _, c := range contacts {
		u.know(c.Number)
		u.names[c.Name] = true
	}
}

// name is a name that may be in a support file: one that the network said, not one of a phonebook.
func (u *unnumbered) name(name string) string {
	if u.names[name] {
		return "•••"
	}
	return name
}

// shared is what of a snapshot may be in a support file: no keys that were pressed, which may be a PIN, no phonebook and no name out of
// it, no word that was written about a call, no address of a customer; its numbers are known from now on.
func (u *unnumbered) shared(s wire.Snapshot) wire.Snapshot {
	u.book(s.Contacts)
	s.Calls = append([]wire.Call(nil), s.Calls...)
	for i := range s.Calls {
		c := &s.Calls[i]
		u.know(c.Number)
		u.know(c.Moving)
		c.Digits, c.Received = strings.Repeat("•", len(c.Digits)), strings.Repeat("•", len(c.Received))
		c.Name, c.MovedBy, c.Note = u.name(c.Name), u.name(c.MovedBy), hidden(c.Note)
	}
	s.History = append([]wire.PastCall(nil), s.History...)
	for i := range s.History {
		c := &s.History[i]
		u.know(c.Number)
		c.Name, c.Note = u.name(c.Name), hidden(c.Note)
	}
	for _, l := range s.Lamps {
		u.know(l.Number)
	}
	u.know(s.Dialled)
	u.know(s.Voicemail.Number)
	if s.Ask != nil {
		ask := *s.Ask
		u.know(ask.Number)
		ask.Name = u.name(ask.Name)
		s.Ask = &ask
	}
	s.Contacts, s.Pop = nil, nil
	return s
}

// hidden says that there is a text, and how long it is.
func hidden(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("••• (%d)", utf8.RuneCountInString(text))
}
