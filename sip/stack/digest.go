package stack

import (
	"slices"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// Password is a secret that prints itself only when asked.
type Password interface{ Reveal() string }

// Auth answers digest challenges (RFC 3261 §22, RFC 7616, RFC 8760) for one realm and only for it: a stranger who
// challenges us gets nothing to crack.
type Auth struct {
	User     string
	Password Password
	Realm    string // empty: the first realm that challenges a REGISTER is learnt and kept

	mu    sync.Mutex
	nonce string
	count int               // requests answered with nonce
	last  *digest.Challenge // of our registrar, that we answered
	next  *digest.Challenge // the same with the nonce that it gave for the next request
}

// strength orders the algorithms we answer, best first.
var strength = [...]string{"SHA-512-256", "SHA-256", "MD5"}

// Authorize puts the answer to the challenges of a 401 or 407 into req, the next try: the strongest algorithm of our realm.
// It is false when there is nothing for us, or when the far side refused our answer: the same nonce again without stale.
func (a *Auth) Authorize(req *sip.Request, res *sip.Response) bool {
	ask, answer := "WWW-Authenticate", "Authorization"
	if res.StatusCode == 407 {
		ask, answer = "Proxy-Authenticate", "Proxy-Authorization"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	challenge := a.choose(Headers(res, ask), req.Method == sip.REGISTER)
	if challenge == nil {
		return false
	}
	if before, err := digest.ParseCredentials(Header(req, answer)); err == nil && before.Nonce == challenge.Nonce && !challenge.Stale {
		return false
	}
	if req.Method == sip.REGISTER && res.StatusCode == 401 {
		a.last, a.next = challenge, nil
	}
	return a.answerLocked(req, answer, challenge)
}

// Learn notes the nonce that a registrar's 2xx gives for the next request (Authentication-Info, RFC 7616 §3.5).
func (a *Auth) Learn(res *sip.Response) {
	info := Header(res, "Authentication-Info")
	a.mu.Lock()
	defer a.mu.Unlock()
	if info == "" || !res.IsSuccess() || a.last == nil {
		return
	}
	for _, value := range Values(info) {
		name, nonce, _ := strings.Cut(value, "=")
		if nonce = unquote(strings.TrimSpace(nonce)); strings.EqualFold(strings.TrimSpace(name), "nextnonce") && nonce != "" {
			next := *a.last
			next.Nonce = nonce
			a.next = &next
		}
	}
}

// Prepare answers before it is asked, when Learn has a nonce for that; it saves the round of a challenge.
func (a *Auth) Prepare(req *sip.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next != nil && a.answerLocked(req, "Authorization", a.next) {
		a.next = nil
	}
}

func (a *Auth) answerLocked(req *sip.Request, answer string, challenge *digest.Challenge) bool {
	if a.nonce != challenge.Nonce {
		a.nonce, a.count = challenge.Nonce, 0
	}
	a.count++
	credentials, err := digest.Digest(challenge, digest.Options{
		Method: string(req.Method), URI: req.Recipient.String(), Count: a.count, Username: a.User, Password: a.Password.Reveal(),
	})
	if err != nil || !Clean(credentials.String()) {
		return false
	}
	req.RemoveHeader(answer)
	req.AppendHeader(sip.NewHeader(answer, credentials.String()))
	return true
}

// choose is the best challenge of our realm. Only a REGISTER, which goes to nobody but our registrar, may teach the realm.
func (a *Auth) choose(raw []string, registering bool) *digest.Challenge {
	var best *digest.Challenge
	rank := len(strength)
	for _, value := range raw {
		c, err := digest.ParseChallenge(value)
		if err != nil || c.Nonce == "" || !Clean(c.Realm+c.Nonce+c.Opaque) {
			continue
		}
		for i := range c.QOP {
			c.QOP[i] = strings.TrimSpace(c.QOP[i])
		}
		if len(c.QOP) > 0 {
			if !slices.Contains(c.QOP, "auth") {
				continue
			}
			c.QOP = []string{"auth"}
		}
		known := a.Realm != "" && c.Realm == a.Realm || a.Realm == "" && registering
		algorithm := c.Algorithm
		if algorithm == "" {
			algorithm = "MD5"
		}
		if i := slices.IndexFunc(strength[:], func(s string) bool { return strings.EqualFold(s, algorithm) }); known && i >= 0 && i < rank {
			best, rank = c, i
		}
	}
	if best != nil && a.Realm == "" {
		a.Realm = best.Realm
	}
	return best
}
