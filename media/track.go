package media

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// track is what the page hears. It keeps every payload type that was negotiated, since the codec may change with each
// packet (pion's own static track knows one).
type track struct {
	cut *shortcut // nil: everything goes pion's way

	mu sync.Mutex             // for who changes ways
	to atomic.Pointer[outlet] // nil: nothing was negotiated yet

	gate gate // guards what follows
	out  stream
	head rtp.Header
}

// outlet is where the packets of a track go. It is never changed, only replaced.
type outlet struct {
	w   webrtc.TrackLocalWriter // nil: not connected
	pts [codecs]uint8
	has [codecs]bool
}

func newTrack() *track { return &track{out: newStream()} }

func (t *track) ID() string                { return "line" }
func (t *track) RID() string               { return "" }
func (t *track) StreamID() string          { return "zaseki" }
func (t *track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

// change replaces the outlet by one that differs as f says.
func (t *track) change(f func(*outlet)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := outlet{}
	if old := t.to.Load(); old != nil {
		o = *old
	}
	f(&o)
	t.to.Store(&o)
}

// Bind is called by pion when the connection can send.
func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	all := c.CodecParameters()
	if len(all) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	t.gate.enter()
	t.out.ssrc = uint32(c.SSRC())
	t.gate.leave()
	t.change(func(o *outlet) { o.w = c.WriteStream() })
	return all[0], nil
}

// Unbind is called by pion when the connection ends.
func (t *track) Unbind(webrtc.TrackLocalContext) error {
	t.change(func(o *outlet) { o.w = nil })
	return nil
}

func (t *track) write(kind codec, p packet, now time.Time) {
	o := t.to.Load()
	if o == nil || o.w == nil || !o.has[kind] || !t.gate.try() {
		return
	}
	defer t.gate.leave()
	p, ok := t.out.copied(p, kind, false, now)
	if !ok {
		return
	}
	p.pt = o.pts[kind]
	if t.cut != nil && t.cut.send(p, t.out.packets) {
		return
	}
	t.head = rtp.Header{Version: 2, Marker: p.marker, PayloadType: p.pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc}
	_, _ = o.w.WriteRTP(&t.head, p.payload) // the page may be gone; the watchdog sees it
}
