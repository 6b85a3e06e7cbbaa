package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Rev is a revision of what an administrator sets of a row. It is made of that and of nothing else: it is the same on every node, and
// somebody who sits down on a seat does not make an administrator's form stale. "" is a row that is not there.
type Rev string

// Row is an entity as administrators see it. Data has no secrets: a …Row type, or the record itself where that has none.
type Row struct {
	ID   string `json:"id"`
	Rev  Rev    `json:"rev"`
	Data any    `json:"data"`
}

type (
	// AccountRow is an account with the softphones it owns.
	AccountRow struct {
		Account   string     `json:"account"`
		Name      string     `json:"name"`
		Role      string     `json:"role"`
		Agent     bool       `json:"agent"`
		Terminals []string   `json:"terminals"`
		Groups    []string   `json:"groups,omitempty"`
		Mail      string     `json:"mail,omitempty"`
		Subject   string     `json:"subject,omitempty"`
		Off       bool       `json:"off,omitempty"`
		SignedIn  bool       `json:"signedIn,omitempty"`
		Factor    *FactorRow `json:"factor,omitempty"`
	}
	// FactorRow is what an account has set up as second factor.
	FactorRow struct {
		App     bool        `json:"app"`
		Mail    bool        `json:"mail"`
		Codes   int         `json:"codes"` // recovery codes left
		Devices []DeviceRow `json:"devices,omitempty"`
	}
	// DeviceRow is a trusted device.
	DeviceRow struct {
		Label string    `json:"label"`
		Since time.Time `json:"since"`
		Until time.Time `json:"until"`
	}
	// TerminalRow is a terminal. Holder is who is signed in with it.
	TerminalRow struct {
		Extension string `json:"extension"`
		Type      string `json:"type"`
		Name      string `json:"name,omitempty"`
		Account   string `json:"account,omitempty"`
		Fixed     bool   `json:"fixed,omitempty"` // a SIP secret was set
		Holder    string `json:"holder,omitempty"`
		Trunk     *Trunk `json:"trunk,omitempty"`
	}
	// PBXRow is an exchange.
	PBXRow struct {
		PBX
		Fixed bool `json:"fixed,omitempty"` // a secret was set
	}
	// SiteRow is the site.
	SiteRow struct {
		Site
		Fresh bool            `json:"fresh,omitempty"` // nobody has set anything yet
		Fixed map[string]bool `json:"fixed,omitempty"` // secrets that were set: oidc, mail
	}
)

// Rows are all entities of a kind, by ID.
func (r *Roster) Rows(kind string) []Row {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.rows(kind)
}

// Row is one of them.
func (r *Roster) Row(kind, id string) (Row, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.view.one(kind, id)
}

func (v *view) rows(kind string) []Row {
	switch kind {
	case KindSite:
		return []Row{v.siteRow()}
	case KindAccount:
		own := v.owned()
		return each(v.accounts, func(a Account) Row { return v.accountRow(a, own[a.Account]) })
	case KindTerminal:
		return each(v.terminals, terminalRow)
	case KindStatus:
		rows := each(v.statuses, func(s Status) Row { return Row{s.ID, revOf(s), s} })
		slices.SortStableFunc(rows, func(a, b Row) int { return a.Data.(Status).Order - b.Data.(Status).Order })
		return rows
	case KindFloor:
		return each(v.floors, func(f Floor) Row { return Row{f.ID, revOf(f), f} })
	case KindSeat:
		return each(v.seats, seatRow)
	case KindQueue:
		return each(v.queues, func(q Queue) Row { return Row{q.Extension, revOf(q), q} })
	case KindGroup:
		return each(v.groups, func(g Group) Row { return Row{g.ID, revOf(g), g} })
	case KindPolicy:
		return each(v.policies, func(p Policy) Row { return Row{p.ID, revOf(p), p} })
	case KindCalendar:
		return each(v.calendars, func(c Calendar) Row { return Row{c.ID, revOf(c), c} })
	case KindPBX:
		return each(v.pbxs, pbxRow)
	case KindOutcome:
		var rows []Row
		for _, o := range v.ordered() {
			rows = append(rows, Row{o.ID, revOf(o), o})
		}
		return rows
	}
	return nil
}

