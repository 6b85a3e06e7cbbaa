package media

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// port is one UDP socket. Any goroutine may write.
type port struct {
	conn *net.UDPConn // with a socket of our own it is closed, and only remembers its address
	own  *socket      // nil: the usual way, a goroutine that waits in conn
}

// taker takes a datagram, whose bytes are lent to it. It must not block: other ports may be heard by the same goroutine.
type taker func(b []byte, from netip.AddrPort, now time.Time)

// open opens a port that nobody hears yet.
func (e *Ports) open(at netip.AddrPort) (*port, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	p := &port{conn: conn}
	if p.own, err = e.adopt(conn); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return p, nil
}

func (p *port) local() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// hear gives take what comes, until the port is closed; then over is called, and take never again.
func (p *port) hear(take taker, over func()) {
	if p.own != nil {
		p.own.hear(take, over)
		return
	}
	go func() {
		defer over()
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := p.conn.ReadFromUDPAddrPort(buf)
			switch {
			case err == nil:
				take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now())
			case errors.Is(err, net.ErrClosed):
				return
			}
			// Anything else is the network's word about an earlier packet (ICMP); the socket stays good.
		}
	}()
}

func (p *port) write(b []byte, to netip.AddrPort) error {
	if p.own != nil {
		return p.own.write(b, to)
	}
	_, err := p.conn.WriteToUDPAddrPort(b, to)
	return err
}

// close does not wait for who hears.
func (p *port) close() {
	if p.own != nil {
		p.own.close()
		return
	}
	_ = p.conn.Close()
}

const maxDatagram = 2048
