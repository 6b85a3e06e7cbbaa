package wire

import "time"

// Phases of the agent, in the order of a day.
const (
	PhaseOut      = "out"      // signed out: step one of sign-in
	PhaseChecking = "checking" // step one asked of the center
	PhaseChoosing = "choosing" // step two: terminal, status, seat
	PhaseEntering = "entering" // step two asked of the center
	PhaseIn       = "in"       // signed in
	PhaseLeaving  = "leaving"  // signing out: BYE, unregister, log off
	PhaseGone     = "gone"     // the process is about to end
)

// Snapshot is all that a face may know, whole; the newest wins. Times are absolute; a face shows ages itself.
type Snapshot struct {
	Rev     uint64   `json:"rev"`
	Phase   string   `json:"phase"`
	Account string   `json:"account"` // as typed in step one, kept through every refusal
	Problem *Problem `json:"problem,omitempty"`
	// Takeover: Problem says somebody holds what was asked for, and the same SignIn with Takeover gets it.
	Takeover bool    `json:"takeover,omitempty"`
	Asked    *SignIn `json:"asked,omitempty"` // what step two was last asked with, so that nothing is lost
	Choice   *Choice `json:"choice,omitempty"`

	Me       *Me         `json:"me,omitempty"`
	Center   CenterLink  `json:"center"`
	Line     Line        `json:"line"`
	Status   StatusView  `json:"status"`
	Statuses []StatusDef `json:"statuses,omitempty"`
	Seat     string      `json:"seat,omitempty"`
	SeatName string      `json:"seatName,omitempty"`

	Calls   []Call     `json:"calls,omitempty"`
	Muted   bool       `json:"muted"`
	Mic     string     `json:"mic"`               // "", "open", "denied", "missing": said by the page that owns the sound
	Sound   bool       `json:"sound"`             // a page carries sound right now
	Pages   int        `json:"pages"`             // how many pages are open (PagesChanged)
	History []PastCall `json:"history,omitempty"` // of this sign-in, newest first
	Ask     *Question  `json:"ask,omitempty"`
	Notices []Notice   `json:"notices,omitempty"`
	Profile Profile    `json:"profile"`
	Dialled string     `json:"dialled,omitempty"` // last number dialled

	Centerless bool      `json:"centerless,omitempty"` // no center is known: only UseSIP can sign in
	SIP        *SIPForm  `json:"sip,omitempty"`        // what UseSIP was last asked with, or what is kept from the last time
	Local      bool      `json:"local,omitempty"`      // signed in by UseSIP
	Contacts   []Contact `json:"contacts,omitempty"`   // this phone's own phonebook, by name
	Lamps      []Lamp    `json:"lamps,omitempty"`      // what watched numbers do
	Voicemail  Voicemail `json:"voicemail"`
}

// SIPForm is a SIP account as a person types it. The password travels beside it and is never shown again.
type SIPForm struct {
	Server      string `json:"server"`                // name or address, with :port when it is not the usual one
	User        string `json:"user"`                  // extension
	AuthUser    string `json:"authUser,omitempty"`    // when the server wants another name than User to authenticate
	Display     string `json:"display,omitempty"`     // name that called people see
	Domain      string `json:"domain,omitempty"`      // when it is not the server's name
	Transport   string `json:"transport"`             // "" (found by DNS, else UDP), udp, tcp, tls, wss
	Voice       string `json:"voice"`                 // a Voice… constant
	KeysInClear bool   `json:"keysInClear,omitempty"` // SDES keys may travel without TLS: asked for by name
}

// How the sound of a line is encrypted.
const (
	VoiceOff      = "off"      // never
	VoiceOptional = "optional" // when the far side can (OSRTP, RFC 8643)
	VoiceRequired = "required" // RTP/SAVP; a call without it is refused, never downgraded
	VoiceDTLS     = "dtls"     // DTLS-SRTP (RFC 5763), as WebRTC gateways want it
)

// Contact is a line of the phonebook.
type Contact struct {
	Name   string `json:"name"`
	Number string `json:"number"`
	Watch  bool   `json:"watch,omitempty"` // its lamp is wanted
}

// Lamp is what a watched number does (RFC 4235). States: unknown, idle, ringing, busy.
type Lamp struct {
	Number string `json:"number"`
	State  string `json:"state"`
}

// Voicemail is what waits at the server (RFC 3842).
type Voicemail struct {
	Waiting bool   `json:"waiting"`
	New     int    `json:"new"`
	Old     int    `json:"old"`
	Number  string `json:"number,omitempty"` // to call; "" unknown
}

// Ringing is the first call that rings here and waits for a person.
func (s Snapshot) Ringing() (Call, bool) { return s.find(CallOffered) }

// Talking is the first call with sound flowing.
func (s Snapshot) Talking() (Call, bool) { return s.find(CallTalking) }

func (s Snapshot) find(phase string) (Call, bool) {
	for _, c := range s.Calls {
		if c.Phase == phase {
			return c, true
		}
	}
	return Call{}, false
}

// Def is the definition of a status, or a nameless one for an id nobody knows.
func (s Snapshot) Def(id string) StatusDef {
	for _, d := range s.Statuses {
		if d.ID == id {
			return d
		}
	}
	return StatusDef{ID: id, Name: Words{"en": id, "ja": id}}
}

