package media

// G.711 by tables (ITU-T G.711): two for decoding, two for encoding the upper 14 or 13 bits.

var (
	fromULaw = decodeTable(uLawSample)
	fromALaw = decodeTable(aLawSample)
)

func decodeTable(sample func(byte) int16) *[256]int16 {
	var t [256]int16
	for i := range t {
		t[i] = sample(byte(i))
	}
	return &t
}

func uLawSample(b byte) int16 {
	b = ^b
	v := (int(b&15)<<3 + 0x84) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(0x84 - v)
	}
	return int16(v - 0x84)
}

func aLawSample(b byte) int16 {
	b ^= 0x55
	v := int(b&15)<<4 + 8
	if seg := b >> 4 & 7; seg > 0 {
		v = (v + 0x100) << (seg - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}

// uLaw encodes one sample (ITU-T G.711 table 2).
func uLaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v, 0
	}
	v = min(v, 32635) + 0x84
	seg := byte(7)
	for mask := 0x4000; v&mask == 0 && seg > 0; mask >>= 1 {
		seg--
	}
	return ^(sign ^ 0x80 | seg<<4 | byte(v>>(seg+3))&15)
}

// aLaw encodes one sample (ITU-T G.711 table 1).
func aLaw(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	seg := byte(0)
	for top := v >> 8; top > 0; top >>= 1 {
		seg++
	}
	low := byte(v >> 4)
	if seg > 0 {
		low = byte(v >> (seg + 3))
	}
	return (sign | seg<<4 | low&15) ^ 0x55
}

// encode turns samples at 8 kHz into a payload; only G.711 is known here.
func (c codec) encode(dst []byte, pcm []int16) []byte {
	law := uLaw
	if c == pcma {
		law = aLaw
	}
	dst = dst[:0]
	for _, s := range pcm {
		dst = append(dst, law(s))
	}
	return dst
}

// decode turns a payload into samples at 8 kHz; only G.711 is known here.
func (c codec) decode(dst []int16, payload []byte) []int16 {
	table := fromULaw
	if c == pcma {
		table = fromALaw
	}
	dst = dst[:0]
	for _, b := range payload {
		dst = append(dst, table[b])
	}
	return dst
}

func (c codec) isG711() bool { return c == pcmu || c == pcma }
