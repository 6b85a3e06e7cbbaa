package wire

import "time"

// The words about sound: what a center allows, what a person prefers, and how good a call is.

// Policy is what the center decides about the sound of its phones; the zero value allows nothing. It is part of Welcome, and
// a phone without a center has none.
type Policy struct {
	Record string `json:"record,omitempty"` // a Record… constant
	Tone   bool   `json:"tone,omitempty"`   // caller and agent hear a tone when recording begins
	Replay bool   `json:"replay,omitempty"` // the agent may hear the caller's last 20 s again
	Hear   bool   `json:"hear,omitempty"`   // the agent may listen to the recordings of own calls
	Clip   bool   `json:"clip,omitempty"`   // the last 30 s of a call may go to the center with a raised hand, for those who lead
	Key    []byte `json:"key,omitempty"`    // recordings are sealed with it (HPKE, RFC 9180, X25519); the center alone opens them
}

// When calls are recorded.
const (
	RecordNever  = ""
	RecordAsked  = "asked"  // when the agent says so
	RecordAlways = "always" // from the answer on
)

// Recording states of a call, and of a past one.
const (
	RecordingOn     = "on"
	RecordingPaused = "paused" // card-number mode
	RecordingKept   = "kept"   // over; still here, on its way to the center
	RecordingSent   = "sent"   // the center has it
)

// Devices are the person's preferences by the labels that browser and system show, best first: the first that is there is used.
// Empty: the system's own choice.
type Devices struct {
	Microphone []string `json:"microphone,omitempty"`
	Speaker    []string `json:"speaker,omitempty"`
	Ring       []string `json:"ring,omitempty"`
}

// Quality is how a call sounds now, or sounded on the whole.
type Quality struct {
	MOS   float64     `json:"mos"`             // the worse of both directions, 1 to 4.5 (ITU-T G.107)
	In    QualityFlow `json:"in"`              // what the agent hears
	Out   QualityFlow `json:"out"`             // what the far side hears, as it reports
	RTT   float64     `json:"rtt"`             // milliseconds, by RTCP; 0 unknown
	Delay float64     `json:"delay"`           // milliseconds from mouth to ear, estimated
	Trend []float32   `json:"trend,omitempty"` // MOS of the last three minutes, every 5 s, newest last
}

// QualityFlow is one direction. Known is false while nothing was measured or reported.
type QualityFlow struct {
	Known     bool    `json:"known"`
	MOS       float64 `json:"mos"`
	Loss      float64 `json:"loss"`      // percent
	Jitter    float64 `json:"jitter"`    // milliseconds (RFC 3550 §6.4.1)
	Concealed float64 `json:"concealed"` // percent of what was played that was made up
}

// NetworkTest is the test of the way to the center, as voice goes it. State: running, good, fair, bad, failed.
type NetworkTest struct {
	State   string    `json:"state"`
	Loss    float64   `json:"loss"`   // percent
	Jitter  float64   `json:"jitter"` // milliseconds
	RTT     float64   `json:"rtt"`    // milliseconds, median
	MOS     float64   `json:"mos"`    // that a G.711 call would have
	Problem *Problem  `json:"problem,omitempty"`
	At      time.Time `json:"at,omitzero"`
}

type (
	// Replay plays the caller's last 20 s into the agent's ear, beside the call that goes on; Off ends it early.
	Replay struct {
		Call string `json:"call"`
		On   bool   `json:"on"`
	}
	// Record starts or ends recording, where the policy leaves it to the agent.
	Record struct {
		Call string `json:"call"`
		On   bool   `json:"on"`
	}
	// CardMode is on while the caller says a card number: no recording, no listener, no replay, digits masked.
	CardMode struct {
		Call string `json:"call"`
		On   bool   `json:"on"`
	}
	// SaveDevices keeps preferences; they apply at once, also in a call.
	SaveDevices struct {
		Devices
	}
	// EchoTest lets the owner page hear itself half a second later, by way of this process. It ends with a call.
	EchoTest struct {
		On bool `json:"on"`
	}
	// RingTest rings for three seconds on the ring device.
	RingTest struct{}
	// TestNetwork measures the way to the center for five seconds.
	TestNetwork struct{}

	// SoundStats is what the page that carries the sound measured since the last one, about every two seconds in a call. It is
	// no command: the panel gives it to the sound engine.
	SoundStats struct {
		Concealed float64 `json:"concealed"` // percent of what was played
		Buffer    float64 `json:"buffer"`    // milliseconds in the jitter buffer, mean
		Playout   float64 `json:"playout"`   // milliseconds from there to the ear
		Level     float64 `json:"level"`     // microphone, 0 to 1, mean
	}
)

func (Replay) Type() string      { return "call.replay" }
func (Record) Type() string      { return "call.record" }
func (CardMode) Type() string    { return "call.card" }
func (SaveDevices) Type() string { return "devices.save" }
func (EchoTest) Type() string    { return "test.echo" }
func (RingTest) Type() string    { return "test.ring" }
func (TestNetwork) Type() string { return "test.network" }
func (SoundStats) Type() string  { return "sound.stats" }
