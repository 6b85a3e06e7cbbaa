package stack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"time"
)

const (
	maxMessage = 65535
	// halfTime is how long an accepted connection may take for its first message, or for one that it has begun; afterwards it
	// may be silent for ever, as registered phones are.
	halfTime = 10 * time.Second
	pingTime = 90 * time.Second // between our keep-alives (RFC 5626 §4.4.1: 95 to 120 s at most)
	pongTime = 10 * time.Second
)

// ListenTCP accepts connections on that address until the Stack closes and tells the address. Accept errors (EMFILE)
// pause it; only closing ends it.
func (s *Stack) ListenTCP(addr string) (netip.AddrPort, error) { return s.listen("tcp", addr, nil) }

func (s *Stack) listen(network, addr string, secure *tls.Config) (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen %s: %w", network, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		listener.Close()
		return netip.AddrPort{}, net.ErrClosed
	}
	s.listeners = append(s.listeners, listener)
	s.working.Go(func() { s.accept(listener, secure) })
	return addrPort(listener.Addr()), nil
}

func (s *Stack) accept(listener net.Listener, secure *tls.Config) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("sip accept", "err", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		from := addrPort(conn.RemoteAddr())
		if s.cfg.Admit != nil && !s.cfg.Admit(from) {
			conn.Close()
			continue
		}
		network := "tcp"
		if secure != nil {
			network, conn = "tls", tls.Server(conn, secure) // its reader shakes hands, so that nobody waits for a silent one
		}
		l := s.newStream(network, conn, false)
		if s.adopt(l, func() { l.readStream(conn) }) != nil {
			conn.Close()
		}
	}
}

// DialTCP opens a connection and reads it; it keeps it alive and notices its death (RFC 5626 §4.4.1). Done of the link
// tells the loss.
func (s *Stack) DialTCP(ctx context.Context, addr string) (*Link, error) {
	conn, err := dialer().DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return s.dialled("tcp", conn)
}

