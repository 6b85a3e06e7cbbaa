package report

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"zaseki/cmd/center/ledger"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// What the seat view showed, so that it can be shown again (PRODUCT G8): of each account from one change to the next, and of each floor how
// many sit there in which class of status, minute by minute.

// past is what the projector knows of the faces of now.
type past struct {
	faces  map[string]shownNow // by account, of those that sit somewhere
	began  map[string]int64    // of the last face of an account, seated or not
	seats  map[string]string   // floors by seat
	class  map[string]string   // of the center's own statuses
	common map[string]string   // of those that every center has
	floors map[string]*seated  // "" all of them
	fresh  map[string]bool     // floors that have changed in this minute
	minute int64
}

// shownNow is a face that lasts.
type shownNow struct {
	seat, status string
	talks        bool
	data         string
}

// seated counts the agents of a floor.
type seated struct {
	Class   map[string]int `json:"class,omitempty"`
	Talking int            `json:"talking,omitempty"`
}

// face is what is kept of a wire.SeatState: what the record said. Times are microseconds.
type face struct {
	Status    string         `json:"s"`
	Since     int64          `json:"t"`
	Extension string         `json:"x,omitempty"`
	Over      bool           `json:"o,omitempty"`
	Hand      int64          `json:"h,omitempty"`
	HandCall  *wire.HandCall `json:"hc,omitempty"`
	Next      string         `json:"n,omitempty"`
	Call      string         `json:"c,omitempty"`
	Queue     string         `json:"q,omitempty"`
	Inbound   bool           `json:"i,omitempty"`
	Talks     int64          `json:"k,omitempty"`
	Ring      string         `json:"r,omitempty"`
	Missing   []string       `json:"m,omitempty"`
}

// sinceOf is a time as it is kept; zero is zero.
func sinceOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func timeOf(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return micro(at)
}

func faceOf(a roster.Agent) face {
	f := a.Face()
	return face{Status: f.Status, Since: sinceOf(f.Since), Extension: f.Extension, Over: f.Over, Hand: sinceOf(f.Hand), HandCall: f.HandCall, Next: f.Next,
		Call: f.Call, Queue: f.Queue, Inbound: f.Inbound, Talks: sinceOf(f.Talks), Ring: f.Ring, Missing: f.Missing}
}

func (f face) seat(account string) wire.SeatState {
	return wire.SeatState{Account: account, Status: f.Status, Since: timeOf(f.Since), Extension: f.Extension, Over: f.Over, Hand: timeOf(f.Hand), HandCall: f.HandCall,
		Next: f.Next, Call: f.Call, Queue: f.Queue, Inbound: f.Inbound, Talks: timeOf(f.Talks), Ring: f.Ring, Missing: f.Missing}
}

// face keeps what an agent's event has changed of its row in the seat view. What a phone told afterwards stands at its own time, in place of
// what was taken to be since; see unspan.
func (p *projector) face(account string, a roster.Agent, e ledger.Event) error {
	was, sat := p.past.faces[account]
	now := shownNow{seat: a.Seat}
	if a.Session == nil || a.Seat == "" {
		now.seat = ""
	}
	if now.seat != "" {
		f := faceOf(a)
		data, err := json.Marshal(f)
		if err != nil {
			return err
		}
		now.status, now.talks, now.data = f.Status, f.Call != "", string(data)
	}
	if now == was || !sat && now.seat == "" {
		return nil
	}
	at := max(e.At.UnixMicro(), p.past.began[account]) // a clock may have gone back
	if err := p.turn(at); err != nil {
		return err
	}
	if !sat && p.past.began[account] == 0 {
		if err := p.exec("INSERT OR IGNORE INTO sitter VALUES (?)", account); err != nil {
			return err
		}
	}
	if told := sinceOf(a.Told); told > 0 && told < at { // the count of the minutes stays as it was taken to be
		at = told
		if err := p.exec("DELETE FROM face WHERE account = ? AND began > ?", account, at); err != nil {
			return err
		}
	}
	p.past.began[account] = at
	p.past.count(was, -1)
	p.past.count(now, 1)
	if now.seat == "" {
		delete(p.past.faces, account)
	} else {
		p.past.faces[account] = now
	}
	return p.exec("INSERT OR REPLACE INTO face (account, began, seat, data) VALUES (?,?,?,?)", account, at, now.seat, now.data)
}

// count adds a face to its floors, or takes it away.
func (p *past) count(f shownNow, n int) {
	if f.seat == "" {
		return
	}
	for _, floor := range slices.Compact([]string{"", p.seats[f.seat]}) {
		t := p.floors[floor]
		if t == nil {
			t = &seated{Class: map[string]int{}}
			p.floors[floor] = t
		}
		class := p.classOf(f.status)
		if t.Class[class] += n; t.Class[class] == 0 {
			delete(t.Class, class)
		}
		if f.talks {
			t.Talking += n
		}
		p.fresh[floor] = true
	}
}

