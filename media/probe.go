package media

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNoEcho says that not one datagram of a network test came back.
var ErrNoEcho = errors.New("the network test has no echo")

// Verdicts of a network test, after G.107 annex B.
const (
	NetworkGood = "good" // R 80 and more, MOS 4.0: people are satisfied
	NetworkFair = "fair" // R 60 and more, MOS 3.1: many are not
	NetworkBad  = "bad"  // below: nearly nobody is
)

// ProbeResult is what a network test found, on the way there and back together.
type ProbeResult struct {
	Sent, Received int
	Late           int           // came back, but later than a receiver waits: 120 ms after the median
	Reordered      int           // came after a later one
	Loss           float64       // percent that did not come back
	RTT            time.Duration // median
	Jitter         time.Duration // mean difference between neighbours, there and back together
	MOS            float64       // that a G.711 call would have, if all that was lost or late were so in one direction
	Verdict        string        // a Network… constant; "" nothing came back
}

const (
	probeEvery = frameTime * time.Millisecond
	probeSize  = rtpHeader + 160                 // bytes, as a packet of G.711
	probeNonce = 8                               // bytes after the key: tell this test's datagrams from older ones
	probeAfter = 500 * time.Millisecond          // for the last ones to come back
	probeDeaf  = 2 * time.Second                 // without a single echo: given up
	probeLate  = earMost * time.Second / mixRate // later than a receiver waits
)

// prober is a network test under way.
type prober struct {
	conn net.Conn
	head []byte         // of each datagram
	sent []atomic.Int64 // when, Unix nanoseconds; by number
	rtt  []time.Duration
	top  int // highest number that came back
	got  ProbeResult
	last time.Duration // round trip of the one that came before
	sway time.Duration // sum of the differences
}

// Probe sends datagrams as a call would for the time d, 50 a second of 172 bytes, to an echo at addr that answers those which
// begin with key, and judges what comes back. Its error is ErrNoEcho, the network's or the context's.
func Probe(ctx context.Context, addr string, key []byte, d time.Duration) (ProbeResult, error) {
	n := int(d / probeEvery)
	if n <= 0 || len(key) > probeSize-probeNonce-4 {
		return ProbeResult{}, fmt.Errorf("probe: %d datagrams with a key of %d bytes", n, len(key))
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", addr)
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probe: %w", err)
	}
	defer conn.Close()
	nonce := make([]byte, probeNonce)
	_, _ = rand.Read(nonce) // never fails
	p := &prober{conn: conn, head: append(slices.Clone(key), nonce...), sent: make([]atomic.Int64, n), rtt: make([]time.Duration, n), top: -1}
	ctx, cancel := context.WithCancel(ctx)
	var writer sync.WaitGroup
	_ = conn.SetReadDeadline(time.Now().Add(probeDeaf))
	writer.Go(func() { p.send(ctx, time.Now()) })
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })
	p.receive(ctx)
	err = ctx.Err() // before we end it ourselves
	stop()
	cancel()
	writer.Wait()
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probe: %w", err)
	}
	return p.judge()
}

// send paces the datagrams, and then leaves the last ones a moment to come back. What is late because this machine is slow follows
// at once: it shall not look like a loss of the network's.
func (p *prober) send(ctx context.Context, begun time.Time) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	b := make([]byte, probeSize)
	at := copy(b, p.head)
	for i := range p.sent {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		binary.BigEndian.PutUint32(b[at:], uint32(i))
		p.sent[i].Store(time.Now().UnixNano())
		_, _ = p.conn.Write(b) // what does not leave does not come back either
		timer.Reset(time.Until(begun.Add(time.Duration(i+1) * probeEvery)))
	}
	_ = p.conn.SetReadDeadline(time.Now().Add(probeAfter))
}

// receive counts what comes back until all has, or the time is up, or nothing came at all for long.
func (p *prober) receive(ctx context.Context) {
	buf := make([]byte, probeSize+1)
	for p.got.Received < len(p.sent) && ctx.Err() == nil {
		n, err := p.conn.Read(buf)
		var late net.Error
		switch {
		case err == nil && p.came(buf[:n], time.Now()) && p.got.Received == 1:
			_ = p.conn.SetReadDeadline(time.Now().Add(time.Duration(2*len(p.sent)) * probeEvery)) // until send knows better
		case errors.Is(err, net.ErrClosed), errors.As(err, &late) && late.Timeout():
			return
		}
		// Anything else is the network's word about an earlier datagram (ICMP).
	}
}

// came takes one echo; what is not of this test, or was here before, does not count.
func (p *prober) came(b []byte, now time.Time) bool {
	if len(b) != probeSize || string(b[:len(p.head)]) != string(p.head) {
		return false
	}
	i := int(binary.BigEndian.Uint32(b[len(p.head):]))
	if i >= len(p.sent) || p.rtt[i] > 0 || p.sent[i].Load() == 0 {
		return false
	}
	p.rtt[i] = max(1, now.Sub(time.Unix(0, p.sent[i].Load())))
	if i < p.top {
		p.got.Reordered++
	}
	p.top = max(p.top, i)
	if p.got.Received++; p.got.Received > 1 {
		p.sway += (p.rtt[i] - p.last).Abs()
	}
	p.last = p.rtt[i]
	return true
}

func (p *prober) judge() (ProbeResult, error) {
	r := p.got
	r.Sent = len(p.sent)
	if r.Received == 0 {
		r.Loss = 100
		return r, fmt.Errorf("probe: %w", ErrNoEcho)
	}
	in := slices.DeleteFunc(slices.Clone(p.rtt), func(d time.Duration) bool { return d == 0 })
	slices.Sort(in)
	r.RTT = in[len(in)/2]
	if r.Received > 1 {
		r.Jitter = p.sway / time.Duration(r.Received-1)
	}
	missed, runs, before := 0, 0, false
	for _, d := range p.rtt {
		late := d > r.RTT+probeLate
		if late {
			r.Late++
		}
		if now := d == 0 || late; now {
			missed++
			if !before {
				runs++
			}
			before = true
		} else {
			before = false
		}
	}
	r.Loss = 100 * float64(r.Sent-r.Received) / float64(r.Sent)
	call := way{codec: pcmu, loss: 100 * float64(missed) / float64(r.Sent), burst: 1,
		delay: r.RTT/2 + probeEvery + buffered + 2*r.Jitter + playout}
	if runs > 0 {
		call.burst = float64(missed) / float64(runs) * (1 - call.loss/100)
	}
	rating := call.rating()
	r.MOS, r.Verdict = score(rating), verdictOf(rating)
	return r, nil
}

func verdictOf(rating float64) string {
	switch {
	case rating >= 80:
		return NetworkGood
	case rating >= 60:
		return NetworkFair
	}
	return NetworkBad
}
