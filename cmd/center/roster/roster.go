// Package roster knows who works here: accounts, terminals, statuses, floors, seats, queues, and what every agent does
// right now. Its rules are pure functions over a view of the ledger's last events; a change is written, committed, and
// only then told. It talks to the phones (HTTP for sign-in, a websocket after it) and is the exchange's desk.
package roster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"zaseki/cmd/center/ledger"
	"zaseki/web/socket"
)

// soloNode is the name of the only node of a center.
const soloNode = "center"

// Config of a roster.
type Config struct {
	Ledger *ledger.Ledger
	Log    *slog.Logger
	// Key is the center's own, 32 bytes, kept outside the ledger (see LoadKey): SIP secrets are derived from it and fixed
	// ones sealed with it, so that a stolen ledger holds none.
	Key []byte
	// Node names this process among the nodes of the center; "" = "center".
	Node string
	// SIP is where our own registrar listens, used when the site names no other SIP server. host is the name under which
	// the phone reached us, without port; secure asks for the TLS listener, with the PEM of who signs its certificate.
	// nil: there is none.
	SIP func(host string, secure bool) (server, ca string)
	// Probe is where the echo for network tests is, for a phone that reached us as host; nil, or "": there is none.
	Probe func(host string) string
	// Registered says whether a terminal is registered at our own registrar; nil: nobody knows.
	Registered func(user string) bool
	// Beside is called when Outside may have changed, before the change is answered; nil: nobody wants to know.
	Beside func()
	// Seal is the public key that phones seal recordings with (X25519); nil: they cannot record.
	Seal   []byte
	Timing Timing // zero fields are the defaults
	Limits Limits // zero fields are the defaults
	Cost   Cost   // of a password; zero fields are the defaults
}

// Timing of presence (PRODUCT D11).
type Timing struct {
	Ping   time.Duration // 4 s: the websocket's ping
	Silent time.Duration // 10 s without a word: the connection counts as broken
	Grace  time.Duration // 3 s after a break the agent is shown as lost
	Away   time.Duration // 60 s after it the status is Away
	Off    time.Duration // 15 min after it the session ends; seat and terminal are free
	Window time.Duration // 20 ms: changes of the floor within it are told together
	Ticket time.Duration // 5 min between the two steps of sign-in
	Token  time.Duration // 12 h: life of a session's token; resume gives a new one
}

// Limits of sign-in attempts: tokens at once, and the time in which one comes back. A good attempt gives its tokens back.
type Limits struct {
	Account, Address           int           // 5, 20
	AccountEvery, AddressEvery time.Duration // 30 s, 1 s
}

func (t Timing) filled() Timing {
	t.Ping = orElse(t.Ping, 4*time.Second)
	t.Silent = orElse(t.Silent, 10*time.Second)
	t.Grace = orElse(t.Grace, 3*time.Second)
	t.Away = orElse(t.Away, time.Minute)
	t.Off = orElse(t.Off, 15*time.Minute)
	t.Window = orElse(t.Window, 20*time.Millisecond)
	t.Ticket = orElse(t.Ticket, 5*time.Minute)
	t.Token = orElse(t.Token, 12*time.Hour)
	return t
}

func orElse[T int | time.Duration](v, other T) T {
	if v <= 0 {
		return other
	}
	return v
}

// Roster is the center's staff list. All methods may be called from any goroutine.
type Roster struct {
	cfg       Config
	log       *slog.Logger
	ledger    *ledger.Ledger
	vault     vault
	passwords *passwords
	accounts  *limiter
	addresses *limiter
	usual     *places  // where accounts were signed in before
	codes     *limiter // typed codes, by way, account and address
	allCodes  *limiter // by account
	mails     *limiter
	notes     *limiter // of calls, by account
	wishes    *limiter // to attend, by account
	letters   *limiter // sent, by account
	tickets   *tickets
	single    single
	started   time.Time
	door      *door         // for the phones that come back after the start
	loaded    ledger.Seq    // what New loaded is valid at; Run follows from there
	kick      chan struct{} // something changed that the timers must know
	later     chan func(context.Context)
	hub       *hub // of the seat view
	contracts contracts
	minded    chan struct{} // something changed that may end what somebody attends
	readOn    chan struct{} // there are receipts
	tally     tally
	postbox   postbox
	dawn      *dawnDesk
	writers   *socket.Writers
	served    sync.WaitGroup // the phones' connections

	mu       sync.RWMutex
	view     *view
	followed ledger.Seq // everything up to it is in the view, of other nodes too; what we wrote ourselves is there earlier
	rota     rota
	nodes    Nodes            // of a center that has several
	links    map[string]*link // by account
	dropped  map[string]time.Time
	reserved map[string]*reservation
	waiting  []*waiter // callers of all queues, in the order in which they came
	probes   map[ProbeKey]probing
	receipts map[string]map[uint64]struct{} // by sender: messages that somebody has read meanwhile
	callsOf  CallsOf                        // nil: nobody knows the calls that are over yet
	stopped  bool
}

