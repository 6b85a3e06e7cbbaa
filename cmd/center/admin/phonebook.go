package admin

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"

	"zaseki/cmd/center/roster"
	"zaseki/static"
	"zaseki/web/wire"
)

const (
	maxFile   = 16 << 20 // of contacts, bytes, unpacked
	mostTold  = 200      // faults of a file
	mostShown = 20       // contacts of a preview
)

// BookImport is what became of a file, or would.
type BookImport struct {
	Kind    string            `json:"kind"`              // csv, vcard
	Charset string            `json:"charset"`           // utf-8, utf-16, shift_jis
	Read    int               `json:"read"`              // contacts in the file: one for each number
	Wrong   int               `json:"wrong"`             // of them, that cannot be taken
	Faults  []LineFault       `json:"faults"`            // the first of what is wrong
	Change  roster.BookChange `json:"change"`            // with those that can
	Sample  []roster.Contact  `json:"sample"`            // the first of those that can
	Ignored []string          `json:"ignored,omitempty"` // columns that say nothing to us
	Saved   bool              `json:"saved"`
}

// LineFault is what is wrong with a line of a file.
type LineFault struct {
	Line    int    `json:"line"` // from 1
	Field   string `json:"field"`
	Message string `json:"message"`
}

// contacts is the kind whose rows are the shared phonebook. A new one gets its name here.
func contacts() kind {
	k := of[roster.Contact, roster.Contact]("contacts", roster.KindContact, "contact of the shared phonebook",
		func(s *roster.Setup) *[]roster.Contact { return &s.Contacts }, func(v *roster.Contact) *string { return &v.ID })
	read := k.read
	k.open = true
	k.read = func(w http.ResponseWriter, r *http.Request, want string) (roster.Setup, string, bool) {
		s, got, ok := read(w, r, want)
		if ok && got == "" {
			got = roster.ContactID()
			s.Contacts[0].ID = got
		}
		return s, got, ok
	}
	return k
}

// editing lets supervisors change what they may.
func (a *Admin) editing(k kind, next http.HandlerFunc) http.HandlerFunc {
	if !k.open {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if a.mayEdit(w, r) {
			next(w, r)
		}
	}
}

// mayEdit says whether who asks may change the phonebook; it has answered when it is false.
func (a *Admin) mayEdit(w http.ResponseWriter, r *http.Request) bool {
	p := asks(r)
	if p.role != administrator && !a.cfg.Staff.MayEditBook(p.account) {
		say(w, http.StatusForbidden, wire.Problem{Code: wire.ProblemForbidden})
		return false
	}
	return true
}

func (a *Admin) importBook(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "dry", "whole", "skip", "rev")
	if !ok || !a.mayEdit(w, r) {
		return
	}
	var expect *uint64
	if v := q.Get("rev"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			write(w, http.StatusBadRequest, refusal{Error: "rev is not a number"})
			return
		}
		expect = &n
	}
	data, err := fileOf(r)
	var f found
	if err == nil {
		f, err = readContacts(data)
	}
	if err != nil {
		a.unreadable(w, r, err)
		return
	}
	take := func(list []roster.Contact, dry bool) (roster.BookChange, error) {
		return a.cfg.Staff.ImportContacts(r.Context(), list, q.Get("whole") == "1", dry, expect, by(r))
	}
	out, err := a.tryImport(r, &f, take)
	if dry := q.Get("dry") == "1"; err == nil && !dry && len(f.contacts) > 0 {
		if out.Wrong > 0 && q.Get("skip") != "1" {
			a.wrong(w, out)
			return
		}
		out.Change, err = take(f.contacts, false)
		out.Saved = err == nil
		a.log.Info("phonebook imported", "by", by(r), "added", out.Change.Added, "changed", out.Change.Changed, "removed", out.Change.Removed, "err", err)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	write(w, http.StatusOK, out)
}

// wrong refuses a file whose faults nobody wanted passed over.
func (a *Admin) wrong(w http.ResponseWriter, out BookImport) {
	answer := refusal{Error: fmt.Sprintf("%d of %d contacts are wrong", out.Wrong, out.Read)}
	for _, f := range out.Faults {
		answer.Faults = append(answer.Faults, fault{"contacts", f.Line, f.Field, f.Message})
	}
	write(w, http.StatusUnprocessableEntity, answer)
}

