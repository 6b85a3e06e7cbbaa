package cmd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"zaseki/media"
)

// talker is a customer by sipp, whose RTP is ours: a tone goes out to where packets come from, and what comes in is kept.
type talker struct {
	cmd  *exec.Cmd
	gone chan struct{} // sipp has ended: the call is over
	said bytes.Buffer

	mu  sync.Mutex
	pcm []int16 // 8 kHz
}

// newTalker calls that number from an address of the provider's.
func newTalker(t *testing.T, server, number, from, ip string, hz int) *talker {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := filepath.Abs("testdata/talker.xml")
	if err != nil {
		t.Fatal(err)
	}
	c := &talker{gone: make(chan struct{})}
	c.cmd = exec.CommandContext(context.Background(), "sipp", server, "-sf", scenario, "-s", number, "-i", ip, "-p", "0", "-m", "1", "-nostdin",
		"-trace_err", "-error_file", "/dev/stderr", "-recv_timeout", "240000",
		"-key", "rtp", strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port), "-key", "number", from)
	c.cmd.Dir, c.cmd.Env = t.TempDir(), append(c.cmd.Environ(), "TERM=dumb")
	c.cmd.Stdout, c.cmd.Stderr = &c.said, &c.said
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() { _ = c.cmd.Wait(); close(c.gone) })
	work.Go(func() { c.talk(conn, hz) })
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		_ = conn.Close()
		work.Wait()
		if t.Failed() {
			t.Logf("sipp: %s", c.said.String())
		}
	})
	return c
}

// talk answers every packet by all frames that are due since the last one, until the socket closes: a phone sends without a pause.
func (c *talker) talk(conn *net.UDPConn, hz int) {
	const frame = 160 // 20 ms at 8 kHz
	b := make([]byte, 2000)
	due := time.Now()
	for n := uint32(0); ; {
		size, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if size < 12 || b[1]&0x7f != 0 { // PCMU (RFC 3551 §6)
			continue
		}
		c.mu.Lock()
		c.pcm = append(c.pcm, media.DecodeULaw(b[12:size])...)
		c.mu.Unlock()
		now := time.Now()
		if now.Sub(due) > 200*time.Millisecond { // it was held
			due = now
		}
		for ; !due.After(now); due = due.Add(20 * time.Millisecond) {
			_, _ = conn.WriteToUDPAddrPort(toneRTP(n, frame, hz), from)
			n++
		}
	}
}

// toneRTP is the n-th packet of a tone (RFC 3550 §5.1).
func toneRTP(n uint32, frame, hz int) []byte {
	b := make([]byte, 12, 12+frame)
	b[0] = 0x80
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	binary.BigEndian.PutUint32(b[4:], n*uint32(frame))
	binary.BigEndian.PutUint32(b[8:], uint32(hz))
	for i := range frame {
		b = append(b, uLaw(int(toneLoud*math.Sin(2*math.Pi*float64(hz)*float64(int(n)*frame+i)/8000))))
	}
	return b
}

// uLaw is a sample as G.711 has it.
func uLaw(v int) byte {
	sign := byte(0)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, 32635) + 132
	exponent := byte(0)
	for v>>(exponent+8) != 0 {
		exponent++
	}
	return ^(sign | exponent<<4 | byte(v>>(exponent+3))&0x0f)
}

// forget and heard: what it heard since then.
func (c *talker) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pcm = nil
}

func (c *talker) heard() []int16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]int16(nil), c.pcm...)
}
