package dialog

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"zaseki/sip/stack"
)

// Event is what happened to a call, in order.
type Event interface{ event() }

type (
	// Progress is a provisional answer above 100, with an SDP when there is early media.
	Progress struct {
		Code   int
		Reason string
		SDP    string
		Branch string // which of the phones that a proxy rings says it; "" untold. The newest SDP is the one to hear
	}
	// Quiet: eight seconds (16*T1), and nobody has said anything to our INVITE.
	Quiet struct{}
	// Answered is the 2xx to our INVITE, acknowledged already unless Offer says that Acknowledge must answer.
	Answered struct {
		SDP   string // what the 2xx brought, or a provisional of the same phone before
		Offer bool   // SDP is an offer: the INVITE had none and asked for patience (InviteRequest.Patient)
	}
	// Failed is the final answer 300–699 to our INVITE, 487 when we cancelled it, or 408 and 503 of our own for silence and
	// lost links. It is the last event.
	Failed struct {
		Code     int
		Reason   string
		Response *sip.Response // nil when nobody answered; read it, do not change it
		Cause    int           // Q.850, of their Reason header or as RFC 3398 §8.2.6.1 maps the code
	}
	// Ended is the last event of a call that was answered, or of an inbound call. Code is 487 for a cancelled or 200 for
	// a hung-up call, else why it ended; Elsewhere: CANCEL said another phone took it (RFC 3326 SIP;cause=200).
	Ended struct {
		ByPeer    bool
		Code      int
		Reason    string
		Cause     int // Q.850, of their Reason header or as RFC 3398 maps the code
		Elsewhere bool
	}
	// Reoffered is a re-INVITE or UPDATE with a new offer; "" asks us to offer. Answer it with AnswerReoffer or
	// RejectReoffer within 20 seconds, or 488 does.
	Reoffered struct {
		SDP    string
		Header func(name string) string // of the request
	}
	// Updated is an UPDATE without an offer, answered already, that says who the far side is now (RFC 5876 §3).
	Updated struct {
		Header func(name string) string
	}
	// Acked is the answer that an ACK brought to our offer in a 200.
	Acked struct{ SDP string }
	// Referred is a REFER: AcceptRefer or RejectRefer it within 20 seconds, or 603 does.
	Referred struct {
		ReferTo
		By Party // empty when the far side does not say who sends us there
	}
	// Notified is how a REFER of ours goes, as a NOTIFY tells it; Final ends it.
	Notified struct {
		Code   int
		Reason string
		Final  bool
	}
	// Info is an INFO of the far side (legacy DTMF), answered with 200 already.
	Info struct{ ContentType, Body string }
)

func (Progress) event()  {}
func (Answered) event()  {}
func (Failed) event()    {}
func (Ended) event()     {}
func (Reoffered) event() {}
func (Updated) event()   {}
func (Acked) event()     {}
func (Info) event()      {}
func (Quiet) event()     {}
func (Referred) event()  {}
func (Notified) event()  {}

// Refused is the far side's final answer, 300 to 699 (RFC 3261 §21).
type Refused struct {
	Code     int
	Reason   string
	Response *sip.Response
}

func (r *Refused) Error() string { return strconv.Itoa(r.Code) + " " + r.Reason }

var (
	// ErrOver says that the call has ended or is not in a state for this.
	ErrOver = errors.New("call is over")
	// ErrNotNow says that the call cannot do this in its present state.
	ErrNotNow = errors.New("not in this state of the call")
	// ErrNoAck says that nobody acknowledged our 200 (RFC 3261 §13.3.1.4).
	ErrNoAck = errors.New("no ACK")
	// ErrUnclean refuses text that would break out of its header.
	ErrUnclean = errors.New("control characters in SIP text")
)

// Party is an address with its name.
type Party struct{ Display, User, Host string }

func (p Party) uri() sip.Uri {
	return sip.Uri{Scheme: "sip", User: stack.EscapeUser(p.User), Host: p.Host}
}

// Value is the party as From, P-Asserted-Identity and their like write it.
func (p Party) Value() string {
	uri := p.uri()
	if p.Display == "" {
		return "<" + uri.String() + ">"
	}
	return `"` + quotable(p.Display) + `" <` + uri.String() + ">"
}

// ParseParty reads one such value; what is no number or user, or not clean, is nobody.
func ParseParty(value string) (Party, bool) {
	var uri sip.Uri
	var params sip.HeaderParams
	if len(value) > 1024 || !stack.Clean(value) || len(stack.Values(value)) != 1 {
		return Party{}, false
	}
	display, err := sip.ParseAddressValue(value, &uri, &params)
	p := party(display, uri)
	if err != nil || p.User == "" || p.clean() != nil {
		return Party{}, false
	}
	return p, true
}

func (p Party) clean() error {
	if !stack.Clean(p.Display) || !stack.Clean(p.User) || !stack.Clean(p.Host) || strings.ContainsAny(p.Host, "<>\"@ ;?,") {
		return fmt.Errorf("party: %w", ErrUnclean)
	}
	return nil
}

// quotable is a display name without what would end its quotes.
func quotable(display string) string { return strings.NewReplacer(`"`, "'", `\`, "/").Replace(display) }

func party(display string, uri sip.Uri) Party {
	if !stack.Clean(display) {
		display = ""
	}
	return Party{Display: strings.ReplaceAll(display, `\`, ""), User: stack.UnescapeUser(uri.User), Host: uri.Host}
}
