package stack

import "github.com/emiago/sipgo/sip"

// Password is a secret that prints itself only when asked.
type Password interface{ Reveal() string }

// Auth answers digest challenges (RFC 3261 §22, RFC 7616) for one realm and only for it: a stranger who challenges us gets
// nothing to crack.
type Auth struct {
	User     string
	Password Password
	Realm    string // empty: the first realm that challenges a REGISTER is learnt and kept
}

// Authorize puts the answer to the challenges of a 401 or 407 into req, the next try: the strongest algorithm we know
// (SHA-512-256, SHA-256, MD5) of our realm. It is false when there is nothing for us or the same nonce came again without stale.
func (a *Auth) Authorize(req *sip.Request, challenge *sip.Response) bool { return false }
