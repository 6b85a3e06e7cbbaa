package roster

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// The shared phonebook. Its records in the ledger are pages: a contact stands on the page that its ID begins with. So an import of the
// whole book is one change, all or nothing, a start reads 256 records and not 20,000, and who corrects a number writes a page of a
// few kilobytes.

const (
	// KindContact is a row of the phonebook; KindBook is the page of the ledger that it stands on.
	KindContact = "contact"
	KindBook    = "book"

	// BookMax is how many contacts there may be.
	BookMax = 20000

	companyMax = 64
	remarkMax  = 200
)

// Contact is somebody in the shared phonebook.
type Contact struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Number  string `json:"number"`
	Reading string `json:"reading,omitempty"` // of the name, in kana
	Company string `json:"company,omitempty"` // or department
	Note    string `json:"note,omitempty"`
}

// page is a part of the book: contacts by ID.
type page map[string]Contact

// pageOf is the name of the page that a contact stands on.
func pageOf(id string) string { return id[:min(len(id), 2)] }

// ContactID is a name for a new contact.
func ContactID() string {
	var raw [6]byte
	rand.Read(raw[:]) // never fails
	return hex.EncodeToString(raw[:])
}

// book is the phonebook as the ledger has it.
type book struct {
	pages map[string]row[page]
	rev   ledger.Seq // of the newest page

	mu    sync.Mutex
	order []string // IDs as people look for them; nil: to be made anew
	press *print   // as phones get it; nil: likewise
}

func newBook() *book { return &book{pages: map[string]row[page]{}} }

// apply takes over a page.
func (b *book) apply(v *view, id string, e ledger.Event) (bool, error) {
	changed, err := put(v.gone, b.pages, id, e)
	if changed {
		b.mu.Lock()
		b.rev, b.order, b.press = max(b.rev, e.Seq), nil, nil
		b.mu.Unlock()
	}
	return changed, err
}

func (b *book) get(id string) (Contact, bool) {
	c, ok := b.pages[pageOf(id)].v[id]
	return c, ok
}

func (b *book) len() (n int) {
	for _, p := range b.pages {
		n += len(p.v)
	}
	return n
}

// all are the contacts in no order.
func (b *book) all(see func(Contact)) {
	for _, p := range b.pages {
		for _, c := range p.v {
			see(c)
		}
	}
}

// sorted are the IDs by reading, else by name.
func (b *book) sorted() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.order == nil {
		type line struct{ key, id string }
		lines := make([]line, 0, b.len())
		b.all(func(c Contact) { lines = append(lines, line{Fold(or(c.Reading, c.Name)) + "\x00" + c.Number, c.ID}) })
		slices.SortFunc(lines, func(x, y line) int { return cmp.Or(strings.Compare(x.key, y.key), strings.Compare(x.id, y.id)) })
		b.order = make([]string, len(lines))
		for i, l := range lines {
			b.order[i] = l.id
		}
	}
	return b.order
}

func contactRow(c Contact) Row { return Row{c.ID, revOf(c), c} }

// tidy makes of a contact what is kept: full-width digits are digits, and a number stands as the plan reads it.
func (p *plan) tidy(c Contact) Contact {
	c.Name, c.Reading, c.Company, c.Note = line(c.Name), line(norm.NFKC.String(c.Reading)), line(c.Company), line(c.Note)
	c.Number = strings.TrimSpace(c.Number)
	if d, ok := p.site.v.plan().Dial(c.Number); ok && d.Then == "" {
		c.Number = d.Shown
	}
	return c
}

