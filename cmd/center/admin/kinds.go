package admin

import (
	"net/http"
	"reflect"
	"strings"

	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// kind is one sort of row: how it is asked for, made and changed.
type kind struct {
	name string // in the path
	of   string // roster.Kind…
	noun string // in descriptions
	row  reflect.Type
	list reflect.Type
	in   reflect.Type
	read func(w http.ResponseWriter, r *http.Request, id string) (s roster.Setup, got string, ok bool)
	sees func(scope, any) bool // whether a supervisor may read it; nil: all
	bare bool                  // supervisors may not read it at all
	open bool                  // supervisors change it too, unless a policy says no
}

// rowOf and listOf are answers, for their descriptions; rows themselves are roster.Row.
type (
	rowOf[T any] struct {
		ID   string     `json:"id"`
		Rev  roster.Rev `json:"rev"` // the ETag without its quotes
		Data T          `json:"data"`
	}
	listOf[T any] struct {
		Rows  []rowOf[T] `json:"rows"`
		Total int        `json:"total"`          // that fit the query, shown or not
		Next  string     `json:"next,omitempty"` // after of the next page
	}
	list struct {
		Rows  []roster.Row `json:"rows"`
		Total int          `json:"total"`
		Next  string       `json:"next,omitempty"`
	}
)

func kinds() []kind {
	return []kind{
		of[roster.AccountSetup, roster.AccountRow]("accounts", roster.KindAccount, "account",
			func(s *roster.Setup) *[]roster.AccountSetup { return &s.Accounts }, func(v *roster.AccountSetup) *string { return &v.Account }).
			within(func(s scope, v any) bool { return s.sees(v.(roster.AccountRow).Account) }),
		of[roster.TerminalSetup, roster.TerminalRow]("terminals", roster.KindTerminal, "terminal",
			func(s *roster.Setup) *[]roster.TerminalSetup { return &s.Terminals }, func(v *roster.TerminalSetup) *string { return &v.Extension }).
			within(func(s scope, v any) bool {
				t := v.(roster.TerminalRow)
				return t.Type != "trunk" && (t.Account == "" || s.sees(t.Account))
			}),
		of[wire.StatusDef, roster.Status]("statuses", roster.KindStatus, "status of the center's own",
			func(s *roster.Setup) *[]wire.StatusDef { return &s.Statuses }, func(v *wire.StatusDef) *string { return &v.ID }),
		of[roster.FloorSetup, roster.Floor]("floors", roster.KindFloor, "floor",
			func(s *roster.Setup) *[]roster.FloorSetup { return &s.Floors }, func(v *roster.FloorSetup) *string { return &v.ID }),
		of[roster.SeatSetup, roster.Seat]("seats", roster.KindSeat, "seat",
			func(s *roster.Setup) *[]roster.SeatSetup { return &s.Seats }, func(v *roster.SeatSetup) *string { return &v.ID }),
		of[roster.Group, roster.Group]("groups", roster.KindGroup, "group",
			func(s *roster.Setup) *[]roster.Group { return &s.Groups }, func(v *roster.Group) *string { return &v.ID }).
			within(func(s scope, v any) bool { return s.all || s.groups[v.(roster.Group).ID] }),
		of[roster.QueueSetup, roster.Queue]("queues", roster.KindQueue, "queue",
			func(s *roster.Setup) *[]roster.QueueSetup { return &s.Queues }, func(v *roster.QueueSetup) *string { return &v.Extension }),
		of[roster.Policy, roster.Policy]("policies", roster.KindPolicy, "policy",
			func(s *roster.Setup) *[]roster.Policy { return &s.Policies }, func(v *roster.Policy) *string { return &v.ID }).only(),
		of[roster.Calendar, roster.Calendar]("calendars", roster.KindCalendar, "calendar",
			func(s *roster.Setup) *[]roster.Calendar { return &s.Calendars }, func(v *roster.Calendar) *string { return &v.ID }),
		of[roster.PBXSetup, roster.PBXRow]("pbxs", roster.KindPBX, "exchange that exists already",
			func(s *roster.Setup) *[]roster.PBXSetup { return &s.PBXs }, func(v *roster.PBXSetup) *string { return &v.ID }).only(),
		of[roster.Outcome, roster.Outcome]("outcomes", roster.KindOutcome, "way a call can have ended",
			func(s *roster.Setup) *[]roster.Outcome { return &s.Outcomes }, func(v *roster.Outcome) *string { return &v.ID }),
		contacts(),
	}
}

func of[In, Out any](name, kindOf, noun string, rows func(*roster.Setup) *[]In, id func(*In) *string) kind {
	return kind{name: name, of: kindOf, noun: noun, row: body[rowOf[Out]](), list: body[listOf[Out]](), in: body[In](),
		read: func(w http.ResponseWriter, r *http.Request, want string) (s roster.Setup, got string, ok bool) {
			var v In
			if !read(w, r, &v) {
				return s, "", false
			}
			if at := id(&v); want != "" && *at == "" {
				*at = want
			}
			*rows(&s) = []In{v}
			return s, *id(&v), true
		}}
}

// within narrows what a supervisor reads.
func (k kind) within(sees func(scope, any) bool) kind {
	k.sees = sees
	return k
}

// only administrators read it.
func (k kind) only() kind {
	k.bare = true
	return k
}

func (k kind) routes(a *Admin, admins, staff []string) []Route {
	readers, editors := staff, admins
	if k.open {
		editors = staff
	}
	if k.bare {
		readers = admins
	}
	path := base + "/" + k.name
	params := []Param{{"q", "only rows that hold each of these words"}, {"limit", "so many rows, 1 to 1000; default 1000"}, {"after", "next of the answer before: what is left"}}
	for _, name := range roster.Filters(k.of) {
		params = append(params, Param{name, "only rows with this " + name})
	}
	return []Route{
		{Method: "GET", Path: path, Roles: readers, Summary: "All of the kind " + k.noun, Query: params, Out: k.list, handle: a.rows(k)},
		{Method: "POST", Path: path, Roles: editors, Summary: "Add a new " + k.noun, In: k.in, Out: k.row, Code: http.StatusCreated, handle: a.editing(k, a.add(k))},
		{Method: "GET", Path: path + "/{id}", Roles: readers, Summary: "One " + k.noun + ", with its revision as ETag", Out: k.row, handle: a.row(k)},
		{Method: "PUT", Path: path + "/{id}", Roles: editors, Summary: "Make it what the body says; with If-Match only if nobody was faster", In: k.in, Out: k.row, handle: a.editing(k, a.put(k))},
		{Method: "DELETE", Path: path + "/{id}", Roles: editors, Summary: "Remove it, unless something refers to it", Code: http.StatusNoContent, handle: a.editing(k, a.remove(k))},
	}
}

// mostRows are in one answer.
const mostRows = 1000

func (a *Admin) rows(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		filters := roster.Filters(k.of)
		q, ok := query(w, r, append([]string{"q", "limit", "after"}, filters...)...)
		if !ok {
			return
		}
		find := roster.Query{Kind: k.of, Text: q.Get("q"), Only: map[string]string{}, After: q.Get("after")}
		if find.Most, ok = number(w, q, "limit", 1, mostRows, mostRows); !ok {
			return
		}
		for _, name := range filters {
			if v := q.Get(name); v != "" {
				find.Only[name] = v
			}
		}
		if sc := a.scopeOf(asks(r)); k.sees != nil && !sc.all {
			find.Sees = func(data any) bool { return k.sees(sc, data) }
		}
		found := a.cfg.Staff.Find(find)
		write(w, http.StatusOK, list{found.Rows, found.Total, found.Next})
	}
}

