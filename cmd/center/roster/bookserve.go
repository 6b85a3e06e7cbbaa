package roster

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"zaseki/web/wire"
)

// How the phonebook comes to the phones.

const (
	// bookWait is how long changes of the book are gathered before phones hear of them.
	bookWait = time.Second
	// bookRate is how many bytes a second phones that were told may come for all together, and bookStep how often some are told.
	bookRate = 20 << 20
	bookStep = 100 * time.Millisecond
)

// print is the book as phones get it, packed.
type print struct {
	rev    uint64
	packed []byte
}

// printed is the book packed; it is made once for all phones.
func (b *book) printed() (print, error) {
	ids := b.sorted()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.press != nil {
		return *b.press, nil
	}
	var packed bytes.Buffer
	pack := gzip.NewWriter(&packed)
	out := wire.Phonebook{Rev: uint64(b.rev), Contacts: make([]wire.Contact, 0, len(ids))}
	for _, id := range ids {
		c := b.pages[pageOf(id)].v[id]
		out.Contacts = append(out.Contacts, wire.Contact{Name: c.Name, Number: c.Number, Reading: c.Reading, Company: c.Company, Note: c.Note})
	}
	if err := json.NewEncoder(pack).Encode(out); err != nil {
		return print{}, err
	}
	if err := pack.Close(); err != nil {
		return print{}, err
	}
	b.press = &print{uint64(b.rev), bytes.Clone(packed.Bytes())}
	return *b.press, nil
}

// phonebook gives a phone the whole book, unless it has it.
func (r *Roster) phonebook(w http.ResponseWriter, req *http.Request) {
	if _, _, err := r.bearer(req); err != nil {
		r.refused(w, req, err)
		return
	}
	p, err := r.printed()
	if err != nil {
		r.refused(w, req, err)
		return
	}
	tag := `"` + strconv.FormatUint(p.rev, 10) + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "private, no-cache")
	if match(req.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	if strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(p.packed)))
		_, _ = w.Write(p.packed) // the far side may be gone
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(p.packed))
	if err == nil {
		_, _ = io.Copy(w, plain)
	}
}

func match(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}

func (r *Roster) printed() (print, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.book.printed()
}

// tellBook lets phones know that there is a newer book, a few at a time: each of them comes and takes it whole.
func (r *Roster) tellBook(ctx context.Context) error {
	tick := time.NewTicker(bookWait)
	defer tick.Stop()
	r.mu.RLock()
	told := r.view.book.rev
	r.mu.RUnlock()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		r.mu.RLock()
		rev := r.view.book.rev
		links := make([]*link, 0, len(r.links))
		if rev != told {
			for _, l := range r.links {
				links = append(links, l)
			}
		}
		r.mu.RUnlock()
		if told = rev; len(links) == 0 {
			continue
		}
		if err := r.spread(ctx, links); err != nil {
			return err
		}
	}
}

func (r *Roster) spread(ctx context.Context, links []*link) error {
	p, err := r.printed()
	if err != nil {
		r.log.Error("phonebook", "err", err)
		return nil
	}
	atOnce := max(2, min(50, bookRate/10/max(len(p.packed), 1)))
	for i, l := range links {
		l.touch(func() { l.booked = true })
		if (i+1)%atOnce != 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(bookStep):
		}
	}
	return nil
}

// bookRev is what a phone is told of the book: 0 while there never was one.
func (v *view) bookRev() uint64 { return uint64(v.book.rev) }

func (r *Roster) bookNews() wire.PhonebookChanged {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return wire.PhonebookChanged{Rev: r.view.bookRev()}
}

// BookRev is the revision of the whole phonebook.
func (r *Roster) BookRev() uint64 { return r.bookNews().Rev }

// ImportContacts makes contacts part of the phonebook, all or nothing: one of the same number and name is replaced. whole: the book is
// those and no others. expect is the book's revision that this was decided on; nil: whatever it is. dry: nothing is written, only what
// would be is said. Its errors are a wire.Problem, or hold Faults of list "contacts".
func (r *Roster) ImportContacts(ctx context.Context, list []Contact, whole, dry bool, expect *uint64, by string) (n BookChange, err error) {
	rule := func(d *draft) error {
		if expect != nil && *expect != d.bookRev() {
			return wire.Problem{Code: wire.ProblemStale}
		}
		p := plan{view: d.view, vault: r.vault, setup: Setup{Contacts: list}, draft: d}
		if err := p.check(); err != nil {
			return err
		}
		n, err = p.writeContacts(whole)
		return err
	}
	if dry {
		_, err = r.decide(rule)
	} else {
		err = r.change(ctx, by, rule)
	}
	if err != nil {
		return BookChange{}, fmt.Errorf("import of contacts: %w", err)
	}
	n.Rev = r.BookRev()
	return n, nil
}

// MayEditBook says whether the account may change the phonebook: administrators, and supervisors unless a policy says no.
func (r *Roster) MayEditBook(account string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch r.view.accounts[account].v.Role {
	case "administrator":
		return true
	case "supervisor":
		return r.view.rulesOf(account).Book
	}
	return false
}
