package wire

import "time"

// What phone and center say to each other. Sign-in is HTTP, so that it works before there is a session:
//
//	POST /api/v1/check   CheckRequest   → 200 Checked  | 401, 429 Problem
//	POST /api/v1/signin  SignInRequest  → 200 Welcome  | 401, 404, 409 Problem (409: somebody holds it, may take over)
//	POST /api/v1/resume  ResumeRequest  → 200 Welcome  | 401 Problem
//	POST /api/v1/signout (Authorization: Bearer token) → 204
//	GET  /api/v1/ws      (Authorization: Bearer token, subprotocol center.v1)
//
// On the websocket the phone says SetStatus, SetNext, ExtendWork, CallReport, LineReport, WatchFloor;
// the center says Done, Refused, AgentState, Floor, Notice, Revoked.
type (
	CheckRequest struct {
		Account  string `json:"account"`
		Password string `json:"password"`
		Version  string `json:"version"`
	}
	Checked struct {
		Ticket string `json:"ticket"` // good for one sign-in, five minutes
		Choice Choice `json:"choice"`
	}
	SignInRequest struct {
		Ticket   string `json:"ticket"`
		Terminal string `json:"terminal"`
		Status   string `json:"status"`
		Seat     string `json:"seat"`
		Takeover bool   `json:"takeover"`
		Machine  string `json:"machine"`
	}
	ResumeRequest struct {
		Resume string `json:"resume"`
	}
	// Welcome is everything a phone needs to work. Token and Resume are plain here: this struct is the wire to our own
	// center and is never logged; uplink puts them into Secrets at once.
	Welcome struct {
		Token    string      `json:"token"`
		Resume   string      `json:"resume"` // single use, rotated
		Epoch    uint64      `json:"epoch"`
		Center   string      `json:"center"`
		Me       Me          `json:"me"`
		Statuses []StatusDef `json:"statuses"` // all, system statuses too
		State    AgentState  `json:"state"`
		SIP      SIPAccount  `json:"sip"`
		Profile  Profile     `json:"profile"`
		SeatView bool        `json:"seatView"`
		Plan     Plan        `json:"plan"`
	}
	// SIPAccount is how the terminal registers. Empty Server: the terminal is not ours to register (desk phone).
	SIPAccount struct {
		User      string `json:"user"`
		AuthUser  string `json:"authUser,omitempty"` // digest user name; "" User
		Display   string `json:"display,omitempty"`
		Domain    string `json:"domain"`
		Server    string `json:"server"`    // host:port
		Transport string `json:"transport"` // "" (by DNS), udp, tcp, tls, wss
		Secret    string `json:"secret"`    // rotated with the epoch
		Expires   int    `json:"expires"`   // seconds

		CA          string `json:"ca,omitempty"`          // PEM of the authority that tls and wss trust; "" the system's
		Voice       string `json:"voice,omitempty"`       // a Voice… constant; "" off
		KeysInClear bool   `json:"keysInClear,omitempty"` // SDES keys may travel without TLS
	}
)

type (
	// AgentState is the agent's record at the center, whole: what the phone shows as its status.
	AgentState struct {
		Account  string    `json:"account"`
		Status   string    `json:"status"`
		Since    time.Time `json:"since"`
		Until    time.Time `json:"until,omitzero"` // after-call work ends by itself
		Next     string    `json:"next,omitempty"`
		Seat     string    `json:"seat,omitempty"`
		SeatName string    `json:"seatName,omitempty"`
		Rev      uint64    `json:"rev"` // sequence in the ledger; never goes back
	}
	// CallReport tells the center what a call of this phone is at. Phase is one of the Call… constants or "ended".
	CallReport struct {
		ID      string    `json:"id"`
		Phase   string    `json:"phase"`
		Inbound bool      `json:"inbound"`
		Outside bool      `json:"outside"`
		Peer    string    `json:"peer"`
		Queue   string    `json:"queue,omitempty"`
		Result  string    `json:"result,omitempty"` // with "ended": see PastCall
		At      time.Time `json:"at"`
	}
	// LineReport tells the center whether the terminal is registered.
	LineReport struct {
		Registered bool   `json:"registered"`
		Reason     string `json:"reason,omitempty"`
	}
	// WatchFloor asks for Floor messages from now on, or no more.
	WatchFloor struct {
		On bool `json:"on"`
	}

	// Done answers the request of the envelope's op.
	Done struct{}
	// Refused answers it too.
	Refused struct {
		Problem Problem `json:"problem"`
	}
	// Revoked ends the session: somebody took it over or an administrator closed it.
	Revoked struct {
		Problem Problem `json:"problem"`
	}
	// Floor is the seat view, whole; newest wins.
	Floor struct {
		Rev      uint64      `json:"rev"`
		Floors   []FloorPlan `json:"floors"`
		Seats    []SeatState `json:"seats"`
		Statuses []StatusDef `json:"statuses"`
		Mine     string      `json:"mine,omitempty"` // own seat
		At       time.Time   `json:"at"`
	}
	FloorPlan struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	// SeatState is one seat. Account is empty when nobody sits there. X and Y are in grid cells.
	SeatState struct {
		ID        string    `json:"id"`
		Name      string    `json:"name"`
		Floor     string    `json:"floor"`
		X         int       `json:"x"`
		Y         int       `json:"y"`
		Account   string    `json:"account,omitempty"`
		Agent     string    `json:"agent,omitempty"`
		Extension string    `json:"extension,omitempty"`
		Status    string    `json:"status,omitempty"` // as shown: system statuses cover the agent's own
		Since     time.Time `json:"since,omitzero"`
		Peer      string    `json:"peer,omitempty"`
	}
)

const PhaseEnded = "ended" // CallReport.Phase when a call is over

func (CallReport) Type() string { return "call.report" }
func (LineReport) Type() string { return "line.report" }
func (WatchFloor) Type() string { return "floor.watch" }
func (Done) Type() string       { return "ok" }
func (Refused) Type() string    { return "no" }
func (AgentState) Type() string { return "me" }
func (Floor) Type() string      { return "floor" }
func (Revoked) Type() string    { return "revoked" }
func (Notice) Type() string     { return "notice" }

var (
	phoneWords  = registry(SetStatus{}, SetNext{}, ExtendWork{}, CallReport{}, LineReport{}, WatchFloor{})
	centerWords = registry(Done{}, Refused{}, AgentState{}, Floor{}, Revoked{}, Notice{})
)

// ParsePhone reads what a phone says to the center.
func ParsePhone(e Envelope) (interface{ Type() string }, error) { return parse(phoneWords, e) }

// ParseCenter reads what the center says to a phone.
func ParseCenter(e Envelope) (interface{ Type() string }, error) { return parse(centerWords, e) }
