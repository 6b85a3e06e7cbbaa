package roster

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

// Apply imports a setup: all rows are checked first, and what is the same already is not written again. What the setup does
// not name stays. by is the account or program that does it.
func (r *Roster) Apply(ctx context.Context, s Setup, by string) error {
	r.mu.RLock()
	p := plan{view: r.view, vault: r.vault, setup: s}
	err := p.check()
	known := map[string]string{}
	for account, a := range r.view.accounts {
		known[account] = a.v.Hash
	}
	r.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	hashes, err := r.hashAll(ctx, s.Accounts, known)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	for more := true; more; { // in portions that the ledger takes at once
		err := r.change(ctx, by, func(d *draft) error {
			p := plan{view: d.view, vault: r.vault, setup: s, hashes: hashes, draft: d}
			if err := p.check(); err != nil {
				return err
			}
			err := p.write()
			more = len(d.changes) > ledger.MaxWrites
			d.changes = d.changes[:min(len(d.changes), ledger.MaxWrites)]
			return err
		})
		if err != nil {
			return fmt.Errorf("setup: %w", err)
		}
	}
	return nil
}

// hashAll makes the PHC strings of all passwords that are not the present ones.
func (r *Roster) hashAll(ctx context.Context, rows []AccountSetup, known map[string]string) (map[string]string, error) {
	hashes := make([]string, len(rows))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(cap(r.passwords.turn))
	for i, a := range rows {
		g.Go(func() (err error) {
			hashes[i], err = r.hashOne(ctx, a, known[a.Account])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for i, a := range rows {
		out[a.Account] = hashes[i]
	}
	return out, nil
}

// hashOne is the new hash of an account's password; "" when the present one stays.
func (r *Roster) hashOne(ctx context.Context, a AccountSetup, known string) (string, error) {
	if a.Hash != "" {
		return a.Hash, nil
	}
	if a.Password == "" {
		return "", nil
	}
	if known != "" {
		if same, err := r.passwords.right(ctx, known, a.Password.Reveal()); same || err != nil {
			return "", err
		}
	}
	return r.passwords.hash(ctx, a.Password.Reveal())
}

// write puts what differs into the draft.
func (p *plan) write() error {
	if p.setup.Site != nil {
		s, err := p.sealSite(*p.setup.Site)
		if err != nil {
			return err
		}
		if p.site.seq == 0 || !reflect.DeepEqual(s, p.site.v) {
			p.draft.add(KindSite, siteID, p.site.seq, &s, "setup")
		}
	}
	for _, a := range p.setup.Accounts {
		p.writeAccount(a)
	}
	if err := p.writeTerminals(); err != nil {
		return err
	}
	for i, s := range p.setup.Statuses {
		s.Pickable = true
		s.Colour, s.Sign = or(s.Colour, "violet"), or(s.Sign, "■")
		differ(p.draft, KindStatus, s.ID, p.statuses, Status{s, p.order(i, s.ID)})
	}
	for _, f := range p.setup.Floors {
		differ(p.draft, KindFloor, f.ID, p.floors, f)
	}
	for _, s := range p.setup.Seats {
		old := p.seats[s.ID].v
		differ(p.draft, KindSeat, s.ID, p.seats, Seat{
			ID: s.ID, Name: or(s.Name, s.ID), Floor: s.Floor, X: s.X, Y: s.Y, Holder: old.Holder, Since: old.Since})
	}
	for _, q := range p.setup.Queues {
		differ(p.draft, KindQueue, q.Extension, p.queues, q)
	}
	for _, g := range p.setup.Groups {
		differ(p.draft, KindGroup, g.ID, p.groups, g)
	}
	for _, v := range p.setup.Policies {
		v.Set = kept(v.Set)
		differ(p.draft, KindPolicy, v.ID, p.policies, v)
	}
	for _, c := range p.setup.Calendars {
		differ(p.draft, KindCalendar, c.ID, p.calendars, c)
	}
	for _, o := range p.setup.Outcomes {
		differ(p.draft, KindOutcome, o.ID, p.outcomes, o)
	}
	if _, err := p.writeContacts(false); err != nil {
		return err
	}
	return p.writePBXs()
}

// writeAccount keeps what a setup cannot know: a password that was hashed anew, and whom single sign-on has found.
func (p *plan) writeAccount(a AccountSetup) {
	old := p.accounts[a.Account].v
	put := Account{Account: a.Account, Name: a.Name, Role: a.role(), Agent: a.agent(), Hash: old.Hash, Was: old.Was,
		Groups: a.Groups, Mail: a.Mail, Subject: or(a.Subject, old.Subject), Off: a.Off}
	if put.Subject == noSubject {
		put.Subject = ""
	}
	if hash := p.hashes[a.Account]; hash != "" && hash != old.Hash && hash != old.Was {
		put.Hash, put.Was = hash, ""
		if len(p.factors[a.Account].v.Devices) > 0 {
			p.draft.factor(a.Account, "password set").Devices = nil
		}
	}
	differ(p.draft, KindAccount, a.Account, p.accounts, put)
}

// order is a status's place. A setup that names all of them sets it; else those that are there stay, and new ones come last.
func (p *plan) order(i int, id string) int {
	named := func(id string) bool {
		return slices.ContainsFunc(p.setup.Statuses, func(d wire.StatusDef) bool { return d.ID == id })
	}
	last, all := -1, true
	for other, s := range p.statuses {
		last, all = max(last, s.v.Order), all && named(other)
	}
	old, ok := p.statuses[id]
	switch {
	case all:
		return i
	case ok:
		return old.v.Order
	}
	return last + 1 + i
}

func (p *plan) writePBXs() error {
	for _, b := range p.setup.PBXs {
		put := b.PBX
		put.Sealed = p.pbxs[b.ID].v.Sealed
		if b.Secret != "" {
			sealed, err := p.vault.seal(b.Secret.Reveal(), "pbx "+b.ID)
			if err != nil {
				return err
			}
			put.Sealed = sealed
		}
		differ(p.draft, KindPBX, b.ID, p.pbxs, put)
	}
	return nil
}

func (p *plan) writeTerminals() error {
	rows := slices.Clone(p.setup.Terminals)
	owners := map[string]string{}
	for _, a := range p.setup.Accounts {
		for _, ext := range a.Terminals {
			owners[ext] = a.Account
		}
	}
	for _, t := range rows {
		put := p.terminals[t.Extension].v
		put.Extension, put.Type, put.Name = t.Extension, t.kind(), t.Name
		put.Account = or(or(t.Account, owners[t.Extension]), put.Account)
		if t.Trunk != nil {
			put.Trunk = t.Trunk
		}
		if t.Secret != "" {
			if was, err := p.vault.open(put.Sealed, put.Extension); err != nil || was != t.Secret.Reveal() {
				sealed, err := p.vault.seal(t.Secret.Reveal(), put.Extension)
				if err != nil {
					return err
				}
				put.Sealed = sealed
			}
		}
		differ(p.draft, KindTerminal, t.Extension, p.terminals, put)
		delete(owners, t.Extension)
	}
	for ext, account := range owners { // terminals that were there before
		put := p.terminals[ext].v
		put.Account = account
		differ(p.draft, KindTerminal, ext, p.terminals, put)
	}
	return nil
}

// differ adds the row unless it is the same already.
func differ[T any](d *draft, kind, id string, rows map[string]row[T], v T) {
	old, ok := rows[id]
	if !ok || !reflect.DeepEqual(old.v, v) {
		d.add(kind, id, max(old.seq, d.gone[ledger.Subject(kind, id)]), &v, "setup")
	}
}

func or(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

func (t TerminalSetup) kind() string { return or(t.Type, "softphone") }

func (a AccountSetup) role() string { return or(a.Role, "agent") }

func (a AccountSetup) agent() bool {
	if a.Agent != nil {
		return *a.Agent
	}
	return a.role() != "administrator"
}

func (s Site) ringTime() time.Duration { return time.Duration(s.RingSeconds) * time.Second }

func (s Site) sipDomain() string { return or(s.SIP.Domain, s.Domain) }

// plan is the number plan as phones get it.
func (s Site) plan() wire.Plan {
	return wire.Plan{Domain: s.sipDomain(), Digits: s.ExtensionDigits, Country: s.Plan.Country, National: s.Plan.National,
		Abroad: s.Plan.Abroad, Line: s.Plan.Line, Marks: s.Plan.Marks}
}
