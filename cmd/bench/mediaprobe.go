package main

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// frameEvery is how often everybody speaks: 50 packets a second, as every phone does.
const frameEvery = 20 * time.Millisecond

// flight is one direction of a call: packets are told apart by the number in their payload.
type flight struct {
	epoch time.Time
	left  [4096]atomic.Int64 // when each was sent, since epoch
	first atomic.Pointer[time.Time]
	said  atomic.Int64

	mu   sync.Mutex
	took []float64 // ms
}

func newFlight() *flight { return &flight{epoch: time.Now()} }

// sent notes a packet that is about to leave, came one that has come.
func (f *flight) sent(seq uint16, at time.Time) {
	f.said.Add(1)
	f.left[seq%uint16(len(f.left))].Store(int64(at.Sub(f.epoch)))
}

func (f *flight) came(seq uint16, at time.Time) {
	if f.first.Load() == nil {
		f.first.CompareAndSwap(nil, &at)
	}
	left := f.left[seq%uint16(len(f.left))].Swap(0)
	if left == 0 {
		return // from before take, or twice
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.took = append(f.took, float64(int64(at.Sub(f.epoch))-left)/1e6)
}

// take gives the delays in ms since it was asked last, and how many packets were said.
func (f *flight) take() (took []float64, said int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	took, f.took = f.took, nil
	return took, int(f.said.Swap(0))
}

// end is one side of a call.
type end interface {
	say(seq uint16) error
	close()
}

// call is both sides of one that somebody carries: up is what the left says, down what the right says.
type call struct {
	left, right end
	up, down    *flight
}

func (c *call) close() {
	c.left.close()
	c.right.close()
}

// speech is what all sides say, as G.711 µ-law.
type speech []byte

// word is the payload of a packet: its number, and then what follows in the speech from some place on.
func (s speech) word(dst []byte, seq, place uint16) {
	at := (int(seq)*len(dst) + int(place)*len(dst)) % (len(s) - len(dst))
	copy(dst, s[at:])
	binary.BigEndian.PutUint32(dst, uint32(seq)<<8|0x55)
}

func spoken(payload []byte) (seq uint16, ok bool) {
	if len(payload) != 160 || payload[3] != 0x55 { // silence
		return 0, false
	}
	return uint16(binary.BigEndian.Uint32(payload) >> 8), true
}

// plainEnd is a side with plain RTP: G.711 µ-law from and to one socket.
type plainEnd struct {
	conn *net.UDPConn
	to   netip.AddrPort
	out  *flight
	says speech
	buf  [172]byte
	work sync.WaitGroup
}

func newPlainEnd(says speech) (*plainEnd, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	p := &plainEnd{conn: conn, says: says}
	p.buf[0] = 2 << 6
	binary.BigEndian.PutUint32(p.buf[8:], uint32(p.port())) // some source
	return p, nil
}

func (p *plainEnd) port() uint16 { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort().Port() }

// begin speaks to that port from now on.
func (p *plainEnd) begin(port uint16, out, in *flight) {
	p.to, p.out = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port), out
	p.work.Go(func() {
		buf := make([]byte, 2048)
		for {
			n, _, err := p.conn.ReadFromUDPAddrPort(buf)
			at := time.Now()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil && n > 12 {
				if seq, ok := spoken(buf[12:n]); ok {
					in.came(seq, at)
				}
			}
		}
	})
}

func (p *plainEnd) say(seq uint16) error {
	binary.BigEndian.PutUint16(p.buf[2:], seq)
	binary.BigEndian.PutUint32(p.buf[4:], uint32(seq)*160)
	p.says.word(p.buf[12:], seq, p.port())
	p.out.sent(seq, time.Now())
	_, err := p.conn.WriteToUDPAddrPort(p.buf[:], p.to)
	return err
}

func (p *plainEnd) close() {
	_ = p.conn.Close()
	p.work.Wait()
}

// talk lets all sides speak for that long, evenly spread over each 20 ms, from sequence number begin on; it gives the next.
func talk(calls []*call, begin uint16, d time.Duration) (uint16, error) {
	var sides []end
	for _, c := range calls {
		sides = append(sides, c.left)
	}
	for _, c := range calls {
		sides = append(sides, c.right)
	}
	t0 := time.Now()
	rounds := int(d / frameEvery)
	for i := range rounds {
		for k, side := range sides {
			time.Sleep(time.Until(t0.Add(time.Duration(i)*frameEvery + frameEvery*time.Duration(k)/time.Duration(len(sides)))))
			if err := side.say(begin + uint16(i)); err != nil {
				return 0, err
			}
		}
	}
	time.Sleep(5 * frameEvery) // what is under way arrives
	return begin + uint16(rounds), nil
}
