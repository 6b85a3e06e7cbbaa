package wire

import "time"

// What a phone asks of its own past at the center, GET /api/v1/reports/mine/{calls,activity}?from&to&tz&limit&cursor: the newest first.
type (
	// CallHistory is a page of the agent's calls.
	CallHistory struct {
		AsOf  time.Time     `json:"asOf"` // nothing that happened before is missing
		Calls []HistoryCall `json:"calls"`
		Next  string        `json:"next,omitempty"` // there is more: ask again with cursor
	}
	// HistoryCall is a call that the agent made, took or missed.
	HistoryCall struct {
		ID      string    `json:"id"`
		At      time.Time `json:"at"`
		Inbound bool      `json:"inbound"`
		Outside bool      `json:"outside"`
		Peer    string    `json:"peer"` // number at the other end
		Name    string    `json:"name,omitempty"`
		Queue   string    `json:"queue,omitempty"`
		Wait    float64   `json:"wait"` // seconds until the answer or the end; of an offer, how long it rang here
		Talk    float64   `json:"talk"` // seconds
		// Result: answered; missed, with Reason; elsewhere (another agent took it after us); failed (a call that was made, see Code).
		Result string `json:"result"`
		Reason string `json:"reason,omitempty"` // of a missed call: left, unanswered, declined, silent, unreached, refused, …
		Code   int    `json:"code,omitempty"`
		Back   bool   `json:"back,omitempty"` // somebody has spoken with that number since
		Dial   string `json:"dial,omitempty"` // what calls back; "" nobody can be

		Outcome string `json:"outcome,omitempty"` // see CallNote: as the agent said
		Note    string `json:"note,omitempty"`
	}
	// StatusHistory is a page of what the agent was in.
	StatusHistory struct {
		AsOf  time.Time     `json:"asOf"`
		Spans []HistorySpan `json:"spans"`
		Next  string        `json:"next,omitempty"`
	}
	// HistorySpan is one status from its beginning to its end.
	HistorySpan struct {
		Status string    `json:"status"`
		From   time.Time `json:"from"`
		To     time.Time `json:"to,omitzero"` // zero: it lasts
		By     string    `json:"by"`
		Why    string    `json:"why"`
		Seat   string    `json:"seat,omitempty"`
		Out    bool      `json:"out,omitempty"` // it ended by signing out
	}
	// OwnDay is an agent's day in figures, GET /api/v1/reports/mine/day?day=2006-01-02, in the center's zone and as supervisors see it in
	// their report of agents. Times are seconds; a call counts whole where it began.
	OwnDay struct {
		AsOf     time.Time `json:"asOf"`
		Day      string    `json:"day"`      // YYYY-MM-DD
		Today    string    `json:"today"`    // likewise: what day it is at the center
		Taken    int       `json:"taken"`    // calls from outside that were answered
		Made     int       `json:"made"`     // calls to outside that were answered
		Talk     float64   `json:"talk"`     // in all of them
		Average  float64   `json:"average"`  // Talk of one of them; 0 there were none
		Work     float64   `json:"work"`     // after-call work
		Pause    float64   `json:"pause"`    // in statuses of that class
		SignedIn float64   `json:"signedIn"` // all statuses
		// Missed is how many offers came to nothing at the agent's phones, by reason: see HistoryCall.
		Missed map[string]int `json:"missed,omitempty"`
	}
)
