package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// line is one call's leg to the network: a pair of UDP sockets, what was agreed about them, and the stream that goes out.
type line struct {
	id   string
	e    *Engine
	rtp  *net.UDPConn
	rtcp *net.UDPConn
	done sync.WaitGroup // both readers

	// Guarded by the engine's mutex.
	talk    talk
	running bool
	shield  *shield      // nil: plain
	assoc   *association // nil: no DTLS

	route atomic.Pointer[route]          // what was agreed, as the packets need it; nil: nothing yet
	to    atomic.Pointer[netip.AddrPort] // where packets go: as signalled, then where they come from
	sink  atomic.Pointer[func(pcm []int16)]
	part  atomic.Pointer[part]           // in a conference; nil: in none
	pair  atomic.Pointer[netip.AddrPort] // the address that ICE checked; nil: no ICE, or nothing checked yet
	echo  atomic.Bool
	heard atomic.Int64 // last packet accepted, Unix nanoseconds
	ended atomic.Bool

	firstIn, firstOut atomic.Bool

	mu      sync.Mutex // guards what goes out; held for one packet at a time
	out     stream
	buf     [rtpHeader + maxPayload + sealRoom]byte
	next    *sockets // of a move that is offered
	left    *sockets // of the address before, until the offer is answered
	early   []flight
	source  Source
	voice   [maxPace*8 + 160]int16
	have    int // samples in voice
	payload [maxFrame]byte
	voiced  writer    // what we say of our own
	due     time.Time // of the next frame of our own
	press   press

	in      inbound // the reader's own
	quality quality
}

// route is what one agreement means for packets. It is never changed, only replaced.
type route struct {
	codec  codec
	pt     uint8 // we send
	digit  uint8 // payload type of telephone-event we send; 0: none (0 is PCMU's)
	hz     uint32
	recv   [128]codec // what a received payload type means
	frame  int        // milliseconds of sound in a packet of our own
	send   bool       // packets may leave
	speak  bool       // with the agent's voice in them
	hear   bool       // what arrives is for the agent's ear
	remote netip.AddrPort
	rtcp   netip.AddrPort
	mux    bool    // RTCP goes where RTP goes
	shield *shield // nil: plain
	assoc  *association
	ice    *lite
	since  time.Time
}

// silent says that nothing may leave: not allowed, or not encrypted yet.
func (r *route) silent() bool { return !r.send || r.shield != nil && !r.shield.ready.Load() }

const (
	maxPayload = 1400
	// keepAlive is how long a line may be without our packets before silence goes out.
	keepAlive = 60 * time.Millisecond
	// relatch is how long the latched port must be silent before another port of the same address is believed.
	relatch = 2 * time.Second
)

// openPair opens an even RTP port and the odd one above it (RFC 3550 §11).
func (e *Engine) openPair(local netip.Addr) (rtp, rtcp *net.UDPConn, err error) {
	for try := range 200 {
		port := uint16(0)
		if e.cfg.PortLow > 0 {
			low := int(e.cfg.PortLow+1) &^ 1
			pairs := (int(e.cfg.PortHigh) - low + 1) / 2
			if pairs <= 0 || try >= pairs {
				break
			}
			port = uint16(low + 2*(int(e.nextPort.Add(1))%pairs))
		}
		if rtp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, port))); err != nil {
			continue
		}
		at := rtp.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if at%2 == 0 && at < 65535 {
			rtcp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, at+1)))
			if err == nil {
				return rtp, rtcp, nil
			}
		}
		_ = rtp.Close()
	}
	return nil, nil, errors.Join(fmt.Errorf("no free pair of ports on %s", local), err)
}

func (l *line) start() {
	l.running = true
	l.readFrom(&sockets{l.rtp, l.rtcp})
	l.beginLocked()
}

func (l *line) readFrom(s *sockets) {
	l.done.Go(func() { l.read(s.rtp, l.receive) })
	l.done.Go(func() { l.read(s.rtcp, l.report) })
}

