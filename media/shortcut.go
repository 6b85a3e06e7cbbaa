package media

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pion/dtls/v2"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v2"
	"github.com/pion/webrtc/v3"
)

// shortcut carries the sound of one page between its socket and us, past pion. There a packet goes through three queues, each with a
// goroutine to wake, and is allocated anew; here it is unlocked where it arrives, by the goroutine that received it. Pion does all
// the rest: ICE, DTLS, reports, and sound that comes by TCP or before the keys are known.
type shortcut struct {
	c    *conn
	keys atomic.Pointer[keyring] // nil: not known yet, or not to be had
	lane atomic.Pointer[lane]    // where the page is; nil: not known, or by TCP

	mu      sync.Mutex
	sockets []*nearSocket

	// Guarded by the track's gate.
	used bool // pion counts our wraps no more (RFC 3711 §3.3.1): what has begun here goes on here
	buf  [rtpHeader + maxPayload + sealRoom]byte
	head rtp.Header
}

// keyring has both directions of a page's SRTP.
type keyring struct {
	suite *suite
	out   *srtp.Context // guarded by the track's gate

	gate gate // guards what follows: a page may change from one socket to another
	in   *srtp.Context
	head rtp.Header
}

// lane is a socket of ours and the page's address.
type lane struct {
	port *port
	to   netip.AddrPort
}

var errNoKeys = errors.New("pion does not show its keys")

// unlock takes the keys of a connection that is up.
func (s *shortcut) unlock(t *webrtc.DTLSTransport, answer string) error {
	if s.keys.Load() != nil {
		return nil
	}
	conn := associationOf(t)
	if conn == nil {
		return errNoKeys
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	suite := suiteOf(srtp.ProtectionProfile(profile))
	if !ok || suite == nil {
		return errNoKeys
	}
	state, keys := conn.ConnectionState(), srtp.Config{Profile: suite.profile}
	if err := keys.ExtractSessionKeysFromDTLS(&state, strings.Contains(answer, "a=setup:active")); err != nil {
		return err
	}
	k := keys.Keys
	out, err := newContext(suite, newSecret(string(k.LocalMasterKey)+string(k.LocalMasterSalt)))
	if err != nil {
		return err
	}
	in, err := newContext(suite, newSecret(string(k.RemoteMasterKey)+string(k.RemoteMasterSalt)))
	if err != nil {
		return err
	}
	s.keys.Store(&keyring{suite: suite, out: out, in: in})
	return nil
}

// name is the suite in use, for people; "" is none yet.
func (s *shortcut) name() string {
	if k := s.keys.Load(); k != nil {
		return k.suite.name
	}
	return ""
}

// associationOf is the DTLS connection inside of pion's transport, which webrtc v3 shows to nobody; v3 is not changed any more.
// Nil: it is not there; then everything goes pion's way.
func associationOf(t *webrtc.DTLSTransport) *dtls.Conn {
	if len(t.GetRemoteCertificate()) == 0 { // under its lock
		return nil
	}
	f := reflect.ValueOf(t).Elem().FieldByName("conn")
	if !f.IsValid() || f.Type() != reflect.TypeFor[*dtls.Conn]() {
		return nil
	}
	return *(**dtls.Conn)(unsafe.Pointer(f.UnsafeAddr()))
}

// turn sends by that pair from now on.
func (s *shortcut) turn(pair *webrtc.ICECandidatePair) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lane.Store(nil)
	to, err := netip.ParseAddr(pair.Remote.Address)
	if err != nil || pair.Local.Protocol != webrtc.ICEProtocolUDP {
		return
	}
	for _, n := range s.sockets {
		if n.port.local().Port() == pair.Local.Port {
			s.lane.Store(&lane{n.port, netip.AddrPortFrom(to, pair.Remote.Port)})
		}
	}
}

// take takes a datagram from a socket. False: it is for pion.
func (s *shortcut) take(b []byte) bool {
	k := s.keys.Load()
	if k == nil || len(b) < shortestRTP || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 { // RFC 7983 §7, RFC 5761 §4
		return false
	}
	if !k.gate.try() {
		return true
	}
	plain, err := k.in.DecryptRTP(b[:0], b, &k.head)
	k.gate.leave()
	if p, ok := parseRTP(plain); ok && err == nil {
		s.c.take(s.c.kinds.Load()[p.pt], p, time.Now())
	}
	return true
}

// mayWrap is how many packets pion may have sent before us: its first number is in the lower half, so that none has wrapped yet.
const mayWrap = 1 << 15

// send sends a packet, the sent-th of its stream. False: pion has to.
func (s *shortcut) send(p packet, sent uint32) bool {
	k, w := s.keys.Load(), s.lane.Load()
	if k == nil || w == nil || !s.used && sent >= mayWrap {
		return s.used
	}
	s.used = true
	n := p.put(s.buf[:])
	if sealed, err := k.out.EncryptRTP(s.buf[:0], s.buf[:n], &s.head); err == nil {
		_ = w.port.write(sealed, w.to) // the page may be gone; the watchdog sees it
	}
	return true
}

// nearNet opens sockets that take what is for the shortcut.
type nearNet struct {
	transport.Net
	ports *Ports
	cut   *shortcut
}

func (n nearNet) ListenUDP(_ string, at *net.UDPAddr) (transport.UDPConn, error) {
	p, err := n.ports.open(at.AddrPort())
	if err != nil {
		return nil, err
	}
	s := &nearSocket{UDPConn: p.conn, port: p, cut: n.cut, rest: make(chan letter, maxRest), over: make(chan struct{})}
	n.cut.mu.Lock()
	n.cut.sockets = append(n.cut.sockets, s)
	n.cut.mu.Unlock()
	p.hear(s.take, func() { close(s.over) })
	return s, nil
}

// nearSocket is a socket as pion wants it, which reads from it by one goroutine.
type nearSocket struct {
	transport.UDPConn // pion needs no more of it than its address
	port              *port
	cut               *shortcut
	rest              chan letter // for pion
	over              chan struct{}

	// Of who hears.
	last netip.AddrPort
	addr *net.UDPAddr // the same; never changed
}

// letter is a datagram and whom it is from.
type letter struct {
	b    []byte
	from net.Addr
}

const maxRest = 64 // letters: a flight of DTLS, and the sound that comes before its keys are known

// take leaves to pion what is not sound. What pion has no room for is lost, as with any socket.
func (n *nearSocket) take(b []byte, from netip.AddrPort, _ time.Time) {
	if n.cut.take(b) {
		return
	}
	if n.addr == nil || n.last != from {
		n.last, n.addr = from, net.UDPAddrFromAddrPort(from)
	}
	select {
	case n.rest <- letter{bytes.Clone(b), n.addr}:
	default:
	}
}

// ReadFrom waits for what is not sound.
func (n *nearSocket) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-n.rest:
		return copy(b, l.b), l.from, nil
	case <-n.over:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a datagram.
func (n *nearSocket) WriteTo(b []byte, to net.Addr) (int, error) {
	at, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, net.InvalidAddrError(to.String())
	}
	return len(b), n.port.write(b, at.AddrPort())
}

// SetDeadline does nothing: pion sets one only just before it closes.
func (n *nearSocket) SetDeadline(time.Time) error { return nil }

// Close ends ReadFrom.
func (n *nearSocket) Close() error {
	n.port.close()
	return nil
}
