package media

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Engine is all sound of one phone. Its methods may be called from any goroutine.
//
// Packets never take the engine's mutex: a page's reader finds the line in focus, a line's reader finds the page that
// owns the sound, each by one atomic load.
type Engine struct {
	cfg   Config
	log   *slog.Logger
	cname string

	focus    atomic.Pointer[line]
	mixer    atomic.Pointer[mixer] // of the conference; nil: none
	owner    atomic.Pointer[page]
	muted    atomic.Bool
	nextPort atomic.Uint32

	wake chan struct{} // the pacer has something to do
	work sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	wanted string   // the line that Focus named
	mixed  []string // the lines that Mix named
	lines  map[string]*line
	pages  map[string]*page
	web    *browserSide // made for the first offer
	self   *identity    // made for the first line with DTLS
	shown  PageLive     // told last
	silent map[*line]bool
	likely codec     // of the call under way, or of the next one
	orders int       // restarts and renewals ordered so far: one row of numbers for all pages
	liveAt time.Time // since when a call wants sound; zero: none does
}

// New makes an engine. Nothing runs before Run.
func New(cfg Config) (*Engine, error) {
	list := codecsNamed(cfg.Codecs)
	if len(list) == 0 {
		return nil, fmt.Errorf("media: no known codec in %q", cfg.Codecs)
	}
	if cfg.PortHigh < cfg.PortLow {
		return nil, fmt.Errorf("media: port range %d to %d", cfg.PortLow, cfg.PortHigh)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, log: cfg.Log, cname: fmt.Sprintf("%016x", rand.Uint64()), wake: make(chan struct{}, 1), likely: list[0],
		lines: map[string]*line{}, pages: map[string]*page{}, silent: map[*line]bool{}}, nil
}

const (
	paceEvery  = 10 * time.Millisecond // half a frame, so that no frame is late by more
	watchEvery = 50 * time.Millisecond
)

// Run paces the lines and watches over the pages until ctx ends; then everything is closed.
func (e *Engine) Run(ctx context.Context) error {
	defer e.shut()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
		e.pace(ctx)
	}
}

// pace runs while there is a line; without one nothing ticks.
func (e *Engine) pace(ctx context.Context) {
	ticker := time.NewTicker(paceEvery)
	defer ticker.Stop()
	var watched, reported time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			lines := e.all()
			for _, l := range lines {
				l.tick(now)
			}
			if m := e.mixer.Load(); m != nil {
				m.tick(now)
			}
			if now.Sub(reported) >= reportEvery {
				reported = now
				for _, l := range lines {
					l.sendReport(now, false)
				}
			}
			if now.Sub(watched) >= watchEvery {
				watched = now
				e.watch(now)
			}
			if len(lines) == 0 {
				return
			}
		}
	}
}

func (e *Engine) all() []*line {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := make([]*line, 0, len(e.lines))
	for _, l := range e.lines {
		list = append(list, l)
	}
	return list
}

func (e *Engine) shut() {
	e.mu.Lock()
	e.closed = true
	lines, pages := e.lines, e.pages
	e.lines, e.pages = map[string]*line{}, map[string]*page{}
	e.focus.Store(nil)
	e.owner.Store(nil)
	e.mixer.Store(nil)
	web := e.web
	for _, p := range pages {
		e.dropLocked(p.conn.Swap(nil))
		for w := range p.watchers {
			close(w)
			delete(p.watchers, w)
		}
	}
	e.mu.Unlock()
	for _, l := range lines {
		l.sendReport(time.Now(), true)
		l.close()
	}
	e.work.Wait()
	if web != nil {
		web.close()
	}
}

func (e *Engine) tell(ev Event) {
	if e.cfg.Tell != nil {
		e.cfg.Tell(ev)
	}
}

func (e *Engine) line(id string) *line {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lines[id]
}

// newLine opens sockets, lets begin make the first offer or answer, and starts the readers. An older line of the same
// name is closed.
func (e *Engine) newLine(id string, local netip.Addr, begin func(*line) error) (*line, error) {
	e.CloseLine(id)
	local = local.Unmap()
	rtp, rtcp, err := e.openPair(local)
	if err != nil {
		return nil, fmt.Errorf("open line: %w", err)
	}
	port := uint16(rtp.LocalAddr().(interface{ AddrPort() netip.AddrPort }).AddrPort().Port())
	l := &line{id: id, e: e, rtp: rtp, rtcp: rtcp, out: newStream()}
	l.talk.begin(netip.AddrPortFrom(local, port), codecsNamed(e.cfg.Codecs))
	e.mu.Lock()
	defer e.mu.Unlock()
	if err = begin(l); err == nil && e.closed {
		err = ErrClosed
	}
	if err != nil {
		_, _ = rtp.Close(), rtcp.Close()
		return nil, err
	}
	e.lines[id] = l
	if id == e.wanted {
		e.focus.Store(l)
	}
	e.settleMixLocked()
	e.tellPagesLocked(time.Now())
	l.start()
	select {
	case e.wake <- struct{}{}:
	default:
	}
	return l, nil
}

// CloseLine ends a line; no such line is no error.
func (e *Engine) CloseLine(id string) {
	e.mu.Lock()
	l := e.lines[id]
	delete(e.lines, id)
	delete(e.silent, l)
	if l != nil {
		e.focus.CompareAndSwap(l, nil)
		e.leaveMixLocked(id)
		e.tellPagesLocked(time.Now())
	}
	e.mu.Unlock()
	if l != nil {
		l.sendReport(time.Now(), true)
		l.close()
	}
}

// Focus names the one line that the page hears and speaks to; "" none. The others are kept alive with silence. With a line
// of a conference, or none, the page is in the conference.
func (e *Engine) Focus(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wanted = id // a line that is opened later gets it then
	e.focus.Store(e.lines[id])
	e.settleMixLocked()
	e.tellPagesLocked(time.Now())
}

// Mute puts silence in place of the agent's voice, on any line, until it is taken back. RTP goes on.
func (e *Engine) Mute(on bool) { e.muted.Store(on) }

// Play lets a line speak with src instead of a page; nil ends it. Played is told at its end.
func (e *Engine) Play(id string, src Source) {
	if l := e.line(id); l != nil {
		l.mu.Lock()
		l.source = src
		l.mu.Unlock()
	}
}

// Echo sends back on a line whatever comes in, from now on.
func (e *Engine) Echo(id string) {
	if l := e.line(id); l != nil {
		l.echo.Store(true)
	}
}

// Listen gives what comes in on a line, decoded from G.711 or G.722 to 8 kHz, to sink, which must not block; the slice is reused.
func (e *Engine) Listen(id string, sink func(pcm []int16)) {
	if l := e.line(id); l != nil {
		l.sink.Store(&sink)
	}
}
