package roster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"zaseki/web/socket"
	"zaseki/web/wire"
)

// subprotocol of the phones' websocket.
const subprotocol = "center.v1"

// mostAnswers may wait for a phone; one that asks on without listening is sent away.
const mostAnswers = 256

// link is one phone's websocket. What it has to say waits here: the state only as "there is a newer one", the seat view with the hub.
type link struct {
	account string
	session string
	conn    *socket.Lean
	cancel  context.CancelFunc // of what the phone has asked for

	mu      sync.Mutex
	state   bool     // the agent's record is newer than what was sent, or the link may not be the agent's any more
	line    bool     // the phone says its terminal is registered
	missing []string // and what else it has not proven
	nodes   bool     // the phone shall know the other nodes
	again   bool     // the phone must resume its session: where it registers has changed
	terms   bool     // the same, since what it goes by has changed
	home    bool     // the center stops
	blind   bool     // the phone may not see the seat view any more
	booked  bool     // there is a newer phonebook
	asked   string   // who wants to know the phone's settings
	answers []wire.Envelope
	notices []wire.Notice
	words   []wire.Envelope // of attending: a Permit or an Attend each, in order
	mail    mailNews

	look look // the hub's

	seat string           // as last sent, to tell a lost one; this and what follows is the writer's
	out  []socket.Message // to be sent next
	left bool             // goodbye is said
}

func (l *link) stateChanged() { l.touch(func() { l.state = true }) }

func (l *link) touch(do func()) {
	l.mu.Lock()
	do()
	l.mu.Unlock()
	l.wake()
}

func (l *link) wake() {
	if l.conn != nil {
		l.conn.Wake()
	}
}

