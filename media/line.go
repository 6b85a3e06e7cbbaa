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

	talk talk // guarded by the engine's mutex

	route atomic.Pointer[route]          // what was agreed, as the packets need it; nil: nothing yet
	to    atomic.Pointer[netip.AddrPort] // where packets go: as signalled, then where they come from
	sink  atomic.Pointer[func(pcm []int16)]
	part  atomic.Pointer[part] // in a conference; nil: in none
	echo  atomic.Bool
	heard atomic.Int64 // last packet accepted, Unix nanoseconds
	ended atomic.Bool

	firstIn, firstOut atomic.Bool

	mu      sync.Mutex // guards what goes out; held for one packet at a time
	out     stream
	buf     [rtpHeader + maxPayload]byte
	source  Source
	voice   [160]int16
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
	send   bool       // packets may leave
	speak  bool       // with the agent's voice in them
	hear   bool       // what arrives is for the agent's ear
	remote netip.AddrPort
	rtcp   netip.AddrPort
	since  time.Time
}

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
	l.done.Go(func() { l.read(l.rtp, l.receive) })
	l.done.Go(func() { l.read(l.rtcp, l.report) })
}

// close ends the readers and waits for them.
func (l *line) close() {
	l.ended.Store(true)
	_ = l.rtp.Close()
	_ = l.rtcp.Close()
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
	r := l.route.Load()
	if r == nil || !l.known(r, from, now) {
		return
	}
	p, ok := parseRTP(b)
	if !ok || len(p.payload) == 0 {
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
	if r == nil || !r.speak || c != r.codec || len(p.payload) > maxPayload {
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
	if to := l.to.Load(); to != nil {
		_, _ = l.rtp.WriteToUDPAddrPort(l.buf[:p.put(l.buf[:])], *to) // a lost packet is a lost packet
	}
}

// tick sends what is due of our own: digits, the source's voice, or silence when nobody speaks.
func (l *line) tick(now time.Time) {
	r := l.route.Load()
	if r == nil || !r.send {
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
	const frame = frameTime * time.Millisecond
	if now.Sub(l.due) > 5*frame {
		l.due = now // first, or we were asleep: do not send a burst
	}
	for ; !l.due.After(now); l.due = l.due.Add(frame) {
		switch {
		case l.pressLocked(r, now):
		case l.source != nil && r.mixes():
			if ended = !l.source.Next(l.voice[:]); ended {
				l.source = nil
				continue
			}
			l.ownLocked(r, l.voiced.narrow(l.payload[:0], r.codec, l.voice[:]), now)
		case l.part.Load() != nil && r.mixes(): // the mixer speaks
		case l.out.from == fedOwn, l.source != nil, now.Sub(later(l.out.at, r.since)) >= keepAlive:
			l.ownLocked(r, r.codec.silence(int(frameTime*8)), now)
		}
	}
	return ended
}

func (l *line) ownLocked(r *route, payload []byte, now time.Time) {
	p := l.out.own(r.codec, payload, now)
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
