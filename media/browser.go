package media

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/transport/v2/stdnet"
	"github.com/pion/webrtc/v3"
)

// browserSide is what all connections to pages share.
type browserSide struct {
	set    webrtc.SettingEngine
	media  webrtc.MediaEngine // each connection has a copy
	config webrtc.Configuration
	tcp    net.Listener
	mux    ice.TCPMux
}

// browser makes it with the first offer, so that a phone without a page has no open port. With network there is a second one.
func (e *Engine) browser(network bool) (*browserSide, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	side := &e.web
	if network {
		side = &e.wide
	}
	if *side == nil {
		web, err := newBrowserSide(e.log, network)
		if err != nil {
			return nil, err
		}
		*side = web
	}
	return *side, nil
}

// newBrowserSide sets pion up as it was found to connect with every browser tried: UDP without a mux, TCP on loopback for
// browsers whose policy forbids UDP, and with network the addresses of the network cards too, for browsers that do not speak to
// 127.0.0.1 (Firefox). No STUN server, no data channel: pion v3's DTLS has an advisory without a fix, so this side stays on
// this machine.
func newBrowserSide(log *slog.Logger, network bool) (*browserSide, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for pages: %w", err)
	}
	logs := quiet{log}
	mux := webrtc.NewICETCPMux(logs.NewLogger("tcp"), tcp, 8)
	b := &browserSide{tcp: tcp, mux: mux}
	set := &b.set
	set.LoggerFactory = logs
	set.SetIncludeLoopbackCandidate(true)
	set.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4})
	set.SetICETCPMux(mux)
	set.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	set.SetIPFilter(func(ip net.IP) bool {
		return ip.IsLoopback() || network && ip.To4() != nil && !ip.IsLinkLocalUnicast()
	})
	set.SetDTLSRetransmissionInterval(50 * time.Millisecond)
	set.SetICETimeouts(3*time.Second, 10*time.Second, time.Second)
	if err := registerCodecs(&b.media); err != nil {
		_ = mux.Close()
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		_ = mux.Close()
		return nil, fmt.Errorf("key for pages: %w", err)
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		_ = mux.Close()
		return nil, fmt.Errorf("certificate for pages: %w", err)
	}
	b.config.Certificates = []webrtc.Certificate{*cert}
	return b, nil
}

// connection is a new one whose sockets belong to that shortcut.
func (b *browserSide) connection(ports *Ports, cut *shortcut) (*webrtc.PeerConnection, error) {
	system, err := stdnet.NewNet()
	if err != nil {
		return nil, err
	}
	set := b.set
	set.SetNet(nearNet{system, ports, cut})
	api := webrtc.NewAPI(webrtc.WithSettingEngine(set), webrtc.WithMediaEngine(&b.media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	return api.NewPeerConnection(b.config)
}

func (b *browserSide) close() { _ = b.mux.Close() }

func registerCodecs(m *webrtc.MediaEngine) error {
	for _, p := range pageCodecs() {
		if err := m.RegisterCodec(p, webrtc.RTPCodecTypeAudio); err != nil {
			return fmt.Errorf("register %s: %w", p.MimeType, err)
		}
	}
	return nil
}

// pageCodecs are all we negotiate with a page, with the payload types Chrome uses. Telephone-event is not among them:
// browsers get it wrong with opus, so digits are made here.
func pageCodecs() []webrtc.RTPCodecParameters {
	var list []webrtc.RTPCodecParameters
	for c := opus; c < codecs; c++ {
		s := specs[c]
		list = append(list, webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: s.mime, ClockRate: s.clock, Channels: s.channels, SDPFmtpLine: s.fmtp},
			PayloadType:        webrtc.PayloadType(s.pt),
		})
	}
	return list
}

func codecOfMime(mime string) codec {
	for c := opus; c < codecs; c++ {
		if strings.EqualFold(specs[c].mime, mime) {
			return c
		}
	}
	return noCodec
}

// offeredCodecs are those of ours that a page's offer names, in its order: browsers that choose no codec speak the first of them.
func offeredCodecs(offered []format) []webrtc.RTPCodecParameters {
	var list []webrtc.RTPCodecParameters
	for _, f := range offered {
		known := func(p webrtc.RTPCodecParameters) bool { return codecOfMime(p.MimeType) == codecNamed(f.name, f.clock) }
		if i := slices.IndexFunc(pageCodecs(), known); i >= 0 && !slices.ContainsFunc(list, known) {
			p := pageCodecs()[i]
			p.PayloadType = webrtc.PayloadType(f.pt)
			list = append(list, p)
		}
	}
	return list
}

// quiet sends pion's log to ours, below what a person wants to see.
type quiet struct{ log *slog.Logger }

func (q quiet) NewLogger(scope string) logging.LeveledLogger {
	return quiet{q.log.With("part", scope)}
}

func (q quiet) Trace(string)                   {}
func (q quiet) Tracef(string, ...any)          {}
func (q quiet) Debug(string)                   {}
func (q quiet) Debugf(string, ...any)          {}
func (q quiet) Info(string)                    {}
func (q quiet) Infof(string, ...any)           {}
func (q quiet) Warn(msg string)                { q.log.Debug(msg) }
func (q quiet) Warnf(format string, a ...any)  { q.log.Debug(fmt.Sprintf(format, a...)) }
func (q quiet) Error(msg string)               { q.log.Debug(msg) }
func (q quiet) Errorf(format string, a ...any) { q.log.Debug(fmt.Sprintf(format, a...)) }
