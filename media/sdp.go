package media

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// direction is who may send (RFC 3264 §5.1), seen from whoever wrote it.
type direction uint8

const (
	inactive direction = 0
	sendonly direction = 1
	recvonly direction = 2
	sendrecv direction = 3
)

var directions = [...]string{inactive: "inactive", sendonly: "sendonly", recvonly: "recvonly", sendrecv: "sendrecv"}

func (d direction) String() string { return directions[d&3] }
func (d direction) sends() bool    { return d&sendonly != 0 }
func (d direction) receives() bool { return d&recvonly != 0 }

// turned is the same direction seen from the other end.
func (d direction) turned() direction { return d>>1&1 | d&1<<1 }

// format is one payload type of an audio section.
type format struct {
	pt    uint8
	name  string
	clock uint32
}

// section is one m= section. What we do not speak is kept only to be refused in its place (RFC 3264 §6).
type section struct {
	kind, proto, formats string // as written
	port                 uint16
	rtcp                 uint16
	addr                 netip.Addr // unspecified: hold as of RFC 2543
	dir                  direction
	list                 []format
	mux                  bool // RTCP on the port of RTP (RFC 5761)
	senders, receivers   bool // these send no RTCP (RFC 3556: b=RS:0, b=RR:0)
	frame, longest       int  // ptime and maxptime, in milliseconds; 0: not said
	mid, bundle          string

	crypto []cryptoLine
	prints []fingerprint
	shown  bool   // they are the section's own
	setup  string // RFC 4145

	ufrag, pass string // ICE (RFC 8839)
	lite        bool
	candidates  []candidate
}

// The profiles of RTP that we speak.
const (
	protoPlain = "RTP/AVP"
	protoKeys  = "RTP/SAVP"
	protoDTLS  = "UDP/TLS/RTP/SAVPF"
)

// voice says that the section is audio over RTP that is not refused.
func (s section) voice() bool {
	if s.kind != "audio" || s.port == 0 || !s.addr.IsValid() {
		return false
	}
	switch s.proto {
	case protoPlain, "RTP/AVPF", protoKeys, "RTP/SAVPF", "UDP/TLS/RTP/SAVP", protoDTLS:
		return true
	}
	return false
}

// plain says that the section may go unencrypted.
func (s section) plain() bool { return s.proto == protoPlain || s.proto == "RTP/AVPF" }

// nowhere says that there is no address to send to: hold as of RFC 2543. With ICE the address comes later.
func (s section) nowhere() bool { return s.addr.IsUnspecified() && s.ufrag == "" }

// pace is how much sound they want in a packet, in milliseconds: what we can make of their ptime and maxptime.
func (s section) pace() int {
	ms := s.frame
	if ms == 0 {
		ms = frameTime
	}
	if s.longest > 0 {
		ms = min(ms, s.longest)
	}
	return min(max(ms/10*10, 10), maxPace)
}

// maxPace is the longest packet we make ourselves, in milliseconds.
const maxPace = 60

// maxSDP bounds what we read, in bytes.
const maxSDP = 32 << 10

// parseSDP reads what is needed of a session description (RFC 8866), tolerant as others are: any line end, none at the
// last line, addresses at session or media level, unknown lines ignored.
func parseSDP(text string) ([]section, error) {
	if len(text) > maxSDP || !strings.HasPrefix(text, "v=0") {
		return nil, fmt.Errorf("%w: no v=0, or too long", ErrBadSDP)
	}
	top := section{dir: sendrecv}
	var all []section
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n \x00")
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		if key == "m" {
			s, err := parseMedia(value, top)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
			continue
		}
		at := &top
		if len(all) > 0 {
			at = &all[len(all)-1]
		}
		if err := at.attribute(key, value); err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: no media", ErrBadSDP)
	}
	return all, nil
}

func parseMedia(value string, top section) (section, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return top, fmt.Errorf("%w: m=%.40q", ErrBadSDP, value)
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return top, fmt.Errorf("%w: port %.20q", ErrBadSDP, f[1])
	}
	s := top
	s.kind, s.proto, s.formats, s.port = f[0], f[2], strings.Join(f[3:], " "), uint16(port)
	s.crypto, s.candidates, s.prints = nil, nil, slices.Clip(top.prints)
	if s.kind != "audio" {
		return s, nil
	}
	for _, pt := range f[3:] {
		n, err := strconv.ParseUint(pt, 10, 7)
		if err != nil {
			continue
		}
		s.list = append(s.list, static(uint8(n)))
	}
	return s, nil
}

// static is what a payload type means without a=rtpmap (RFC 3551 §6).
func static(pt uint8) format {
	for _, c := range [...]codec{pcmu, pcma, g722} {
		if specs[c].pt == pt {
			return format{pt, specs[c].name, specs[c].clock}
		}
	}
	return format{pt: pt}
}

