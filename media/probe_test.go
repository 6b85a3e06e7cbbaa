package media

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zaseki/media/hear"
)

// mirror answers datagrams as do says: nil swallows one, more than one repeats it. Number counts from 0.
func mirror(t *testing.T, do func(number int, b []byte) [][]byte) string {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		b := make([]byte, 2048)
		for number := 0; ; number++ {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			for _, answer := range do(number, append([]byte(nil), b[:n]...)) {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	})
	t.Cleanup(func() {
		_ = conn.Close()
		work.Wait()
	})
	return conn.LocalAddr().String()
}

func TestNetworkTestCountsWhatComesBack(t *testing.T) {
	Long(t)
	t.Parallel()
	same := func(_ int, b []byte) [][]byte { return [][]byte{b} }
	var held []byte
	for _, row := range []struct {
		name string
		do   func(int, []byte) [][]byte
		ok   func(ProbeResult) bool
	}{
		{"calm", same, func(r ProbeResult) bool {
			return r.Received == 50 && r.Loss == 0 && r.MOS > 4.35 && r.Verdict == NetworkGood && r.RTT > 0 && r.Reordered == 0
		}},
		{"one in ten is lost", func(n int, b []byte) [][]byte {
			if n%10 == 9 {
				return nil
			}
			return [][]byte{b}
		}, func(r ProbeResult) bool {
			return r.Received == 45 && r.Loss == 10 && r.MOS > 3.2 && r.MOS < 3.5 && r.Verdict == NetworkFair
		}},
		{"every third is lost", func(n int, b []byte) [][]byte {
			if n%3 == 2 {
				return nil
			}
			return [][]byte{b}
		}, func(r ProbeResult) bool { return r.Received == 34 && r.Verdict == NetworkBad }},
		{"pairs change places, and all come twice", func(n int, b []byte) [][]byte {
			if n%2 == 0 {
				held = b
				return nil
			}
			return [][]byte{b, b, held, held}
		}, func(r ProbeResult) bool {
			return r.Received == 50 && r.Reordered == 25 && r.Jitter > 15*time.Millisecond && r.Jitter < 40*time.Millisecond
		}},
		{"somebody answers with what was never sent", func(n int, b []byte) [][]byte {
			forged, short, future := append([]byte(nil), b...), b[:40], append([]byte(nil), b...)
			forged[20] ^= 1
			copy(future[24:], "\xff\xff\xff\xff")
			return [][]byte{forged, short, nil, future, append(b, 0), make([]byte, 1400)}
		}, func(r ProbeResult) bool { return r.Received == 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			if !hear.Tries(1, func() bool { // a machine that is late is a network that is
				r, err := Probe(t.Context(), mirror(t, row.do), []byte("0123456789abcdef"), time.Second)
				t.Logf("%+v, %v", r, err)
				return row.ok(r) && (r.Received == 0) == errors.Is(err, ErrNoEcho) && r.Sent == 50
			}) {
				t.Error("not what came back")
			}
		})
	}
}

func TestNetworkTestGivesUpOnADeafCenter(t *testing.T) {
	Long(t)
	t.Parallel()
	began := time.Now()
	if r, err := Probe(t.Context(), mirror(t, func(int, []byte) [][]byte { return nil }), nil, time.Minute); !errors.Is(err, ErrNoEcho) {
		t.Errorf("%+v, %v", r, err)
	}
	if took := time.Since(began); took < probeDeaf || took > 2*probeDeaf {
		t.Errorf("it took %v", took)
	}
	// Nobody listens: the network says so, and the test ends all the same.
	deaf, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, 0)))
	if err != nil {
		t.Fatal(err)
	}
	_ = deaf.Close()
	if _, err := Probe(t.Context(), deaf.LocalAddr().String(), nil, 100*time.Millisecond); !errors.Is(err, ErrNoEcho) {
		t.Error(err)
	}
}

func TestNetworkTestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := Probe(ctx, mirror(t, func(_ int, b []byte) [][]byte { return [][]byte{b} }), nil, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, row := range []struct {
		addr string
		key  int
		d    time.Duration
	}{{"127.0.0.1:9", 16, 0}, {"127.0.0.1:9", 1000, time.Second}, {"no address", 16, time.Second}} {
		if _, err := Probe(t.Context(), row.addr, make([]byte, row.key), row.d); err == nil || errors.Is(err, ErrNoEcho) {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

func TestLateEchoesCountAsLostForACall(t *testing.T) {
	p := &prober{rtt: make([]time.Duration, 100), sent: make([]atomic.Int64, 100), top: -1}
	for i := range p.rtt {
		if p.rtt[i] = 20 * time.Millisecond; i%10 == 0 {
			p.rtt[i] = 200 * time.Millisecond
		}
	}
	p.got.Received = 100
	r, err := p.judge()
	if err != nil || r.Late != 10 || r.Loss != 0 || r.MOS > 3.5 || r.RTT != 20*time.Millisecond {
		t.Errorf("%+v, %v", r, err)
	}
}
