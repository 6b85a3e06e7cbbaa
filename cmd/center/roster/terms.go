package roster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"zaseki/web/wire"
)

// Terms are what a phone goes by from sign-in on: everything of a Welcome that a setting of the center decides. A session remembers a
// sum of them. When a policy, a status, the account or its terminal has changed and the sum is another one, the phone is told to resume
// its session, which gives it a new Welcome; a call goes on meanwhile.

const (
	// termsWait is how long changes are gathered: an import is one change to the phones.
	termsWait = 100 * time.Millisecond
	// termsSpread is within how long one of those that were told comes back: it is told when its turn has come, and no agent is
	// unreachable for longer than that.
	termsSpread = 200 * time.Millisecond
	// termsAtOnce phones are told within termsWait: 500 a second.
	termsAtOnce = 50
)

// contracts are the accounts whose terms may have changed.
type contracts struct {
	mu   sync.Mutex
	all  bool
	some map[string]struct{}
	wake chan struct{}
}

// heard notes an event that may change what phones go by; t is the terminal of that id.
func (c *contracts) heard(kind, id string, t Terminal) {
	switch kind {
	case KindSite, KindPolicy, KindStatus, KindOutcome, KindQueue, KindGroup:
		c.note(func() { c.all = true })
	case KindAccount:
		c.look(id)
	case KindTerminal:
		c.look(t.Holder)
		c.look(t.Account)
	}
}

// look notes one account.
func (c *contracts) look(account string) {
	if account != "" {
		c.note(func() {
			if c.some == nil {
				c.some = map[string]struct{}{}
			}
			c.some[account] = struct{}{}
		})
	}
}

func (c *contracts) note(do func()) {
	c.mu.Lock()
	do()
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *contracts) take() (all bool, some map[string]struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, some = c.all, c.some
	c.all, c.some = false, nil
	return all, some
}

// tellTerms sends those phones to resume whose terms are others than they know, until ctx ends.
func (r *Roster) tellTerms(ctx context.Context) error {
	pause := func() bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(termsWait):
			return true
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.contracts.wake:
		}
		if !pause() {
			return ctx.Err()
		}
		told := 0
		for _, l := range r.suspects() {
			if !r.outdated(l) {
				continue
			}
			l.touch(func() { l.terms = true })
			if told++; told%termsAtOnce == 0 && !pause() {
				return ctx.Err()
			}
		}
		if told > 0 {
			r.log.Info("phones are told of new settings", "phones", told)
		}
	}
}

// suspects are the links of the accounts that something was noted of.
func (r *Roster) suspects() (links []*link) {
	all, some := r.contracts.take()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !all {
		for account := range some {
			if l := r.links[account]; l != nil {
				links = append(links, l)
			}
		}
		return links
	}
	for _, l := range r.links {
		links = append(links, l)
	}
	return links
}

// outdated says that the phone goes by other terms than it should.
func (r *Roster) outdated(l *link) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := r.view.agents[l.account].v
	return a.Session != nil && a.Session.ID == l.session && r.links[l.account] == l && a.Session.Terms != r.view.terms(l.account, a.Terminal)
}

func (r *Roster) newTerms() wire.Bye {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return wire.Bye{Spread: int(termsSpread.Milliseconds()), Nodes: r.nodes.Others, Settings: true}
}

// terms is the sum of what the account's phone goes by when it is signed in with that terminal.
func (v *view) terms(account, terminal string) string {
	acct, t, site := v.accounts[account].v, v.terminals[terminal].v, v.site.v
	rules, desk := v.rulesOf(account), v.desk(account)
	desk.Bound = v.bound(account, terminal)
	leads, all := v.leadsOf(account)
	desk.Book = 0 // phones hear of a newer one by itself
	data, err := json.Marshal(struct {
		Center, Name, Role string
		Leads              []string `json:",omitempty"`
		All                bool     `json:",omitempty"`
		Agent, SeatView    bool
		Terminal           wire.Terminal
		Sealed             []byte
		Statuses           []wire.StatusDef
		Profile            wire.Profile
		Plan               wire.Plan
		SIP                SiteSIP
		Sound              wire.Policy
		Desk               wire.Desk
	}{site.Name, v.name(account), acct.Role, leads, all, acct.Agent, site.SeatView, t.wire(), t.Sealed, v.defs, v.profile(), site.plan(), site.SIP,
		rules.sound([]byte{1}), desk})
	if err != nil {
		return "" // all of it can be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
