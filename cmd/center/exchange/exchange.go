// Package exchange is the center's telephone side for small teams and the demo: a registrar (RFC 3261 §10) and a signalling
// B2BUA. It carries session descriptions unread; voice goes directly between the two ends. Who may register, who rings next and
// who missed is asked of the Desk.
package exchange

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"zaseki/cmd/center/exchange/voice"
	"zaseki/sip/dialog"
	"zaseki/sip/stack"
)

// legsPerCall is room for the two sides of a call, phones that ring beside, and callers who have not proven themselves yet.
const legsPerCall = 10

// methods are what we understand.
func methods() []string {
	return []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "PRACK", "UPDATE", "REFER", "NOTIFY", "REGISTER"}
}

// Config is an exchange.
type Config struct {
	Listen string        // host:port for UDP and TCP; port 0 picks one
	Secure string        // host:port for TLS; "" or "off" none
	TLS    *tls.Config   // of Secure
	Domain func() string // of our users; also the digest realm. An import may change it
	// Numbers is the number plan, which an import may change; nil: every number that is not ours goes to a trunk.
	Numbers func() Numbers
	Desk    Desk
	Log     *slog.Logger
	Told    func(CallRecord) // hears of each call at its end; nil is well
	Calls   int              // alive at once; above it callers get 503 with Retry-After. 0 means 1000
	// Digests are the algorithms of our challenges, the better first; nil means SHA-256 and MD5. Old phones look at the first only.
	Digests []string
	Wait    time.Duration // how long a caller waits for a free agent; 0 means five minutes
	// Music is a folder with a WAV file for each queue that has music of its own, EXTENSION.wav; "": there is none.
	Music string
	// Message makes the file of a message that a caller leaves; nil: none can be left.
	Message func(VoiceMessage) (MessageFile, error)
	// Outside is who stands beside the exchange and is believed by its address; asked at the start and by Look, nil: nobody.
	Outside func() Outside
	// Book is a folder for the calls alive, so that a process that ends without a word loses none: see book. "": nothing is kept.
	Book string
	Ask  time.Duration // between questions to a provider whether it still has us; 0: 25 s
	// Elsewhere is host:port of the node that serves the telephones when it is another one than this, for TLS or without; nil: this does.
	Elsewhere func(secure bool) (addr string, ok bool)
	// Key is the center's: addresses that hide whose they are go on being good after a restart. nil: a key of this process.
	Key []byte
	// PhoneCalls is what the phone of an agent says of its calls, for the history of those that a PBX brings; nil: it has none.
	PhoneCalls func(account string) []PhoneCall
	// Hold does work while this node of the center has the lease of that name: only one registers at a provider. nil: this one does.
	Hold func(ctx context.Context, name string, work func(context.Context) error) error
}

// Exchange registers phones and connects their calls.
type Exchange struct {
	cfg   Config
	desk  Desk
	log   *slog.Logger
	addr  netip.AddrPort
	tls   string // where we listen with TLS, "" nowhere
	stack *stack.Stack
	ua    *dialog.UA
	check *checker
	guard *guard
	flood *flood
	where *bindings
	veil  veil
	fresh chan *conduct // accepted calls on their way to Run

	beside  atomic.Pointer[beside]
	looking sync.Mutex    // one looks who stands beside
	others  chan struct{} // somebody else does than before

	trunks *trunks
	asked  *questions
	routes *routes
	studio *voice.Studio // what callers hear of the center itself
	book   *book         // nil: none
	before *before
	dark   atomic.Bool // calls of the process before are not taken up yet

	ran  atomic.Bool
	over chan struct{} // closed when Run ends: nobody takes calls any more

	mu      sync.Mutex
	live    map[*conduct]struct{}
	dialled map[string]int        // live ones by their caller
	seats   map[*dialog.Call]seat // legs of calls that are answered
}

