package socket

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"zaseki/web/wire"
)

// readBuffer of a lean connection, bytes: what phones say is short.
const readBuffer = 512

// Lean is an open connection of which a server has ten thousand: it costs no goroutine but the one that reads, and keeps no queue.
// Whoever has something to say wakes it; then a writer asks next for one message after the other until there is none, so that a slow
// far side is told the newest when it is ready for it.
type Lean struct {
	ws      *websocket.Conn
	opts    Options
	writers *Writers
	next    func() (Message, bool)
	ping    *time.Timer

	mu      sync.Mutex
	free    sync.Cond // no writer is at it
	at      leanState
	pinging bool // a ping is due
	ponging bool // so is an answer to theirs, with what it said
	pinged  string
	goodbye []byte // asked for by Leave
	left    bool   // it is said
	over    bool   // nothing is written any more
}

type leanState int

const (
	leanIdle    leanState = iota
	leanQueued            // waits for a writer
	leanWriting           // a writer is at it
	leanMore              // and there is more to say since it asked
)

// Accept takes an incoming connection; when it fails the answer has been written already. One goroutine must Read until an error, then
// call End. next gives what to say, on a writer's goroutine, never twice at once and never after End; it must not wait. Of the options
// Queue and Raw mean nothing here.
func (w *Writers) Accept(rw http.ResponseWriter, r *http.Request, o Options, next func() (Message, bool)) (*Lean, error) {
	o = o.filled()
	up := websocket.Upgrader{ReadBufferSize: readBuffer, WriteBufferPool: w.buffers}
	ws, err := upgrade(&up, rw, r, o)
	if err != nil {
		return nil, err
	}
	c := &Lean{ws: ws, opts: o, writers: w, next: next}
	c.free.L = &c.mu
	ws.SetReadLimit(o.ReadLimit)
	ws.SetPongHandler(func(string) error { c.expect(); return nil })
	ws.SetPingHandler(func(said string) error { c.pong(said); return nil })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ping = time.AfterFunc(o.PingEvery, c.pingNow)
	return c, nil
}

// Peer is the far side's address.
func (c *Lean) Peer() string { return c.ws.RemoteAddr().String() }

// Read waits for the next message; its error is final: *Closed, or ErrClosed after Leave.
func (c *Lean) Read() (wire.Envelope, error) {
	c.expect()
	kind, data, err := c.ws.ReadMessage()
	var e wire.Envelope
	if err != nil {
		c.mu.Lock()
		left := c.goodbye != nil
		c.mu.Unlock()
		if err = ended(err); left {
			err = ErrClosed
		}
	} else if bad := json.Unmarshal(data, &e); bad != nil || kind != websocket.TextMessage {
		err = &Closed{Code: Malformed, Reason: "not an envelope", Err: bad}
	}
	if err != nil {
		leave(c.ws, err)
	}
	return e, err
}

// expect gives the far side time for its next word, or for its goodbye (RFC 6455 §7.1.2).
func (c *Lean) expect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.left {
		_ = c.ws.SetReadDeadline(time.Now().Add(c.opts.PongWait))
	}
}

// Wake says that next has something to say.
func (c *Lean) Wake() {
	c.mu.Lock()
	push := false
	switch c.at {
	case leanIdle:
		push, c.at = !c.over, leanQueued
	case leanWriting:
		c.at = leanMore
	}
	c.mu.Unlock()
	if push {
		c.writers.push(c)
	}
}

// Leave says goodbye with that code and reason when next has nothing more to say; then Read ends, within a second.
func (c *Lean) Leave(code int, reason string) {
	c.mu.Lock()
	if c.goodbye == nil {
		c.goodbye = websocket.FormatCloseMessage(code, reason)
	}
	c.mu.Unlock()
	c.Wake()
}

// End frees the connection when Read has ended. After it next is not called any more.
func (c *Lean) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.ping.Stop()
	_ = c.ws.Close() // a writer that is at it is freed too
	for c.at == leanWriting || c.at == leanMore {
		c.free.Wait()
	}
}

