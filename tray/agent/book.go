package agent

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"zaseki/web/wire"
)

const (
	contactsMax = 2000
	nameMax     = 64 // characters of a contact's name
)

// book is the phonebook of a session without a center, and what its server tells of numbers and messages.
func (s State) book(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn {
		return s, nil
	}
	switch e := e.(type) {
	case MessagesWaiting:
		s.Voicemail = e.Voicemail
	case Lamp:
		if i := slices.IndexFunc(s.Lamps, func(l wire.Lamp) bool { return l.Number == e.Lamp.Number }); i >= 0 {
			s.Lamps = slices.Clone(s.Lamps)
			s.Lamps[i].State = e.Lamp.State
		}
	}
	if !s.Local {
		return s, nil
	}
	switch e := e.(type) {
	case wire.SaveContact:
		return s.save(e.Contact)
	case wire.RemoveContact:
		kept := slices.DeleteFunc(slices.Clone(s.Contacts), func(c wire.Contact) bool { return c.Number == e.Number })
		if len(kept) == len(s.Contacts) {
			return s, nil
		}
		return s.booked(kept)
	case Recalled:
		return s.recalled(e)
	}
	return s, nil
}

// save puts a name beside a number. The number is kept as people read it.
func (s State) save(c wire.Contact) (State, []Effect) {
	d, ok := s.Welcome.Plan.Dial(c.Number)
	if !ok || d.Then != "" {
		return s.tell(badNumber(c.Number))
	}
	name := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, c.Name)))
	c.Name, c.Number = cmp.Or(string(name[:min(len(name), nameMax)]), d.Shown), d.Shown
	book := slices.DeleteFunc(slices.Clone(s.Contacts), func(o wire.Contact) bool { return s.Welcome.Plan.Same(o.Number, c.Number) })
	if len(book) >= contactsMax {
		return s, nil
	}
	return s.unnotice(wire.ProblemNumber).booked(append(book, c))
}

// booked is the state with that phonebook, written down, and its lamps asked for.
func (s State) booked(book []wire.Contact) (State, []Effect) {
	was := s.watched()
	s = s.withBook(book)
	effects := []Effect{KeepContacts{s.Contacts}}
	if now := s.watched(); s.Line.State == "registered" && !slices.Equal(was, now) {
		effects = append(effects, Watch{now})
	}
	return s, effects
}

// withBook is the state with that phonebook by name, and a lamp for each number that is watched.
func (s State) withBook(book []wire.Contact) State {
	s.Contacts = slices.SortedStableFunc(slices.Values(book), func(a, b wire.Contact) int { return cmp.Compare(a.Name, b.Name) })
	lamps := make([]wire.Lamp, 0, len(s.Lamps))
	for _, number := range s.watched() {
		l := wire.Lamp{Number: number, State: "unknown"}
		if i := slices.IndexFunc(s.Lamps, func(o wire.Lamp) bool { return o.Number == number }); i >= 0 {
			l = s.Lamps[i]
		}
		lamps = append(lamps, l)
	}
	s.Lamps = lamps
	return s
}

func (s State) watched() (numbers []string) {
	for _, c := range s.Contacts {
		if c.Watch {
			numbers = append(numbers, c.Number)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// unlit is the state without a word about any watched number: the line is down.
func (s State) unlit() State {
	s.Lamps = slices.Clone(s.Lamps)
	for i := range s.Lamps {
		s.Lamps[i].State = "unknown"
	}
	return s
}

// recalled takes over what was kept: this sign-in's calls stay on top, and new ones get names that no kept one has.
func (s State) recalled(e Recalled) (State, []Effect) {
	s.History = append(slices.Clone(s.History), e.History...)
	s.History = s.History[:min(len(s.History), historyLength)]
	for _, c := range e.History {
		if n, err := strconv.Atoi(strings.TrimPrefix(c.ID, "out")); err == nil {
			s.Serial = max(s.Serial, n)
		}
	}
	s = s.withBook(e.Contacts)
	if watched := s.watched(); s.Line.State == "registered" && len(watched) > 0 {
		return s, []Effect{Watch{watched}}
	}
	return s, nil
}

// nameOf is the name that the phonebook has for the number.
func (s State) nameOf(number string) string {
	for _, c := range s.Contacts {
		if s.Welcome.Plan.Same(c.Number, number) {
			return c.Name
		}
	}
	return ""
}
