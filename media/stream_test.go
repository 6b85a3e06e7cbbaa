package media

import (
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtp"
)

func TestSourceIsCopiedWithItsLossAndOrder(t *testing.T) {
	s := newStream()
	now := time.Now()
	first, _ := s.copied(packet{seq: 65534, ts: 1000, ssrc: 1}, pcmu, true, now)
	for _, row := range []struct {
		seq    uint16
		ts     uint32
		ok     bool
		dSeq   uint16
		dStamp uint32
	}{{65535, 1160, true, 1, 160}, {2, 1640, true, 4, 640}, {1, 1480, true, 3, 480}, {65533, 840, false, 0, 0}, {3, 1800, true, 5, 800}} {
		p, ok := s.copied(packet{seq: row.seq, ts: row.ts, ssrc: 1}, pcmu, true, now)
		if ok != row.ok || ok && (p.seq-first.seq != row.dSeq || p.ts-first.ts != row.dStamp || p.marker) {
			t.Errorf("%d: %v %+v after %+v", row.seq, ok, p, first)
		}
	}
	// Chrome's timestamps stand still while it has no microphone: a second later they are set against the clock.
	p, _ := s.copied(packet{seq: 4, ts: 1960, ssrc: 1}, pcmu, true, now.Add(time.Second))
	if d := p.ts - first.ts; d < 7900 || d > 8100 || !p.marker || p.seq-first.seq != 6 {
		t.Errorf("after a pause: %d later, %+v", d, p)
	}
	for i := range 100000 { // and the base follows for hours
		if _, ok := s.copied(packet{seq: uint16(5 + i), ts: uint32(2120 + 160*i), ssrc: 1}, pcmu, true, now.Add(time.Second)); !ok {
			t.Fatalf("packet %d dropped", i)
		}
	}
}

func TestG711IsWhatTheTablesSay(t *testing.T) {
	for _, row := range []struct {
		pcm  int16
		u, a byte
	}{{0, 0xff, 0xd5}, {8, 0xfe, 0xd5}, {-8, 0x7e, 0x55}, {1000, 0xce, 0xfa}, {-1000, 0x4e, 0x7a}, {32767, 0x80, 0xaa}, {-32768, 0x00, 0x2a}} {
		if u, a := uLaw(row.pcm), aLaw(row.pcm); u != row.u || a != row.a {
			t.Errorf("%d: µ %02x A %02x, wanted %02x %02x", row.pcm, u, a, row.u, row.a)
		}
	}
	for b := range 256 {
		if u := uLaw(fromULaw[b]); u != byte(b) && b != 0x7f { // two zeros
			t.Errorf("µ %02x comes back as %02x", b, u)
		}
		if a := aLaw(fromALaw[b]); a != byte(b) {
			t.Errorf("A %02x comes back as %02x", b, a)
		}
	}
}

func FuzzRTP(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff})
	f.Add([]byte{0xbf, 0xff, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := parseRTP(b)
		var h rtp.Header
		n, err := h.Unmarshal(b)
		if !ok {
			return
		}
		if err == nil && (h.SequenceNumber != p.seq || h.Timestamp != p.ts || h.SSRC != p.ssrc || h.PayloadType != p.pt || h.Marker != p.marker) {
			t.Errorf("pion reads %+v, we %+v", h, p)
		}
		if err == nil && !h.Padding && len(p.payload) != len(b)-n {
			t.Errorf("payload of %d bytes, pion %d", len(p.payload), len(b)-n)
		}
	})
}

func FuzzRTCP(f *testing.F) {
	f.Add([]byte{0x80, 201, 0, 1, 0, 0, 0, 1})
	l := &line{e: &Engine{}}
	l.route.Store(&route{codec: pcmu, remote: netip.AddrPortFrom(local, 1)})
	f.Fuzz(func(t *testing.T, b []byte) { l.report(b, netip.AddrPortFrom(local, 2), time.Now()) })
}
