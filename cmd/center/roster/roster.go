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
	"zaseki/web/wire"
)

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
	SIP    func(host string, secure bool) (server, ca string)
	Timing Timing // zero fields are the defaults
	Limits Limits // zero fields are the defaults
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
	started   time.Time
	loaded    ledger.Seq    // what New loaded is valid at; Run follows from there
	kick      chan struct{} // something changed that the timers must know
	later     chan func(context.Context)
	stop      chan struct{} // closed when Run ends: the phones' connections end
	served    sync.WaitGroup

	mu       sync.RWMutex
	view     *view
	floor    *wire.Floor      // the seat view of the present state; nil: to be made. Nobody writes to one that was handed out
	links    map[string]*link // by account
	dropped  map[string]time.Time
	reserved map[string]*reservation
	tickets  map[string]ticket // by hash
	stopped  bool
}

type ticket struct {
	account string
	until   time.Time
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
		cfg.Node = "center"
	}
	cfg.Timing = cfg.Timing.filled()
	r := &Roster{
		cfg: cfg, log: cfg.Log, ledger: cfg.Ledger, vault: vault{cfg.Key}, passwords: newPasswords(),
		accounts:  newLimiter(orElse(cfg.Limits.Account, 5), orElse(cfg.Limits.AccountEvery, 30*time.Second)),
		addresses: newLimiter(orElse(cfg.Limits.Address, 20), orElse(cfg.Limits.AddressEvery, time.Second)),
		started:   time.Now(),
		kick:      make(chan struct{}, 1),
		later:     make(chan func(context.Context), 1024),
		stop:      make(chan struct{}),
		view:      newView(), links: map[string]*link{}, dropped: map[string]time.Time{},
		reserved: map[string]*reservation{}, tickets: map[string]ticket{},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	all, at, err := cfg.Ledger.Load(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("roster: %w", err)
	}
	for _, e := range all {
		if _, err := r.view.apply(e); err != nil {
			return nil, fmt.Errorf("roster: %w", err)
		}
	}
	r.loaded = at
	return r, nil
}

// Run follows the ledger and keeps the timers until ctx ends; then it closes all phones' connections and waits for them.
func (r *Roster) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.ledger.Follow(ctx, r.loaded, r.heard) })
	g.Go(func() error { return r.watchClock(ctx) })
	g.Go(func() error { return r.doLater(ctx) })
	err := g.Wait()
	r.mu.Lock()
	if !r.stopped {
		r.stopped = true
		close(r.stop)
	}
	r.mu.Unlock()
	r.served.Wait()
	return err
}

// heard takes over what this or another node wrote.
func (r *Roster) heard(e ledger.Event) {
	if err := r.take([]ledger.Event{e}); err != nil {
		r.log.Error("event of the ledger", "err", err)
	}
}

// take puts events into the view and tells whom they concern.
func (r *Roster) take(events []ledger.Event) error {
	r.mu.Lock()
	var tell []*link
	told := false
	var failed error
	for _, e := range events {
		changed, err := r.view.apply(e)
		failed = errors.Join(failed, err)
		if !changed {
			continue
		}
		told, r.floor = true, nil
		if kind, id, _ := ledger.Split(e.Subject); kind == KindAgent && r.links[id] != nil {
			tell = append(tell, r.links[id])
		}
	}
	if told {
		for _, l := range r.links {
			l.floorChanged()
		}
	}
	r.mu.Unlock()
	for _, l := range tell {
		l.stateChanged()
	}
	if told {
		select {
		case r.kick <- struct{}{}:
		default:
		}
	}
	return failed
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
