package wire

import "time"

// Timeline is everything that happened to one call, in order: what "Why?" shows (GET /timeline?call=ID of the panel).
type Timeline struct {
	Call  string         `json:"call"`
	Lines []TimelineLine `json:"lines"`
	Facts *CallFacts     `json:"facts,omitempty"` // what the center has of it; nil: nothing, or it was not reached (Problem)
	// Quality is the whole call's with Trend, where this phone carried it.
	Quality *Quality `json:"quality,omitempty"`
	Problem *Problem `json:"problem,omitempty"` // why the center's part is missing
}

// CallFacts are what the center's ledger says of a call: where it came from, to whom it was offered and why, who ended it.
type CallFacts struct {
	ID        string    `json:"id"` // the center's
	Direction string    `json:"direction"`
	From      string    `json:"from"`
	Name      string    `json:"name,omitempty"`
	To        string    `json:"to"`
	Queue     string    `json:"queue,omitempty"`
	Account   string    `json:"account,omitempty"` // who took it
	Agent     string    `json:"agent,omitempty"`
	Result    string    `json:"result"`
	Reason    string    `json:"reason,omitempty"` // why it was missed; see the reports
	Began     time.Time `json:"began"`
	Answered  time.Time `json:"answered,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
	Outside   bool      `json:"outside,omitempty"`
	Code      int       `json:"code,omitempty"`    // final SIP code towards the caller
	Message   string    `json:"message,omitempty"` // the recording that the caller left
	// HungUp: caller, agent (who was called here), callee (who was called outside), center; "" unknown, or it was never answered.
	HungUp string      `json:"hungUp,omitempty"`
	Holds  int         `json:"holds,omitempty"`  // how often either side was put on hold
	SentBy string      `json:"sentBy,omitempty"` // who sent it on last: a name or a number
	SentTo string      `json:"sentTo,omitempty"`
	Sound  *CallSound  `json:"sound,omitempty"` // as the agent's phone reported
	Offers []CallOffer `json:"offers,omitempty"`
}

// CallSound is how a whole call sounded, in its worse direction.
type CallSound struct {
	MOS    float64 `json:"mos"`    // 1 to 4.5 (ITU-T G.107)
	Loss   float64 `json:"loss"`   // percent
	Jitter float64 `json:"jitter"` // milliseconds
	Delay  float64 `json:"delay"`  // milliseconds
}

// CallOffer is one try to have an agent take the call. Result: answered, declined, missed, silent (no receipt of ringing in time),
// unreached, taken (by another), cancelled.
type CallOffer struct {
	Account string    `json:"account"`
	Agent   string    `json:"agent"`
	At      time.Time `json:"at"`
	Rang    time.Time `json:"rang,omitzero"` // the receipt (PRODUCT G3)
	Took    int64     `json:"took"`          // milliseconds until Result
	Result  string    `json:"result"`
	// Why this agent: idle (free for the longest of those who could be offered it), skill (of a better level than they), only (nobody else could). Passed
	// are those who were passed over, by account, twenty at most, with what they lacked: the id of a status, a name of LineReport.Missing, reserved (another
	// call was about to ring there) or tried (it had been offered there). Names are theirs.
	Why    string            `json:"why,omitempty"`
	Passed map[string]string `json:"passed,omitempty"`
	Names  map[string]string `json:"names,omitempty"`
}

// TimelineLine is one moment. Kinds: sip (a message, secrets masked), phone (what the agent decided or a person did), sound,
// center (what the ledger has: queue, offers, receipts, supervision). The center's titles are phrases with Holes, in both languages under
// "moment." and the title with _ for all that is no letter: "offered: idle" is moment.offered_idle. Holes are who, by, to (names), number, queue, place,
// ms, code, text, and ids that have names of their own: status, outcome, mode (Supervise…).
type TimelineLine struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`           // sip, phone, sound, center
	Sent    bool      `json:"sent,omitempty"` // of a message: by us
	Peer    string    `json:"peer,omitempty"` // address the message went to or came from
	Network string    `json:"network,omitempty"`
	Title   string    `json:"title"`          // INVITE, 180 Ringing, talking…
	Text    string    `json:"text,omitempty"` // the whole message

	Holes map[string]string `json:"holes,omitempty"` // of Title
}
