package media

import pion "github.com/pion/opus"

// Opus is decoded, never encoded (RFC 6716). What is lost is made up by the same patch as for all codecs: the library repeats a
// lost CELT frame, but knows no way for SILK.

// opusLongest is the longest packet (RFC 6716 §3.2.5, R5) in samples at 16 kHz.
const opusLongest = 120 * mixRate / 1000

type opusDecoder struct {
	pion pion.Decoder
	out  [opusLongest]int16
}

func newOpusDecoder() *opusDecoder {
	d := &opusDecoder{}
	d.pion, _ = pion.NewDecoderWithOutput(mixRate, 1) // errors only for rates and channels that Opus does not have
	return d
}

// begin forgets what was decoded.
func (d *opusDecoder) begin() { _ = d.pion.Init(mixRate, 1) }

// decode appends the packet's sound, mixed to one channel: always as much as its header says, silence where it is broken.
func (d *opusDecoder) decode(dst []int16, packet []byte) []int16 {
	length := opusSpan(packet)
	n := d.samples(packet)
	clear(d.out[n:max(n, length)])
	return append(dst, d.out[:length]...)
}

// samples decodes into out. The packet comes from the network and the decoder is not ours: should it ever panic, the caller is
// silent for a packet instead of everybody for ever.
func (d *opusDecoder) samples(packet []byte) (n int) {
	defer func() {
		if recover() != nil {
			n = 0
			d.begin()
		}
	}()
	if n, err := d.pion.DecodeToInt16(packet, d.out[:]); err == nil {
		return min(n, len(d.out))
	}
	return 0
}

// opusSpan is how long a packet lasts by its first byte and its count of frames (RFC 6716 §3.1, §3.2), in samples at 16 kHz;
// zero: it is none, or of more than 120 ms.
func opusSpan(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	n := opusFrame(packet[0]>>3) * opusFrames(packet)
	if n > opusLongest {
		return 0
	}
	return n
}

// opusFrame is the length of one frame of a configuration, 0 to 31 (RFC 6716 table 2): SILK 10 to 60 ms, hybrid 10 and 20,
// CELT 2.5 to 20.
func opusFrame(config byte) int {
	const ms = mixRate / 1000
	switch {
	case config < 12:
		return [4]int{10 * ms, 20 * ms, 40 * ms, 60 * ms}[config&3]
	case config < 16:
		return [2]int{10 * ms, 20 * ms}[config&1]
	}
	return [4]int{5 * ms / 2, 5 * ms, 10 * ms, 20 * ms}[config&3]
}

// opusFrames is how many there are (RFC 6716 §3.2).
func opusFrames(packet []byte) int {
	switch packet[0] & 3 {
	case 0:
		return 1
	case 1, 2:
		return 2
	}
	if len(packet) < 2 {
		return 0
	}
	return int(packet[1] & 63)
}
