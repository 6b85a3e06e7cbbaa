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
	ports *Ports

	focus    atomic.Pointer[line]
	mixer    atomic.Pointer[mixer] // of the conference; nil: none
	owner    atomic.Pointer[page]
	beside   atomic.Pointer[beside] // what the agent hears beside the call; nil: nothing
	echo     atomic.Pointer[echo]   // the owner hears itself; nil: no test
	muted    atomic.Bool
	inBand   atomic.Bool              // see Config.InBand
	mic      atomic.Pointer[meter]    // of the microphone while it is muted; nil: nobody listens
	said     atomic.Pointer[pageSaid] // what the page measured lately
	nextPort atomic.Uint32

	wake chan struct{} // the pacer has something to do
	work sync.WaitGroup

	mu     sync.Mutex // guards what follows
	closed bool
	wanted string   // the line that Focus named
	mixed  []string // the lines that Mix named
	keep   bool     // see KeepReplay
	clips  bool     // see KeepClip

	mutedTalk bool // told last
	lines     map[string]*line
	pages     map[string]*page
	web       *browserSide // made for the first offer
	wide      *browserSide // made for the first offer that wants the network cards
	self      *identity    // made for the first line with DTLS
	shown     PageLive     // told last
	silent    map[*line]bool
	likely    codec     // of the call under way, or of the next one
	orders    int       // restarts and renewals ordered so far: one row of numbers for all pages
	liveAt    time.Time // since when a call wants sound; zero: none does
	lostAt    time.Time // since when that call has no page's sound; zero: it has, or there is no call
	gone      bool      // Gone was told
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
	ports := cfg.Ports
	if ports == nil {
		ports = NewPorts()
	}
	e := &Engine{cfg: cfg, log: cfg.Log, cname: fmt.Sprintf("%016x", rand.Uint64()), ports: ports, wake: make(chan struct{}, 1), likely: list[0],
		lines: map[string]*line{}, pages: map[string]*page{}, silent: map[*line]bool{}}
	e.InBand(cfg.InBand)
	return e, nil
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
	timer := time.NewTimer(0)
	defer timer.Stop()
	var watched, reported time.Time
	var lines []*line
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.wake:
		case <-timer.C:
		}
		now := time.Now()
		lines = e.all(lines[:0])
		e.tick(lines, now)
		if now.Sub(reported) >= reportEvery {
			reported = now
			for _, l := range lines {
				l.sendReport(now, false)
				l.measure(now)
			}
		}
		if now.Sub(watched) >= watchEvery {
			watched = now
			e.watch(now)
		}
		if len(lines) == 0 {
			return
		}
		timer.Reset(e.nap(lines, now))
	}
}

// tick says and mixes what is due.
func (e *Engine) tick(lines []*line, now time.Time) {
	for _, l := range lines {
		l.tick(now)
	}
	if m := e.mixer.Load(); m != nil {
		m.tick(now)
	}
	if b := e.beside.Load(); b != nil {
		b.tick(now)
	}
}

// nap is how long there is nothing to do but to watch. While all sound just passes through, that is most of the time.
func (e *Engine) nap(lines []*line, now time.Time) time.Duration {
	nap := watchEvery
	if e.mixer.Load() != nil || e.beside.Load() != nil {
		nap = paceEvery
	}
	for _, l := range lines {
		nap = min(nap, l.rest(now))
	}
	return nap
}

// stir ends the pacer's nap.
func (e *Engine) stir() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// all appends the lines to list.
func (e *Engine) all(list []*line) []*line {
	e.mu.Lock()
	defer e.mu.Unlock()
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
	e.beside.Store(nil)
	sides := []*browserSide{e.web, e.wide}
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
	for _, side := range sides {
		if side != nil {
			side.close()
		}
	}
	if e.cfg.Ports == nil {
		e.ports.wait()
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
	l := &line{id: id, e: e, rtp: rtp, rtcp: rtcp, out: newStream()}
	l.at.Store(rtp)
	l.talk.begin(netip.AddrPortFrom(local, rtp.local().Port()), e.codecs())
	e.mu.Lock()
	defer e.mu.Unlock()
	if err = begin(l); err == nil && e.closed {
		err = ErrClosed
	}
	if err != nil {
		(&sockets{rtp, rtcp}).close()
		return nil, err
	}
	e.lines[id] = l
	l.keepLocked()
	l.clipLocked()
	if e.inBand.Load() {
		l.tapLocked(&keyEar{line: l})
	}
	if id == e.wanted {
		e.focus.Store(l)
	}
	e.settleMixLocked()
	e.tellPagesLocked(time.Now())
	l.start()
	e.stir()
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
		l.forgetLocked()
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
		l.turnLocked()
		l.mu.Unlock()
	}
}

// Echo sends back on a line whatever comes in, from now on.
func (e *Engine) Echo(id string) {
	if l := e.line(id); l != nil {
		l.echo.Store(true)
	}
}

// Listen gives what comes in on a line, decoded to 8 kHz, to sink, which must not block; the slice is reused.
func (e *Engine) Listen(id string, sink func(pcm []int16)) {
	if l := e.line(id); l != nil {
		l.sink.Store(&sink)
	}
}
