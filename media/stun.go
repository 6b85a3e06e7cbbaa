package media

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/pion/stun/v3"
)

// newNames makes a name and a password for ICE: 8 and 24 characters, where RFC 8839 §5.4 wants 4 and 22 at least.
func newNames() (ufrag string, pass secret) {
	var raw [20]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text := strings.ToLower(base32.StdEncoding.EncodeToString(raw[:]))
	return text[:8], newSecret(text[8:])
}

func newID() [12]byte { return stun.NewTransactionID() }

// attribute is one of ICE's, which have no types of their own in the library.
func attribute(t stun.AttrType, value []byte) stun.Setter {
	return stun.RawAttribute{Type: t, Length: uint16(len(value)), Value: value}
}

// request writes a check (RFC 8445 §7.2.2).
func (c *checker) request(p *pair, a ask) []byte {
	role := stun.AttrICEControlled
	if a.leads {
		role = stun.AttrICEControlling
	}
	set := []stun.Setter{stun.NewTransactionIDSetter(a.id), stun.BindingRequest, stun.NewUsername(c.theirs.ufrag + ":" + c.ufrag),
		attribute(stun.AttrPriority, binary.BigEndian.AppendUint32(nil, ownPriority(110, p.part))),
		attribute(role, binary.BigEndian.AppendUint64(nil, c.tie))}
	if a.names {
		set = append(set, attribute(stun.AttrUseCandidate, nil))
	}
	m, err := stun.Build(append(set, stun.NewShortTermIntegrity(c.theirs.pass.reveal()), stun.Fingerprint)...)
	if err != nil {
		return nil // too long a name: kept out where it is read
	}
	return m.Raw
}

// take reads a datagram that came to that component. Not ours: false, and nothing is said to whoever sent it.
func (c *checker) take(part int, b []byte, from netip.AddrPort, now time.Time) ([]shot, bool) {
	if !stun.IsMessage(b) {
		return nil, false
	}
	m := &stun.Message{Raw: append([]byte(nil), b...)}
	if m.Decode() != nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []shot
	switch m.Type {
	case stun.BindingRequest:
		if !c.provedLocked(m) {
			return nil, false
		}
		out = c.answerLocked(part, m, from, now)
	case stun.BindingSuccess, stun.BindingError:
		if !c.answeredLocked(part, m, from, now) {
			return nil, false
		}
	default:
		return nil, false
	}
	return append(out, c.stepLocked(now)...), true
}

// provedLocked says that a check names us and knows our password; what stands behind the proof counts for nothing
// (RFC 8489 §14.5). The other half of the name may be of a fork whose answer has not come.
func (c *checker) provedLocked(m *stun.Message) bool {
	var name stun.Username
	if name.GetFrom(m) != nil || !strings.HasPrefix(name.String(), c.ufrag+":") {
		return false
	}
	return stun.NewShortTermIntegrity(c.pass.reveal()).Check(m) == nil && covered(m)
}

// covered forgets the attributes that the integrity does not cover. False: there is none.
func covered(m *stun.Message) bool {
	for i, a := range m.Attributes {
		if a.Type == stun.AttrMessageIntegrity {
			m.Attributes = m.Attributes[:i]
			return true
		}
	}
	return false
}

// answerLocked answers a check, and makes one of its own the other way (RFC 8445 §7.3.1).
func (c *checker) answerLocked(part int, m *stun.Message, from netip.AddrPort, now time.Time) []shot {
	proof := stun.NewShortTermIntegrity(c.pass.reveal())
	if c.conflictLocked(m) {
		r, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingError, stun.CodeRoleConflict, proof, stun.Fingerprint)
		if err != nil {
			return nil
		}
		return []shot{{part, r.Raw, from}}
	}
	r, err := stun.Build(stun.NewTransactionIDSetter(m.TransactionID), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().AsSlice(), Port: int(from.Port())}, proof, stun.Fingerprint)
	if err != nil {
		return nil
	}
	c.triggeredLocked(part, m, from, now)
	return []shot{{part, r.Raw, from}}
}

// conflictLocked settles who leads when both sides think they do, or neither (RFC 8445 §7.3.1.1). True: they must give way.
func (c *checker) conflictLocked(m *stun.Message) bool {
	role := stun.AttrICEControlled
	if c.leads {
		role = stun.AttrICEControlling
	}
	value, err := m.Get(role)
	if err != nil || len(value) != 8 {
		return false
	}
	stronger := c.tie >= binary.BigEndian.Uint64(value)
	if stronger == c.leads && !c.theirs.lite {
		return true
	}
	c.turnLocked()
	return false
}

// turnLocked takes the other role.
func (c *checker) turnLocked() {
	c.leads = !c.leads
	c.sortLocked()
}

// triggeredLocked learns from a check where the far side is, and what it has chosen.
func (c *checker) triggeredLocked(part int, m *stun.Message, from netip.AddrPort, now time.Time) {
	var priority uint32
	if value, err := m.Get(stun.AttrPriority); err == nil && len(value) == 4 {
		priority = binary.BigEndian.Uint32(value)
	}
	if !(candidate{part, true, priority, from}).worth(c.local) {
		return
	}
	p := c.pairLocked(part, from, priority)
	if p == nil {
		return
	}
	p.asked, p.alive = true, now
	p.hasty = p.state != works
	if !c.leads && m.Contains(stun.AttrUseCandidate) {
		p.wanted = true
		c.obeyLocked(p, now)
	}
}

// obeyLocked takes the pair that the leading side has chosen, once it works. Some choose every pair that they check, so a worse
// one than before counts only when that one is silent.
func (c *checker) obeyLocked(p *pair, now time.Time) {
	old := c.chosen[p.part]
	if p.state != works || !p.wanted || old == p {
		return
	}
	if old == nil || c.weight(p) > c.weight(old) || now.Sub(old.alive) > quietTime {
		c.chosen[p.part], c.changed = p, true
	}
}

// answeredLocked takes the answer to a check of ours (RFC 8445 §7.2.5). It must come from where the check went.
func (c *checker) answeredLocked(part int, m *stun.Message, from netip.AddrPort, now time.Time) bool {
	for _, p := range c.pairs {
		if p.part != part || p.to != from {
			continue
		}
		for _, a := range p.asks {
			if a.id != m.TransactionID {
				continue
			}
			if stun.NewShortTermIntegrity(c.theirs.pass.reveal()).Check(m) != nil || !covered(m) {
				return false
			}
			if m.Type == stun.BindingError {
				c.refusedLocked(p, a, m)
			} else {
				c.workedLocked(p, a, now)
			}
			return true
		}
	}
	return false
}

func (c *checker) workedLocked(p *pair, a ask, now time.Time) {
	if c.began.IsZero() {
		c.began = now
	}
	c.changed = c.changed || p.state != works
	p.state, p.hasty, p.asks, c.trials = works, false, nil, 0
	p.seen, p.alive, p.sought = now, now, now
	if c.leads && a.names {
		c.chosen[p.part], c.changed = p, true
	}
	if !c.leads {
		c.obeyLocked(p, now)
	}
}

// refusedLocked takes an error: that we must take the other role (RFC 8445 §7.2.5.1), or that there is no way.
func (c *checker) refusedLocked(p *pair, a ask, m *stun.Message) {
	var code stun.ErrorCodeAttribute
	if code.GetFrom(m) != nil || code.Code != stun.CodeRoleConflict {
		c.failLocked(p)
		return
	}
	if c.leads == a.leads {
		c.turnLocked()
		c.tie = mathrand.Uint64()
	}
	p.state, p.hasty, p.asks = waiting, true, nil
}
