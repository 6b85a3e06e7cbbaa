// Package roster knows who works here: accounts, terminals, statuses, floors, seats, queues, and what every agent does
// right now. Its rules are pure functions over a view of the ledger's last events; a change is written, committed, and
// only then told. It talks to the phones (HTTP for sign-in, a websocket after it) and is the exchange's desk.
package roster

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"zaseki/cmd/center/exchange"
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
	// SIP is where our own registrar listens, used when the site names no other SIP server. host is the name under which the phone
	// reached us. nil: there is none.
	SIP    func(host string) (server, transport string)
	Timing Timing // zero fields are the defaults
	Limits Limits // zero fields are the defaults
	// Now is the clock; nil = time.Now.
	Now func() time.Time
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

// Limits of sign-in attempts: tokens at once, and the time in which one comes back. A successful one gives its tokens back.
type Limits struct {
	Account, Address           int           // 5, 20
	AccountEvery, AddressEvery time.Duration // 30 s, 1 s
}

// Roster is the center's staff list.
type Roster struct{}

// New loads the present state from the ledger.
func New(cfg Config) (*Roster, error) { panic("x") }

// Run follows the ledger and keeps the timers until ctx ends; then it closes all phones' connections and waits for them.
func (r *Roster) Run(ctx context.Context) error { panic("x") }

// Handler serves /api/v1/{check,signin,resume,signout,ws}.
func (r *Roster) Handler() http.Handler { panic("x") }

// Site is the center's settings as they are now.
func (r *Roster) Site() Site { panic("x") }

// Floor is the seat view as it is now.
func (r *Roster) Floor() wire.Floor { panic("x") }

// People are all accounts, by name.
func (r *Roster) People() []Person { panic("x") }

// Authenticate checks a password, with the limits of a sign-in from that address. Its error is a wire.Problem.
func (r *Roster) Authenticate(ctx context.Context, account string, password wire.Secret, address string) (Person, error) {
	panic("x")
}

// SetPassword changes the password of an account.
func (r *Roster) SetPassword(ctx context.Context, account string, password wire.Secret, by string) error {
	panic("x")
}

// Apply imports a setup: all rows are checked first, and what is the same already is not written again. What the setup does not
// name stays.
func (r *Roster) Apply(ctx context.Context, s Setup, by string) error { panic("x") }

// Person is an account as other rooms may see it.
type Person struct {
	Account string
	Name    string
	Role    string // agent, supervisor, administrator
	Agent   bool   // has a status and takes outside calls
}

var _ exchange.Desk = (*Roster)(nil)

// Terminal implements exchange.Desk.
func (r *Roster) Terminal(user string) (exchange.Terminal, bool) { panic("x") }

// Offer implements exchange.Desk.
func (r *Roster) Offer(queue string, tried []string) (exchange.Offer, func(), bool) { panic("x") }

// Missed implements exchange.Desk.
func (r *Roster) Missed(account, call string, declined bool) { panic("x") }

// Queue implements exchange.Desk.
func (r *Roster) Queue(extension string) (string, bool) { panic("x") }
