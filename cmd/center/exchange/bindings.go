package exchange

import (
	"errors"
	"net/netip"
	"sort"
	"sync"
	"time"
)

// Limits of a registration, in seconds where a time (RFC 3261 §10.3).
const (
	minExpires     = 60   // less is answered 423 with Min-Expires
	maxExpires     = 3600 // more is shortened
	defaultExpires = 120  // a phone that asks for nothing
	maxContacts    = 10   // per user; a softphone has one
)

// binding is one contact under which a user is reached (RFC 3261 §10).
type binding struct {
	contact string         // its URI as registered, compared as text
	q       int            // preference, thousandths
	expires time.Time      // gone after that
	callID  string         // of the REGISTER; a lower CSeq of the same one is old
	cseq    uint32         //
	epoch   uint64         // of the terminal when it registered
	network string         // "udp", "tcp" or "tls": how it came and how we go back
	source  netip.AddrPort // where it came from: requests go there, whatever the contact says (RFC 3581)
	since   time.Time      // first registered
}

// secure: the way to it is encrypted.
func (b binding) secure() bool { return b.network == "tls" || b.network == "wss" }

// change is what one REGISTER asks for a contact; expires 0 removes it.
type change struct {
	contact string
	q       int
	expires int // seconds
}

var (
	errOld      = errors.New("a newer REGISTER was seen")      // RFC 3261 §10.3 step 7: 500
	errTooMany  = errors.New("too many contacts for one user") // 403
	errReplaced = errors.New("a newer sign-in holds the terminal")
)

// bindings is the location table: who is reached where.
type bindings struct {
	mu      sync.Mutex
	of      map[string][]binding
	sources map[netip.AddrPort]time.Time // of the last registrations, until they expire
	now     func() time.Time
}

func newBindings(now func() time.Time) *bindings {
	return &bindings{of: map[string][]binding{}, sources: map[netip.AddrPort]time.Time{}, now: now}
}

// update changes the contacts of user as one REGISTER asks: all of it or nothing. one keeps only the newest contact, as a
// softphone has: a phone that lost its flow comes from a new port, and its old contact would ring into the void.
func (b *bindings) update(user string, base binding, one bool, changes []change) ([]binding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	left := fresh(b.of[user], now)
	for _, c := range changes {
		i := find(left, c.contact)
		if i >= 0 && left[i].callID == base.callID && base.cseq <= left[i].cseq {
			return nil, errOld
		}
		n := base
		n.contact, n.q, n.since, n.expires = c.contact, c.q, now, now.Add(time.Duration(c.expires)*time.Second)
		switch {
		case c.expires == 0 && i >= 0:
			left = append(left[:i], left[i+1:]...)
		case c.expires == 0:
		case i >= 0 && !one:
			n.since, left[i] = left[i].since, n
		case one:
			if newerThan(left, base.epoch) {
				return nil, errReplaced
			}
			if i >= 0 {
				n.since = left[i].since
			}
			left = []binding{n}
		default:
			left = append(left, n)
		}
	}
	if len(left) > maxContacts {
		return nil, errTooMany
	}
	b.putLocked(user, left)
	b.hearLocked(left, now)
	return append([]binding(nil), left...), nil
}

// clear removes all contacts of user (RFC 3261 §10.2.2: "Contact: *").
func (b *bindings) clear(user, callID string, cseq uint32) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, have := range fresh(b.of[user], b.now()) {
		if have.callID == callID && cseq <= have.cseq {
			return errOld
		}
	}
	delete(b.of, user)
	return nil
}

// lookup is where the user is reached: preferred first, newest first among equals.
func (b *bindings) lookup(user string) []binding {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := fresh(b.of[user], b.now())
	b.putLocked(user, left)
	found := append([]binding(nil), left...)
	sort.SliceStable(found, func(i, j int) bool {
		if found[i].q != found[j].q {
			return found[i].q > found[j].q
		}
		return found[i].since.After(found[j].since)
	})
	return found
}

// from says whether user is registered from that address; a port behind a NAT or another socket of the host may differ.
func (b *bindings) from(user string, source netip.Addr) bool {
	for _, have := range b.lookup(user) {
		if have.source.Addr() == source {
			return true
		}
	}
	return false
}

// users are all that are reachable now.
func (b *bindings) users() map[string][]binding {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, all := b.now(), make(map[string][]binding, len(b.of))
	for user, have := range b.of {
		if left := fresh(have, now); len(left) > 0 {
			all[user] = append([]binding(nil), left...)
		}
	}
	return all
}

// knows says whether a registration came from that very socket.
func (b *bindings) knows(source netip.AddrPort) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	until, ok := b.sources[source]
	return ok && until.After(b.now())
}

func (b *bindings) hearLocked(left []binding, now time.Time) {
	for source, until := range b.sources {
		if !until.After(now) {
			delete(b.sources, source)
		}
	}
	for _, h := range left {
		b.sources[h.source] = h.expires
	}
}

func (b *bindings) putLocked(user string, left []binding) {
	if len(left) == 0 {
		delete(b.of, user)
		return
	}
	b.of[user] = left
}

func fresh(have []binding, now time.Time) []binding {
	var left []binding
	for _, h := range have {
		if h.expires.After(now) {
			left = append(left, h)
		}
	}
	return left
}

func find(have []binding, contact string) int {
	for i, h := range have {
		if h.contact == contact {
			return i
		}
	}
	return -1
}

func newerThan(have []binding, epoch uint64) bool {
	for _, h := range have {
		if h.epoch > epoch {
			return true
		}
	}
	return false
}