func (a *Admin) row(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		row, ok := a.cfg.Staff.Row(k.of, r.PathValue("id"))
		if !ok || k.sees != nil && !k.sees(a.scopeOf(asks(r)), row.Data) {
			say(w, http.StatusNotFound, wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": r.PathValue("id")}})
			return
		}
		writeRow(w, http.StatusOK, row)
	}
}

func writeRow(w http.ResponseWriter, code int, row roster.Row) {
	w.Header().Set("ETag", `"`+string(row.Rev)+`"`)
	write(w, code, row)
}

func (a *Admin) add(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, id, ok := k.read(w, r, "")
		if !ok {
			return
		}
		fresh := roster.Rev("")
		if _, err := a.cfg.Staff.Put(r.Context(), s, &fresh, by(r)); err != nil {
			a.fail(w, r, err)
			return
		}
		a.log.Info("row added", "kind", k.of, "id", id, "by", by(r))
		w.Header().Set("Location", base+"/"+k.name+"/"+id)
		row, _ := a.cfg.Staff.Row(k.of, id)
		writeRow(w, http.StatusCreated, row)
	}
}

func (a *Admin) put(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		s, got, ok := k.read(w, r, id)
		if !ok {
			return
		}
		if got != id {
			write(w, http.StatusBadRequest, refusal{Error: "the name in the body is not the one in the path"})
			return
		}
		if _, err := a.cfg.Staff.Put(r.Context(), s, expected(r), by(r)); err != nil {
			a.fail(w, r, err)
			return
		}
		a.log.Info("row changed", "kind", k.of, "id", id, "by", by(r))
		row, _ := a.cfg.Staff.Row(k.of, id)
		writeRow(w, http.StatusOK, row)
	}
}

func (a *Admin) remove(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a.cfg.Staff.Remove(r.Context(), k.of, r.PathValue("id"), expected(r), by(r)); err != nil {
			a.fail(w, r, err)
			return
		}
		a.log.Info("row removed", "kind", k.of, "id", r.PathValue("id"), "by", by(r))
		w.WriteHeader(http.StatusNoContent)
	}
}

// expected is the revision a request was decided on (RFC 9110 §13.1.1, §13.1.2); nil: whatever there is.
func expected(r *http.Request) *roster.Rev {
	if r.Header.Get("If-None-Match") == "*" {
		none := roster.Rev("")
		return &none
	}
	tag := strings.Trim(strings.TrimPrefix(r.Header.Get("If-Match"), "W/"), `"`)
	if tag == "" || tag == "*" {
		return nil
	}
	rev := roster.Rev(tag)
	return &rev
}

// scope is what somebody may read.
type scope struct {
	all    bool
	groups map[string]bool
	people map[string]bool
}

func (s scope) sees(account string) bool { return s.all || s.people[account] }

// scopeOf: an administrator reads all; a supervisor the people of the own groups. A center without groups is one group.
func (a *Admin) scopeOf(p person) scope {
	if p.role == administrator || a.cfg.Staff.Count(roster.KindGroup) == 0 {
		return scope{all: true}
	}
	me, _ := a.cfg.Staff.Row(roster.KindAccount, p.account)
	mine, _ := me.Data.(roster.AccountRow)
	s := scope{groups: map[string]bool{}, people: a.cfg.Staff.Members(mine.Groups)}
	s.people[p.account] = true
	for _, g := range mine.Groups {
		s.groups[g] = true
	}
	return s
}