func (s *section) attribute(key, value string) error {
	switch key {
	case "c":
		f := strings.Fields(value)
		if len(f) < 3 {
			return fmt.Errorf("%w: c=%.40q", ErrBadSDP, value)
		}
		host, _, _ := strings.Cut(f[2], "/")
		s.addr, _ = netip.ParseAddr(host) // a host name leaves it invalid: such a section is refused
		s.addr = s.addr.Unmap()
	case "a":
		name, value, _ := strings.Cut(value, ":")
		s.said(name, strings.TrimSpace(value))
	case "b":
		switch value {
		case "RR:0":
			s.receivers = true
		case "RS:0":
			s.senders = true
		}
	}
	return nil
}

// said takes one attribute; those we do not know change nothing.
func (s *section) said(name, value string) {
	switch name {
	case "rtpmap":
		s.rtpmap(value)
	case "rtcp": // RFC 3605
		number, _, _ := strings.Cut(value, " ")
		port, _ := strconv.ParseUint(number, 10, 16)
		s.rtcp = uint16(port)
	case "rtcp-mux":
		s.mux = true
	case "ptime":
		s.frame = milliseconds(value)
	case "maxptime":
		s.longest = milliseconds(value)
	case "crypto":
		if line, ok := parseCrypto(value); ok {
			s.crypto = append(s.crypto, line)
		}
	case "fingerprint":
		if f, ok := parseFingerprint(value); ok {
			if s.kind != "" && !s.shown { // those of the session are for sections without their own (RFC 8122 §5)
				s.prints, s.shown = nil, true
			}
			s.prints = append(s.prints, f)
		}
	case "setup":
		s.setup = strings.ToLower(value)
	case "ice-ufrag":
		s.ufrag = value
	case "ice-pwd":
		s.pass = value
	case "ice-lite":
		s.lite = true
	case "candidate":
		if c, ok := parseCandidate(value); ok && len(s.candidates) < maxCandidates {
			s.candidates = append(s.candidates, c)
		}
	case "mid":
		s.mid = value
	case "group":
		if tags, ok := strings.CutPrefix(value, "BUNDLE "); ok {
			s.bundle = tags
		}
	case "sendrecv", "sendonly", "recvonly", "inactive":
		for d, word := range directions {
			if word == name {
				s.dir = direction(d)
			}
		}
	}
}

// milliseconds reads a packet time; some write it with a fraction.
func milliseconds(value string) int {
	whole, _, _ := strings.Cut(value, ".")
	n, _ := strconv.ParseUint(whole, 10, 10)
	return int(n)
}

// bundled says that the section belongs to the offer's bundle (RFC 9143).
func (s section) bundled() bool {
	return s.mid != "" && slices.Contains(strings.Fields(s.bundle), s.mid)
}

func (s *section) rtpmap(value string) {
	number, encoding, _ := strings.Cut(value, " ")
	pt, err := strconv.ParseUint(number, 10, 7)
	if err != nil {
		return
	}
	name, rest, _ := strings.Cut(strings.TrimSpace(encoding), "/")
	clock, _, _ := strings.Cut(rest, "/")
	hz, err := strconv.ParseUint(clock, 10, 32)
	if err != nil {
		return
	}
	for i := range s.list {
		if s.list[i].pt == uint8(pt) {
			s.list[i].name, s.list[i].clock = name, uint32(hz)
		}
	}
}

// rtcpPort is the port above the RTP port unless another is named (RFC 3605).
func (s section) rtcpPort() uint16 {
	if s.rtcp != 0 || s.port == 65535 {
		return s.rtcp
	}
	return s.port + 1
}

// held says that whoever wrote this does not want to hear us (RFC 3264 §8.4, and c=0.0.0.0 of RFC 2543).
func (s section) held() bool { return !s.dir.receives() || s.nowhere() }

// chosen is the first codec of the section that is one of ours, with the payload type it has there.
func (s section) chosen(ours []codec) (codec, uint8) {
	for _, f := range s.list {
		c := codecNamed(f.name, f.clock)
		for _, o := range ours {
			if o == c {
				return c, f.pt
			}
		}
	}
	return noCodec, 0
}

// digits is the telephone-event that goes with the codec: the one with its clock, else the one with 8 kHz (RFC 4733 §2.1).
func (s section) digits(c codec) (format, bool) {
	var found format
	for _, f := range s.list {
		if !strings.EqualFold(f.name, "telephone-event") {
			continue
		}
		if f.clock == specs[c].clock {
			return f, true
		}
		if f.clock == 8000 {
			found = f
		}
	}
	return found, found.name != ""
}
