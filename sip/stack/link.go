package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// writeTime is how long a TCP peer may refuse to take our bytes.
const writeTime = 10 * time.Second

// Link is one UDP socket or one TCP connection.
type Link struct {
	stack   *Stack
	network string
	local   netip.AddrPort
	remote  netip.AddrPort
	dialled bool // we opened it: keep-alives are ours to send (RFC 5626 §4.4.1)

	socket  atomic.Pointer[net.UDPConn]
	conn    net.Conn
	born    time.Time   // of a TCP connection
	spoke   atomic.Bool // it brought a whole message
	pong    chan struct{}
	writing sync.Mutex

	contact atomic.Pointer[string]

	done chan struct{}
	once sync.Once
	err  error
}

// Network is "udp" or "tcp".
func (l *Link) Network() string { return l.network }

// Local is the address the socket is bound to; it may be unspecified (0.0.0.0), see LocalFor.
func (l *Link) Local() netip.AddrPort { return l.local }

// Remote is the peer of a TCP connection, zero for UDP.
func (l *Link) Remote() netip.AddrPort { return l.remote }

// Done is closed when the link is lost or closed; Err then says why.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err is why the link ended, nil before Done.
func (l *Link) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

// Close ends the link and the transactions on it.
func (l *Link) Close() error {
	l.lose(net.ErrClosed)
	return nil
}

// LocalFor is our address as that peer should know it: Local, or for a socket on every interface the one the route gives.
func (l *Link) LocalFor(to netip.AddrPort) netip.AddrPort {
	if !l.local.Addr().IsUnspecified() {
		return l.local
	}
	if addr, err := LocalAddr(to); err == nil {
		return netip.AddrPortFrom(addr, l.local.Port())
	}
	return l.local
}

// SetContact is the URI under which the far side reaches us over this link when it is not our own address: a GRUU (RFC 5627) or
// the address that a NAT gives us. "" takes it back.
func (l *Link) SetContact(uri string) { l.contact.Store(&uri) }

// ContactFor is the Contact value, in <>, for requests and answers to that peer over this link.
func (l *Link) ContactFor(user string, to netip.AddrPort) string {
	if uri := l.contact.Load(); uri != nil && *uri != "" {
		return "<" + *uri + ">"
	}
	value := "<sip:"
	if user != "" {
		value += EscapeUser(user) + "@"
	}
	value += l.sentBy(to)
	if l.network != "udp" {
		value += ";transport=" + l.network
	}
	return value + ">"
}

// sentBy is our host and port in Via and Contact.
func (l *Link) sentBy(to netip.AddrPort) string { return l.LocalFor(to).String() }