func (p *past) classOf(status string) string {
	if class := p.class[status]; class != "" {
		return class
	}
	if class := p.common[status]; class != "" {
		return class
	}
	return "system" // of one that is no more
}

const perMinute = int64(time.Minute / time.Microsecond)

// turn is called before something changes at that time: what is counted then is that of the next minute.
func (p *projector) turn(at int64) error {
	minute := (at - 1) / perMinute // what happens as a minute begins is of its begin
	if minute <= p.past.minute {
		return nil
	}
	if err := p.settle(); err != nil {
		return err
	}
	p.past.minute = minute
	clear(p.past.fresh)
	return nil
}

// settle writes what floors have become within the last minute; more of that minute may follow.
func (p *projector) settle() error {
	for floor := range p.past.fresh {
		data, err := json.Marshal(p.past.floors[floor])
		if err == nil {
			err = p.exec("INSERT OR REPLACE INTO minute (floor, at, data) VALUES (?,?,?)", floor, p.past.minute+1, string(data))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// plan takes over where seats are and what statuses are of; who sits there is counted anew when that has changed.
func (p *projector) plan(kind, id string, e ledger.Event) error {
	var v struct{ Floor, Class string }
	if err := read(e, &v); err != nil { // of a removed one both are ""
		return err
	}
	known, is := p.past.seats, v.Floor
	if kind == roster.KindStatus {
		known, is = p.past.class, v.Class
	}
	if known[id] == is {
		return nil
	}
	if known[id] = is; is == "" {
		delete(known, id)
	}
	if len(p.past.floors) == 0 {
		return nil // nobody has sat anywhere yet
	}
	if err := p.turn(e.At.UnixMicro()); err != nil {
		return err
	}
	p.past.recount()
	return nil
}

func (p *past) recount() {
	for floor := range p.floors {
		p.fresh[floor] = true
		p.floors[floor] = &seated{Class: map[string]int{}}
	}
	for _, f := range p.faces {
		p.count(f, 1)
	}
}

// lastFaces are the newest ones, of everybody. CROSS has SQLite look each of them up and not read all faces there are.
const lastFaces = `SELECT f.account, f.began, f.seat, f.data FROM sitter s CROSS JOIN face f ON f.account = s.account
	AND f.began = (SELECT max(began) FROM face WHERE account = s.account)`

// pastOpen is what to go on with.
func (r *Report) pastOpen(ctx context.Context) (past, error) {
	p := past{faces: map[string]shownNow{}, began: map[string]int64{}, seats: map[string]string{}, class: map[string]string{}, floors: map[string]*seated{}, fresh: map[string]bool{}, common: map[string]string{}}
	for _, d := range wire.StandardStatuses() {
		p.common[d.ID] = d.Class
	}
	err := r.each(ctx, "SELECT kind, id, coalesce(data ->> '$.floor', ''), coalesce(data ->> '$.class', '') FROM setting WHERE kind IN (?, ?)",
		[]any{roster.KindSeat, roster.KindStatus}, func(rows *sql.Rows) error {
			var kind, id, floor, class string
			err := rows.Scan(&kind, &id, &floor, &class)
			if kind == roster.KindSeat && floor != "" {
				p.seats[id] = floor
			} else if kind == roster.KindStatus && class != "" {
				p.class[id] = class
			}
			return err
		})
	if err == nil {
		err = r.each(ctx, lastFaces, nil, func(rows *sql.Rows) error {
			var account, data string
			var began int64
			var s shownNow
			if err := rows.Scan(&account, &began, &s.seat, &data); err != nil {
				return err
			}
			p.began[account] = began
			if s.seat == "" {
				return nil
			}
			var f face
			if err := json.Unmarshal([]byte(data), &f); err != nil {
				return err
			}
			s.status, s.talks, s.data = f.Status, f.Call != "", data
			p.faces[account] = s
			return nil
		})
	}
	if err == nil { // floors that are empty by now have counted, too
		err = r.each(ctx, `WITH RECURSIVE f (floor) AS (SELECT min(floor) FROM minute UNION ALL SELECT (SELECT min(floor) FROM minute WHERE floor > f.floor) FROM f WHERE f.floor IS NOT NULL)
			SELECT floor, (SELECT max(at) FROM minute m WHERE m.floor = f.floor) FROM f WHERE floor IS NOT NULL`, nil, func(rows *sql.Rows) error {
			var floor string
			var at int64
			err := rows.Scan(&floor, &at)
			p.floors[floor], p.minute = &seated{Class: map[string]int{}}, max(p.minute, at-1)
			return err
		})
	}
	if err != nil {
		return p, fmt.Errorf("floors: %w", err)
	}
	for _, f := range slices.Collect(maps.Values(p.faces)) {
		p.count(f, 1)
	}
	clear(p.fresh)
	return p, nil
}
