// Package dialog is the user agent core that phone and exchange share: dialogs, the INVITE client and server with their
// races, offer and answer, requests outside dialogs. One goroutine owns each call.
package dialog

import (
	"context"
	"log/slog"
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// Config is a user agent.
type Config struct {
	Stack *stack.Stack
	Log   *slog.Logger
	// OnCall is called for each INVITE outside a dialog, on the call's own goroutine; it returns who hears the call's events.
	// It may Ring, Answer or Reject at once; nothing is answered by itself but 100 and, on nil, 480.
	OnCall func(*Call) func(Event)
	// OnRequest gets every other request outside a dialog (REGISTER, OPTIONS, MESSAGE…) on a worker goroutine, in order per
	// Call-ID, and must answer it. It may block. nil: OPTIONS 200, others 405.
	OnRequest func(context.Context, *stack.Inbound)
	// Calls is how many calls may be alive; above it INVITEs get 503 with Retry-After. 0 means 10000.
	Calls int
}

// UA is one user agent on one Stack.
type UA struct{}

// New makes it and sets the Stack's handlers; nothing runs before Run.
func New(Config) *UA { panic("unbuilt") }

// Run runs the Stack too and blocks until the context ends; calls that are left then are ended with BYE, CANCEL or 503
// (at most two seconds for that).
func (ua *UA) Run(ctx context.Context) error { return nil }

// InviteRequest is an outgoing call.
type InviteRequest struct {
	Target      sip.Uri        // Request-URI
	Network     string         // "udp", "tcp"; "" is udp
	Destination netip.AddrPort // where the INVITE goes; the dialog's requests go there too (symmetric signalling)
	Link        *stack.Link    // over which; nil: Stack.Link chooses
	From, To    Party          // To empty: Target
	ContactUser string         // user part of our Contact; empty: From.User
	Headers     []string       // "Name", "value" pairs, cleaned
	SDP         string         // offer; "" lets the far side offer (answer with call.Acknowledge… see Answered)
	Auth        *stack.Auth    // nil: challenges are failures
	CallID      string         // "" makes one
	Tell        func(Event)    // hears the events in order, one at a time; may block and may call the Call
}

// Party is an address with its name.
type Party struct{ Display, User, Host string }

// Invite sends the INVITE and returns; the rest are events. The context bounds only the sending.
func (ua *UA) Invite(ctx context.Context, r InviteRequest) (*Call, error) { return nil, nil }

// Request sends a request outside any dialog and waits for its final response; a challenge is answered once, twice when
// stale. From, To, Call-ID, CSeq, Via and Max-Forwards are added where missing.
func (ua *UA) Request(ctx context.Context, req *sip.Request, link *stack.Link, to netip.AddrPort, auth *stack.Auth) (*sip.Response, error) {
	return nil, nil
}

// Calls are the calls alive.
func (ua *UA) Calls() []*Call { return nil }

// Call is one INVITE dialog from its INVITE to its end. Its methods may be called from every goroutine.
type Call struct{}

func (c *Call) ID() string                  { return "" } // unique in this process
func (c *Call) CallID() string              { return "" }
func (c *Call) Inbound() bool               { return false }
func (c *Call) Remote() Party               { return Party{} }
func (c *Call) Called() Party               { return Party{} } // inbound: To; Request().Recipient is the Request-URI
func (c *Call) Source() netip.AddrPort      { return netip.AddrPort{} }
func (c *Call) Link() *stack.Link           { return nil }
func (c *Call) Request() *sip.Request       { return nil } // a clone of the initial INVITE
func (c *Call) Header(name string) string   { return "" }  // of the initial INVITE
func (c *Call) Offer() string               { return "" }  // SDP of the initial INVITE, "" without one
func (c *Call) Done() <-chan struct{}       { return nil } // closed after the last event was told

// Ring sends a provisional answer (180; 183 with an SDP is early media). Not after a final one.
func (c *Call) Ring(code int, sdp string) error { return nil }

// Answer sends 200 and waits for the ACK; without one in 64*T1 the call ends with BYE and the error says so. An INVITE
// without SDP gets sdp as our offer; the answer comes as Acked before Answer returns.
func (c *Call) Answer(ctx context.Context, sdp string) error { return nil }

// Reject refuses an inbound call with a final code 300–699; headers are "Name", "value" pairs (Contact of a 302,
// Proxy-Authenticate of a 407, Retry-After of a 503).
func (c *Call) Reject(code int, reason string, headers ...string) error { return nil }

// Cancel ends our INVITE before it is answered; Failed follows (487), or an answered call is hung up at once.
func (c *Call) Cancel(headers ...string) error { return nil }

// Bye hangs up and waits for the answer or the context. Ended follows.
func (c *Call) Bye(ctx context.Context, headers ...string) error { return nil }

// Hangup ends the call by whatever its state demands: CANCEL, BYE, or 603.
func (c *Call) Hangup(ctx context.Context, headers ...string) error { return nil }

// Reinvite offers a new SDP and returns the answer; 491 is tried again as RFC 3261 §14.1 says.
func (c *Call) Reinvite(ctx context.Context, sdp string) (answer string, err error) { return "", nil }

// AnswerReoffer answers the last Reoffered; for one without SDP this is our offer and the answer comes as Acked.
func (c *Call) AnswerReoffer(sdp string) error { return nil }

// RejectReoffer refuses it (488); the session stays as it was.
func (c *Call) RejectReoffer(code int) error { return nil }

// Info sends an INFO in the dialog (RFC 6086 §4: legacy DTMF).
func (c *Call) Info(ctx context.Context, contentType, body string) error { return nil }

// Event is what happened to a call, in order.
type Event interface{ event() }

type (
	// Progress is a provisional answer above 100, with an SDP when there is early media.
	Progress struct {
		Code   int
		Reason string
		SDP    string
	}
	// Answered is the 2xx to our INVITE, acknowledged already.
	Answered struct{ SDP string }
	// Failed is the final answer 300–699 to our INVITE, or 408 and 503 of our own for silence and lost links. It is the last event.
	Failed struct {
		Code     int
		Reason   string
		Response *sip.Response // nil when nobody answered
	}
	// Ended is the last event of a call that was answered, or of an inbound call. Code is 487 for a cancelled or 200 for
	// a hung-up call, else why it ended; Elsewhere: CANCEL said another phone took it (RFC 3326 SIP;cause=200).
	Ended struct {
		ByPeer    bool
		Code      int
		Reason    string
		Cause     int // Q.850 of a Reason header, 0 without
		Elsewhere bool
	}
	// Reoffered is a re-INVITE or UPDATE with a new offer ("" asks us to offer). Answer it with AnswerReoffer or RejectReoffer.
	Reoffered struct{ SDP string }
	// Acked is the answer that an ACK brought to our offer in a 200.
	Acked struct{ SDP string }
	// Info is an INFO of the far side, answered with 200 already.
	Info struct{ ContentType, Body string }
)

func (Progress) event()  {}
func (Answered) event()  {}
func (Failed) event()    {}
func (Ended) event()     {}
func (Reoffered) event() {}
func (Acked) event()     {}
func (Info) event()      {}

// Refused is the far side's final answer, 300 to 699 (RFC 3261 §21).
type Refused struct {
	Code     int
	Reason   string
	Response *sip.Response
}

func (r *Refused) Error() string { return r.Reason }
