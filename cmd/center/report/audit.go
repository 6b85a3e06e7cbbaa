package report

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
)

// Change is something that a person or a program did to what administrators set, or to somebody else's day.
type Change struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"` // account, "system", or "operator" for the command line
	Kind   string    `json:"kind"`  // as in roster.Kind…
	ID     string    `json:"id"`
	What   string    `json:"what"` // added, changed, removed
	Why    string    `json:"why,omitempty"`
	Fields []Field   `json:"fields"`
}

// Field is one that differs. A secret's values are never told, only that it has changed.
type Field struct {
	Field string          `json:"field"`
	Was   json.RawMessage `json:"was,omitempty"`
	Is    json.RawMessage `json:"is,omitempty"`
}

// AuditQuery says which changes are wanted; empty fields do not narrow.
type AuditQuery struct {
	From, To        time.Time
	Actor, Kind, ID string
	Before          uint64 // older than this event: the next page
	Most            int
}

// audited are the kinds that administrators change.
var audited = []string{roster.KindSite, roster.KindAccount, roster.KindTerminal, roster.KindStatus, roster.KindFloor, roster.KindSeat,
	roster.KindQueue, roster.KindGroup, roster.KindPolicy, roster.KindCalendar, roster.KindPBX, roster.KindFactor, roster.KindMail, roster.KindOutcome, roster.KindBook}

var (
	// live are fields that a working day changes, not an administrator.
	live = map[string][]string{
		roster.KindTerminal: {"holder", "heldSince", "epoch"},
		roster.KindSeat:     {"holder", "since"},
		roster.KindFactor:   {"last"},
		roster.KindAccount:  {"was"},
	}
	// secret are fields of which only the change is told, wherever they stand.
	secret = []string{"hash", "sealed", "secret", "app", "pending", "codes", "devices", "password"}
)

// captured is why a record of kind capture was made by a person.
const captured = "settings asked for"

// masked stands for a secret that is there.
var masked = json.RawMessage(`"•••"`)

// audit keeps what an event changed, if it is of that sort.
func (p *projector) audit(e ledger.Event, kind, id string) error {
	if kind == roster.KindAgent && e.By != id && e.By != "system" && e.By != "" {
		return p.note(e, kind, id, "changed", nil)
	}
	if kind == roster.KindCapture && e.By != "system" && e.Why == captured { // whoever asked, not the phone that answered
		return p.note(e, kind, id, "changed", nil)
	}
	if kind == roster.KindDawn {
		return p.checked(e, kind, id)
	}
	if kind == roster.KindAttend || kind == roster.KindMessage {
		return p.acted(e, kind, id)
	}
	if !slices.Contains(audited, kind) {
		return nil
	}
	was, err := p.kept(kind, id)
	if err != nil {
		return err
	}
	is, err := settings(kind, e.Data)
	if err != nil {
		return err
	}
	what, fields := "changed", difference(was, is)
	switch {
	case is == nil:
		what = "removed"
	case was == nil:
		what = "added"
	case len(fields) == 0:
		return nil
	}
	if err := p.keep(kind, id, is); err != nil {
		return err
	}
	if kind == roster.KindBook {
		fields = brief(fields)
	}
	return p.note(e, kind, id, what, fields)
}

// acted keeps what a person did to somebody else: whom a supervisor listened to, and to whom a message went, not what it says.
func (p *projector) acted(e ledger.Event, kind, id string) error {
	all := map[string]json.RawMessage{}
	if string(e.Data) == "null" {
		return nil
	}
	if err := flatten(all, "", e.Data); err != nil {
		return err
	}
	names, what := []string{"account", "mode", "follow"}, "changed"
	if kind == roster.KindMessage {
		id, names, what = e.By, []string{"to", "group", "urgent", "sent"}, "added"
	} else if e.By != id { // what phones and time have made of it is in the reports
		return nil
	}
	var fields []Field
	for _, name := range names {
		if v, ok := all[name]; ok {
			fields = append(fields, Field{Field: name, Is: v})
		}
	}
	return p.note(e, kind, id, what, fields)
}

// briefMost fields of a page of the phonebook are told one by one.
const briefMost = 40

// brief leaves of an import how many fields it changed: thousands of contacts are nothing that a person reads there.
func brief(fields []Field) []Field {
	if len(fields) <= briefMost {
		return fields
	}
	return []Field{{Field: "contacts", Is: json.RawMessage(strconv.Itoa(len(fields)))}}
}

// kept is what is known of a record; nil: there was none.
func (p *projector) kept(kind, id string) (map[string]json.RawMessage, error) {
	query, err := p.stmt("SELECT data FROM setting WHERE kind = ? AND id = ?")
	if err != nil {
		return nil, err
	}
	var data string
	err = query.QueryRow(kind, id).Scan(&data)
	if err == sql.ErrNoRows {
		return nil, nil
	}
	var was map[string]json.RawMessage
	if err == nil {
		err = json.Unmarshal([]byte(data), &was)
	}
	return was, err
}

