// Package uplink is the phone's one connection to its center: sign-in by HTTP, then a websocket that is held for as long as
// one is signed in, through every break of the network.
package uplink

import (
	"context"
	"log/slog"

	"zaseki/web/wire"
)

// Config of an uplink.
type Config struct {
	URL     string // of the center: http://host:port or https://host:port
	Machine string // this machine's name, told to whoever finds the session taken
	Version string // of this phone
	Log     *slog.Logger
	// Tell gets what happened, in order, on Run's goroutine; it must not wait for the uplink.
	Tell func(Event)
}

// Event is one of Online, Offline, State, Floor, Notice, Revoked, Expired.
type Event any

type (
	// Online says that the connection to the center is there.
	Online struct{}
	// Offline says that it is lost; the uplink keeps trying.
	Offline struct{ Problem wire.Problem }
	// State is the agent's record at the center, newest wins.
	State struct{ wire.AgentState }
	// Welcomed is a fresh welcome after the session was resumed: settings may have changed.
	Welcomed struct{ Welcome wire.Welcome }
	// Notice is something the center wants the person to know.
	Notice struct{ wire.Notice }
	// Revoked ends the session: somebody took it over.
	Revoked struct{ Problem wire.Problem }
	// Expired ends the session: the center does not know it any more.
	Expired struct{ Problem wire.Problem }
)

// Report is what the phone tells without waiting for an answer.
type Report interface{ Type() string }

// Uplink is the connection. All methods may be called from any goroutine.
type Uplink struct{}

// New makes an uplink that is signed out.
func New(cfg Config) *Uplink { panic("x") }

// Check is step one of sign-in; it keeps the ticket for step two. Its error is a wire.Problem, as everywhere here.
func (u *Uplink) Check(ctx context.Context, account string, password wire.Secret) (wire.Choice, error) {
	panic("x")
}

// SignIn is step two. From now on Run holds the websocket.
func (u *Uplink) SignIn(ctx context.Context, s wire.SignIn) (wire.Welcome, error) { panic("x") }

// SignOut ends the session at the center, whether or not the center can be told.
func (u *Uplink) SignOut(ctx context.Context) error { panic("x") }

// Run holds the connection until ctx ends.
func (u *Uplink) Run(ctx context.Context) error { panic("x") }

// Ask sends SetStatus, SetNext or ExtendWork and waits for the center's yes (nil) or no (a wire.Problem). Through a break
// of the connection it is repeated with the same op, so that it is carried out once.
func (u *Uplink) Ask(ctx context.Context, m interface{ Type() string }) error { panic("x") }

// Report sends a CallReport or LineReport, in order; while the connection is lost reports are kept.
func (u *Uplink) Report(m Report) { panic("x") }

// WatchFloor gives the seat view from now on, newest wins, until stop is called. The center is asked once however many watch.
func (u *Uplink) WatchFloor(ctx context.Context) (floors <-chan wire.Floor, stop func()) { panic("x") }
