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

// Link is one UDP socket or one connection: TCP, TLS, or a WebSocket.
type Link struct {
	stack   *Stack
	network string
	local   netip.AddrPort
	remote  netip.AddrPort
	dialled bool   // we opened it: keep-alives are ours to send (RFC 5626 §4.4.1)
	host    string // what a WebSocket calls itself in Via and Contact, for nobody can open a way to it (RFC 7118 §5)

	socket  atomic.Pointer[net.UDPConn]
	large   atomic.Bool // requests too large for a datagram go by TCP
	conn    carrier     // of a connection
	born    time.Time
	spoke   atomic.Bool // it brought a whole message
	pace    atomic.Int64
	paced   chan struct{} // pace was changed
	pongs   atomic.Bool   // the far side answers keep-alives, so that silence means loss
	pong    chan struct{}
	writing sync.Mutex

	contact atomic.Pointer[string]

	done chan struct{}
	once sync.Once
	err  error
}

// carrier takes whole messages.
type carrier interface {
	Write([]byte) (int, error)
	SetWriteDeadline(time.Time) error
	Close() error
}

// Network is "udp", "tcp", "tls" or "wss".
func (l *Link) Network() string { return l.network }

// Secure: nobody between us and the other end of the link can read it.
func (l *Link) Secure() bool { return l.network == "tls" || l.network == "wss" }

// Local is the address the socket is bound to; it may be unspecified (0.0.0.0), see LocalFor.
func (l *Link) Local() netip.AddrPort { return l.local }

// Remote is the peer of a connection, zero for UDP.
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
	return l.AddressFor(user, to)
}

// AddressFor is ContactFor with our own address, whatever SetContact said.
func (l *Link) AddressFor(user string, to netip.AddrPort) string {
	value := "<sip:"
	if user != "" {
		value += EscapeUser(user) + "@"
	}
	value += l.sentBy(to)
	switch l.network {
	case "udp":
	case "wss":
		value += ";transport=ws" // RFC 7118 §5.2.4: one name for both
	default:
		value += ";transport=" + l.network
	}
	return value + ">"
}

// sentBy is our host and port in Via and Contact.
func (l *Link) sentBy(to netip.AddrPort) string {
	if l.host != "" {
		return l.host
	}
	local := l.LocalFor(to)
	return netip.AddrPortFrom(local.Addr().WithZone(""), local.Port()).String()
}

// Large lets requests above 1300 bytes leave this socket's stack over TCP to the same address, when that can be reached
// (RFC 3261 §18.1.1).
func (l *Link) Large() { l.large.Store(true) }

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
	if key := l.key(); s.streams[key] == l {
		delete(s.streams, key)
		if s.perAddr[l.remote.Addr()]--; s.perAddr[l.remote.Addr()] <= 0 {
			delete(s.perAddr, l.remote.Addr())
		}
	}
	defer s.mu.Unlock()
	if s.closed { // close ends them all
		return
	}
	var lost []*Outbound
	for _, o := range s.outbounds {
		if o.link == l {
			lost = append(lost, o)
		}
	}
	if len(lost) == 0 {
		return
	}
	// Not here: a write of such a transaction may have found out that the link is lost, and its locks are held meanwhile.
	s.working.Go(func() {
		for _, o := range lost {
			o.fail(sip.ErrTransactionTransport)
			o.tx.Terminate()
		}
	})
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

// Ping sends the two CRLF that keep a way through NAT open (RFC 5626 §3.5.1). Connections that we dialled do it themselves.
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
		if l.stack.cfg.Bindings && isBinding(buf[:n]) {
			_ = l.write(bindingAnswer(buf[:n], from), from)
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

// Link is the way to a peer: the UDP socket that reaches it, or the connection there is; for TCP without one it dials. A
// lost TLS connection is not dialled again here, for a bare address does not say whose certificate to expect.
func (s *Stack) Link(ctx context.Context, network string, to netip.AddrPort) (*Link, error) {
	network = lower(network)
	if network == "" || network == "udp" {
		return s.socketFor(to)
	}
	if known := s.stream(network, to); known != nil {
		return known, nil
	}
	if network == "tcp" {
		return s.DialTCP(ctx, to.String())
	}
	return nil, fmt.Errorf("no %s connection to %s", network, to)
}

func (s *Stack) stream(network string, to netip.AddrPort) *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[streamKey{network, to}]
}

// socketFor is the newest socket of the peer's family, one on loopback for peers on loopback.
func (s *Stack) socketFor(to netip.AddrPort) (*Link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best *Link
	for _, u := range s.udp {
		local := u.local.Addr()
		fits := local.Is4() == to.Addr().Is4() || local == netip.IPv6Unspecified()
		if fits && (best == nil || local.IsLoopback() == to.Addr().IsLoopback()) {
			best = u
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no udp socket for %s", to)
	}
	return best, nil
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
	if req, ok := m.(*sip.Request); ok && req.ContentLength() == nil {
		req.SetBody(req.Body()) // the ACK that sipgo makes for a refusal; a stream cannot be read without (RFC 3261 §18.3)
	}
	data := c.link.stack.encode(m)
	defer c.link.stack.recycle(data)
	return c.writeBytes(data.Bytes())
}

func (c sender) writeBytes(data []byte) error {
	c.link.stack.trace(true, c.link, c.to, data)
	return c.link.write(data, c.to)
}
