package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zaseki/web/wire"
)

// talker is the server's side of a lean connection: what it has to say, in order.
type talker struct {
	*Lean
	mu   sync.Mutex
	out  []Message
	said atomic.Int64
}

func (s *talker) next() (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) == 0 {
		return Message{}, false
	}
	m := s.out[0]
	s.out = s.out[1:]
	s.said.Add(1)
	return m, true
}

func (s *talker) say(t *testing.T, texts ...string) {
	t.Helper()
	for _, one := range texts {
		m, err := Prepare(text(one))
		if err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.out = append(s.out, m)
		s.mu.Unlock()
	}
	s.Wake()
}

// serveLean gives each connection to handle, which reads until it has ended.
func serveLean(t *testing.T, o Options, handle func(*talker)) (url string, w *Writers) {
	t.Helper()
	w = NewWriters()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	var served sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s := &talker{}
		conn, err := w.Accept(rw, r, o, s.next)
		if err != nil {
			t.Error(err)
			return
		}
		s.Lean = conn
		served.Go(func() {
			defer s.End()
			handle(s)
		})
	}))
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
		cancel()
		running.Wait()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http"), w
}

func readOut(s *talker) error {
	for {
		if _, err := s.Read(); err != nil {
			return err
		}
	}
}

func TestALeanConnectionSaysEverythingInOrderAndThenGoodbye(t *testing.T) {
	const most = 100
	ended := make(chan error, 1)
	url, _ := serveLean(t, Options{}, func(s *talker) {
		for i := range most {
			s.say(t, fmt.Sprint(i))
		}
		s.Leave(Policy, "enough")
		ended <- readOut(s)
	})
	c := dial(t, url, Options{})
	for i := range most {
		if e, err := c.Read(soon(t)); err != nil || string(e.Body) != string(text(fmt.Sprint(i)).Body) {
			t.Fatal(i, string(e.Body), err)
		}
	}
	var closed *Closed
	if _, err := c.Read(soon(t)); !errors.As(err, &closed) || closed.Code != Policy || closed.Reason != "enough" {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Fatal(err)
	}
}

func TestALeanConnectionHearsAndAnswers(t *testing.T) {
	url, _ := serveLean(t, Options{}, func(s *talker) {
		for {
			e, err := s.Read()
			if err != nil {
				return
			}
			m, err := Prepare(e)
			if err != nil {
				t.Error(err)
				return
			}
			s.mu.Lock()
			s.out = append(s.out, m)
			s.mu.Unlock()
			s.Wake()
		}
	})
	c := dial(t, url, Options{})
	for i := range 50 {
		if err := c.Write(soon(t), text(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if e, err := c.Read(soon(t)); err != nil || string(e.Body) != string(text(fmt.Sprint(i)).Body) {
			t.Fatal(i, string(e.Body), err)
		}
	}
}

// stuck is a far side that takes nothing after the handshake.
func stuck(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: center\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if n, err := conn.Read(make([]byte, 12)); err != nil || n == 0 {
		t.Fatal(err)
	}
	return conn
}

func TestSlowFarSidesHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	const slow = 20 // many more than there are writers
	var mu sync.Mutex
	var all []*talker
	var cut atomic.Int64
	url, _ := serveLean(t, Options{WriteWait: 3 * time.Second, PongWait: time.Minute}, func(s *talker) {
		mu.Lock()
		all = append(all, s)
		mu.Unlock()
		if readOut(s) != nil {
			cut.Add(1)
		}
	})
	accepted := func(n int) []*talker {
		until(t, fmt.Sprint(n, " connections"), func() bool { mu.Lock(); defer mu.Unlock(); return len(all) == n })
		return all
	}
	for range slow {
		stuck(t, url)
	}
	long, err := Prepare(text(strings.Repeat("x", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for _, s := range accepted(slow) {
		s.mu.Lock()
		s.out = slices.Repeat([]Message{long}, 16) // more than the kernel holds
		s.mu.Unlock()
		s.Wake()
	}
	c := dial(t, url, Options{})
	quick := accepted(slow + 1)[slow]
	for i := range 20 {
		quick.say(t, fmt.Sprint(i))
		if _, err := c.Read(soon(t)); err != nil {
			t.Fatal(i, err)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("a quick far side waited %v", took)
	}
	if cut.Load() > 0 {
		t.Errorf("%d were cut off already: they held up nobody", cut.Load())
	}
	until(t, "all slow ones are cut off", func() bool { return cut.Load() == slow })
}

func TestALeanConnectionThatIsSilentEnds(t *testing.T) {
	ended := make(chan error, 1)
	url, _ := serveLean(t, Options{PingEvery: 20 * time.Millisecond, PongWait: 100 * time.Millisecond}, func(s *talker) { ended <- readOut(s) })
	stuck(t, url)
	var closed *Closed
	if err := <-ended; !errors.As(err, &closed) || closed.Code != 0 {
		t.Fatal(err)
	}
}

func TestPingsKeepALeanConnection(t *testing.T) {
	t.Parallel()
	talking := make(chan *talker, 1)
	url, _ := serveLean(t, Options{PingEvery: 10 * time.Millisecond, PongWait: 500 * time.Millisecond}, func(s *talker) {
		talking <- s
		_ = readOut(s)
	})
	c := dial(t, url, Options{})
	s := <-talking
	select {
	case <-c.Done():
		t.Fatal("it ended")
	case <-time.After(1500 * time.Millisecond):
	}
	s.say(t, "still here")
	if _, err := c.Read(soon(t)); err != nil {
		t.Fatal(err)
	}
}

func TestWhoSaysNonsenseToALeanConnectionIsToldSo(t *testing.T) {
	ended := make(chan error, 2)
	url, _ := serveLean(t, Options{ReadLimit: 1024}, func(s *talker) { ended <- readOut(s) })
	for _, r := range []struct {
		what string
		send wire.Envelope
		code int
	}{{"too long", text(strings.Repeat("x", 2000)), TooBig}} {
		c := dial(t, url, Options{})
		if err := c.Write(soon(t), r.send); err != nil {
			t.Fatal(err)
		}
		var closed *Closed
		if _, err := c.Read(soon(t)); !errors.As(err, &closed) || closed.Code != r.code {
			t.Errorf("%s: %v", r.what, err)
		}
		if err := <-ended; !errors.As(err, &closed) || closed.Code != r.code {
			t.Errorf("%s: here %v", r.what, err)
		}
	}
}

// until waits for another goroutine: ten seconds at most.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); !done(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
