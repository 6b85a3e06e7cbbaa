package media

import (
	"time"

	"github.com/pion/webrtc/v3"
)

// Who owns the sound, and what each page has to do.

// page finds or makes the page of that name.
func (e *Engine) page(id string) (*page, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	return e.pageLocked(id), nil
}

func (e *Engine) pageLocked(id string) *page {
	p := e.pages[id]
	if p == nil {
		newest := 0
		for _, other := range e.pages {
			newest = max(newest, other.order)
		}
		p = &page{id: id, e: e, order: newest + 1, watchers: map[chan Order]struct{}{}}
		e.pages[id] = p
	}
	return p
}

// Orders gives what the page has to do, now and at every change, whole, the newest wins. The second result ends it and
// closes the channel. A page that asks again has come back.
func (e *Engine) Orders(id string) (<-chan Order, func()) {
	ch := make(chan Order, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		close(ch)
		return ch, func() {}
	}
	p := e.pageLocked(id)
	p.gone = false
	p.watchers[ch] = struct{}{}
	p.last = e.orderLocked(p)
	ch <- p.last
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, open := p.watchers[ch]; open {
			delete(p.watchers, ch)
			close(ch)
		}
	}
}

func (e *Engine) orderLocked(p *page) Order {
	owner := e.owner.Load()
	return Order{Owner: owner == p, Taken: owner != nil && owner != p, Codec: e.likely.String(), Live: e.liveLocked(),
		Restart: p.restart, Renew: p.renew, Mic: owner == p && e.echo.Load() != nil}
}

// liveLocked says that a call wants sound, and learns the codec of the next call from this one: a page that encodes with it
// already speaks one frame after the answer.
func (e *Engine) liveLocked() bool {
	if m := e.mixer.Load(); m != nil && m.withPage.Load() {
		c, live := m.pageCodec()
		e.likely = c
		return live
	}
	l := e.focus.Load()
	if l == nil {
		return false
	}
	r := l.route.Load()
	if r == nil || !r.speak && !r.hear {
		return false
	}
	e.likely = r.codec
	return true
}

// tellPagesLocked gives every page its order if it changed, and tells whether a page carries sound.
func (e *Engine) tellPagesLocked(now time.Time) {
	live := e.liveLocked()
	if live {
		e.echo.Store(nil) // a call ends the test
	}
	for _, p := range e.pages {
		o := e.orderLocked(p)
		if o == p.last {
			continue
		}
		p.last = o
		for w := range p.watchers {
			select {
			case <-w:
			default:
			}
			w <- o
		}
	}
	switch {
	case !live:
		e.liveAt = time.Time{}
	case e.liveAt.IsZero():
		e.liveAt = now
	}
	e.showLocked(now)
}

// showLocked tells whether a page carries sound, when that changed.
func (e *Engine) showLocked(now time.Time) {
	show := PageLive{}
	if owner := e.owner.Load(); owner != nil {
		c := owner.conn.Load()
		show.Page = owner.id
		if c != nil {
			show.Live = c.up.Load() && (e.liveAt.IsZero() || c.silence(e.liveAt, now) < pageSilent)
			show.Way = c.way()
		}
	}
	e.missLocked(show.Live, now)
	if show == e.shown {
		return
	}
	if e.shown.Live && show.Page != e.shown.Page {
		e.tell(PageLive{Page: e.shown.Page})
	}
	if show.Live || show.Page == e.shown.Page {
		e.tell(show)
	}
	e.shown = show
}

// Claim makes the page the owner of the sound; the one before is told at once.
func (e *Engine) Claim(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.ownLocked(e.pageLocked(id))
		e.tellPagesLocked(time.Now())
	}
}

// ownLocked gives the sound to a page, or to none. Who had it loses its connection too: it is told, and lets go.
func (e *Engine) ownLocked(p *page) {
	if old := e.owner.Swap(p); old != nil && old != p {
		e.dropLocked(old.conn.Swap(nil))
	}
}

// Gone says that the page's socket is closed. While its sound still flows it stays: a browser that froze a page closes
// its socket, but not its voice. A page whose orders somebody still takes is not gone.
func (e *Engine) Gone(id string) {
	e.mu.Lock()
	if p := e.pages[id]; p != nil && len(p.watchers) == 0 {
		p.gone = true
	}
	e.mu.Unlock()
	e.watch(time.Now())
}

// attach puts a new connection in the place of the page's old one. The first page that offers owns the sound.
func (e *Engine) attach(p *page, c *conn) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	if e.pages[p.id] != p { // it went while it offered
		if other := e.pages[p.id]; other != nil {
			return ErrClosed
		}
		e.pages[p.id] = p
	}
	e.dropLocked(p.conn.Swap(c))
	if e.owner.Load() == nil {
		e.ownLocked(p)
	}
	e.tellPagesLocked(time.Now())
	return nil
}

func (e *Engine) dropLocked(c *conn) {
	if c != nil {
		e.work.Go(c.close)
	}
}

// changed hears of a connection that came up or broke.
func (e *Engine) changed(c *conn, s webrtc.PeerConnectionState) {
	e.log.Debug("page connection", "page", c.page.id, "state", s.String(), "took", time.Since(c.since))
	e.watch(time.Now())
}
