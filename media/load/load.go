// Package load is a page without a browser for measurements: a WebRTC client whose clock stands at its sockets. What its own
// encryption and queues cost is in none of its times, and what the network's system calls cost is.
package load

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/transport/v2"
	"github.com/pion/transport/v2/stdnet"
	"github.com/pion/webrtc/v3"
)

// Watch is told of every RTP packet of a page, from several goroutines.
type Watch struct {
	Sent func(seq uint16, at time.Time)                 // just before the system call that sends it
	Came func(seq uint16, payload []byte, at time.Time) // at is just after the system call that received it
}

// Page is one connected page that speaks G.711 µ-law.
type Page struct {
	pc    *webrtc.PeerConnection
	out   *track
	watch Watch
	work  sync.WaitGroup

	mu   sync.Mutex
	came [1024]time.Time // by sequence number
}

// Open connects a page: exchange takes its offer and gives the answer.
func Open(ctx context.Context, w Watch, exchange func(offer string) (answer string, err error)) (*Page, error) {
	p := &Page{watch: w, out: &track{ready: make(chan struct{})}}
	var err error
	if p.pc, err = p.connection(); err != nil {
		return nil, err
	}
	if err := p.open(ctx, exchange); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Page) connection() (*webrtc.PeerConnection, error) {
	var codecs webrtc.MediaEngine
	if err := codecs.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: pcmu, PayloadType: 0}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	inner, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	var set webrtc.SettingEngine
	set.SetNet(clocked{inner, p})
	set.SetIncludeLoopbackCandidate(true)
	set.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	set.SetIPFilter(net.IP.IsLoopback)
	api := webrtc.NewAPI(webrtc.WithSettingEngine(set), webrtc.WithMediaEngine(&codecs), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	return api.NewPeerConnection(webrtc.Configuration{})
}

func (p *Page) open(ctx context.Context, exchange func(offer string) (string, error)) error {
	up := make(chan struct{})
	once := sync.OnceFunc(func() { close(up) })
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			once()
		}
	})
	p.pc.OnTrack(func(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.work.Go(func() { p.read(remote) }) })
	if _, err := p.pc.AddTrack(p.out); err != nil {
		return err
	}
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	<-gathered
	answer, err := exchange(p.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return err
	}
	for _, wait := range []chan struct{}{up, p.out.ready} {
		select {
		case <-wait:
		case <-ctx.Done():
			return fmt.Errorf("page does not connect: %w", ctx.Err())
		}
	}
	return nil
}

// Send says a packet; its timestamp goes with its number, 20 ms each.
func (p *Page) Send(seq uint16, payload []byte) error {
	h := rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: uint32(seq) * 160, SSRC: p.out.ssrc}
	_, err := p.out.w.WriteRTP(&h, payload)
	return err
}

// Close ends the page and waits for its reader.
func (p *Page) Close() {
	_ = p.pc.Close()
	p.work.Wait()
}

func (p *Page) read(remote *webrtc.TrackRemote) {
	buf := make([]byte, 2048)
	var h rtp.Header
	for {
		n, _, err := remote.Read(buf)
		if err != nil {
			return
		}
		at, err := h.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		p.mu.Lock()
		came := p.came[h.SequenceNumber%uint16(len(p.came))]
		p.mu.Unlock()
		p.watch.Came(h.SequenceNumber, buf[at:n], came)
	}
}

// heard notes when a packet left its socket, whatever it holds.
func (p *Page) heard(b []byte, at time.Time) {
	if seq, ok := number(b); ok {
		p.mu.Lock()
		p.came[seq%uint16(len(p.came))] = at
		p.mu.Unlock()
	}
}

// number is the sequence number of what is RTP (RFC 7983 §7, RFC 5761 §4); it is not encrypted.
func number(b []byte) (uint16, bool) {
	if len(b) < 12 || b[0]>>6 != 2 || b[1] >= 192 && b[1] <= 223 {
		return 0, false
	}
	return uint16(b[2])<<8 | uint16(b[3]), true
}

// clocked opens sockets that look at the clock.
type clocked struct {
	transport.Net
	page *Page
}

func (c clocked) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := c.Net.ListenUDP(network, at)
	if err != nil {
		return nil, err
	}
	return &socket{conn, c.page}, nil
}

type socket struct {
	transport.UDPConn
	page *Page
}

func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.UDPConn.ReadFrom(b)
	if err == nil {
		s.page.heard(b[:n], time.Now())
	}
	return n, from, err
}

func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) {
	if seq, ok := number(b); ok {
		s.page.watch.Sent(seq, time.Now())
	}
	return s.UDPConn.WriteTo(b, to)
}

var pcmu = webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypePCMU, ClockRate: 8000}

// track is what the page says.
type track struct {
	ready chan struct{}
	w     webrtc.TrackLocalWriter
	ssrc  uint32
}

func (t *track) ID() string                { return "mic" }
func (t *track) RID() string               { return "" }
func (t *track) StreamID() string          { return "load" }
func (t *track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }

func (t *track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.w, t.ssrc = c.WriteStream(), uint32(c.SSRC())
	close(t.ready)
	return c.CodecParameters()[0], nil
}

func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }
