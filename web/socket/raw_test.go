package socket

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestRawMessagesGoAsTheyAre(t *testing.T) {
	for _, kind := range []int{Text, Binary} {
		url := serve(t, Options{Raw: kind}, func(c *Conn) {
			for {
				b, err := c.ReadRaw(context.Background())
				if err != nil || c.WriteRaw(context.Background(), append([]byte("back "), b...)) != nil {
					return
				}
			}
		})
		c := dial(t, url, Options{Raw: kind})
		for _, said := range []string{"one", "", "{\"three\":3}"} {
			if err := c.WriteRaw(soon(t), []byte(said)); err != nil {
				t.Fatal(err)
			}
			if b, err := c.ReadRaw(soon(t)); err != nil || string(b) != "back "+said {
				t.Errorf("%q came back as %q, %v", said, b, err)
			}
		}
	}
}

func TestARawConnectionTakesNoOtherKind(t *testing.T) {
	ended := make(chan error, 1)
	url := serve(t, Options{Raw: Binary}, func(c *Conn) {
		_, err := c.ReadRaw(context.Background())
		ended <- err
	})
	ws, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer ws.Close()
	if err := ws.WriteMessage(websocket.TextMessage, []byte("words")); err != nil {
		t.Fatal(err)
	}
	var closed *Closed
	if err := <-ended; !errors.As(err, &closed) || closed.Code != Malformed {
		t.Errorf("ended with %v", err)
	}
}

// TestOfSamplesTheNewestWin: neither a side that does not read nor one that does not take lets old sound wait.
func TestOfSamplesTheNewestWin(t *testing.T) {
	full := make(chan struct{})
	got := make(chan []byte, 1000)
	url := serve(t, Options{Raw: Binary, Queue: 3}, func(c *Conn) {
		<-full
		for {
			b, err := c.ReadRaw(context.Background())
			if err != nil {
				return
			}
			got <- b
		}
	})
	c := dial(t, url, Options{Raw: Binary, Queue: 3})
	const n = 2000
	began := time.Now()
	for i := range n {
		if err := c.PushRaw(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 320)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("pushing waited: %v", took)
	}
	number := func(b []byte) int { return int(b[0]) | int(b[1])<<8 }
	close(full)
	last, count := -1, 0
	for end := time.After(5 * time.Second); last != n-1; count++ {
		select {
		case b := <-got:
			if number(b) <= last {
				t.Fatalf("%d after %d", number(b), last)
			}
			last = number(b)
		case <-end:
			t.Fatalf("the newest never came: %d of %d", last, n)
		}
	}
	if count > n-1 {
		t.Errorf("%d messages came, none gave way", count)
	}
}
