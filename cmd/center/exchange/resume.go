package exchange

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"zaseki/sip/dialog"
)

const (
	placeLife = 30 * time.Second       // a caller whom we lost and who calls again by then waits where it waited; also how long we may have been away from callers whom nobody has answered
	backTime  = 30 * time.Second       // for a caller who heard us to come back with a new connection
	lookBack  = 250 * time.Millisecond // between looks for one
	aliveTime = 40 * time.Second       // for a side to say that it still has the call
)

// becauseBack is the Reason of a CANCEL to a phone that the process before had asked: not a call that was missed, for it rings again.
const becauseBack = `SIP;cause=200;text="Center restarted"`

// before is what the process before left: its calls, and the places of callers who have to call again.
type before struct {
	calls  []entry
	phones map[string][]noted
	page   page      // where they stand
	until  time.Time // it was there last

	mu     sync.Mutex
	again  map[string]entry // Call-ID of an INVITE that is heard again
	places map[place]placed
}

type place struct{ caller, from, queue string }

type placed struct {
	came  time.Time
	until time.Time
}

// resume takes up what the process before had. Until it is done nothing from the network is read.
func (x *Exchange) resume(ctx context.Context, run func(*conduct)) {
	now := time.Now()
	soon := now.Sub(x.before.until) <= placeLife
	for _, e := range x.before.calls {
		for _, r := range e.Rings {
			if err := x.ua.Recall(ctx, r.Invite, "udp", r.Peer, "Reason", becauseBack); err != nil {
				x.log.Debug("a phone was not told", "call", e.Record.ID, "peer", r.Peer, "err", err)
			}
		}
		if soon && e.Queue != "" && e.B == nil {
			x.before.places[place{e.Caller, e.Record.From, e.Queue}] = placed{e.Record.Began, now.Add(placeLife)}
		}
		switch {
		case e.Told:
		case e.A != nil:
			c, err := x.resumed(e)
			if err == nil {
				run(c)
				continue
			}
			x.log.Warn("a call was not taken up", "call", e.Record.ID, "err", err)
			x.lost(e)
		case soon && e.Invite != "":
			x.before.again[e.Record.ID] = e
			continue
		default:
			x.lost(e)
		}
		x.book.tear(e.page)
	}
	x.replay(ctx)
	if n := len(x.before.calls); n > 0 {
		x.log.Info("calls of the process before", "calls", n, "away", now.Sub(x.before.until).Round(time.Second))
	}
	x.before.calls = nil
	x.dark.Store(false)
}

// replay hears the INVITEs again of those whom nobody had answered, in their order.
func (x *Exchange) replay(ctx context.Context) {
	for _, e := range x.before.calls {
		if _, waits := x.before.again[e.Record.ID]; !waits || e.Invite == "" {
			continue
		}
		link, err := x.stack.Link(ctx, "udp", e.From)
		if err != nil {
			x.log.Warn("a caller was not taken up", "call", e.Record.ID, "err", err)
			x.lost(e)
			x.book.tear(e.page)
			continue
		}
		x.stack.Replay(e.Invite, e.From, link)
	}
}

// heardAgain is the call of the process before that this INVITE was. Nothing but replay brings one.
func (b *before) heardAgain(call *dialog.Call) (e entry, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e, ok = b.again[call.CallID()]; !ok || e.From != call.Source() {
		return entry{}, false
	}
	delete(b.again, call.CallID())
	return e, true
}

// heardBefore is the conduct of an INVITE that is heard again: who calls was proven to the process before.
func (x *Exchange) heardBefore(call *dialog.Call, e entry) *conduct {
	caller, ok := x.desk.Terminal(e.Caller)
	if !ok {
		caller = Terminal{User: e.Caller}
	}
	c := x.conduct(call, caller)
	c.page, c.came, c.record.Began = e.page, e.Record.Began, e.Record.Began
	return c
}

// came is since when that caller waits.
func (b *before) came(p place, now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	had, ok := b.places[p]
	if !ok {
		return now
	}
	delete(b.places, p)
	if now.After(had.until) {
		return now
	}
	return had.came
}

// lost writes the history of a call that ended with the process before.
func (x *Exchange) lost(e entry) {
	r := e.Record
	r.Why, r.Code, r.Result, r.Ended = whyRestart, 503, "refused", x.before.until
	if !r.Answered.IsZero() {
		r.Result = "answered"
	}
	if x.cfg.Told != nil && !r.Aside {
		x.cfg.Told(r)
	}
}

