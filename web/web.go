// Package web is the panel: the loopback server behind the pages. A page sees the agent's snapshots, the seat view and
// the orders for its sound, and says commands; it decides nothing. Who may speak to it is the business of web/guard.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"zaseki/static"
	"zaseki/web/guard"
	"zaseki/web/wire"
)

// DefaultAddr is where the panel listens. Browsers remember the microphone's permission by host name and port, so that both stay.
const DefaultAddr = "127.0.0.1:47355"

// secondAddr is tried when something else has the first; after it any free port, with a warning.
const secondAddr = "127.0.0.1:47356"

// Agent decides; the panel only carries.
type Agent interface {
	Post(wire.Command)
	// Watch gives the present snapshot and then the newest; the function ends it.
	Watch() (<-chan wire.Snapshot, func())
}

// Floor gives the seat view to pages that ask for it.
type Floor interface {
	// WatchFloor gives the seat view as it is wanted; turn changes what is wanted, and ends it when that is not On.
	WatchFloor(ctx context.Context, want wire.WatchFloor) (floors <-chan wire.Floor, turn func(wire.WatchFloor))
}

// Sound is the engine behind the pages' microphones and loudspeakers. A page is named by an id of its own making.
type Sound interface {
	// Offer answers an SDP; with network also with the addresses of the network cards.
	Offer(ctx context.Context, page, sdp string, network bool) (answer string, err error)
	// PCM carries samples where WebRTC cannot work, until it ends or fails; write does not block.
	PCM(ctx context.Context, page string, read func(context.Context) ([]byte, error), write func([]byte) error) error
	Orders(page string) (<-chan wire.SoundOrder, func())
	Claim(page string)
	Stats(page string, s wire.SoundStats)
	Gone(page string)
}

// Config of a panel. Agent is required; without Floor, Sound, Metrics, Why, Recordings, Proofs, Past or Book those parts are missing.
type Config struct {
	Addr       string // "" = DefaultAddr with its fallbacks; otherwise exactly there. Always a loopback address
	Agent      Agent
	Floor      Floor
	Sound      Sound
	Metrics    http.Handler
	Why        Why
	Recordings Recordings
	Proofs     Proofs
	Past       Past
	Book       Book
	Guests     Guests        // whose pages may ask this phone to dial; nil: nobody's
	Lang       func() string // "en", "ja"; anything else, or nil: what the browser prefers
	Log        *slog.Logger
}

// Server is one panel.
type Server struct {
	cfg     Config
	guard   *guard.Guard
	ln      net.Listener
	files   map[string]file
	indexes map[indexKey]file
	news    chan struct{} // pages came or went
	asks    *rate.Limiter // of guests
	rings   *rate.Limiter // of strangers

	mu    sync.Mutex
	pages map[string]*page // open ones by id
	open  sync.WaitGroup   // handlers of websockets, which http.Server does not wait for
}

// New binds the listener, so that URL is good at once; Run serves.
func New(cfg Config) (*Server, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ln, err := listen(cfg.Addr, cfg.Log)
	if err != nil {
		return nil, err
	}
	g, err := guard.New(ln.Addr().String())
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("panel: %w", err)
	}
	files, err := static.Files()
	if err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("panel: %w", err)
	}
	loaded := load(files)
	s := &Server{
		cfg: cfg, guard: g, ln: ln, files: loaded, indexes: indexes(loaded),
		news:  make(chan struct{}, 1),
		pages: map[string]*page{},
		asks:  rate.NewLimiter(rate.Every(asksEvery), asksBurst),
		rings: rate.NewLimiter(rate.Every(ringsEvery), 1),
	}
	g.Guests(func(r *http.Request) bool { return r.URL.Path == guestPath && s.admits(r.Header.Values("Origin")) })
	return s, nil
}

func listen(addr string, log *slog.Logger) (net.Listener, error) {
	if addr != "" && addr != DefaultAddr {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("panel address %s: %w", addr, err)
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return nil, fmt.Errorf("panel address %s: not a loopback address", addr)
		}
		return net.Listen("tcp", addr)
	}
	ln, err := net.Listen("tcp", DefaultAddr)
	if err == nil {
		return ln, nil
	}
	log.Info("panel port is taken", "addr", DefaultAddr, "err", err)
	if ln, err = net.Listen("tcp", secondAddr); err == nil {
		return ln, nil
	}
	log.Warn("both panel ports are taken: the browser will ask for the microphone again", "err", err)
	return net.Listen("tcp", "127.0.0.1:0")
}

// Addr is where the panel listens, host:port.
func (s *Server) Addr() string { return s.ln.Addr().String() }

// URL opens the panel with the secret of this start in the fragment; whoever reads it may use the phone.
func (s *Server) URL() string { return s.address("", s.guard.Token()) }

// OneTimeURL opens the panel once, within two minutes. View is "" for the phone or "seats" for the seat view.
func (s *Server) OneTimeURL(view string) string { return s.address(view, s.guard.Code()) }

func (s *Server) address(view string, secret wire.Secret) string {
	_, port, _ := net.SplitHostPort(s.Addr())
	return "http://127.0.0.1:" + port + "/" + view + "#" + secret.Reveal()
}

// Run serves until ctx ends, then says goodbye to every page and waits for them.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	srv := &http.Server{
		Handler:           s.guard.Wrap(s.routes()),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       30 * time.Second,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.cfg.Log.Handler(), slog.LevelDebug),
	}
	var all sync.WaitGroup
	all.Go(func() { s.count(ctx) })
	all.Go(func() {
		<-ctx.Done()
		late, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer done()
		if srv.Shutdown(late) != nil {
			_ = srv.Close()
		}
	})
	err := srv.Serve(s.ln)
	cancel()
	all.Wait()
	s.open.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("panel: %w", err)
}

// count tells the agent how many pages are open, one number at a time so that the last one is true.
func (s *Server) count(ctx context.Context) {
	told := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.news:
		}
		s.mu.Lock()
		n := len(s.pages)
		s.mu.Unlock()
		if n != told {
			told = n
			s.cfg.Agent.Post(wire.PagesChanged{Open: n})
		}
	}
}
