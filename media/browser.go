package media

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v3"
)

// browserSide is what all connections to pages share.
type browserSide struct {
	api    *webrtc.API
	config webrtc.Configuration
	tcp    net.Listener
	mux    ice.TCPMux
}

// browser makes it with the first offer, so that a phone without a page has no open port.
func (e *Engine) browser() (*browserSide, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	if e.web == nil {
		web, err := newBrowserSide(e.log)
		if err != nil {
			return nil, err
		}
		e.web = web
	}
	return e.web, nil
}

// newBrowserSide sets pion up as it was found to connect with every browser tried: loopback and network card, UDP
// without a mux, TCP on loopback for browsers whose policy forbids UDP. No STUN server, no data channel: pion v3's DTLS
// has an advisory without a fix, so this side stays on this machine.
func newBrowserSide(log *slog.Logger) (*browserSide, error) {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for pages: %w", err)
	}
	logs := quiet{log}
	mux := webrtc.NewICETCPMux(logs.NewLogger("tcp"), tcp, 8)
	var set webrtc.SettingEngine
	set.LoggerFactory = logs
	set.SetIncludeLoopbackCandidate(true)
	set.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeTCP4})
	set.SetICETCPMux(mux)
	set.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	set.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() || ip.To4() != nil && !ip.IsLinkLocalUnicast() })
	set.SetDTLSRetransmissionInterval(50 * time.Millisecond)
	set.SetICETimeouts(3*time.Second, 10*time.Second, time.Second)
	var media webrtc.MediaEngine
	if err := registerCodecs(&media); err != nil {
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
	api := webrtc.NewAPI(webrtc.WithSettingEngine(set), webrtc.WithMediaEngine(&media), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	return &browserSide{api: api, config: webrtc.Configuration{Certificates: []webrtc.Certificate{*cert}}, tcp: tcp, mux: mux}, nil
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

// offeredCodecs are those of ours that a page's offer names.
func offeredCodecs(offered []format) []webrtc.RTPCodecParameters {
	var list []webrtc.RTPCodecParameters
	for _, p := range pageCodecs() {
		for _, f := range offered {
			if codecNamed(f.name, f.clock) == codecOfMime(p.MimeType) {
				p.PayloadType = webrtc.PayloadType(f.pt)
				list = append(list, p)
				break
			}
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
