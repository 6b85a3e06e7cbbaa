package agent

import (
	"strings"
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
	laneRecord = "record"
	laneTest   = "test"
	laneUpdate = "update"

	laneAct  = "act" // never before somebody's own status
	laneBook = "book"
	laneNote = "note"
	lanePast = "past"

	laneKeyring = "keyring" // which may ask a person first

	laneUpdateStop = "update stop" // never behind the download that it ends
)

// Asked of the center.
type (
	AskCheck struct {
		Account  string
		Password wire.Secret
		Keep     bool // for auto sign-in, once signed in; else what is saved of this account goes
	}
	// AskSaved is AskCheck with what is saved. DropCheck breaks that off and clears what waits behind.
	AskSaved  struct{ Account string }
	DropCheck struct{}
	AskSignIn struct{ SignIn wire.SignIn }
	// AskCode and AskMail are the code step: Checked, MailSent or CodeFailed.
	AskCode wire.SendCode
	AskMail wire.MailCode
	// AskSignOn opens the browser at the provider of single sign-on and waits for it to come back: Checked or CheckFailed.
	// DropSignOn waits no more.
	AskSignOn  struct{}
	DropSignOn struct{}
	// AskLocal signs in at a SIP server without a center; it ends in Welcomed or CheckFailed.
	AskLocal struct {
		Form     wire.SIPForm
		Password wire.Secret
	}
	AskStatus struct{ To string }
	// KeepStatus and KeepNext tell it when the center is back, in its turn among reports, a status with its time: KeptTold.
	KeepStatus struct{ To string }
	KeepNext   struct{ To string }
	AskNext    struct{ To string }
	AskExtend  struct{}
	// AskHand raises the hand; Call is what the agent is in the middle of, Clip wants its last 30 s kept.
	AskHand struct {
		On   bool
		Call *wire.HandCall
		Clip string // the call; "" none
	}
	// AskAct is what somebody does to others: AskRefused, unless it is Quiet.
	AskAct struct {
		Act   wire.Command
		Quiet bool
	}
	// AskTerminal moves the sign-in to that terminal: Resumed, with another epoch, or AskRefused.
	AskTerminal struct{ Terminal string }
	// FetchBook asks for the shared phonebook, of which Rev is here: BookCame. DropBook: there is none any more.
	FetchBook struct{ Rev uint64 }
	DropBook  struct{}
	// SendNote tells what was written about a call: NoteTold. AskPast asks for the newest calls of the account: PastCame, if there is an
	// answer. SendSettings answers SettingsAsked.
	SendNote     struct{ Note wire.CallNote }
	AskPast      struct{}
	SendSettings struct{ Values wire.Values }
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
	// ReportAttend tells what became of somebody's part in our calls.
	ReportAttend struct{ Attend wire.AttendReport }
	// ReportCheck tells how a check of this seat went, with what arrived of the sound of Call; "" there was none.
	ReportCheck struct {
		Call   string
		Report wire.CheckReport
	}
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
	// Return is Join for a check: whatever sound comes is sent back.
	Return struct{ Call string }
	// Place calls a number. Permit is shown to the agent's phone that it is good for; "" it is an ordinary call.
	Place struct {
		Call, Number string
		Permit       wire.Secret
	}
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
	// Forget frees the call's sound. Result is as in wire.PastCall, "" for what never was a call; Took is the time from the
	// answer on, Quality that of the whole call, nil when nothing was measured.
	Forget struct {
		Call, Result string
		Took         time.Duration
		Quality      *wire.Quality
	}
)

// Done on the sound.
type (
	// Focus names the call that the page hears and speaks to; "" none.
	Focus struct{ Call string }
	// Mute is enforced on every line, now and later.
	Mute struct{ On bool }
	// Mix makes these calls and the page one conversation; none ends it, and Focus says who is left. Alone: that call is the only one
	// of the agent's own, the others take part in it.
	Mix struct {
		Calls []string
		Alone string
	}
	// Attend gives a supervisor's leg its role, one of the wire.Supervise… constants. Tone: agent and caller hear that it takes part.
	Attend struct {
		Call, Mode string
		Tone       bool
	}
	// Replay plays the last 20 s of the caller into the agent's ear, or ends that: Replaying tells.
	Replay struct {
		Call string
		On   bool
	}
	// Card is on while the caller says a card number: no listener, no replay, and a recording pauses.
	Card struct {
		Call string
		On   bool
	}
	// Record begins a recording, or ends it before the call does: Recording tells.
	Record struct {
		Call string
		On   bool
	}
	// Echo lets the page that owns the sound hear itself.
	Echo struct{ On bool }
	// TestNetwork measures the way to the center: NetworkTested.
	TestNetwork struct{}
	// ShowPage opens a page, to carry the sound.
	ShowPage struct{}
	// RaisePage brings the page that is open to the front.
	RaisePage struct{}
	// OpenCRM opens the customer system in the browser (PRODUCT A15). What becomes of it is not waited for.
	OpenCRM struct{ URL string }
)

