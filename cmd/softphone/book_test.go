package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// TestTheSharedPhonebookIsHereToo: fetched with the sign-in and when it changes, kept for this user alone, and seen by nobody who is
// not signed in. One's own contacts go before it, and belong to the account.
func TestTheSharedPhonebookIsHereToo(t *testing.T) {
	s := newShift(t)
	s.apply(roster.Setup{Contacts: []roster.Contact{{Name: "Suzuki Trading", Number: "0312345678", Company: "Suzuki"}, {Name: "Reception", Number: "2009"}}})
	p, until, end := s.start(s.node.HTTP())
	if got := p.Phonebook(); got.Rev != 0 || len(got.Contacts) != 0 {
		t.Errorf("nobody is signed in, and sees %+v", got)
	}
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	first := until("a phonebook", func(s wire.Snapshot) bool { return s.Book != 0 }).Book
	if got := p.Phonebook(); got.Rev != first || len(got.Contacts) != 2 || got.Contacts[1].Company+got.Contacts[0].Company != "Suzuki" {
		t.Errorf("it is %+v", got)
	}
	p.agent.Post(wire.Dial{Number: "03-1234-5678"})
	if c := until("dialled", func(s wire.Snapshot) bool { return len(s.History) == 1 }).History[0]; c.Name != "Suzuki Trading" {
		t.Errorf("who was dialled is called %q", c.Name)
	}
	p.agent.Post(wire.SaveContact{Contact: wire.Contact{Name: "Suzuki-san", Number: "0312345678", Favourite: true, Reading: strings.Repeat("す", 100)}})
	own := until("one's own", func(s wire.Snapshot) bool { return len(s.Contacts) == 1 }).Contacts[0]
	if own.Reading != strings.Repeat("す", 64) || !own.Favourite {
		t.Errorf("it is kept as %+v", own)
	}
	p.agent.Post(wire.Dial{Number: "0312345678"})
	if c := until("dialled again", func(s wire.Snapshot) bool { return len(s.History) == 2 }).History[0]; c.Name != "Suzuki-san" {
		t.Errorf("by one's own phonebook it is %q", c.Name)
	}

	s.apply(roster.Setup{Contacts: []roster.Contact{{Name: "Warehouse", Number: "2008"}}})
	until("a newer one", func(s wire.Snapshot) bool { return s.Book != first && s.Book != 0 && len(p.Phonebook().Contacts) == 3 })
	info, err := os.Stat(filepath.Join(s.dir, bookFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("kept as %v, %v", info, err)
	}
	end()

	// the next morning: what lies here is looked at before the center has answered
	p, until, end = s.start(s.node.HTTP())
	s.signIn(p, until, wire.CheckAccount{Account: "kato", Password: demoPassword}, "")
	if got := until("the same", func(s wire.Snapshot) bool { return s.Book != 0 }); len(p.Phonebook().Contacts) != 3 || len(got.Contacts) != 0 {
		t.Errorf("another account sees %+v and %+v", p.Phonebook(), got.Contacts)
	}
	p.agent.Post(wire.SignOut{})
	until("signed out", out)
	if got := p.Phonebook(); len(got.Contacts) != 0 {
		t.Errorf("signed out, and %d contacts are shown", len(got.Contacts))
	}
	s.signIn(p, until, wire.CheckAccount{Account: "sato", Password: demoPassword}, "")
	if got := until("one's own again", func(s wire.Snapshot) bool { return len(s.Contacts) == 1 }); got.Contacts[0].Name != "Suzuki-san" {
		t.Errorf("one's own is %+v", got.Contacts)
	}
	end()
}
