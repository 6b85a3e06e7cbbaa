package stack

import (
	"context"
	"log/slog"
	"net/netip"
	"regexp"
)

// LevelTrace is below Debug: whole messages with their secrets masked.
const LevelTrace = slog.LevelDebug - 4

func (s *Stack) trace(what string, l *Link, peer netip.AddrPort, data []byte) {
	if s.log.Enabled(context.Background(), LevelTrace) {
		s.log.Log(context.Background(), LevelTrace, "sip "+what, "peer", peer, "network", l.network, "message", masked(data))
	}
}

// masked hides digest answers and SDES keys.
func masked(data []byte) string {
	text := regexp.MustCompile(`(?im)^((?:proxy-)?authorization\s*:).*$`).ReplaceAllString(string(data), "$1 •••")
	return regexp.MustCompile(`(?im)^(a=crypto:\d+ \S+ inline:)\S+`).ReplaceAllString(text, "$1•••")
}

// Mask hides all but the last four digits of a phone number: what logs above Debug may say.
func Mask(number string) string {
	runes := []rune(number)
	for i := 0; i < len(runes)-4; i++ {
		runes[i] = '•'
	}
	return string(runes)
}