// Kept of a person's calls, and asked of the server.
type (
	// Watch asks for the lamps of these numbers and no others.
	Watch struct{ Numbers []string }
	// KeepContacts, KeepMissed and KeepNotes write what Recalled gives back, whole. Whose is the account at the center, "" without one.
	// KeepHistory is only without one.
	KeepContacts struct {
		Whose    string
		Contacts []wire.Contact
	}
	KeepMissed struct {
		Whose  string
		Missed Missed
	}
	KeepNotes struct {
		Whose string
		Notes []wire.CallNote
	}
	KeepHistory struct{ History []wire.PastCall }
)

// KeepDevices remembers what the person prefers, for every sign-in on this machine.
type KeepDevices struct{ Devices wire.Devices }

// Kept of this machine's settings.
type (
	// KeepSettings writes what was chosen, whole; KeepRules what the center has set.
	KeepSettings struct{ Chosen wire.Values }
	KeepRules    struct{ Rules Rules }
	// KeepOnce writes what the form of one step offers; nil: there is no such form. DropSaved takes what is saved for auto sign-in out of
	// the keyring: Filed.
	KeepOnce  struct{ Offer *wire.Choice }
	DropSaved struct{}
	// ApplySetting makes one setting hold; Values are all as they hold now. SettingFailing tells when it cannot.
	ApplySetting struct {
		Name   string
		Values wire.Values
	}
	// Latest is what the center says is the newest phone: Updated, if it is newer than this one. GetUpdate and StopUpdate are the
	// person's.
	Latest     struct{ Release wire.Release }
	GetUpdate  struct{}
	StopUpdate struct{}
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
func (AskCode) Lane() string      { return laneCenter }
func (AskMail) Lane() string      { return laneCenter }
func (AskSignOn) Lane() string    { return laneCenter }
func (DropSignOn) Lane() string   { return laneCenter }
func (OpenCRM) Lane() string      { return laneTest }
func (AskLocal) Lane() string     { return laneCenter }
func (AskStatus) Lane() string    { return laneCenter }
func (AskNext) Lane() string      { return laneCenter }
func (KeepStatus) Lane() string   { return laneReport }
func (KeepNext) Lane() string     { return laneReport }
func (AskExtend) Lane() string    { return laneCenter }
func (AskHand) Lane() string      { return laneCenter }
func (AskTerminal) Lane() string  { return laneCenter }
func (AskAct) Lane() string       { return laneAct }
func (ReportAttend) Lane() string { return laneReport }
func (Attend) Lane() string       { return laneSound }
func (e Return) Lane() string     { return "call " + e.Call }
func (FetchBook) Lane() string    { return laneBook }
func (DropBook) Lane() string     { return laneBook }
func (SendNote) Lane() string     { return laneNote }
func (AskPast) Lane() string      { return lanePast }
func (SendSettings) Lane() string { return lanePast }
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
func (Replay) Lane() string       { return laneSound }
func (Card) Lane() string         { return laneSound }
func (Echo) Lane() string         { return laneSound }
func (Record) Lane() string       { return laneRecord }
func (TestNetwork) Lane() string  { return laneTest }
func (ShowPage) Lane() string     { return laneTest }
func (RaisePage) Lane() string    { return laneTest }
func (KeepDevices) Lane() string  { return laneStore }
func (KeepContacts) Lane() string { return laneStore }
func (KeepHistory) Lane() string  { return laneStore }
func (KeepMissed) Lane() string   { return laneStore }
func (KeepNotes) Lane() string    { return laneStore }
func (KeepSettings) Lane() string { return laneStore }
func (KeepRules) Lane() string    { return laneStore }
func (KeepOnce) Lane() string     { return laneStore }
func (DropSaved) Lane() string    { return laneKeyring }
func (AskSaved) Lane() string     { return laneCenter }
func (DropCheck) Lane() string    { return laneCenter }
func (Latest) Lane() string       { return laneUpdate }
func (GetUpdate) Lane() string    { return laneUpdate }
func (StopUpdate) Lane() string   { return laneUpdateStop }

// Lane of a setting: those of a kind keep order, and a slow kind keeps no other waiting.
func (e ApplySetting) Lane() string {
	kind, _, _ := strings.Cut(e.Name, ".")
	return "setting " + kind
}

func (Alarm) Lane() string { return "" }
func (Quit) Lane() string  { return "" }

// Lane of a report: behind what the call still does, before it is forgotten.
func (e ReportCheck) Lane() string {
	if e.Call == "" {
		return laneReport
	}
	return "call " + e.Call
}
