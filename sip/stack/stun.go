package stack

import (
	"encoding/binary"
	"net/netip"
)

// STUN on the SIP socket (RFC 5626 §8, RFC 8489): the answer to a phone's keep-alive says at which address it is seen, so that it
// notices when its NAT has forgotten it.
const (
	stunHead   = 20
	stunCookie = 0x2112A442
	stunAsk    = 0x0001
	stunAnswer = 0x0101
	stunMapped = 0x0020 // XOR-MAPPED-ADDRESS
)

// isBinding tells a STUN binding request from SIP, which never begins with a zero.
func isBinding(data []byte) bool {
	return len(data) >= stunHead && binary.BigEndian.Uint16(data) == stunAsk && binary.BigEndian.Uint32(data[4:]) == stunCookie &&
		int(binary.BigEndian.Uint16(data[2:])) == len(data)-stunHead
}

// bindingAnswer is the success response: the request's transaction, and where it came from.
func bindingAnswer(ask []byte, from netip.AddrPort) []byte {
	addr := from.Addr().AsSlice()
	family := byte(1)
	if len(addr) == 16 {
		family = 2
	}
	size := 4 + len(addr)
	out := make([]byte, stunHead, stunHead+4+size)
	binary.BigEndian.PutUint16(out, stunAnswer)
	binary.BigEndian.PutUint16(out[2:], uint16(4+size))
	copy(out[4:], ask[4:stunHead]) // cookie and transaction
	out = binary.BigEndian.AppendUint16(out, stunMapped)
	out = binary.BigEndian.AppendUint16(out, uint16(size))
	out = append(out, 0, family)
	out = binary.BigEndian.AppendUint16(out, from.Port()^uint16(stunCookie>>16))
	for i, b := range addr {
		out = append(out, b^out[4+i])
	}
	return out
}

// Connected says that there is a connection to that peer; to a phone nobody can open another one (RFC 5626 §5.3). UDP needs none.
func (s *Stack) Connected(network string, to netip.AddrPort) bool {
	network = lower(network)
	return network == "" || network == "udp" || s.stream(network, to) != nil
}
