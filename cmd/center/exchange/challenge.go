package exchange

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/icholy/digest"
)

// nonceLife is how long a nonce may be used; afterwards the phone is told stale and takes a new one.
const nonceLife = 5 * time.Minute

// verdict is what became of a request's credentials.
type verdict int

const (
	nobody  verdict = iota // none, or none of ours: challenge
	stale                  // right, but with an old nonce: challenge with stale=true
	wrong                  // refused: challenge, and count a failure
	allowed                // proven
)

// checker makes digest challenges and judges their answers (RFC 3261 §22, RFC 8760). A nonce is the time and its MAC, so that
// nothing is kept for those who only ask.
type checker struct {
	realm func() string // of the site, which an import may change
	offer []string      // algorithms, the better first
	key   [32]byte
	dummy string // HA1 of nobody: unknown users cost the same work as known ones
	now   func() time.Time
	used  counts
}

func newChecker(realm func() string, offer []string, now func() time.Time) *checker {
	c := &checker{realm: realm, offer: offer, now: now}
	rand.Read(c.key[:])
	c.dummy = fmt.Sprintf("%x", sha256.Sum256(c.key[:]))
	return c
}

// challenges are the header values to send, the better algorithm first (RFC 8760 §2.4), or MD5 alone for a simple phone: some that
// know no other give up when another one is offered beside it.
func (c *checker) challenges(source netip.Addr, old, simple bool) []string {
	nonce := c.nonce(c.now(), source)
	out := make([]string, 0, len(c.offer))
	for _, algorithm := range c.offer {
		if simple && algorithm != "MD5" && slices.Contains(c.offer, "MD5") {
			continue
		}
		ch := digest.Challenge{Realm: c.realm(), Nonce: nonce, Algorithm: algorithm, QOP: []string{"auth"}, Stale: old}
		out = append(out, ch.String())
	}
	return out
}

// judge looks at the credentials of an (Proxy-)Authorization. ha1 is asked for the user's hash; a user it does not know is worked
// on with a dummy and refused. Who is the digest's user name, proven only with allowed.
func (c *checker) judge(cred *digest.Credentials, method string, source netip.Addr, ha1 func(user, algorithm string) (string, bool)) (who string, v verdict) {
	if cred.Realm != c.realm() {
		return "", nobody
	}
	made, ours := c.nonceTime(cred.Nonce, source)
	if !ours {
		return cred.Username, nobody
	}
	algorithm := strings.ToUpper(cred.Algorithm)
	if algorithm == "" {
		algorithm = "MD5"
	}
	hash, known := ha1(cred.Username, algorithm)
	known = known && slices.Contains(c.offer, algorithm)
	if !known {
		hash = c.dummy
	}
	want, err := digest.Digest(
		&digest.Challenge{Realm: cred.Realm, Nonce: cred.Nonce, Algorithm: algorithm, QOP: []string{"auth"}},
		digest.Options{Method: method, URI: cred.URI, Username: cred.Username, A1: hash, Cnonce: cred.Cnonce, Count: cred.Nc})
	switch {
	case err != nil || cred.QOP != "auth" || cred.Cnonce == "" || cred.Nc < 1:
		return cred.Username, wrong
	case subtle.ConstantTimeCompare([]byte(want.Response), []byte(cred.Response)) != 1 || !known:
		return cred.Username, wrong
	case c.now().Sub(made) > nonceLife, !c.used.first(cred.Nonce+" "+algorithm+" "+cred.Username, cred.Nc, c.now()):
		return cred.Username, stale
	}
	return cred.Username, allowed
}

// counts remembers which numbers of a nonce were used (RFC 7616 §3.4 nc): what is overheard and sent again proves nothing. Only proven
// users put something in, and it is forgotten when its nonce has expired.
type counts struct {
	mu        sync.Mutex
	young     map[string]*window
	old       map[string]*window
	exchanged time.Time
}

// window is the highest number that was used and, as bits, the 63 before it: requests may overtake one another on their way.
type window struct {
	top  int
	bits uint64
}

// first says that this number of the nonce is used for the first time, and notes it.
func (u *counts) first(nonce string, nc int, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if now.Sub(u.exchanged) > nonceLife { // what is in old has expired
		u.young, u.old, u.exchanged = map[string]*window{}, u.young, now
	}
	w := u.young[nonce]
	if w == nil {
		if w = u.old[nonce]; w == nil {
			w = &window{}
		}
		u.young[nonce] = w
	}
	return w.use(nc)
}

func (w *window) use(nc int) bool {
	if nc > w.top {
		w.bits = w.bits<<min(nc-w.top, 64) | 1
		w.top = nc
		return true
	}
	bit := uint64(1) << min(w.top-nc, 64)
	if bit == 0 || w.bits&bit != 0 {
		return false
	}
	w.bits |= bit
	return true
}

// nonce binds a time to the address it was given to: who overhears it cannot use it from elsewhere.
func (c *checker) nonce(at time.Time, source netip.Addr) string {
	var raw [24]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(at.UnixMicro()))
	copy(raw[8:], c.mac(raw[:8], source))
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

func (c *checker) nonceTime(nonce string, source netip.Addr) (time.Time, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(raw) != 24 || !hmac.Equal(raw[8:], c.mac(raw[:8], source)) {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw[:8]))), true
}

func (c *checker) mac(stamp []byte, source netip.Addr) []byte {
	m := hmac.New(sha256.New, c.key[:])
	m.Write(stamp)
	m.Write(source.AsSlice())
	return m.Sum(nil)[:16]
}
