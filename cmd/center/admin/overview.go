package admin

import (
	"net/http"
	"sort"
	"time"

	"zaseki/cmd/center/exchange"
	"zaseki/cmd/center/roster"
	"zaseki/web/wire"
)

// Overview is the center as it is now. A supervisor sees the people of the own groups.
type Overview struct {
	Center        string                  `json:"center"`
	Domain        string                  `json:"domain"`
	SIP           string                  `json:"sip"`
	Join          string                  `json:"join"`
	Version       string                  `json:"version"`
	Count         Count                   `json:"count"`
	Accounts      []Account               `json:"accounts,omitempty"`
	Terminals     []Terminal              `json:"terminals,omitempty"`
	Floors        []wire.FloorPlan        `json:"floors,omitempty"`
	Seats         []wire.SeatState        `json:"seats"`
	Statuses      []wire.StatusDef        `json:"statuses"`
	Registrations []exchange.Registration `json:"registrations,omitempty"`
	Calls         []exchange.CallRecord   `json:"calls"`
	At            time.Time               `json:"at"`
}

// Count is how many there are.
type Count struct {
	Accounts   int            `json:"accounts"`
	SignedIn   int            `json:"signedIn"`
	Terminals  int            `json:"terminals"`
	Registered int            `json:"registered"`
	Seats      int            `json:"seats"`
	Taken      int            `json:"taken"`
	Calls      int            `json:"calls"`
	Status     map[string]int `json:"status"` // people by what they are shown as
}

// Account is a row of the overview. Status, Since and Seat are of who is signed in.
type Account struct {
	Account string    `json:"account"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Agent   bool      `json:"agent"`
	Status  string    `json:"status,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Seat    string    `json:"seat,omitempty"`
}

// Terminal is a row of the overview. Account is who is signed in with it.
type Terminal struct {
	Extension  string `json:"extension"`
	Type       string `json:"type"`
	Name       string `json:"name"`
	Owner      string `json:"owner,omitempty"`
	Account    string `json:"account,omitempty"`
	Registered bool   `json:"registered"`
}

// briefSeats are taken seats in a brief overview, and as many calls.
const briefSeats = 200

// look gathers the overview for somebody; brief: what a page shows that asks every few seconds.
func (a *Admin) look(sc scope, brief bool) Overview {
	site, floor := a.cfg.Staff.Site(), a.cfg.Staff.Floor()
	o := Overview{
		Center: site.Name, Domain: site.Domain, SIP: a.cfg.Lines.Addr(), Join: a.cfg.Join(), Version: a.cfg.Version, At: a.cfg.Now(),
		Floors: floor.Floors, Seats: floor.Seats, Statuses: floor.Statuses, Calls: []exchange.CallRecord{}, Registrations: a.cfg.Lines.Registered(),
		Count: Count{Status: map[string]int{}},
	}
	sort.Slice(o.Registrations, func(i, j int) bool { return o.Registrations[i].User < o.Registrations[j].User })
	for _, c := range a.cfg.Lines.Calls() {
		if c.Account == "" || sc.sees(c.Account) {
			o.Calls = append(o.Calls, c)
		}
	}
	sort.Slice(o.Calls, func(i, j int) bool { return o.Calls[i].Began.Before(o.Calls[j].Began) })
	a.people(&o, sc, brief)
	a.terminals(&o, sc, brief)
	o.Count.Seats, o.Count.Calls = len(o.Seats), len(o.Calls)
	taken := []wire.SeatState{}
	for _, s := range o.Seats {
		if s.Account != "" {
			taken = append(taken, s)
		}
	}
	if o.Count.Taken = len(taken); brief {
		o.Accounts, o.Terminals, o.Registrations, o.Floors = nil, nil, nil, nil
		o.Seats, o.Calls = taken[:min(len(taken), briefSeats)], o.Calls[:min(len(o.Calls), briefSeats)]
	}
	return o
}

// people are all accounts, with what those who are signed in do.
func (a *Admin) people(o *Overview, sc scope, brief bool) {
	now := a.cfg.Staff.Now()
	for account, n := range now {
		if sc.sees(account) {
			o.Count.SignedIn++
			o.Count.Status[n.Status]++
		}
	}
	if o.Count.Accounts = len(sc.people); sc.all {
		o.Count.Accounts = a.cfg.Staff.Count(roster.KindAccount)
	}
	if brief {
		return
	}
	a.cfg.Staff.Each(roster.KindAccount, func(data any) {
		if d := data.(roster.AccountRow); sc.sees(d.Account) {
			n := now[d.Account]
			o.Accounts = append(o.Accounts, Account{d.Account, d.Name, d.Role, d.Agent, n.Status, n.Since, n.Seat})
		}
	})
}

func (a *Admin) terminals(o *Overview, sc scope, brief bool) {
	reached := map[string]bool{}
	for _, r := range o.Registrations {
		reached[r.User] = true
	}
	shown := map[string]bool{}
	a.cfg.Staff.Each(roster.KindTerminal, func(data any) {
		t := data.(roster.TerminalRow)
		if t.Account != "" && !sc.sees(t.Account) {
			return
		}
		shown[t.Extension] = true
		o.Count.Terminals++
		if reached[t.Extension] {
			o.Count.Registered++
		}
		if !brief {
			o.Terminals = append(o.Terminals, Terminal{t.Extension, t.Type, t.Name, t.Account, t.Holder, reached[t.Extension]})
		}
	})
	if sc.all {
		return
	}
	var mine []exchange.Registration
	for _, r := range o.Registrations {
		if shown[r.User] {
			mine = append(mine, r)
		}
	}
	o.Registrations = mine
}

func (a *Admin) overview(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "brief")
	if !ok {
		return
	}
	write(w, http.StatusOK, a.look(a.scopeOf(asks(r)), q.Get("brief") == "1"))
}
