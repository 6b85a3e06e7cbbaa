// Package media carries the sound: the page leg (WebRTC to the browser, which is microphone and loudspeaker), the line leg
// (plain RTP to the network) and the bridge between them, which copies payloads and rewrites headers.
//
// A page is disposable: when it goes away the line is kept alive with silence, and the next page is attached. Mute is
// enforced here, not in the page. An SDP is a string: media makes and reads it, whoever has the SIP carries it.
package media

import (
	"errors"
	"log/slog"
	"time"
)

// Errors a caller chooses by.
var (
	ErrNoCodec  = errors.New("no codec in common")           // RFC 3261 §21.4.26: answer 488
	ErrNoLine   = errors.New("no such line")                 //
	ErrNoDigits = errors.New("telephone-event not agreed")   // RFC 4733 was not negotiated
	ErrBadSDP   = errors.New("session description unusable") //
	ErrClosed   = errors.New("media is closed")              //
)

// Config is what an engine needs to know.
type Config struct {
	Log  *slog.Logger
	Tell func(Event) // must neither block nor call the engine; nil: nobody listens

	// Codecs offered on lines, best first, of "opus", "G722", "PCMU", "PCMA". Empty: G722, PCMU, PCMA, opus.
	// Lines that Play cannot use opus: leave it out of their engine's.
	Codecs []string

	// InBand lets DTMF be sent and heard as tones on lines with G.711 whose far side knows no telephone-events.
	InBand bool

	// Ports is the range for the even RTP ports of lines (RFC 3550 §11), both ends included; zero: any free port.
	PortLow, PortHigh uint16

	Ports *Ports // that engines of one process share; nil: the engine has its own
}

// Event is what the engine tells.
type Event interface{ mediaEvent() }

type (
	// PageLive says whether the page that owns the sound carries sound right now, and by what Way: "webrtc" or "websocket", "" when
	// it has no connection.
	PageLive struct {
		Page string
		Live bool
		Way  string
	}
	// Gone says that no page has carried the sound of a call for two seconds; Back that one does again, or the call is over.
	Gone struct{ Back bool }
	// LineSilent says that the network has sent nothing for five seconds though it should, or that it does again.
	LineSilent struct {
		Line   string
		Silent bool
	}
	// WayLost says that nothing answers any more where ICE sends a line's sound, so that none may be sent there (RFC 7675 §5.1). It
	// comes back by itself, or by MoveOffer: an ICE restart (RFC 8445 §9), which may go to the same address.
	WayLost struct{ Line string }
	// Digit is a DTMF digit received (RFC 4733), once per key press.
	Digit struct{ Line, Digit string }
	// FirstPacket is the first RTP packet of speech on a line, from a page to the network (Out) or from the network.
	FirstPacket struct {
		Line string
		Out  bool
		At   time.Time
	}
	// Played says that the source given to Play has ended.
	Played struct{ Line string }
	// Secured says that a line's DTLS handshake is over: sound passes by Suite from now on, or, with Err, never will.
	Secured struct {
		Line, Suite string
		Err         error
	}
)

func (PageLive) mediaEvent()    {}
func (Gone) mediaEvent()        {}
func (LineSilent) mediaEvent()  {}
func (WayLost) mediaEvent()     {}
func (Digit) mediaEvent()       {}
func (FirstPacket) mediaEvent() {}
func (Played) mediaEvent()      {}
func (Secured) mediaEvent()     {}

// Order is what a page has to do, whole; the newest wins.
type Order struct {
	Owner   bool   `json:"owner"`   // this page is microphone and loudspeaker
	Taken   bool   `json:"taken"`   // another page is
	Codec   string `json:"codec"`   // to encode with: "opus", "G722", "PCMU", "PCMA"; without a call, what the next one will want
	Live    bool   `json:"live"`    // a call wants sound
	Restart int    `json:"restart"` // counter: when it grows, restart ICE and offer again
	Renew   int    `json:"renew"`   // counter: when it grows, offer with a new connection
	Mic     bool   `json:"mic"`     // the microphone is wanted though there may be no call: echo test
}

// Source gives 20 ms of sound at a time: 160 samples at 8 kHz. False: there is no more.
type Source interface{ Next(frame []int16) bool }

// Stats is how a line does. RTT is by RTCP (RFC 3550 §6.4.1), zero while unknown.
type Stats struct {
	Codec    string        `json:"codec"`
	Secure   string        `json:"secure"` // what encrypts it, such as AES_CM_128_HMAC_SHA1_80 or DTLS …; "" plain, or no keys yet
	Bad      uint64        `json:"bad"`    // packets that were forged, repeated or locked with another key
	Sent     Flow          `json:"sent"`   // lost and jitter as the far side reports them
	Received Flow          `json:"received"`
	RTT      time.Duration `json:"rtt"` // nanoseconds
}

// Flow is one direction of a line.
type Flow struct {
	Packets uint64        `json:"packets"`
	Bytes   uint64        `json:"bytes"` // of payload
	Lost    int64         `json:"lost"`
	Jitter  time.Duration `json:"jitter"` // nanoseconds, RFC 3550 §6.4.1
}
