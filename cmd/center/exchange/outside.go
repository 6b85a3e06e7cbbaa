package exchange

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"zaseki/sip/stack"
)

// Outside is who stands beside the exchange and is believed by its address: providers, and PBXs that ask who is free.
type Outside struct {
	Trunks []Provider // the first that can is asked for calls out
	Askers []Asker
}

// Provider is a trunk as its terminal says. Without Server it registers at us, or is only heard from Accept.
type Provider struct {
	User      string            // its terminal
	Server    string            // host or host:port
	Transport string            // udp, tcp, tls; "" by DNS
	CA        string            // PEM of who signs its certificate; "" the system's authorities
	Account   string            // user of our address there, and of the digest
	Domain    string            // host of it
	Realm     string            // whose challenges are answered; "" learnt when registering, else none
	Secret    stack.Password    // nil: none
	Register  bool              // we register there
	Expires   time.Duration     // asked for
	Accept    []netip.Prefix    // calls from there need no digest
	Numbers   map[string]string // number that is called → extension or queue; none: what is called is one itself
	Caller    string            // number we show; "" Account
}

// Asker is a PBX that sends callers of a queue here and is told which phone is theirs (302).
type Asker struct {
	ID     string
	Accept []netip.Prefix
	Domain string // host of the Contact; "" where the question came from
}

// beside is an Outside as it was seen last, with what is found in it for each message.
type beside struct {
	Outside
	user map[string]Provider // by terminal
}

// Look asks who stands beside the exchange. When it returns, that is who is believed: the site calls it when it has changed.
func (x *Exchange) Look() {
	x.looking.Lock()
	defer x.looking.Unlock()
	if !x.lookLocked() {
		return
	}
	select {
	case x.others <- struct{}{}:
	default: // not followed yet: both changes are then
	}
}

func (x *Exchange) lookLocked() (changed bool) {
	var o Outside
	if x.cfg.Outside != nil {
		o = x.cfg.Outside()
	}
	if before := x.beside.Load(); before != nil && reflect.DeepEqual(before.Outside, o) {
		return false
	}
	b := &beside{Outside: o, user: map[string]Provider{}}
	for _, p := range o.Trunks {
		b.user[p.User] = p
	}
	x.beside.Store(b)
	return true
}

// watchOutside keeps the registrations at providers in step with what the site says, until the context ends.
func (x *Exchange) watchOutside(ctx context.Context) {
	defer x.trunks.end()
	for {
		x.trunks.follow(ctx, x.beside.Load().Trunks)
		select {
		case <-ctx.Done():
			return
		case <-x.others:
		}
	}
}

// trusted says that a provider or PBX stands at that address: its messages are not counted against floods.
func (x *Exchange) trusted(from netip.Addr) bool {
	b := x.beside.Load()
	for i := range b.Trunks {
		if within(b.Trunks[i].Accept, from) {
			return true
		}
	}
	return x.asker(from) != nil || len(x.trunks.at(from)) > 0
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// providerOf is the trunk that a call without digest comes from: a caller within its networks, or at the server where it is
// registered. Of several that share an address it is the one whose number or name is called.
func (x *Exchange) providerOf(from netip.Addr, called []string) (Provider, bool) {
	var found []Provider
	registered := x.trunks.at(from)
	for _, p := range x.beside.Load().Trunks {
		if within(p.Accept, from) || slices.Contains(registered, p.User) {
			found = append(found, p)
		}
	}
	for _, number := range called {
		for _, p := range found {
			if _, ok := p.Numbers[PlainNumber(number)]; ok || number == p.Account {
				return p, true
			}
		}
	}
	if len(found) == 0 {
		return Provider{}, false
	}
	return found[0], true
}

// leads is where the first of these numbers leads that is one of the trunk's. A trunk without numbers is asked for extensions.
func (p Provider) leads(called []string) (number, to string) {
	for _, number := range called {
		if to, ok := p.Numbers[PlainNumber(number)]; ok {
			return number, to
		}
	}
	if len(p.Numbers) == 0 && len(called) > 0 {
		return called[0], called[0]
	}
	if to, ok := p.Numbers["*"]; ok && len(called) > 0 {
		return called[0], to
	}
	return "", ""
}

// PlainNumber is a number without what people put between digits.
func PlainNumber(number string) string {
	return strings.NewReplacer("-", "", " ", "", "(", "", ")", "", ".", "").Replace(number)
}
