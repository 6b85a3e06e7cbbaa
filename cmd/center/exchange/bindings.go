package exchange

import (
	"errors"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// Limits of a registration, in seconds where a time (RFC 3261 §10.3).
const (
	minExpires     = 60   // less is answered 423 with Min-Expires
	maxExpires     = 3600 // more is shortened
	defaultExpires = 120  // a phone that asks for nothing
	maxContacts    = 10   // per user; a softphone has one, by several flows perhaps
)

// sweepEvery is how often the table of sources is cleared of those that expired.
const sweepEvery = 10 * time.Second

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
	began   time.Time      // the phone has come with that Call-ID since, see gruu.go

	instance string // of the phone, a URN (RFC 5626 §4.1); "" it names none
	reg      int    // which of its flows that is; 0: it keeps none
}

// secure: the way to it is encrypted.
func (b binding) secure() bool { return b.network == "tls" || b.network == "wss" }

// change is what one REGISTER asks for a contact; expires 0 removes it.
type change struct {
	contact string
	q       int
	expires int // seconds

	instance string
	reg      int
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
	swept   time.Time                    // when what expired was last taken out of it
	version uint64                       // of what is registered
	news    chan struct{}                // somebody is reached in another way
	now     func() time.Time
}

func newBindings(now func() time.Time) *bindings {
	return &bindings{of: map[string][]binding{}, sources: map[netip.AddrPort]time.Time{}, now: now, news: make(chan struct{}, 1)}
}

// update changes the contacts of user as one REGISTER asks: all of it or nothing. one keeps only the newest contact, as a
// softphone has: a phone that lost its flow comes from a new port, and its old contact would ring into the void. Further flows of the
// same phone stay (RFC 5626 §6).
func (b *bindings) update(user string, base binding, one bool, changes []change) ([]binding, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	left := fresh(b.of[user], now)
	for _, c := range changes {
		i := find(left, c)
		if i >= 0 && left[i].callID == base.callID && base.cseq <= left[i].cseq {
			return nil, errOld
		}
		n := base
		n.contact, n.q, n.since, n.expires = c.contact, c.q, now, now.Add(time.Duration(c.expires)*time.Second)
		n.instance, n.reg = c.instance, c.reg
		n.began = n.goesOn(left)
		if i >= 0 && left[i].contact == n.contact && left[i].source == n.source {
			n.since = left[i].since
		}
		switch {
		case c.expires == 0 && i >= 0:
			left = append(left[:i], left[i+1:]...)
		case c.expires == 0:
		case one:
			if newerThan(left, base.epoch) {
				return nil, errReplaced
			}
			left = append(besides(left, n), n)
		case i >= 0:
			left[i] = n
		default:
			left = append(left, n)
		}
	}
	if len(left) > maxContacts {
		return nil, errTooMany
	}
	b.changedLocked(!slices.EqualFunc(b.of[user], left, sameWay))
	b.putLocked(user, left)
	b.hearLocked(left, now)
	return append([]binding(nil), left...), nil
}

// besides are the other flows of the same phone and sign-in.
func besides(have []binding, n binding) (left []binding) {
	for _, h := range have {
		if n.reg > 0 && h.reg > 0 && h.reg != n.reg && strings.EqualFold(h.instance, n.instance) && h.epoch == n.epoch {
			left = append(left, h)
		}
	}
	return left
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
	b.changedLocked(true)
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

// near says whether anybody is registered from that address.
func (b *bindings) near(source netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	for at, until := range b.sources {
		if at.Addr() == source && until.After(now) {
			return true
		}
	}
	return false
}

func (b *bindings) hearLocked(left []binding, now time.Time) {
	if now.Sub(b.swept) > sweepEvery { // not each time: ten thousand phones have ten thousand of them
		b.swept = now
		for source, until := range b.sources {
			if !until.After(now) {
				delete(b.sources, source)
			}
		}
	}
	for _, h := range left {
		b.sources[h.source] = h.expires
	}
}

// changedLocked is for every change; news: somebody is reached elsewhere, or anew, or no more.
func (b *bindings) changedLocked(news bool) {
	b.version++
	if !news {
		return
	}
	select {
	case b.news <- struct{}{}:
	default:
	}
}

func sameWay(a, b binding) bool {
	return a.contact == b.contact && a.source == b.source && a.network == b.network && a.epoch == b.epoch
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

// find is the binding that a change is about: the same flow of the same phone (RFC 5626 §6; names of phones are URNs, which may be
// written either way), else the same contact.
func find(have []binding, c change) int {
	for i, h := range have {
		if c.reg > 0 && h.reg == c.reg && strings.EqualFold(h.instance, c.instance) || c.reg == 0 && h.contact == c.contact {
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
