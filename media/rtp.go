package media

import "encoding/binary"

// packet is an RTP packet as it was received (RFC 3550 §5.1). Payload lies in the caller's buffer.
type packet struct {
	marker  bool
	pt      uint8
	seq     uint16
	ts      uint32
	ssrc    uint32
	payload []byte
}

const rtpHeader = 12 // bytes, without contributing sources and extension

// parseRTP reads a packet without allocating. Extension, contributing sources and padding are left out: neither
// side of the bridge needs the other's.
func parseRTP(b []byte) (packet, bool) {
	if len(b) < rtpHeader || b[0]>>6 != 2 {
		return packet{}, false
	}
	at := rtpHeader + int(b[0]&15)*4
	if b[0]&0x10 != 0 {
		if len(b) < at+4 {
			return packet{}, false
		}
		at += 4 + int(binary.BigEndian.Uint16(b[at+2:]))*4
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		if pad := int(b[end-1]); pad > 0 {
			end -= pad
		} else {
			return packet{}, false
		}
	}
	if at > end {
		return packet{}, false
	}
	return packet{
		marker: b[1]&0x80 != 0, pt: b[1] & 0x7f, seq: binary.BigEndian.Uint16(b[2:]),
		ts: binary.BigEndian.Uint32(b[4:]), ssrc: binary.BigEndian.Uint32(b[8:]), payload: b[at:end],
	}, true
}

// put writes the packet into dst, which is long enough, and says how long it became.
func (p packet) put(dst []byte) int {
	dst[0], dst[1] = 2<<6, p.pt
	if p.marker {
		dst[1] |= 0x80
	}
	binary.BigEndian.PutUint16(dst[2:], p.seq)
	binary.BigEndian.PutUint32(dst[4:], p.ts)
	binary.BigEndian.PutUint32(dst[8:], p.ssrc)
	return rtpHeader + copy(dst[rtpHeader:], p.payload)
}