// resumed is an answered call, or a caller who heard us, taken up.
func (x *Exchange) resumed(e entry) (*conduct, error) {
	caller, ok := x.desk.Terminal(e.Caller)
	if !ok { // removed meanwhile: its call goes on
		caller = Terminal{User: e.Caller}
	}
	c := &conduct{x: x, page: e.page, caller: caller, record: e.Record, came: e.Record.Began, loans: make(chan loan), box: x.mailbox(), found: make(chan struct{})}
	var err error
	if c.a, err = c.seated(e.A); err != nil {
		return nil, err
	}
	if name, ok := x.desk.Queue(e.Queue); ok {
		c.route = route{kind: toQueue, queue: e.Queue, name: name, mark: name}
	}
	if e.B == nil {
		c.ours = &audience{line: c.a.call.ID(), acked: make(chan error, 1)}
		c.ours.acked <- nil
		c.again = c.waitOn
	} else {
		var b *leg
		if b, err = c.seated(e.B); err != nil {
			c.a.call.Drop()
			close(c.box.shut)
			return nil, err
		}
		c.again = func(ctx context.Context) *mailbox { return c.talkOn(ctx, b) }
	}
	x.mu.Lock()
	x.enterLocked(c) // it was admitted before
	x.mu.Unlock()
	return c, nil
}

// seated is a leg of the process before.
func (c *conduct) seated(s *side) (*leg, error) {
	l := &leg{user: s.Terminal, party: s.As, trunk: s.Trunk, sdp: s.Said}
	call, err := c.x.ua.Resume(s.Saved, func(e dialog.Event) { c.box.tell(l, e) })
	if err != nil {
		return nil, err
	}
	l.call = call
	if s.Network == "udp" {
		if link, err := c.x.stack.Link(context.Background(), "udp", s.Peer); err == nil {
			_ = call.Move(link, s.Peer)
		}
	}
	return l, nil
}

// talkOn carries an answered call on. Who hung up while nobody heard it is found out.
func (c *conduct) talkOn(ctx context.Context, b *leg) (given *mailbox) {
	close(c.found)
	c.happened(Moment{What: momentRestart})
	c.x.sit(c, c.a, b)
	defer c.x.rise(c)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	for _, l := range [...]*leg{c.a, b} {
		c.beside.Go(func() { c.x.findOut(asking, l) })
	}
	return c.talk(ctx, b)
}

// findOut asks a side whether it still has the call, as soon as there is a way to it.
func (x *Exchange) findOut(ctx context.Context, l *leg) {
	if !back(ctx, l) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, aliveTime)
	defer cancel()
	if err := l.call.Alive(ctx); err != nil && ctx.Err() == nil {
		x.log.Info("a side left while the center was away", "call", l.call.CallID(), "user", l.user, "err", err)
	}
}

// back waits until there is a way to that side again. False: its call or the context ended before.
func back(ctx context.Context, l *leg) bool {
	tick := time.NewTicker(lookBack)
	defer tick.Stop()
	for l.call.Link().Err() != nil {
		select {
		case <-tick.C:
		case <-l.call.Done():
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// waitOn lets a caller who heard us hear us again, from where we are now, and finds it an agent.
func (c *conduct) waitOn(ctx context.Context) (given *mailbox) {
	within, cancel := context.WithTimeout(ctx, backTime)
	defer cancel()
	var answer string
	offer, err := c.x.studio.Offer(c.ours.line, c.a.call.Link().LocalFor(c.a.call.Source()).Addr(), c.a.secure())
	c.x.sit(c, c.a) // its phone comes back by another way
	defer c.x.rise(c)
	if err == nil && back(within, c.a) {
		answer, err = c.a.call.Reinvite(within, offer)
	}
	if err == nil && answer != "" {
		err = c.x.studio.Accept(c.ours.line, answer)
	}
	if err != nil || answer == "" {
		c.x.log.Info("a caller who waited is gone", "call", c.record.ID, "err", err)
		close(c.found)
		c.x.hangUp(c.a, becauseBack)
		return nil
	}
	c.a.sdp = answer
	c.happened(Moment{What: momentRestart})
	c.x.studio.Music(c.ours.line, c.route.queue)
	return c.bringTogether(ctx)
}

// follows says that a leg without a way is of that phone, which has registered anew: it had a connection to the process before.
func (s seat) follows(user string, call *dialog.Call, from netip.Addr) bool {
	return s.l.user == user && call.Link().Err() != nil && call.Source().Addr() == from
}
