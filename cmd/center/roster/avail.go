package roster

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"reflect"
	"strings"
	"time"

	"zaseki/cmd/center/exchange/pbx"
	"zaseki/cmd/center/ledger"
	"zaseki/web/wire"
)

const (
	availEvery = 50 * time.Millisecond  // between looks whether anything was written
	availTouch = 500 * time.Millisecond // between looks at what is not written: registrations, readiness

	ephemeralLife = 24 * time.Hour // of a SIP password that expires: longer than any session
)

// Availability tells all agents that are signed in, at once and after each change, until the context ends.
func (r *Roster) Availability(ctx context.Context, tell func([]pbx.Agent)) error {
	tick := time.NewTicker(availEvery)
	defer tick.Stop()
	var told []pbx.Agent
	var rev ledger.Seq
	var looked time.Time
	for first := true; ; first = false {
		now := time.Now()
		r.mu.RLock()
		newest := r.view.rev
		var all []pbx.Agent
		look := first || newest != rev || now.Sub(looked) >= availTouch
		if look {
			all = r.agentsLocked()
		}
		r.mu.RUnlock()
		if look {
			rev, looked = newest, now
			if first || !reflect.DeepEqual(all, told) {
				told = all
				tell(all)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// agentsLocked are the agents that are signed in with a terminal, as PBXs are told of them.
func (r *Roster) agentsLocked() []pbx.Agent {
	all := []pbx.Agent{}
	queues := sorted(r.view.queues)
	for _, account := range sorted(r.view.agents) {
		a := r.view.agents[account].v
		if a.Session == nil || a.Terminal == "" || a.Status == "" {
			continue
		}
		def, _ := r.view.def(a.Status)
		one := pbx.Agent{Account: account, Name: r.view.name(account), Terminal: a.Terminal, Busy: a.inCall(), Reason: def.Name.In(r.languageLocked())}
		if missing := r.missingLocked(a); def.TakesOutside() && len(missing) == 0 {
			one.Free = true
		} else if len(missing) > 0 {
			one.Reason = fmt.Sprintf("%s (%s)", one.Reason, strings.Join(missing, ", "))
		}
		for _, extension := range queues {
			if level := r.view.level(extension, account); level > 0 {
				if one.Queues == nil {
					one.Queues = map[string]int{}
				}
				one.Queues[extension] = level
			}
		}
		all = append(all, one)
	}
	return all
}

// languageLocked is in which language PBXs are told the names of statuses.
func (r *Roster) languageLocked() string {
	if r.view.site.v.Plan.Country == "81" {
		return "ja"
	}
	return "en"
}

// PBXs are the exchanges that are told who takes calls.
func (r *Roster) PBXs() []pbx.Box {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []pbx.Box
	for _, id := range sorted(r.view.pbxs) {
		p := r.view.pbxs[id].v
		if p.Kind == pbxRoute || p.Addr == "" {
			continue
		}
		b := pbx.Box{ID: p.ID, Kind: p.Kind, Addr: p.Addr, CA: p.CA, User: p.User, Queues: p.Queues, Member: p.Member, Table: p.Table}
		if secret, ok := r.pbxSecret(p); ok {
			b.Secret = secret
		}
		all = append(all, b)
	}
	return all
}

func (r *Roster) pbxSecret(p PBX) (wire.Secret, bool) {
	if len(p.Sealed) == 0 {
		return "", false
	}
	plain, err := r.vault.open(p.Sealed, "pbx "+p.ID)
	if err != nil {
		r.log.Error("the secret of a PBX cannot be opened", "pbx", p.ID, "err", err)
	}
	return wire.Secret(plain), err == nil
}

// MissedAt is a call that a PBX offered to a terminal in vain.
func (r *Roster) MissedAt(terminal, call string) {
	r.mu.RLock()
	account := r.view.terminals[terminal].v.Holder
	r.mu.RUnlock()
	if account != "" {
		r.log.Info("offer of a PBX not taken", "account", account, "call", call)
		r.countMiss(account, Miss{}) // the PBX's name for the call is none that a phone knows
	}
}

// ephemeralLocked gives a phone a password of its own that expires, when the outside server makes them from a secret it shares with
// us (Kamailio's auth_ephemeral: user "expiry:terminal", password HMAC-SHA1 of it).
func (r *Roster) ephemeralLocked(s wire.SIPAccount) wire.SIPAccount {
	if r.view.site.v.SIP.Server == "" {
		return s
	}
	for _, id := range sorted(r.view.pbxs) {
		p := r.view.pbxs[id].v
		if !p.Ephemeral || p.Kind != pbxKamailio {
			continue
		}
		if secret, ok := r.pbxSecret(p); ok {
			s.AuthUser, s.Secret = ephemeral(secret, s.User, time.Now().Add(ephemeralLife))
		}
		return s
	}
	return s
}

func ephemeral(shared wire.Secret, terminal string, until time.Time) (user, password string) {
	user = fmt.Sprintf("%d:%s", until.Unix(), terminal)
	m := hmac.New(sha1.New, []byte(shared.Reveal()))
	m.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(m.Sum(nil))
}
