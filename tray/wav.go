package tray

import "encoding/binary"

// wav packs the tone into a WAV file, for systems that play files.
func (t tone) wav() []byte {
	le := binary.LittleEndian
	size := uint32(2 * len(t.samples))
	b := append([]byte("RIFF"), le.AppendUint32(nil, 36+size)...)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1) // PCM, mono
	b = le.AppendUint32(le.AppendUint32(b, uint32(t.rate)), uint32(2*t.rate))
	b = le.AppendUint16(le.AppendUint16(b, 2), 16) // bytes a sample, bits
	b = append(b, "data"...)
	b = le.AppendUint32(b, size)
	return append(b, t.bytes()...)
}

// bytes are the samples as every system takes them: 16 bit, little endian.
func (t tone) bytes() []byte {
	b := make([]byte, 0, 2*len(t.samples))
	for _, s := range t.samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}
