package media

import "time"

const (
	goneSilent = 200 * time.Millisecond  // a page without socket and voice is gone
	pageSilent = 300 * time.Millisecond  // then it is asked to restart ICE
	pageLost   = time.Second             // then to connect anew, or another page gets the sound
	askAgain   = 2 * time.Second         // and so on
	slowStart  = 1500 * time.Millisecond // a new connection that does not come up
	pageMissed = 2 * time.Second         // of a call without page sound: a person is told
	lineSilent = 5 * time.Second
)

// silence is how long the page has sent nothing though a call wants sound. A page that never sent has no microphone, which
// is not silence: zero.
func (c *conn) silence(liveAt, now time.Time) time.Duration {
	heard := c.heard.Load()
	if heard == 0 {
		return 0
	}
	return now.Sub(later(time.Unix(0, heard), liveAt))
}

// watch looks after pages and lines: every 50 ms in a call, and whenever something happened to a page.
func (e *Engine) watch(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	for _, p := range e.pages {
		c := p.conn.Load()
		lost := len(p.watchers) == 0 && c != nil && c.broken.Load()
		if lost || p.gone && e.spentLocked(p, now) {
			e.forgetLocked(p)
		}
	}
	e.watchOwnerLocked(now)
	e.tellPagesLocked(now)
	e.watchLinesLocked(now)
	e.watchLevelsLocked(now)
}

// spentLocked says that a page whose socket is closed carries no voice either.
func (e *Engine) spentLocked(p *page, now time.Time) bool {
	c := p.conn.Load()
	return c == nil || e.liveAt.IsZero() || c.heard.Load() == 0 || c.silence(e.liveAt, now) >= goneSilent
}

func (e *Engine) forgetLocked(p *page) {
	delete(e.pages, p.id)
	e.dropLocked(p.conn.Swap(nil))
	if e.owner.Load() == p {
		e.ownLocked(e.heirLocked(p))
	}
}

// heirLocked is the newest page besides p that is there; nil: none.
func (e *Engine) heirLocked(p *page) *page {
	var heir *page
	for _, other := range e.pages {
		if other != p && !other.gone && (heir == nil || other.order > heir.order) {
			heir = other
		}
	}
	return heir
}

// watchOwnerLocked notices an owner whose voice stopped in a call.
func (e *Engine) watchOwnerLocked(now time.Time) {
	p := e.owner.Load()
	if p == nil || e.liveAt.IsZero() {
		return
	}
	c := p.conn.Load()
	if c == nil {
		return
	}
	silent := c.silence(e.liveAt, now)
	slow := !c.up.Load() && now.Sub(later(later(c.since, time.Unix(0, c.down.Load())), e.liveAt)) >= slowStart
	heir := e.heirLocked(p)
	switch {
	case silent >= pageLost && heir != nil && heir.order > p.order:
		e.log.Info("page silent, the newer one gets the sound", "page", p.id, "took", silent)
		e.ownLocked(heir)
	case (silent >= pageLost || slow) && (p.asked < askedNew || now.Sub(p.askedAt) >= askAgain):
		e.log.Info("page silent, asked to connect anew", "page", p.id, "took", silent)
		e.orders++
		p.renew, p.asked, p.askedAt = e.orders, askedNew, now
	case silent >= pageSilent && p.asked == askedNothing:
		e.log.Info("page silent, asked to restart", "page", p.id, "took", silent)
		e.orders++
		p.restart, p.asked, p.askedAt = e.orders, askedRestart, now
	case silent < pageSilent && c.up.Load():
		p.asked = askedNothing
	}
}

func (e *Engine) watchLinesLocked(now time.Time) {
	for _, l := range e.lines {
		r := l.route.Load()
		silent := r != nil && r.hear && now.Sub(later(time.Unix(0, l.heard.Load()), r.since)) >= lineSilent
		if silent != e.silent[l] {
			if e.silent[l] = silent; !silent {
				delete(e.silent, l)
			}
			e.tell(LineSilent{Line: l.id, Silent: silent})
		}
	}
}

// missLocked tells when a call has had no page's sound for two seconds, and when that is over: sound is back, or the call ended.
func (e *Engine) missLocked(live bool, now time.Time) {
	switch {
	case live || e.liveAt.IsZero():
		e.lostAt = time.Time{}
		if e.gone {
			e.gone = false
			e.tell(Gone{Back: true})
		}
	case e.lostAt.IsZero():
		e.lostAt = now
		if owner := e.owner.Load(); owner != nil {
			if c := owner.conn.Load(); c != nil {
				e.lostAt = now.Add(-c.silence(e.liveAt, now))
			}
		}
	case !e.gone && now.Sub(e.lostAt) >= pageMissed:
		e.gone = true
		e.tell(Gone{})
	}
}
