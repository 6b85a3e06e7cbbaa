package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func openPort(t *testing.T, all *Ports, host string) *port {
	t.Helper()
	p, err := all.open(netip.AddrPortFrom(netip.MustParseAddr(host), 0))
	if err != nil {
		t.Skipf("no %s here: %v", host, err)
	}
	return p
}

func TestPortsCarryDatagramsOfBothFamilies(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		all := NewPorts()
		a, b := openPort(t, all, host), openPort(t, all, host)
		got, over := make(chan string), make(chan struct{})
		b.hear(func(b []byte, from netip.AddrPort, _ time.Time) {
			if from != a.local() {
				t.Errorf("from %v, wanted %v", from, a.local())
			}
			got <- string(b)
		}, func() { close(over) })
		_ = a.write([]byte("x"), netip.MustParseAddrPort("[2001:db8::1]:9"))
		for _, text := range []string{"hello", "", "again"} { // an empty datagram is one too
			if err := a.write([]byte(text), b.local()); err != nil {
				t.Fatal(err)
			}
			if heard := <-got; heard != text {
				t.Errorf("%q", heard)
			}
		}
		b.close()
		b.close()
		<-over
		a.close()
		if err := a.write([]byte("x"), b.local()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed port says %v", err)
		}
		late := make(chan struct{})
		a.hear(nil, func() { close(late) })
		<-late
		all.wait()
	}
}

// TestPortsCloseWhileTheyAreUsed: whoever closes waits for nobody, and nothing is heard after over.
func TestPortsCloseWhileTheyAreUsed(t *testing.T) {
	all := NewPorts()
	for range 20 {
		var work sync.WaitGroup
		from, to := openPort(t, all, "127.0.0.1"), openPort(t, all, "127.0.0.1")
		over, heard := make(chan struct{}), make(chan struct{}, 1)
		to.hear(func([]byte, netip.AddrPort, time.Time) {
			select {
			case <-over:
				t.Error("heard after its end")
			case heard <- struct{}{}:
			default:
			}
			to.close() // from inside
		}, func() { close(over) })
		for range 3 {
			work.Go(func() {
				for from.write([]byte("x"), to.local()) == nil {
				}
			})
		}
		<-heard
		<-over
		from.close()
		work.Wait()
	}
	all.wait()
	if p := openPort(t, all, "127.0.0.1"); p.write([]byte("x"), p.local()) != nil { // and from the beginning again
		t.Error("closed")
	} else {
		p.close()
	}
	all.wait()
}

func TestPortsCostNoMemory(t *testing.T) {
	all := NewPorts()
	p := openPort(t, all, "127.0.0.1")
	heard := make(chan struct{})
	p.hear(func([]byte, netip.AddrPort, time.Time) { heard <- struct{}{} }, func() {})
	b, to := make([]byte, 172), p.local()
	if n := testing.AllocsPerRun(500, func() {
		_ = p.write(b, to)
		<-heard
	}); n > 0.1 && p.own != nil {
		t.Errorf("%v allocations a packet", n)
	}
	p.close()
	all.wait()
}
