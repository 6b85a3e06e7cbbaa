package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"zaseki/web/guard"
	"zaseki/web/socket"
	"zaseki/web/wire"
)

const (
	maxPages = 64
	// grace is how long a page whose connection broke, instead of being closed, keeps its sound: a frozen tab's websocket
	// dies while its microphone goes on (it comes back within two seconds of thawing).
	grace = 3 * time.Second
	// A person clicks slower than this; a page that does not waits, and its own buffers fill.
	perSecond, burst = 30, 60
	// longestFloor is a name that a floor may have, in bytes: what a page says goes on to the center.
	longestFloor = 64
)

// page is one open page.
type page struct {
	id       string
	conn     *socket.Conn
	log      *slog.Logger
	floor    chan wire.WatchFloor // what it wants of the seat view; newest wins
	replaced chan struct{}        // the same page connected again
}

// websocket is GET /ws?page=ID.
func (s *Server) websocket(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("page")
	if !pageID.MatchString(id) {
		http.Error(w, "page is needed", http.StatusBadRequest)
		return
	}
	s.open.Add(1)
	defer s.open.Done()
	s.mu.Lock()
	full := len(s.pages) >= maxPages
	s.mu.Unlock()
	if full {
		http.Error(w, "too many pages", http.StatusTooManyRequests)
		return
	}
	conn, err := socket.Accept(w, r, socket.Options{CheckOrigin: guard.Own, Queue: 1, PingEvery: 10 * time.Second})
	if err != nil {
		s.cfg.Log.Debug("page refused", "err", err)
		return
	}
	p := &page{id: id, conn: conn, log: s.cfg.Log.With("page", id), floor: make(chan wire.WatchFloor, 1), replaced: make(chan struct{})}
	s.enter(p)
	clean := s.serve(r.Context(), p)
	s.leave(r.Context(), p, clean)
}

func (s *Server) enter(p *page) {
	s.mu.Lock()
	old := s.pages[p.id]
	s.pages[p.id] = p
	s.mu.Unlock()
	if old != nil {
		close(old.replaced)
	}
	s.tell()
}

// leave takes the page off the list and lets go of its sound: at once when it said goodbye, after the grace otherwise,
// never when the same page is back.
func (s *Server) leave(ctx context.Context, p *page, clean bool) {
	s.mu.Lock()
	if s.pages[p.id] == p {
		delete(s.pages, p.id)
	}
	s.mu.Unlock()
	s.tell()
	if s.cfg.Sound == nil {
		return
	}
	if !clean {
		wait := time.NewTimer(grace)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	_, back := s.pages[p.id]
	s.mu.Unlock()
	if !back {
		s.cfg.Sound.Gone(p.id)
	}
}

func (s *Server) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// serve carries news to the page and commands from it until either side ends; clean says that the page said goodbye.
func (s *Server) serve(ctx context.Context, p *page) (clean bool) {
	heard := make(chan error, 1)
	go func() { heard <- s.listen(ctx, p) }()
	why := s.pump(ctx, p)
	p.conn.Close(socket.GoingAway, why)
	err := <-heard
	var far *socket.Closed
	return errors.As(err, &far) && (far.Code == socket.GoingAway || far.Code == socket.Normal)
}

// pump is the only one who tells the page news; what it cannot take yet is replaced by what is newer.
func (s *Server) pump(ctx context.Context, p *page) (why string) {
	snaps, stop := s.cfg.Agent.Watch()
	defer stop()
	var orders <-chan wire.SoundOrder
	if s.cfg.Sound != nil {
		var end func()
		orders, end = s.cfg.Sound.Orders(p.id)
		defer end()
	}
	var floors <-chan wire.Floor
	var turn func(wire.WatchFloor)
	defer func() {
		if turn != nil {
			turn(wire.WatchFloor{})
		}
	}()
	for {
		var news interface{ Type() string }
		var ok bool
		select {
		case <-ctx.Done():
			return "the phone ends"
		case <-p.conn.Done():
			return "gone"
		case <-p.replaced:
			return "connected again"
		case want := <-p.floor:
			floors, turn = s.watchFloor(ctx, want, floors, turn)
			continue
		case news, ok = <-snaps:
		case news, ok = <-orders:
		case news, ok = <-floors:
		}
		if !ok {
			return "the phone ends"
		}
		if err := p.say(ctx, "", news); err != nil {
			return "cannot write"
		}
	}
}

// watchFloor begins to watch, or turns what is watched.
func (s *Server) watchFloor(ctx context.Context, want wire.WatchFloor, floors <-chan wire.Floor, turn func(wire.WatchFloor)) (<-chan wire.Floor, func(wire.WatchFloor)) {
	switch {
	case turn != nil:
		turn(want)
		if !want.On {
			return nil, nil
		}
	case want.On && s.cfg.Floor != nil:
		return s.cfg.Floor.WatchFloor(ctx, want)
	}
	return floors, turn
}

func (p *page) say(ctx context.Context, op string, m interface{ Type() string }) error {
	e, err := wire.Pack(op, m)
	if err != nil {
		return err
	}
	return p.conn.Write(ctx, e)
}

// listen hears what the page says.
func (s *Server) listen(ctx context.Context, p *page) error {
	pace := rate.NewLimiter(perSecond, burst)
	for {
		e, err := p.conn.Read(ctx)
		if err != nil {
			return err
		}
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		if err := s.hear(ctx, p, e); err != nil {
			return err
		}
	}
}

func (s *Server) hear(ctx context.Context, p *page, e wire.Envelope) error {
	m, err := wire.ParsePage(e)
	if err != nil {
		p.log.Warn("page said something unknown", "err", err)
		return p.say(ctx, e.Op, wire.Refused{Problem: wire.Problem{Code: wire.ProblemInternal}})
	}
	switch m := m.(type) {
	case wire.WatchFloor:
		if len(m.Floor) > longestFloor {
			return p.say(ctx, e.Op, wire.Refused{Problem: wire.Problem{Code: wire.ProblemNoRow, Holes: map[string]string{"id": m.Floor[:longestFloor]}}})
		}
		select {
		case <-p.floor:
		default:
		}
		p.floor <- m // this goroutine is the only one that fills it
	case wire.SoundClaim:
		if s.cfg.Sound != nil {
			s.cfg.Sound.Claim(p.id)
		}
	case wire.SoundStats:
		if s.cfg.Sound != nil {
			s.cfg.Sound.Stats(p.id, m)
		}
	default:
		s.cfg.Agent.Post(m)
	}
	return nil
}
