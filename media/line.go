package media

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// line is one call's leg to the network: a pair of UDP sockets, what was agreed about them, and the stream that goes out.
type line struct {
	id   string
	e    *Engine
	rtp  *port
	rtcp *port
	done sync.WaitGroup // all ports that are heard

	// Guarded by the engine's mutex.
	talk    talk
	aside   aside
	running bool
	shield  *shield      // nil: plain
	assoc   *association // nil: no DTLS

	route atomic.Pointer[route]          // what was agreed, as the packets need it; nil: nothing yet
	to    atomic.Pointer[netip.AddrPort] // where packets go: as signalled, then where they come from
	sink  atomic.Pointer[func(pcm []int16)]
	part  atomic.Pointer[part]  // in a conference; nil: in none
	taps  atomic.Pointer[[]tap] // who sees the sound pass; nil: nobody
	open  atomic.Bool           // ICE has found a way
	lost  bool                  // that there is none was told; the pacer's own

	checks  atomic.Pointer[[]*checker]       // ICE, newest last; replaced under mu; nil: none
	proved  atomic.Pointer[[]netip.AddrPort] // addresses that it found to be the far side's
	reports atomic.Pointer[netip.AddrPort]   // where it sends RTCP that has its own port
	echo    atomic.Bool
	heard   atomic.Int64 // last packet accepted, Unix nanoseconds
	ended   atomic.Bool

	firstIn, firstOut atomic.Bool

	gate    gate // guards what goes out: a packet at a time
	out     stream
	buf     [rtpHeader + maxPayload + sealRoom]byte // of what passes through
	at      atomic.Pointer[port]                    // the socket that packets leave from: rtp, for who does not wait for mu
	ours    atomic.Bool                             // we speak ourselves: a source or a key
	wants   atomic.Bool                             // we do, or are about to
	skipped atomic.Bool                             // something did not pass: the next packet begins a new base
	spoke   atomic.Int64                            // when a packet last passed through, Unix nanoseconds
	inward  gate                                    // for both readers, of which there are two pairs during a move

	mu      sync.Mutex // guards the sockets and what we say of our own
	own     [rtpHeader + maxPayload + sealRoom]byte
	next    *sockets  // of a move that is offered
	left    *sockets  // of the address before, until the offer is answered
	leaveAt time.Time // when left closes, after a restart of ICE
	early   []flight
	source  Source
	voice   [maxPace*8 + 160]int16
	have    int // samples in voice
	payload [maxFrame]byte
	voiced  writer    // what we say of our own
	due     time.Time // of the next frame of our own
	press   press

	in      inbound // guarded by inward
	quality quality
	gauge   gauge
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
	way    *atomic.Bool // whether ICE has found one; nil: no ICE
	since  time.Time
	former netip.AddrPort // where packets went before, when this route leads elsewhere
}

// late says that a packet is one of the last from where the sound was before. It is heard (RFC 3264 §8.3.1), but nothing is sent after
// it: of two far sides that a transfer brings together each would go on sending to who has left, and so never learn of the other's port.
func (r *route) late(from netip.AddrPort, now time.Time) bool {
	return from == r.former && from != r.remote && now.Sub(r.since) < relatch
}

// silent says that nothing may leave: not allowed, not encrypted yet, or no way found.
func (r *route) silent() bool {
	return !r.send || r.shield != nil && !r.shield.ready.Load() || r.way != nil && !r.way.Load()
}

const (
	maxPayload = 1400
	// keepAlive is how long a line may be without our packets before silence goes out.
	keepAlive = 60 * time.Millisecond
	// relatch is how long the latched port must be silent before another port of the same address is believed.
	relatch = 2 * time.Second
)

// openPair opens an even RTP port and the odd one above it (RFC 3550 §11).
func (e *Engine) openPair(local netip.Addr) (rtp, rtcp *port, err error) {
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
		if rtp, err = e.ports.open(netip.AddrPortFrom(local, port)); err != nil {
			continue
		}
		at := rtp.local().Port()
		if at%2 == 0 && at < 65535 {
			rtcp, err = e.ports.open(netip.AddrPortFrom(local, at+1))
			if err == nil {
				return rtp, rtcp, nil
			}
		}
		rtp.close()
	}
	return nil, nil, errors.Join(fmt.Errorf("no free pair of ports on %s", local), err)
}

func (l *line) start() {
	l.running = true
	l.readFrom(&sockets{l.rtp, l.rtcp})
	l.beginLocked()
}

func (l *line) readFrom(s *sockets) {
	l.done.Add(2)
	s.rtp.hear(l.listen(s.rtp, l.receive), l.done.Done)
	s.rtcp.hear(l.listen(s.rtcp, l.report), l.done.Done)
}

