package media

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/webrtc/v3"
)

// page is one open page, with or without a connection.
type page struct {
	id    string
	e     *Engine
	turn  sync.Mutex           // offers of one page come one after the other
	conn  atomic.Pointer[conn] // nil: none yet, or closed
	order int                  // by age: the newest page is asked first

	// Guarded by the engine's mutex.
	watchers map[chan Order]struct{}
	last     Order
	gone     bool // its socket is closed; it goes as soon as it is silent too
	restart  int
	renew    int
	asked    asked
	askedAt  time.Time
}

// asked is the strongest order a silent page has been given.
type asked uint8

const (
	askedNothing asked = iota
	askedRestart
	askedNew
)

// conn is one connection of a page: by WebRTC, or where that cannot work by a websocket.
type conn struct {
	page  *page
	pc    *webrtc.PeerConnection     // nil: websocket
	track *track                     // nil: websocket
	pcm   *pcm                       // nil: WebRTC
	cut   *shortcut                  // nil: websocket
	id    string                     // of the page's own connection, which it answers
	kinds atomic.Pointer[[128]codec] // what the page's payload types mean, by all its offers
	since time.Time
	heard atomic.Int64 // last RTP, Unix nanoseconds; 0: none yet
	up    atomic.Bool  // connected
	down  atomic.Int64 // when it last was not any more, Unix nanoseconds

	broken atomic.Bool // nothing came for ten seconds

	mu      sync.Mutex
	closing bool
	readers sync.WaitGroup
}

// enter says that a reader begins; false: too late.
func (c *conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.readers.Add(1)
	return true
}

// close ends the connection and waits for its readers.
func (c *conn) close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	if c.pcm != nil {
		close(c.pcm.over)
	} else if err := c.pc.Close(); err != nil {
		c.page.e.log.Debug("page connection closed", "page", c.page.id, "err", err)
	}
	c.readers.Wait()
}

// Offer answers a page's offer. The page always offers first: the other way round pion takes a second to connect. An
// offer that goes on with the same connection renegotiates it, with the codecs it names in its order; any other gets a new one. With
// network it is told the addresses of the network cards too: some browsers do not speak to 127.0.0.1.
func (e *Engine) Offer(ctx context.Context, id, sdp string, network bool) (string, error) {
	if len(sdp) > maxSDP {
		return "", ErrBadSDP
	}
	p, err := e.page(id)
	if err != nil {
		return "", err
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	session := sessionID(sdp)
	if c := p.conn.Load(); c != nil && c.id == session && session != "" {
		answer, err := c.answer(ctx, sdp)
		if err != nil {
			return "", fmt.Errorf("renegotiate page: %w", err)
		}
		return answer, nil
	}
	c, answer, err := e.connect(ctx, p, sdp, network)
	if err != nil {
		return "", fmt.Errorf("connect page: %w", err)
	}
	c.id = session
	if err := e.attach(p, c); err != nil {
		c.close()
		return "", err
	}
	return answer, nil
}

func (e *Engine) connect(ctx context.Context, p *page, sdp string, network bool) (*conn, string, error) {
	web, err := e.browser(network)
	if err != nil {
		return nil, "", err
	}
	c := &conn{page: p, track: newTrack(), since: time.Now()}
	c.cut = &shortcut{c: c}
	pc, err := web.connection(e.ports, c.cut)
	if err != nil {
		return nil, "", err
	}
	c.pc, c.track.cut = pc, c.cut
	pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if c.enter() {
			defer c.readers.Done()
			c.read(remote)
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if up := s == webrtc.PeerConnectionStateConnected; c.up.Swap(up) && !up {
			c.down.Store(time.Now().UnixNano())
		}
		c.broken.Store(s == webrtc.PeerConnectionStateFailed)
		if s == webrtc.PeerConnectionStateConnected {
			c.shorten()
		}
		if c.enter() {
			defer c.readers.Done()
			e.changed(c, s)
		}
	})
	answer, err := "", error(nil)
	var sender *webrtc.RTPSender
	if sender, err = pc.AddTrack(c.track); err == nil {
		sender.Transport().ICETransport().OnSelectedCandidatePairChange(c.cut.turn)
		answer, err = c.answer(ctx, sdp)
	}
	if err != nil {
		c.close()
		return nil, "", err
	}
	return c, answer, nil
}

