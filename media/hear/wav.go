package hear

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// ReadWAV reads 16-bit PCM; of several channels the first.
func ReadWAV(path string) (pcm []int16, rate int, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	if pcm, rate, err = parseWAV(b); err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", path, err)
	}
	return pcm, rate, nil
}

var errWAV = errors.New("not a 16-bit PCM WAV")

func parseWAV(b []byte) (pcm []int16, rate int, err error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, 0, errWAV
	}
	channels := 0
	for b = b[12:]; len(b) >= 8; {
		id, size := string(b[:4]), int(binary.LittleEndian.Uint32(b[4:]))
		b = b[8:]
		size = max(0, min(size, len(b))) // a pipe's writer leaves the size open
		switch {
		case id == "fmt " && size >= 16:
			if binary.LittleEndian.Uint16(b[14:]) != 16 {
				return nil, 0, errWAV
			}
			channels, rate = int(binary.LittleEndian.Uint16(b[2:])), int(binary.LittleEndian.Uint32(b[4:]))
		case id == "data" && channels > 0 && rate > 0:
			for i := 0; i+2*channels <= size; i += 2 * channels {
				pcm = append(pcm, int16(binary.LittleEndian.Uint16(b[i:])))
			}
			return pcm, rate, nil
		}
		b = b[min(size+size%2, len(b)):]
	}
	return nil, 0, errWAV
}

// WriteWAV writes mono 16-bit PCM.
func WriteWAV(path string, pcm []int16, rate int) error {
	b := make([]byte, 0, 44+2*len(pcm))
	u32 := func(v int) { b = binary.LittleEndian.AppendUint32(b, uint32(v)) }
	u16 := func(v int) { b = binary.LittleEndian.AppendUint16(b, uint16(v)) }
	b = append(b, "RIFF"...)
	u32(36 + 2*len(pcm))
	b = append(b, "WAVEfmt "...)
	u32(16)
	u16(1) // PCM
	u16(1) // mono
	u32(rate)
	u32(2 * rate)
	u16(2)
	u16(16)
	b = append(b, "data"...)
	u32(2 * len(pcm))
	for _, s := range pcm {
		u16(int(uint16(s)))
	}
	return os.WriteFile(path, b, 0o600)
}