func (c *Lean) pingNow() {
	c.mu.Lock()
	c.pinging = true
	if !c.over {
		c.ping.Reset(c.opts.PingEvery)
	}
	c.mu.Unlock()
	c.Wake()
}

// pong lets a writer answer a ping (RFC 6455 §5.5.3: with what it said, and only the last one).
func (c *Lean) pong(said string) {
	c.expect()
	c.mu.Lock()
	c.ponging, c.pinged = true, said
	c.mu.Unlock()
	c.Wake()
}

// turn writes what there is to say; again says that there is more, and others shall have their turn.
func (c *Lean) turn() (again bool) {
	c.mu.Lock()
	if c.over {
		c.at = leanIdle
		c.mu.Unlock()
		return false
	}
	c.at = leanWriting
	c.mu.Unlock()
	more, err := c.say()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.over = true
		_ = c.ws.Close() // Read ends
	}
	again = !c.over && (more || c.at == leanMore)
	if c.at = leanIdle; again {
		c.at = leanQueued
	}
	c.free.Broadcast()
	return again
}

func (c *Lean) say() (more bool, err error) {
	for range mostAtOnce {
		left, err := c.beat()
		if left || err != nil {
			return false, err
		}
		m, ok := c.next()
		if !ok {
			return false, c.depart()
		}
		_ = c.ws.SetWriteDeadline(time.Now().Add(c.opts.WriteWait))
		if err := c.ws.WritePreparedMessage(m.m); err != nil {
			return false, err
		}
	}
	return true, nil
}

// beat sends the ping and the answer to a ping that are due; left says that nothing more is to be written.
func (c *Lean) beat() (left bool, err error) {
	c.mu.Lock()
	ping, pong, said := c.pinging, c.ponging, c.pinged
	c.pinging, c.ponging, c.pinged, left = false, false, "", c.left
	c.mu.Unlock()
	until := time.Now().Add(c.opts.WriteWait)
	if ping && !left {
		err = c.ws.WriteControl(websocket.PingMessage, nil, until)
	}
	if pong && !left && err == nil {
		err = c.ws.WriteControl(websocket.PongMessage, []byte(said), until)
	}
	return left, err
}

// depart says goodbye, if that was asked for.
func (c *Lean) depart() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.goodbye == nil {
		return nil
	}
	c.left = true
	_ = c.ws.SetReadDeadline(time.Now().Add(goodbyeTime))
	return c.ws.WriteControl(websocket.CloseMessage, c.goodbye, time.Now().Add(goodbyeTime))
}

// ended is why reading has ended.
func ended(err error) error {
	var far *websocket.CloseError
	switch {
	case errors.As(err, &far):
		return &Closed{Code: far.Code, Reason: far.Text, Err: err}
	case errors.Is(err, websocket.ErrReadLimit):
		return &Closed{Code: TooBig, Reason: "message too long", Err: err}
	}
	return &Closed{Err: err}
}

// leave tells a far side that broke a rule why it is cut off; gorilla has answered a close frame already.
func leave(ws *websocket.Conn, why error) {
	var closed *Closed
	if errors.As(why, &closed) && (closed.Code == Malformed || closed.Code == TooBig) {
		msg := websocket.FormatCloseMessage(closed.Code, closed.Reason)
		_ = ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(goodbyeTime))
	}
}

// upgrade answers the handshake, or says no.
func upgrade(up *websocket.Upgrader, w http.ResponseWriter, r *http.Request, o Options) (*websocket.Conn, error) {
	up.CheckOrigin = o.CheckOrigin
	if up.CheckOrigin == nil {
		up.CheckOrigin = func(r *http.Request) bool { return len(r.Header.Values("Origin")) == 0 }
	}
	if len(o.Subprotocols) > 0 && !agree(websocket.Subprotocols(r), o.Subprotocols) {
		http.Error(w, "no subprotocol in common", http.StatusBadRequest)
		return nil, errors.New("accept websocket: no subprotocol in common")
	}
	up.Subprotocols, up.HandshakeTimeout = o.Subprotocols, o.WriteWait
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil, fmt.Errorf("accept websocket: %w", err)
	}
	return ws, nil
}
