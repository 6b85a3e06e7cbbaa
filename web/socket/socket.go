// Package socket is one websocket: one reader, one writer, deadlines on both, and limits. The panel, the phone's uplink
// and the center's roster all speak through it, and it is the only owner of gorilla/websocket.
//
// What gorilla leaves open is closed here: no read limit, no deadlines, an Origin check that lets a missing Origin and a
// rebound name pass (RFC 6455 §10.2).
package socket

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"zaseki/web/wire"
)

// Close codes (RFC 6455 §7.4.1).
const (
	Normal    = websocket.CloseNormalClosure
	GoingAway = websocket.CloseGoingAway
	Protocol  = websocket.CloseProtocolError
	Malformed = websocket.CloseInvalidFramePayloadData
	Policy    = websocket.ClosePolicyViolation
	TooBig    = websocket.CloseMessageTooBig
	TryLater  = websocket.CloseTryAgainLater
)

// Kinds of messages (RFC 6455 §5.6), for Options.Raw.
const (
	Text   = websocket.TextMessage
	Binary = websocket.BinaryMessage
)

// goodbyeTime is how long the far side has for its own goodbye (RFC 6455 §7.1.2).
const goodbyeTime = time.Second

// Options of one connection. The zero value is usable.
type Options struct {
	// CheckOrigin decides about an incoming connection's Origin. nil: a request that has one is refused, since only
	// browsers send it and only programs are expected.
	CheckOrigin  func(*http.Request) bool
	Subprotocols []string      // not empty: both sides must agree on one of them
	ReadLimit    int64         // bytes of one message; 0 = 64 kB. A longer one closes with TooBig
	Queue        int           // messages waiting to be written; 0 = 16
	PingEvery    time.Duration // 0 = 15 s
	PongWait     time.Duration // silence after which the far side counts as gone; 0 = 2.5 × PingEvery
	WriteWait    time.Duration // time for one message to leave; a far side that takes longer is cut off; 0 = 5 s
	TLS          *tls.Config   // Dial only
	Raw          int           // Text or Binary: messages of that kind go as they are, by ReadRaw, WriteRaw and PushRaw. 0: envelopes
}

func (o Options) filled() Options {
	o.ReadLimit = orElse(o.ReadLimit, 64<<10)
	o.Queue = orElse(o.Queue, 16)
	o.PingEvery = orElse(o.PingEvery, 15*time.Second)
	o.PongWait = orElse(o.PongWait, o.PingEvery*5/2)
	o.WriteWait = orElse(o.WriteWait, 5*time.Second)
	return o
}

func orElse[T int | int64 | time.Duration](v, other T) T {
	if v <= 0 {
		return other
	}
	return v
}

// Closed is how a connection ended. Code is the far side's close code (RFC 6455 §7.4), or 0 when it broke without one.
type Closed struct {
	Code   int
	Reason string
	Err    error
}

func (c *Closed) Error() string {
	if c.Code != 0 {
		return fmt.Sprintf("websocket closed: %d %q", c.Code, c.Reason)
	}
	return fmt.Sprintf("websocket broke: %v", c.Err)
}

func (c *Closed) Unwrap() error { return c.Err }

// Refused is the HTTP answer of a server that did not take the connection.
type Refused struct {
	Status int
}

func (r *Refused) Error() string { return fmt.Sprintf("websocket refused: HTTP %d", r.Status) }

// ErrClosed is returned after this side has called Close.
var ErrClosed = errors.New("websocket closed here")

// Conn is an open connection. Its two goroutines live from Accept or Dial until Close returns, so that every Conn must be
// closed, also one that broke. All methods may be called from any goroutine.
type Conn struct {
	ws   *websocket.Conn
	opts Options

	in      chan wire.Envelope
	raw     chan []byte // in place of in
	out     chan *websocket.PreparedMessage
	closing chan struct{} // Close was called: send what is queued, then say goodbye
	broken  chan struct{} // the writer gave up
	done    chan struct{} // the reader has ended: nothing more comes in
	wait    sync.WaitGroup

	once    sync.Once
	goodbye []byte
	err     error // why the reader ended; readable once done is closed
}

// Accept takes an incoming connection. When it fails the answer has been written already.
func Accept(w http.ResponseWriter, r *http.Request, o Options) (*Conn, error) {
	o = o.filled()
	ws, err := upgrade(&websocket.Upgrader{}, w, r, o)
	if err != nil {
		return nil, err
	}
	return start(ws, o), nil
}

func agree(theirs, ours []string) bool {
	return slices.ContainsFunc(theirs, func(p string) bool { return slices.Contains(ours, p) })
}

// Dial opens a connection to a ws:// or wss:// URL. A server's no is a *Refused.
func Dial(ctx context.Context, url string, header http.Header, o Options) (*Conn, error) {
	o = o.filled()
	d := websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: 10 * time.Second,
		Subprotocols:     o.Subprotocols,
		TLSClientConfig:  o.TLS,
	}
	ws, resp, err := d.DialContext(ctx, url, header)
	if resp != nil && resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("dial %s: %w", url, &Refused{Status: resp.StatusCode})
	}
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", url, err)
	}
	if len(o.Subprotocols) > 0 && !slices.Contains(o.Subprotocols, ws.Subprotocol()) {
		_ = ws.Close()
		return nil, fmt.Errorf("dial %s: no subprotocol in common", url)
	}
	return start(ws, o), nil
}

