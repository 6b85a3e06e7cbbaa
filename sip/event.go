package sip

import (
	"errors"
	"net/netip"
	"strconv"
	"time"
)

// Event is what happened at the phone. Events come one at a time, in order.
type Event interface{ event() }

type (
	// Registered: the line works until Expires has passed; it is renewed after two thirds of it.
	Registered struct {
		At      time.Time
		Expires time.Duration
	}
	// RegisterFailed: Fatal means that nobody tries again (wrong secret, forbidden), else we do.
	RegisterFailed struct {
		Code   int // 0: no answer
		Reason string
		Fatal  bool
	}
	// LineLost: the way to the server is gone; we are at work on it. Registered ends it.
	LineLost struct{}

	// Incoming rings: Ring, Answer, Reject or Hangup it.
	Incoming struct {
		Call    string
		User    string // who calls, unescaped
		Host    string
		Display string
		SDP     string
		Header  func(name string) string // of the INVITE
		// Replaces is our call that this one takes the place of (an attended transfer); Answer ends that one by itself. "" is none.
		Replaces string
	}
	// Progress is a provisional answer to our call; an SDP is early media.
	Progress struct {
		Call string
		Code int
		SDP  string
	}
	// Answered brings the far side's answer: to our call, or to our offer in an inbound call that came without one.
	Answered struct {
		Call string
		SDP  string
	}
	// Failed ends our call that nobody answered.
	Failed struct {
		Call     string
		Code     int
		Reason   string
		Cause    int  // Q.850, of their Reason header or as RFC 3398 maps the code
		Replaced bool // another call took its place before it was answered
		// RetryAfter is when they say it is worth trying again (RFC 3261 §20.33), 0 unsaid.
		RetryAfter time.Duration
	}
	// Ended ends every other call. Elsewhere: another phone of ours took it. Replaced: another call took its place.
	Ended struct {
		Call      string
		ByPeer    bool
		Code      int
		Reason    string
		Elsewhere bool
		Cause     int // Q.850
		Replaced  bool
	}
	// Quiet: eight seconds, and nobody has said anything to our call.
	Quiet struct{ Call string }
	// Moved: there is a new way to the server while calls are up. They must be offered anew, with Local, our address, in their SDP.
	Moved struct{ Local netip.Addr }
	// TransferAsked: the far side of Call asks us to call Number at Host instead: Follow, or RefuseTransfer within 20 seconds.
	// Attended: that takes the place of a call which they have there.
	TransferAsked struct {
		Call, Number, Host, Display string
		By                          string // who sends us there, "" unsaid
		Attended                    bool
	}
	// Identity is whom Call talks to from now on, as our server says within the call: somebody else, after a transfer that it
	// carried out, or the same with a better name.
	Identity struct {
		Call, User, Host, Display string
		Header                    func(name string) string // of what said so
	}
	// DigitInfo is a DTMF digit that came as an INFO.
	DigitInfo struct{ Call, Digit string }
	// Messages is the lamp of the voice mail (RFC 3842).
	Messages struct {
		Waiting  bool
		New, Old int // voice messages; 0 when only Waiting is told
		Account  string
	}
	// Lamp is what a watched number does (RFC 4235): LampUnknown, LampIdle, LampRinging or LampBusy.
	Lamp struct{ Number, State string }
)

func (Registered) event()     {}
func (RegisterFailed) event() {}
func (LineLost) event()       {}
func (Incoming) event()       {}
func (Progress) event()       {}
func (Answered) event()       {}
func (Failed) event()         {}
func (Ended) event()          {}
func (Quiet) event()          {}
func (Moved) event()          {}
func (TransferAsked) event()  {}
func (Identity) event()       {}
func (DigitInfo) event()      {}
func (Messages) event()       {}
func (Lamp) event()           {}

// Refused is the far side's final answer, 300 to 699 (RFC 3261 §21).
type Refused struct {
	Code   int
	Reason string
}

func (r Refused) Error() string { return strconv.Itoa(r.Code) + " " + r.Reason }

// errNotRunning: Run has ended, or did not begin in time.
var errNotRunning = errors.New("phone is not running")

var (
	// ErrNoLine: not registered, so nobody can be called.
	ErrNoLine = errors.New("no line")
	// ErrNoCall: no call of that id.
	ErrNoCall = errors.New("no such call")
	// ErrNumber refuses a number that cannot be dialled.
	ErrNumber = errors.New("not a number")
)
