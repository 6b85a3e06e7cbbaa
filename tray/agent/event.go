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
	Registered struct{ At, Expires time.Time }
	// Unregistered: the registrar refuses (Final: we stopped asking) or does not answer (we keep trying).
	Unregistered struct {
		Problem wire.Problem
		Final   bool
	}
	// Invited: an INVITE came in. Mark is the value of wire.QueueHeader.
	Invited struct{ Call, User, Host, Name, Mark string }
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
	// Ended: the call is over. Elsewhere: cancelled because somebody else answered (RFC 3326, SIP;cause=200).
	Ended struct {
		Call      string
		ByPeer    bool
		Elsewhere bool
	}
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

// News of the sound.
type (
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
