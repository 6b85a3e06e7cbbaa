package agent

import (
	"time"

	"zaseki/web/wire"
)

const bookAgain = 30 * time.Second // after a phonebook that did not come

// shared is what the agent knows of the center's phonebook; the whole of it is with the phone.
type shared struct {
	rev   uint64            // of what is here; 0 nothing
	want  uint64            // what the center has
	asked uint64            // want, when it was asked for
	under bool              // it is being asked for
	names map[string]string // see Index; never changed in place
}

// Index is the phonebook as nameOf wants it: names by number. Of two contacts with one number it is the first.
func Index(plan wire.Plan, contacts []wire.Contact) map[string]string {
	names := make(map[string]string, len(contacts))
	for _, c := range contacts {
		number := c.Number
		if d, ok := plan.Dial(number); ok {
			number = d.Shown
		}
		if key := plan.Key(number); c.Name != "" && names[key] == "" {
			names[key] = c.Name
		}
	}
	return names
}

// shared keeps the center's phonebook as it is there.
func (s State) shared(e Event) (State, []Effect) {
	if s.Phase != wire.PhaseIn || s.Local {
		return s, nil
	}
	switch e := e.(type) {
	case BookChanged:
		return s.shares(e.Rev, false)
	case BookCame:
		return s.bookCame(e)
	}
	return s, nil
}

// shares: that is what the center has. Anew: also what is here is to be read again, since the site's numbers have changed.
func (s State) shares(rev uint64, anew bool) (State, []Effect) {
	s.Shared.want = rev
	switch {
	case rev == 0 && s.Shared.rev == 0 && !s.Shared.under:
		return s, nil
	case rev == 0:
		s.Shared = shared{}
		return s, []Effect{DropBook{}}
	case rev == s.Shared.rev && !anew:
		return s, nil
	}
	return s.fetch()
}

// fetch asks for what the center has now. While the connection is lost it waits for it.
func (s State) fetch() (State, []Effect) {
	if s.Local || s.Phase != wire.PhaseIn || s.Shared.under || !s.Link.Online {
		return s, nil
	}
	s.Shared.under, s.Shared.asked = true, s.Shared.want
	return s, []Effect{FetchBook{s.Shared.rev}}
}

func (s State) bookCame(e BookCame) (State, []Effect) {
	if !s.Shared.under {
		return s, nil // of an earlier session
	}
	s.Shared.under = false
	if e.Problem != nil {
		switch e.Problem.Code {
		case wire.ProblemForbidden, wire.ProblemNoRow, wire.ProblemExpired: // none for this account
			return s, nil
		}
		return s, []Effect{Alarm{alarmBook, bookAgain}}
	}
	if s.Shared.rev, s.Shared.names = e.Rev, e.Names; s.Shared.want == s.Shared.asked {
		s.Shared.want = e.Rev // it may be newer than what was told
	}
	s = s.renames()
	if s.Shared.want != s.Shared.rev {
		return s.fetch()
	}
	return s, nil
}
