package media

import (
	"sync"
	"time"
)

// echo gives the packets of the owner page back to it, half a second later. They leave with the packets that arrive, for a page
// with an open microphone sends without pause.
type echo struct {
	mu    sync.Mutex
	waits []echoed // a ring, at from goes the oldest
	from  int
	n     int
}

// echoed is a packet on its way back. Its memory is used again.
type echoed struct {
	packet
	codec codec
	at    time.Time
}

const (
	echoAfter = 500 * time.Millisecond
	echoRoom  = 64 // packets: 640 ms at the least
)

// EchoPage lets the owner page hear itself half a second later, with its microphone open though there is no call. A call ends it.
func (e *Engine) EchoPage(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !on || e.closed || e.liveLocked():
		e.echo.Store(nil)
	case e.echo.Load() == nil:
		e.echo.Store(&echo{waits: make([]echoed, echoRoom)})
	}
	e.tellPagesLocked(time.Now())
}

// take keeps a packet of the page and plays those that have waited long enough.
func (o *echo) take(p *page, c codec, pk packet, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.n > 0 && (o.n == echoRoom || now.Sub(o.waits[o.from].at) >= echoAfter) {
		old := &o.waits[o.from]
		p.play(old.codec, old.packet, now)
		o.from, o.n = (o.from+1)%echoRoom, o.n-1
	}
	slot := &o.waits[(o.from+o.n)%echoRoom]
	kept := append(slot.payload[:0], pk.payload...)
	*slot = echoed{packet: pk, codec: c, at: now}
	slot.payload = kept
	o.n++
}
