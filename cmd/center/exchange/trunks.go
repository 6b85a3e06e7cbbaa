package exchange

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"zaseki/sip/stack"
)

// trunks are the registrations at providers.
type trunks struct {
	x     *Exchange
	names *stack.Resolver

	mu sync.Mutex
	of map[string]*trunk
}

func newTrunks(x *Exchange) *trunks {
	return &trunks{x: x, names: stack.NewResolver(), of: map[string]*trunk{}}
}

// follow starts and ends registrations so that there is one for each provider that wants it.
func (t *trunks) follow(ctx context.Context, want []Provider) {
	wanted := map[string]Provider{}
	for _, p := range want {
		if p.Server != "" {
			wanted[p.User] = p
		}
	}
	t.mu.Lock()
	var old []*trunk
	for user, k := range t.of {
		if p, ok := wanted[user]; ok && reflect.DeepEqual(p, k.p) {
			delete(wanted, user)
			continue
		}
		old = append(old, k)
		delete(t.of, user)
	}
	t.mu.Unlock()
	leave(old)
	for user, p := range wanted {
		k := newTrunk(t.x, p)
		ctx, stop := context.WithCancel(ctx)
		k.stop = stop
		t.mu.Lock()
		t.of[user] = k
		t.mu.Unlock()
		go k.run(ctx)
	}
}

func (t *trunks) end() {
	t.mu.Lock()
	all := slices.Collect(maps.Values(t.of))
	t.mu.Unlock() // their answers are read by who asks for the lock
	leave(all)
}

func leave(all []*trunk) {
	for _, k := range all {
		k.stop()
	}
	for _, k := range all {
		<-k.kept
	}
}

// named is the trunk of that terminal, nil when it has no server.
func (t *trunks) named(user string) *trunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of[user]
}

// at are the trunks that are registered at that address.
func (t *trunks) at(addr netip.Addr) (users []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for user, k := range t.of {
		if w, ok := k.way(); ok && k.p.Register && w.target.Addr.Addr() == addr {
			users = append(users, user)
		}
	}
	return users
}

// TrunkState is a provider as an administrator sees it.
type TrunkState struct {
	User    string    `json:"user"`
	Server  string    `json:"server"`
	State   string    `json:"state"` // registered, failed, unregistered (it does not register), elsewhere (another node does)
	Reason  string    `json:"reason,omitempty"`
	Peer    string    `json:"peer,omitempty"`
	Since   time.Time `json:"since,omitzero"`
	Expires time.Time `json:"expires,omitzero"`
}

// Trunks are the providers that we go to.
func (x *Exchange) Trunks() []TrunkState {
	x.trunks.mu.Lock()
	defer x.trunks.mu.Unlock()
	all := []TrunkState{}
	for _, p := range x.beside.Load().Trunks {
		if k := x.trunks.of[p.User]; k != nil {
			all = append(all, k.state())
		}
	}
	return all
}

func (k *trunk) state() TrunkState {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := TrunkState{User: k.p.User, Server: k.p.Server, State: "failed", Reason: k.reason, Since: k.since, Expires: k.until}
	switch {
	case !k.p.Register:
		s.State = "unregistered"
	case !k.mine.Load():
		s.State = "elsewhere"
	case k.at.link != nil:
		s.State, s.Peer = "registered", fmt.Sprint(k.at.target.Addr)
	}
	return s
}