// New loads the present state from the ledger.
func New(cfg Config) (*Roster, error) {
	if len(cfg.Key) != keySize {
		return nil, fmt.Errorf("roster: the center's key has %d bytes, not %d", len(cfg.Key), keySize)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Node == "" {
		cfg.Node = soloNode
	}
	cfg.Timing = cfg.Timing.filled()
	r := &Roster{
		cfg: cfg, log: cfg.Log, ledger: cfg.Ledger, vault: vault{cfg.Key}, passwords: newPasswords(cfg.Cost),
		accounts:  newLimiter(orElse(cfg.Limits.Account, 5), orElse(cfg.Limits.AccountEvery, 30*time.Second)),
		addresses: newLimiter(orElse(cfg.Limits.Address, 20), orElse(cfg.Limits.AddressEvery, time.Second)),
		usual:     newPlaces(),
		codes:     newLimiter(provingTries, 12*time.Second),
		allCodes:  newLimiter(4*provingTries, 30*time.Second),
		mails:     newLimiter(3, 30*time.Second),
		notes:     newLimiter(60, 2*time.Second),
		wishes:    newLimiter(20, time.Second),
		letters:   newLimiter(20, 3*time.Second),
		tickets:   newTickets(),
		started:   time.Now(),
		kick:      make(chan struct{}, 1),
		later:     make(chan func(context.Context), 1024),
		writers:   socket.NewWriters(),
		rota:      newRota(),
		view:      newView(), links: map[string]*link{}, dropped: map[string]time.Time{},
		reserved: map[string]*reservation{}, probes: map[ProbeKey]probing{},
		dawn: newDawnDesk(), minded: make(chan struct{}, 1), readOn: make(chan struct{}, 1), receipts: map[string]map[uint64]struct{}{},
	}
	r.hub, r.contracts.wake = newHub(r), make(chan struct{}, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	all, at, err := cfg.Ledger.Load(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	r.view.loading = true
	for _, e := range all {
		if _, err := r.view.apply(e); err != nil {
			return nil, fmt.Errorf("roster: %w", err)
		}
	}
	r.view.loaded()
	r.loaded, r.followed = at, at
	r.door = newDoor(r.expected(), r.started)
	return r, nil
}

// Run follows the ledger and keeps the timers until ctx ends; then it closes all phones' connections and waits for them.
func (r *Roster) Run(ctx context.Context) error {
	writing, last := context.WithCancel(context.WithoutCancel(ctx)) // the phones' goodbyes are written when ctx has ended
	var writers errgroup.Group
	writers.Go(func() error { return r.writers.Run(writing) })
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.ledger.Follow(ctx, r.loaded, r.heard) })
	g.Go(func() error { return r.watchClock(ctx) })
	g.Go(func() error { return r.doLater(ctx) })
	g.Go(func() error { return r.hub.run(ctx) })
	g.Go(func() error { return r.tellTerms(ctx) })
	g.Go(func() error { return r.watchDesks(ctx) })
	g.Go(func() error { return r.tellBook(ctx) })
	g.Go(func() error { return r.watchAttends(ctx) })
	g.Go(func() error { return r.watchDawn(ctx) })
	g.Go(func() error { return r.watchLoads(ctx) })
	g.Go(func() error { return r.tellReceipts(ctx) })
	err := g.Wait()
	r.sendHome()
	r.served.Wait()
	last()
	_ = writers.Wait() // it says that it was told to end
	return err
}

// heard takes over what this or another node wrote.
func (r *Roster) heard(e ledger.Event) {
	if err := r.take([]ledger.Event{e}); err != nil {
		r.log.Error("event of the ledger", "err", err)
	}
	r.mu.Lock()
	r.followed = e.Seq
	r.mu.Unlock()
}

// take puts events into the view and tells whom they concern.
func (r *Roster) take(events []ledger.Event) error {
	r.mu.Lock()
	var tell []*link
	told, all, beside := false, false, false
	var free []string
	var failed error
	for _, e := range events {
		kind, id, _ := ledger.Split(e.Subject)
		before, attended, mark := r.view.agents[id].v, r.view.attends[id].v, r.view.mail.marks[id].v
		stood := r.besideLocked(kind, id)
		changed, err := r.applyLocked(e)
		failed = errors.Join(failed, err)
		if !changed {
			continue
		}
		told, beside = true, beside || stood || r.besideLocked(kind, id)
		r.contracts.heard(kind, id, r.view.terminals[id].v)
		r.attendTouchedLocked(kind, id)
		switch kind {
		case KindCapture:
			r.askLocked(id)
		case KindAttend:
			r.attendLocked(id, attended)
		case KindDawn:
			r.dawn.signal()
		case KindSeatCheck:
			r.sayCheckLocked(id)
		case KindMessage:
			r.messageLocked(id)
		case KindMark:
			r.markLocked(id, mark)
		}
		if all = all || !apart(kind); kind != KindAgent {
			continue
		}
		now := r.view.agents[id].v
		if free = append(free, id); !before.Over && now.Over {
			r.tellOverLocked(id)
		}
		if !now.Hand.IsZero() && (before.Hand.IsZero() || e.Why == handRaised) {
			r.tellHandLocked(id)
		}
		r.tellActLocked(id, e)
		if r.links[id] != nil {
			tell = append(tell, r.links[id])
		}
	}
	r.wakeThoseLocked(free, all)
	r.mu.Unlock()
	if beside && r.cfg.Beside != nil {
		r.cfg.Beside()
	}
	for _, l := range tell {
		l.stateChanged()
	}
	if told {
		r.signal()
	}
	return failed
}

// apart says that events of a kind concern one agent at most when it is about who may be called.
func apart(kind string) bool {
	switch kind {
	case KindAgent, KindTerminal, KindSeat, KindBook, KindNote, KindCapture, KindOutcome, KindAttend, KindMessage, KindMark, KindLoad, KindDawn, KindSeatCheck:
		return true
	}
	return false
}

// signal wakes the rota.
func (r *Roster) signal() {
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// doLater carries out what the exchange must not wait for.
func (r *Roster) doLater(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case do := <-r.later:
			do(ctx)
		}
	}
}