// tryImport finds what is wrong with a file's contacts, takes it out of them, and says what the others would do.
func (a *Admin) tryImport(r *http.Request, f *found, take func([]roster.Contact, bool) (roster.BookChange, error)) (BookImport, error) {
	out := BookImport{Kind: f.kind, Charset: f.charset, Read: len(f.contacts), Faults: []LineFault{}, Sample: []roster.Contact{}, Ignored: f.ignored}
	change, err := take(f.contacts, true)
	faults := roster.Faults(err)
	if len(faults) > 0 {
		bad := map[int]bool{}
		for _, x := range faults {
			if bad[x.Row] = true; len(out.Faults) < mostTold {
				out.Faults = append(out.Faults, LineFault{f.lines[x.Row], x.Field, sentence(lang(r), x)})
			}
		}
		out.Wrong = len(bad)
		good := f.contacts[:0:0]
		for i, c := range f.contacts {
			if !bad[i] {
				good = append(good, c)
			}
		}
		if f.contacts, err = good, nil; len(good) > 0 {
			change, err = take(good, true)
		}
	}
	out.Change = change
	out.Sample = append(out.Sample, f.contacts[:min(len(f.contacts), mostShown)]...)
	return out, err
}

// fileOf is the body of a request, unpacked.
func fileOf(r *http.Request) ([]byte, error) {
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpack, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, unreadable(notText)
		}
		from = unpack
	}
	data, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(data) > maxFile {
		return nil, unreadable("too_large")
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return nil, unreadable("too_large")
	}
	if err != nil {
		return nil, unreadable(notText)
	}
	return data, nil
}

func (a *Admin) unreadable(w http.ResponseWriter, r *http.Request, err error) {
	var why unreadable
	if !errors.As(err, &why) {
		a.fail(w, r, err)
		return
	}
	say(w, http.StatusUnprocessableEntity, wire.Problem{Code: wire.ProblemBook, Holes: map[string]string{"reason": static.Say(lang(r), "admin.book."+string(why), nil)}})
}

// bookColumns are those of an export; an import knows them.
var bookColumns = []string{"name", "number", "reading", "company", "note"}

func (a *Admin) exportBook(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "format")
	if !ok {
		return
	}
	format := q.Get("format")
	if !slices.Contains([]string{"", "csv", "vcf"}, format) {
		write(w, http.StatusBadRequest, refusal{Error: "format is none of csv, vcf"})
		return
	}
	var all []roster.Contact
	a.cfg.Staff.Each(roster.KindContact, func(data any) { all = append(all, data.(roster.Contact)) })
	if format == "vcf" {
		w.Header().Set("Content-Type", "text/vcard; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="phonebook.vcf"`)
		for _, c := range all {
			io.WriteString(w, cardOf(c)) // the reader may have gone
		}
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="phonebook.csv"`)
	io.WriteString(w, "\ufeff") // or a spreadsheet on Windows shows Japanese as rubbish
	out := csv.NewWriter(w)
	out.Write(bookColumns)
	for _, c := range all {
		cells := []string{c.Name, c.Number, c.Reading, c.Company, c.Note}
		for i := range cells {
			cells[i] = inert(cells[i])
		}
		out.Write(cells)
	}
	out.Flush()
}

// hand lowers the raised hand of an agent whom one leads.
func (a *Admin) hand(w http.ResponseWriter, r *http.Request) {
	var in wire.RaiseHand
	if !read(w, r, &in) {
		return
	}
	if in.On || !a.scopeOf(asks(r)).sees(r.PathValue("id")) {
		say(w, http.StatusForbidden, wire.Problem{Code: wire.ProblemForbidden})
		return
	}
	a.act(w, r, "hand lowered", func(account, by string) error { return a.cfg.Staff.LowerHand(r.Context(), account, by) })
}

// capture asks a phone for its settings.
func (a *Admin) capture(w http.ResponseWriter, r *http.Request) {
	v, err := a.cfg.Staff.AskSettings(r.Context(), r.PathValue("id"), by(r))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.log.Info("settings of a phone taken", "account", r.PathValue("id"), "by", by(r))
	write(w, http.StatusOK, wire.SettingsReport{Values: v})
}
