package wire

import "time"

// Timeline is everything that happened to one call, in order: what "Why?" shows (GET /timeline?call=ID of the panel).
type Timeline struct {
	Call  string         `json:"call"`
	Lines []TimelineLine `json:"lines"`
}

// TimelineLine is one moment. Kinds: sip (a message, secrets masked), phone (what the agent decided or a person did), sound.
type TimelineLine struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Sent    bool      `json:"sent,omitempty"` // of a message: by us
	Peer    string    `json:"peer,omitempty"` // address the message went to or came from
	Network string    `json:"network,omitempty"`
	Title   string    `json:"title"`          // INVITE, 180 Ringing, talking…
	Text    string    `json:"text,omitempty"` // the whole message
}
