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
// On the websocket the phone says SetStatus, SetNext, ExtendWork, CallReport, LineReport, WatchFloor, CallNote, RaiseHand,
// SettingsReport, UseTerminal, Supervise, AttendReport, SetStatusOf, LowerHand, SendMessage, ReadMessages, Check, CheckReport;
// the center says Done, Refused, AgentState, Floor, FloorChange, Notice, Revoked, Nodes, Bye, PhonebookChanged, AskSettings, Permit,
// Attend, Messages, CheckCall.
type (
	CheckRequest struct {
		Account  string `json:"account"`
		Password string `json:"password"`
		Version  string `json:"version"`
		Device   string `json:"device,omitempty"` // of a trusted device, from an earlier Checked
	}
	Checked struct {
		Ticket string `json:"ticket"` // good for one sign-in, five minutes
		Choice Choice `json:"choice"`
		Need   *Need  `json:"need,omitempty"`   // something is missing besides the password; then there is no ticket
		Device string `json:"device,omitempty"` // secret of a device that is trusted from now on
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
		Policy   Policy      `json:"policy"`
		Probe    *Probe      `json:"probe,omitempty"` // where TestNetwork measures; nil: this center has no such place
		Desk     Desk        `json:"desk"`
		Nodes    []string    `json:"nodes,omitempty"` // base URLs of the center's other nodes: any of them knows this session
	}
	// Probe is the center's echo for TestNetwork: datagrams that begin with Key come back as they are, as long as the session lives.
	Probe struct {
		Addr string `json:"addr"` // host:port, UDP
		Key  []byte `json:"key"`
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
		Hand     time.Time `json:"hand,omitzero"` // raised since then (RaiseHand)
		Rev      uint64    `json:"rev"`           // sequence in the ledger; never goes back
	}
	// CallReport tells the center what a call of this phone is at. Phase is one of the Call… constants or "ended".
	CallReport struct {
		ID      string    `json:"id"`
		Phase   string    `json:"phase"`
		Inbound bool      `json:"inbound"`
		Outside bool      `json:"outside"`
		Peer    string    `json:"peer"`
		Queue   string    `json:"queue,omitempty"`
		Center  string    `json:"center,omitempty"`  // how the exchange that sent it names the call; "" it does not say
		Result  string    `json:"result,omitempty"`  // with "ended": see PastCall
		Quality *Quality  `json:"quality,omitempty"` // with "ended"; without Trend
		At      time.Time `json:"at"`
		Late    int64     `json:"late,omitempty"` // so many milliseconds ago, of one that was kept while the center was away
	}
	// LineReport tells the center whether the terminal is registered.
	LineReport struct {
		Registered bool   `json:"registered"`
		Reason     string `json:"reason,omitempty"`
		// Missing is what is not proven just now for a call that could ring here (PRODUCT G1): names of Snapshot's ready list, such
		// as page, mic, ring. Said anew when it changes; the websocket's heartbeat keeps it fresh.
		Missing []string `json:"missing,omitempty"`
	}
	// WatchFloor asks for the seat view from now on, or no more; the newest wins. Floor names one floor; "" or one that is no more: all
	// of them. A Floor comes first, then FloorChange with what has changed, or a Floor again for whoever fell behind.
	WatchFloor struct {
		On    bool   `json:"on"`
		Floor string `json:"floor,omitempty"`
		Mine  bool   `json:"mine,omitempty"` // the floor one sits on, or the first: for who does not know the floors yet
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
	// Bye comes before the center ends the connection: come back within Spread milliseconds, each phone at a moment of its own,
	// here or at one of Nodes. Settings: resume the session, for where to register has changed.
	Bye struct {
		Spread   int      `json:"spread"`
		Nodes    []string `json:"nodes,omitempty"`
		Settings bool     `json:"settings,omitempty"`
	}
	// Nodes are base URLs of the center's other nodes: said at the begin of a connection, and when they change.
	Nodes struct {
		URLs []string `json:"urls"`
	}
	// Floor is the seat view, whole; newest wins. Where one floor is watched, Only names it, Seats are those on it, and Floors names the
	// others too, without what is drawn there.
	Floor struct {
		Rev      uint64      `json:"rev"`            // rises strictly from one Floor or FloorChange to the next, until something else is watched
		Only     string      `json:"only,omitempty"` // the floor that is shown; "" all
		Floors   []FloorPlan `json:"floors"`
		Seats    []SeatState `json:"seats"`
		Statuses []StatusDef `json:"statuses"`
		Groups   []Group     `json:"groups,omitempty"`
		Queues   []QueueLoad `json:"queues,omitempty"` // of the whole center, by name
		// Counts tell of every floor, those too whose seats are not here; none where there is one floor.
		Counts []FloorCount `json:"counts,omitempty"`
		Mine   string       `json:"mine,omitempty"` // own seat: the phone's own mark, the center says the same to all who watch
		At     time.Time    `json:"at"`
	}
	// FloorChange is what became of some seats: whole rows, newest wins. Gone names seats that are no more, or not on this floor. One
	// with an older Rev than what is shown is ignored.
	FloorChange struct {
		Rev   uint64      `json:"rev"`
		Seats []SeatState `json:"seats,omitempty"`
		Gone  []string    `json:"gone,omitempty"`
		// Queues are all of them anew when one has changed; nil: none has.
		Queues []QueueLoad `json:"queues,omitempty"`
		// Counts are those of the floors whose numbers have changed.
		Counts []FloorCount `json:"counts,omitempty"`
		At     time.Time    `json:"at"`
	}
	// FloorCount is how many seats a floor has, how many people are signed in there, how many of those a call from outside may go to,
	// and how many have raised the hand.
	FloorCount struct {
		Floor string `json:"floor"`
		Seats int    `json:"seats"`
		In    int    `json:"in"`
		Free  int    `json:"free"`
		Hands int    `json:"hands"`
	}
	// FloorPlan is a floor: so many cells wide and high (0: as its seats need), with what is drawn beside the seats.
	FloorPlan struct {
		ID     string      `json:"id"`
		Name   string      `json:"name"`
		Width  int         `json:"width,omitempty"`
		Height int         `json:"height,omitempty"`
		Shapes []FloorPart `json:"shapes,omitempty"`
	}
	// FloorPart is a wall, a desk, a room or a word on the map, in cells.
	FloorPart struct {
		Kind   string `json:"kind"` // wall, desk, room, text
		X      int    `json:"x"`
		Y      int    `json:"y"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Text   string `json:"text,omitempty"`
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
		Hand      time.Time `json:"hand,omitzero"`     // raised since then
		Over      bool      `json:"over,omitempty"`    // in this status for longer than it may last
		Missing   []string  `json:"missing,omitempty"` // why no call comes though the status would take it; see LineReport

		Groups   []string  `json:"groups,omitempty"`   // of the agent, by id
		Call     string    `json:"call,omitempty"`     // of the agent: a Call… phase, the one that matters most; "" none
		Queue    string    `json:"queue,omitempty"`    // the call came by it: its name
		Inbound  bool      `json:"inbound,omitempty"`  // of Call
		Talks    time.Time `json:"talks,omitzero"`     // Call is in this phase since
		Next     string    `json:"next,omitempty"`     // status to be taken when the call ends
		Attended int       `json:"attended,omitempty"` // so many listen, whisper or have joined
		HandCall *HandCall `json:"handCall,omitempty"` // with Hand
		Ring     string    `json:"ring,omitempty"`     // receipt of the last offer (PRODUCT G3): rings, silent, unreached; "" none of this sign-in
	}
)

const PhaseEnded = "ended" // CallReport.Phase when a call is over

func (CallReport) Type() string  { return "call.report" }
func (LineReport) Type() string  { return "line.report" }
func (WatchFloor) Type() string  { return "floor.watch" }
func (Done) Type() string        { return "ok" }
func (Refused) Type() string     { return "no" }
func (AgentState) Type() string  { return "me" }
func (Floor) Type() string       { return "floor" }
func (FloorChange) Type() string { return "floor.change" }
func (Revoked) Type() string     { return "revoked" }
func (Bye) Type() string         { return "bye" }
func (Nodes) Type() string       { return "nodes" }
func (Notice) Type() string      { return "notice" }

var (
	phoneWords = registry(SetStatus{}, SetNext{}, ExtendWork{}, CallReport{}, LineReport{}, WatchFloor{}, CallNote{}, RaiseHand{}, SettingsReport{}, UseTerminal{},
		Supervise{}, AttendReport{}, SetStatusOf{}, LowerHand{}, SendMessage{}, ReadMessages{}, Check{}, CheckReport{})
	centerWords = registry(Done{}, Refused{}, AgentState{}, Floor{}, FloorChange{}, Revoked{}, Bye{}, Nodes{}, Notice{}, PhonebookChanged{}, AskSettings{}, Permit{}, Attend{}, Messages{}, CheckCall{})
)

// ParsePhone reads what a phone says to the center.
func ParsePhone(e Envelope) (interface{ Type() string }, error) { return parse(phoneWords, e) }

// ParseCenter reads what the center says to a phone.
func ParseCenter(e Envelope) (interface{ Type() string }, error) { return parse(centerWords, e) }
