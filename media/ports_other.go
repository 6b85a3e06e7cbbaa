//go:build !linux

package media

import (
	"net"
	"net/netip"
)

// Ports is only for Linux.
type Ports struct{}

// NewPorts makes nothing.
func NewPorts() *Ports { return &Ports{} }

func (*Ports) wait() {}

func (*Ports) adopt(*net.UDPConn) (*socket, error) { return nil, nil }

type socket struct{}

func (*socket) hear(taker, func())                 {}
func (*socket) write([]byte, netip.AddrPort) error { return net.ErrClosed }
func (*socket) close()                             {}
