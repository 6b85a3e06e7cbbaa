package agent

import (
	"time"

	"zaseki/web/wire"
)

// Event is anything that happens to the agent: a wire.Command from a face, or one of the news below.
type Event any

// News of the center.
type (
	// Checked: account and password are right, or a code after them, or the provider has vouched; step two offers Choice. With
	// Need that was not enough yet. Keeps: this machine can keep that it is trusted.
	Checked struct {
		Choice wire.Choice
		Need   *wire.Need
		Keeps  bool
	}
	// CheckFailed: step one was refused or nobody answered; or single sign-on was.
	CheckFailed struct{ Problem wire.Problem }
	// MailSent: a code is on its way by mail.
	MailSent struct{}
	// CodeFailed: a code was refused, or none could be sent.
	CodeFailed struct{ Problem wire.Problem }
	// SignOnOpened: the browser was sent there.
	SignOnOpened struct{ URL string }
	// SignOnOffered: how one signs in at this center; SignOn is nil when it has no provider of single sign-on.
	SignOnOffered struct {
		SignOn  *wire.SingleSignOn
		Profile wire.Profile
	}
	// Welcomed: signed in.
	Welcomed struct{ Welcome wire.Welcome }
	// EntryFailed: step two was refused.
	EntryFailed struct{ Problem wire.Problem }
	// Resumed: the session goes on after a break; settings may have changed.
	Resumed struct{ Welcome wire.Welcome }
	// Noticed: the center wants the person to know something.
	Noticed struct{ Notice wire.Notice }
	// Left: calls ended, terminal unregistered, logged off at the center (or given up after its time).
	Left struct{}
	// Linked: the connection to the center came or went.
	Linked struct{ Online bool }
	// Stated: the agent's record at the center, whole.
	Stated struct{ State wire.AgentState }
	// KeptTold: the center has heard what was kept for it, and refused it if the problem has a code.
	KeptTold struct{ Problem wire.Problem }
	// AskRefused: the center refused what was asked. To is the status asked for, if it was one.
	AskRefused struct {
		To      string
		Problem wire.Problem
	}
	// Revoked: the session is over; somebody else has it.
	Revoked struct{ Problem wire.Problem }
	// BookChanged: the center has a newer phonebook. BookCame: this is it, its names as Index makes them; or, with Problem, why not.
	BookChanged struct{ Rev uint64 }
	BookCame    struct {
		Rev     uint64
		Names   map[string]string
		Problem *wire.Problem
	}
	// NoteTold: the center has that note, or a newer one; with Problem it did not take it.
	NoteTold struct {
		Note    wire.CallNote
		Problem *wire.Problem
	}
	// PastCame are the newest calls of the account, as the center knows them.
	PastCame struct{ Calls []wire.HistoryCall }
	// SettingsAsked: somebody at the center wants to know the settings of this phone.
	SettingsAsked struct{ By string }
)

// News of the line, that is of SIP.
type (
	// Registered: the registrar keeps us until Expires. Secure: over TLS or WSS.
	Registered struct {
		At, Expires time.Time
		Secure      bool
	}
	// Unregistered: the registrar refuses (Final: we stopped asking) or does not answer (we keep trying).
	Unregistered struct {
		Problem wire.Problem
		Final   bool
	}
	// Invited: an INVITE came in. Mark is what wire.Plan.Mark makes of its headers; Replaces is our call that it goes on
	// with (RFC 3891), already found and proven by the line, "" none.
	Invited struct {
		Call, User, Host, Name, Mark, Replaces string

		Permit string // of the center, for a supervisor's call; "" none
		Check  string // the name of a check of the center; "" it is none

		Called string // the number that was dialled; "" the server does not say
		Center string // how our exchange names the call; "" it is not from there
	}
	// Progressed: a provisional response to our INVITE, 180 to 199.
	Progressed struct {
		Call string
		Code int
	}
	// Joined: sound may flow; our 200 was acknowledged, or we acknowledged theirs.
	Joined struct{ Call string }
	// Failed: our call was refused with this SIP status (RFC 3261 §21), or could not be made (Problem).
	Failed struct {
		Call    string
		Code    int
		Reason  string
		Problem wire.Problem
	}
	// Ended: the call is over. Elsewhere: cancelled because somebody else answered (RFC 3326, SIP;cause=200). Replaced:
	// another call of ours goes on with it.
	Ended struct {
		Call      string
		ByPeer    bool
		Elsewhere bool
		Replaced  bool
	}
	// Quiet: the server has said nothing to our INVITE for eight seconds.
	Quiet struct{ Call string }
	// HoldDone: the far side accepted our hold or resume; HoldFailed: it did not.
	HoldDone struct {
		Call string
		On   bool
	}
	HoldFailed struct {
		Call    string
		Problem wire.Problem
	}
	// PeerHeld: the far side holds us, or no longer.
	PeerHeld struct {
		Call string
		On   bool
	}
)

