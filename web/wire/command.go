// Package wire holds the words that faces, agent, page and center say to each other. It imports no other room.
//
// A face (tray, page, link, robot) says a Command; the agent answers with a Snapshot. A status wish, a next status and the
// extension of after-call work travel unchanged from the click to the center.
package wire

import (
	"encoding/json"
	"fmt"
)

// Version of both programs: a phone tells it to its center.
const Version = "0.1.0"

// Command is what a face asks of the agent.
type Command interface{ Type() string }

type (
	// CheckAccount is step one of sign-in (PRODUCT A5): it authenticates and fetches what step two offers.
	CheckAccount struct {
		Account  string `json:"account"`
		Password Secret `json:"password"`
		Keep     bool   `json:"keep"` // 保存: for auto sign-in, once it has succeeded (PRODUCT A14)
	}
	// SignIn is step two: terminal, status and seat ("" = 着席しない, not seated).
	SignIn struct {
		Terminal string `json:"terminal"`
		Status   string `json:"status"`
		Seat     string `json:"seat"`
		Takeover bool   `json:"takeover"` // the person agreed to take seat, terminal or session from whoever has it
	}
	// SignInOnce is both steps in one form (PRODUCT A4), offered while Snapshot.Once is there. Terminal and Seat may be typed: an id, an
	// extension, a seat's name; "" is what the center would preselect, a seat's "" is 着席しない. What cannot be had leads to step two,
	// filled in.
	SignInOnce struct {
		CheckAccount
		Terminal string `json:"terminal"`
		Status   string `json:"status"`
		Seat     string `json:"seat"`
	}
	// Back leaves step two for step one, and ends a sign-in that goes on by itself (Snapshot.Auto).
	Back struct{}
	// UseSIP signs in at any SIP server, without a center: statuses, contacts and history are kept by this phone alone.
	UseSIP struct {
		SIPForm
		Password Secret `json:"password"`
	}
	// SignOut sets ログオフ and stays running; Exit also quits. During a call both ask first unless Sure (PRODUCT C4).
	SignOut struct {
		Sure bool `json:"sure"`
	}
	Exit struct {
		Sure bool `json:"sure"`
	}
	// Dismiss takes back the open question (Snapshot.Ask), or closes the notice of that id.
	Dismiss struct {
		Notice string `json:"notice,omitempty"`
	}

	// SetStatus is the wish to change the status; the center decides. Late is how many milliseconds ago it was chosen, of one that a phone kept while
	// its center was away (PRODUCT G9); a page says nothing of it.
	SetStatus struct {
		To   string `json:"to"`
		Late int64  `json:"late,omitempty"`
	}
	// SetNext is the status to take when the call ends (PRODUCT D9); "" cancels it.
	SetNext struct {
		To string `json:"to"`
	}
	// ExtendWork lengthens after-call work by the center's step (PRODUCT D10).
	ExtendWork struct{}

	// Dial calls what a person typed, pasted or chose: digits, tel:, sip:, callto: or a SIP address; see Plan.Dial.
	Dial struct {
		Number string `json:"number"`
	}
	// DialLink is a link somebody clicked elsewhere: it becomes a Question, never a call by itself.
	DialLink struct {
		URI string `json:"uri"`
	}
	Answer struct {
		Call string `json:"call"`
	}
	Decline struct {
		Call string `json:"call"`
	}
	HangUp struct {
		Call string `json:"call"`
	}
	Hold struct {
		Call string `json:"call"`
		On   bool   `json:"on"`
	}
	// Transfer sends the far side of a call to a number and leaves (blind, RFC 5589 §6).
	Transfer struct {
		Call   string `json:"call"`
		Number string `json:"number"`
	}
	// Connect brings the far sides of two calls of ours together and leaves (attended, RFC 5589 §7): Other is the consultation.
	Connect struct {
		Call  string `json:"call"`
		Other string `json:"other"`
	}
	// FollowTransfer answers the Question "transfer": the far side of Call asks that we call somebody else instead.
	FollowTransfer struct {
		Call string `json:"call"`
		On   bool   `json:"on"`
	}
	// Conference brings every answered call into one conversation with us, or parts it again: then all but one are held.
	Conference struct {
		On bool `json:"on"`
	}
	Mute struct {
		On bool `json:"on"`
	}
	// SendDigits sends DTMF in an established call: 0-9 * # A-D.
	SendDigits struct {
		Call   string `json:"call"`
		Digits string `json:"digits"`
	}

	// SaveContact keeps a name for a number in this phone's own phonebook; the same number again replaces it. RemoveContact
	// takes it out.
	SaveContact struct {
		Contact
	}
	RemoveContact struct {
		Number string `json:"number"`
	}

	// MicState is what the page that owns the sound found out about its microphone: "", "open", "denied", "missing" (none, or it
	// was unplugged), "silent" (it gives exact digital silence though it is not muted). Label is the device in use.
	MicState struct {
		State string `json:"state"`
		Label string `json:"label,omitempty"`
	}
	// RingHeard says that a face really rings for the call (PRODUCT G3).
	RingHeard struct {
		Call string `json:"call"`
	}
	// PagesChanged is said by the panel's server, never by a page: how many pages are open.
	PagesChanged struct {
		Open int `json:"open"`
	}
)

