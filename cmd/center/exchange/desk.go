package exchange

import "time"

// Desk is what the exchange asks of the roster: who may register, who rings next, who missed. The roster answers from
// memory; nothing here waits for a disk or a person.
type Desk interface {
	// Terminal is the registered terminal of that SIP user; ok is false for one nobody knows.
	Terminal(user string) (t Terminal, ok bool)
	// Offer reserves the best agent who is free now for the queue, except the accounts in tried: for a PBX that rings phones
	// itself. Release gives the reservation back; it is safe to call more than once. The reservation ends by itself when the
	// phone reports the call, or after 20 seconds.
	Offer(queue string, tried []string) (o Offer, release func(), ok bool)
	// Missed tells that the offer was not answered. Declined: by a person's hand; otherwise the ring time ran out.
	Missed(account, call string, declined bool)
	// Receipt tells whether a phone proved in time that it rings (PRODUCT G3): rings, silent or unreached, as wire.SeatState.Ring.
	Receipt(account, how string)
	// Permitted says whether the center has given that permission for a call from one terminal to another, and it is good now.
	Permitted(id, caller, called string) bool
	// Queue says whether that extension is a queue (a center of the manual, 7000–7999), and its name.
	Queue(extension string) (name string, ok bool)
	// State is how a queue is just now; that of an unknown one is Empty.
	State(queue string) QueueState
	// Wait puts a caller, who came at that time, into a queue until it leaves.
	Wait(queue string, came time.Time) Waiter
}

// Waiter is the place of one caller among all who wait.
type Waiter interface {
	// Want says that the caller is ready for an agent; again does no harm. The agent comes by Offers: at once when one is free,
	// else when one becomes free whom nobody with a better right waits for. Nobody is offered twice after Missed.
	Want()
	Offers() <-chan Offer
	// Spare says not to offer that agent before the time has passed; 0: never again.
	Spare(account string, d time.Duration)
	// Place is how many of this queue are not behind the caller, itself included.
	Place() int
	// Leave gives the place up, and an offer back that was made meanwhile.
	Leave()
}

// QueueState is a queue as its callers find it.
type QueueState struct {
	Closed   string // "" open; closed (its hours are over) or holiday
	Empty    bool   // nobody is signed in for it
	Waiting  int    // callers
	Most     int    // callers that may wait; 0: no limit
	Music    bool   // callers hear music while they wait
	Place    bool   // and are told their place
	Language string // of what they are told
	Rules    []Rule
}

// Rule says what becomes of a call that nobody takes; the first that fits counts.
type Rule struct {
	When  string        // closed, holiday, empty, full, late
	After time.Duration // of waiting, with late
	Do    string        // busy, number, queue, voice, announce
	To    string        // with number and queue
}

// Terminal is a SIP user of ours.
type Terminal struct {
	User    string                                       // also the digest user name
	Type    string                                       // softphone, softphone-encrypted, desk, mobile, trunk
	Account string                                       // who is signed in with it, if anybody
	Owner   string                                       // whose softphone it is, signed in or not
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
	Release  func()        // ends the reservation, of an offer to a Waiter; safe to call more than once

	// Why this agent: only (nobody else could be offered the call), skill (all others who could were of a worse level), idle (free for the longest
	// of them).
	Why string
	// Passed are agents of the queue who could not be offered it, with what they lacked: the status they were in, a name of
	// wire.LineReport.Missing, reserved (another call was about to ring there) or tried (they were offered this one). Twenty at most.
	Passed map[string]string
}
