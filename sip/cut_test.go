package sip_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cut is a TCP relay in front of a server that the test can break.
type cut struct {
	addr string
	mu   sync.Mutex
	open []net.Conn
}

func newCut(t *testing.T, server string) *cut {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cut{addr: listener.Addr().String()}
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			c.mu.Lock()
			c.open = append(c.open, near, far)
			c.mu.Unlock()
			relays.Go(func() { _, _ = io.Copy(near, far); near.Close() })
			relays.Go(func() { _, _ = io.Copy(far, near); far.Close() })
		}
	})
	t.Cleanup(func() { listener.Close(); c.cut(); relays.Wait() })
	return c
}

func (c *cut) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}