// close ends the association and the readers, and waits for them. The engine has forgotten the line before.
func (l *line) close() {
	if l.assoc != nil {
		l.assoc.close()
	}
	l.mu.Lock()
	l.ended.Store(true)
	(&sockets{l.rtp, l.rtcp}).close()
	l.next.close()
	l.left.close()
	l.mu.Unlock()
	l.done.Wait()
}

func (l *line) read(conn *net.UDPConn, take func(b []byte, from netip.AddrPort, now time.Time)) {
	buf := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			take(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), time.Now())
		case l.ended.Load() || errors.Is(err, net.ErrClosed):
			return
		}
		// Anything else is the network's word about an earlier packet (ICMP); the socket stays good.
	}
}

// receive takes a datagram from the network to wherever it belongs.
func (l *line) receive(b []byte, from netip.AddrPort, now time.Time) {
	if b, ok := l.admit(b, from, now); ok {
		l.hear(b, from, now)
	}
}

// admit sends what is not RTP its own way by its first byte (RFC 7983 §7), and unlocks the rest.
func (l *line) admit(b []byte, from netip.AddrPort, now time.Time) ([]byte, bool) {
	r := l.route.Load()
	switch {
	case len(b) < 2:
		return nil, false
	case r == nil:
		if b[0] >= 20 && b[0] <= 63 {
			l.tooEarly(b, from.Addr())
		}
		return nil, false
	case b[0] <= 3:
		l.checked(r, b, from)
		return nil, false
	case !l.known(r, from, now):
		return nil, false
	case b[0] >= 20 && b[0] <= 63:
		if r.assoc != nil {
			l.follow(from)
			r.assoc.take(b)
		}
		return nil, false
	case b[1] >= 192 && b[1] <= 223: // RFC 5761 §4
		l.report(b, from, now)
		return nil, false
	case r.shield != nil:
		return r.shield.open(b, now)
	}
	return b, true
}

// follow sends to where packets come from, while no sound has come.
func (l *line) follow(from netip.AddrPort) {
	if to := l.to.Load(); l.heard.Load() == 0 && (to == nil || *to != from) {
		latched := from
		l.to.Store(&latched)
	}
}

// hear takes a packet of sound or a key.
func (l *line) hear(b []byte, from netip.AddrPort, now time.Time) {
	r := l.route.Load()
	p, ok := parseRTP(b)
	if r == nil || !ok || len(p.payload) == 0 {
		return
	}
	c := r.recv[p.pt]
	if c == noCodec {
		return
	}
	l.heard.Store(now.UnixNano())
	if to := l.to.Load(); to == nil || *to != from {
		latched := from // a variable of its own: the argument would go to the heap with every packet
		l.to.Store(&latched)
	}
	if c == digits {
		l.pressed(p)
		return
	}
	l.quality.received(p, specs[c].clock, now)
	if !l.firstIn.Load() && l.firstIn.CompareAndSwap(false, true) {
		l.e.tell(FirstPacket{Line: l.id, At: now})
	}
	if !r.hear {
		return
	}
	if sink := l.sink.Load(); sink != nil && c.mixable() {
		l.in.pcm = l.in.voice.narrow(l.in.pcm[:0], c, p.payload)
		(*sink)(l.in.pcm)
	}
	if l.echo.Load() {
		l.speak(c, p, false, now)
	}
	if part := l.part.Load(); part != nil {
		if r.speak {
			part.ear.put(c, p)
		}
		return
	}
	if l.e.focus.Load() == l {
		if owner := l.e.owner.Load(); owner != nil {
			owner.play(c, p, now)
		}
	}
}

// known says that a packet comes from the far end: from the signalled address, and from the port that was latched. This
// is what keeps a third party from hearing or speaking ("RTP bleed").
func (l *line) known(r *route, from netip.AddrPort, now time.Time) bool {
	if pair := l.pair.Load(); pair != nil && r.ice != nil {
		return *pair == from
	}
	if from.Addr() != r.remote.Addr() {
		return false
	}
	heard := l.heard.Load()
	to := l.to.Load()
	return heard == 0 || to == nil || *to == from || from == r.remote || now.UnixNano()-heard > int64(relatch)
}

