package roster

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// subprotocol of the phones' websocket.
const subprotocol = "center.v1"

// link is one phone's websocket. What it has to say waits here: states and floors only as "there is a newer one".
type link struct {
	account string
	session string
	conn    *socket.Conn
	wake    chan struct{}

	mu       sync.Mutex
	state    bool // the agent's record is newer than what was sent
	floor    bool
	watching bool
	line     bool // the phone says its terminal is registered
	answers  []wire.Envelope
	seat     string // as last sent, to tell a lost one
}

func (l *link) stateChanged() { l.touch(func() { l.state = true }) }

func (l *link) floorChanged() {
	l.mu.Lock()
	watched := l.watching
	l.floor = true
	l.mu.Unlock()
	if watched {
		l.signal()
	}
}

func (l *link) touch(do func()) {
	l.mu.Lock()
	do()
	l.mu.Unlock()
	l.signal()
}

func (l *link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *link) registered() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}

// ws is the phone's websocket, from the welcome to the end.
func (r *Roster) ws(w http.ResponseWriter, req *http.Request) {
	account, session, err := r.bearer(req)
	if err != nil {
		refuse(w, http.StatusUnauthorized, err)
		return
	}
	if !r.enter() {
		refuse(w, http.StatusServiceUnavailable, wire.Problem{Code: wire.ProblemCenter})
		return
	}
	defer r.served.Done()
	conn, err := socket.Accept(w, req, socket.Options{
		Subprotocols: []string{subprotocol}, ReadLimit: 16 << 10,
		PingEvery: r.cfg.Timing.Ping, PongWait: r.cfg.Timing.Silent,
	})
	if err != nil {
		r.log.Debug("phone refused", "account", account, "err", err)
		return
	}
	l := &link{account: account, session: session, conn: conn, wake: make(chan struct{}, 1), state: true}
	r.serve(req.Context(), l)
}

// enter counts a connection that Run waits for; false when Run has ended.
func (r *Roster) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return false
	}
	r.served.Add(1)
	return true
}

func (r *Roster) serve(ctx context.Context, l *link) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.attach(ctx, l)
	l.signal()
	var code int
	var reason string
	var writer sync.WaitGroup
	writer.Go(func() {
		code, reason = r.write(ctx, l)
		cancel()
	})
	err := r.read(ctx, l)
	cancel()
	writer.Wait()
	l.conn.Close(code, reason)
	r.detach(l)
	r.log.Debug("phone gone", "account", l.account, "peer", l.conn.Peer(), "err", err)
}

// attach makes the link the agent's one; an older one of the same session ends.
func (r *Roster) attach(ctx context.Context, l *link) {
	r.mu.Lock()
	old := r.links[l.account]
	r.links[l.account] = l
	delete(r.dropped, l.account)
	l.seat = r.view.agents[l.account].v.Seat
	r.mu.Unlock()
	if old != nil {
		old.signal() // it sees that it is not the one any more
	}
	err := r.change(ctx, bySystem, func(d *draft) error {
		a := d.agents[l.account].v
		if a.Session != nil && a.Session.ID == l.session && (a.Conn != connUp || a.Session.Node != r.cfg.Node) {
			a := d.agent(l.account, "connection back")
			a.Conn, a.LostAt, a.Session.Node = connUp, time.Time{}, r.cfg.Node
		}
		return nil
	})
	if err != nil {
		r.log.Warn("connection of a phone", "account", l.account, "err", err)
	}
	r.log.Info("phone connected", "account", l.account, "peer", l.conn.Peer())
}

