package media

import (
	"errors"
	"fmt"
)

// The policies of Security.
const (
	PolicyOff      = "off"      // plain; "" is the same
	PolicyOptional = "optional" // as the far side can: RTP/AVP with keys (OSRTP, RFC 8643)
	PolicyRequired = "required" // RTP/SAVP; never plain
	PolicyDTLS     = "dtls"     // DTLS-SRTP (RFC 5763); never plain
)

// Security says how a line's sound is protected.
type Security struct {
	Policy string // a Policy… constant

	// Keys allows keys in the session description (SDES, RFC 4568 §7): whoever reads the signalling reads them, so it
	// belongs to TLS, or to a setting that says so by name.
	Keys bool
}

// Errors of security. Both are for a 488, and both are ErrNotSecure.
var (
	ErrNotSecure = errors.New("the call would not be encrypted, and must be")
	ErrNoKeys    = fmt.Errorf("keys may not stand in unprotected signalling: %w", ErrNotSecure)
)

// plain says that unencrypted sound is allowed.
func (s Security) plain() bool {
	return s.Policy != PolicyRequired && s.Policy != PolicyDTLS
}

func (s Security) off() bool { return s.Policy == "" || s.Policy == PolicyOff }

// protection is how a section is encrypted, the better the higher.
type protection uint8

const (
	unprotected protection = iota
	byKeys                 // SDES
	byDTLS
)

// deal is what both sides say about encryption.
type deal struct {
	by   protection
	line cryptoLine // theirs
}

// prepareLocked takes the policy of a line that will offer, or answer.
func (l *line) prepareLocked(sec Security, offering bool) error {
	t := &l.talk
	t.sec = sec
	switch sec.Policy {
	case "", PolicyOff:
	case PolicyOptional:
		if sec.Keys {
			t.by = byKeys
		}
	case PolicyRequired:
		if !sec.Keys && offering {
			return ErrNoKeys
		}
		t.by, t.proto = byKeys, protoKeys
	case PolicyDTLS:
		self, err := l.e.identityLocked()
		if err != nil {
			return err
		}
		t.by, t.proto, t.mux, t.print = byDTLS, protoDTLS, true, self.print
		t.source = l.named()
		if offering { // a bundle of one: some of the web refuse a section without (RFC 8829 §5.2.1)
			t.mid = "0"
			l.offerICELocked()
		}
	default:
		return fmt.Errorf("policy %q: %w", sec.Policy, ErrNotSecure)
	}
	if offering && t.by == byKeys {
		for i := range suites {
			t.keys = append(t.keys, newCrypto(i+1, &suites[i]))
		}
		t.saying = t.keys
	}
	return nil
}

// meet decides how an offered section can be encrypted. DTLS goes before keys, and keys before nothing (RFC 8643 §3).
func (t *talk) meet(s section) (deal, error) {
	switch {
	case t.sec.off():
		if !s.plain() {
			return deal{}, ErrNoCodec
		}
		return deal{}, nil
	case len(s.prints) > 0:
		return deal{by: byDTLS}, nil
	case len(s.crypto) > 0 && t.sec.Keys:
		return deal{byKeys, t.prefer(s.crypto)}, nil
	case s.plain() && t.sec.plain():
		return deal{}, nil
	case len(s.crypto) > 0:
		return deal{}, ErrNoKeys
	}
	return deal{}, ErrNotSecure
}

// prefer takes the line with the suite in use, else their first.
func (t *talk) prefer(theirs []cryptoLine) cryptoLine {
	for _, line := range theirs {
		if t.by == byKeys && len(t.saying) == 1 && t.saying[0].suite == line.suite {
			return line
		}
	}
	return theirs[0]
}

// met decides what an answer to our offer agrees to.
func (t *talk) met(s section) (deal, error) {
	switch {
	case t.by == byDTLS && len(s.prints) > 0:
		return deal{by: byDTLS}, nil
	case t.by == byKeys:
		for _, theirs := range s.crypto {
			for _, ours := range t.saying {
				if ours.tag == theirs.tag && ours.suite == theirs.suite {
					return deal{byKeys, theirs}, nil
				}
			}
		}
	}
	switch {
	case !t.sec.plain():
		return deal{}, ErrNotSecure
	case !s.plain():
		return deal{}, ErrNoCodec
	}
	return deal{}, nil
}

// own is our line for that suite: one key for each, for as long as the call lasts.
func (t *talk) own(theirs cryptoLine) cryptoLine {
	for _, ours := range t.keys {
		if ours.suite == theirs.suite {
			ours.tag = theirs.tag
			return ours
		}
	}
	ours := newCrypto(theirs.tag, theirs.suite)
	t.keys = append(t.keys, ours)
	return ours
}

// protectLocked makes or keeps what locks and opens packets. Nil: they are plain.
func (l *line) protectLocked(d deal, s section, offered bool) (*shield, error) {
	t := &l.talk
	if a := l.assoc; a != nil && d.by != byDTLS {
		l.assoc = nil
		l.done.Go(a.close)
	}
	switch d.by {
	case byKeys:
		ours := t.own(d.line)
		t.by, t.saying = byKeys, []cryptoLine{ours}
		old := l.shield
		if old != nil && old.ours.same(ours.key) {
			return old, old.rekey(d.line.key)
		}
		fresh := &shield{ours: ours.key}
		return fresh, fresh.lock(ours.suite.name, ours.suite, ours.key, d.line.key)
	case byDTLS:
		t.by, t.saying = byDTLS, nil
		return l.associateLocked(s, offered)
	}
	t.by, t.saying = unprotected, nil
	return nil, nil
}

// secured tells how the line is encrypted.
func (l *line) secured() string {
	r := l.route.Load()
	if r == nil || r.shield == nil || !r.shield.ready.Load() {
		return ""
	}
	return r.shield.name
}
