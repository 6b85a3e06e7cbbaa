package wire

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

// The dawn check (PRODUCT G10): before the shift the center calls every seat and measures the way that a call will go. A page says
// Check; the center gives each seat's phone a CheckCall and calls its terminal with the same ID in CheckHeader; the phone takes exactly that
// call by itself, returns its sound, and says in a CheckReport what arrived. What was found is a DawnCheck.

// CheckHeader carries CheckCall.ID in the center's INVITE. It is good for one call and never logged.
const CheckHeader = "X-Center-Check"

// States of a SeatCheck.
const (
	CheckWaiting = "waiting" // its turn has not come
	CheckCalling = "calling"
	CheckOK      = "ok"
	CheckWeak    = "weak"   // a call goes through, but the figures are bad, or something is Missing
	CheckFailed  = "failed" // no answer, refused, or no sound
	CheckBusy    = "busy"   // in a call, and not disturbed
	CheckAbsent  = "absent" // nobody is signed in there, or the phone is not connected
)

// From these on a seat is CheckWeak.
const (
	CheckLoss   = 1.0 // percent, either way
	CheckDelay  = 300 // ms, there and back
	CheckJitter = 30  // ms
)

// CheckMost is how long a phone lets a check's call last; it hangs up then, should the center not.
const CheckMost = 10 * time.Second

type (
	// Check begins a check (page → phone → center): of these seats, of that floor, or, with neither, of all that the asker may see. Stop
	// ends the one that runs. Supervisors may have the agents of their groups checked, administrators all.
	Check struct {
		Floor string   `json:"floor,omitempty"`
		Seats []string `json:"seats,omitempty"`
		Stop  bool     `json:"stop,omitempty"`
	}
	// CheckCall has the phone (center → phone) take one call with that ID in CheckHeader, without ring, status, history or after-call work,
	// and never while there is another call.
	CheckCall struct {
		ID    string    `json:"id"`    // 128 bits; never logged
		Until time.Time `json:"until"` // no such call is taken later
	}
	// CheckReport is what came of it (phone → center).
	CheckReport struct {
		ID       string   `json:"id"`
		Received int      `json:"received"` // packets of sound
		Lost     int      `json:"lost"`
		Jitter   float64  `json:"jitter"` // ms
		Missing  []string `json:"missing,omitempty"`
		Why      string   `json:"why,omitempty"` // problem code: the call was not taken, or broken off
	}
	// DawnCheck is a check, the last or the one that runs: JSON of GET /check. Seats are in the order in which they are called.
	DawnCheck struct {
		ID    string      `json:"id"` // "" there was none yet
		At    time.Time   `json:"at,omitzero"`
		Ended time.Time   `json:"ended,omitzero"`
		By    string      `json:"by,omitempty"` // account; "" the schedule
		Name  string      `json:"name,omitempty"`
		Why   string      `json:"why,omitempty"` // problem code: it ended before its end; seats not reached stay waiting
		Seats []SeatCheck `json:"seats"`
	}
	// SeatCheck is what was found at a seat. The figures are those of the last state that is neither waiting nor calling.
	SeatCheck struct {
		Seat      string    `json:"seat"`
		Account   string    `json:"account,omitempty"`
		Name      string    `json:"name,omitempty"` // of the agent
		Extension string    `json:"extension,omitempty"`
		State     string    `json:"state"`
		Ring      int       `json:"ring,omitempty"`      // ms from INVITE to the first answer that is not 100
		Delay     int       `json:"delay,omitempty"`     // ms that sound takes there and back, with what both ends buffer
		LossThere float64   `json:"lossThere,omitempty"` // percent of the packets from the center to the phone
		LossBack  float64   `json:"lossBack,omitempty"`
		Jitter    float64   `json:"jitter,omitempty"` // ms, the worse way
		Secure    bool      `json:"secure,omitempty"` // voice and signalling were encrypted
		Heard     bool      `json:"heard,omitempty"`  // our tone came back
		Missing   []string  `json:"missing,omitempty"`
		Why       string    `json:"why,omitempty"` // problem code
		At        time.Time `json:"at,omitzero"`   // of the state
	}
)

func (Check) Type() string       { return "check" }
func (CheckCall) Type() string   { return "check.call" }
func (CheckReport) Type() string { return "check.report" }

// checkColumns are the names of the CSV's columns: those of the JSON.
var checkColumns = []string{"seat", "account", "name", "extension", "state", "ring", "delay", "lossThere", "lossBack", "jitter", "secure", "heard", "missing", "why", "at"}

// WriteCSV writes a row for each seat beneath a row of names (RFC 4180). A cell that a spreadsheet would take for a formula begins with an
// apostrophe.
func (c DawnCheck) WriteCSV(to io.Writer) error {
	w := csv.NewWriter(to)
	_ = w.Write(checkColumns) // Error tells
	for _, s := range c.Seats {
		_ = w.Write(s.cells())
	}
	w.Flush()
	return w.Error()
}

func (s SeatCheck) cells() []string {
	figure := func(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
	missing := ""
	for i, name := range s.Missing {
		if i > 0 {
			missing += " "
		}
		missing += name
	}
	at := ""
	if !s.At.IsZero() {
		at = s.At.UTC().Format(time.RFC3339)
	}
	cells := []string{s.Seat, s.Account, s.Name, s.Extension, s.State, strconv.Itoa(s.Ring), strconv.Itoa(s.Delay), figure(s.LossThere), figure(s.LossBack),
		figure(s.Jitter), strconv.FormatBool(s.Secure), strconv.FormatBool(s.Heard), missing, s.Why, at}
	for i, c := range cells {
		if c != "" && (c[0] == '=' || c[0] == '+' || c[0] == '-' || c[0] == '@' || c[0] == '\t' || c[0] == '\r') {
			cells[i] = "'" + c
		}
	}
	return cells
}