// New opens the sockets. Run serves them; Close is for an exchange that never runs.
func New(cfg Config) (*Exchange, error) {
	if cfg.Calls == 0 {
		cfg.Calls = 1000
	}
	if cfg.Ask == 0 {
		cfg.Ask = trunkPing
	}
	if cfg.Wait == 0 {
		cfg.Wait = 5 * time.Minute
	}
	if cfg.Hold == nil {
		cfg.Hold = func(ctx context.Context, _ string, work func(context.Context) error) error { return work(ctx) }
	}
	if cfg.Numbers == nil {
		cfg.Numbers = func() Numbers { return Numbers{} }
	}
	if cfg.Digests == nil {
		cfg.Digests = []string{"SHA-256", "MD5"}
	}
	x := &Exchange{
		cfg: cfg, desk: cfg.Desk, log: cfg.Log,
		check: newChecker(cfg.Domain, cfg.Digests, time.Now), guard: newGuard(time.Now), flood: newFlood(), where: newBindings(time.Now), veil: newVeil(cfg.Key),
		fresh: make(chan *conduct), over: make(chan struct{}), others: make(chan struct{}, 1), live: map[*conduct]struct{}{}, dialled: map[string]int{}, seats: map[*dialog.Call]seat{},
	}
	x.trunks, x.asked, x.routes = newTrunks(x), newQuestions(time.Now), &routes{x: x, of: map[string]*routedCall{}}
	studio, err := voice.New(voice.Config{Music: cfg.Music, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	x.studio = studio
	if x.book, err = openBook(cfg.Book, cfg.Log); err != nil {
		return nil, fmt.Errorf("book of calls: %w", err)
	}
	x.before = x.book.read()
	x.dark.Store(len(x.before.calls) > 0)
	x.where.takeUp(x.before.phones)
	x.Look()
	x.stack = stack.New(stack.Config{
		Log: cfg.Log, Admit: x.admit, Server: "Zaseki center",
		Allow: methods(), Forwards: true, Bindings: true,
	})
	x.ua = dialog.New(dialog.Config{Stack: x.stack, Log: cfg.Log, OnCall: x.onCall, OnRequest: x.onRequest, Calls: legsPerCall * cfg.Calls})
	if err := errors.Join(x.listen(cfg.Listen), x.listenSecure(cfg.Secure)); err != nil {
		return nil, errors.Join(err, x.Close())
	}
	return x, nil
}

// listen opens UDP and TCP on one port. A port picked for UDP may be taken for TCP; then another one is picked.
func (x *Exchange) listen(addr string) error {
	for try := 0; ; try++ {
		udp, err := x.stack.ListenUDP(addr)
		if err != nil {
			return fmt.Errorf("listen for SIP on udp %s: %w", addr, err)
		}
		x.addr = udp.Local()
		if _, err = x.stack.ListenTCP(x.addr.String()); err == nil {
			return nil
		}
		udp.Close()
		if _, port, _ := net.SplitHostPort(addr); port != "0" || try == 40 { // many connections of others leave few
			return fmt.Errorf("listen for SIP on tcp %s: %w", x.addr, err)
		}
	}
}

func (x *Exchange) listenSecure(addr string) error {
	if addr == "" || addr == "off" {
		return nil
	}
	at, err := x.stack.ListenTLS(addr, x.cfg.TLS)
	if err != nil {
		return fmt.Errorf("listen for SIP on tls %s: %w", addr, err)
	}
	x.tls = at.String()
	return nil
}

// Secure is where phones register with TLS, host:port; "" nowhere.
func (x *Exchange) Secure() string { return x.tls }

// Addr is where phones register, host:port, for UDP and TCP.
func (x *Exchange) Addr() string { return x.addr.String() }

// Run serves registrations and calls until the context ends; calls that are left are ended.
func (x *Exchange) Run(ctx context.Context) error {
	var calls sync.WaitGroup
	x.ran.Store(true)
	done := make(chan error, 1)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() { done <- x.ua.Run(serving) }()
	sound, quiet := context.WithCancel(context.WithoutCancel(ctx)) // callers hear us until their calls are over
	silent := make(chan struct{})
	go func() {
		x.studio.Run(sound)
		close(silent)
	}()
	calls.Go(func() {
		x.watchOutside(ctx)
		x.farewell()
		stop() // providers know that we leave
	})
	x.resume(ctx, func(c *conduct) { calls.Go(func() { c.run(ctx) }) })
	calls.Go(func() { x.keepBook(ctx) })
	calls.Go(func() { x.routes.run(ctx) })
	for {
		select {
		case c := <-x.fresh:
			calls.Go(func() { c.run(ctx) })
			continue
		case err := <-done:
			close(x.over)
			calls.Wait()
			quiet()
			<-silent
			return err
		}
	}
}

// farewell waits until every call was told that we end: who waits is to try again (503), and not declined for all.
func (x *Exchange) farewell() {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(byeWait); time.Now().Before(end); <-tick.C {
		x.mu.Lock()
		left := len(x.live)
		x.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// Close frees the sockets of an exchange that never ran; after Run there is nothing to do.
func (x *Exchange) Close() error {
	if x.ran.Load() {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := x.ua.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// admit is asked before a datagram is parsed. Registered phones are always heard; others share a small allowance by
// address, and nothing of an address that guesses passwords is read.
func (x *Exchange) admit(from netip.AddrPort) bool {
	if x.dark.Load() {
		return false
	}
	if x.where.knows(from) || x.trusted(from.Addr()) {
		return true
	}
	return !x.guard.dropped(from.Addr()) && x.flood.allow(from.Addr())
}

// heard is admit for each request of a connection: who came by one, and then floods or guesses, loses it.
func (x *Exchange) heard(link *stack.Link, from netip.AddrPort) bool {
	if link.Network() == "udp" || x.admit(from) {
		return true
	}
	x.log.Warn("connection closed: too many or too wrong requests", "peer", from)
	link.Close()
	return false
}

// Registration is a user as an administrator sees it.
type Registration struct {
	User    string    `json:"user"`
	Contact string    `json:"contact"`
	Network string    `json:"network"`
	Source  string    `json:"source"`
	Since   time.Time `json:"since"`
	Expires time.Time `json:"expires"`
}

// Registered are all registrations alive.
func (x *Exchange) Registered() []Registration {
	var all []Registration
	for user, have := range x.where.users() {
		for _, b := range have {
			all = append(all, Registration{User: user, Contact: b.contact, Network: b.network, Source: b.source.String(), Since: b.since, Expires: b.expires})
		}
	}
	return all
}

// Reachable says whether a terminal is registered here.
func (x *Exchange) Reachable(user string) bool { return len(x.where.lookup(user)) > 0 }

// Calls are the calls alive, as far as they got.
func (x *Exchange) Calls() []CallRecord {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := make([]CallRecord, 0, len(x.live))
	for c := range x.live {
		all = append(all, c.view())
	}
	return all
}