func (CheckAccount) Type() string   { return "account.check" }
func (SignIn) Type() string         { return "signin" }
func (SignInOnce) Type() string     { return "signin.once" }
func (Back) Type() string           { return "signin.back" }
func (UseSIP) Type() string         { return "signin.sip" }
func (SignOut) Type() string        { return "signout" }
func (Exit) Type() string           { return "exit" }
func (Dismiss) Type() string        { return "dismiss" }
func (SetStatus) Type() string      { return "status.set" }
func (SetNext) Type() string        { return "status.next" }
func (ExtendWork) Type() string     { return "work.extend" }
func (Dial) Type() string           { return "call.dial" }
func (DialLink) Type() string       { return "call.link" }
func (Answer) Type() string         { return "call.answer" }
func (Decline) Type() string        { return "call.decline" }
func (HangUp) Type() string         { return "call.hangup" }
func (Hold) Type() string           { return "call.hold" }
func (Transfer) Type() string       { return "call.transfer" }
func (Connect) Type() string        { return "call.connect" }
func (FollowTransfer) Type() string { return "call.follow" }
func (Conference) Type() string     { return "call.conference" }
func (SaveContact) Type() string    { return "contact.save" }
func (RemoveContact) Type() string  { return "contact.remove" }
func (Mute) Type() string           { return "call.mute" }
func (SendDigits) Type() string     { return "call.digits" }
func (MicState) Type() string       { return "mic.state" }
func (RingHeard) Type() string      { return "ring.heard" }
func (PagesChanged) Type() string   { return "panel.pages" }

// Envelope is one message on any of our websockets. Op names a request, so that its answer (Done or Refused) finds it.
type Envelope struct {
	Type string          `json:"type"`
	Op   string          `json:"op,omitempty"`
	Body json.RawMessage `json:"body,omitempty"`
}

// Pack puts a message into its envelope.
func Pack(op string, m interface{ Type() string }) (Envelope, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return Envelope{}, fmt.Errorf("pack %s: %w", m.Type(), err)
	}
	return Envelope{Type: m.Type(), Op: op, Body: body}, nil
}

// pageCommands is everything a page may say. PagesChanged and OriginAsks are missing on purpose: only the server says them.
var pageCommands = registry(
	CheckAccount{}, SendCode{}, MailCode{}, SignOn{}, SignIn{}, SignInOnce{}, UseSIP{}, Back{}, SignOut{}, Exit{}, Dismiss{}, SetStatus{}, SetNext{}, ExtendWork{},
	Dial{}, DialLink{}, Answer{}, Decline{}, HangUp{}, Hold{}, Transfer{}, Connect{}, FollowTransfer{}, Conference{}, Mute{}, SendDigits{},
	SaveContact{}, RemoveContact{}, MicState{}, RingHeard{}, Replay{}, Record{}, CardMode{}, SaveDevices{}, EchoTest{}, RingTest{}, TestNetwork{},
	ChangeSetting{}, ImportSettings{}, ForgetAccount{}, GetUpdate{}, StopUpdate{},
	CallNote{}, SeenMissed{}, RaiseHand{}, PopShown{}, AllowOrigin{}, UseTerminal{},
	Supervise{}, SetStatusOf{}, LowerHand{}, SendMessage{}, ReadMessages{}, Check{},
)

// ParseCommand reads what a page sent. An unknown type is an error, an unknown field is not.
func ParseCommand(e Envelope) (Command, error) {
	m, err := parse(pageCommands, e)
	if err != nil {
		return nil, err
	}
	return m.(Command), nil
}

type message = interface{ Type() string }

func registry(ms ...message) map[string]func(json.RawMessage) (message, error) {
	r := make(map[string]func(json.RawMessage) (message, error), len(ms))
	for _, m := range ms {
		r[m.Type()] = decoder(m)
	}
	return r
}

func parse(r map[string]func(json.RawMessage) (message, error), e Envelope) (message, error) {
	read, ok := r[e.Type]
	if !ok {
		return nil, fmt.Errorf("unknown message type %.40q", e.Type)
	}
	m, err := read(e.Body)
	if err != nil {
		return nil, fmt.Errorf("body of %s: %w", e.Type, err)
	}
	return m, nil
}
