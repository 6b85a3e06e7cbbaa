package sip

import (
	"errors"
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
		Call   string
		Code   int
		Reason string
	}
	// Ended ends every other call. Elsewhere: another phone of ours took it.
	Ended struct {
		Call      string
		ByPeer    bool
		Code      int
		Reason    string
		Elsewhere bool
	}
)

func (Registered) event()     {}
func (RegisterFailed) event() {}
func (LineLost) event()       {}
func (Incoming) event()       {}
func (Progress) event()       {}
func (Answered) event()       {}
func (Failed) event()         {}
func (Ended) event()          {}

// Refused is the far side's final answer, 300 to 699 (RFC 3261 §21).
type Refused struct {
	Code   int
	Reason string
}

func (r Refused) Error() string { return strconv.Itoa(r.Code) + " " + r.Reason }

var (
	// ErrNoLine: not registered, so nobody can be called.
	ErrNoLine = errors.New("no line")
	// ErrNoCall: no call of that id.
	ErrNoCall = errors.New("no such call")
	// ErrNumber refuses a number that cannot be dialled.
	ErrNumber = errors.New("not a number")
)