// ws is the phone's websocket, from the welcome to the end. It is served on a goroutine of its own, so that nothing is kept of the
// request, which costs more than all the rest of a phone.
func (r *Roster) ws(w http.ResponseWriter, req *http.Request) {
	account, session, err := r.bearer(req)
	if err != nil {
		refuse(w, http.StatusUnauthorized, err)
		return
	}
	if !r.admits(account) || !r.enter() {
		refuse(w, http.StatusServiceUnavailable, wire.Problem{Code: wire.ProblemCenter})
		return
	}
	l := &link{account: account, session: session}
	l.conn, err = r.writers.Accept(w, req, socket.Options{
		Subprotocols: []string{subprotocol}, ReadLimit: 16 << 10,
		PingEvery: r.cfg.Timing.Ping, PongWait: r.cfg.Timing.Silent,
	}, func() (socket.Message, bool) { return r.next(l) })
	if err != nil {
		r.served.Done()
		r.log.Debug("phone refused", "account", account, "err", err)
		return
	}
	go r.serve(l)
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

// serve reads until the link ends; Run waits for it.
func (r *Roster) serve(l *link) {
	defer r.served.Done()
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	defer l.cancel()
	r.attach(ctx, l)
	l.conn.Wake()
	err := r.read(ctx, l)
	l.conn.End()
	r.hub.watch(l, false, "")
	r.detach(l)
	r.log.Debug("phone gone", "account", l.account, "peer", l.conn.Peer(), "err", err)
}

// attach makes the link the agent's one; an older one of the same session ends.
func (r *Roster) attach(ctx context.Context, l *link) {
	r.mu.Lock()
	old := r.links[l.account]
	r.links[l.account] = l
	l.mu.Lock()
	l.state, l.nodes, l.home, l.booked = true, r.nodes.Lost != nil, r.stopped, r.view.bookRev() > 0
	l.mu.Unlock()
	delete(r.dropped, l.account)
	l.seat = r.view.agents[l.account].v.Seat
	r.rota.touch(l.account)
	r.readinessLocked(l.account)
	r.wakeLocked(l.account)
	r.attendanceLocked(l)
	r.handsUpLocked(l)
	l.mu.Lock()
	l.mail.whole = len(r.view.mail.all) > 0
	l.mu.Unlock()
	r.mu.Unlock()
	r.letProbe(l.account, l.session) // after a restart of ours too
	r.contracts.look(l.account)      // what it goes by may have changed while it was away
	if old != nil {
		old.stateChanged() // it sees that it is not the one any more
	}
	err := r.change(ctx, bySystem, func(d *draft) error {
		a := d.agents[l.account].v
		if a.Session != nil && a.Session.ID == l.session && (a.Conn != connUp || a.Session.Node != r.cfg.Node) {
			a := d.agent(l.account, "connection back")
			if a.Session.Node != r.cfg.Node {
				a.Lacks = []string{missingLine} // until the phone says more
			}
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
		r.rota.touch(l.account)
		r.readinessLocked(l.account)
	}
	r.mu.Unlock()
	r.signal()
}

// sendHome ends all connections, with a goodbye, and takes no more.
func (r *Roster) sendHome() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, l := range r.links {
		l.touch(func() { l.home = true })
		l.cancel()
	}
}

// read carries out what the phone asks, in order.
func (r *Roster) read(ctx context.Context, l *link) error {
	for {
		e, err := l.conn.Read()
		if err != nil {
			return err
		}
		m, err := wire.ParsePhone(e)
		if err == nil {
			err = r.carryOut(ctx, l, m, opOf(e.Op))
		}
		answer, err := r.answer(e.Op, err)
		if err != nil {
			return err
		}
		if e.Op == "" {
			continue
		}
		full := false
		l.touch(func() {
			l.answers = append(l.answers, answer)
			full = len(l.answers) > mostAnswers
		})
		if full {
			return fmt.Errorf("%d answers wait", mostAnswers)
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
		rule = func(d *draft) error {
			return d.told(l.account, m.Late, func() error { return d.setStatus(l.account, m.To, op) })
		}
	case wire.SetNext:
		rule = func(d *draft) error { return d.setNext(l.account, m.To, op) }
	case wire.ExtendWork:
		rule = func(d *draft) error { return d.extendWork(l.account, op) }
	case wire.CallReport:
		defer r.reported(l.account)() // its record says now that it has a call, or none any more
		rule = func(d *draft) error {
			return d.told(l.account, m.Late, func() error { return d.report(l.account, m, op) })
		}
	case wire.LineReport:
		r.lineSaid(l, m.Registered, m.Missing)
		return r.tellNodes(ctx, l)
	case wire.WatchFloor:
		return r.watchFloor(l, m)
	case wire.UseTerminal:
		rule = func(d *draft) error { return d.useTerminal(l.account, m.Terminal, op) }
	case wire.RaiseHand:
		rule = func(d *draft) error { return d.raiseHand(l.account, m, op) }
	case wire.Supervise:
		return r.supervise(ctx, l, m)
	case wire.AttendReport:
		return r.attendReport(ctx, l, m)
	case wire.Check:
		return r.checkSeats(ctx, l, m)
	case wire.CheckReport:
		return r.checkReported(ctx, l, m)
	case wire.SetStatusOf:
		rule = func(d *draft) error { return d.setStatusOf(l.account, m, op) }
	case wire.LowerHand:
		rule = func(d *draft) error { return d.lowerHandOf(l.account, m.Account, op) }
	case wire.SendMessage:
		return r.sendMessage(ctx, l, m, op)
	case wire.ReadMessages:
		rule = func(d *draft) error { return d.read(l.account, m) }
	case wire.CallNote:
		return r.note(ctx, l, m)
	case wire.SettingsReport:
		rule = func(d *draft) error { return d.tellSettings(l.account, m.Values, r.vault) }
	default:
		return wire.Problem{Code: wire.ProblemForbidden}
	}
	return r.change(ctx, l.account, func(d *draft) error {
		if s := d.agents[l.account].v.Session; s == nil || s.ID != l.session {
			return wire.Problem{Code: wire.ProblemExpired}
		}
		return rule(d)
	})
}

// next is what to send next: the state first, then the answers, then the floor: whoever reads "done" has seen what was done.
func (r *Roster) next(l *link) (socket.Message, bool) {
	for !l.left || len(l.out) > 0 {
		if len(l.out) > 0 {
			m := l.out[0]
			if l.out = l.out[1:]; len(l.out) == 0 {
				l.out = nil
			}
			return m, true
		}
		if !r.say(l) {
			return r.hub.next(l)
		}
	}
	return socket.Message{}, false
}

// say puts out what has become known since; false: nothing has.
func (r *Roster) say(l *link) bool {
	l.mu.Lock()
	state, answers, again, terms, nodes, home, blind := l.state, l.answers, l.again, l.terms, l.nodes, l.home, l.blind
	l.state, l.answers, l.again, l.terms, l.nodes, l.home, l.blind = false, nil, false, false, false, false, false
	notices, booked, asked, words, news := l.notices, l.booked, l.asked, l.words, l.mail
	l.notices, l.booked, l.asked, l.words, l.mail = nil, false, "", nil, mailNews{}
	l.mu.Unlock()
	if !state && len(answers) == 0 && len(notices) == 0 && len(words) == 0 && !news.any() && !again && !terms && !nodes && !home && !blind && !booked && asked == "" {
		return false
	}
	now, why, mine := r.stateOf(l)
	switch {
	case why != nil:
		r.put(l, *why)
	case state && mine:
		if lost := l.lostSeat(r, now); lost != nil {
			r.put(l, *lost)
		}
		r.put(l, now)
	}
	if mine && nodes {
		r.put(l, r.otherNodes())
	}
	if mine {
		r.sayMine(l, words, news)
	}
	for _, e := range answers {
		r.putEnvelope(l, e)
	}
	for _, n := range notices {
		r.put(l, n)
	}
	if mine && booked {
		r.put(l, r.bookNews())
	}
	if mine && asked != "" {
		r.put(l, wire.AskSettings{By: asked})
	}
	switch {
	case home:
		r.put(l, r.goodbye(false))
		l.leave(socket.GoingAway, "center stops")
	case !mine:
		l.leave(socket.Policy, "session ended")
	case again:
		r.put(l, r.goodbye(true))
		l.leave(socket.GoingAway, "center")
	case terms:
		r.put(l, r.newTerms())
		l.leave(socket.GoingAway, "new settings")
	case blind:
		r.put(l, wire.Floor{Floors: []wire.FloorPlan{}, Seats: []wire.SeatState{}, Statuses: []wire.StatusDef{}, At: time.Now().UTC()})
	}
	return true
}

// sayMine puts out what only the agent's own link gets.
func (r *Roster) sayMine(l *link, words []wire.Envelope, news mailNews) {
	for _, e := range words {
		r.putEnvelope(l, e)
	}
	if news.any() {
		if m, ok := r.mailNews(l.account, news); ok {
			r.put(l, m)
		}
	}
}

// mostWords about attending wait for a phone; the oldest go first, and a phone that connects anew hears how it is.
const mostWords = 64

// say has something said to the phone in its order.
func (l *link) say(m interface{ Type() string }) {
	e, err := wire.Pack("", m)
	if err != nil {
		return // both can be written
	}
	l.touch(func() {
		if l.words = append(l.words, e); len(l.words) > mostWords {
			l.words = l.words[1:]
		}
	})
}

func (l *link) leave(code int, reason string) {
	l.left = true
	l.conn.Leave(code, reason)
}

func (r *Roster) put(l *link, m interface{ Type() string }) {
	e, err := wire.Pack("", m)
	if err != nil {
		r.log.Error("word to a phone", "err", err)
		return
	}
	r.putEnvelope(l, e)
}

func (r *Roster) putEnvelope(l *link, e wire.Envelope) {
	m, err := socket.Prepare(e)
	if err != nil {
		r.log.Error("word to a phone", "err", err)
		return
	}
	l.out = append(l.out, m)
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
	case r.view.accounts[l.account].v.Off:
		return now, &wire.Revoked{Problem: wire.Problem{Code: wire.ProblemAccountOff}}, false
	case a.Ended != "":
		return now, &wire.Revoked{Problem: wire.Problem{Code: wire.ProblemRevoked, Holes: map[string]string{"who": a.Ended}}}, false
	}
	return now, &wire.Revoked{Problem: wire.Problem{Code: wire.ProblemExpired}}, false
}

// lostSeat is the notice that somebody else sits on the agent's seat now.
func (l *link) lostSeat(r *Roster, now wire.AgentState) *wire.Notice {
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
	return &wire.Notice{
		ID: "seat." + before, Level: "warn", At: time.Now().UTC(),
		Problem: wire.Problem{Code: wire.ProblemSeatLost, Holes: map[string]string{"seat": seat.Name, "who": r.view.name(seat.Holder)}},
	}
}
