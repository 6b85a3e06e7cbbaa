package socket

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"zaseki/web/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers every connection with handle and closes it afterwards.
func serve(t *testing.T, o Options, handle func(*Conn)) (url string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, o)
		if err != nil {
			return
		}
		handle(c)
		c.Close(Normal, "done")
	}))
	t.Cleanup(srv.Close)
	return "ws" + strings.TrimPrefix(srv.URL, "http")
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, url string, o Options) *Conn {
	t.Helper()
	c, err := Dial(soon(t), url, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(Normal, "") })
	return c
}

func echo(c *Conn) {
	for {
		e, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if c.Write(context.Background(), e) != nil {
			return
		}
	}
}

func text(s string) wire.Envelope {
	body, _ := json.Marshal(s)
	return wire.Envelope{Type: "t", Body: body}
}

func TestAMessageComesBackAsItWent(t *testing.T) {
	c := dial(t, serve(t, Options{}, echo), Options{})
	want := wire.Envelope{Type: "status.set", Op: "7", Body: json.RawMessage(`{"to":"休憩"}`)}
	if err := c.Write(soon(t), want); err != nil {
		t.Fatal(err)
	}
	got, err := c.Read(soon(t))
	if err != nil || got.Type != want.Type || got.Op != want.Op || string(got.Body) != string(want.Body) {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestCloseSendsWhatIsQueuedAndTheReason(t *testing.T) {
	c := dial(t, serve(t, Options{Queue: 100}, func(c *Conn) {
		for range 50 {
			if err := c.Write(context.Background(), text("x")); err != nil {
				t.Error(err)
			}
		}
		c.Close(Policy, "taken over")
	}), Options{})
	n := 0
	for {
		_, err := c.Read(soon(t))
		if err == nil {
			n++
			continue
		}
		var closed *Closed
		if !errors.As(err, &closed) || closed.Code != Policy || closed.Reason != "taken over" {
			t.Errorf("ended with %v", err)
		}
		break
	}
	if n != 50 {
		t.Errorf("%d of 50 messages came", n)
	}
}

func TestWhatBreaksARuleIsCutOffWithItsCode(t *testing.T) {
	for _, row := range []struct {
		name string
		kind int
		data string
		code int
	}{
		{"longer than the limit", websocket.TextMessage, `"` + strings.Repeat("a", 70<<10) + `"`, TooBig},
		{"not JSON", websocket.TextMessage, `{`, Malformed},
		{"not an object", websocket.TextMessage, `[]`, Malformed},
		{"binary", websocket.BinaryMessage, `{}`, Malformed},
		{"nested too deep", websocket.TextMessage, strings.Repeat("[", 20000), Malformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			ended := make(chan error, 1)
			url := serve(t, Options{}, func(c *Conn) {
				_, err := c.Read(context.Background())
				ended <- err
			})
			ws, _, err := websocket.DefaultDialer.Dial(url, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ws.Close()
			_ = ws.WriteMessage(row.kind, []byte(row.data))
			_ = ws.SetReadDeadline(time.Now().Add(5 * time.Second))
			_, _, err = ws.ReadMessage()
			if !websocket.IsCloseError(err, row.code) {
				t.Errorf("the far side saw %v, want code %d", err, row.code)
			}
			var closed *Closed
			if err := <-ended; !errors.As(err, &closed) || closed.Code != row.code {
				t.Errorf("this side saw %v, want code %d", err, row.code)
			}
		})
	}
}

func TestAFarSideThatTakesNothingIsCutOff(t *testing.T) {
	ended := make(chan error, 1)
	url := serve(t, Options{WriteWait: 100 * time.Millisecond, Queue: 4}, func(c *Conn) {
		big := text(strings.Repeat("x", 60<<10))
		for {
			if err := c.Write(context.Background(), big); err != nil {
				ended <- err
				return
			}
		}
	})
	small := websocket.Dialer{NetDial: func(network, addr string) (net.Conn, error) {
		c, err := net.Dial(network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(4096) // or the kernel takes 30 MB in its stead
		}
		return c, err
	}}
	ws, _, err := small.Dial(url, nil) // and never reads
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	select {
	case <-ended:
	case <-soon(t).Done():
		t.Fatal("still writing after five seconds")
	}
}

func TestASilentFarSideIsNoticed(t *testing.T) {
	ended := make(chan error, 1)
	url := serve(t, Options{PingEvery: 20 * time.Millisecond, PongWait: 120 * time.Millisecond}, func(c *Conn) {
		_, err := c.Read(context.Background())
		ended <- err
	})
	// gorilla answers pings only while somebody reads; nobody does.
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	select {
	case err := <-ended:
		var closed *Closed
		if !errors.As(err, &closed) || closed.Code != 0 {
			t.Errorf("ended with %v", err)
		}
	case <-soon(t).Done():
		t.Fatal("still open")
	}
}

func TestPingsKeepAQuietConnection(t *testing.T) {
	t.Parallel()
	o := Options{PingEvery: 50 * time.Millisecond, PongWait: 800 * time.Millisecond}
	c := dial(t, serve(t, o, echo), o)
	ctx, cancel := context.WithTimeout(t.Context(), 1800*time.Millisecond)
	defer cancel()
	if _, err := c.Read(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a quiet connection ended: %v", err)
	}
	if err := c.Write(soon(t), text("still here")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(soon(t)); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayConnect(t *testing.T) {
	open := serve(t, Options{}, echo)
	own := serve(t, Options{CheckOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "http://own" }}, echo)
	center := serve(t, Options{Subprotocols: []string{"center.v1"}}, echo)
	for _, row := range []struct {
		name, url, origin string
		protocols         []string
		status            int
	}{
		{"a program without Origin", open, "", nil, 0},
		{"a browser where programs are expected", open, "http://evil.example", nil, 403},
		{"the own page", own, "http://own", nil, 0},
		{"a foreign page", own, "http://evil.example", nil, 403},
		{"no Origin where a page is expected", own, "", nil, 403},
		{"the agreed protocol", center, "", []string{"center.v1"}, 0},
		{"another protocol", center, "", []string{"center.v9"}, 400},
		{"no protocol", center, "", nil, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := http.Header{}
			if row.origin != "" {
				h.Set("Origin", row.origin)
			}
			c, err := Dial(soon(t), row.url, h, Options{Subprotocols: row.protocols})
			if err == nil {
				c.Close(Normal, "")
			}
			var refused *Refused
			switch {
			case row.status == 0 && err != nil:
				t.Error(err)
			case row.status != 0 && (!errors.As(err, &refused) || refused.Status != row.status):
				t.Errorf("got %v, want HTTP %d", err, row.status)
			}
		})
	}
}

func TestAServerWithoutOurProtocolIsRefused(t *testing.T) {
	if _, err := Dial(soon(t), serve(t, Options{}, echo), nil, Options{Subprotocols: []string{"center.v1"}}); err == nil {
		t.Fatal("connected to something that is no center")
	}
}

func TestWritingAfterTheEndSaysSo(t *testing.T) {
	c := dial(t, serve(t, Options{}, func(*Conn) {}), Options{})
	<-c.Done()
	if err := c.Write(soon(t), text("x")); err == nil {
		t.Error("queued on a closed connection")
	}
	c.Close(Normal, "")
	if err := c.Write(soon(t), text("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// FuzzFrames throws bytes at an accepted connection: it must end, and never take the process with it.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{
		"\x81\x82\x01\x02\x03\x04zz", "\x81\x02{}", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x89\xfe\x00\x7e", "\x88\x81\x00\x00\x00\x00\x03",
		"\x01\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ended := make(chan struct{})
		url := serve(t, Options{PongWait: 200 * time.Millisecond, PingEvery: 50 * time.Millisecond}, func(c *Conn) {
			defer close(ended)
			for {
				if _, err := c.Read(context.Background()); err != nil {
					return
				}
			}
		})
		raw, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		_, _ = raw.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
		resp, err := http.ReadResponse(bufio.NewReader(raw), nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("no upgrade: %v", err)
		}
		_, _ = raw.Write(data)
		_ = raw.(*net.TCPConn).CloseWrite()
		<-ended
	})
}
