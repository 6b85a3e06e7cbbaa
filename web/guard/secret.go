package guard

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"

	"zaseki/web/wire"
)

// random is n random bytes in URL-safe base64.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// same compares in constant time, whatever the lengths.
func same(given string, secret wire.Secret) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(secret.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

const (
	codeLife = 2 * time.Minute
	maxCodes = 16
)

// codes are good once: the tray puts one into the address it opens, so that a browser's history keeps nothing of worth.
type codes struct {
	mu   sync.Mutex
	open []code // oldest first
}

type code struct {
	hash  [sha256.Size]byte
	until time.Time
}

func newCodes() *codes { return &codes{} }

func (c *codes) make() wire.Secret {
	s := random(32)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) == maxCodes {
		c.open = c.open[1:]
	}
	c.open = append(c.open, code{sha256.Sum256([]byte(s)), time.Now().Add(codeLife)})
	return wire.Secret(s)
}

func (c *codes) take(s wire.Secret) bool {
	hash, now := sha256.Sum256([]byte(s.Reveal())), time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []code
	found := false
	for _, o := range c.open {
		switch {
		case subtle.ConstantTimeCompare(o.hash[:], hash[:]) == 1:
			found = found || now.Before(o.until)
		case now.Before(o.until):
			left = append(left, o)
		}
	}
	c.open = left
	return found
}