func (p *projector) keep(kind, id string, is map[string]json.RawMessage) error {
	if is == nil {
		return p.exec("DELETE FROM setting WHERE kind = ? AND id = ?", kind, id)
	}
	data, err := json.Marshal(is)
	if err == nil {
		err = p.exec("INSERT OR REPLACE INTO setting (kind, id, data) VALUES (?,?,?)", kind, id, string(data))
	}
	return err
}

// settings are a record's fields by name, those of objects within it with a dot: without what a working day changes, and secrets as a
// digest by which only a change is seen. nil: the record is no more.
func settings(kind string, data []byte) (map[string]json.RawMessage, error) {
	if string(data) == "null" {
		return nil, nil
	}
	all := map[string]json.RawMessage{}
	if err := flatten(all, "", data); err != nil {
		return nil, err
	}
	for name, value := range all {
		switch {
		case slices.Contains(live[kind], name):
			delete(all, name)
		case isSecret(name):
			delete(all, name)
			all[strings.NewReplacer("hash", "password", "sealed", "secret").Replace(name)] = json.RawMessage(fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256(value))[:16]))
		}
	}
	return all, nil
}

func isSecret(field string) bool {
	return slices.Contains(secret, field[strings.LastIndexByte(field, '.')+1:])
}

func (p *projector) note(e ledger.Event, kind, id, what string, fields []Field) error {
	if fields == nil {
		fields = []Field{}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return p.exec("INSERT INTO audit (seq, at, actor, kind, id, what, why, fields) VALUES (?,?,?,?,?,?,?,?)",
		e.Seq, e.At.UnixMicro(), e.By, kind, id, what, e.Why, string(data))
}

// difference lists the fields of two records that are not the same, by name.
func difference(was, is map[string]json.RawMessage) []Field {
	names := map[string]bool{}
	for name := range was {
		names[name] = true
	}
	for name := range is {
		names[name] = true
	}
	fields := []Field{}
	for name := range names {
		if string(was[name]) == string(is[name]) {
			continue
		}
		f := Field{name, was[name], is[name]}
		if isSecret(name) {
			f.Was, f.Is = mask(f.Was), mask(f.Is)
		}
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(x, y Field) int { return strings.Compare(x.Field, y.Field) })
	return fields
}

func mask(v json.RawMessage) json.RawMessage {
	if v == nil {
		return nil
	}
	return masked
}

// flatten puts an object's values under their names, those of objects within it with a dot.
func flatten(into map[string]json.RawMessage, prefix string, data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return fmt.Errorf("%w: %w", errUnreadable, err)
	}
	for name, value := range object {
		if len(value) > 0 && value[0] == '{' {
			if err := flatten(into, prefix+name+".", value); err != nil {
				return err
			}
		} else if string(value) != "null" {
			into[prefix+name] = value
		}
	}
	return nil
}

// Audit are the changes of a period, the newest first.
func (r *Report) Audit(ctx context.Context, q AuditQuery) ([]Change, error) {
	r.catchUp(ctx)
	before := int64(1<<63 - 1)
	if q.Before > 0 {
		before = int64(q.Before)
	}
	rows, err := r.db.QueryContext(ctx, `SELECT seq, at, actor, kind, id, what, why, fields FROM audit
		WHERE at >= ?1 AND at < ?2 AND seq < ?3 AND (?4 = '' OR actor = ?4) AND (?5 = '' OR kind = ?5) AND (?6 = '' OR id = ?6)
		ORDER BY seq DESC LIMIT ?7`, q.From.UnixMicro(), q.To.UnixMicro(), before, q.Actor, q.Kind, q.ID, q.Most)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	defer rows.Close()
	all := []Change{}
	for rows.Next() {
		var c Change
		var at int64
		var fields string
		if err := rows.Scan(&c.Seq, &at, &c.Actor, &c.Kind, &c.ID, &c.What, &c.Why, &fields); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		c.At = time.UnixMicro(at).UTC()
		if err := json.Unmarshal([]byte(fields), &c.Fields); err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// checked keeps who had the seats checked, where and how many, and who stopped it; what was found is no setting.
func (p *projector) checked(e ledger.Event, kind, id string) error {
	var c roster.Dawn
	if string(e.Data) == "null" {
		return nil
	}
	if err := read(e, &c); err != nil {
		return err
	}
	if !c.Ended.IsZero() {
		return nil
	}
	count, err := json.Marshal(c.Count)
	if err != nil {
		return err
	}
	fields := []Field{{Field: "count", Is: count}}
	if c.Floor != "" {
		floor, err := json.Marshal(c.Floor)
		if err != nil {
			return err
		}
		fields = append(fields, Field{Field: "floor", Is: floor})
	}
	if c.Stop {
		return p.note(e, kind, id, "removed", fields)
	}
	return p.note(e, kind, id, "added", fields)
}