// one finds a row without making all of a large kind.
func (v *view) one(kind, id string) (Row, bool) {
	switch kind {
	case KindAccount:
		a, ok := v.accounts[id]
		return v.accountRow(a.v, v.owned()[id]), ok
	case KindTerminal:
		t, ok := v.terminals[id]
		return terminalRow(t.v), ok
	case KindSeat:
		s, ok := v.seats[id]
		return seatRow(s.v), ok
	case KindContact:
		c, ok := v.book.get(id)
		return contactRow(c), ok
	}
	rows := v.rows(kind)
	i := slices.IndexFunc(rows, func(r Row) bool { return r.ID == id })
	if i < 0 {
		return Row{}, false
	}
	return rows[i], true
}

func each[T any](rows map[string]row[T], of func(T) Row) []Row {
	all := make([]Row, 0, len(rows))
	for _, id := range sorted(rows) {
		all = append(all, of(rows[id].v))
	}
	return all
}

// owned are the extensions of each account's softphones, in order.
func (v *view) owned() map[string][]string {
	own := map[string][]string{}
	for ext, t := range v.terminals {
		if t.v.Account != "" {
			own[t.v.Account] = append(own[t.v.Account], ext)
		}
	}
	for _, exts := range own {
		slices.Sort(exts)
	}
	return own
}

func (v *view) accountRow(a Account, own []string) Row {
	return Row{a.Account, accountRev(a, own), v.accountData(a, own)}
}

func accountRev(a Account, own []string) Rev {
	if own == nil {
		own = []string{}
	}
	a.Hash, a.Was = "", ""
	return revOf(struct {
		Account
		Own []string
	}{a, own})
}

func (v *view) accountData(a Account, own []string) AccountRow {
	if own == nil {
		own = []string{}
	}
	d := AccountRow{Account: a.Account, Name: a.Name, Role: a.Role, Agent: a.Agent, Terminals: own, Groups: a.Groups, Mail: a.Mail,
		Subject: a.Subject, Off: a.Off, SignedIn: v.agents[a.Account].v.Session != nil}
	if f, ok := v.factors[a.Account]; ok {
		d.Factor = &FactorRow{App: len(f.v.App) > 0, Mail: f.v.Mail, Codes: len(f.v.Codes)}
		for _, dev := range f.v.Devices {
			d.Factor.Devices = append(d.Factor.Devices, DeviceRow{dev.Label, dev.Since, dev.Until})
		}
	}
	return d
}

func terminalRow(t Terminal) Row { return Row{t.Extension, terminalRev(t), terminalData(t)} }

func terminalRev(t Terminal) Rev {
	t.Holder, t.HeldSince, t.Epoch = "", time.Time{}, 0
	return revOf(t)
}

func terminalData(t Terminal) TerminalRow {
	return TerminalRow{Extension: t.Extension, Type: t.Type, Name: t.Name, Account: t.Account, Fixed: len(t.Sealed) > 0, Holder: t.Holder, Trunk: t.Trunk}
}

func seatRow(s Seat) Row {
	set := s
	set.Holder, set.Since = "", time.Time{}
	return Row{s.ID, revOf(set), s}
}

func pbxRow(b PBX) Row {
	shown := PBXRow{b, len(b.Sealed) > 0}
	shown.Sealed = nil
	return Row{b.ID, revOf(b), shown}
}

func (v *view) siteRow() Row {
	s := SiteRow{Site: v.site.v, Fresh: v.site.seq == 0, Fixed: map[string]bool{}}
	for name, sealed := range map[string]*[]byte{"oidc": &s.OIDC.Sealed, "mail": &s.Mail.Sealed} {
		if len(*sealed) > 0 {
			*sealed, s.Fixed[name] = nil, true
		}
	}
	return Row{siteID, revOf(v.site.v), s}
}

func revOf(set any) Rev {
	data, err := json.Marshal(set)
	if err != nil {
		return "" // our own records always can be written
	}
	sum := sha256.Sum256(data)
	return Rev(hex.EncodeToString(sum[:8]))
}

// Now is what an account that is signed in does.
type Now struct {
	Status   string // as others see it: system statuses cover the agent's own
	Since    time.Time
	Seat     string
	Terminal string
}

// Now is what everybody does who is signed in, by account.
func (r *Roster) Now() map[string]Now {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := map[string]Now{}
	for account, a := range r.view.agents {
		if a.v.Session != nil {
			status, since := a.v.shown()
			all[account] = Now{status, since, a.v.Seat, a.v.Terminal}
		}
	}
	return all
}
