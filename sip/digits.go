package sip

import (
	"context"
	"strings"
)

// Info sends one DTMF digit as an INFO (0–9, *, #, A–D), for far sides without telephone-event.
func (p *Phone) Info(ctx context.Context, call, digit string) error {
	c, err := p.call(call)
	if err != nil {
		return err
	}
	if len(digit) != 1 || !strings.Contains(dtmf, digit) {
		return ErrNumber
	}
	return refused(c.Info(ctx, "application/dtmf-relay", "Signal="+digit+"\r\nDuration=160\r\n"))
}

const dtmf = "0123456789*#ABCD"

// digitOf reads both forms of DTMF by INFO: Signal=5 of application/dtmf-relay, and a bare 5 of application/dtmf.
func digitOf(contentType, body string) string {
	digit := strings.TrimSpace(body)
	if contentType == "application/dtmf-relay" {
		digit = ""
		for line := range strings.Lines(body) {
			name, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(name), "signal") {
				digit = strings.TrimSpace(value)
			}
		}
	}
	switch digit = strings.ToUpper(digit); digit {
	case "10":
		digit = "*"
	case "11":
		digit = "#"
	}
	if len(digit) != 1 || !strings.Contains(dtmf, digit) {
		return ""
	}
	return digit
}