// speak sends a packet of the page (or of the echo) to the network, muted if so asked.
func (l *line) speak(c codec, p packet, muted bool, now time.Time) {
	r := l.route.Load()
	if r == nil || !r.speak || r.silent() || c != r.codec || len(p.payload) > maxPayload {
		return
	}
	if muted {
		p.payload = c.silence(len(p.payload))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.source != nil || l.press.sounding() {
		return
	}
	p, ok := l.out.copied(p, c, true, now)
	if !ok {
		return
	}
	p.pt = r.pt
	l.sendLocked(p)
	if !l.firstOut.Load() && l.firstOut.CompareAndSwap(false, true) {
		l.e.tell(FirstPacket{Line: l.id, Out: true, At: now})
	}
}

func (l *line) sendLocked(p packet) {
	r := l.route.Load()
	n, ok := p.put(l.buf[:]), true
	if r != nil && r.shield != nil {
		n, ok = r.shield.seal(l.buf[:], n)
	}
	if ok {
		l.writeLocked(l.buf[:n])
	}
}

// writeLocked sends a datagram to where RTP goes. A lost packet is a lost packet; a lost address may have a new one.
func (l *line) writeLocked(b []byte) {
	to := l.to.Load()
	if to == nil {
		return
	}
	if _, err := l.rtp.WriteToUDPAddrPort(b, *to); err != nil && l.next != nil {
		l.switchLocked()
		_, _ = l.rtp.WriteToUDPAddrPort(b, *to)
	}
}

// tick sends what is due of our own: digits, the source's voice, or silence when nobody speaks.
func (l *line) tick(now time.Time) {
	r := l.route.Load()
	if r == nil || r.silent() {
		return
	}
	l.mu.Lock()
	ended := l.tickLocked(r, now)
	l.mu.Unlock()
	if ended {
		l.e.tell(Played{Line: l.id})
	}
}

func (l *line) tickLocked(r *route, now time.Time) (ended bool) {
	frame := time.Duration(r.frame) * time.Millisecond
	if l.source == nil {
		l.have = 0
	}
	if now.Sub(l.due) > 5*frame {
		l.due = now // first, or we were asleep: do not send a burst
	}
	for ; !l.due.After(now); l.due = l.due.Add(frame) {
		switch {
		case l.pressLocked(r, now):
		case l.source != nil && r.mixes():
			n := r.frame * 8
			if ended = !l.fillLocked(n); ended {
				l.source = nil
			}
			if l.have == 0 {
				continue
			}
			l.ownLocked(r, l.voiced.narrow(l.payload[:0], r.codec, l.voice[:n]), now)
			l.have = copy(l.voice[:], l.voice[n:l.have])
		case l.part.Load() != nil && r.mixes(): // the mixer speaks
		case l.out.from == fedOwn, l.source != nil, now.Sub(later(l.out.at, r.since)) >= keepAlive:
			l.ownLocked(r, r.codec.quiet(r.frame), now)
		}
	}
	return ended
}

// fillLocked gathers that many samples of the source. False: it has ended; what was left of it is filled up with silence.
func (l *line) fillLocked(samples int) bool {
	for l.have < samples {
		if !l.source.Next(l.voice[l.have : l.have+160]) {
			if l.have > 0 {
				clear(l.voice[l.have:samples])
				l.have = samples
			}
			return false
		}
		l.have += 160
	}
	return true
}

// ownLocked sends a packet of our own: silence, a source's voice, a mix.
func (l *line) ownLocked(r *route, payload []byte, now time.Time) {
	if r.silent() {
		return
	}
	length := uint32(len(payload)) // G.711 and G.722: a byte for each tick of the clock
	if r.codec == opus {
		length = specs[opus].clock / 1000 * uint32(r.frame)
	}
	p := l.out.own(r.codec, payload, length, now)
	p.pt = r.pt
	l.sendLocked(p)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// inbound is what only the reader of the line touches.
type inbound struct {
	voice   reader
	pcm     []int16
	pressTS uint32 // of the digit last reported
	pressed bool
}
