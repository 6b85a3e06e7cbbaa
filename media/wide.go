package media

// Sound is mixed in frames of 20 ms at 16 kHz; here it comes from payloads and goes into payloads.

const (
	mixRate  = 16000
	mixFrame = mixRate / 1000 * frameTime
)

// mixable says that we can speak the codec ourselves. Opus we can only hear and pass on.
func (c codec) mixable() bool { return c == g722 || c.isG711() }

// readable says that we can make sound of the codec's payloads.
func (c codec) readable() bool { return c == opus || c.mixable() }

// span is how long a payload of a readable codec lasts, in samples at 16 kHz; zero: it is none.
func (c codec) span(payload []byte) int {
	if c == opus {
		return opusSpan(payload)
	}
	return 2 * len(payload)
}

// reader decodes one sender's payloads to 16 kHz.
type reader struct {
	codec codec
	wide  g722Decoder
	opus  *opusDecoder // nil: no Opus came yet
	up    widener
	down  narrower
	pcm   []int16
}

// read appends the sound of a payload; a change of codec begins anew.
func (r *reader) read(dst []int16, c codec, payload []byte) []int16 {
	if c != r.codec {
		r.codec, r.wide, r.up, r.down = c, *newG722Decoder(), widener{}, narrower{}
		r.begin(c)
	}
	switch c {
	case g722:
		return r.wide.decode(dst, payload)
	case opus:
		return r.opus.decode(dst, payload)
	}
	r.pcm = c.decode(r.pcm, payload)
	return r.up.widen(dst, r.pcm)
}

// begin has an Opus decoder without a past; it is large, so that only who needs one makes one.
func (r *reader) begin(c codec) {
	switch {
	case c != opus:
	case r.opus == nil:
		r.opus = newOpusDecoder()
	default:
		r.opus.begin()
	}
}

// narrow appends the sound of a payload at 8 kHz.
func (r *reader) narrow(dst []int16, c codec, payload []byte) []int16 {
	if c.isG711() {
		return c.decode(dst, payload)
	}
	r.pcm = r.read(r.pcm[:0], c, payload)
	return r.down.narrow(dst, r.pcm)
}

// writer encodes sound at 16 kHz for one receiver.
type writer struct {
	codec codec
	wide  g722Encoder
	down  narrower
	up    widener
	pcm   []int16
}

// write makes the payload in dst's memory; a change of codec begins anew.
func (w *writer) write(dst []byte, c codec, pcm []int16) []byte {
	if c != w.codec {
		w.codec, w.wide, w.up, w.down = c, *newG722Encoder(), widener{}, narrower{}
	}
	if c == g722 {
		return w.wide.encode(dst[:0], pcm)
	}
	w.pcm = w.down.narrow(w.pcm[:0], pcm)
	return c.encode(dst, w.pcm)
}

// narrow makes the payload of sound at 8 kHz.
func (w *writer) narrow(dst []byte, c codec, pcm []int16) []byte {
	if c != g722 {
		return c.encode(dst, pcm)
	}
	w.pcm = w.up.widen(w.pcm[:0], pcm)
	return w.write(dst, c, w.pcm)
}
