package exchange

import "time"

// Desk is what the exchange asks of the roster: who may register, who rings next, who missed. The roster answers from
// memory; nothing here waits for a disk or a person.
type Desk interface {
	// Terminal is the registered terminal of that SIP user; ok is false for one nobody knows.
	Terminal(user string) (t Terminal, ok bool)
	// Offer reserves the agent who has been Available the longest and whose terminal may ring for the queue, except the
	// accounts in tried. Release gives the reservation back; it is safe to call more than once. The reservation ends by itself
	// when the phone reports the call, or after 20 seconds.
	Offer(queue string, tried []string) (o Offer, release func(), ok bool)
	// Missed tells that the offer was not answered. Declined: by a person's hand; otherwise the ring time ran out.
	Missed(account, call string, declined bool)
	// Queue says whether that extension is a queue (a center of the manual, 7000–7999), and its name.
	Queue(extension string) (name string, ok bool)
}

// Terminal is a SIP user of ours.
type Terminal struct {
	User    string                                       // also the digest user name
	Type    string                                       // softphone, softphone-encrypted, desk, mobile, trunk
	Account string                                       // who is signed in with it, if anybody
	Name    string                                       // display name for calls it makes
	Epoch   uint64                                       // a registration with an older epoch's secret is refused
	HA1     func(algorithm string) (ha1 string, ok bool) // "MD5", "SHA-256": hash of user:realm:secret (RFC 7616 §3.4.2)
}

// Trunk says that calls from there are outside calls and calls to outside numbers go there.
func (t Terminal) Trunk() bool { return t.Type == "trunk" }

// Encrypted says that the terminal is only served with TLS (PRODUCT A16).
func (t Terminal) Encrypted() bool { return t.Type == "softphone-encrypted" }

// Offer is the agent a queued call rings next.
type Offer struct {
	Account  string
	User     string        // SIP user to ring
	RingTime time.Duration // then the next agent's turn
}
