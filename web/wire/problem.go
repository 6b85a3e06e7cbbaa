package wire

import (
	"errors"
	"sort"
	"strings"
)

// Problem is an error a person can read: a code whose sentence stands in static/i18n as "problem.<code>",
// and the values of that sentence's holes. The far side of a wire gets it as JSON.
type Problem struct {
	Code  string            `json:"code"`
	Holes map[string]string `json:"holes,omitempty"`
}

func (p Problem) Error() string {
	if len(p.Holes) == 0 {
		return p.Code
	}
	var b strings.Builder
	b.WriteString(p.Code)
	keys := make([]string, 0, len(p.Holes))
	for k := range p.Holes {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		b.WriteString(" " + k + "=" + p.Holes[k])
	}
	return b.String()
}

// Is makes errors.Is(err, Problem{Code: "x"}) true for every problem of that code.
func (p Problem) Is(target error) bool {
	var t Problem
	return errors.As(target, &t) && t.Code == p.Code
}

// Codes of problems. Each has its sentence in both languages; a test holds the list and the files together.
const (
	ProblemSignIn          = "signin.refused"      // account or password is wrong; never says which
	ProblemInvisible       = "signin.invisible"    // field holds a tab or line break (profile ≤3.6)
	ProblemLimited         = "signin.limited"      // {seconds}: too many attempts
	ProblemTicket          = "signin.expired"      // step 2 came too late; begin again
	ProblemNoTerminal      = "signin.no_terminal"  // the account has no terminal it may use
	ProblemUnreachable     = "center.unreachable"  // {url}
	ProblemNoCenter        = "center.none"         // this phone knows no center: only UseSIP can sign in
	ProblemCenter          = "center.error"        // the center answered something we do not understand
	ProblemOffline         = "center.offline"      // signed in, but the connection is lost just now
	ProblemSeatTaken       = "seat.taken"          // {seat} {who} {since}: may take over
	ProblemSeatLost        = "seat.lost"           // {seat} {who}: somebody took it over; the session stays
	ProblemSeatUnknown     = "seat.unknown"        // {seat}
	ProblemTerminalTaken   = "terminal.taken"      // {terminal} {who} {since}: may take over
	ProblemTerminalUnknown = "terminal.unknown"    // {terminal}
	ProblemElsewhere       = "agent.elsewhere"     // {machine} {since}: signed in at another machine; may take over
	ProblemRevoked         = "agent.revoked"       // {who}: somebody took the session over
	ProblemExpired         = "agent.expired"       // the session ended at the center; sign in again
	ProblemStatusUnknown   = "status.unknown"      // {status}
	ProblemStatusInCall    = "status.in_call"      // {status}: refused during a call, offered as next status
	ProblemForbidden       = "forbidden"           // the role does not allow it
	ProblemSIPUnreachable  = "sip.unreachable"     // {server}: no answer from the SIP server
	ProblemSIPRefused      = "sip.refused"         // {code} {reason}: the registrar refuses this terminal
	ProblemNumber          = "number.invalid"      // {number}
	ProblemNotRegistered   = "call.not_registered" // dialling before the line is registered
	ProblemCallFailed      = "call.failed"         // {code} {reason}
	ProblemCallBusy        = "call.busy"           // 486, 600
	ProblemCallUnanswered  = "call.unanswered"     // 408, 480, nobody picked up
	ProblemCallUnknown     = "call.unknown"        // 404, 484, 604: no such number
	ProblemCallDeclined    = "call.declined"       // 603
	ProblemCallMedia       = "call.media"          // 488, 606, no common codec
	ProblemCallLimit       = "call.limit"          // another call is active: hold it first
	ProblemCallSecure      = "call.insecure"       // voice encryption is required and the far side or the signalling has none
	ProblemTransfer        = "transfer.failed"     // {number} {code} {reason}: the call is back
	ProblemTransferRefused = "transfer.refused"    // {number}: the far side does not let itself be transferred
	ProblemConference      = "conference.failed"   // {number}: this call cannot be mixed
	ProblemForm            = "sip.form"            // {field}: server, user or another field cannot be used as typed
	ProblemSIPTLS          = "sip.tls"             // {server} {reason}: the server's certificate is not trusted
	ProblemMicDenied       = "mic.denied"
	ProblemMicMissing      = "mic.missing"
	ProblemNoPage          = "sound.no_page" // answered, but no page is open to be microphone and loudspeaker
	ProblemInternal        = "internal"      // our fault; the log has more
)
