package sip

import (
	"net/netip"
	"slices"
	"sync/atomic"
)

// servers are the addresses whose messages we read: those of our account, and nobody else can ring, scan or challenge us.
type servers struct{ now atomic.Pointer[[]netip.Addr] }

func (s *servers) heard(from netip.AddrPort) bool {
	known := s.now.Load()
	return known != nil && slices.Contains(*known, from.Addr())
}

// admit replaces them.
func (s *servers) admit(addrs ...netip.Addr) { s.now.Store(&addrs) }