func start(ws *websocket.Conn, o Options) *Conn {
	c := &Conn{
		ws: ws, opts: o,
		in:      make(chan wire.Envelope),
		raw:     make(chan []byte, rawQueue),
		out:     make(chan *websocket.PreparedMessage, o.Queue),
		closing: make(chan struct{}),
		broken:  make(chan struct{}),
		done:    make(chan struct{}),
	}
	ws.SetReadLimit(o.ReadLimit)
	ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(o.PongWait)) })
	ws.SetPingHandler(func(said string) error { // gorilla's own gives up for good after a second, on a machine that is busy
		_ = ws.WriteControl(websocket.PongMessage, []byte(said), time.Now().Add(o.WriteWait))
		return nil // the writer finds out what is broken
	})
	c.wait.Go(c.read)
	c.wait.Go(c.write)
	return c
}

// Peer is the far side's address.
func (c *Conn) Peer() string { return c.ws.RemoteAddr().String() }

// Done is closed when nothing more comes in: the far side closed, it broke, or Close was called. The ending stands behind
// the messages that came before it, so that somebody has to Read them.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Read waits for the next message. Its error is final unless it is ctx's own: *Closed, or ErrClosed.
func (c *Conn) Read(ctx context.Context) (wire.Envelope, error) {
	select {
	case e := <-c.in:
		return e, nil
	case <-ctx.Done():
		return wire.Envelope{}, ctx.Err()
	case <-c.done:
		return wire.Envelope{}, c.err
	}
}

// Message is an envelope encoded once for many connections.
type Message struct {
	m    *websocket.PreparedMessage
	text []byte
}

// Text is the envelope as it goes out. Nobody writes to it.
func (m Message) Text() []byte { return m.text }

// Prepare encodes an envelope.
func Prepare(e wire.Envelope) (Message, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return Message{}, fmt.Errorf("encode %s: %w", e.Type, err)
	}
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, data)
	if err != nil {
		return Message{}, fmt.Errorf("encode %s: %w", e.Type, err)
	}
	return Message{m, data}, nil
}

// Write queues a message. With the queue full it waits for room, for ctx, or for the end of the connection: a far side
// that takes nothing is cut off after WriteWait, so the wait ends. Nil means queued, not delivered.
func (c *Conn) Write(ctx context.Context, e wire.Envelope) error {
	m, err := Prepare(e)
	if err != nil {
		return err
	}
	return c.Send(ctx, m)
}

// Send is Write for a prepared message.
func (c *Conn) Send(ctx context.Context, m Message) error {
	if over := c.over(); over != nil {
		return over
	}
	select {
	case c.out <- m.m:
		return nil
	default:
	}
	select {
	case c.out <- m.m:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.closing:
		return ErrClosed
	case <-c.done:
		return c.err
	}
}

func (c *Conn) over() error {
	select {
	case <-c.closing:
		return ErrClosed
	default:
	}
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}

// Close sends what is queued, says goodbye with that code and reason, waits a second for the far side's goodbye
// (RFC 6455 §7.1.2) and for both goroutines. Calling it again waits too and changes nothing.
func (c *Conn) Close(code int, reason string) {
	c.once.Do(func() {
		c.goodbye = websocket.FormatCloseMessage(code, reason)
		close(c.closing)
	})
	c.wait.Wait()
}

// read is the only goroutine that reads. Whatever ends it, the connection is over.
func (c *Conn) read() {
	defer close(c.done)
	for {
		_ = c.ws.SetReadDeadline(time.Now().Add(c.opts.PongWait))
		kind, data, err := c.ws.ReadMessage()
		if err != nil {
			c.err = c.reason(err)
			return
		}
		if c.opts.Raw != 0 {
			if kind != c.opts.Raw {
				c.err = &Closed{Code: Malformed, Reason: "a message of the other kind"}
				return
			}
			c.takeRaw(data)
			continue
		}
		var e wire.Envelope
		if err := json.Unmarshal(data, &e); err != nil || kind != websocket.TextMessage {
			c.err = &Closed{Code: Malformed, Reason: "not an envelope", Err: err}
			return
		}
		select {
		case c.in <- e:
		case <-c.broken:
		case <-c.closing: // nobody reads any more; go on until the far side's goodbye
		}
	}
}

func (c *Conn) reason(err error) error {
	select {
	case <-c.closing:
		return ErrClosed
	default:
	}
	return ended(err)
}

// write is the only goroutine that writes messages, and the one that ends the TCP connection.
func (c *Conn) write() {
	defer func() { _ = c.ws.Close() }()
	defer close(c.broken)
	ping := time.NewTicker(c.opts.PingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case m := <-c.out:
			err = c.put(m)
		case <-ping.C:
			err = c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.opts.WriteWait))
		case <-c.done:
			leave(c.ws, c.err)
			return
		case <-c.closing:
			c.finish()
			return
		}
		if err != nil {
			return
		}
	}
}

func (c *Conn) put(m *websocket.PreparedMessage) error {
	_ = c.ws.SetWriteDeadline(time.Now().Add(c.opts.WriteWait))
	return c.ws.WritePreparedMessage(m)
}

// finish empties the queue, says goodbye and waits for the answer, unless the far side has ended it first.
func (c *Conn) finish() {
	select {
	case <-c.done:
		leave(c.ws, c.err)
		return
	default:
	}
	for len(c.out) > 0 {
		if c.put(<-c.out) != nil {
			return
		}
	}
	if c.ws.WriteControl(websocket.CloseMessage, c.goodbye, time.Now().Add(goodbyeTime)) != nil {
		return
	}
	select {
	case <-c.done:
	case <-time.After(goodbyeTime):
	}
}
