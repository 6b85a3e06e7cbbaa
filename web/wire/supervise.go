package wire

import "time"

// Listen, whisper, join: no media server takes part. The supervisor's phone says Supervise; the center checks role and group, writes
// it down, and gives the supervisor's phone a Permit and the agent's phone an Attend with the same ID. The supervisor's phone calls the
// agent's terminal with that ID in PermitHeader; the agent's phone takes exactly one such call, into the mix of the agent's
// conversation with the role that Attend names, and refuses every other (403). A later Supervise changes the role without a new call.

// PermitHeader carries Permit.ID in the INVITE. A PBX that drops it is no obstacle: while Attend.Until lasts, the one call from
// Attend.Extension is taken for it.
const PermitHeader = "X-Center-Permit"

// What a supervisor does in somebody's call.
const (
	SuperviseListen  = "listen"  // hears agent and caller, heard by nobody
	SuperviseWhisper = "whisper" // hears both, heard by the agent only
	SuperviseJoin    = "join"    // an ordinary member of the conversation
)

// States of AttendReport.
const (
	AttendBegun   = "begun"
	AttendOver    = "over"
	AttendRefused = "refused"
)

type (
	// Supervise asks the center for it (page → phone → center). Account is the agent's; Mode "" ends it. Follow: it goes on in the
	// agent's next call, and in between nobody hears anybody; without, it ends with the call. Saying it again changes Mode and Follow.
	Supervise struct {
		Account string `json:"account"`
		Mode    string `json:"mode"`
		Follow  bool   `json:"follow,omitempty"`
	}
	// Permit is the center's yes, to the supervisor's phone: it calls Extension with ID until Until. Mode "": it is over, and the
	// phone hangs up.
	Permit struct {
		ID        string    `json:"id"` // 128 bits; never logged, never shown to a page
		Account   string    `json:"account"`
		Agent     string    `json:"agent"` // the agent's name
		Extension string    `json:"extension"`
		Mode      string    `json:"mode"`
		Follow    bool      `json:"follow,omitempty"`
		Until     time.Time `json:"until,omitzero"` // no call is begun later; zero: it has begun, this changes what it is
		Problem   *Problem  `json:"problem,omitempty"`
	}
	// Attend is the same for the agent's phone. Said again with the same ID it changes Mode and Follow; Mode "" ends it.
	Attend struct {
		ID        string    `json:"id"`
		By        string    `json:"by"`   // the supervisor's account
		Name      string    `json:"name"` // and name
		Extension string    `json:"extension"`
		Mode      string    `json:"mode"`
		Follow    bool      `json:"follow,omitempty"`
		Tone      bool      `json:"tone,omitempty"` // by policy: agent and caller hear a tone when it begins, and softly every 15 s
		Until     time.Time `json:"until,omitzero"` // a call with it is taken until then
	}
	// AttendReport tells the center what became of it: by the agent's phone. States are Attend… constants. A permit that nobody gave
	// is reported without ID, for it is a stranger's word.
	AttendReport struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Why   string `json:"why,omitempty"` // of over and refused: a problem's code
	}
	// Attendant is somebody who takes part in the agent's call: what the agent sees of it. Call is the call to us that carries it; Since
	// is zero while that is on its way.
	Attendant struct {
		Account string    `json:"account"`
		Name    string    `json:"name"`
		Mode    string    `json:"mode"`
		Follow  bool      `json:"follow,omitempty"`
		Call    string    `json:"call"`
		Since   time.Time `json:"since,omitzero"`
	}
	// Supervised is whom the supervisor attends: what the supervisor sees of it. Call is the own call that carries it; "" on its way.
	Supervised struct {
		Account string    `json:"account"`
		Agent   string    `json:"agent"`
		Mode    string    `json:"mode"`
		Follow  bool      `json:"follow,omitempty"`
		Call    string    `json:"call,omitempty"`
		Since   time.Time `json:"since,omitzero"`
		Idle    bool      `json:"idle,omitempty"` // the agent is in no call just now
	}

	// SetStatusOf changes the status of somebody else (PRODUCT E3). Next: it is taken when the call ends, as the center offers where a
	// change in a call is refused (E5): then it says ProblemInCallOf. The agent's phone shows who did it.
	SetStatusOf struct {
		Account string `json:"account"`
		To      string `json:"to"`
		Next    bool   `json:"next,omitempty"`
	}
	// LowerHand is a supervisor's answer to a raised hand.
	LowerHand struct {
		Account string `json:"account"`
	}
	// HandCall is what an agent who raises the hand is in the middle of: the context of RaiseHand and of SeatState.Hand. Clip names a
	// recording of the last 30 s at the center, where policy and agent allow it. The seat view has Queue and Since only; the rest is in
	// the notice to those who lead the agent (Notice.Hand).
	HandCall struct {
		Queue  string    `json:"queue,omitempty"`
		Number string    `json:"number,omitempty"`
		Name   string    `json:"name,omitempty"`
		Since  time.Time `json:"since,omitzero"` // of talking
		Clip   string    `json:"clip,omitempty"`
	}

	// Group is people who work together; a supervisor sees and helps the own ones.
	Group struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	// QueueLoad is a queue at this moment: who waits, and since when the first of them does.
	QueueLoad struct {
		ID      string    `json:"id"` // its extension
		Name    string    `json:"name"`
		Waiting int       `json:"waiting"`
		Since   time.Time `json:"since,omitzero"`
		Free    int       `json:"free"` // agents who would be offered a call now
	}
)

func (Supervise) Type() string    { return "supervise" }
func (Permit) Type() string       { return "permit" }
func (Attend) Type() string       { return "attend" }
func (AttendReport) Type() string { return "attend.report" }
func (SetStatusOf) Type() string  { return "status.of" }
func (LowerHand) Type() string    { return "hand.lower" }