// News of transfers, and of what the server watches for us.
type (
	// SentOn: the far side of Call talks to whom we sent it, and has left us (with Connect, so has the other).
	SentOn struct{ Call string }
	// SendOnFailed: it is still with us. Code is a SIP status, 0 with Problem.
	SendOnFailed struct {
		Call    string
		Code    int
		Reason  string
		Problem wire.Problem
	}
	// TransferAsked: the far side of Call asks us to call Number at Host instead. By names who asks.
	TransferAsked struct {
		Call, Number, Host, Name, By string
		Attended                     bool
	}
	// Renamed: the far side of Call is somebody else now, or has a better name, as our server says. Mark is as in Invited.
	Renamed struct{ Call, Number, Host, Name, Mark string }
	// DigitHeard: the far side sent DTMF.
	DigitHeard struct{ Call, Digit string }
	// MessagesWaiting is what waits at the server, Lamp what one watched number does.
	MessagesWaiting struct{ Voicemail wire.Voicemail }
	Lamp            struct{ Lamp wire.Lamp }
	// MemoryScarce: this program has nearly as much memory as it may have. Until it has not, no new call begins.
	MemoryScarce struct{ On bool }
	// CallLost is a call that the process before this one was in when it was killed, as far as it was written down; it is over.
	CallLost struct{ Call wire.Call }
	// Recalled is what KeepContacts, KeepHistory, KeepMissed and KeepNotes wrote, and the shared phonebook as it was: said with each
	// Welcomed. There is a History only without a center, which has its own, and notes and phonebook only with one.
	Recalled struct {
		Contacts []wire.Contact
		History  []wire.PastCall
		Missed   Missed
		Notes    []wire.CallNote
		Book     BookCame
	}
)

// News of the sound.
type (
	// MixFailed: this call cannot be part of a conference.
	MixFailed struct{ Call string }
	// Voiced: what this call's sound was negotiated to.
	Voiced struct {
		Call, Codec string
		Secure      bool
	}
	// LineSilent: nothing came from the network for five seconds, or it came back.
	LineSilent struct {
		Call string
		On   bool
	}
	// SoundLive: a page carries sound, and by what way (see wire.Snapshot), or none does.
	SoundLive struct {
		On  bool
		Way string
	}
	// SoundGone: in a call no page has carried its sound for two seconds; Back: one does again.
	SoundGone struct{ Back bool }
	// MutedTalk: the microphone hears talking though it is muted, or no more.
	MutedTalk struct{ On bool }
	// Unheard: the far side has heard nothing of the agent for eight seconds of talking time, though not muted.
	Unheard struct {
		Call string
		On   bool
	}
	// Still: nobody in the call has said anything for half a minute, or somebody does again.
	Still struct {
		Call string
		On   bool
	}
	// Measured is the quality of a call, about every five seconds.
	Measured struct {
		Call    string
		Quality wire.Quality
	}
	// Replaying: the last 20 s of the caller play in the agent's ear, or no more.
	Replaying struct {
		Call string
		On   bool
	}
	// Recording: what the recording of a call is at, one of the wire.Recording… constants, also after its end. An empty
	// State: it is over and nothing is kept, or with Problem that it broke.
	Recording struct {
		Call, State string
		Problem     wire.Problem
	}
	// RingDevices: what this process can ring on.
	RingDevices struct{ Names []string }
	// NetworkTested: the way to the center was measured.
	NetworkTested struct{ Test wire.NetworkTest }
)

// News of this machine.
type (
	// Started: the phone runs, and its faces and instruments with it. Keyring: this machine keeps secrets; Why not.
	Started struct {
		Keyring bool
		Why     string
	}
	// Filed is what the machine keeps for auto sign-in now; whether it may is not told here.
	Filed struct{ Saved wire.Saved }
	// SettingFailing: a setting does not work here; nil: it does.
	SettingFailing struct {
		Name    string
		Problem *wire.Problem
	}
	// Warned: something went wrong that blocks nothing.
	Warned struct{ Problem wire.Problem }
	// Updated is what is known of a newer version of the phone; nil: nothing.
	Updated struct{ Update *wire.Update }
)

// Expired is the agent's own alarm clock: see effect Alarm.
type Expired struct{ Key string }
