package roster

import (
	"slices"
	"time"

	"zaseki/web/wire"
)

// Kinds of entities: the first part of their subject in the ledger.
const (
	KindSite     = "cfg" // only one: cfg.site
	KindAccount  = "acct"
	KindTerminal = "term"
	KindAgent    = "agent"
	KindStatus   = "status"
	KindFloor    = "floor"
	KindSeat     = "seat"
	KindQueue    = "queue"
	KindGroup    = "group"
	KindPolicy   = "policy"
	KindCalendar = "cal"
	KindPBX      = "pbx"
	KindFactor   = "factor"
	KindMail     = "mail" // only one: mail.test
	KindOutcome  = "outcome"
)

const siteID = "site"

// Account is a person who may sign in.
type Account struct {
	Account string `json:"account"`
	Name    string `json:"name"`
	Role    string `json:"role"`          // agent, supervisor, administrator
	Agent   bool   `json:"agent"`         // has a status and takes outside calls
	Hash    string `json:"hash"`          // argon2id, PHC string; "" no password: single sign-on only
	Was     string `json:"was,omitempty"` // what Hash was when the password was set, with parameters of then

	Groups  []string `json:"groups,omitempty"`
	Mail    string   `json:"mail,omitempty"`    // for codes
	Subject string   `json:"subject,omitempty"` // of single sign-on: issuer and "sub" with a space between
	Off     bool     `json:"off,omitempty"`     // suspended: may not sign in
}

// noSubject in a setup forgets whom single sign-on has found.
const noSubject = "-"

// Terminal is something that rings, and who is signed in with it.
type Terminal struct {
	Extension string    `json:"extension"`
	Type      string    `json:"type"`
	Name      string    `json:"name,omitempty"`
	Account   string    `json:"account,omitempty"` // whose softphone it is
	Sealed    []byte    `json:"sealed,omitempty"`  // fixed SIP secret, sealed with the center's key
	Holder    string    `json:"holder,omitempty"`
	HeldSince time.Time `json:"heldSince,omitzero"`
	Epoch     uint64    `json:"epoch"` // rises with every claim and release
	Trunk     *Trunk    `json:"trunk,omitempty"`
}

func (t Terminal) wire() wire.Terminal {
	return wire.Terminal{ID: t.Extension, Extension: t.Extension, Type: t.Type, Name: t.Name}
}

// offeredTo says whether the account may sign in with it: the own softphone, or anything that is neither a softphone nor a trunk
// (PRODUCT A6).
func (t Terminal) offeredTo(account string) bool {
	if t.wire().Soft() {
		return t.Account == account
	}
	return t.Type != typeTrunk
}

const (
	typeTrunk     = "trunk"
	typeEncrypted = "softphone-encrypted"
)

func (t Terminal) encrypted() bool { return t.Type == typeEncrypted }

// Status is a status of the center's own.
type Status struct {
	wire.StatusDef
	Order int `json:"order"`
}

// Floor is a floor of the seat view.
type Floor struct {
	ID     string           `json:"id"`
	Name   string           `json:"name"`
	Width  int              `json:"width,omitempty"` // cells; 0: as its seats need
	Height int              `json:"height,omitempty"`
	Shapes []wire.FloorPart `json:"shapes,omitempty"`
}

// Seat is a place on a floor, and who sits there.
type Seat struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Floor  string    `json:"floor"`
	X      int       `json:"x"`
	Y      int       `json:"y"`
	Holder string    `json:"holder,omitempty"`
	Since  time.Time `json:"since,omitzero"`
}

