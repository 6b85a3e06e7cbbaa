package agent

import (
	"time"

	"zaseki/web/wire"
)

// Effect is something the agent wants done, as data. Lane says what it must keep order with: effects of one lane are carried
// out one after the other, lanes run side by side, and the agent waits for none of them.
type Effect interface{ Lane() string }

const (
	laneCenter = "center"
	laneReport = "report"
	laneLine   = "line"
	laneSound  = "sound"
	laneStore  = "store"
)

// Asked of the center.
type (
	AskCheck struct {
		Account  string
		Password wire.Secret
	}
	AskSignIn struct{ SignIn wire.SignIn }
	// AskLocal signs in at a SIP server without a center; it ends in Welcomed or CheckFailed.
	AskLocal struct {
		Form     wire.SIPForm
		Password wire.Secret
	}
	AskStatus struct{ To string }
	AskNext   struct{ To string }
	AskExtend struct{}
	// Leave ends these calls, unregisters, logs off and then tells Left; all within a few seconds, whatever answers.
	// Revoked: the center knows already. Local: there is none.
	Leave struct {
		Calls   []string
		Revoked bool
		Local   bool
	}
	// Report tells the center what a call is at; ReportLine what the registration is at.
	Report     struct{ Call wire.CallReport }
	ReportLine struct{ Line wire.LineReport }
)

// Done on the line.
type (
	// Enrol registers the terminal of the last Welcome and keeps it registered.
	Enrol struct{}
	// Refresh registers again at once: the server may have been restarted and have forgotten us.
	Refresh struct{}
	// Ring sends 180 and prepares the sound's answer, so that Join only has to send it.
	Ring struct{ Call string }
	// Refuse answers an INVITE with a final failure.
	Refuse struct {
		Call   string
		Code   int
		Reason string
	}
	// Join answers: sound first, then 200, then the wait for ACK (up to 32 s). A call that goes on with another of ours comes
	// here without a Ring before.
	Join struct{ Call string }
	// Place calls a number.
	Place struct{ Call, Number string }
	// Drop ends the call in whatever way its state wants: CANCEL, BYE.
	Drop struct{ Call string }
	// Abort is a Drop that overtakes: it breaks off what its lane does, clears what waits behind, then drops.
	// (Interrupting on every Drop would swallow the final answer owed to the caller.)
	Abort struct{ Call string }
	// HoldCall sends the re-INVITE for hold or resume (RFC 3264 §8.4).
	HoldCall struct {
		Call string
		On   bool
	}
	// SendOn sends the far side to that number (blind transfer): SentOn or SendOnFailed of Call.
	SendOn struct{ Call, Number string }
	// Connect sends the far side of Call to that of Other (attended transfer): SentOn or SendOnFailed of Call.
	Connect struct{ Call, Other string }
	// Follow goes where the far side of Call sends us. What becomes of it is told as Progressed, Joined or Failed of New.
	Follow struct{ Call, New string }
	// RefuseMove answers that wish of the far side with 603.
	RefuseMove struct{ Call string }
	// Digits sends DTMF (RFC 4733).
	Digits struct{ Call, Digits string }
	// Forget frees the call's sound.
	Forget struct{ Call string }
)

// Done on the sound.
type (
	// Focus names the call that the page hears and speaks to; "" none.
	Focus struct{ Call string }
	// Mute is enforced on every line, now and later.
	Mute struct{ On bool }
	// Mix makes these calls and the page one conversation; none ends it, and Focus says who is left.
	Mix struct{ Calls []string }
)

// Kept of a session without a center, and asked of its server.
type (
	// Watch asks for the lamps of these numbers and no others.
	Watch struct{ Numbers []string }
	// KeepContacts and KeepHistory write what Recalled gives back, whole.
	KeepContacts struct{ Contacts []wire.Contact }
	KeepHistory  struct{ History []wire.PastCall }
)

// For the loop itself.
type (
	// Alarm posts Expired{Key} after that time; the same key again replaces it, After 0 takes it back.
	Alarm struct {
		Key   string
		After time.Duration
	}
	// Quit ends the loop.
	Quit struct{}
)

func (AskCheck) Lane() string     { return laneCenter }
func (AskSignIn) Lane() string    { return laneCenter }
func (AskLocal) Lane() string     { return laneCenter }
func (AskStatus) Lane() string    { return laneCenter }
func (AskNext) Lane() string      { return laneCenter }
func (AskExtend) Lane() string    { return laneCenter }
func (Leave) Lane() string        { return laneCenter }
func (Report) Lane() string       { return laneReport }
func (ReportLine) Lane() string   { return laneReport }
func (Enrol) Lane() string        { return laneLine }
func (Refresh) Lane() string      { return laneLine }
func (Watch) Lane() string        { return laneLine }
func (e Ring) Lane() string       { return "call " + e.Call }
func (e Refuse) Lane() string     { return "call " + e.Call }
func (e Join) Lane() string       { return "call " + e.Call }
func (e Place) Lane() string      { return "call " + e.Call }
func (e Drop) Lane() string       { return "call " + e.Call }
func (e Abort) Lane() string      { return "call " + e.Call }
func (e HoldCall) Lane() string   { return "call " + e.Call }
func (e SendOn) Lane() string     { return "call " + e.Call }
func (e Connect) Lane() string    { return "call " + e.Call }
func (e Follow) Lane() string     { return "call " + e.New }
func (e RefuseMove) Lane() string { return "call " + e.Call }
func (e Digits) Lane() string     { return "call " + e.Call }
func (e Forget) Lane() string     { return "call " + e.Call }
func (Focus) Lane() string        { return laneSound }
func (Mute) Lane() string         { return laneSound }
func (Mix) Lane() string          { return laneSound }
func (KeepContacts) Lane() string { return laneStore }
func (KeepHistory) Lane() string  { return laneStore }
func (Alarm) Lane() string        { return "" }
func (Quit) Lane() string         { return "" }
