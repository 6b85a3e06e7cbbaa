package roster

import (
	"maps"
	"slices"
	"strings"

	"zaseki/web/wire"
)

// Group is people who work together: a supervisor sees and helps the own groups, policies are made for groups.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Policy sets something else for some people than the site does. Policies apply in the order of Order, then ID; the last one that
// sets a thing counts.
type Policy struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Order    int       `json:"order,omitempty"`
	Groups   []string  `json:"groups,omitempty"`   // of whoever is in one of them
	Accounts []string  `json:"accounts,omitempty"` // and of these; neither: of everybody
	Set      PolicySet `json:"set"`
}

// PolicySet is what a policy may set; nil leaves it as it is.
type PolicySet struct {
	Record           *string `json:"record,omitempty"`
	Tone             *bool   `json:"tone,omitempty"`
	Replay           *bool   `json:"replay,omitempty"`
	Clip             *bool   `json:"clip,omitempty"`       // the last 30 s of the call may be heard by who comes to a raised hand
	AttendTone       *bool   `json:"attendTone,omitempty"` // who is listened to hears so; true
	Hear             *bool   `json:"hear,omitempty"`
	Keep             *bool   `json:"keep,omitempty"`   // account and password may be kept on the machine (PRODUCT A14); true
	View             *bool   `json:"view,omitempty"`   // agents may open the seat view (E4); true
	Book             *bool   `json:"book,omitempty"`   // supervisors may change the shared phonebook; true
	Answer           *int    `json:"answer,omitempty"` // seconds after which queue calls are answered by themselves; 0 never
	AfterWorkSeconds *int    `json:"afterWorkSeconds,omitempty"`
	Misses           *int    `json:"misses,omitempty"`
	Factor           *string `json:"factor,omitempty"` // second factor at agent sign-in: off, allowed, required

	CRM    *wire.CRM   `json:"crm,omitempty"`    // another link to a customer system than the site's (PRODUCT A15); an empty one: none
	Locked wire.Values `json:"locked,omitempty"` // settings that phones have and nobody there may change, by name
}

// of says whether the policy is made for that account.
func (p Policy) of(a Account) bool {
	return len(p.Groups) == 0 && len(p.Accounts) == 0 || slices.Contains(p.Accounts, a.Account) ||
		slices.ContainsFunc(p.Groups, func(g string) bool { return slices.Contains(a.Groups, g) })
}

// Rules are what counts for one account: the site's settings with its policies laid over them.
type Rules struct {
	Policy           SitePolicy
	Keep, View, Book bool
	Clip, AttendTone bool
	Answer           int // seconds; 0 never
	AfterWorkSeconds int
	Misses           int
	Factor           string
	CRM              *wire.CRM
	Locked           wire.Values
	By               []string // names of the policies that lock
}

// rulesOf lays the account's policies over the site.
func (v *view) rulesOf(account string) Rules {
	site := v.site.v
	r := Rules{Policy: site.Policy, Keep: true, View: true, Book: true, AttendTone: true, AfterWorkSeconds: site.AfterWorkSeconds, Misses: site.Misses, Factor: site.Factor.Agent, CRM: site.CRM}
	a := v.accounts[account].v
	for _, p := range v.policyOrder {
		if p.of(a) {
			r.lay(p)
		}
	}
	return r
}

// PolicyOf is what the center allows with the sound of an account's calls; of "" what the site says.
func (r *Roster) PolicyOf(account string) SitePolicy {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if account == "" {
		return r.view.site.v.Policy
	}
	return r.view.rulesOf(account).Policy
}

// desk is what the account's phone may do beside its calls (PRODUCT A14, A15, B, E4).
func (v *view) desk(account string) wire.Desk {
	r := v.rulesOf(account)
	return wire.Desk{CRM: r.CRM, Latest: v.site.v.Latest, Keep: r.Keep, Answer: r.Answer, View: v.viewable(account), Locked: r.Locked, By: strings.Join(r.By, ", "),
		Outcomes: v.outcomesTold(), Book: v.bookRev()}
}

// viewable says whether the account may open the seat view: a policy can hide it from agents, not from those who lead them.
func (v *view) viewable(account string) bool {
	return v.site.v.SeatView && (v.rulesOf(account).View || v.accounts[account].v.Role != "agent")
}

func (r *Rules) lay(p Policy) {
	s := p.Set
	over(&r.Policy.Record, s.Record)
	over(&r.Policy.Tone, s.Tone)
	over(&r.Policy.Replay, s.Replay)
	over(&r.Policy.Hear, s.Hear)
	over(&r.Clip, s.Clip)
	over(&r.AttendTone, s.AttendTone)
	over(&r.Keep, s.Keep)
	over(&r.View, s.View)
	over(&r.Book, s.Book)
	over(&r.Answer, s.Answer)
	over(&r.AfterWorkSeconds, s.AfterWorkSeconds)
	over(&r.Misses, s.Misses)
	over(&r.Factor, s.Factor)
	if s.CRM != nil {
		if r.CRM = s.CRM; s.CRM.Login == "" && s.CRM.Call == "" {
			r.CRM = nil
		}
	}
	if len(s.Locked) > 0 {
		locked := maps.Clone(r.Locked)
		if locked == nil {
			locked = wire.Values{}
		}
		maps.Copy(locked, s.Locked)
		r.Locked, r.By = locked, append(slices.Clip(r.By), or(p.Name, p.ID))
	}
}

func over[T any](v *T, set *T) {
	if set != nil {
		*v = *set
	}
}

// sound is what the account's phone may do with the sound of its calls; key seals what it records, and without one nothing is.
func (r Rules) sound(key []byte) wire.Policy {
	p := wire.Policy{Record: r.Policy.Record, Tone: r.Policy.Tone, Replay: r.Policy.Replay, Hear: r.Policy.Hear, Clip: r.Clip, Key: key}
	if len(key) == 0 {
		p.Record, p.Clip = wire.RecordNever, false
	}
	return p
}
