package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"zaseki/cmd/center/roster"
)

// Limits of the echo. A test of one phone is 50 datagrams a second of 172 bytes, as a call is.
const (
	probeLeast = 24   // bytes of a datagram: a key, and something to tell it by
	probeMost  = 512  // bytes
	keyRate    = 100  // datagrams a second of one key: two tests at once
	allRate    = 5000 // of all keys together: fifty tests at once, 7 Mbit/s
	keysMost   = 4096 // allowances that are remembered
)

// echo sends the datagrams of a phone's network test back as they came: to nobody who does not know the key of a live session,
// never more bytes than it got, and within a rate.
type echo struct {
	conn  *net.UDPConn
	wide  bool // on every address: each datagram is answered from the one that it came to
	good  func(roster.ProbeKey) bool
	all   allowance
	byKey map[roster.ProbeKey]*allowance
}

// allowance is how many datagrams may pass, a token each.
type allowance struct {
	tokens float64
	at     time.Time
}

// take uses a token of at most a second's worth.
func (a *allowance) take(rate float64, now time.Time) bool {
	a.tokens = min(rate, a.tokens+rate*now.Sub(a.at).Seconds())
	a.at = now
	if a.tokens < 1 {
		return false
	}
	a.tokens--
	return true
}

// openEcho listens beside addr, which pages and phones reach by TCP: with the same port if it is free, so that a firewall needs
// one rule only, else with any.
func openEcho(addr netip.AddrPort, good func(roster.ProbeKey) bool) (*echo, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr.Addr(), 0)))
	}
	if err != nil {
		return nil, fmt.Errorf("listen for network tests: %w", err)
	}
	e := &echo{conn: conn, good: good, byKey: map[roster.ProbeKey]*allowance{}}
	if addr.Addr().IsUnspecified() {
		e.wide = tellsAddresses(conn) == nil // without (Windows) the route back chooses the address
	}
	return e, nil
}

// tellsAddresses has each datagram say which address it came to (RFC 3542 §6.2, IP_PKTINFO).
func tellsAddresses(conn *net.UDPConn) error {
	if conn.LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		return ipv4.NewPacketConn(conn).SetControlMessage(ipv4.FlagDst, true)
	}
	return ipv6.NewPacketConn(conn).SetControlMessage(ipv6.FlagDst, true)
}

// addr is where a phone that reached us as host finds the echo; "" when there is none.
func (e *echo) addr(host string) string {
	if e == nil {
		return ""
	}
	at := e.conn.LocalAddr().(*net.UDPAddr).AddrPort()
	if !at.Addr().IsUnspecified() {
		return at.String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(at.Port())))
}

// run answers until ctx ends. Nothing is allocated for a datagram that is not answered.
func (e *echo) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { e.conn.Close() })
	defer stop()
	buf, about := make([]byte, probeMost+1), make([]byte, 128)
	for {
		n, more, _, from, err := e.conn.ReadMsgUDPAddrPort(buf, about)
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return ctx.Err()
		case err == nil && e.admit(buf[:n], time.Now()):
			e.back(buf[:n], about[:more], from)
		}
		// Any other error is the network's word about an earlier datagram (ICMP).
	}
}

// back sends a datagram from the address that it came to: a phone behind a router hears no other. One lost is what the test counts.
func (e *echo) back(b, about []byte, to netip.AddrPort) {
	if e.wide {
		if source := sourceOf(about); source != nil {
			if _, _, err := e.conn.WriteMsgUDPAddrPort(b, source, to); err == nil {
				return
			}
		}
	}
	_, _ = e.conn.WriteToUDPAddrPort(b, to)
}

// sourceOf turns what came with a datagram into what goes with its answer, nil when it says nothing. The route back stays free, but
// for addresses that mean nothing without their interface.
func sourceOf(about []byte) []byte {
	var four ipv4.ControlMessage
	if four.Parse(about) == nil && four.Dst != nil {
		return (&ipv4.ControlMessage{Src: four.Dst}).Marshal()
	}
	var six ipv6.ControlMessage
	if six.Parse(about) != nil || six.Dst == nil {
		return nil
	}
	if v4 := six.Dst.To4(); v4 != nil {
		return (&ipv4.ControlMessage{Src: v4}).Marshal()
	}
	answer := ipv6.ControlMessage{Src: six.Dst}
	if six.Dst.IsLinkLocalUnicast() {
		answer.IfIndex = six.IfIndex
	}
	return answer.Marshal()
}

// admit says that a datagram is answered. Allowances are kept for keys that are good only.
func (e *echo) admit(b []byte, now time.Time) bool {
	if len(b) < probeLeast || len(b) > probeMost {
		return false
	}
	k := roster.ProbeKey(b)
	if !e.good(k) {
		return false
	}
	mine := e.byKey[k]
	if mine == nil {
		e.forget(now)
		mine = &allowance{tokens: keyRate, at: now}
		e.byKey[k] = mine
	}
	return mine.take(keyRate, now) && e.all.take(allRate, now)
}

// forget drops allowances that are whole again, when there are many; each of them was of a session.
func (e *echo) forget(now time.Time) {
	if len(e.byKey) < keysMost {
		return
	}
	for k, a := range e.byKey {
		if now.Sub(a.at) > time.Second {
			delete(e.byKey, k)
		}
	}
}