// close ends the association and closes the ports, and waits until nobody hears them. The engine has forgotten the line before.
func (l *line) close() {
	l.endRecord()
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

// listen is take, for all but STUN.
func (l *line) listen(at *port, take taker) taker {
	return func(b []byte, from netip.AddrPort, now time.Time) {
		if len(b) > 0 && b[0] <= 3 { // RFC 7983 §7
			l.stunned(at, b, from, now)
			return
		}
		take(b, from, now)
	}
}

// receive takes a datagram from the network to wherever it belongs.
func (l *line) receive(b []byte, from netip.AddrPort, now time.Time) {
	if !l.inward.try() {
		return
	}
	defer l.inward.leave()
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
			l.tooEarly(b, from)
		}
		return nil, false
	case !l.known(r, from, now):
		if r.way != nil && b[0] >= 20 && b[0] <= 63 && l.askedFrom(from) {
			l.tooEarly(b, from)
		}
		return nil, false
	case b[0] >= 20 && b[0] <= 63:
		if r.assoc != nil {
			if r.way == nil && !r.late(from, now) {
				l.follow(from)
			}
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
	to := l.to.Load() // before the route: an agreement changes it after that
	r := l.route.Load()
	p, ok := parseRTP(b)
	if r == nil || !ok || len(p.payload) == 0 {
		return
	}
	c := r.recv[p.pt]
	if c == noCodec {
		l.quality.beside(p)
		return
	}
	if !r.late(from, now) {
		l.heard.Store(now.UnixNano())
		if r.way == nil && (to == nil || *to != from) {
			latched := from // a variable of its own: the argument would go to the heap with every packet
			l.to.CompareAndSwap(to, &latched)
		}
	}
	if c == digits {
		l.quality.beside(p)
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
	l.tapped(false, c, p, now)
	if sink := l.sink.Load(); sink != nil && c.readable() {
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
		if b := l.e.beside.Load(); b != nil && b.takes(l, c, p) {
			return
		}
		if owner := l.e.owner.Load(); owner != nil {
			owner.play(c, p, now)
		}
	}
}

// known says that a packet comes from the far end: from the signalled address, and from the port that was latched. This
// is what keeps a third party from hearing or speaking ("RTP bleed").
func (l *line) known(r *route, from netip.AddrPort, now time.Time) bool {
	if r.way != nil {
		return l.provedFrom(from)
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
	if r == nil || !r.speak || r.silent() || c != r.codec || len(p.payload) > maxPayload || !l.gate.try() {
		l.skipped.Store(true)
		return
	}
	defer l.gate.leave()
	if l.ours.Load() {
		l.skipped.Store(true)
		return
	}
	if l.skipped.Load() && l.skipped.CompareAndSwap(true, false) {
		l.out.from = fedNothing // what we left out is no loss of the network's
	}
	if muted {
		p.payload = c.silence(len(p.payload))
	}
	p, ok := l.out.copied(p, c, true, now)
	if !ok {
		return
	}
	l.spoke.Store(now.UnixNano())
	p.pt = r.pt
	l.tapped(true, c, p, now)
	if n, ok := r.pack(p, l.buf[:]); ok {
		l.send(l.buf[:n])
	}
	if !l.firstOut.Load() && l.firstOut.CompareAndSwap(false, true) {
		l.e.tell(FirstPacket{Line: l.id, Out: true, At: now})
	}
}

// pack writes a packet as it goes over the network, sealed if so agreed, and says how long it became.
func (r *route) pack(p packet, buf []byte) (int, bool) {
	n := p.put(buf)
	if r.shield == nil {
		return n, true
	}
	return r.shield.seal(buf, n)
}

// send sends a datagram to where RTP goes. A lost packet is a lost packet; a lost address may have a new one.
func (l *line) send(b []byte) {
	to := l.to.Load()
	if to == nil {
		return
	}
	if err := l.at.Load().write(b, *to); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.againLocked(b, *to)
	}
}

// writeLocked is send for who holds the mutex.
func (l *line) writeLocked(b []byte) {
	to := l.to.Load()
	if to == nil {
		return
	}
	if err := l.rtp.write(b, *to); err != nil {
		l.againLocked(b, *to)
	}
}

// againLocked sends from the new address, if there is one.
func (l *line) againLocked(b []byte, to netip.AddrPort) {
	if l.next != nil {
		l.switchLocked()
		_ = l.rtp.write(b, to)
	}
}

// inbound is what only the reader of the line touches.
type inbound struct {
	voice reader
	pcm   []int16
	keys  keyLog
}