// Choice is what step two offers, built from the authenticated account's own data (PRODUCT A5–A8).
type Choice struct {
	Center    string      `json:"center"`
	Name      string      `json:"name"` // the person's name
	Terminals []Terminal  `json:"terminals"`
	Statuses  []StatusDef `json:"statuses"` // pickable ones, in order
	Seats     []SeatOffer `json:"seats,omitempty"`
	SeatView  bool        `json:"seatView"` // false: no seat field at all (A10)
	Terminal  string      `json:"terminal"` // preselected
	Status    string      `json:"status"`   // preselected: last used, never one that takes outside calls (A7)
	Seat      string      `json:"seat"`
	Profile   Profile     `json:"profile"`
}

// Terminal is something that rings. Types: softphone, softphone-encrypted, desk, mobile, trunk.
type Terminal struct {
	ID        string `json:"id"`
	Extension string `json:"extension"`
	Type      string `json:"type"`
	Name      string `json:"name,omitempty"`
}

// Soft says that this program is the terminal and rings itself; anything else rings elsewhere (A6).
func (t Terminal) Soft() bool { return t.Type == "softphone" || t.Type == "softphone-encrypted" }

// SeatOffer is a seat one may take at sign-in.
type SeatOffer struct {
	ID    string    `json:"id"`
	Name  string    `json:"name"`
	Floor string    `json:"floor"`
	By    string    `json:"by,omitempty"` // name of the agent who sits there
	Since time.Time `json:"since,omitzero"`
}

// Me is who is signed in, and as what.
type Me struct {
	Account   string   `json:"account"`
	Name      string   `json:"name"`
	Role      string   `json:"role"` // agent, supervisor, administrator
	Terminal  Terminal `json:"terminal"`
	Encrypted bool     `json:"encrypted"`
}

// CenterLink is the connection to the center.
type CenterLink struct {
	Name   string    `json:"name"`
	URL    string    `json:"url"`
	Online bool      `json:"online"`
	Since  time.Time `json:"since,omitzero"`
}

// Line is the registration. States: "", registering, registered, failed, elsewhere (a desk phone rings instead of us).
type Line struct {
	State   string    `json:"state"`
	Proven  time.Time `json:"proven,omitzero"` // last 200 to a REGISTER: its age is what the page shows
	Expires time.Time `json:"expires,omitzero"`
	Server  string    `json:"server,omitempty"`
	Secure  bool      `json:"secure,omitempty"` // the signalling is encrypted
	Problem *Problem  `json:"problem,omitempty"`
}

// StatusView is the status as it is shown.
type StatusView struct {
	Now   string    `json:"now"`             // the agent's status at the center
	Shown string    `json:"shown"`           // Now, or a system status that covers it (ringing, talking, dialling, lost)
	Since time.Time `json:"since,omitzero"`  // of Shown
	Until time.Time `json:"until,omitzero"`  // after-call work ends by itself
	Wish  string    `json:"wish,omitempty"`  // asked of the center, not yet confirmed
	Next  string    `json:"next,omitempty"`  // taken when the call ends
	Offer string    `json:"offer,omitempty"` // refused during a call: may be set as Next with one click
}

// Phases of a call.
const (
	CallOffered = "offered" // rings here
	CallDialing = "dialing" // we called, nothing heard yet
	CallAlerted = "alerted" // it rings there
	CallJoining = "joining" // answered, acknowledgement under way
	CallTalking = "talking"
	CallHeld    = "held" // by us
	CallEnding  = "ending"
)

// Call is one call of this phone.
type Call struct {
	ID       string    `json:"id"`
	Phase    string    `json:"phase"`
	Inbound  bool      `json:"inbound"`
	Outside  bool      `json:"outside"`
	Number   string    `json:"number"`
	Name     string    `json:"name,omitempty"`
	Queue    string    `json:"queue,omitempty"`
	Began    time.Time `json:"began"`
	Answered time.Time `json:"answered,omitzero"`
	PeerHold bool      `json:"peerHold,omitempty"` // the far side holds us
	Secure   bool      `json:"secure"`             // voice and signalling are encrypted (PRODUCT A16)
	Codec    string    `json:"codec,omitempty"`
	Digits   string    `json:"digits,omitempty"` // DTMF sent so far
	Silent   bool      `json:"silent,omitempty"` // no sound from the network for five seconds

	Consult    string `json:"consult,omitempty"`    // the call whose far side this one asks about: Connect joins them
	Moving     string `json:"moving,omitempty"`     // a transfer is under way to this number
	Conference bool   `json:"conference,omitempty"` // in the conversation of several
	MovedBy    string `json:"movedBy,omitempty"`    // who transferred this call to us
}

// PastCall is a line of the call list. Results: answered, missed, declined, failed, cancelled, elsewhere, transferred.
type PastCall struct {
	ID      string        `json:"id"`
	Inbound bool          `json:"inbound"`
	Outside bool          `json:"outside"`
	Number  string        `json:"number"`
	Name    string        `json:"name,omitempty"`
	Began   time.Time     `json:"began"`
	Talked  time.Duration `json:"talked"` // nanoseconds
	Result  string        `json:"result"`
	Problem *Problem      `json:"problem,omitempty"`
}

// Question waits for a yes or a Dismiss. Kinds: exit, signout (yes is the same command with Sure), dial (yes is Dial of
// Number), transfer (yes is FollowTransfer of Call: its far side sends us to Number).
type Question struct {
	Kind   string `json:"kind"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
	Call   string `json:"call,omitempty"`
}

// Notice is something to know that blocks nothing. Level: info, warn, error.
type Notice struct {
	ID      string    `json:"id"`
	Level   string    `json:"level"`
	Problem Problem   `json:"problem"`
	At      time.Time `json:"at"`
}
