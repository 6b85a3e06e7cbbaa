package stack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/gorilla/websocket"
)

const wsPingTime = 20 * time.Second

// socket carries each message in one WebSocket message (RFC 7118 §5).
type socket struct{ *websocket.Conn }

func (s *socket) Write(data []byte) (int, error) {
	if isBlank(data) {
		return len(data), s.ping()
	}
	return len(data), s.WriteMessage(websocket.TextMessage, data)
}

func (s *socket) ping() error {
	return s.WriteControl(websocket.PingMessage, nil, time.Now().Add(pongTime))
}

// DialWSS opens a SIP WebSocket over TLS (RFC 7118) to addr; at is its URL, whose host is asked for and sent. Certificates
// are checked as in DialTLS.
func (s *Stack) DialWSS(ctx context.Context, addr string, at *url.URL, cfg *tls.Config, names ...string) (*Link, error) {
	own, err := verifying(cfg, names)
	if err != nil {
		return nil, fmt.Errorf("dial wss: %w", err)
	}
	own.NextProtos = []string{"http/1.1"}
	d := websocket.Dialer{
		Subprotocols: []string{"sip"}, HandshakeTimeout: 10 * time.Second, TLSClientConfig: own,
		NetDialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer().DialContext(ctx, network, addr)
		},
	}
	conn, answer, err := d.DialContext(ctx, at.String(), http.Header{"Origin": {"https://" + at.Host}})
	if err != nil {
		if answer != nil {
			return nil, fmt.Errorf("dial wss: %s: %w", answer.Status, err)
		}
		return nil, fmt.Errorf("dial wss: %w", err)
	}
	if conn.Subprotocol() != "sip" {
		conn.Close()
		return nil, errors.New("dial wss: the server does not speak SIP there")
	}
	l := s.newStream("wss", conn.NetConn(), true)
	ws := &socket{conn}
	l.conn, l.host = ws, lower(sip.GenerateTagN(12))+".invalid"
	l.pongs.Store(true) // RFC 6455 §5.5.2: who gets a ping answers it
	if err := s.adopt(l, func() { l.readSocket(conn) }); err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// readSocket takes one message after the other; pings are answered by the library while it reads.
func (l *Link) readSocket(conn *websocket.Conn) {
	conn.SetReadLimit(maxMessage)
	conn.SetPongHandler(func(string) error { l.ponged(); return nil })
	for {
		_, data, err := conn.ReadMessage()
		if err != nil {
			l.lose(fmt.Errorf("read from %s: %w", l.remote, err))
			return
		}
		if data = bytes.TrimLeft(data, "\r\n"); len(data) > 0 { // RFC 7118 §6: keep-alives may come as CRLF
			l.stack.receive(data, l.remote, l)
		}
	}
}

func isBlank(data []byte) bool { return len(bytes.Trim(data, "\r\n")) == 0 }