// LocalAddr is the address that the route to a peer gives us. Nothing is sent.
func LocalAddr(to netip.AddrPort) (netip.Addr, error) {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("route to %s: %w", to, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

func (l *Link) lose(why error) {
	l.once.Do(func() {
		l.err = why
		close(l.done)
		if l.network == "udp" {
			l.socket.Load().Close()
		} else {
			l.conn.Close()
		}
		l.stack.forget(l)
	})
}

// forget takes a lost link out of the tables and fails what waits for an answer on it.
func (s *Stack) forget(l *Link) {
	s.mu.Lock()
	for i, u := range s.udp {
		if u == l {
			s.udp = append(s.udp[:i:i], s.udp[i+1:]...)
			break
		}
	}
	if s.tcp[l.remote] == l {
		delete(s.tcp, l.remote)
		if s.perAddr[l.remote.Addr()]--; s.perAddr[l.remote.Addr()] <= 0 {
			delete(s.perAddr, l.remote.Addr())
		}
	}
	var lost []*Outbound
	for _, o := range s.outbounds {
		if o.link == l {
			lost = append(lost, o)
		}
	}
	s.mu.Unlock()
	for _, o := range lost {
		o.fail(sip.ErrTransactionTransport)
		o.tx.Terminate()
	}
}

func (l *Link) write(data []byte, to netip.AddrPort) error {
	if l.network == "udp" {
		_, err := l.socket.Load().WriteToUDPAddrPort(data, to)
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	_ = l.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := l.conn.Write(data); err != nil {
		l.lose(fmt.Errorf("write to %s: %w", l.remote, err)) // half a message went out: the stream is spoilt
		return err
	}
	return nil
}

// Ping sends the two CRLF that keep a way through NAT open (RFC 5626 §3.5.1). TCP links that we dialled do it themselves.
func (l *Link) Ping(to netip.AddrPort) error { return l.write([]byte("\r\n\r\n"), to) }

// ListenUDP opens a UDP socket ("127.0.0.1:0" picks a port) and reads it until the Stack or the link closes. A read error
// never ends it silently: the socket is opened again on the same address.
func (s *Stack) ListenUDP(addr string) (*Link, error) {
	socket, err := openUDP(addr)
	if err != nil {
		return nil, err
	}
	l := &Link{stack: s, network: "udp", local: addrPort(socket.LocalAddr()), done: make(chan struct{})}
	l.socket.Store(socket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		socket.Close()
		return nil, net.ErrClosed
	}
	s.udp = append(s.udp, l)
	s.working.Go(l.readUDP)
	return l, nil
}

func openUDP(addr string) (*net.UDPConn, error) {
	at, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen udp: %w", err)
	}
	socket, err := net.ListenUDP("udp", at)
	if err != nil {
		return nil, fmt.Errorf("listen udp: %w", err)
	}
	_ = socket.SetReadBuffer(4 << 20) // bursts of a whole floor; the kernel may give less
	return socket, nil
}

func (l *Link) readUDP() {
	buf := make([]byte, 65535)
	for failures := 0; ; {
		n, from, err := l.socket.Load().ReadFromUDPAddrPort(buf)
		if err != nil {
			if l.Err() != nil || !l.mend(err, &failures) {
				return
			}
			continue
		}
		failures = 0
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if l.stack.cfg.Admit != nil && !l.stack.cfg.Admit(from) {
			continue
		}
		if data := buf[:n]; len(strings.Trim(string(data[:min(n, 5)]), "\r\n\x00")) > 0 {
			l.stack.receive(data, from, l)
		}
	}
}

// mend waits after a read error and opens the socket again when it does not heal (sleep, an interface that went). False:
// the link was closed meanwhile.
func (l *Link) mend(err error, failures *int) bool {
	*failures++
	l.stack.log.Warn("sip socket read", "local", l.local, "err", err, "failures", *failures)
	select {
	case <-l.done:
		return false
	case <-time.After(min(time.Duration(*failures)*20*time.Millisecond, time.Second)):
	}
	if *failures < 5 && !errors.Is(err, net.ErrClosed) {
		return true
	}
	l.socket.Load().Close()
	if socket, err := openUDP(l.local.String()); err == nil {
		l.socket.Store(socket)
		if l.Err() != nil { // closed while we opened
			socket.Close()
			return false
		}
	}
	return true
}

// Link is the way to a peer: the UDP socket that reaches it, or the TCP connection that peer opened or we opened; for TCP
// with neither it dials.
func (s *Stack) Link(ctx context.Context, network string, to netip.AddrPort) (*Link, error) {
	s.mu.Lock()
	known := s.tcp[to]
	var socket *Link
	for _, u := range s.udp {
		if socket == nil || u.local.Addr().IsLoopback() == to.Addr().IsLoopback() {
			socket = u
		}
	}
	s.mu.Unlock()
	switch {
	case strings.EqualFold(network, "tcp") && known != nil:
		return known, nil
	case strings.EqualFold(network, "tcp"):
		return s.DialTCP(ctx, to.String())
	case socket == nil:
		return nil, fmt.Errorf("no udp socket for %s", to)
	}
	return socket, nil
}

func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// sender is a link with a destination: the connection that sipgo's transactions write to. It counts no references, for the
// link's life is not theirs.
type sender struct {
	link *Link
	to   netip.AddrPort
}

func (c sender) LocalAddr() net.Addr    { return net.UDPAddrFromAddrPort(c.link.local) }
func (c sender) Ref(int) int            { return 1 }
func (c sender) TryClose() (int, error) { return 1, nil }
func (c sender) Close() error           { return nil }
func (c sender) WriteMsg(m sip.Message) error {
	var b strings.Builder
	m.StringWrite(&b)
	data := []byte(b.String())
	c.link.stack.trace(true, c.link, c.to, data)
	return c.link.write(data, c.to)
}
