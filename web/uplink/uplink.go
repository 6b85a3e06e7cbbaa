// Package uplink is the phone's one connection to its center: sign-in by HTTP, then a websocket that is held for as long as
// one is signed in, through every break of the network.
package uplink

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"zaseki/web/wire"
)

// Config of an uplink.
type Config struct {
	URL     string      // of the center: http://host:port or https://host:port
	Machine string      // this machine's name, told to whoever finds the session taken
	Version string      // of this phone
	TLS     *tls.Config // for a center with an authority of its own; nil: the system's
	Log     *slog.Logger
	// Tell gets what happened, in order, on Run's goroutine. It must not wait for the uplink.
	Tell func(Event)
}

// Event is one of Online, Offline, State, Welcomed, Notice, BookChanged, SettingsAsked, Told, Revoked, Expired.
type Event any

type (
	// Online says that the connection to the center is there.
	Online struct{}
	// Offline says that it is lost, or cannot be made; the uplink keeps trying.
	Offline struct{ Problem wire.Problem }
	// State is the agent's record at the center; Rev never goes back.
	State struct{ wire.AgentState }
	// Welcomed is a fresh welcome after the session was resumed: settings may have changed. Token and Resume are empty.
	Welcomed struct{ Welcome wire.Welcome }
	// Notice is something the center wants the person to know.
	Notice struct{ wire.Notice }
	// Told is a word of the center that the phone gets as it is: wire.Permit, Attend, CheckCall or Messages.
	Told struct{ Word interface{ Type() string } }
	// Revoked ends the session: somebody took it over.
	Revoked struct{ Problem wire.Problem }
	// Expired ends the session: the center does not know it any more.
	Expired struct{ Problem wire.Problem }
)

// Uplink is the connection. All methods may be called from any goroutine.
type Uplink struct {
	cfg    Config
	client *http.Client
	slow   *http.Client // for recordings: a body may take as long as it wants
	log    *slog.Logger

	mu       sync.Mutex
	nodes    []string // base URLs of the center; the first is the one we were given
	at       int      // which of them we speak to
	ticket   wire.Secret
	session  *session      // nil: signed out
	changed  chan struct{} // closed when session changes
	online   bool
	queue    []*item // asked and reported, not answered yet, in order
	line     *wire.LineReport
	wake     chan struct{} // the writer has something to send
	watchers map[*watcher]struct{}
	asked    wire.WatchFloor // what the center was asked on this connection to show
	aged     bool            // changes have been passed over since
	floor    *wire.Floor     // last one of this connection
	seat     string          // own one, as the center said last
}

// session is a sign-in. Its tokens change when it is resumed.
type session struct {
	token  wire.Secret
	resume wire.Secret
	ended  chan struct{}  // closed when it is not u.session any more
	mail   *wire.Messages // the mailbox as told last; Run's goroutine only
	rev    uint64         // newest state told; Run's goroutine only
}

// New makes an uplink that is signed out.
func New(cfg Config) *Uplink {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(Event) {}
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: 15 * time.Second,
		TLSClientConfig: cfg.TLS.Clone(), IdleConnTimeout: 10 * time.Second, MaxIdleConns: 2, ForceAttemptHTTP2: true,
	}
	// A redirect would carry a password to whoever answers it.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Uplink{
		cfg: cfg, nodes: []string{strings.TrimRight(cfg.URL, "/")}, log: cfg.Log,
		client:  &http.Client{Transport: transport, Timeout: 20 * time.Second, CheckRedirect: stay},
		slow:    &http.Client{Transport: transport, CheckRedirect: stay},
		changed: make(chan struct{}), wake: make(chan struct{}, 1), watchers: map[*watcher]struct{}{},
	}
}

// SignIn is step two. From now on Run holds the websocket. The welcome's Token and Resume are empty: the uplink keeps them.
func (u *Uplink) SignIn(ctx context.Context, s wire.SignIn) (wire.Welcome, error) {
	u.mu.Lock()
	ticket := u.ticket
	u.mu.Unlock()
	in := wire.SignInRequest{Ticket: ticket.Reveal(), Terminal: s.Terminal, Status: s.Status, Seat: s.Seat,
		Takeover: s.Takeover, Machine: u.cfg.Machine}
	var out wire.Welcome
	if err := u.post(ctx, "/api/v1/signin", in, "", &out); err != nil {
		return wire.Welcome{}, err
	}
	u.enter(&session{token: wire.Secret(out.Token), resume: wire.Secret(out.Resume), ended: make(chan struct{})})
	u.learn(out.Nodes)
	out.Token, out.Resume = "", ""
	return out, nil
}

// SignOut ends the session here, and at the center if it can be told: an error says that it could not.
func (u *Uplink) SignOut(ctx context.Context) error {
	u.mu.Lock()
	s := u.session
	var token wire.Secret
	if s != nil {
		token = s.token
	}
	u.mu.Unlock()
	if s == nil {
		return nil
	}
	u.enter(nil)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return u.post(ctx, "/api/v1/signout", nil, token, nil)
}

// enter replaces the session; what was asked in the old one is answered with no.
func (u *Uplink) enter(s *session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session != nil {
		close(u.session.ended)
	}
	u.session, u.online, u.line, u.floor, u.seat = s, false, nil, nil, ""
	u.ticket = ""
	for _, i := range u.queue {
		i.answer(wire.Problem{Code: wire.ProblemExpired})
	}
	u.queue = nil
	close(u.changed)
	u.changed = make(chan struct{})
}

// leave ends that session, unless another one has begun; it says whether it did.
func (u *Uplink) leave(s *session) bool {
	u.mu.Lock()
	mine := u.session == s
	u.mu.Unlock()
	if mine {
		u.enter(nil)
	}
	return mine
}

// Run holds the connection until ctx ends, and returns its error.
func (u *Uplink) Run(ctx context.Context) error {
	defer u.client.CloseIdleConnections()
	for {
		u.mu.Lock()
		s, changed := u.session, u.changed
		u.mu.Unlock()
		if s != nil {
			u.hold(ctx, s)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// socketURL is the websocket's address.
func (u *Uplink) socketURL() (string, error) {
	a, err := url.Parse(u.base() + "/api/v1/ws")
	if err != nil {
		return "", err
	}
	a.Scheme = strings.Replace(a.Scheme, "http", "ws", 1)
	return a.String(), nil
}
