package media

import (
	"sync"
	"time"
)

// quality measures what arrives (RFC 3550 §6.4.1, appendix A) with the clock of the codec in use, and keeps what the
// far side says about what we send.
type quality struct {
	mu      sync.Mutex
	ssrc    uint32
	begun   bool
	base    uint32 // extended sequence number of the first packet
	highest uint32
	packets uint32 // of this source
	transit int64
	jitter  float64 // in units of the clock
	clock   uint32

	lastExpected, lastPackets uint32 // at the last report
	reportNTP                 uint32 // middle of the last sender report received
	reportAt                  time.Time

	total  Flow // of earlier sources
	octets uint64

	theirs Flow // as the far side reports
	rtt    time.Duration
}

func (q *quality) received(p packet, clock uint32, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.begun || q.ssrc != p.ssrc || q.clock != clock {
		q.beginLocked(p, clock)
	}
	q.packets++
	q.octets += uint64(len(p.payload))
	if d := int16(p.seq - uint16(q.highest)); d > 0 {
		q.highest += uint32(d)
	}
	transit := now.UnixMicro()*int64(clock)/1e6 - int64(p.ts)
	if q.packets > 1 {
		d := float64(int32(transit - q.transit))
		q.jitter += (max(d, -d) - q.jitter) / 16
	}
	q.transit = transit
}

func (q *quality) beginLocked(p packet, clock uint32) {
	q.total.Packets += uint64(q.packets)
	q.total.Lost += q.lostLocked()
	q.begun, q.ssrc, q.clock = true, p.ssrc, clock
	q.base = uint32(p.seq) + 1<<16
	q.highest = q.base
	q.packets, q.lastExpected, q.lastPackets, q.jitter = 0, 0, 0, 0
}

func (q *quality) expectedLocked() uint32 {
	if !q.begun {
		return 0
	}
	return q.highest - q.base + 1
}

func (q *quality) lostLocked() int64 { return int64(q.expectedLocked()) - int64(q.packets) }

func (q *quality) flow() Flow {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Flow{
		Packets: q.total.Packets + uint64(q.packets), Bytes: q.octets,
		Lost: max(0, q.total.Lost+q.lostLocked()), Jitter: units(q.jitter, q.clock),
	}
}

// units turns RTP clock units into time.
func units(n float64, clock uint32) time.Duration {
	if clock == 0 {
		return 0
	}
	return time.Duration(n / float64(clock) * float64(time.Second))
}

// Stats is how the line does just now.
func (e *Engine) Stats(id string) Stats {
	l := e.line(id)
	if l == nil {
		return Stats{}
	}
	st := Stats{Received: l.quality.flow()}
	if r := l.route.Load(); r != nil {
		st.Codec, st.Secure = r.codec.String(), l.secured()
		if r.shield != nil {
			st.Bad = r.shield.failed.Load()
		}
	}
	l.quality.mu.Lock()
	st.Sent, st.RTT = l.quality.theirs, l.quality.rtt
	l.quality.mu.Unlock()
	l.mu.Lock()
	st.Sent.Packets, st.Sent.Bytes = uint64(l.out.packets), uint64(l.out.octets)
	l.mu.Unlock()
	return st
}
