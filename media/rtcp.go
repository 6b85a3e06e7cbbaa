package media

import (
	"math"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// reportEvery is how often a line sends its report (RFC 3550 §6.2).
const reportEvery = 5 * time.Second

// sendReport tells the far side how we hear it and, when we send, what we sent (RFC 3550 §6.4). pion's own reports count
// every codec at 48 kHz, so they are not used.
func (l *line) sendReport(now time.Time, bye bool) {
	r := l.route.Load()
	if r == nil || !r.rtcp.IsValid() || r.shield != nil && !r.shield.ready.Load() {
		return
	}
	l.gate.enter()
	out, stamp := l.out, l.out.stamp(now)
	l.gate.leave()
	blocks := l.quality.block(now)
	var all []rtcp.Packet
	if out.packets > 0 {
		all = append(all, &rtcp.SenderReport{SSRC: out.ssrc, NTPTime: ntp(now), RTPTime: stamp,
			PacketCount: out.packets, OctetCount: out.octets, Reports: blocks})
	} else {
		all = append(all, &rtcp.ReceiverReport{SSRC: out.ssrc, Reports: blocks})
	}
	// The canonical name says nothing about the person or the machine (RFC 7022).
	all = append(all, &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: out.ssrc,
		Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.e.cname}}}}})
	if bye {
		all = append(all, &rtcp.Goodbye{Sources: []uint32{out.ssrc}})
	}
	b, err := rtcp.Marshal(all)
	ok := err == nil
	if ok && r.shield != nil {
		b, ok = r.shield.sealReport(b)
	}
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.mux {
		l.writeLocked(b)
		return
	}
	to := r.rtcp
	if r.way != nil {
		found := l.reports.Load()
		if found == nil {
			return
		}
		to = *found
	}
	_ = l.rtcp.write(b, to)
}

// reporter says that a report comes from the far side.
func (l *line) reporter(r *route, from netip.AddrPort) bool {
	if r.way != nil {
		return l.provedFrom(from)
	}
	return from.Addr() == r.remote.Addr()
}

// report takes what the far side reports.
func (l *line) report(b []byte, from netip.AddrPort, now time.Time) {
	r := l.route.Load()
	if r == nil || !r.mux && !l.reporter(r, from) { // of a port for both, admit has seen to it
		return
	}
	if r.assoc != nil && !r.mux { // its own port would need its own handshake (RFC 5764 §3), which we leave out
		return
	}
	if r.shield != nil {
		var ok bool
		if b, ok = r.shield.openReport(b); !ok {
			return
		}
	}
	all, err := rtcp.Unmarshal(b)
	if err != nil {
		return
	}
	mine := l.out.ssrc
	for _, p := range all {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			l.quality.heardOf(p.Reports, mine, specs[r.codec].clock, now)
			l.quality.mu.Lock()
			l.quality.reportNTP, l.quality.reportAt = uint32(p.NTPTime>>16), now
			l.quality.mu.Unlock()
		case *rtcp.ReceiverReport:
			l.quality.heardOf(p.Reports, mine, specs[r.codec].clock, now)
		}
	}
}

// block is our report on the source we hear, and none when we hear nobody.
func (q *quality) block(now time.Time) []rtcp.ReceptionReport {
	s := q.heard.Load()
	if s == nil {
		return nil
	}
	t := q.tally()
	q.mu.Lock()
	defer q.mu.Unlock()
	due, lost := int64(t.expected-q.last.expected), t.lost-q.last.lost
	q.last = t
	b := rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: uint32(s.counts.Load()>>32) - 1<<16,
		Jitter: uint32(math.Float32frombits(uint32(s.shake.Load()))), TotalLost: uint32(min(max(t.lost-s.before.lost, 0), 1<<23-1))}
	if due > 0 && lost > 0 {
		b.FractionLost = uint8(min(lost*256/due, 255))
	}
	if !q.reportAt.IsZero() {
		b.LastSenderReport = q.reportNTP
		b.Delay = uint32(now.Sub(q.reportAt).Microseconds() * 65536 / 1e6)
	}
	return []rtcp.ReceptionReport{b}
}

// verdict is what the far side says about the stream we send, by the reports it has sent so far.
type verdict struct {
	at       time.Time // of the last one; zero: it never said anything
	lost     int64     // since the stream began
	fraction float64   // percent lost since the report before
	highest  uint32    // extended sequence number it has seen
	jitter   time.Duration
	rtt      time.Duration // 0: unknown
}

func (q *quality) verdict() verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.theirs
}

// heardOf keeps what the far side says about our stream.
func (q *quality) heardOf(blocks []rtcp.ReceptionReport, mine, clock uint32, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range blocks {
		if b.SSRC != mine {
			continue
		}
		v := &q.theirs
		v.at, v.lost, v.highest = now, int64(int32(b.TotalLost<<8)>>8), b.LastSequenceNumber
		v.fraction = float64(b.FractionLost) / 2.56
		v.jitter = units(float64(b.Jitter), clock)
		if b.LastSenderReport != 0 {
			if rtt := int32(uint32(ntp(now)>>16) - b.LastSenderReport - b.Delay); rtt >= 0 {
				v.rtt = time.Duration(rtt) * time.Second / 65536
			}
		}
	}
}

// ntp is the time in seconds since 1900, 32 bits before and 32 after the point (RFC 3550 §4).
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}
