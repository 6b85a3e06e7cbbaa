package roster

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Query asks for some rows of a kind, in the order of their IDs (statuses in their own).
type Query struct {
	Kind  string
	Text  string              // rows that hold each of its words; case, width and kind of kana do not matter
	Only  map[string]string   // rows that have these values, by the names of Filters
	Sees  func(data any) bool // rows that whoever asks may see; nil: all
	After string              // ID of the last row that was seen; "" from the first
	Most  int                 // rows in the answer; 0: all
}

// Found are rows, and how many there are.
type Found struct {
	Rows  []Row
	Total int    // that the query fits, shown or not
	Next  string // After of the next page; "" there is none
}

// Filters are the names that Query.Only may have.
func Filters(kind string) []string {
	switch kind {
	case KindAccount:
		return []string{"role", "group", "state"}
	case KindTerminal:
		return []string{"type", "account"}
	case KindSeat:
		return []string{"floor"}
	}
	return nil
}

// Find is a page of rows. Of ten thousand it makes only those that are shown.
func (r *Roster) Find(q Query) Found {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.view.shelf(q.Kind)
	words := strings.Fields(Fold(q.Text))
	f := Found{Rows: []Row{}}
	behind := q.After == ""
	for _, id := range s.ids {
		data := s.data(id)
		past := behind
		if !behind {
			past = s.ordered && compareIDs(id, q.After) > 0 // its row may be gone
			behind = past || id == q.After
		}
		if q.Sees != nil && !q.Sees(data) || !fits(data, q.Only) || !holds(data, words) {
			continue
		}
		f.Total++
		switch {
		case !past:
		case q.Most == 0 || len(f.Rows) < q.Most:
			f.Rows = append(f.Rows, Row{id, s.rev(id), data})
		default:
			f.Next = f.Rows[len(f.Rows)-1].ID
		}
	}
	return f
}

// Each shows every row's data to see, in order.
func (r *Roster) Each(kind string, see func(data any)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.view.shelf(kind)
	for _, id := range s.ids {
		see(s.data(id))
	}
}

// Count is how many rows of a kind there are.
func (r *Roster) Count(kind string) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch kind {
	case KindAccount:
		return len(r.view.accounts)
	case KindTerminal:
		return len(r.view.terminals)
	case KindSeat:
		return len(r.view.seats)
	case KindGroup:
		return len(r.view.groups)
	case KindContact:
		return r.view.book.len()
	}
	return len(r.view.shelf(kind).ids)
}

// Names are the accounts' names as people read them; one that is gone is not there.
func (r *Roster) Names(accounts []string) map[string]string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := map[string]string{}
	for _, id := range accounts {
		if _, ok := r.view.accounts[id]; ok {
			all[id] = r.view.name(id)
		}
	}
	return all
}

// Members are the accounts that are in one of the groups.
func (r *Roster) Members(groups []string) map[string]bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := map[string]bool{}
	for id, a := range r.view.accounts {
		if slices.ContainsFunc(a.v.Groups, func(g string) bool { return slices.Contains(groups, g) }) {
			all[id] = true
		}
	}
	return all
}

// shelf is a kind's rows, made one by one.
type shelf struct {
	ids     []string
	ordered bool // by ID
	data    func(id string) any
	rev     func(id string) Rev
}

func (v *view) shelf(kind string) shelf {
	switch kind {
	case KindAccount:
		own := v.owned()
		return shelf{sorted(v.accounts), true,
			func(id string) any { return v.accountData(v.accounts[id].v, own[id]) },
			func(id string) Rev { return accountRev(v.accounts[id].v, own[id]) }}
	case KindTerminal:
		return shelf{sorted(v.terminals), true,
			func(id string) any { return terminalData(v.terminals[id].v) },
			func(id string) Rev { return terminalRev(v.terminals[id].v) }}
	case KindSeat:
		return shelf{sorted(v.seats), true,
			func(id string) any { return v.seats[id].v },
			func(id string) Rev { return seatRow(v.seats[id].v).Rev }}
	case KindContact:
		contact := func(id string) Contact { c, _ := v.book.get(id); return c }
		return shelf{v.book.sorted(), false,
			func(id string) any { return contact(id) },
			func(id string) Rev { return contactRow(contact(id)).Rev }}
	}
	of := map[string]Row{}
	s := shelf{ordered: kind != KindStatus && kind != KindOutcome, data: func(id string) any { return of[id].Data }, rev: func(id string) Rev { return of[id].Rev }}
	for _, row := range v.rows(kind) { // few of them
		s.ids = append(s.ids, row.ID)
		of[row.ID] = row
	}
	return s
}

// fits says whether a row has the values.
func fits(data any, only map[string]string) bool {
	for name, want := range only {
		if !slices.Contains(valuesOf(data, name), want) {
			return false
		}
	}
	return true
}

func valuesOf(data any, name string) []string {
	switch d := data.(type) {
	case AccountRow:
		switch name {
		case "role":
			return []string{d.Role}
		case "group":
			return d.Groups
		case "state":
			return []string{d.state()}
		}
	case TerminalRow:
		switch name {
		case "type":
			return []string{d.Type}
		case "account":
			return []string{d.Account, d.Holder}
		}
	case Seat:
		if name == "floor" {
			return []string{d.Floor}
		}
	}
	return nil
}

// state is in, out or off (suspended).
func (a AccountRow) state() string {
	switch {
	case a.Off:
		return "off"
	case a.SignedIn:
		return "in"
	}
	return "out"
}

// holds says whether each word stands somewhere in a row.
func holds(data any, words []string) bool {
	if len(words) == 0 {
		return true
	}
	text := Fold(textOf(data))
	return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
}

// textOf is what a person reads in a row.
func textOf(data any) string {
	switch d := data.(type) {
	case AccountRow:
		return strings.Join(slices.Concat([]string{d.Account, d.Name, d.Mail}, d.Terminals, d.Groups), "\n")
	case TerminalRow:
		return strings.Join([]string{d.Extension, d.Name, d.Account, d.Holder, d.Type}, "\n")
	case Seat:
		return strings.Join([]string{d.ID, d.Name, d.Floor, d.Holder}, "\n")
	case Contact:
		return strings.Join([]string{d.Name, d.Reading, d.Number, d.Company, d.Note}, "\n")
	}
	var all []string
	if written, err := json.Marshal(data); err == nil {
		var plain any
		if json.Unmarshal(written, &plain) == nil {
			gather(plain, &all)
		}
	}
	return strings.Join(all, "\n")
}

// gather takes the values out of JSON, not its names.
func gather(v any, into *[]string) {
	switch v := v.(type) {
	case string:
		*into = append(*into, v)
	case float64:
		*into = append(*into, strconv.FormatFloat(v, 'f', -1, 64))
	case []any:
		for _, x := range v {
			gather(x, into)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			gather(v[k], into)
		}
	}
}

// Fold makes texts alike that a person takes for the same: large and small letters, full and half width, both kinds of kana.
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'ァ' && r <= 'ヶ' {
			return r - 'ァ' + 'ぁ'
		}
		return r
	}, strings.ToLower(norm.NFKC.String(s)))
}

// compareIDs: numbers first, 2 before 10, then the others.
func compareIDs(a, b string) int {
	switch da, db := digits(a), digits(b); {
	case da && !db:
		return -1
	case db && !da:
		return 1
	case da && len(a) != len(b):
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
