package wire

import "time"

// CenterCall stands before HistoryCall.ID where a note is about a call by the name that the center has for it: one that was had at another
// phone, or before this one was started.
const CenterCall = "center "

// What the center keeps for all its phones besides their states: the shared phonebook, and what agents write about calls.
type (
	// Phonebook is the center's, by name: GET /api/v1/phonebook (Authorization: Bearer token; ETag is Rev, If-None-Match → 304).
	// PhonebookChanged says that there is a newer one.
	Phonebook struct {
		Rev      uint64    `json:"rev"`
		Contacts []Contact `json:"contacts"`
	}
	PhonebookChanged struct {
		Rev uint64 `json:"rev"`
	}

	// CallNote is what the agent writes about a call of this phone, during it or after: free text of several lines, at most 2,000
	// characters, and how it ended (ACD: disposition or wrap-up code, 対応結果). The newest wins. A page says it to the agent, and the
	// phone to the center, as often as it takes: what was said is kept until the center has it.
	CallNote struct {
		Call    string `json:"call"`              // as in CallReport and PastCall; CenterCall before HistoryCall.ID
		Outcome string `json:"outcome,omitempty"` // id of one of Desk.Outcomes
		Text    string `json:"text,omitempty"`
		// At is when it was written: of two the later is kept.
		At time.Time `json:"at,omitzero"`
	}
	// Remark is a note of this phone about a call that only the center knows. Unsent: the center does not have it yet.
	Remark struct {
		CallNote
		Unsent bool `json:"unsent,omitempty"`
	}
	// Outcome is one way a call can have ended, in the order of the center.
	Outcome struct {
		ID     string   `json:"id"`
		Name   Words    `json:"name"`
		Queues []string `json:"queues,omitempty"` // names of the queues whose calls can end so; none: every call
	}

	// SeenMissed says that a person has looked at the list of calls: Snapshot.Missed begins anew.
	SeenMissed struct{}

	// RaiseHand asks a supervisor to come, or no more (手上げ). A page says it to the agent and the phone to the center.
	RaiseHand struct {
		On bool `json:"on"`
		// Call is what the agent is in the middle of; the phone fills it in, a page leaves it. Clip: the last 30 s of the call may be
		// heard by those who lead, if the policy allows it.
		Call *HandCall `json:"call,omitempty"`
		Clip bool      `json:"clip,omitempty"`
	}

	// AskSettings is the center's wish to know the settings of this phone, so that an administrator can make a policy of them. The
	// phone answers SettingsReport, once, and tells the person.
	AskSettings struct {
		By string `json:"by"` // who wants to know
	}
	SettingsReport struct {
		Values Values `json:"values"` // as chosen here; locked ones are left out
	}

	// Pop is an address of the customer system that belongs on the screen (PRODUCT A15). A page that has the customer system's tab
	// shows it there and says PopShown; when nobody does within a second the process opens it.
	Pop struct {
		ID  string `json:"id"`
		URL string `json:"url"`
	}
	PopShown struct {
		ID string `json:"id"`
	}

	// AllowOrigin answers the Question "origin" with yes: its pages may ask this phone to dial from now on (setting crm.origins). A
	// Dismiss is no, until the phone is started again.
	AllowOrigin struct {
		Origin string `json:"origin"`
	}
	// OriginAsks is said by the panel's server, never by a page: a page of an origin that is not listed has asked to dial.
	OriginAsks struct {
		Origin string `json:"origin"`
	}
)

// NoteMax is how long the text of a CallNote may be, in characters.
const NoteMax = 2000

func (PhonebookChanged) Type() string { return "phonebook.changed" }
func (CallNote) Type() string         { return "call.note" }
func (SeenMissed) Type() string       { return "calls.seen" }
func (RaiseHand) Type() string        { return "hand.raise" }
func (AskSettings) Type() string      { return "settings.ask" }
func (SettingsReport) Type() string   { return "settings.report" }
func (PopShown) Type() string         { return "crm.shown" }
func (AllowOrigin) Type() string      { return "origin.allow" }
func (OriginAsks) Type() string       { return "panel.origin" }
