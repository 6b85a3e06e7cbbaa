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
	Proof    *Proof  `json:"proof,omitempty"` // the code step, in PhaseProving
	// Once is what the form of one step offers (PRODUCT A4), as this machine saw it at its last sign-in; nil: there are two steps.
	Once *Choice     `json:"once,omitempty"`
	Auto *AutoSignIn `json:"auto,omitempty"` // nobody is asked to sign in: it goes on by itself (PRODUCT A14) until Back

	Me       *Me         `json:"me,omitempty"`
	Center   CenterLink  `json:"center"`
	Line     Line        `json:"line"`
	Status   StatusView  `json:"status"`
	Statuses []StatusDef `json:"statuses,omitempty"`
	Seat     string      `json:"seat,omitempty"`
	SeatName string      `json:"seatName,omitempty"`

	Calls   []Call     `json:"calls,omitempty"`
	Muted   bool       `json:"muted"`
	Mic     string     `json:"mic"`               // see MicState: said by the page that owns the sound
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

	SignOn *SingleSignOn `json:"signOn,omitempty"` // how else one can sign in; nil: by password only
	Away   string        `json:"away,omitempty"`   // in PhaseBrowser: the address to open by hand when no browser came up
	Desk   *Desk         `json:"desk,omitempty"`   // of the sign-in; nil: signed out, or no center

	Way       string       `json:"way,omitempty"`       // by what the page carries the sound: webrtc, websocket (when WebRTC cannot)
	MutedTalk bool         `json:"mutedTalk,omitempty"` // muted, and the microphone hears talking
	Policy    Policy       `json:"policy"`              // without its key
	Devices   Devices      `json:"devices"`             // as preferred
	Rings     []string     `json:"rings,omitempty"`     // devices this process can ring on
	Echo      bool         `json:"echo,omitempty"`      // EchoTest is on
	RingTest  bool         `json:"ringTest,omitempty"`  // RingTest rings
	MicLabel  string       `json:"micLabel,omitempty"`  // the microphone in use, as the page that owns the sound names it
	Network   *NetworkTest `json:"network,omitempty"`   // the last TestNetwork

	Settings Values             `json:"settings,omitempty"` // as they hold: chosen here, or by the center
	Locks    map[string]string  `json:"locks,omitempty"`    // settings that the center has set, and who set them
	Failing  map[string]Problem `json:"failing,omitempty"`  // settings that are chosen but do not work here, and why
	Saved    Saved              `json:"saved"`
	Update   *Update            `json:"update,omitempty"` // nil: none is known
	Missed   int                `json:"missed,omitempty"` // calls missed since somebody last looked at the list of calls (SeenMissed)
	Book     uint64             `json:"book,omitempty"`   // Rev of the shared phonebook: GET /phonebook gives it; 0 there is none
	Hand     time.Time          `json:"hand,omitzero"`    // ours is raised since then
	Pop      *Pop               `json:"pop,omitempty"`    // of the customer system, until it is shown
	Remarks  []Remark           `json:"remarks,omitempty"`

	Attendants []Attendant `json:"attendants,omitempty"` // who listens, whispers or has joined here
	Supervised *Supervised `json:"supervised,omitempty"` // whom we attend
	Messages   *Messages   `json:"messages,omitempty"`   // the mailbox; nil: there is none
	Unread     int         `json:"unread,omitempty"`     // of Messages
	Gap        *Gap        `json:"gap,omitempty"`        // what the center does not know yet of the time it was away
}

