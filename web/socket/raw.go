package socket

import (
	"context"
	"fmt"

	"github.com/gorilla/websocket"
)

// rawQueue is how many raw messages wait to be read. Of binary ones the oldest goes when there is no room: they are sound, and old
// sound is worse than none.
const rawQueue = 8

// takeRaw gives a message to who reads.
func (c *Conn) takeRaw(data []byte) {
	for c.opts.Raw == Binary {
		select {
		case c.raw <- data:
			return
		default:
		}
		select {
		case <-c.raw:
		default:
		}
	}
	select {
	case c.raw <- data:
	case <-c.broken:
	case <-c.closing:
	}
}

// ReadRaw waits for the next message, with Options.Raw. Its errors are those of Read.
func (c *Conn) ReadRaw(ctx context.Context) ([]byte, error) {
	select {
	case data := <-c.raw:
		return data, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.done:
		return nil, c.err
	}
}

// WriteRaw queues a message as Write does; the bytes are the connection's from now on.
func (c *Conn) WriteRaw(ctx context.Context, data []byte) error {
	m, err := c.prepareRaw(data)
	if err != nil {
		return err
	}
	return c.Send(ctx, m)
}

// PushRaw queues a message without ever waiting: with the queue full the oldest goes. Of several goroutines that push, each may
// take the other's place.
func (c *Conn) PushRaw(data []byte) error {
	m, err := c.prepareRaw(data)
	if err != nil {
		return err
	}
	for {
		if over := c.over(); over != nil {
			return over
		}
		select {
		case c.out <- m.m:
			return nil
		default:
		}
		select {
		case <-c.out:
		default:
		}
	}
}

func (c *Conn) prepareRaw(data []byte) (Message, error) {
	m, err := websocket.NewPreparedMessage(c.opts.Raw, data)
	if err != nil {
		return Message{}, fmt.Errorf("raw message: %w", err)
	}
	return Message{m: m}, nil
}
