package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync"

	"zaseki/media/ng"
)

// rtpengine is Debian's, in user space: it relays plain RTP from left to right with all its checks, as a provider's does.
type rtpengine struct {
	*ng.Server
	calls int
	says  speech
}

func startRTPEngine(ctx context.Context, says speech) (*rtpengine, error) {
	if _, err := tool("rtpengine"); err != nil {
		return nil, err
	}
	var said log
	s, err := ng.Start(ctx, "127.0.0.1", &said, "--log-level=4", "--port-min=31000", "--port-max=32999", "--config-file=none")
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, tail(said.b.Bytes(), 800))
	}
	return &rtpengine{Server: s, says: says}, nil
}

// log keeps what a program says.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (r *rtpengine) pid() int { return r.Pid() }
func (r *rtpengine) stop()    { r.Close() }

func (r *rtpengine) carry(ctx context.Context) (*call, error) {
	c := &call{up: newFlight(), down: newFlight()}
	left, err := newPlainEnd(r.says)
	if err != nil {
		return nil, err
	}
	right, err := newPlainEnd(r.says)
	if err != nil {
		return nil, err
	}
	c.left, c.right = left, right
	r.calls++
	id, how := strconv.Itoa(r.calls), ng.Options{"ICE": "remove"}
	toRight, err := r.Offer(ctx, id, "left", plainSDP(left.port()), how)
	if err != nil {
		return nil, err
	}
	toLeft, err := r.Answer(ctx, id, "left", "right", plainSDP(right.port()), how)
	if err != nil {
		return nil, err
	}
	left.begin(portOf(toLeft), c.up, c.down)
	right.begin(portOf(toRight), c.down, c.up)
	return c, nil
}
