package stack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
func (s *Stack) ListenTCP(addr string) (netip.AddrPort, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("listen tcp: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		listener.Close()
		return netip.AddrPort{}, net.ErrClosed
	}
	s.listeners = append(s.listeners, listener)
	s.working.Go(func() { s.accept(listener) })
	return addrPort(listener.Addr()), nil
}

func (s *Stack) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("sip accept", "local", listener.Addr(), "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		from := addrPort(conn.RemoteAddr())
		if s.cfg.Admit != nil && !s.cfg.Admit(from) {
			conn.Close()
			continue
		}
		if _, err := s.adopt(conn, false); err != nil {
			conn.Close()
		}
	}
}

// DialTCP opens a connection and reads it; it keeps it alive and notices its death (RFC 5626 §4.4.1). Done of the link
// tells the loss.
func (s *Stack) DialTCP(ctx context.Context, addr string) (*Link, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	l, err := s.adopt(conn, true)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

func (s *Stack) adopt(conn net.Conn, dialled bool) (*Link, error) {
	l := &Link{
		stack: s, network: "tcp", conn: conn, dialled: dialled, done: make(chan struct{}), pong: make(chan struct{}, 1), born: time.Now(),
		local: addrPort(conn.LocalAddr()), remote: addrPort(conn.RemoteAddr()),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	if !dialled && s.perAddr[l.remote.Addr()] >= s.cfg.ConnsPerAddr && !s.makeRoomLocked(l.remote.Addr()) {
		return nil, fmt.Errorf("too many connections from %s", l.remote.Addr())
	}
	s.perAddr[l.remote.Addr()]++
	s.tcp[l.remote] = l
	s.working.Go(l.readTCP)
	if dialled {
		s.working.Go(l.keepAlive)
	}
	return l, nil
}

// makeRoomLocked closes the oldest connection of that address that has not brought a whole message yet: who holds half messages
// does not lock out who talks.
func (s *Stack) makeRoomLocked(addr netip.Addr) bool {
	var oldest *Link
	for _, l := range s.tcp {
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

func (l *Link) readTCP() {
	var pending []byte
	begun := time.Now() // of the message that is not whole yet
	chunk := make([]byte, 16<<10)
	for {
		deadline := time.Time{}
		if !l.dialled && (len(pending) > 0 || !l.spoke.Load()) {
			deadline = begun.Add(halfTime)
		}
		_ = l.conn.SetReadDeadline(deadline)
		n, err := l.conn.Read(chunk)
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
		select {
		case l.pong <- struct{}{}:
		default:
		}
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

func (l *Link) keepAlive() {
	tick := time.NewTicker(pingTime)
	defer tick.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		select {
		case <-l.pong: // an old one
		default:
		}
		if l.write([]byte("\r\n\r\n"), l.remote) != nil {
			return
		}
		select {
		case <-l.done:
			return
		case <-l.pong:
		case <-time.After(pongTime):
			l.lose(errors.New("no pong"))
			return
		}
	}
}
