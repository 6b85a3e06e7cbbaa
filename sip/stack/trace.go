package stack

import (
	"bytes"
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// LevelTrace is below Debug: whole messages with their secrets masked.
const LevelTrace = slog.LevelDebug - 4

// Message is one SIP message as it was on the wire, its secrets masked.
type Message struct {
	At      time.Time
	Sent    bool
	Peer    string // host:port
	Network string // udp, tcp, tls, wss
	Title   string // "INVITE", "183 Session Progress (INVITE)"
	Method  string // of the request, also in an answer
	CallID  string
	Text    string
}

// trace tells the hook and the log of a message; without either it costs nothing.
func (s *Stack) trace(sent bool, l *Link, peer netip.AddrPort, data []byte) {
	logged := s.log.Enabled(context.Background(), LevelTrace)
	if !logged && s.cfg.Traced == nil {
		return
	}
	m := Message{At: time.Now(), Sent: sent, Peer: peer.String(), Network: l.network, Text: masked(data)}
	m.Title, m.Method, m.CallID = title(data)
	if logged {
		what := "sip received"
		if sent {
			what = "sip sent"
		}
		s.log.Log(context.Background(), LevelTrace, what, "peer", m.Peer, "network", m.Network, "message", m.Text)
	}
	if s.cfg.Traced != nil {
		s.cfg.Traced(m)
	}
}

// title is what a timeline calls a message, with its method and Call-ID; it reads raw lines, for messages that do not parse
// are traced too.
func title(data []byte) (title, method, callID string) {
	head, _, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	first, rest, _ := bytes.Cut(head, []byte("\r\n"))
	for line := range bytes.SplitSeq(rest, []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		switch name = bytes.TrimSpace(name); {
		case !ok:
		case bytes.EqualFold(name, []byte("call-id")), bytes.EqualFold(name, []byte("i")):
			callID = string(bytes.TrimSpace(value))
		case bytes.EqualFold(name, []byte("cseq")):
			_, m, _ := bytes.Cut(bytes.TrimSpace(value), []byte(" "))
			method = string(bytes.TrimSpace(m))
		}
	}
	if code, ok := bytes.CutPrefix(first, []byte("SIP/2.0 ")); ok {
		return printable(code) + " (" + printable([]byte(method)) + ")", method, callID
	}
	verb, _, _ := bytes.Cut(first, []byte(" "))
	return printable(verb), method, callID
}

// printable is short text for people of what a stranger may have sent.
func printable(text []byte) string {
	s := strings.Map(func(r rune) rune {
		if !Clean(string(r)) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text[:min(len(text), 80)]), ""))
	return s
}

// masked hides digest answers, permissions, SDES keys, the text of instant messages and the digits of INFO, which may be a card number's.
func masked(data []byte) string {
	var b strings.Builder
	b.Grow(len(data))
	head, body, whole := bytes.Cut(data, []byte("\r\n\r\n"))
	secret := false // inside a folded line of a header that is hidden
	for line := range bytes.Lines(head) {
		text := bytes.TrimRight(line, "\r\n")
		end := line[len(text):]
		if secret = hides(text, secret); secret {
			if name, _, ok := bytes.Cut(text, []byte(":")); ok && text[0] != ' ' && text[0] != '\t' {
				b.Write(name)
				b.WriteString(": ")
			}
			b.WriteString("•••")
		} else {
			b.Write(text)
		}
		b.Write(end)
	}
	if !whole {
		return b.String()
	}
	b.WriteString("\r\n\r\n")
	if (bytes.HasPrefix(head, []byte("MESSAGE ")) || bytes.HasPrefix(head, []byte("INFO "))) && len(body) > 0 {
		b.WriteString("•••")
		return b.String()
	}
	for line := range bytes.Lines(body) {
		b.Write(maskedKey(line))
	}
	return b.String()
}

// hidden are the headers that hold digest credentials, or a permission of our center that is good once.
func hidden(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "x-center-permit", "x-center-check":
		return true
	}
	return false
}

// hides: this header line is hidden, or the one that it continues.
func hides(line []byte, before bool) bool {
	if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
		return before
	}
	name, _, _ := bytes.Cut(line, []byte(":"))
	return hidden(string(bytes.TrimSpace(name)))
}

// maskedKey hides every key of an a=crypto line (RFC 4568 §9.1: several stand behind each other, parted by ";") and of
// a=key-mgmt and k= lines.
func maskedKey(line []byte) []byte {
	low := bytes.ToLower(line)
	at := -1
	switch {
	case bytes.HasPrefix(low, []byte("a=crypto:")):
		if at = bytes.Index(low, []byte("inline:")); at < 0 {
			at = len("a=crypto:") - len("inline:")
		}
		at += len("inline:")
	case bytes.HasPrefix(low, []byte("a=key-mgmt:")):
		at = len("a=key-mgmt:")
	case bytes.HasPrefix(low, []byte("k=")):
		at = len("k=")
	}
	if at < 0 {
		return line
	}
	text := bytes.TrimRight(line, "\r\n")
	if at >= len(text) {
		return line
	}
	return append(append(bytes.Clone(text[:at]), "•••"...), line[len(text):]...)
}

// Mask hides all but the last four digits of a phone number: what logs above Debug may say.
func Mask(number string) string {
	runes := []rune(number)
	for i := 0; i < len(runes)-4; i++ {
		runes[i] = '•'
	}
	return string(runes)
}