// AutoSignIn is a sign-in without a person. Again is when it is tried next: the center was not reached, and Problem says so.
type AutoSignIn struct {
	Again time.Time `json:"again,omitzero"`
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

	Favourite bool   `json:"favourite,omitempty"` // stands first
	Reading   string `json:"reading,omitempty"`   // of the name, in kana: よみがな, at most 64 characters
	Company   string `json:"company,omitempty"`   // or department, at most 64 characters
	Note      string `json:"note,omitempty"`      // one line, at most 200 characters
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

// Active is the call that a hang-up means: the one with sound, else the one on its way, else a held one.
func (s Snapshot) Active() (Call, bool) {
	for _, phase := range []string{CallTalking, CallJoining, CallAlerted, CallDialing, CallHeld} {
		if c, ok := s.find(phase); ok {
			return c, true
		}
	}
	return Call{}, false
}

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
	Account string `json:"account"`
	Name    string `json:"name"`
	Role    string `json:"role"` // agent, supervisor, administrator
	// Leads are the groups whose agents this person may act on in the seat view (PRODUCT E3, E4). All: everybody.
	Leads     []string `json:"leads,omitempty"`
	All       bool     `json:"all,omitempty"`
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
	Called   string    `json:"called,omitempty"` // the number that was dialled, where the server says
	Center   string    `json:"center,omitempty"` // see CallReport
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

	Received  string   `json:"received,omitempty"`  // DTMF received so far
	Unheard   bool     `json:"unheard,omitempty"`   // the far side has heard nothing of the agent for eight seconds of talking time
	Still     bool     `json:"still,omitempty"`     // nobody has said anything for long
	Recording string   `json:"recording,omitempty"` // "", on, paused
	Card      bool     `json:"card,omitempty"`      // card-number mode
	Replaying bool     `json:"replaying,omitempty"` // the last 20 s play in the agent's ear
	Quality   *Quality `json:"quality,omitempty"`   // nil: not measured yet

	Outcome string `json:"outcome,omitempty"` // see CallNote, which can be said during the call
	Note    string `json:"note,omitempty"`
	Unsent  bool   `json:"unsent,omitempty"` // as in PastCall
}

// PastCall is a line of the call list. Results: answered, missed, declined, failed, cancelled, elsewhere, transferred.
type PastCall struct {
	ID      string        `json:"id"`
	Queue   string        `json:"queue,omitempty"`
	Inbound bool          `json:"inbound"`
	Outside bool          `json:"outside"`
	Number  string        `json:"number"`
	Name    string        `json:"name,omitempty"`
	Began   time.Time     `json:"began"`
	Talked  time.Duration `json:"talked"` // nanoseconds
	Result  string        `json:"result"`
	Problem *Problem      `json:"problem,omitempty"`

	Quality   *Quality `json:"quality,omitempty"`   // of the whole call
	Recording string   `json:"recording,omitempty"` // "", kept, sent

	Outcome string `json:"outcome,omitempty"` // see CallNote
	Note    string `json:"note,omitempty"`
	Unsent  bool   `json:"unsent,omitempty"` // the center does not have the newest note yet
}

// Question waits for a yes or a Dismiss. Kinds: exit, signout (yes is the same command with Sure), dial (yes is Dial of
// Number), transfer (yes is FollowTransfer of Call: its far side sends us to Number), origin (yes is AllowOrigin: pages of Origin want
// to dial by this phone).
type Question struct {
	Kind   string `json:"kind"`
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
	Call   string `json:"call,omitempty"`
	Origin string `json:"origin,omitempty"`
}

// Notice is something to know that blocks nothing. Level: info, warn, error.
type Notice struct {
	ID      string    `json:"id"`
	Level   string    `json:"level"`
	Problem Problem   `json:"problem"`
	At      time.Time `json:"at"`
	// Account is whom it is about, where something can be done for that person, and Hand the call that a raised hand is about: whoever
	// leads learns the number here, since the seat view is the same for all who watch it.
	Account string    `json:"account,omitempty"`
	Hand    *HandCall `json:"hand,omitempty"`
}

// Gap is a time in which this phone worked without its center (PRODUCT G9). Waiting are the changes that it has kept with their times,
// to be told when the center is back.
type Gap struct {
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // the center is back since then
	Waiting int       `json:"waiting"`
	Lost    int       `json:"lost,omitempty"` // changes that the center refused afterwards: notices say which and why
}
