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
	nameMax     = 64 // characters of a contact's name, its reading or company
	remarkMax   = 200
)

// book is this person's own phonebook in this phone, and what the server tells of numbers and messages.
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
	c.Name, c.Number = cmp.Or(oneLine(c.Name, nameMax), d.Shown), d.Shown
	c.Reading, c.Company, c.Note = oneLine(c.Reading, nameMax), oneLine(c.Company, nameMax), oneLine(c.Note, remarkMax)
	book := slices.DeleteFunc(slices.Clone(s.Contacts), func(o wire.Contact) bool { return s.Welcome.Plan.Same(o.Number, c.Number) })
	if len(book) >= contactsMax {
		return s, nil
	}
	return s.unnotice(wire.ProblemNumber).booked(append(book, c))
}

// oneLine is a text of at most so many characters, without control characters.
func oneLine(text string, most int) string {
	line := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)))
	return strings.TrimSpace(string(line[:min(len(line), most)]))
}

// booked is the state with that phonebook, written down, and its lamps asked for.
func (s State) booked(book []wire.Contact) (State, []Effect) {
	was := s.watched()
	s = s.withBook(book).renames()
	effects := []Effect{KeepContacts{s.whose(), s.Contacts}}
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

// serialAfter is the state that gives no call of ours that name again.
func (s State) serialAfter(id string) State {
	if n, err := strconv.Atoi(strings.TrimPrefix(id, "out")); err == nil {
		s.Serial = max(s.Serial, n)
	}
	return s
}

// recalled takes over what was kept: this sign-in's calls stay on top, and new ones get names that no kept one has.
func (s State) recalled(e Recalled) (State, []Effect) {
	s.History = append(slices.Clone(s.History), e.History...)
	s.History = s.History[:min(len(s.History), historyLength)]
	for _, c := range e.History {
		s = s.serialAfter(c.ID)
	}
	s = s.withBook(e.Contacts)
	if s.Missed = e.Missed; s.Missed.Since.IsZero() {
		s.Missed.Since = s.Now.Add(-missedBack)
	}
	var effects []Effect
	if watched := s.watched(); s.Line.State == "registered" && len(watched) > 0 {
		effects = append(effects, Watch{watched})
	}
	if s.Local {
		return s.renames(), effects
	}
	s.written.notes, s.written.far = e.Notes, remarksOf(e.Notes)
	s.Shared = shared{rev: e.Book.Rev, names: e.Book.Names}
	s = s.renames()
	s, book := s.shares(s.Welcome.Desk.Book, false)
	s, notes := s.tellNotes()
	s, past := s.askPast()
	return s, slices.Concat(effects, book, notes, past)
}

// nameOf is the name that the phonebooks have for the number: one's own goes before the shared one. Both go before the name that came
// with a call, as on any desk phone: that one is what a stranger says of itself, and whoever is in a phonebook is to be known by the
// name that stands there.
func (s State) nameOf(number string) string {
	for _, c := range s.Contacts {
		if s.Welcome.Plan.Same(c.Number, number) {
			return c.Name
		}
	}
	return s.Shared.names[s.Welcome.Plan.Key(number)]
}

// renames is the state whose calls bear the names that the phonebooks have now.
func (s State) renames() State {
	for i, c := range s.Calls {
		if name := s.nameOf(c.Number); name != "" && name != c.Name {
			s = s.with(i, func(c *wire.Call) { c.Name = name })
		}
	}
	return s
}