// Agent is what an account does right now. Its events are the history of a working day.
type Agent struct {
	Account string    `json:"account"`
	Status  string    `json:"status"` // "" for an account without status
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // after-call work ends by itself
	Over    bool      `json:"over,omitempty"` // told that the status has lasted for as long as it may
	Next    string    `json:"next,omitempty"`
	Picked  string    `json:"picked,omitempty"` // last status a person chose
	Idle    time.Time `json:"idle,omitzero"`    // end of the last call

	Hand         time.Time      `json:"hand,omitzero"`      // raised since then
	HandCall     *wire.HandCall `json:"handCall,omitempty"` // with Hand
	Ring         string         `json:"ring,omitempty"`     // receipt of the last offer of this sign-in, see wire.SeatState
	Seat         string         `json:"seat,omitempty"`
	Terminal     string         `json:"terminal,omitempty"`
	LastSeat     string         `json:"lastSeat,omitempty"`
	LastTerminal string         `json:"lastTerminal,omitempty"`
	Epoch        uint64         `json:"epoch"` // rises with every sign-in
	Session      *Session       `json:"session,omitempty"`
	Ended        string         `json:"ended,omitempty"` // name of who ended the last session, unless it was the agent

	Conn   string    `json:"conn,omitempty"` // up, lost
	LostAt time.Time `json:"lostAt,omitzero"`
	Lacks  []string  `json:"lacks,omitempty"` // what the phone is not ready for, for the other nodes of the center

	Calls  []Call    `json:"calls,omitempty"`
	Wrap   bool      `json:"wrap,omitempty"` // an outside call was answered since the phone was idle
	Misses int       `json:"misses,omitempty"`
	Missed []Miss    `json:"missed,omitempty"` // those that were counted last
	Cause  string    `json:"cause,omitempty"`  // of a status that a call covers still: shown, and recorded, once the call is over
	Sound  *Sound    `json:"sound,omitempty"`
	Told   time.Time `json:"told,omitzero"` // when this change was, of one that was told later
	Ops    []string  `json:"ops,omitempty"` // last requests carried out, so that a repeated one is not again
}

// States of Agent.Conn.
const (
	connUp   = "up"
	connLost = "lost"
)

// Session is a sign-in. Of the tokens only hashes are kept.
type Session struct {
	ID      string    `json:"id"`
	Token   string    `json:"token"`            // hex SHA-256
	Resume  string    `json:"resume"`           // hex SHA-256
	Before  string    `json:"before,omitempty"` // resume token before the last rotation: its answer may have been lost
	Rotated time.Time `json:"rotated"`
	Expires time.Time `json:"expires"` // of Token
	Machine string    `json:"machine"`
	Node    string    `json:"node"`
	Began   time.Time `json:"began"`
	Stamp   string    `json:"stamp,omitempty"` // of the account's proofs at sign-in: it ends when they change
	Terms   string    `json:"terms,omitempty"` // of what the phone was told to go by; see terms.go
}

// Call is a call of an agent's phone, as the phone reports it.
type Call struct {
	ID       string    `json:"id"`
	Center   string    `json:"center,omitempty"` // the exchange's name for it, where the exchange told the phone
	Phase    string    `json:"phase"`
	Inbound  bool      `json:"inbound"`
	Outside  bool      `json:"outside"`
	Peer     string    `json:"peer"`
	Queue    string    `json:"queue,omitempty"`
	Began    time.Time `json:"began"`
	Answered time.Time `json:"answered,omitzero"`
	At       time.Time `json:"at"` // since when in this phase
	Result   string    `json:"result,omitempty"`
}

// Miss is an outside call that was offered to an agent in vain. Two may tell of it, the phone and who offered it.
type Miss struct {
	Call  string    `json:"call,omitempty"` // the exchange's name for it; "" who tells does not know it
	Phone bool      `json:"phone,omitempty"`
	Both  bool      `json:"both,omitempty"` // the other has told, too
	At    time.Time `json:"at"`
}

// clone makes a copy whose slices and session may be changed.
func (a Agent) clone() Agent {
	a.Calls = slices.Clone(a.Calls)
	a.Ops = slices.Clone(a.Ops)
	a.Lacks = slices.Clone(a.Lacks)
	a.Missed = slices.Clone(a.Missed)
	a.Sound, a.Told = nil, time.Time{}
	if a.Session != nil {
		s := *a.Session
		a.Session = &s
	}
	return a
}

// inCall says that the phone has a call, one that rings included.
func (a Agent) inCall() bool { return len(a.Calls) > 0 }

// free is since when the agent does nothing: who waits longest is rung first.
func (a Agent) free() time.Time {
	if a.Idle.After(a.Since) {
		return a.Idle
	}
	return a.Since
}
