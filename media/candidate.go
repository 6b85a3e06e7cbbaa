package media

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// candidate is one a=candidate (RFC 8839 §5.1): an address where the far side may be.
type candidate struct {
	part     int // 1: RTP; 2: RTCP
	udp      bool
	priority uint32
	at       netip.AddrPort // not valid: a host name, which we do not look up
}

// remote is the far side's half of ICE, as its session description has it.
type remote struct {
	ufrag string
	pass  secret
	lite  bool // it answers checks and makes none (RFC 8445 §2.5)
	all   []candidate
}

// Bounds of what we take from a session description.
const (
	maxCandidates = 64  // of a section
	maxICEWord    = 256 // characters of a name or password (RFC 8839 §5.4)
)

// parseCandidate reads the value of a=candidate. False: not one, or for a component that sound does not have.
func parseCandidate(value string) (candidate, bool) {
	f := strings.Fields(value)
	if len(f) < 8 || !strings.EqualFold(f[6], "typ") || len(f[0]) > 32 {
		return candidate{}, false
	}
	part, err1 := strconv.ParseUint(f[1], 10, 8)
	priority, err2 := strconv.ParseUint(f[3], 10, 32)
	port, err3 := strconv.ParseUint(f[5], 10, 16)
	if err1 != nil || err2 != nil || err3 != nil || part < 1 || part > 2 {
		return candidate{}, false
	}
	c := candidate{part: int(part), udp: strings.EqualFold(f[2], "udp"), priority: uint32(priority)}
	if ip, err := netip.ParseAddr(f[4]); err == nil {
		c.at = netip.AddrPortFrom(ip.Unmap(), uint16(port))
	}
	return c, true
}

// written is the whole attribute of an address of our own.
func (c candidate) written() string {
	return fmt.Sprintf("a=candidate:1 %d UDP %d %s %d typ host\r\n", c.part, c.priority, c.at.Addr(), c.at.Port())
}

// host is our own address as a candidate: the only one we have (RFC 8445 §5.1.2.1).
func host(part int, at netip.AddrPort) candidate {
	return candidate{part, true, ownPriority(126, part), at}
}

// ownPriority is the priority of an address of ours: 126 is a host's, 110 one that the far side discovers.
func ownPriority(kind uint32, part int) uint32 { return kind<<24 | 65535<<8 | uint32(256-part) }

// worth says that a check may go there from our address. A session description is a stranger's word: it must not make us
// knock on this machine's own services, on routers and clouds by link-local addresses, or on many at once.
func (c candidate) worth(local netip.Addr) bool {
	ip := c.at.Addr()
	switch {
	case !c.udp || !c.at.IsValid() || c.at.Port() == 0 || ip.Zone() != "" || ip.Is4() != local.Is4():
		return false
	case ip.IsUnspecified() || ip.IsMulticast() || ip.Is4() && ip.As4()[0] >= 240:
		return false
	case ip.IsLoopback() && !local.IsLoopback(), ip.IsLinkLocalUnicast() && !local.IsLinkLocalUnicast():
		return false
	}
	return !broadcast(ip)
}

// broadcast says that it is the last address of a network that this machine is in.
func broadcast(ip netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil || !ip.Is4() {
		return false
	}
	for _, one := range all {
		network, err := netip.ParsePrefix(one.String())
		if err == nil && network.Bits() < 31 && network.Contains(ip) && !network.Contains(ip.Next()) {
			return true
		}
	}
	return false
}

// ice is what the section says about ICE. False: nothing, or not enough.
func (s section) ice() (remote, bool) {
	ok := s.ufrag != "" && len(s.ufrag) <= maxICEWord && s.pass != "" && len(s.pass) <= maxICEWord && !s.mismatched()
	return remote{s.ufrag, newSecret(s.pass), s.lite, s.candidates}, ok
}

// mismatched says that somebody between us put another address into the section without knowing ICE: then the sound is to go
// through it, and not where the candidates say (RFC 8839 §4.2.5).
func (s section) mismatched() bool {
	if s.addr.IsUnspecified() || s.port == 9 || len(s.candidates) == 0 { // port 9: no address yet (RFC 8839 §4.2.1.2)
		return false
	}
	for _, c := range s.candidates {
		if c.part == 1 && (!c.at.IsValid() || c.at == netip.AddrPortFrom(s.addr, s.port)) {
			return false
		}
	}
	return true
}
