package exchange

import (
	"context"
	"time"

	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

const (
	lookupTime = 2 * time.Second // for the names of a provider while a caller waits
	tiredTime  = 2 * time.Minute // a trunk that did not carry a call is asked after the others
	quietTime  = 4 * time.Second // a provider that has said nothing at all to a call by then is passed over
)

// exit is one way to the outside: a provider's server, or a trunk that is registered at us.
type exit struct {
	user string
	k    *trunk // nil: registered at us
	way  wayOut
	auth *stack.Auth
}

// findTrunk calls the number over the trunk that is named, or over the first that carries it: who does not answer, cannot be
// reached or is overloaded is passed over (503, 408, 5xx before anything rang).
func (s *search) findTrunk(ctx context.Context) outcome {
	x := s.c.x
	users := []string{s.route.user}
	if s.route.user == "" {
		users = x.trunksInOrder()
	}
	last := outcome{code: 404, reason: "No Way Out"}
	for _, user := range users {
		exits := x.exits(ctx, user)
		if len(exits) == 0 {
			last = outcome{code: 480, reason: "Temporarily Unavailable"}
		}
		for _, e := range exits {
			last = s.leaveBy(ctx, e)
			if last.leg != nil || s.over() || ctx.Err() != nil || s.told || !passed(last.code) {
				e.k.carried()
				return last
			}
			x.log.Info("a trunk does not carry the call", "call", s.c.record.ID, "trunk", user, "peer", e.way.target.Addr, "code", last.code)
			if e.k != nil {
				x.trunks.names.Penalize(e.way.target)
				e.k.failed()
			}
		}
	}
	return last
}

func passed(code int) bool { return code == 408 || code >= 500 && code < 600 }

// leaveBy rings at one exit.
func (s *search) leaveBy(ctx context.Context, e exit) outcome {
	if e.k == nil {
		all := s.c.x.phonesOf(e.user)
		if len(all) == 0 {
			return outcome{code: 480, reason: "Temporarily Unavailable"}
		}
		if s.route.number != "" {
			all[0].uri.User = s.route.number
		}
		return s.attempt(ctx, all[:1], "", patience{})
	}
	p := e.k.p
	to := target{user: e.user, trunk: true, out: &e, at: binding{network: e.way.link.Network(), source: e.way.target.Addr}}
	to.uri = uriAt(s.route.number, p.Domain)
	if s.route.number == "" { // the trunk itself is called, as who transfers to it does
		to.uri = uriAt(p.Account, p.Domain)
	}
	return s.attempt(ctx, []target{to}, "", patience{})
}

// dress makes the INVITE one of the provider's customer: by its own link, with our number there, and with our password for
// nobody else.
func (e *exit) dress(r *dialog.InviteRequest) {
	if e == nil {
		return
	}
	p := e.k.p
	number := p.Caller
	if number == "" {
		number = p.Account
	}
	r.Link, r.Auth, r.ContactUser = e.way.link, e.auth, p.Account
	r.From = dialog.Party{User: number, Host: p.Domain}
	r.To = dialog.Party{User: stack.UnescapeUser(r.Target.User), Host: p.Domain}
	r.Headers = append([]string{"P-Asserted-Identity", r.From.Value()}, r.Headers...)
	r.Quiet = quietTime
}

// trunksInOrder are all trunks: providers that are ready first, in the order of the site, then who registered at us last, then
// providers that just failed.
func (x *Exchange) trunksInOrder() []string {
	var ready, rest []string
	for _, p := range x.beside.Load().Trunks {
		k := x.trunks.named(p.User)
		if k == nil {
			continue
		}
		if k.ready() {
			ready = append(ready, p.User)
		} else {
			rest = append(rest, p.User)
		}
	}
	if user, ok := x.newestTrunk(); ok {
		ready = append(ready, user)
	}
	return append(ready, rest...)
}

// ready: it is registered if it registers, and carried the last call that it was asked for in the last minutes.
func (k *trunk) ready() bool {
	_, ok := k.way()
	k.mu.Lock()
	defer k.mu.Unlock()
	return (ok || !k.p.Register || !k.mine.Load()) && time.Now().After(k.tired)
}

// failed lets other trunks go first for a while.
func (k *trunk) failed() { k.tire(time.Now().Add(tiredTime)) }

func (k *trunk) carried() { k.tire(time.Time{}) }

func (k *trunk) tire(until time.Time) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tired = until
}

// exits are the ways of one trunk, best first: where it is registered, or what its names say.
func (x *Exchange) exits(ctx context.Context, user string) []exit {
	k := x.trunks.named(user)
	if k == nil {
		return []exit{{user: user}}
	}
	if w, ok := k.way(); ok {
		return []exit{{user, k, w, k.auth}}
	}
	if k.p.Register && k.mine.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	targets, err := k.targets(ctx)
	if err != nil {
		x.log.Warn("a provider is not found", "trunk", user, "err", err)
	}
	auth := k.auth
	if k.p.Register && auth != nil && k.p.Realm == "" { // another node registers and learns the realm there
		auth = &stack.Auth{User: k.p.Account, Password: k.p.Secret, Realm: host(k.p.Domain)}
	}
	var all []exit
	for _, t := range targets {
		link, err := k.open(ctx, t)
		if err != nil {
			x.log.Warn("a provider is not reached", "trunk", user, "peer", t.Addr, "err", err)
			x.trunks.names.Penalize(t)
			continue
		}
		all = append(all, exit{user, k, wayOut{link, t}, auth})
	}
	return all
}
