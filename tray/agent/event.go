package agent

import (
	"time"

	"zaseki/web/wire"
)

// Event is anything that happens to the agent: a wire.Command from a face, or one of the news below.
type Event any

// News of the center.
type (
	// Checked: account and password are right; step two offers Choice.
	Checked struct{ Choice wire.Choice }
	// CheckFailed: step one was refused or nobody answered.
	CheckFailed struct{ Problem wire.Problem }
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
	// AskRefused: the center refused what was asked. To is the status asked for, if it was one.
	AskRefused struct {
		To      string
		Problem wire.Problem
	}
	// Revoked: the session is over; somebody else has it.
	Revoked struct{ Problem wire.Problem }
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
	Invited struct{ Call, User, Host, Name, Mark, Replaces string }
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
	// Recalled is what KeepContacts and KeepHistory wrote: said after each Welcomed without a center.
	Recalled struct {
		Contacts []wire.Contact
		History  []wire.PastCall
	}
)

// News of the sound.
type (
	// MixFailed: this call cannot be part of a conference.
	MixFailed struct {
		Call    string
		Problem wire.Problem
	}
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
	// SoundLive: a page carries sound, or none does.
	SoundLive struct{ On bool }
)

// Expired is the agent's own alarm clock: see effect Alarm.
type Expired struct{ Key string }
