package hear

import (
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// PageRecorder is a script for a page under test: hearing.start() records what the page's first <audio> plays, and
// hearing.stop() gives it as text for PageSound. It needs no worker and no address, so that a strict content policy does
// not mind.
//
//go:embed page.js
var PageRecorder string

// PageSound is what a page recorded, at that rate in Hz.
func PageSound(text string, rate int) ([]int16, error) {
	own, samples, _ := strings.Cut(text, ":")
	from, err := strconv.Atoi(own)
	if err != nil {
		return nil, fmt.Errorf("sound of the page: %w", err)
	}
	b, err := base64.StdEncoding.DecodeString(samples)
	if err != nil {
		return nil, fmt.Errorf("sound of the page: %w", err)
	}
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return Resample(pcm, from, rate), nil
}