// shorten lets the sound go by the shortcut, if that can be.
func (c *conn) shorten() {
	for _, sender := range c.pc.GetSenders() {
		err := c.cut.unlock(sender.Transport(), c.pc.LocalDescription().SDP)
		c.page.e.log.Debug("page encrypted", "page", c.page.id, "suite", c.cut.name(), "err", err)
	}
}

// answer answers an offer with all candidates in it. pion keeps the codecs of the first negotiation unless its
// transceiver is told the ones of this offer.
func (c *conn) answer(ctx context.Context, sdp string) (string, error) {
	all, err := parseSDP(sdp)
	if err != nil {
		return "", err
	}
	c.learn(all[0].list)
	offer := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: sdp}
	if err := c.pc.SetRemoteDescription(offer); err != nil {
		return "", err
	}
	if wanted := offeredCodecs(all[0].list); len(wanted) > 0 {
		for _, t := range c.pc.GetTransceivers() {
			if err := t.SetCodecPreferences(wanted); err != nil {
				return "", err
			}
		}
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	select {
	case <-gathered:
		return c.pc.LocalDescription().SDP, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// learn keeps what payload types mean. A later offer may name fewer, but never gives one another meaning.
func (c *conn) learn(list []format) {
	kinds := [128]codec{}
	if old := c.kinds.Load(); old != nil {
		kinds = *old
	}
	c.track.change(func(o *outlet) {
		for _, f := range list {
			if kind := codecNamed(f.name, f.clock); kind != noCodec {
				kinds[f.pt] = kind
				o.pts[kind], o.has[kind] = f.pt, true
			}
		}
	})
	c.kinds.Store(&kinds)
}

// sessionID is the second word of o=: it tells one connection of a page from another (RFC 8829 §5.2.1).
func sessionID(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "\no=")
	origin, _, _ := strings.Cut(rest, "\n")
	if f := strings.Fields(origin); len(f) > 1 {
		return f[1]
	}
	return ""
}

// read takes the page's packets to the line in focus, until the connection ends.
func (c *conn) read(remote *webrtc.TrackRemote) {
	buf := make([]byte, 2048)
	for {
		n, _, err := remote.Read(buf)
		if err != nil {
			return
		}
		if p, ok := parseRTP(buf[:n]); ok {
			c.take(c.kinds.Load()[p.pt], p, time.Now())
		}
	}
}

// take carries one packet of the page to the conference, or to the line in focus.
func (c *conn) take(kind codec, p packet, now time.Time) {
	c.heard.Store(now.UnixNano())
	e := c.page.e
	if kind == noCodec || len(p.payload) == 0 || e.owner.Load() != c.page || c.page.conn.Load() != c {
		return
	}
	if echo := e.echo.Load(); echo != nil {
		echo.take(c.page, kind, p, now)
		return
	}
	if mic := e.mic.Load(); mic != nil {
		mic.put(kind, p.payload)
	}
	if m := e.mixer.Load(); m != nil && m.withPage.Load() {
		m.fromPage(kind, p, e.muted.Load())
	} else if l := e.focus.Load(); l != nil {
		l.speak(kind, p, e.muted.Load(), now)
	}
}

// play carries one packet of a line to the page.
func (p *page) play(kind codec, pk packet, now time.Time) {
	c := p.conn.Load()
	switch {
	case c == nil:
	case c.pcm != nil:
		c.pcm.play(kind, pk)
	default:
		c.track.write(kind, pk, now)
	}
}