func (r *Roster) detach(l *link) {
	r.mu.Lock()
	if r.links[l.account] == l {
		delete(r.links, l.account)
		r.dropped[l.account] = time.Now().UTC()
	}
	r.mu.Unlock()
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// read carries out what the phone asks, in order.
func (r *Roster) read(ctx context.Context, l *link) error {
	for {
		e, err := l.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := wire.ParsePhone(e)
		if err == nil {
			err = r.carryOut(ctx, l, m, opOf(e.Op))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		answer, err := r.answer(e.Op, err)
		if err != nil {
			return err
		}
		if e.Op != "" {
			l.touch(func() { l.answers = append(l.answers, answer) })
		}
	}
}

// opOf bounds what is kept of a request's name.
func opOf(op string) string { return op[:min(len(op), 40)] }

func (r *Roster) answer(op string, err error) (wire.Envelope, error) {
	if err == nil {
		return wire.Pack(op, wire.Done{})
	}
	var p wire.Problem
	if !errors.As(err, &p) {
		r.log.Warn("request of a phone", "err", err)
		p = wire.Problem{Code: wire.ProblemCenter}
	}
	return wire.Pack(op, wire.Refused{Problem: p})
}

func (r *Roster) carryOut(ctx context.Context, l *link, m interface{ Type() string }, op string) error {
	var rule func(*draft) error
	switch m := m.(type) {
	case wire.SetStatus:
		rule = func(d *draft) error { return d.setStatus(l.account, m.To, op) }
	case wire.SetNext:
		rule = func(d *draft) error { return d.setNext(l.account, m.To, op) }
	case wire.ExtendWork:
		rule = func(d *draft) error { return d.extendWork(l.account, op) }
	case wire.CallReport:
		r.unreserve(l.account)
		rule = func(d *draft) error { return d.report(l.account, m, op) }
	case wire.LineReport:
		l.touch(func() { l.line = m.Registered })
		return nil
	case wire.WatchFloor:
		l.touch(func() { l.watching, l.floor = m.On, true })
		return nil
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		return rule(d)
	})
}

// write sends what there is to say until the link ends, and gives the close code.
func (r *Roster) write(ctx context.Context, l *link) (int, string) {
	window := time.NewTimer(0)
	defer window.Stop()
	open := false // the floor may be sent
	for {
		select {
		case <-ctx.Done():
			return socket.GoingAway, "center"
		case <-r.stop:
			return socket.GoingAway, "center stops"
		case <-l.conn.Done():
			return socket.Normal, ""
		case <-window.C:
			open = true
		case <-l.wake:
		}
		over, sentFloor, err := r.say(ctx, l, open)
		if err != nil {
			return socket.GoingAway, "center"
		}
		if over {
			return socket.Policy, "session ended"
		}
		if sentFloor {
			open = false
			window.Reset(r.cfg.Timing.Window)
		}
	}
}

// say sends the state first, then the answers, then the floor: whoever reads "done" has seen what was done.
func (r *Roster) say(ctx context.Context, l *link, open bool) (over, sentFloor bool, err error) {
	l.mu.Lock()
	state, answers := l.state, l.answers
	floor := l.floor && l.watching && open
	l.state, l.answers = false, nil
	if floor {
		l.floor = false
	}
	l.mu.Unlock()
	var out []interface{ Type() string }
	now, why, mine := r.stateOf(l)
	switch {
	case why != nil:
		out = append(out, *why)
	case state && mine:
		out = append(out, l.lostSeat(r, now)...)
		out = append(out, now)
	}
	for _, m := range out {
		if err := send(ctx, l.conn, m); err != nil {
			return false, false, err
		}
	}
	for _, e := range answers {
		if err := l.conn.Write(ctx, e); err != nil {
			return false, false, err
		}
	}
	if !mine || !floor {
		return !mine, false, nil
	}
	return false, true, send(ctx, l.conn, r.floorFor(l.account))
}

func send(ctx context.Context, c *socket.Conn, m interface{ Type() string }) error {
	e, err := wire.Pack("", m)
	if err != nil {
		return err
	}
	return c.Write(ctx, e)
}

// stateOf is the agent's record; or this link is not the agent's any more, and the phone is told why, unless it is that
// same phone that has connected anew.
func (r *Roster) stateOf(l *link) (now wire.AgentState, why *wire.Revoked, mine bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	a := r.view.agents[l.account].v
	switch {
	case a.Session != nil && a.Session.ID == l.session:
		return r.view.state(l.account), nil, r.links[l.account] == l
	case a.Ended != "":
		return now, &wire.Revoked{Problem: wire.Problem{Code: wire.ProblemRevoked, Holes: map[string]string{"who": a.Ended}}}, false
	}
	return now, &wire.Revoked{Problem: wire.Problem{Code: wire.ProblemExpired}}, false
}

// lostSeat is the notice that somebody else sits on the agent's seat now.
func (l *link) lostSeat(r *Roster, now wire.AgentState) []interface{ Type() string } {
	before := l.seat
	l.seat = now.Seat
	if before == "" || now.Seat == before {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	seat := r.view.seats[before].v
	if seat.Holder == "" || seat.Holder == l.account {
		return nil
	}
	return []interface{ Type() string }{wire.Notice{
		ID: "seat." + before, Level: "warn", At: time.Now().UTC(),
		Problem: wire.Problem{Code: wire.ProblemSeatLost, Holes: map[string]string{"seat": seat.Name, "who": r.view.name(seat.Holder)}},
	}}
}
