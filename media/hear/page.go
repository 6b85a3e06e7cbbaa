package hear

import (
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// PageRecorder is a script for a page under test: hearing.start() records what the page's first <audio> plays, and
// hearing.stop() gives it as text for PageSound. It needs no worker and no address, so that a strict content policy does
// not mind.
//
//go:embed page.js
var PageRecorder string

// PageSound is what a page recorded, at 48 kHz.
func PageSound(text string) ([]int16, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("sound of the page: %w", err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm, nil
}

// PageRate is the rate of PageSound, in Hz.
const PageRate = 48000
