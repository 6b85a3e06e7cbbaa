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

func (r *Roster) hashOne(ctx context.Context, a AccountSetup, known string) (string, error) {
	if a.Hash != "" {
		return a.Hash, nil
	}
	if a.Password == "" {
		return known, nil
	}
	if known != "" {
		if same, err := r.passwords.right(ctx, known, a.Password.Reveal()); same || err != nil {
			return known, err
		}
	}
	return r.passwords.hash(ctx, a.Password.Reveal())
}

// SetPassword changes the password of an account.
func (r *Roster) SetPassword(ctx context.Context, account string, password wire.Secret, by string) error {
	if err := goodPassword(account, password.Reveal()); err != nil {
		return fmt.Errorf("account %q: %w", account, err)
	}
	hash, err := r.passwords.hash(ctx, password.Reveal())
	if err != nil {
		return err
	}
	return r.change(ctx, by, func(d *draft) error {
		row, ok := d.accounts[account]
		if !ok {
			return fmt.Errorf("there is no account %q", account)
		}
		a := row.v
		a.Hash = hash
		d.add(KindAccount, account, row.seq, &a, "password set")
		return nil
	})
}

// write puts what differs into the draft.
func (p *plan) write() error {
	if s := p.setup.Site; s != nil && (!reflect.DeepEqual(*s, p.site.v) || p.site.seq == 0) {
		p.draft.add(KindSite, siteID, p.site.seq, s, "setup")
	}
	for _, a := range p.setup.Accounts {
		put := Account{Account: a.Account, Name: a.Name, Role: a.role(), Agent: a.agent(), Hash: p.hashes[a.Account]}
		differ(p.draft, KindAccount, a.Account, p.accounts, put)
	}
	if err := p.writeTerminals(); err != nil {
		return err
	}
	for i, s := range p.setup.Statuses {
		s.Pickable = true
		s.Colour, s.Sign = or(s.Colour, "violet"), or(s.Sign, "■")
		differ(p.draft, KindStatus, s.ID, p.statuses, Status{s, i})
	}
	for _, f := range p.setup.Floors {
		differ(p.draft, KindFloor, f.ID, p.floors, Floor(f))
	}
	for _, s := range p.setup.Seats {
		old := p.seats[s.ID].v
		differ(p.draft, KindSeat, s.ID, p.seats, Seat{
			ID: s.ID, Name: or(s.Name, s.ID), Floor: s.Floor, X: s.X, Y: s.Y, Holder: old.Holder, Since: old.Since})
	}
	for _, q := range p.setup.Queues {
		differ(p.draft, KindQueue, q.Extension, p.queues, Queue(q))
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
		d.add(kind, id, old.seq, &v, "setup")
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