// dialer gives up after ten seconds and finds a connection dead whose far side vanished after half a minute.
func dialer() *net.Dialer {
	return &net.Dialer{Timeout: 10 * time.Second, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
}

func (s *Stack) dialled(network string, conn net.Conn) (*Link, error) {
	l := s.newStream(network, conn, true)
	if err := s.adopt(l, func() { l.readStream(conn) }); err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// streamKey names a connection.
type streamKey struct {
	network string
	remote  netip.AddrPort
}

func (l *Link) key() streamKey { return streamKey{l.network, l.remote} }

func (s *Stack) newStream(network string, conn net.Conn, dialled bool) *Link {
	return &Link{
		stack: s, network: network, conn: conn, dialled: dialled, done: make(chan struct{}), pong: make(chan struct{}, 1),
		paced: make(chan struct{}, 1), born: time.Now(), local: addrPort(conn.LocalAddr()), remote: addrPort(conn.RemoteAddr()),
	}
}

// adopt takes a connection into the books and starts what reads it.
func (s *Stack) adopt(l *Link, read func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	addr := l.remote.Addr()
	if !l.dialled && s.perAddr[addr] >= s.cfg.ConnsPerAddr && !s.makeRoomLocked(addr) {
		return fmt.Errorf("too many connections from %s", addr)
	}
	s.perAddr[addr]++
	s.streams[l.key()] = l
	s.working.Go(read)
	if l.dialled {
		s.working.Go(l.keepAlive)
	}
	return nil
}

// makeRoomLocked closes the oldest connection of that address that has not brought a whole message yet: who holds half messages
// does not lock out who talks.
func (s *Stack) makeRoomLocked(addr netip.Addr) bool {
	var oldest *Link
	for _, l := range s.streams {
		if l.remote.Addr() == addr && !l.dialled && !l.spoke.Load() && (oldest == nil || l.born.Before(oldest.born)) {
			oldest = l
		}
	}
	if oldest == nil {
		return false
	}
	oldest.spoke.Store(true) // it is closed once
	oldest.conn.Close()      // its reader takes it out of the books
	return true
}

func (l *Link) readStream(conn net.Conn) {
	var pending []byte
	begun := time.Now() // of the message that is not whole yet
	chunk := make([]byte, 16<<10)
	for {
		deadline := time.Time{}
		if !l.dialled && (len(pending) > 0 || !l.spoke.Load()) {
			deadline = begun.Add(halfTime)
		}
		_ = conn.SetReadDeadline(deadline)
		n, err := conn.Read(chunk)
		if err != nil {
			l.lose(fmt.Errorf("read from %s: %w", l.remote, err))
			return
		}
		if len(pending) == 0 && l.spoke.Load() {
			begun = time.Now()
		}
		pending = append(pending, chunk[:n]...)
		all := len(pending)
		if pending, err = l.messages(pending); len(pending) < all {
			begun = time.Now()
		}
		if err != nil {
			l.stack.log.Warn("sip stream out of step", "peer", l.remote, "err", err)
			l.lose(err)
			return
		}
	}
}

// messages takes every whole message from the front. A message that cannot be parsed is skipped like a datagram, for its
// length is known; only a stream whose lengths make no sense is an error.
func (l *Link) messages(data []byte) (rest []byte, err error) {
	for {
		data = l.keepAlives(data)
		n, err := frame(data)
		if err != nil || n == 0 {
			return data, err
		}
		l.spoke.Store(true)
		l.stack.receive(data[:n], l.remote, l)
		data = data[n:]
	}
}

// keepAlives takes the CRLFs between messages: two are a ping, which we answer, one is a pong (RFC 5626 §3.5.1).
func (l *Link) keepAlives(data []byte) []byte {
	for len(data) >= 2 && data[0] == '\r' && data[1] == '\n' {
		if len(data) >= 4 && data[2] == '\r' && data[3] == '\n' && !l.dialled {
			_ = l.write([]byte("\r\n"), l.remote)
			data = data[4:]
			continue
		}
		l.ponged()
		data = data[2:]
	}
	return data
}

// frame is the length of the first message in data, 0 when it is not all there yet (RFC 3261 §18.3).
func frame(data []byte) (int, error) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		if len(data) > maxMessage {
			return 0, errors.New("headers without end")
		}
		return 0, nil
	}
	length := -1
	for line := range bytes.SplitSeq(data[:end], []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || !bytes.EqualFold(name, []byte("Content-Length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
		if err != nil || length >= 0 && int(n) != length {
			return 0, errors.New("lengths make no sense")
		}
		length = int(n)
	}
	total := end + 4 + max(length, 0)
	if total > maxMessage {
		return 0, errors.New("message too long")
	}
	if total > len(data) {
		return 0, nil
	}
	return total, nil
}

func (l *Link) ponged() {
	l.pongs.Store(true)
	select {
	case l.pong <- struct{}{}:
	default:
	}
}

// KeepAlive sets the time between our keep-alives, as a registrar's Flow-Timer asks (RFC 5626 §4.4), and says that the far side
// answers them. Without it only a far side that answered once is expected to do so again: many servers never do.
func (l *Link) KeepAlive(every time.Duration) {
	if l.network == "udp" {
		return
	}
	l.pongs.Store(true)
	if every > 0 && l.pace.Swap(int64(every)) != int64(every) {
		select {
		case l.paced <- struct{}{}:
		default:
		}
	}
}

// pause is the time until the next keep-alive, 80 to 100 % of what was set (RFC 5626 §4.4.1).
func (l *Link) pause() time.Duration {
	every := time.Duration(l.pace.Load())
	if every == 0 {
		every = pingTime
		if l.network == "wss" {
			every = wsPingTime
		}
	}
	return time.Duration((0.8 + 0.2*rand.Float64()) * float64(every))
}

func (l *Link) keepAlive() {
	timer := time.NewTimer(l.pause())
	defer timer.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-l.paced:
		case <-timer.C:
			if !l.alive() {
				return
			}
		}
		timer.Reset(l.pause())
	}
}

// alive asks the far side for a sign of life.
func (l *Link) alive() bool {
	select {
	case <-l.pong: // an old one
	default:
	}
	if l.Ping(l.remote) != nil {
		return false
	}
	late := time.NewTimer(pongTime)
	defer late.Stop()
	select {
	case <-l.done:
		return false
	case <-l.pong:
	case <-late.C:
		if l.pongs.Load() {
			l.lose(errors.New("no pong"))
			return false
		}
	}
	return true
}