// line is a text without space around it.
func line(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\u3000", " ")) }

func (p *plan) checkContacts() {
	seen := map[string]bool{}
	for i, c := range p.setup.Contacts {
		c = p.tidy(c)
		p.setup.Contacts[i] = c
		p.remark(i, "name", c.Name, 1, 64)
		p.remark(i, "reading", c.Reading, 0, 64)
		p.remark(i, "company", c.Company, 0, companyMax)
		p.remark(i, "note", c.Note, 0, remarkMax)
		if d, ok := p.site.v.plan().Dial(c.Number); !ok || d.Then != "" {
			p.bad("contacts", i, "number", "%q is not a number", c.Number)
		}
		if c.ID == "" {
			continue
		}
		if !statusID.MatchString(c.ID) {
			p.bad("contacts", i, "id", "%q is not small letters, digits, - and _", c.ID)
		}
		p.once("contacts", i, "id", c.ID, seen)
	}
}

// remark is a line of a contact: at most so many characters, none of them a control character or one that turns the direction.
func (p *plan) remark(i int, field, s string, least, most int) {
	n := utf8.RuneCountInString(s)
	if n < least || n > most || !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) {
		p.bad("contacts", i, field, "%q is not a line of %d to %d characters", clip(s), least, most)
	}
}

// hidden are characters that a line must not have: nobody sees them, and they change what is seen.
func hidden(r rune) bool {
	return unicode.IsControl(r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// clip is the beginning of a text that may be anything.
func clip(s string) string {
	if runes := []rune(s); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return s
}

// same is what makes two contacts one when they are imported.
func (c Contact) same() string { return c.Number + "\x00" + Fold(c.Name) }

// BookChange is what an import does, or would do.
type BookChange struct {
	Added   int    `json:"added"`
	Changed int    `json:"changed"`
	Removed int    `json:"removed"`
	Same    int    `json:"same"`
	Rev     uint64 `json:"rev"` // of the book
}

// writeContacts puts what differs into the draft, page by page. A contact without an ID is the one of the same number and name, or new.
// whole: whoever is not among them goes.
func (p *plan) writeContacts(whole bool) (n BookChange, err error) {
	if len(p.setup.Contacts) == 0 && !whole {
		return n, nil
	}
	pages, known, stays := map[string]page{}, p.known(), map[string]bool{}
	on := func(id string) page {
		at := pageOf(id)
		if pages[at] == nil {
			if pages[at] = maps.Clone(p.book.pages[at].v); pages[at] == nil {
				pages[at] = page{}
			}
		}
		return pages[at]
	}
	for _, c := range p.setup.Contacts {
		if c.ID == "" {
			c.ID = or(known[c.same()], ContactID())
		}
		known[c.same()] = c.ID
		old, there := p.book.get(c.ID)
		if stays[c.ID] {
			there, old = true, on(c.ID)[c.ID]
		}
		switch stays[c.ID] = true; {
		case !there:
			n.Added++
		case old == c:
			n.Same++
			continue
		default:
			n.Changed++
		}
		on(c.ID)[c.ID] = c
	}
	if whole {
		p.book.all(func(c Contact) {
			if !stays[c.ID] {
				delete(on(c.ID), c.ID)
				n.Removed++
			}
		})
	}
	if p.book.len()+n.Added-n.Removed > BookMax {
		return n, wire.Problem{Code: wire.ProblemBookFull, Holes: map[string]string{"most": "20000"}}
	}
	p.draft.turn(pages)
	return n, nil
}

// known are the IDs of the book by what makes contacts one.
func (p *plan) known() map[string]string {
	for _, c := range p.setup.Contacts {
		if c.ID == "" {
			known := make(map[string]string, p.book.len())
			p.book.all(func(c Contact) {
				if id := known[c.same()]; id == "" || c.ID < id {
					known[c.same()] = c.ID
				}
			})
			return known
		}
	}
	return map[string]string{}
}

// turn adds the pages that are others than before.
func (d *draft) turn(pages map[string]page) {
	for _, at := range slices.Sorted(maps.Keys(pages)) {
		old := d.book.pages[at]
		if now := pages[at]; !maps.Equal(now, old.v) {
			d.add(KindBook, at, max(old.seq, d.gone[ledger.Subject(KindBook, at)]), &now, "phonebook")
		}
	}
}

// strike takes one contact out.
func (d *draft) strike(id string, expect *Rev) error {
	if err := d.fits(KindContact, id, expect); err != nil {
		return err
	}
	if _, ok := d.book.get(id); !ok {
		return wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": id}}
	}
	left := maps.Clone(d.book.pages[pageOf(id)].v)
	delete(left, id)
	d.turn(map[string]page{pageOf(id): left})
	return nil
}
